"""What can be judged: a retailer that runs, and the journal of a hub that looks after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from hub.model import Clock
    from hub.sandbox.retailer import Retailer


class Played(Protocol):
    """The sandbox's own state seen from beside it, how a client reaches its systems, its clock, and the journal."""

    @property
    def retailer(self) -> Retailer: ...
    @property
    def connections(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def dsn(self) -> str: ...
