"""Reads mapping files; whatever is wrong in one is found here, with its line, and not in the first record."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from hub.errors import ConfigError
from hub.mapping.arguments import BINDING, Toolbox
from hub.mapping.emit import Program, compile_rules
from hub.mapping.mapping import Mapping
from hub.mapping.paths import ABSENT, Route
from hub.mapping.rules import Condition, Listed, Reader, Rule, Value
from hub.mapping.target import target
from hub.mapping.text import Lookup
from hub.marked import Document, read

KEYS = ("mapping", "version", "from", "to", "key", "each", "when", "fields", "event_time", "source_version", "lookups")
NEEDED = ("mapping", "version", "from", "to", "key", "fields")
_FILE = re.compile(r"([a-z][a-z0-9_]*)\.v([1-9][0-9]*)\.yaml")


Added = MappingOf[str, MappingOf[str, Any]]  # entries that lookups have beside their files: table -> value -> ours


REMEMBERED = 64  # folders, each with the entries that were added
_compiled: dict[tuple[Path, str], tuple[str, list[Mapping]]] = {}


def load_folder(folder: Path, added: Added | None = None) -> list[Mapping]:
    """The mappings in ``folder``, of each the highest version, by name; their lookups with what was ``added``.

    What this process compiled before is used again while no file that counts for it has changed: every pass asks.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder of mappings {folder}")
    asked = (folder, repr(added))
    content = _content(folder)
    known = _compiled.get(asked)
    if known is None or known[0] != content:
        known = (content, _load_latest(folder, added))
        if len(_compiled) >= REMEMBERED:
            _compiled.clear()
        if _content(folder) == content:  # nobody edited it meanwhile
            _compiled[asked] = known
    return list(known[1])


def _content(folder: Path) -> str:
    """A hash over whatever may count for the mappings in ``folder``: its files, and the canonical schemas."""
    digest = hashlib.sha256()
    for place in (folder, _schemas_beside(folder)):
        for file in sorted(place.iterdir()) if place.is_dir() else ():
            if file.is_file():
                found = file.read_bytes()
                digest.update(f"{file.name}\0{len(found)}\0".encode() + found)
    return digest.hexdigest()


def _schemas_beside(folder: Path) -> Path:
    """Canonical schemas lie beside the folder of all mappings."""
    return folder.resolve().parents[1] / "canonical_schemas"


