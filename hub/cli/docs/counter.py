"""The counter's routes, from the OpenAPI description that the gateway gives of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.cli.docs.page import described, table

INTRODUCTION = """\
# Counter

What tills and shop may ask the gateway below `/v1`, with a client's key as `Authorization: Bearer ohk_...`. The same
as OpenAPI 3.1, for programs that make clients: `/v1/openapi.json`. What it is for and how it is run stands in
[the guide](../counter.md).
"""
PLAIN = {
    "string": "text",
    "null": "null",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
}


def page() -> str:
    from hub.flow import Engine
    from hub.gateway.api import api, description
    from hub.gateway.api.desk import Desk
    from hub.gateway.engines import Engines

    nobody = Desk(Engines(Engine.open, Path()), lambda system: None)  # it opens an engine only when it is asked
    said: Any = description(api(nobody))
    lines = [INTRODUCTION.strip()]
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} /v1{path}", operation)
    lines += ["", "## What is taken and answered"]
    for name, shape in sorted(said["components"]["schemas"].items()):
        lines += ["", f"### {name}", "", described(name, shape.get("description")), "", *_fields(name, shape)]
    return "\n".join([*lines, *_scopes(), *_problems(), ""])


def _operation(name: str, operation: Mapping[str, Any]) -> list[str]:
    lines = ["", f"## {name}", "", described(name, operation.get("description"))]
    rows = [
        [f"`{p['name']}`", p["in"], described(f"{name} {p['name']}", p.get("description")), _needed(p["required"])]
        for p in operation.get("parameters", ())
    ]
    if rows:
        lines += ["", *table(["parameter", "in", "what it says", ""], rows)]
    if body := operation.get("requestBody"):
        lines += ["", f"Takes {_form(body['content']['application/json']['schema'])}."]
    return [*lines, "", *table(["status", "what it says", "answer"], _answers(operation))]


def _answers(operation: Mapping[str, Any]) -> Iterator[list[str]]:
    for status, answer in sorted(operation["responses"].items()):
        content: Any = next(iter(answer.get("content", {}).values()), {})
        said = "Done" if answer["description"] == "Successful Response" else answer["description"]
        yield [f"`{status}`", said, _form(content["schema"]) if content else ""]


def _fields(name: str, shape: Mapping[str, Any]) -> list[str]:
    needed = shape.get("required", ())
    rows = [
        [f"`{field}`", described(f"{name}.{field}", said.get("description")), _form(said), _needed(field in needed)]
        for field, said in shape["properties"].items()
    ]
    return table(["field", "what it says", "form", ""], rows)


def _form(said: Mapping[str, Any]) -> str:
    """What a value looks like, in words."""
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in said:
        return " or ".join(_form(one) for one in said["anyOf"])
    if "enum" in said:
        return ", ".join(f"`{word}`" for word in said["enum"])
    if said.get("type") == "array":
        return f"list of {_form(said['items'])}"
    if said.get("format") == "date-time":
        return "time with offset"
    return PLAIN.get(str(said.get("type")), "any")


def _needed(required: bool) -> str:
    return "required" if required else ""


def _scopes() -> list[str]:
    from hub.journal.clients import SCOPES

    return ["", "## Scopes", "", *table(["scope", "opens"], [[f"`{name}`", text] for name, text in SCOPES.items()])]


def _problems() -> list[str]:
    from hub.gateway.api.problems import KINDS, TYPE

    rows = [[f"`{kind}`", f"`{status}`", title] for kind, (status, title) in KINDS.items()]
    return ["", "## Problems", "", f"The `type` is `{TYPE}` and one of these words.", "",
            *table(["word", "status", "title"], rows)]  # fmt: skip
