"""A sales order as the ERP writes it, and back: amounts with cents, naive local times, quantities with three places."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.soap_erp.options import STAMP
from hub.errors import Reject
from hub.transport.numbers import whole
from hub.transport.times import local_time

Value = Mapping[str, Any]
# The field of the order -> the element of the document.
ELEMENTS: Mapping[str, str] = {
    "channel": "SALCHN",
    "kind": "SALTYP",
    "placed_at": "ORDDATTIM",
    "currency": "CUR",
    "lines": "Line",
    "discounts": "Discount",
    "gift_cards": "GiftCard",
    "payments": "Payment",
    "shipping": "SHIAMT",
    "tax": "TAXAMT",
    "total": "TOTAMT",
}
FIELDS = frozenset({*ELEMENTS, "state", "returns"})
KINDS = {"return": "R", "refund": "F", "cancellation": "C", "void": "V"}
CANCELLED = "9"
OWN_RETURN = "ERP-"  # the id of a return that somebody entered there: its number behind this
# XML 1.0 section 2.2: what a document may hold at all; anything else in a customer's note would stop the whole call.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(key: str, value: Value, zone: str) -> dict[str, Any]:
    """The document of an order; ``Reject`` with the path of what the ERP cannot hold."""
    found: dict[str, Any] = {"CUSORDREF": key, **contents(value, zone)}
    personal = value.get("personal") or {}
    if customer := _named(personal.get("customer") or {}, _CUSTOMER):
        found["Customer"] = customer
    if address := _named(personal.get("ship_to") or {}, _ADDRESS):
        found["Address"] = address
    if note := personal.get("note"):
        found["NOTE"] = clean(note)
    return found


_CUSTOMER = {"id": "BPCNUM", "name": "BPCNAM", "email": "WEB", "phone": "TEL"}
_ADDRESS = {
    "name": "BPANAM", "street": "ADDLIG1", "street2": "ADDLIG2", "postal_code": "POSCOD", "city": "CTY",
    "region": "SAT", "country": "CRY", "phone": "TEL",
}  # fmt: skip


def _named(value: Value, names: Mapping[str, str]) -> dict[str, str]:
    return {element: clean(str(value[name])) for name, element in names.items() if value.get(name)}


def contents(value: Value, zone: str) -> dict[str, Any]:
    """The elements of every field that ``value`` has."""
    return {ELEMENTS[name]: _written(name, value[name], zone) for name in ELEMENTS if value.get(name) is not None}


def _written(name: str, value: Any, zone: str) -> Any:
    if name in ("shipping", "tax", "total"):
        return amount(value, name)
    if name == "placed_at":
        return stamp(value, zone)
    if name == "kind":
        return str(value).upper()
    if name in _ITEMS:
        return [_ITEMS[name](one, f"{name}[{position}]", zone) for position, one in enumerate(value)]
    return clean(value)


def _line(line: Value, at: str, zone: str) -> dict[str, str]:
    found = {
        "LINREF": clean(line["line"]),
        "ITMREF": line["sku"],
        "QTY": f"{line['quantity']}.000",
        "PRI": amount(line["unit_price"], f"{at}.unit_price"),
        "AMT": amount(line["total"], f"{at}.total"),
    }
    found |= {e: amount(line[n], f"{at}.{n}") for n, e in (("discount", "DIS"), ("tax", "TAX")) if line.get(n)}
    return {**found, "SITEXT": line["location"]} if line.get("location") else found


def _discount(one: Value, at: str, zone: str) -> dict[str, str]:
    return {**_named(one, {"code": "COD", "title": "DES"}), "AMT": amount(one["amount"], f"{at}.amount")}


def _gift_card(one: Value, at: str, zone: str) -> dict[str, str]:
    return {**_named(one, {"id": "NUM"}), "AMT": amount(one["amount"], f"{at}.amount")}


def _payment(one: Value, at: str, zone: str) -> dict[str, str]:
    found = {**_named(one, {"id": "PAYREF", "method": "PAYMET"}), "AMT": amount(one["amount"], f"{at}.amount")}
    return {**found, "PAYDATTIM": stamp(one["at"], zone)} if one.get("at") else found


_ITEMS: Mapping[str, Callable[[Value, str, str], dict[str, str]]] = {
    "lines": _line,
    "discounts": _discount,
    "gift_cards": _gift_card,
    "payments": _payment,
}


def return_of(one: Value, at: str) -> dict[str, Any]:
    """One return, without the order it belongs to."""
    found: dict[str, Any] = {"RETREF": clean(one["id"]), "AMT": amount(one["amount"], f"{at}.amount")}
    if kind := one.get("kind"):
        found["RETKND"] = KINDS[kind]
    return {**found, "Line": [_return_line(line) for line in one.get("lines") or []]}


def _return_line(line: Value) -> dict[str, str]:
    found = {"ITMREF": line["sku"], "QTY": f"{line['quantity']}.000"}
    if line.get("line"):
        found["LINREF"] = clean(line["line"])
    if line.get("restock") is not None:
        found["RESTOCK"] = "1" if line["restock"] else "0"
    return {**found, "SITEXT": line["location"]} if line.get("location") else found


def amount(text: str, path: str) -> str:
    """Cents behind the point; ``Reject`` for what is finer than a cent."""
    exact = Decimal(text)
    if exact != round(exact, 2):
        raise Reject(path, f"{text} is finer than a cent, which the ERP's books cannot hold")
    return f"{exact:.2f}"


def stamp(moment: str, zone: str) -> str:
    """The ERP's naive time of ``moment``, to the second."""
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime(STAMP)


