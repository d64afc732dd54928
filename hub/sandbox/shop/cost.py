"""What a GraphQL document costs: https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits.

An object costs 1, a scalar 0, a mutation 10, and a connection ``2 + cost of a node * weight(size)``.
Shopify does not publish the weight; this one reproduces every cost measured against API 2025-07 that
microsoft/BCApps publishes with its queries (pull request 5926): 200 product ids 12, 100 products with
an image each 47, 100 prices with variant and product 31, 100 levels of a location with item, variant
and product 48, 10 staff members or fewer accordingly. ``nodes(ids:)`` counts each id in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import (
        DocumentNode,
        FieldNode,
        FragmentDefinitionNode,
        GraphQLNamedType,
        GraphQLSchema,
        SelectionSetNode,
    )

MUTATION = 10
FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo"})  # seen to cost nothing
Data = Mapping[str, Any] | None


def weight(size: int) -> int:
    """How often a node counts in a connection of ``size``."""
    return max(1, math.floor(2 * math.log(size))) if size > 0 else 0


class Meter:
    """Weighs one operation: as requested before it runs, as actual by what it answered."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        from graphql import FragmentDefinitionNode

        self.schema = schema
        self.variables = variables
        self.fragments: dict[str, FragmentDefinitionNode] = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def operation(self, root: GraphQLNamedType, selections: SelectionSetNode, data: Data = None) -> int:
        """The cost of an operation; of what it answered where ``data`` is given."""
        return sum(self._field(type, node, data) for type, node in self._fields(root, selections))

    def _selection(self, type: GraphQLNamedType, selections: SelectionSetNode, data: Data) -> int:
        """Fields of several possible types: the dearest type counts."""
        costs: dict[str, int] = {}
        for owner, node in self._fields(type, selections):
            costs[owner.name] = costs.get(owner.name, 0) + self._field(owner, node, data)
        common = costs.pop(type.name, 0)
        return common + max(costs.values(), default=0)

    def _fields(
        self, type: GraphQLNamedType, selections: SelectionSetNode
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        from graphql import FieldNode, InlineFragmentNode

        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield type, node
                continue
            fragment = node if isinstance(node, InlineFragmentNode) else self.fragments[node.name.value]  # type: ignore[attr-defined]
            condition = fragment.type_condition
            yield from self._fields(
                self.schema.type_map[condition.name.value] if condition else type, fragment.selection_set
            )

    def _field(self, owner: GraphQLNamedType, node: FieldNode, data: Data) -> int:
        from graphql import get_named_type

        key = node.alias.value if node.alias else node.name.value
        fields: Mapping[str, Any] = getattr(owner, "fields", {})
        if node.selection_set is None or node.name.value not in fields or (data is not None and data.get(key) is None):
            return 0
        type = get_named_type(fields[node.name.value].type)
        value = data[key] if data is not None else None
        if owner is self.schema.mutation_type:
            return MUTATION + self._payload(type, node.selection_set, value)
        if type.name.endswith("Connection"):
            return 2 + self._connection(type, node, node.selection_set, value)
        if type.name in FREE:
            return 0
        return self._size(fields[node.name.value], node) * (1 + self._object(type, node.selection_set, value))

    def _object(self, type: GraphQLNamedType, selections: SelectionSetNode, value: Any) -> int:
        """One object, or the dearest of a list."""
        if isinstance(value, list):
            return max((self._selection(type, selections, item) for item in value if item is not None), default=0)
        return self._selection(type, selections, value)

    def _payload(self, type: GraphQLNamedType, selections: SelectionSetNode, value: Any) -> int:
        """What a mutation answers is free but for what hangs below it."""
        from graphql import get_named_type

        total = 0
        for owner, node in self._fields(type, selections):
            cost = self._field(owner, node, value)
            named = get_named_type(getattr(owner, "fields", {})[node.name.value].type) if cost else owner
            total += cost if named.name.endswith("Connection") else max(0, cost - 1)
        return total

    def _connection(self, type: GraphQLNamedType, node: FieldNode, selections: SelectionSetNode, value: Any) -> int:
        dearest, count = 0, 0
        for owner, field in self._fields(type, selections):
            if field.name.value not in ("nodes", "edges") or field.selection_set is None:
                continue
            found = value.get(field.alias.value if field.alias else field.name.value) if value is not None else None
            cost = self._field(owner, field, value) if found or value is None else 0
            dearest = max(dearest, cost - (field.name.value == "edges"))  # the edge itself is free
            count = max(count, len(found or ()))
        size = count if value is not None else self._argument(node, "first") or 0
        return dearest * weight(size)

    def _size(self, field: Any, node: FieldNode) -> int:
        ids = self._argument(node, "ids") if "ids" in field.args else None
        return len(ids) if isinstance(ids, list) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        from graphql import value_from_ast_untyped

        for argument in node.arguments or ():
            if argument.name.value == name:
                found = value_from_ast_untyped(argument.value, dict(self.variables))
                return int(found) if isinstance(found, str) and found.isdigit() else found
        return None
