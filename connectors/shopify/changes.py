"""Mutations of one delivery: how many were carried out decides what a failure after them means."""

from __future__ import annotations

from typing import Any

from connectors.shopify.admin import Admin
from connectors.shopify.answers import Data, in_order
from hub.transport.effects import Effect


class Changes:
    """Carries mutations out; ``made`` counts those that changed the shop."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.made = 0

    def make(
        self,
        document: str,
        variables: dict[str, Any],
        *,
        payload: str,
        path: str,
        cost: float,
        errors: str = "userErrors",
        again: bool = True,
        counts: bool = True,
    ) -> Data:
        """The payload of one mutation; ``path`` is the field that a refusal is about.

        ``again``: it sets what it names, so that carrying it out twice is carrying it out once.
        """
        answer = self.admin.graphql(document, variables, cost=cost, effect=Effect.KEYED if again else Effect.ONCE)
        found = in_order(answer, payload, path, errors)
        self.made += counts
        return found