def clean(text: str) -> str:
    """``text`` without characters that XML cannot carry."""
    return _NOT_XML.sub(" ", text)


# --- back -----------------------------------------------------------------------------------------


def value_of(held: Value, wanted: Value, zone: str) -> dict[str, Any]:
    """What a document of the ERP says, in the words of ``wanted`` wherever both mean the same.

    The ERP keeps local seconds and two decimals, so the same moment and amount may come back as
    another text; a field that would be written as it stands there is not different from it.
    """
    kept = tidy(held["Document"])
    asked = contents(wanted, zone)
    found: dict[str, Any] = {"state": "cancelled" if held["ORDSTA"] == CANCELLED else "open"}
    for name, element in ELEMENTS.items():
        if name in wanted and same(asked.get(element), kept.get(element)):
            found[name] = wanted[name]
        elif (read := _read(name, kept.get(element), zone)) is not None:
            found[name] = read
    if (returns := tidy(held.get("Return") or [])) or "returns" in wanted:
        found["returns"] = _returns(returns, wanted.get("returns") or [])
    return found


def tidy(value: Any) -> Any:
    """Without what is empty: absent is absent, however zeep says it."""
    if isinstance(value, Mapping):
        return {name: tidy(one) for name, one in value.items() if one not in (None, [], "")}
    return [tidy(one) for one in value] if isinstance(value, list) else value


def same(asked: Any, kept: Any) -> bool:
    """Whether two elements say the same; nothing and an empty list do."""
    return bool(tidy(asked or None) == tidy(kept or None))


def _returns(kept: Sequence[Value], wanted: Sequence[Value]) -> list[Any]:
    """Every return there, those that are wanted first and in their order."""
    held = {id_of(one): one for one in kept}
    order = [*(one["id"] for one in wanted if one["id"] in held), *held]
    found = []
    for id_ in dict.fromkeys(order):
        asked = next((one for one in wanted if one["id"] == id_), None)
        own = {name: one for name, one in held[id_].items() if name not in ("RETNUM", "RETREF")}
        equal = asked is not None and same({**return_of(asked, ""), "RETREF": None}, own)
        found.append(asked if equal else _read_return(id_, own))
    return found


def id_of(kept: Value) -> str:
    """The sender's id of a return, or ours for one that was entered there by hand."""
    return str(kept.get("RETREF") or OWN_RETURN + kept["RETNUM"])


def _read_return(id_: str, kept: Value) -> dict[str, Any]:
    names = {code: kind for kind, code in KINDS.items()}
    found: dict[str, Any] = {"id": id_, "amount": kept["AMT"]}
    if "RETKND" in kept:
        found["kind"] = names[kept["RETKND"]]
    return {**found, "lines": [_read_return_line(line) for line in kept.get("Line") or []]}


def _read_return_line(line: Value) -> dict[str, Any]:
    found: dict[str, Any] = {"sku": line["ITMREF"].strip().upper(), "quantity": whole(line["QTY"])}
    found |= {name: line[element] for name, element in (("line", "LINREF"), ("location", "SITEXT")) if element in line}
    return {**found, "restock": line["RESTOCK"] == "1"} if "RESTOCK" in line else found


def _read(name: str, kept: Any, zone: str) -> Any:
    """A field from its element."""
    if kept is None:
        return None
    if name == "placed_at":
        return local_time(kept, STAMP, zone).isoformat()
    if name == "kind":
        return kept.lower()
    if name not in _ITEMS:
        return kept
    return [{ours: _item(ours, one[e], zone) for ours, e in _NAMES[name].items() if e in one} for one in kept]


_NAMES: Mapping[str, Mapping[str, str]] = {
    "lines": {
        "line": "LINREF", "sku": "ITMREF", "quantity": "QTY", "unit_price": "PRI", "discount": "DIS", "tax": "TAX",
        "total": "AMT", "location": "SITEXT",
    },
    "discounts": {"code": "COD", "amount": "AMT", "title": "DES"},
    "gift_cards": {"id": "NUM", "amount": "AMT"},
    "payments": {"id": "PAYREF", "method": "PAYMET", "amount": "AMT", "at": "PAYDATTIM"},
}  # fmt: skip


def _item(name: str, kept: str, zone: str) -> Any:
    if name == "quantity":
        return whole(kept)
    return local_time(kept, STAMP, zone).isoformat() if name == "at" else kept
