"""Answers of vendors: conversations with the sandbox's systems, played again with something wrong in the answers.

What a connector asks is not looked at; what it is told is a true answer with other values, statuses, headers or bytes.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests
from contract.suite import Context, context_of
from hypothesis import strategies as st
from support.fuzz.records import mapped
from support.fuzz.target import Target
from support.fuzz.values import CANARY, CUTS, EDITS, HOSTILE, PLACE, RECORDED, as_json, cut, mutated
from support.shop_products import Pictured, product_of
from urllib3 import HTTPResponse

from hub.connector import Connection, connector_class
from hub.errors import HubError
from hub.flow.understood import MISREAD, batches, understood
from hub.model import Binding, Delivery, Reference
from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import running
from hub.transport.redaction import redact
from hub.transport.retry import instant

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MOST_CALLS = 200  # the longest true conversation has a quarter of that
FOLDERS = {"erp": "soap_erp", "shop": "shopify", "tills": "square", "pim": "akeneo", "dam": "dam"}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "erp": {"wsdl": "/erp/StockService?wsdl", "page_size": 4},
    "shop": {"page_size": 3},
    "tills": {"page_size": 3},
    "pim": {"page_size": 3},
    "dam": {"page_size": 4},
}
STATUSES = (200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 422, 429, 430, 500, 503, 999)
HEADERS = ("retry-after", "link", "content-encoding", "content-type", "x-shopify-shop-api-call-limit", "content-length")
HEADER_VALUES = (
    "inf", "nan", "1e999", "-1", "gzip", "br", "zstd", ", ".join(["gzip"] * 7), "text/html", "9" * 400, ";;;,<", "a/b",
    '<http://169.254.169.254/?a=b>; rel="next"', '<>; rel="next"', "999999999999/0", CANARY, "\x00", "é",
)  # fmt: skip
SHARES = {"erp": 2, "shop": 12, "tills": 12, "pim": 6, "dam": 6}  # the ERP's description is read for each input
Do = Callable[[Any], object]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A conversation: what the connector does, and what it was told."""

    system: str
    name: str
    do: Do
    context: Context
    answers: Sequence[Said] = ()


# --- recording ------------------------------------------------------------------------------------


@dataclass
class Recorder(requests.Session):
    """A session that keeps what it is told, shortened."""

    heard: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        response = super().request(*args, **kwargs)
        kept = ("link", "content-type", "etag", "x-shopify-shop-api-call-limit")
        headers = {name: value for name, value in response.headers.items() if name.lower() in kept}
        said = Said(status=response.status_code, headers=headers, body=_short(response.content))
        self.heard.append(said)
        return _response(said, response.request)


def _short(body: bytes) -> bytes:
    """Lists of an answer in JSON with their first items only: an input is changed in one of a few hundred places."""
    try:
        return json.dumps(_shortened(json.loads(body))).encode()
    except ValueError:
        return body


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    return [_shortened(one) for one in value[:3]] if isinstance(value, list) else value


def _response(said: Said, request: Any = None) -> requests.Response:
    found = requests.Response()
    found.status_code = said.status
    found.headers.update(said.headers)
    found.raw = HTTPResponse(BytesIO(said.body), headers=said.headers, status=said.status, preload_content=False)
    found.url = str(request.url) if request is not None else "http://vendor.example.org/"
    return found


