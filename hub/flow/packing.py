"""Batches as bytes, for those that wait for a person: what is unpacked is what was packed, types included."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hub.model import Batch, Checkpoint, Extent, Origin, Record, Refused, Scope, Ticket

NOTHING = Checkpoint(value={})


def pack(batch: Batch) -> bytes:
    """Records and scope of ``batch``, without its checkpoint: that is the reader's."""
    records = [batch.records[n] for n in range(len(batch.records))]
    scope = asdict(batch.scope)
    body = {"scope": plain(scope), "records": [_record(one) for one in records]}
    return json.dumps(body, separators=(",", ":")).encode()


def unpack(packed: bytes) -> Batch:
    """The batch that :func:`pack` packed."""
    body = json.loads(packed)
    scope = rich(body["scope"])
    tickets = {till: Ticket(**ticket) for till, ticket in scope.pop("tickets").items()}
    scope = Scope(**{**scope, "extent": Extent(scope["extent"]), "tickets": tickets})
    return Batch(records=[_unpacked(one) for one in body["records"]], checkpoint=NOTHING, scope=scope)


def lean(batch: Batch, raw: str | None) -> Batch:
    """``batch`` with a reference to its raw payload instead of the payload."""
    return replace(batch, raw=None, scope=replace(batch.scope, raw=raw or batch.scope.raw))


def _record(one: Record | Refused) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__ if name != "origin"}
    kind = "record" if isinstance(one, Record) else "refused"
    return {"kind": kind, "origin": plain(asdict(one.origin)), "fields": plain(fields)}


def _unpacked(one: Mapping[str, Any]) -> Record | Refused:
    made = Record if one["kind"] == "record" else Refused
    return made(origin=Origin(**rich(one["origin"])), **rich(one["fields"]))


def plain(value: Any) -> Any:
    """``value`` in what JSON has; whatever it lacks becomes an object with one key that begins with ``$``."""
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: plain(item) for key, item in value.items()}
        return {"$pairs": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    return _tagged(value)


def _tagged(value: Any) -> dict[str, Any]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date | time):
        return {f"${type(value).__name__}": value.isoformat()}
    if isinstance(value, timedelta):
        return {"$seconds": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, bytes | bytearray):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"a {type(value).__name__} cannot be kept for later")


def rich(value: Any) -> Any:
    """What :func:`plain` was given."""
    if isinstance(value, list):
        return [rich(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag.startswith("$"):
            return _MAKE[tag](inner)
    return {key: rich(item) for key, item in value.items()}


_MAKE: Mapping[str, Any] = {
    "$pairs": lambda pairs: {rich(key): rich(item) for key, item in pairs},
    "$decimal": Decimal,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$seconds": lambda parts: timedelta(days=parts[0], seconds=parts[1], microseconds=parts[2]),
    "$bytes": base64.b64decode,
}