def _load_latest(folder: Path, added: Added | None) -> list[Mapping]:
    latest: dict[str, tuple[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        if found := _FILE.fullmatch(path.name):
            latest[found[1]] = max((int(found[2]), path), latest.get(found[1], (0, path)))
    return [load(path, added=added) for _, (_, path) in sorted(latest.items())]


def load(path: Path, schemas: Path | None = None, added: Added | None = None) -> Mapping:
    """The mapping in ``path``, compiled. An entry that was ``added`` to a lookup counts where its file has none.

    Its fields are compared with the canonical schema in ``schemas``, by default the folder
    canonical_schemas beside the folder of all mappings; where there is none, nothing is compared.
    """
    document = read(path, f"{path.parent.name}/{path.name}")
    written = document.value
    reader = Reader(document, Toolbox({}, None, ""))
    if not isinstance(written, dict):
        raise ConfigError("a mapping is an object with mapping, version, from, to, key and fields", document.place())
    reader.known(written, KEYS, ())
    for name in NEEDED:
        if name not in written:
            raise ConfigError(f"{name} is missing", document.place())
    name, version = _identity(written, path, document)
    to = target(written["to"], schemas or _schemas_beside(path.parent), document.place("to"))
    lookups, python, digest = _surroundings(written, path, document, added or {})
    reader = Reader(document, Toolbox(lookups, _module(python), python.name))
    each, each_optional = reader.each(written.get("each"), ("each",), 0)
    fields = reader.fields(written["fields"], ("fields",), int(each is not None))
    to.check(fields, document)
    return Mapping(
        name=name,
        version=version,
        source_object=_word(written["from"], "from", document),
        target=to.object,
        target_version=to.version,
        key=(key := _key(written["key"], fields, document)),
        hash=digest,
        path=path,
        each=each,
        each_optional=each_optional,
        places={field: document.place("fields", field) for field in fields},
        lookups=lookups,
        program=_program(written, reader, fields, key, each),
    )


def _program(
    written: Any, reader: Reader, fields: dict[str, Rule], key: tuple[str, ...], each: Route | Listed | None
) -> Program:
    depth = int(each is not None)
    conditions = reader.conditions(written.get("when"), ("when",), depth)
    return compile_rules(
        fields,
        key,
        _beside(written, "event_time", reader, depth),
        _beside(written, "source_version", reader, depth),
        [_lifted(c) for c in conditions if _level(c)],
        [c for c in conditions if not _level(c)],
    )


def _level(condition: Condition) -> int:
    """How far above the item a condition looks: one about the record is asked once, not for each item."""
    return condition.value.head.up if isinstance(condition.value.head, Route) else 0


def _lifted(condition: Condition) -> Condition:
    head = cast("Route", condition.value.head)
    return replace(condition, value=replace(condition.value, head=Route(head.up - 1, head.parts)))


def _beside(written: Any, name: str, reader: Reader, depth: int) -> Value | None:
    """The rule for the event time or the source version."""
    if name not in written:
        return None
    rule = reader.value(written[name], (name,), depth)
    if name == "event_time" and rule.gives not in ("time", "any"):
        raise reader.error("event_time ends with datetime, iso_datetime or epoch", (name,))
    if name == "event_time" and rule.manners.default is not ABSENT:
        raise reader.error("event_time has no default; optional leaves the time that the connector gave", (name,))
    return rule


def _identity(written: Any, path: Path, document: Document) -> tuple[str, int]:
    """Name and version, which the file's own name and folder repeat."""
    named = _FILE.fullmatch(path.name)
    if named is None:
        raise ConfigError("a mapping's file is called <object>.v<version>.yaml", document.place())
    name, version = f"{path.parent.name}.{named[1]}", int(named[2])
    if written["mapping"] != name:
        raise ConfigError(f"in this file the mapping is called {name}", document.place("mapping"))
    if written["version"] != version:
        raise ConfigError(f"in this file the version is {version}", document.place("version"))
    return name, version


def _word(written: Any, at: str, document: Document) -> str:
    if isinstance(written, str) and written:
        return written
    raise ConfigError("a name belongs here", document.place(at))


def _key(written: Any, fields: dict[str, Rule], document: Document) -> tuple[str, ...]:
    if not isinstance(written, list) or not written:
        raise ConfigError(
            "key lists the fields that make the business key, as in [sku, location]", document.place("key")
        )
    for index, name in enumerate(written):
        if name not in fields:
            raise ConfigError(f'no rule makes the field "{name}" of the key', document.place("key", index))
    return tuple(written)


def _surroundings(written: Any, path: Path, document: Document, added: Added) -> tuple[dict[str, Lookup], Path, str]:
    """The lookups, the Python file beside the mapping, and the hash over all of it."""
    python = path.with_suffix(".py")
    files = [path, *([python] if python.exists() else [])]
    lookups: dict[str, Lookup] = {}
    tables = written.get("lookups") or {}
    if not isinstance(tables, dict):
        raise ConfigError("lookups holds a table for each name", document.place("lookups"))
    for name, table in tables.items():
        if name.startswith(BINDING):
            raise ConfigError(f"{name} is answered by the hub and cannot be a table", document.place("lookups", name))
        lookups[name] = _table(name, table, path.parent, document, files)
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    for table in lookups.values():
        for key, value in sorted(added.get(table.name, {}).items()):
            if key not in table:
                table[key] = value
                digest.update(f"{table.name}\0{key}\0{value!r}\0".encode())
    return lookups, python, digest.hexdigest()


def _table(name: str, written: Any, folder: Path, document: Document, files: list[Path]) -> Lookup:
    """An inline table, or the one in ``{file: stores.yaml}`` beside the mapping."""
    at: tuple[str, ...] = ("lookups", name)
    source = document
    if isinstance(written, dict) and set(written) == {"file"}:
        file = folder / str(written["file"])
        if file.parent != folder or not file.is_file():
            raise ConfigError(f"there is no file {written['file']} beside the mapping", document.place(*at, "file"))
        files.append(file)
        at, source = (), read(file, f"{folder.name}/{file.name}")
        written = source.value
    if not isinstance(written, dict) or not written:
        raise ConfigError("a lookup is a table of values, or {file: …}", source.place(*at))
    for key, value in written.items():
        if value is None or isinstance(value, dict | list):
            raise ConfigError("a lookup leads to a text or a whole number", source.place(*at, key))
    return Lookup(name, written)


def _module(path: Path) -> ModuleType | None:
    """The Python file beside a mapping, if there is one."""
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"mapping_{path.stem.replace('.', '_')}", path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(
            f"cannot be imported: {type(error).__name__}: {error}", f"{path.parent.name}/{path.name}"
        ) from error
    return module
