"""The canonical objects: their fields, from the schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.cli.docs.page import code, described, table

INTRODUCTION = """\
# Canonical objects

What every mapping makes and every flow works with: JSON Schema 2020-12 in `canonical_schemas/`, one file for each
version of an object. A record that is not one goes to quarantine with the field and the reason.
"""


def page(folder: Path) -> str:
    from hub.schemas import Schemas

    known, lines = Schemas(folder), [INTRODUCTION.strip()]
    for name in known.objects():
        schema = known.get(name)
        definition = schema.definition
        lines += ["", f"## {name}, version {schema.version}", "", described(name, definition.get("description")), ""]
        lines += table(["field", "what it says", "form", ""], fields(name, definition, definition.get("$defs", {})))
    return "\n".join([*lines, ""])


def fields(place: str, definition: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[list[str]]:
    """A row for each field, those of objects inside it below their own."""
    required = definition.get("required", ())
    for name, written in definition.get("properties", {}).items():
        field = resolved(written, defs)
        path = f"{place}.{name}".partition(".")[2]
        yield [
            f"`{path}`",
            described(f"{place}.{name}", field.get("description")),
            form(field),
            "required" if name in required else "",
        ]
        inner = field.get("items", field)
        yield from fields(f"{place}.{name}", resolved(inner, defs), defs)


def resolved(written: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field with the shared definition that it refers to, its own words counting first."""
    shared = defs.get(str(written.get("$ref", "")).rpartition("/")[2], {})
    return {**shared, **written}


def form(field: Mapping[str, Any]) -> str:
    """What its values look like, in words."""
    if "enum" in field:
        return ", ".join(code(word) for word in field["enum"])
    if "const" in field:
        return code(field["const"])
    if "x-form" in field:
        return str(field["x-form"])
    kind = field.get("type", "")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    low, high = field.get("minimum"), field.get("maximum")
    said = [kind, str(field.get("format", "")), f"{low:,} to {high:,}" if None not in (low, high) else ""]
    return ", ".join(part for part in said if part)