class Played(requests.Session):
    """A session that is told the same again, with something wrong in it."""

    def __init__(self, answers: Sequence[Said], wrongs: Sequence[tuple[int, str, Any]]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.calls = 0
        for number, what, value in wrongs:
            at = number % len(self.answers)
            self.answers[at] = wrong(self.answers[at], what, value)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        self.calls += 1
        assert self.calls < MOST_CALLS, "the connector asks for ever"
        return _response(self.answers[min(self.calls, len(self.answers)) - 1])


def wrong(said: Said, what: str, value: Any) -> Said:
    """An answer with one thing wrong."""
    match what:
        case "values":
            return replace(said, body=_other_values(said.body, value))
        case "bytes":
            return replace(said, body=cut(said.body, value))
        case "status":
            return replace(said, status=value)
        case "header":
            return replace(said, headers={**said.headers, value[0]: value[1]})
        case "gzip":
            packed = gzip.compress(said.body)
            return replace(
                said, headers={**said.headers, "content-encoding": "gzip"}, body=packed[: len(packed) - value]
            )
        case _:
            return replace(said, body=as_json(value))


_ELEMENT = re.compile(rb">([^<>]*)</")


def _other_values(body: bytes, edits: Sequence[tuple[int, str, Any]]) -> bytes:
    try:
        return as_json(mutated(json.loads(body), edits))
    except (ValueError, RecursionError):
        return _other_elements(body, edits)


def _other_elements(body: bytes, edits: Sequence[tuple[int, str, Any]]) -> bytes:
    """XML whose texts are other ones; half of them stay what they were spelt as, with whatever that does to it."""
    for number, what, value in edits:
        found = list(_ELEMENT.finditer(body))
        if not found:
            return body
        place = found[number % len(found)]
        text = str(value)[:6000]
        spelt = (text if what == "swap" else escape(text)).encode("utf-8", "replace")
        body = body[: place.start(1)] + spelt + body[place.end(1) :]
    return body


# --- conversations --------------------------------------------------------------------------------


def _reads(object: str) -> Do:
    def do(connector: Any) -> None:
        system = connector.context.system
        for number, batch in enumerate(batches(connector, system, object, None)):
            mapped(FOLDERS[system], [batch.records[n] for n in range(len(batch.records))])
            if number == 1:
                return

    return do


def _finds(object: str, references: Sequence[Reference]) -> Do:
    def do(connector: Any) -> object:
        with understood(connector.context.system):
            return dict(connector.find(object, references))

    return do


def _writes(object: str, deliveries: Sequence[Delivery]) -> Do:
    def do(connector: Any) -> object:
        with understood(connector.context.system, wrote=True):
            return list(connector.write(object, deliveries, "key-1"))

    return do


def _checks(connector: Any) -> object:
    with understood(connector.context.system):
        return redact(connector.check().detail)


def deliveries(references: Mapping[Reference, Any], value: Any, name: str) -> list[Delivery]:
    return [
        Delivery(key=one.key, value=value, bindings={**one.bindings, name: remote.binding}, as_of=NOW, generation=1)
        for one, remote in references.items()
    ]


SALE = {"amount": "15.90", "currency": "EUR", "compare_at": "19.90", "lowest_30": "18.90"}
ORDER = {
    "channel": "shop", "kind": "order", "placed_at": "2026-11-22T10:00:00.250000+00:00", "currency": "EUR",
    "discounts": [{"code": "NOEL10", "amount": "3.98"}], "gift_cards": [{"id": "8GF4", "amount": "10.00"}],
    "payments": [{"id": "p1", "method": "card", "amount": "21.84", "at": "2026-11-22T11:00:01+01:00"}],
    "shipping": "0.00", "tax": "5.30", "total": "31.84",
}  # fmt: skip


@dataclass
class Studio:
    """The sandbox while conversations with it are recorded."""

    sandbox: Any
    made: list[Talk] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def context(self, system: str) -> Context:
        found = context_of(self.sandbox, system)
        return Pictured(system=system, connection=found.connection, clock=Standing(), pictures=self.pictures)

    def connector(self, system: str, session: requests.Session | None = None) -> Any:
        return built(system, self.context(system), session or Recorder())

    def record(self, system: str, name: str, do: Do) -> None:
        session, context = Recorder(), self.context(system)
        do(built(system, context, session))
        assert 0 < len(session.heard) < MOST_CALLS / 4, (system, name, len(session.heard))
        self.made.append(Talk(system=system, name=name, do=do, context=context, answers=session.heard))


class Standing:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


def built(system: str, context: Context, session: requests.Session) -> Any:
    kind = connector_class(FOLDERS[system])
    return kind(kind.config.model_validate(OPTIONS[system]), context, session=session)  # type: ignore[call-arg]


@cache
def conversations() -> tuple[Talk, ...]:
    """Recorded once for a process, with a retailer of its own."""
    folder = Path(tempfile.mkdtemp(prefix="omnihub-fuzz-"))
    retailer = Retailer(folder, clock=Standing(), haste=1000)
    try:
        with running(retailer) as sandbox:
            studio = Studio(sandbox)
            for part in (_read_everything, _stock_and_prices, _products, _orders):
                part(studio, retailer)
            return tuple(studio.made)
    finally:
        retailer.close()
        shutil.rmtree(folder, ignore_errors=True)


def _read_everything(studio: Studio, retailer: Any) -> None:
    objects = {
        "erp": ("sites", "stock", "items", "prices", "promotions"), "shop": ("orders",), "tills": ("orders",),
        "pim": ("products", "product_models"), "dam": ("assets",),
    }  # fmt: skip
    for system, names in objects.items():
        studio.record(system, "check", _checks)
        for name in names:
            studio.record(system, f"reads {name}", _reads(name))
    picture = retailer.assortment.pictures(retailer.assortment.products[0])[0]
    record = {"location": f"/api/v1/assets/{picture.asset}/renditions/web"}
    studio.record("dam", "fetches", lambda connector: connector.fetch(record) and None)


def _stock_and_prices(studio: Studio, retailer: Any) -> None:
    place = retailer.world.locations[1]
    asked = Reference(key="l", by={"name": place.name})
    skus = [Reference(key=sku.code, by={"sku": sku.code, "gtin": sku.ean}) for sku in retailer.world.skus[:2]]
    for system in ("shop", "tills"):
        connector = studio.connector(system)
        there = built(system, studio.context(system), requests.Session())
        location = there.find("location", [asked])[asked].binding
        found = there.find("sku", skus)
        bound = [replace(one, bindings={"sku": r.binding, "location": location}) for one, r in found.items()]
        assert len(bound) == 2, (system, connector)
        levels = [
            Delivery(key=b.key, value={"quantity": 7}, bindings=b.bindings, as_of=NOW, generation=1) for b in bound
        ]
        prices = [Delivery(key=b.key, value=SALE, bindings=b.bindings, as_of=NOW, generation=1) for b in bound]
        studio.record(system, "finds sku", _finds("sku", skus))
        studio.record(system, "finds location", _finds("location", [asked]))
        studio.record(system, "finds stock", _finds("stock_level", bound))
        studio.record(system, "writes stock", _writes("stock_level", levels))
        studio.record(system, "finds prices", _finds("price", bound))
        studio.record(system, "writes prices", _writes("price", prices))


def _products(studio: Studio, retailer: Any) -> None:
    style = retailer.assortment.products[0]
    studio.pictures |= {one.sha256: one.png for one in retailer.assortment.pictures(style)}
    value = product_of(retailer.assortment, style)
    for system in ("shop", "tills"):
        asked = Reference(key=style.code, value=value)
        found = built(system, studio.context(system), requests.Session()).find("product", [asked])[asked]
        changed = {**value, "title": {**value["title"], "fr": "Autre titre"}}
        one = Delivery(
            key=style.code, value={"product": style.code, **changed}, changed=frozenset(changed), previous=found.value,
            bindings={"product": found.binding}, known=found.bindings, as_of=NOW, generation=2,
        )  # fmt: skip
        studio.record(system, "finds a product", _finds("product", [asked]))
        studio.record(system, "writes a product", _writes("product", [one]))


def _orders(studio: Studio, retailer: Any) -> None:
    sku = retailer.world.skus[0].code
    line = {"line": "11", "sku": sku, "quantity": 2, "unit_price": "19.90", "discount": "3.98", "total": "35.82"}
    order = {**ORDER, "lines": [line]}
    asked = Reference(key="SHOP-9001", value=order)
    one = Delivery(key="SHOP-9001", value=order, as_of=NOW, generation=1)
    studio.record("erp", "writes an order", _writes("order", [one]))
    studio.record("erp", "finds an order", _finds("order", [asked]))
    sold = retailer.shop.order([(sku, 2)])
    shipped = {"id": "SH1", "tracking": "T1", "lines": [{"line": str(sold["line_items"][0]["id"]), "quantity": 1}]}
    progress = {"cancelled": False, "fulfilments": [shipped], "refunds": []}
    bindings = {"order": Binding(external_id=f"gid://shopify/Order/{sold['id']}")}
    place = retailer.world.locations[1]
    wanted = Reference(key="l", by={"name": place.name})
    there = built("shop", studio.context("shop"), requests.Session()).find("location", [wanted])[wanted].binding
    known = {"location": {place.code: there}}
    shipped["location"] = place.code
    found = Reference(key="o", bindings=bindings, value=progress, known=known)
    told = Delivery(key="o", bindings=bindings, value=progress, known=known, as_of=NOW, generation=1)
    studio.record("shop", "finds an order", _finds("order", [found]))
    studio.record("shop", "tells of a shipment", _writes("order", [told]))


# --- targets --------------------------------------------------------------------------------------

WRONGS = st.lists(
    st.tuples(PLACE, st.just("values"), EDITS)
    | st.tuples(PLACE, st.just("values"), EDITS)
    | st.tuples(PLACE, st.just("bytes"), CUTS)
    | st.tuples(PLACE, st.just("status"), st.sampled_from(STATUSES))
    | st.tuples(PLACE, st.just("header"), st.tuples(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES)))
    | st.tuples(PLACE, st.just("gzip"), st.integers(0, 40))
    | st.tuples(PLACE, st.just("whole"), HOSTILE),
    min_size=1,
    max_size=3,
)
TALK = st.tuples(st.integers(0, 10_000), WRONGS)


