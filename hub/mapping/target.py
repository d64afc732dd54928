"""Whether a mapping fills the canonical object that it names: no unknown field, no required one left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.mapping.arguments import close
from hub.mapping.rules import Group, Rule
from hub.marked import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The canonical object of a mapping, and its schema where the project has one beside its mappings."""

    object: str
    version: int
    schema: Mapping[str, Any] | None

    def check(self, fields: Mapping[str, Rule], document: Document) -> None:
        """Raise :class:`ConfigError` at the line of the first rule that does not fit."""
        if self.schema is not None:
            self._check(fields, self.schema, document, ("fields",))

    def _check(
        self, fields: Mapping[str, Rule], schema: Mapping[str, Any], document: Document, at: tuple[str, ...]
    ) -> None:
        known = schema.get("properties", {})
        title = f"{self.object}/{self.version}"
        for name, rule in fields.items():
            if name not in known and schema.get("additionalProperties") is False:
                raise ConfigError(f'{title} has no field "{name}"{close(name, known)}', document.place(*at, name))
            if isinstance(rule, Group) and name in known:
                part = self._resolved(known[name])
                inside = self._resolved(part.get("items", {})) if rule.each is not None else part
                self._check(rule.fields, inside, document, (*at, name, "fields"))
        for name in schema.get("required", ()):
            if name not in fields:
                raise ConfigError(f"{title} requires {name}, and no rule makes it", document.place(*at))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """``schema`` behind its local reference."""
        reference = schema.get("$ref", "")
        if not reference.startswith("#/$defs/") or self.schema is None:
            return schema
        found: Mapping[str, Any] = self.schema["$defs"][reference.removeprefix("#/$defs/")]
        return found


def target(written: Any, folder: Path, place: str) -> Target:
    """The target that ``to: stock_level/1`` names; ``folder`` is canonical_schemas, which may not exist."""
    name, _, version = written.partition("/") if isinstance(written, str) else ("", "", "")
    if not name or not version.isdecimal():
        raise ConfigError("to names a canonical object and its version, as in stock_level/1", place)
    schema = None
    if folder.is_dir():
        file = folder / f"{name}.v{version}.json"
        if not file.is_file():
            there = sorted(f.name.removesuffix(".json").replace(".v", "/") for f in folder.glob("*.v*.json"))
            raise ConfigError(f"there is no canonical object {written}{close(written, there)}", place)
        schema = json.loads(file.read_text(encoding="utf-8"))
    return Target(object=name, version=int(version), schema=schema)
