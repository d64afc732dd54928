"""The verbs: ingest, derive, deliver, bind, trace. A record's way through the hub is read here, top down."""

from __future__ import annotations

from hub.flow.engine import Engine
from hub.flow.outcome import Counts, Outcome

__all__ = ["Counts", "Engine", "Outcome"]