def _take(system: str) -> Callable[[Any], object]:
    def take(given: tuple[int, Any]) -> object:
        number, wrongs = given
        talks = [talk for talk in conversations() if talk.system == system]
        talk = talks[number % len(talks)]
        context = replace(talk.context, connection=_ours(talk.context.connection))
        with instant():
            return talk.do(built(system, context, Played(talk.answers, wrongs)))

    return take


def _ours(connection: Connection) -> Connection:
    """The same with a secret of ours, which no answer leads to the light."""
    secret = dict.fromkeys(("webhook_secret", "webhook_signature_key", "password"), CANARY)
    return replace(connection, password=CANARY, extra={**connection.extra, **secret})


# Where the records of a page stand, by the first path that an answer has.
LISTS = (("orders",), ("assets",), ("_embedded", "items"))


def _spoilt(said: Said, edits: Sequence[tuple[int, str, Any]]) -> Said:
    """An answer of which the first record alone is not what it should be."""
    try:
        page = json.loads(said.body)
    except ValueError:
        return said
    for path in LISTS:
        held: Any = page
        for name in path:
            held = held.get(name) if isinstance(held, dict) else None
        if isinstance(held, list) and held:
            held[0] = mutated(held[0], edits)
            return replace(said, body=as_json(page))
    return said


def _take_one(system: str) -> Callable[[Any], object]:
    """One record that cannot be understood stops no other: it is refused alone."""

    def take(given: tuple[int, Any]) -> None:
        number, edits = given
        talks = [talk for talk in conversations() if talk.system == system and talk.name.startswith("reads ")]
        talk = talks[number % len(talks)]
        answers = [_spoilt(said, edits) for said in talk.answers]
        try:
            with instant():
                talk.do(built(system, talk.context, Played(answers, [])))
        except HubError as error:  # a record may have the connector ask for more than was recorded
            if isinstance(error.__cause__, MISREAD):
                raise AssertionError(f"a record stopped the others: {error}") from error.__cause__

    return take


RECORD = st.tuples(
    PLACE, st.lists(st.tuples(PLACE, st.sampled_from(("set", "set", "drop", "swap")), RECORDED), max_size=3)
)
TARGETS = [
    *(Target(name=f"answers of {system}", inputs=TALK, take=_take(system), share=SHARES[system]) for system in FOLDERS),
    *(
        Target(name=f"one record of {s}", inputs=RECORD, take=_take_one(s), share=4)
        for s in ("shop", "tills", "pim", "dam")
    ),
]
