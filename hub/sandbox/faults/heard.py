"""A call as it arrives at the door, before its system reads it: what it asks for, and what can happen to it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from hub.sandbox.faults.kinds import Kind

TO_ANY_CALL = frozenset({Kind.TOO_MANY, Kind.BROKEN, Kind.RESET, Kind.LOST_ANSWER, Kind.SLOW, Kind.TRUNCATE})
COMPARES = {
    "inventorySetQuantities": re.compile(rb'"changeFromQuantity":\s*-?\d'),
    "metafieldsSet": re.compile(rb'"compareDigest":'),
    "catalog/batch-upsert": re.compile(rb'"version":\s*\d'),
}
TILLS_WRITE = frozenset({"catalog/batch-upsert", "inventory/changes/batch-create"})
BOOKMARK = re.compile(rb"<(?:[\w.-]+:)?bookmark>\s*([^<\s]+)\s*<")
SOAP_OPERATION = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One call; ``operation``, ``write`` and ``key`` as the ledger would say them."""

    system: str
    method: str
    path: str
    url: str  # as the caller addressed it, with the query
    operation: str = ""
    write: bool = False
    key: str | None = None  # of idempotency
    cursor: str | None = None  # of the page that is asked for; None on a first page
    can_meet: frozenset[Kind] = frozenset()
    token: str = field(default="", repr=False)
    graphql: bool = False


def hear(system: str, scope: Mapping[str, Any], body: bytes) -> Heard:
    """What an ASGI request with ``body`` asks of ``system``."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope.get("query_string", b"").decode("latin-1")
    path = scope["path"]
    found: dict[str, Any] = _READERS[system](scope["method"], path, dict(parse_qsl(query)), body)
    signed = found.pop("signed", True)
    can = TO_ANY_CALL | {Kind.EXPIRED} if signed else TO_ANY_CALL
    if found.get("cursor"):
        can |= {Kind.LOOP}
    if any(COMPARES[one].search(body) for one in found["operation"].split(",") if one in COMPARES):
        can |= {Kind.STALE}
    if system == "erp":
        can = can | {Kind.SOAP_FAULT} if scope["method"] == "POST" else can - {Kind.TOO_MANY}
    return Heard(
        system=system,
        method=scope["method"],
        path=path,
        url=f"http://{headers.get('host', '')}{path}{'?' + query if query else ''}",
        token=headers.get("authorization", "").partition(" ")[2],
        can_meet=can,
        **found,
    )


def _erp(method: str, path: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    from hub.sandbox.erp.service import WRITES

    if method != "POST":
        return {"operation": "wsdl"}
    named, bookmark = SOAP_OPERATION.search(body), BOOKMARK.search(body)
    operation = named[1].decode() if named else ""
    return {
        "operation": operation,
        "write": operation in WRITES,
        "cursor": bookmark[1].decode("ascii", "replace") if bookmark else None,
    }


def _shop(method: str, path: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    _, admin, rest = path.partition("/admin/api/")
    if not admin:
        return {"operation": "upload" if method != "GET" else "picture", "write": method != "GET", "signed": False}
    name = rest.partition("/")[2].removesuffix(".json")
    if name == "graphql":
        return _graphql(_object(body))
    return {"operation": _without_ids(name), "write": method != "GET", "cursor": query.get("page_info")}


def _graphql(body: Mapping[str, Any]) -> dict[str, Any]:
    operation, write = _fields(str(body.get("query") or ""))
    variables = body.get("variables")
    given = variables if isinstance(variables, dict) else {}
    after, key = given.get("after"), given.get("key")
    return {
        "operation": operation,
        "write": write,
        "key": key if write and isinstance(key, str) else None,
        "cursor": after if not write and isinstance(after, str) else None,
        "graphql": True,
    }


@lru_cache(maxsize=256)
def _fields(text: str) -> tuple[str, bool]:
    """The root fields of a document's first operation, and whether it changes something."""
    from graphql import GraphQLError, OperationDefinitionNode, parse

    try:
        document = parse(text, no_location=True)
    except GraphQLError:
        return "graphql", False
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            names = [getattr(field, "name", None) for field in node.selection_set.selections]
            return ",".join(name.value for name in names if name is not None), node.operation.value == "mutation"
    return "graphql", False


def _tills(method: str, path: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    name, given = path.removeprefix("/v2/"), _object(body)
    key, cursor = given.get("idempotency_key"), given.get("cursor") or query.get("cursor")
    return {
        "operation": name,
        "write": name in TILLS_WRITE,
        "key": key if isinstance(key, str) else None,
        "cursor": cursor if isinstance(cursor, str) else None,
    }


def _pim(method: str, path: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    number = query.get("page")
    return {
        "operation": _without_ids(path.removeprefix("/api/rest/v1/").removeprefix("/api/oauth/v1/")),
        "write": method == "PATCH",
        "cursor": query.get("search_after") or (number if number != "1" else None),
        "signed": not path.startswith("/api/oauth/"),
    }


def _dam(method: str, path: str, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    parts = path.removeprefix("/api/v1/").split("/")
    name = {1: parts[0], 2: "asset", 4: "download"}.get(len(parts), "")
    return {"operation": name, "cursor": query.get("cursor")}


_READERS = {"erp": _erp, "shop": _shop, "tills": _tills, "pim": _pim, "dam": _dam}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _without_ids(name: str) -> str:
    """``orders/12/transactions`` as ``orders/{id}/transactions``."""
    return "/".join("{id}" if part.isdigit() else part for part in name.split("/"))
