"""``BatchUpsertCatalogObjects``: objects are replaced whole, each under the version that it has.

https://developer.squareup.com/docs/catalog-api/update-catalog-objects: sparse updates are not
supported, so what a caller leaves out is gone; a variation that is missing in its item is deleted.
Each batch stands or falls by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.sandbox.tills import requests as read
from hub.sandbox.tills.catalog import ITEM, VARIATION
from hub.sandbox.tills.errors import refused
from hub.sandbox.tills.idempotent import Answers
from hub.sandbox.tills.tables import rfc3339, square_id, whole_millis
from hub.sandbox.tills.worth import problems
from hub.sandbox.web import Note, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.tills.tills import Tills

MOST_OBJECTS, MOST_IN_ALL = 1000, 10_000
NAMES = ("idempotency_key", "batches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One object of a request, items and variations alike, with its place."""

    path: str
    object: Mapping[str, Any]
    top: bool = True  # named in the batch itself, not inside an item


class Upsert:
    """One operation."""

    def __init__(self, tills: Tills) -> None:
        self.tills = tills
        self.catalog = tills.catalog
        self.answers = Answers(tills.state)

    def upsert(self, request: Request, note: Note) -> Reply:
        """Create and replace objects; where a batch is refused the others are carried out all the same."""
        body = read.body(request, NAMES)
        earlier = self.answers.earlier(body, note)
        if earlier is not None:
            return earlier
        batches = [_given(batch, n) for n, batch in enumerate(_batches(body.get("batches", [])))]
        note.summary = f"{sum(len(batch) for batch in batches)} objects"
        note.detail = {"batches": body.get("batches", [])}
        errors = [[*problems(self.catalog, batch)] for batch in batches]
        answer = self._answer([batch for batch, wrong in zip(batches, errors, strict=True) if not wrong], body)
        if wrong := [error for found in errors for error in found]:
            stale = all(error["code"] == "CONFLICT" for error in wrong)
            return Reply(status=409 if stale else 400, body={**answer, "errors": wrong})
        return self.answers.keep(body, answer)

    def _answer(self, batches: Sequence[Sequence[Given]], body: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out what is sound."""
        ids: dict[str, str] = {}
        tops: list[str] = []
        for n, batch in enumerate(batches):
            own = self._ids(batch, f"{body['idempotency_key']}:{n}")
            ids |= own
            self._apply(batch, own)
            tops += [own.get(one.object["id"], one.object["id"]) for one in batch if one.top]
        if not tops:
            return {}
        self.tills.notices.catalog_updated()
        return {
            "objects": [self.catalog.document(self.catalog.row(id)) for id in dict.fromkeys(tops)],
            "updated_at": rfc3339(whole_millis(self.tills.clock.now())),
            "id_mappings": [{"client_object_id": client, "object_id": id} for client, id in ids.items()],
        }

    def _ids(self, batch: Sequence[Given], key: str) -> dict[str, str]:
        """A real id for every new object."""
        clients = [one.object["id"] for one in batch if one.object["id"].startswith("#")]
        return {client: square_id(24, self.tills.world.seed, key, client) for client in clients}

    def _apply(self, batch: Sequence[Given], ids: Mapping[str, str]) -> None:
        for one in batch:
            object = {**one.object, "id": ids.get(one.object["id"], one.object["id"])}
            if object["type"] == VARIATION:
                data = object["item_variation_data"]
                object["item_variation_data"] = {**data, "item_id": ids.get(data["item_id"], data["item_id"])}
            else:
                kept = {ids.get(v["id"], v["id"]) for v in object["item_data"]["variations"]}
                self.catalog.delete(row["id"] for row in self.catalog.children(object["id"]) if row["id"] not in kept)
            self.catalog.write(object)


def _batches(value: Any) -> list[list[Mapping[str, Any]]]:
    if not isinstance(value, list):
        raise refused("EXPECTED_ARRAY", "Expected an array.", "batches")
    found = []
    for n, batch in enumerate(value):
        objects = read.mapping(batch, f"batches[{n}]").get("objects")
        path = f"batches[{n}].objects"
        if not isinstance(objects, list) or not objects:
            raise refused("MISSING_REQUIRED_PARAMETER", "At least one object is required.", path)
        if len(objects) > MOST_OBJECTS:
            raise refused("ARRAY_LENGTH_TOO_LONG", f"Array must have at most {MOST_OBJECTS} elements.", path)
        found.append([read.mapping(one, f"{path}[{m}]") for m, one in enumerate(objects)])
    if sum(map(len, found)) > MOST_IN_ALL:
        raise refused("ARRAY_LENGTH_TOO_LONG", f"At most {MOST_IN_ALL} objects in all.", "batches")
    return found


def _given(batch: Sequence[Mapping[str, Any]], n: int) -> list[Given]:
    """The objects of a batch, those inside items after them."""
    found: list[Given] = []
    for m, object in enumerate(batch):
        path = f"batches[{n}].objects[{m}]"
        found.append(Given(path=path, object=object))
        inside = read.mapping(object.get("item_data"), f"{path}.item_data").get("variations")
        if object.get("type") == ITEM and isinstance(inside, list):
            for k, one in enumerate(inside):
                at = f"{path}.item_data.variations[{k}]"
                data = {"item_id": object.get("id"), **read.mapping(one, at).get("item_variation_data", {})}
                found.append(Given(path=at, object={**one, "item_variation_data": data}, top=False))
    return found
