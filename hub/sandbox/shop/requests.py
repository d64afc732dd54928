"""What every resolver refuses alike: a search that is not understood, too many values, a missing key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.search import BadQuery, condition

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    Info = GraphQLResolveInfo[Any]


def condition_of(query: str | None, fields: Mapping[str, str]) -> tuple[str, list[Any]]:
    """SQL and its values for a search text."""
    from graphql import GraphQLError

    try:
        return condition(query, fields)
    except BadQuery as error:
        raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from None


def idempotency_key(info: Info) -> str:
    """The key of the field's ``@idempotent``, which 2026-04 demands at run time though its schema does not."""
    from graphql import GraphQLError, get_directive_values

    directives = {directive.name: directive for directive in info.schema.directives}
    values = get_directive_values(directives["idempotent"], info.field_nodes[0], info.variable_values)
    if not values:
        message = "The @idempotent directive is required for this mutation but was not provided."
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    key = str(values["key"])
    if not key.strip():
        raise GraphQLError("The idempotency key cannot be blank.", extensions={"code": "BAD_REQUEST"})
    return key


def refuse_more_than(limit: int, values: Sequence[Any], path: list[str]) -> None:
    """Shopify's answer to an input array that is too long."""
    from graphql import GraphQLError

    if len(values) > limit:
        message = f"The input array size of {len(values)} is greater than the maximum allowed of {limit}."
        raise GraphQLError(message, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED", "argument": path})


def told(what: str, errors: Sequence[Mapping[str, Any]], done: str = "done") -> str:
    """One line for the ledger."""
    reasons = sorted({str(error.get("code") or error["message"]) for error in errors})
    return f"{what}: refused, {', '.join(reasons)}" if reasons else f"{what}: {done}"
