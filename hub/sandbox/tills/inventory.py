"""The Inventory API: read counts, set them by physical counts.

https://developer.squareup.com/reference/square/inventory-api: 100 changes a call under one
idempotency key; ``occurred_at`` at most 24 hours old and never in the future.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hub.sandbox.tills import requests as read
from hub.sandbox.tills.counts import Pair, PhysicalCount
from hub.sandbox.tills.errors import error, refusal, refused
from hub.sandbox.tills.idempotent import Answers
from hub.sandbox.tills.tables import parsed, parts, quantity, rfc3339, square_id, whole_millis
from hub.sandbox.web import Note, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

MOST_CHANGES = 100
OLDEST = timedelta(hours=24) // timedelta(microseconds=1)
DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
MOST_IDS = 1000
CURSORS = 32  # lists under way that are remembered
CHANGE_NAMES = ("idempotency_key", "changes", "ignore_unchanged_counts")
COUNT_NAMES = ("catalog_object_ids", "location_ids", "updated_after", "cursor", "states", "limit")


class InventoryApi:
    """Two operations."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills
        self.counts = tills.inventory
        self.answers = Answers(tills.state)
        self._lists: OrderedDict[str, tuple[str, list[Pair]]] = OrderedDict()

    # --- batch-retrieve ---------------------------------------------------------------------------

    def retrieve(self, request: Request, note: Note) -> Reply:
        """Counts, newest first; a cursor goes on in the list as it was when it began."""
        body = read.body(request, COUNT_NAMES)
        size = read.limit(body.get("limit"), DEFAULT_PAGE, LARGEST_PAGE)
        mark = read.fingerprint([body.get(name) for name in COUNT_NAMES if name not in ("cursor", "limit")])
        pairs = self._rest_of(body["cursor"], mark) if "cursor" in body else self._begin(body)
        note.summary = f"{min(len(pairs), size)} counts"
        answer: dict[str, Any] = {"counts": [count.document() for count in self.counts.get(pairs[:size])]}
        if len(pairs) > size:
            answer["cursor"] = self._remember(mark, pairs[size:])
        return Reply(body=answer)

    def _begin(self, body: Mapping[str, Any]) -> list[Pair]:
        if "states" in body and "IN_STOCK" not in read.strings(body["states"], "states", 20):
            return []
        after = read.moment(body["updated_after"], "updated_after") if "updated_after" in body else 0
        stores = read.strings(body.get("location_ids", []), "location_ids", MOST_IDS)
        articles = read.strings(body.get("catalog_object_ids", []), "catalog_object_ids", MOST_IDS)
        return self.counts.newest_first(after, set(stores), set(articles))

    def _remember(self, mark: str, pairs: list[Pair]) -> str:
        cursor = square_id(40, mark, len(pairs), self.tills.clock.now().isoformat())
        self._lists[cursor] = (mark, pairs)
        while len(self._lists) > CURSORS:
            self._lists.popitem(last=False)
        return cursor

    def _rest_of(self, cursor: Any, mark: str) -> list[Pair]:
        known, pairs = self._lists.get(str(cursor), ("", []))
        if known != mark:
            raise read.bad_cursor()
        return pairs

    # --- batch-create -----------------------------------------------------------------------------

    def change(self, request: Request, note: Note) -> Reply:
        """Physical counts, all or none; the same key and body again get the first answer again."""
        body = read.body(request, CHANGE_NAMES)
        changes = body.get("changes", [])
        note.summary, note.detail = f"{len(changes)} counts", {"changes": changes}
        earlier = self.answers.earlier(body, note)
        if earlier is not None:
            return earlier
        return self.answers.keep(body, self._apply(_changes(changes), bool(body.get("ignore_unchanged_counts", True))))

    def _apply(self, changes: list[Mapping[str, Any]], ignore_unchanged: bool) -> dict[str, Any]:
        now = whole_millis(self.tills.clock.now())
        known = self._known()
        problems = [problem for n, change in enumerate(changes) for problem in _problems(n, change, known, now)]
        if problems:
            raise refusal(problems, 404 if all(p["code"] == "NOT_FOUND" for p in problems) else 400)
        counts = [(change["physical_count"], _count(change["physical_count"])) for change in changes]
        taken = [
            _recorded(raw, count, now)
            for raw, count in counts
            if self.counts.take(count, ignore_unchanged=ignore_unchanged)
        ]
        pairs = dict.fromkeys(count.pair for _, count in counts)
        return {"counts": [count.document() for count in self.counts.get(pairs)], "changes": taken}

    def _known(self) -> Mapping[str, set[str]]:
        articles = self.tills.state.rows("SELECT id FROM till_object WHERE type = 'ITEM_VARIATION' AND NOT deleted")
        stores = set(self.tills.catalog.location_ids().values())
        return {"catalog_object_id": {row["id"] for row in articles}, "location_id": stores}


