"""A client of the shop's GraphQL API that checks every answer against Shopify's own schema, where that is there."""

from __future__ import annotations

import uuid
from typing import Any

import requests
from support.vendor_specs import SHOPIFY, ShopifyAdmin, present

SET = """mutation set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id sku } location { id name } }
    }
    userErrors { code field message }
  }
}"""


class Client:
    """Posts documents; what is answered is checked against Shopify's schema on the way, where that is there."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.admin = ShopifyAdmin() if present(SHOPIFY) else None

    def post(self, text: str, **variables: Any) -> Any:
        reply = requests.post(
            f"{self.url}/admin/api/2026-04/graphql.json",
            headers={"X-Shopify-Access-Token": self.token},
            json={"query": text, "variables": variables},
            timeout=10,
        )
        assert reply.status_code == 200
        return reply.json()

    def data(self, text: str, **variables: Any) -> Any:
        answer = self.post(text, **variables)
        assert "errors" not in answer, answer["errors"]
        if self.admin:
            self.admin.check_answer(text, answer["data"], variables)
        return answer["data"]

    def set(
        self,
        *quantities: Any,
        key: str | None = None,
        name: str = "available",
        reason: str = "correction",
        uri: str | None = None,
    ) -> Any:
        """The payload of inventorySetQuantities; a quantity is (item, location, quantity, expected)."""
        entries = [
            {"inventoryItemId": item, "locationId": place, "quantity": n, "changeFromQuantity": expected}
            for item, place, n, expected in quantities
        ]
        value = {"name": name, "reason": reason, "referenceDocumentUri": uri, "quantities": entries}
        return self.data(SET, input=value, key=key or str(uuid.uuid4()))["inventorySetQuantities"]
