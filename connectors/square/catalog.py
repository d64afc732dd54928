"""The catalog as something that is written: objects are read whole, changed in our fields, and put back whole.

https://developer.squareup.com/docs/catalog-api/update-catalog-objects: sparse updates are not supported
and a write carries the version that was read; another's write in between is refused, never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.square.api import Api
from hub.errors import StopRun
from hub.model import Conflict, Doubtful, Postponed, Receipt, Rejected
from hub.transport.effects import Effect
from hub.transport.times import utc_text

IDS_A_CALL, VALUES_A_CALL = 1000, 250
LONGEST_KEY = 128
STALE = ("CONFLICT", "VERSION_MISMATCH")  # the published description has the first, its prose the second
ITEM, VARIATION = "ITEM", "ITEM_VARIATION"
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Carried out: the object as the catalog holds it now."""

    object: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """Not carried out; no errors: because of a neighbour."""

    errors: Sequence[Mapping[str, Any]] = ()

    def receipt(self, key: str, *, new: bool = False) -> Receipt:
        """What to do about it; a ``new`` object of whose fate nothing was said may be there."""
        if not self.errors:
            return Doubtful(key=key, reason="nothing was said of the new object") if new else Postponed(key=key)
        if any(error.get("code") in STALE for error in self.errors):
            return Conflict(key=key)
        first = self.errors[0]
        path = str(first.get("field") or "").rpartition("]")[2].strip(".") or "catalog"
        return Rejected(key=key, path=path, reason=f"{first.get('detail')} ({first.get('code')})")


def retrieve(api: Api, ids: Iterable[str]) -> dict[str, Object]:
    """The objects behind ``ids`` that are there; an item with its variations."""
    wanted, found = sorted(set(ids)), {}
    for start in range(0, len(wanted), IDS_A_CALL):
        part = wanted[start : start + IDS_A_CALL]
        _, page = api.post("/v2/catalog/batch-retrieve", {"object_ids": part})
        found.update({one["id"]: one for one in page.get("objects") or [] if not one.get("is_deleted")})
    return found


def search(api: Api, attribute: str, values: Iterable[str]) -> Iterator[Object]:
    """The variations whose ``attribute`` is one of ``values``, whatever its case."""
    wanted = sorted({value for value in values if value})
    for start in range(0, len(wanted), VALUES_A_CALL):
        part = wanted[start : start + VALUES_A_CALL]
        query = {"set_query": {"attribute_name": attribute, "attribute_values": part}}
        for _, page in api.pages("/v2/catalog/search", {"object_types": [VARIATION], "query": query}):
            yield from (one for one in page.get("objects") or [] if not one.get("is_deleted"))


def changed_after(api: Api, moment: datetime) -> Iterator[Object]:
    """The items and variations that somebody wrote or deleted after ``moment``."""
    query = {"object_types": [ITEM, VARIATION], "include_deleted_objects": True, "begin_time": utc_text(moment)}
    for _, page in api.pages("/v2/catalog/search", query):
        yield from page.get("objects") or []


def upsert(api: Api, objects: Sequence[Object], key: str) -> Sequence[Saved | Wrong]:
    """Write ``objects``, each in a batch of its own so that one that is refused leaves the others alone."""
    body = {"idempotency_key": _key(key, objects), "batches": [{"objects": [one]} for one in objects]}
    answer, page = api.post("/v2/catalog/batch-upsert", body, effect=Effect.KEYED, accept=frozenset({400, 404, 409}))
    saved = _saved(page, objects)
    if answer.status < 300:
        return [Saved(object=saved[n]) if n in saved else Wrong() for n in range(len(objects))]
    named = _named(page.get("errors") or [], len(objects))
    if named is None and len(objects) > 1:
        return [upsert(api, [one], key)[0] for one in objects]  # whom it means is found out one by one
    if named is None:
        named = {0: page.get("errors") or []}
    if not any(named.values()):
        raise StopRun(f"{api.system} refuses the catalog without a word (HTTP {answer.status})")
    return [Saved(object=saved[n]) if n in saved else Wrong(errors=named.get(n, ())) for n in range(len(objects))]


def _key(key: str, objects: Sequence[Object]) -> str:
    """Square refuses a key that comes back with another body; what was read again has another version."""
    digest = hashlib.sha256(json.dumps(objects, sort_keys=True, default=str).encode()).hexdigest()
    return f"{key[: LONGEST_KEY - 33]}:{digest[:32]}"


def _saved(page: Mapping[str, Any], objects: Sequence[Object]) -> dict[int, Object]:
    """The objects of an answer by their position in the request; Square names new ones by their real ids."""
    real = {one.get("client_object_id"): one.get("object_id") for one in page.get("id_mappings") or []}
    held = {one.get("id"): one for one in page.get("objects") or []}
    places = {n: real.get(one["id"], one["id"]) for n, one in enumerate(objects)}
    return {n: held[id] for n, id in places.items() if id in held}


def _named(errors: Sequence[Mapping[str, Any]], count: int) -> dict[int, list[Mapping[str, Any]]] | None:
    """The errors by the position of the object they are about; None where one of them names none."""
    found: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for error in errors:
        place = re.search(r"batches\[(\d+)\]", str(error.get("field") or ""))
        if place is None or int(place[1]) >= count:
            return None
        found[int(place[1])].append(error)
    return found or None