def _changes(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise refused("EXPECTED_ARRAY", "Expected an array.", "changes")
    if len(value) > MOST_CHANGES:
        raise refused("ARRAY_LENGTH_TOO_LONG", f"Array must have at most {MOST_CHANGES} elements.", "changes")
    return [read.mapping(change, f"changes[{n}]") for n, change in enumerate(value)]


def _problems(n: int, change: Mapping[str, Any], known: Mapping[str, set[str]], now: int) -> Iterator[dict[str, Any]]:
    """What is wrong with one change."""
    if change.get("type") != "PHYSICAL_COUNT" or not isinstance(change.get("physical_count"), dict):
        text = "Only changes of type `PHYSICAL_COUNT` with a `physical_count` are taken here."
        yield error("INVALID_VALUE", text, f"changes[{n}].type")
        return
    count, path = change["physical_count"], f"changes[{n}].physical_count"
    for name, ids in known.items():
        if count.get(name) not in ids:
            yield error("NOT_FOUND", f"`{count.get(name)}` not found.", f"{path}.{name}")
    if count.get("state") != "IN_STOCK":
        yield error("INVALID_ENUM_VALUE", "A physical count sets the state `IN_STOCK`.", f"{path}.state")
    yield from _quantity_problem(count.get("quantity"), f"{path}.quantity")
    yield from _time_problem(count.get("occurred_at"), f"{path}.occurred_at", now)


def _quantity_problem(value: Any, field: str) -> Iterator[dict[str, Any]]:
    try:
        negative = parts(value) < 0
    except ValueError:
        yield error("INVALID_VALUE", "Expected a decimal string with up to 5 decimals.", field)
        return
    if negative:
        yield error("VALUE_TOO_LOW", "A physical count must not be negative.", field)


def _time_problem(value: Any, field: str, now: int) -> Iterator[dict[str, Any]]:
    try:
        at = parsed(value)
    except ValueError:
        yield error("INVALID_TIME", f"`{value}` is not an RFC 3339 timestamp.", field)
        return
    if at // 1000 * 1000 > now:
        yield error("INVALID_TIME", "`occurred_at` must not be in the future.", field)
    elif at < now - OLDEST:
        yield error("INVALID_TIME", "`occurred_at` must not be older than 24 hours.", field)


def _count(raw: Mapping[str, Any]) -> PhysicalCount:
    pair = (raw["location_id"], raw["catalog_object_id"])
    return PhysicalCount(pair=pair, quantity=parts(raw["quantity"]), occurred_at=parsed(raw["occurred_at"]))


def _recorded(raw: Mapping[str, Any], count: PhysicalCount, now: int) -> dict[str, Any]:
    """A change as Square keeps it."""
    recorded = {
        "id": square_id(24, *count.pair, count.occurred_at, now),
        "catalog_object_id": count.pair[1],
        "catalog_object_type": "ITEM_VARIATION",
        "state": "IN_STOCK",
        "location_id": count.pair[0],
        "quantity": quantity(count.quantity),
        "source": {"product": "EXTERNAL_API", "application_id": "sq0idp-omnihub", "name": "Omnihub"},
        "occurred_at": rfc3339(count.occurred_at),
        "created_at": rfc3339(now),
    }
    if "reference_id" in raw:
        recorded["reference_id"] = raw["reference_id"]
    return {"type": "PHYSICAL_COUNT", "physical_count": recorded}
