"""Pieces kept for somebody at the counter: a reservation of the client's own, which ends by itself.

A hold is an event like any other's, under the system ``gateway:<client>``; what rests on it is marked in the same
transaction. Its id is made of the client's own key, so a request that comes again finds what the first one made.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from hub.flow.counter import stock
from hub.flow.counter.refusal import Refusal
from hub.flow.objects import OBJECTS
from hub.journal import audit, counter, events, recompute
from hub.journal.clients import Client

if TYPE_CHECKING:
    from hub.flow.engine import Engine

OBJECT = "reservation"
LONGEST = timedelta(days=1)
MAPPING = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client asks to keep: at ``location``, or anywhere that the channel sells from."""

    sku: str
    quantity: int
    location: str | None
    channel: str
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reservation as it stands now."""

    id: str
    sku: str
    quantity: int
    location: str | None
    state: Literal["reserved", "released", "expired"]
    reserved_at: datetime
    expires_at: datetime


def hold(engine: Engine, client: Client, key: str, wanted: Wanted) -> tuple[Hold, bool]:
    """Keep pieces for ``client``; with the same ``key`` again, what became of the first request (and False)."""
    id_ = id_of(client, key)
    with engine.journal.transaction():
        counter.alone(engine.journal, wanted.sku)
        if (known := find(engine, client, id_)) is not None:
            _same(known, wanted)
            return known, False
        _enough(engine, wanted)
        now = engine.clock.now()
        data = _reserve(client, id_, wanted, now)
        _keep(engine, client, data, "POST /v1/reservations")
        return _hold(data, None, now), True


def release(engine: Engine, client: Client, id_: str) -> tuple[Hold, bool]:
    """End a hold; one that has ended already stays as it is (and False)."""
    with engine.journal.transaction():
        known = show(engine, client, id_)
        counter.alone(engine.journal, known.sku)
        known = show(engine, client, id_)
        if known.state != "reserved":
            return known, False
        step = _step(client, id_, known.sku, known.quantity, known.location, "release", engine.clock.now())
        _keep(engine, client, {**step, "id": f"{id_}:release"}, f"DELETE /v1/reservations/{id_}")
        return show(engine, client, id_), True


def show(engine: Engine, client: Client, id_: str) -> Hold:
    """A hold of the client's own."""
    if (known := find(engine, client, id_)) is None:
        raise Refusal("unknown", f"{client.name} has no reservation {id_}")
    return known


def find(engine: Engine, client: Client, id_: str) -> Hold | None:
    found = counter.events_by_id(engine.journal, client.system, OBJECT, [id_, f"{id_}:release"])
    if id_ not in found or id_.endswith(":release"):
        return None
    return _hold(found[id_], found.get(f"{id_}:release"), engine.clock.now())


def id_of(client: Client, key: str) -> str:
    """The id that a request of ``client`` with ``key`` makes, now and again."""
    digest = hashlib.sha256(f"{client.system}\n{key}".encode()).digest()
    return "R" + b32encode(digest[:15]).decode()


def _same(known: Hold, wanted: Wanted) -> None:
    lasts = known.expires_at - known.reserved_at
    first = (known.sku, known.quantity, known.location, lasts)
    if first != (wanted.sku, wanted.quantity, wanted.location, min(wanted.lasts, LONGEST)):
        raise Refusal("other-request", "this Idempotency-Key came with another request before", id=known.id)


def _enough(engine: Engine, wanted: Wanted) -> None:
    """Refuse where the channel, or the location that was named, has less."""
    found = stock.availability(engine, [wanted.sku], wanted.channel)
    if not found:
        raise Refusal("unknown", f"no system has told of stock of {wanted.sku}")
    places = {place.location: place.quantity for place in found[0].locations}
    if wanted.location is not None and wanted.location not in places:
        raise Refusal("unknown", f"{wanted.channel} sells no {wanted.sku} from {wanted.location}")
    there = found[0].quantity if wanted.location is None else places[wanted.location]
    if there < wanted.quantity:
        where = f"at {wanted.location}" if wanted.location else f"for {wanted.channel}"
        raise Refusal(
            "not-enough", f"{wanted.quantity} of {wanted.sku} were asked for, {there} are left {where}", available=there
        )


def _reserve(client: Client, id_: str, wanted: Wanted, now: datetime) -> dict[str, Any]:
    step = _step(client, id_, wanted.sku, wanted.quantity, wanted.location, "reserve", now)
    return {**step, "expires_at": (now + min(wanted.lasts, LONGEST)).isoformat()}


def _step(
    client: Client, id_: str, sku: str, quantity: int, location: str | None, kind: str, now: datetime
) -> dict[str, Any]:
    return {
        "id": id_,
        "order": f"{client.name.upper()}-{id_}",
        "line": "1",
        "sku": sku,
        "location": location,
        "kind": kind,
        "quantity": quantity,
        "unit": "C62",
        "occurred_at": now.isoformat(),
    }


def _keep(engine: Engine, client: Client, data: dict[str, Any], request: str) -> None:
    """One step into the journal, with its audit and the mark that what rests on it is derived anew."""
    canonical, now = OBJECTS[OBJECT], engine.clock.now()
    event = events.Event(
        id=data["id"],
        key=canonical.key_of(data),
        subject=data["sku"],
        data=data,
        event_time=now,
        origin={"source": request},
        mapping=MAPPING,
    )
    events.record(engine.journal, client.system, OBJECT, event, client.system)
    entry = audit.Entry(
        step="applied", system=client.system, object=OBJECT, key=event.key, subject=event.subject,
        origin=event.origin, mapping=MAPPING, after=data,
    )  # fmt: skip
    audit.write(engine.journal, client.system, canonical.flow, [entry])
    for derived in canonical.derives:
        recompute.note(engine.journal, derived, data["sku"], now)


def _hold(data: Mapping[str, Any], released: Mapping[str, Any] | None, now: datetime) -> Hold:
    expires = datetime.fromisoformat(data["expires_at"])
    return Hold(
        id=data["id"],
        sku=data["sku"],
        quantity=data["quantity"],
        location=data["location"],
        state="released" if released else "expired" if expires <= now else "reserved",
        reserved_at=datetime.fromisoformat(data["occurred_at"]),
        expires_at=expires,
    )
