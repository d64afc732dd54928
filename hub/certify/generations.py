"""Order: no target took an older generation of something after a newer one, by the order of its own ledger.

A call that should bear a key of ours, and does not, is a case too: nobody can say which generation it brought.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from hub.certify.played import Played
    from hub.sandbox.ledger import Call, Ledger

Key = tuple[str, str, str]  # target, object, key
UNDER_A_KEY = ("inventorySetQuantities", "inventory/changes/batch-create")  # what nothing but a key tells apart


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that a target took, with the keys that it carried and their generations."""

    target: str
    object: str
    members: Sequence[Mapping[str, Any]]


def out_of_order(played: Played, compared: Counter[str]) -> Iterator[str]:
    """A sentence for each value that was taken after a newer one of the same key."""
    yield from by_idempotency_key(played, compared)
    yield from by_value(played, compared)


def by_idempotency_key(played: Played, compared: Counter[str]) -> Iterator[str]:
    """Calls under a key of ours: the attempt with that key says which generations went out in it."""
    attempts = attempts_of(played)
    newest: dict[Key, int] = {}
    done: set[str] = set()
    for call in accepted(played.retailer.ledger.writes()):
        full = call.idempotency_key or ""
        key = full.partition(":")[0]  # a call that is sent in parts has a name for each behind it
        if key not in attempts:
            if call.operation in UNDER_A_KEY:
                yield f"{call.system} took {call.summary}, call {call.id} of its ledger, under no key of an attempt"
            continue
        if full in done:
            continue  # the same call again under its own key is answered, and not carried out
        done.add(full)
        sent = attempts[key]
        for member in sent.members:
            about = (sent.target, sent.object, str(member["key"]))
            compared["generations"] += 1
            if member["generation"] < newest.get(about, 0):
                yield f"{sent.target} took generation {member['generation']} of {about[2]} after {newest[about]}"
            newest[about] = max(newest.get(about, 0), member["generation"])


def attempts_of(played: Played) -> dict[str, Sent]:
    with psycopg.connect(played.dsn) as journal:
        rows = journal.execute("SELECT idempotency_key, target, object, members FROM attempt")
        return {key: Sent(target, object, members) for key, target, object, members in rows}


def accepted(calls: Sequence[Call]) -> Iterator[Call]:
    """The calls that changed something."""
    return (call for call in calls if 200 <= call.status < 300 and not refused(call))


def refused(call: Call) -> bool:
    """GraphQL refuses with status 200, and says so in the answer."""
    return call.system == "shop" and not call.summary.endswith((": done", ": set"))


def by_value(played: Played, compared: Counter[str]) -> Iterator[str]:
    """Calls without a key: what they said of a field, in their order, is what generations said that only grow."""
    with psycopg.connect(played.dsn) as journal:
        derived = generations_of(journal)
        keys = Keys(journal)
    for (target, object, key, field), values in said_of(played.retailer.ledger, keys).items():
        known = [(number, FIELDS[object, field](value)) for number, value in derived[target, object, key]]
        compared["generations"] += len(values)
        last = 0
        for value in values:
            fitting = [number for number, wanted in known if wanted == value]
            if not fitting:
                continue  # nothing that was derived: a text that the vendor wants otherwise
            later = [number for number in fitting if number >= last]
            if not later:
                yield f"{target} took {field} {value} of {key}, generation {max(fitting)}, after generation {last}"
            last = min(later, default=last)


# What is compared of an object that goes out without a key, read from the value that was derived.
FIELDS: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], Any]] = {
    ("price", "amount"): lambda value: Decimal(value["amount"]),
    ("product", "title"): lambda value: (value.get("title") or {}).get("fr"),
    ("product", "description"): lambda value: (value.get("description") or {}).get("fr"),
    ("order", "total"): lambda value: Decimal(value["total"]),
}
SOLD = ("ImportSalesDocuments", "ReviseSalesDocuments")


class Keys:
    """Our keys behind the shop's ids."""

    def __init__(self, journal: psycopg.Connection[Any]) -> None:
        rows = journal.execute("SELECT key, extra FROM binding WHERE system = 'shop' AND object = 'sku'").fetchall()
        self.sku = {extra["variant"]: key for key, extra in rows if "variant" in extra}
        self.product = {extra["product"]: key.partition("-")[0] for key, extra in rows if "product" in extra}


def said_of(ledger: Ledger, keys: Keys) -> dict[tuple[str, str, str, str], list[Any]]:
    """By target, object, key and field, every value that a call without a key wrote, in the order of the ledger."""
    found: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for call in accepted([*ledger.writes("shop"), *ledger.writes("erp")]):
        given = call.detail.get("variables", {})
        if call.operation == "productVariantsBulkUpdate":
            for variant in given["variants"]:
                if variant.get("price") and variant.get("id") in keys.sku:
                    found["shop", "price", keys.sku[variant["id"]], "amount"].append(Decimal(variant["price"]))
        elif call.operation == "productUpdate" and given["product"].get("id") in keys.product:
            for field, value in texts_of(given["product"]):
                found["shop", "product", keys.product[given["product"]["id"]], field].append(value)
        elif call.operation in SOLD:
            for document in call.detail["Document"]:
                found["erp", "order", document["CUSORDREF"], "total"].append(Decimal(document["TOTAMT"]))
    return found


def texts_of(product: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(field, value) of what a call says of a product's words."""
    for field, name in (("title", "title"), ("description", "descriptionHtml")):
        if name in product:
            yield field, product[name]


def generations_of(journal: psycopg.Connection[Any]) -> dict[Key, list[tuple[int, Mapping[str, Any]]]]:
    """By key, every generation that was derived, with its value."""
    found: dict[Key, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    rows = journal.execute("""SELECT system, object, key, after FROM audit
                              WHERE step = 'derived' AND object <> 'stock_level' ORDER BY at, id""")
    for system, object, key, after in rows:
        found[system, object, key].append((int(after["generation"]), after))
    return found
