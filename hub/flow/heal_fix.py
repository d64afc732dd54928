"""A repair of refused records as a person writes it: a corrected field, a lookup entry, a newer mapping."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError
from hub.journal.corrections import Waiting

if TYPE_CHECKING:
    from hub.flow.engine import Engine

LOOKUPS = "lookups."
PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What to change before records are tried again; nothing: they are tried as they are."""

    fields: Mapping[str, str] = field(default_factory=dict)  # path in the vendor's record -> value as written
    exact: Mapping[str, Any] = field(default_factory=dict)  # the same with a value of JSON
    lookups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # table -> value there -> ours
    newest: bool = False  # only where a newer mapping than the one that refused them is there
    version: int | None = None  # by the file of a mapping that has this number, whether it is the newest or not
    entries: tuple[tuple[str, str, str, str | int], ...] = ()  # system, table, value there, ours: after the check

    @property
    def corrects(self) -> bool:
        return bool(self.fields or self.exact)

    def more(self, system: str) -> dict[str, dict[str, str | int]]:
        """The lookup entries of ``system``, by table."""
        found: dict[str, dict[str, str | int]] = {}
        for its, table, key, value in self.entries:
            if its == system:
                found.setdefault(table, {})[key] = value
        return found


def written(settings: Sequence[str], *, mapping: str | None = None) -> Fix:
    """``--set`` as a person writes it: ``QTE=5``, ``lines[0].qty:=5`` (JSON), ``lookups.stores.0021=ST21``.

    ``mapping`` is ``latest``, or the number in the name of a mapping's file.
    """
    fields: dict[str, str] = {}
    exact: dict[str, Any] = {}
    lookups: dict[str, dict[str, str]] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip(":"):
            raise ConfigError(f'--set is FIELD=VALUE or lookups.TABLE.VALUE=OURS, not "{setting}"')
        if name.startswith(LOOKUPS):
            table, dot, key = name.removeprefix(LOOKUPS).partition(".")
            if not (table and dot and key and value):
                raise ConfigError(f'a lookup entry is lookups.TABLE.VALUE=OURS, not "{setting}"')
            lookups.setdefault(table, {})[key] = value
        elif name.endswith(":"):
            exact[name[:-1]] = _json(value, setting)
        else:
            fields[name] = value
    if not (settings or mapping):
        raise ConfigError("say what to change: --set FIELD=VALUE, --set lookups.TABLE.VALUE=OURS, --mapping-version")
    version = numbered(mapping) if mapping not in (None, "latest") else None
    return Fix(fields=fields, exact=exact, lookups=lookups, newest=mapping == "latest", version=version)


def numbered(mapping: str | None) -> int:
    if mapping is None or not re.fullmatch(r"v?[1-9][0-9]{0,5}", mapping):
        raise ConfigError(
            f'--mapping-version is latest, or a number as in 2 for stock_level.v2.yaml, not "{mapping}"; what a file '
            "said before it was edited is not kept: put it back as a file with a number of its own"
        )
    return int(mapping.removeprefix("v"))


def _json(value: str, setting: str) -> Any:
    try:
        return json.loads(value, parse_float=Decimal)
    except ValueError:
        raise ConfigError(f'what follows := is JSON, as in quantity:=5; "{setting}" is not') from None


def check(engine: Engine, repair: Fix, waiting: Sequence[Waiting], systems: Sequence[str]) -> Fix:
    """The repair with its lookup entries spelled out for each system; ConfigError where it cannot fit the records."""
    sent = [one for one in waiting if one.side == "sent"]
    if sent and (repair.corrects or repair.lookups or repair.newest or repair.version):
        one, flows = sent[0], engine.landscape.flows
        sources = " or ".join(flows[one.flow].sources) if one.flow in flows else f"the sources of {one.flow}"
        raise ConfigError(
            f"{one.system} refused what the hub sent (number {one.id}): that was made of what {sources} said, so "
            f"correct it there, and the new value is sent by itself (hub quarantine show {one.id} has the key, hub "
            f"trace tells who said what); or change what it objects to, and then: hub quarantine replay --id {one.id}"
        )
    if repair.corrects and any(one.side == "pushed" for one in waiting):
        raise ConfigError("a message that could not be unpacked has no fields yet; only replay or discard fits it")
    for system in systems:
        if system not in engine.landscape.systems:
            raise ConfigError(f'no system "{system}"; hub.yaml has {", ".join(engine.landscape.systems)}')
    if repair.lookups and not systems:
        raise ConfigError("say whose lookup it is: --cause, --id or --system")
    entries = [
        (system, table, key, value)
        for table, added in repair.lookups.items()
        for system in systems
        for key, value in entries_of(engine, system, table, added).items()
    ]
    return replace(repair, entries=tuple(entries))


