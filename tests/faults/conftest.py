"""The scenes of the flows, in which things break here."""

from __future__ import annotations

from flow.conftest import fresh, settled

__all__ = ["fresh", "settled"]
