"""The canonical objects: their schemas, and whether a record is one.

``jsonschema-rs`` decides, at half a microsecond a record; where it says no, the reference
implementation finds the place and this module puts it into a sentence. A test holds both to the
same answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.schemas.values import FORMATS, foreign, plainly

_FILE = re.compile(r"([a-z][a-z0-9_]*)\.v([1-9][0-9]*)\.json")


@dataclass(frozen=True, kw_only=True)
class Schema:
    """One version of one canonical object."""

    object: str
    version: int
    definition: Mapping[str, Any]
    hash: str  # sha256 of the file

    @cached_property
    def personal(self) -> tuple[str, ...]:
        """Fields marked ``x-personal``: they live in the vault and nowhere else."""
        return tuple(name for name, field in self.definition.get("properties", {}).items() if field.get("x-personal"))

    @cached_property
    def accepts(self) -> Callable[[Any], bool]:
        """The fast decision. Raises on what JSON cannot hold, so :func:`foreign` is asked first."""
        import jsonschema_rs

        return jsonschema_rs.Draft202012Validator(
            dict(self.definition), validate_formats=True, formats=dict(FORMATS), offline=True
        ).is_valid

    @cached_property
    def reference(self) -> Any:
        """The reference validator, with the formats and the pattern dialect that decide."""
        from jsonschema import Draft202012Validator, FormatChecker
        from jsonschema.validators import extend

        checker = FormatChecker(formats=())
        for name, check in FORMATS.items():
            checker.checks(name)(lambda value, check=check: not isinstance(value, str) or check(value))
        validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
        return validator(dict(self.definition), format_checker=checker)

    def validate(self, data: Any) -> tuple[str, str] | None:
        """None for a record of this schema, else the path and the reason of what is wrong."""
        if not plainly(data) and (found := next(foreign(data), None)):
            return found
        return None if self.accepts(data) else self.explain(data)

    def explain(self, data: Any) -> tuple[str, str]:
        """The first thing that is wrong with ``data``, in words."""
        from hub.schemas.sentences import sentence

        for error in self.reference.iter_errors(data):
            return sentence(error)
        return "", f"is not a {self.object}/{self.version}"


class Schemas:
    """The canonical objects of a project, by name and version."""

    def __init__(self, folder: Path) -> None:
        """The schemas in ``folder``, each called ``<object>.v<version>.json`` and checked itself."""
        self._schemas: dict[str, dict[int, Schema]] = {}
        for path in sorted(folder.glob("*.json")):
            schema = _load(path)
            self._schemas.setdefault(schema.object, {})[schema.version] = schema
        if not self._schemas:
            raise ConfigError(f"there is no canonical schema in {folder}")

    def objects(self) -> list[str]:
        """The names of the canonical objects."""
        return sorted(self._schemas)

    def get(self, object: str, version: int | None = None) -> Schema:
        """``stock_level``, of the highest version unless one is asked for; ConfigError where there is none."""
        versions = self._schemas.get(object, {})
        chosen = version if version is not None else max(versions, default=0)
        if chosen not in versions:
            name = object if version is None else f"{object}/{version}"
            raise ConfigError(f"there is no canonical object {name}; there are {', '.join(self.objects())}")
        return versions[chosen]

    def validate(self, object: str, data: Any, version: int | None = None) -> tuple[str, str] | None:
        """None where ``data`` is such an object, else the path to what is wrong and the reason."""
        return self.get(object, version).validate(data)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    """``pattern`` as Rust and ECMA-262 read it: ``$`` is the end, and not also before a last line break."""
    from jsonschema import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _load(path: Path) -> Schema:
    import jsonschema_rs

    named = _FILE.fullmatch(path.name)
    if named is None:
        raise ConfigError("a canonical schema is called <object>.v<version>.json", path.name)
    raw = path.read_bytes()
    try:
        definition = json.loads(raw)
        jsonschema_rs.meta.validate(definition)
    except json.JSONDecodeError as error:
        raise ConfigError(f"is not JSON: {error.msg}", f"{path.name}:{error.lineno}") from None
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise ConfigError(f"is not a JSON Schema: {str(error).splitlines()[0]}", path.name) from None
    if definition.get("$id") != f"{named[1]}/{named[2]}":
        raise ConfigError(f"$id is {named[1]}/{named[2]} in this file", path.name)
    return Schema(object=named[1], version=int(named[2]), definition=definition, hash=hashlib.sha256(raw).hexdigest())
