"""The scenes of the flows, in which things break here."""

from __future__ import annotations

from flow.conftest import first_stock, fresh, settled

__all__ = ["first_stock", "fresh", "settled"]
