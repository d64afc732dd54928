"""The vendors' own descriptions of their APIs, to check what we send and what the sandbox answers.

They are not part of the project: found under ``$HUB_SHARED`` (the folder that holds ``real/``) or
``../shared`` beside the clone. Where they are absent, the test that asks for one is skipped and says so.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema_rs
import pytest
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
    execute_sync,
    parse,
    validate,
)

SHOPIFY = "shopify_admin_graphql_2026-04.json.gz"
SQUARE = "square_api.offline.json"


def present(name: str) -> Path | None:
    """A vendor's file where it is there: a test of behaviour goes on without it, unchecked."""
    shared = Path(os.environ.get("HUB_SHARED") or Path(__file__).parents[3] / "shared")
    return next((folder / name for folder in (shared / "real", shared) if (folder / name).is_file()), None)


def real(name: str) -> Path:
    """A vendor's file; skips the test where it is not there."""
    found = present(name)
    if found is None:
        pytest.skip(f"the vendor's description {name} is not there: set HUB_SHARED to the folder that holds real/")
    return found


# --- Shopify --------------------------------------------------------------------------------------


@cache
def _shopify_schema() -> GraphQLSchema:
    with gzip.open(real(SHOPIFY)) as file:
        found = json.load(file)
    schema = build_client_schema(found.get("data", found), assume_valid=True)
    for name, pattern in SCALARS.items():
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_output_value = scalar.serialize = _matching(name, pattern)  # type: ignore[method-assign]
    return schema


SCALARS = {
    "DateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "Decimal": r"-?\d+(\.\d+)?",
    "Money": r"-?\d+\.\d\d",
    "UnsignedInt64": r"\d+",
}


def _matching(name: str, pattern: str) -> Any:
    def serialize(value: Any) -> Any:
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise GraphQLError(f"{value!r} is not written as a {name}")
        return value

    return serialize


class ShopifyAdmin:
    """Shopify's own Admin GraphQL schema, version 2026-04."""

    def __init__(self) -> None:
        self.schema = _shopify_schema()

    def check_document(self, text: str) -> DocumentNode:
        """Fails unless Shopify would accept the document."""
        document = parse(text)
        errors = validate(self.schema, document)
        assert not errors, "\n".join(error.message for error in errors)
        return document

    def check_answer(self, text: str, data: Any, variables: Mapping[str, Any] | None = None) -> None:
        """Fails unless ``data`` is what the document asks for, of Shopify's types, no more and no less."""
        result = execute_sync(
            self.schema,
            self.check_document(text),
            root_value=data,
            variable_values=dict(variables or {}),
            field_resolver=_answered,
            type_resolver=_named,
        )
        assert not result.errors, "\n".join(f"{error.message} at {error.path}" for error in result.errors)
        assert result.data == data, f"the answer holds more than was asked for:\n{data}\n{result.data}"


def _answered(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    key = info.path.key
    if key not in source:
        raise GraphQLError(f"the answer has no {key}")
    return source[key]


def _named(value: Any, *_: Any) -> str:
    """The type of an object behind an interface: said, or part of its gid."""
    return str(value.get("__typename") or value["id"].split("/")[3])


# --- Square ---------------------------------------------------------------------------------------


@cache
def _square_document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(real(SQUARE).read_text(encoding="utf-8"))
    return found


@cache
def _square_components() -> dict[str, Any]:
    found: dict[str, Any] = _json_schema(_square_document()["components"])
    return found


def _json_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: ``nullable`` spelt out, and objects closed, so that a wrong name is seen."""
    if isinstance(node, list):
        return [_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {name: _json_schema(value) for name, value in node.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    if found.pop("nullable", False) is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found


class SquareApi:
    """Square's own OpenAPI description."""

    def __init__(self) -> None:
        self.paths: dict[str, Any] = _square_document()["paths"]

    def check_request(self, method: str, url: str, body: Any = None) -> None:
        """Fails unless the request is one that Square describes; ``url`` may be whole or a path with its query."""
        operation = self._operation(method, url)
        query = parse_qs(urlsplit(url).query)
        parameters = {p["name"]: p for p in operation.get("parameters", []) if p.get("in") == "query"}
        assert set(query) <= set(parameters), f"unknown in the query: {set(query) - set(parameters)}"
        missing = {name for name, p in parameters.items() if p.get("required")} - set(query)
        assert not missing, f"missing in the query: {missing}"
        if "requestBody" in operation:
            self._check(operation["requestBody"]["content"]["application/json"]["schema"], body)
        else:
            assert body in (None, "", b""), "a body where none is described"

    def check_answer(self, method: str, url: str, status: int, body: Any) -> None:
        """Fails unless the answer is of the shape that Square describes; an error is one of its errors."""
        responses = self._operation(method, url)["responses"]
        described = responses.get(str(status)) or responses["200"]
        self._check(described["content"]["application/json"]["schema"], body)
        assert bool(body.get("errors")) == (status >= 400)

    def check_value(self, schema: str, value: Any) -> None:
        """Fails unless ``value`` is of the component ``schema``."""
        self._check({"$ref": f"#/components/schemas/{schema}"}, value)

    def _operation(self, method: str, url: str) -> dict[str, Any]:
        path = urlsplit(url).path
        for template, operations in self.paths.items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        raise AssertionError(f"Square does not describe {method} {path}")

    def _check(self, schema: Any, value: Any) -> None:
        error = next(_validator(json.dumps(schema)).iter_errors(value), None)
        assert error is None, f"{'.'.join(map(str, error.instance_path))}: {error.message[:500]}"


@cache
def _validator(schema: str) -> Any:
    return jsonschema_rs.validator_for({**_json_schema(json.loads(schema)), "components": _square_components()})
