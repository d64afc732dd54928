"""The whole retailer: six systems over one world, created once and opened again as it was left."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hub.sandbox.assortment import Assortment
from hub.sandbox.baskets import Baskets
from hub.sandbox.clock import Clock, SystemClock
from hub.sandbox.faults import Faults
from hub.sandbox.floor import Floor
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State
from hub.sandbox.webhooks import Webhooks
from hub.sandbox.world import World

if TYPE_CHECKING:
    from hub.sandbox.dam import Dam
    from hub.sandbox.erp import Erp
    from hub.sandbox.pim import Pim
    from hub.sandbox.shop import Shop
    from hub.sandbox.stores import Stores
    from hub.sandbox.tills import Tills


class Retailer:
    """Opens the retailer under ``home``, or creates it from ``seed`` with a backlog dated before now.

    Any number of processes may have it open; what one changes the others see. ``haste``: how many times faster than
    the vendors' the budgets of its calls fill again; unless given, as when it was created.
    """

    def __init__(self, home: Path, *, seed: int = 7, clock: Clock | None = None, haste: float | None = None) -> None:
        self.home = home
        self.clock = clock or SystemClock()
        self.state = State(home, self.clock)
        self.state.haste = haste or self.state.get("haste", 1.0)
        self.ledger = Ledger(self.state)
        self.webhooks = Webhooks(self.state)
        self.faults = Faults.of(self.state)
        with self.state.transaction():
            known = self.state.get("seed")
            self.world = World(seed if known is None else known, self.state.start)
            self.floor = Floor(self.state, self.world)
            if known is None:
                self._create(seed)

    def _create(self, seed: int) -> None:
        """Tills sell first: a store file written after them is a photograph of the floor they left."""
        for name in ("tills", "shop", "erp", "stores"):
            getattr(self, name).populate(Baskets(self.world, name))
        self.pim.populate()
        self.dam.populate()
        self.state.put("haste", self.state.haste)
        self.state.put("seed", seed)

    @cached_property
    def assortment(self) -> Assortment:
        """What it truly sells, in words and pictures."""
        return Assortment(self.world)

    @cached_property
    def erp(self) -> Erp:
        from hub.sandbox.erp import Erp

        return Erp(self.state, self.world, self.ledger, self.clock)

    @cached_property
    def stores(self) -> Stores:
        from hub.sandbox.stores import Stores

        return Stores(self.state, self.world, self.ledger, self.clock)

    @cached_property
    def shop(self) -> Shop:
        from hub.sandbox.shop import Shop

        return Shop(self.state, self.world, self.ledger, self.clock)

    @cached_property
    def tills(self) -> Tills:
        from hub.sandbox.tills import Tills

        return Tills(self.state, self.world, self.ledger, self.clock)

    @cached_property
    def pim(self) -> Pim:
        from hub.sandbox.pim import Pim

        return Pim(self.state, self.assortment, self.ledger, self.clock)

    @cached_property
    def dam(self) -> Dam:
        from hub.sandbox.dam import Dam

        return Dam(self.state, self.assortment, self.ledger, self.clock)

    def close(self) -> None:
        """Close the files; everything is on disk already."""
        self.state.close()