def entries_of(engine: Engine, system: str, table: str, added: Mapping[str, str]) -> dict[str, str | int]:
    """New entries of one table with values of its kind; one that its file has already cannot be written over here."""
    mappings = engine.mappings(system)
    tables = {name: found for mapping in mappings for name, found in mapping.lookups.items()}
    if table not in tables:
        known = f"they have {', '.join(sorted(tables))}" if tables else "they have none"
        raise ConfigError(f'the mappings of {system} have no lookup "{table}"; {known}')
    ours = _added_here(engine, system, table)
    for key in added:
        if key in tables[table] and key not in ours:
            raise ConfigError(
                f"{key} stands in the lookup {table} already, as {tables[table][key]}: change it in mappings/"
                f"{engine.landscape.systems[system].mappings}"
            )
    return {key: _like(value, list(tables[table].values())) for key, value in added.items()}


def _added_here(engine: Engine, system: str, table: str) -> Mapping[str, Any]:
    from hub.journal import corrections

    return corrections.entries(engine.journal, system).get(table, {})


def _like(value: str, others: Sequence[Any]) -> str | int:
    numbers = others and all(isinstance(one, int) for one in others)
    return int(value) if numbers and re.fullmatch(r"-?\d{1,18}", value) else value


def corrected(data: Mapping[str, Any], repair: Fix, row: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a record with the corrected fields; a new field only where the record was refused for lacking it."""
    changed: dict[str, Any] = copy.deepcopy(dict(data))
    for path, text in repair.fields.items():
        holder, name = _holder(changed, path, row)
        holder[name] = _of_kind(text, holder[name] if _has(holder, name) else None, path)
    for path, value in repair.exact.items():
        holder, name = _holder(changed, path, row)
        holder[name] = value
    return changed


def _holder(data: Any, path: str, row: Mapping[str, Any]) -> tuple[Any, Any]:
    """What holds the field at ``path``, and its name or number there."""
    parts = [int(number) if number else name for number, name in PART.findall(path)]
    if not parts or not _well_written(path):
        raise ConfigError(f'"{path}" is no path into a record, as in QTE or lines[2].quantity')
    holder = data
    for part in parts[:-1]:
        if not _has(holder, part):
            raise _missing(data, path, row)
        holder = holder[part]
    lacking = isinstance(holder, dict) and isinstance(parts[-1], str) and str(row["path"]) == path
    if not _has(holder, parts[-1]) and not lacking:
        raise _missing(data, path, row)
    return holder, parts[-1]


def _well_written(path: str) -> bool:
    return re.fullmatch(r"[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*", path) is not None


def _has(holder: Any, part: Any) -> bool:
    if isinstance(holder, dict):
        return part in holder
    return isinstance(holder, list) and isinstance(part, int) and part < len(holder)


def _missing(data: Mapping[str, Any], path: str, row: Mapping[str, Any]) -> ConfigError:
    return ConfigError(f'record number {row["id"]} has no field "{path}"; it has {", ".join(sorted(map(str, data)))}')


def _of_kind(text: str, before: Any, path: str) -> Any:
    """``text`` as a value of the kind that stood there; where nothing or a text stood there, text."""
    try:
        if isinstance(before, bool):
            return {"true": True, "false": False}[text]
        if isinstance(before, int):
            return int(text)
        if isinstance(before, Decimal):
            return Decimal(text)
    except (KeyError, ValueError, InvalidOperation):
        raise ConfigError(
            f'{path} holds {before}; "{text}" is not of that kind (write {path}:=JSON to change it)'
        ) from None
    if isinstance(before, dict | list):
        raise ConfigError(f"{path} holds {'an object' if isinstance(before, dict) else 'a list'}; write {path}:=JSON")
    return text
