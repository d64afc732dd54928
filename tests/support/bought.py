"""An order of the shop as a story follows it: what was bought, what each system holds of it, what is left to sell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from support.scene import Scene
from support.stories import article

from hub.flow.trace import trace


class Bought:
    """An article of which the ERP counts 30 in the warehouse and ``store`` has several, and an order for some."""

    def __init__(self, scene: Scene, name: str, store: str = "ST20") -> None:
        self.scene, self.retailer = scene, scene.retailer
        self.sku = article(scene, name, store)
        self.retailer.erp.set(self.sku, "WH1", 30, blocked=0, at=scene.clock.now())

    def order(self, pieces: int, *, more: Sequence[tuple[str, int]] = (), **terms: Any) -> None:
        """A customer buys ``pieces`` of the article, and ``more`` with them."""
        lines = [(self.sku, pieces), *more]
        self.id: int = self.retailer.shop.order(lines, at=self.scene.clock.now(), **terms)["id"]
        self.key = f"SHOP-{self.document['order_number']}"
        self.line = str(self.document["line_items"][0]["id"])

    @property
    def document(self) -> dict[str, Any]:
        """The order as the shop shows it now."""
        found = self.retailer.shop.orders.get(self.id)
        assert found is not None
        return found

    @property
    def sold_from_warehouse(self) -> int:
        """What a customer can still buy."""
        return self.scene.shop(self.sku, "WH1")

    @property
    def in_warehouse(self) -> int:
        return self.retailer.erp.level(self.sku, "WH1")

    @property
    def sale(self) -> Any:
        return self.retailer.erp.sales.find(self.key)

    @property
    def returns(self) -> list[str | None]:
        """The other systems' names of what the ERP knows to have come back; None for what it received itself."""
        return [row["external"] for row in self.retailer.erp.sales.returns_of(self.key)]

    def imports(self) -> int:
        """How often the ERP was told of the order as a new document."""
        calls = [c for c in self.retailer.ledger.writes("erp") if c.operation == "ImportSalesDocuments"]
        return sum(json.dumps(call.detail).count(f'"CUSORDREF": "{self.key}"') for call in calls)

    def reserved(self) -> list[str]:
        """The steps of its reservation."""
        rows = self.scene.query(
            "SELECT data ->> 'kind' FROM event WHERE object = 'reservation' AND data ->> 'order' = %s", self.key
        )
        return sorted(kind for (kind,) in rows)

    def waits(self) -> list[str]:
        """What the trace says that it waits for."""
        with self.scene.engine() as engine:
            found = trace(engine, "order", self.key)["waiting"]
        return [reason for row in found for reason in row["reasons"]]

    def refused(self) -> list[tuple[str, str]]:
        """Place and sentence of everything that is wrong with it."""
        return self.scene.query(
            "SELECT DISTINCT path, reason FROM quarantine WHERE key = %s AND state = 'open'", self.key
        )
