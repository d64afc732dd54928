"""Prices at the tills: only the price is ours, under the version that was read; one refusal leaves the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from contract.suite import Context, build, context_of, recorded
from support.loopback import Heard, Say, serving
from support.vendor_specs import SquareApi

from hub.errors import StopRun, TryLater, Unknown
from hub.model import Binding, Conflict, Delivery, Done, Postponed, Reference, Rejected
from hub.transport.retry import instant

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def price(amount: str, currency: str = "EUR", **overrides: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "overrides": overrides}


class Till:
    """The tills behind a connector, and the ids of their articles and stores."""

    def __init__(self, connector: Any, tills: Any) -> None:
        self.connector, self.tills = connector, tills
        self.places = {code: Binding(external_id=id) for code, id in tills.catalog.location_ids().items()}

    def delivery(self, sku: str, value: dict[str, Any], **changes: Any) -> Delivery:
        return Delivery(
            key=sku,
            value={"sku": sku, "product": sku.split("-")[0], **value},
            bindings={"sku": self.binding(sku)},
            known={"location": self.places},
            as_of=NOW,
            generation=1,
            **changes,
        )

    def binding(self, sku: str) -> Binding:
        return Binding(external_id=self.tills.catalog.variation(sku).id)

    def write(self, *deliveries: Delivery, key: str = "k1") -> list[Any]:
        return list(self.connector.write("price", deliveries, key))

    def find(self, *skus: str) -> list[dict[str, Any]]:
        asked = [Reference(key=s, bindings={"sku": self.binding(s)}, known={"location": self.places}) for s in skus]
        found = self.connector.find("price", asked)
        return [dict(found[one].value) for one in asked]

    def data(self, sku: str) -> dict[str, Any]:
        variation = self.tills.catalog.document(self.tills.catalog.row(self.binding(sku).external_id))
        return dict(variation["item_variation_data"])


@pytest.fixture
def till(sandbox: Any) -> Till:
    return Till(build("square", context_of(sandbox, "tills")), sandbox.retailer.tills)


@pytest.fixture
def skus(retailer: Any) -> list[str]:
    return [sku.code for sku in retailer.world.skus]


def writes(till: Till) -> int:
    return len(till.tills.ledger.writes("tills"))


def test_what_is_written_is_confirmed_and_found(till: Till, skus: list[str]):
    (receipt,) = till.write(till.delivery(skus[0], price("17.90", ST05="12.00", ST07="9.99")))
    assert receipt.remote.value == price("17.90", ST05="12.00", ST07="9.99")
    assert till.find(skus[0], skus[1]) == [receipt.remote.value, till.find(skus[1])[0]]


def test_all_prices_are_read_in_one_call(till: Till, skus: list[str]):
    held = till.find(*skus)
    assert {one["currency"] for one in held} == {"EUR"}
    assert [one["amount"] for one in held] == [f"{v.price_cents / 100:.2f}" for v in till.tills.catalog.variations()]
    assert till.tills.ledger.statuses("tills") == {200: 1}


def test_everything_but_the_price_stays_as_the_manager_left_it(till: Till, skus: list[str]):
    """Square replaces objects whole: what is not sent back is gone."""
    catalog, place = till.tills.catalog, till.places["ST05"].external_id
    found = catalog.document(catalog.row(till.binding(skus[0]).external_id))
    own = {"user_data": "rack 4", "location_overrides": [{"location_id": place, "sold_out": True}]}
    catalog.write({**found, "item_variation_data": {**found["item_variation_data"], **own}})
    before = till.data(skus[0])
    till.write(till.delivery(skus[0], price("17.90", ST05="12.00")))
    after = till.data(skus[0])
    assert after.pop("location_overrides")[0]["sold_out"] is True
    assert {k: v for k, v in after.items() if before.get(k) != v} == {
        "price_money": {"amount": 1790, "currency": "EUR"}
    }
    till.write(till.delivery(skus[0], price("17.90")), key="k2")
    assert till.data(skus[0])["location_overrides"] == [{"location_id": place, "sold_out": True}]


def test_a_store_whose_price_ends_asks_the_common_one_again(till: Till, skus: list[str]):
    till.write(till.delivery(skus[0], price("17.90", ST05="12.00")))
    till.write(till.delivery(skus[0], price("17.90"), changed=frozenset({"overrides"})), key="k2")
    assert till.find(skus[0]) == [price("17.90")]
    assert "location_overrides" not in till.data(skus[0])


def test_only_the_fields_that_changed_are_touched(till: Till, skus: list[str]):
    till.write(till.delivery(skus[0], price("17.90", ST05="12.00")))
    till.tills.reprice(skus[0], 1500)
    till.write(till.delivery(skus[0], price("17.90", ST05="13.00"), changed=frozenset({"overrides"})), key="k2")
    assert till.find(skus[0]) == [price("15.00", ST05="13.00")]


def test_what_is_there_already_is_not_written_again(till: Till, skus: list[str]):
    till.write(till.delivery(skus[0], price("17.90")))
    before = writes(till)
    (receipt,) = till.write(till.delivery(skus[0], price("17.90")), key="k2")
    assert (receipt.remote.value, writes(till)) == (price("17.90"), before)


def test_a_hundred_prices_are_one_call(till: Till, skus: list[str]):
    receipts = till.write(*(till.delivery(sku, price("5.00")) for sku in skus[:100]))
    assert ([type(one) for one in receipts], writes(till)) == ([Done] * 100, 1)
    assert till.connector.capability("price").batch_size == 100


def test_a_price_that_a_store_set_without_us_is_seen(till: Till, skus: list[str]):
    till.write(till.delivery(skus[0], price("17.90", ST05="12.00")))
    asked = Reference(key=skus[0], bindings={"sku": till.binding(skus[0])})
    (remote,) = till.connector.find("price", [asked]).values()
    assert remote.value["overrides"] == {f"unknown:{till.places['ST05'].external_id}": "12.00"}


def test_an_article_whose_price_the_cashier_types_has_none(till: Till, skus: list[str]):
    catalog = till.tills.catalog
    found = catalog.document(catalog.row(till.binding(skus[0]).external_id))
    data = {k: v for k, v in found["item_variation_data"].items() if k != "price_money"}
    catalog.write({**found, "item_variation_data": {**data, "pricing_type": "VARIABLE_PRICING"}})
    assert till.find(skus[0]) == [{"amount": None, "currency": None, "overrides": {}}]
    till.write(till.delivery(skus[0], price("17.90")))
    assert till.find(skus[0]) == [price("17.90")]


def test_one_that_cannot_be_said_is_refused_alone(till: Till, skus: list[str]):
    one, two, three, four = skus[:4]
    receipts = till.write(
        till.delivery(one, price("17.905")),
        till.delivery(two, price("17.90", ST99="1.00")),
        replace(till.delivery(three, price("17.90")), bindings={}),
        till.delivery(four, price("17.90")),
    )
    assert [getattr(receipt, "path", "") for receipt in receipts] == ["amount", "overrides.ST99", "bindings.sku", ""]
    assert isinstance(receipts[3], Done)


def test_an_article_that_is_gone_is_refused_and_not_found(till: Till, skus: list[str]):
    stranger = replace(till.delivery(skus[0], price("1.00")), bindings={"sku": Binding(external_id="NOBODY")})
    (receipt,) = till.write(stranger)
    assert (type(receipt), receipt.path) == (Rejected, "bindings.sku")
    assert till.connector.find("price", [Reference(key="X", bindings={"sku": Binding(external_id="NOBODY")})]) == {}
    assert till.connector.find("price", [Reference(key="X")]) == {}


def test_a_currency_that_the_seller_does_not_have_is_refused_alone(till: Till, skus: list[str]):
    receipts = till.write(till.delivery(skus[0], price("1.00", "USD")), till.delivery(skus[1], price("1.00")))
    assert (type(receipts[0]), type(receipts[1])) == (Rejected, Done)
    assert "currency is EUR" in receipts[0].reason


def test_who_changes_it_in_between_makes_a_conflict_and_is_not_overwritten(sandbox: Any, skus: list[str]):
    tills = sandbox.retailer.tills
    with recorded("square", context_of(sandbox, "tills")) as (connector, exchanges):
        till = Till(Between(connector, lambda: tills.reprice(skus[0], 1111)), tills)
        one, two = till.write(till.delivery(skus[0], price("17.90")), till.delivery(skus[1], price("17.90")))
    assert (one, type(two)) == (Conflict(key=skus[0]), Done)
    assert till.find(skus[0], skus[1]) == [price("11.11"), price("17.90")]
    assert [exchange.status for exchange in exchanges][:2] == [200, 409]


class Between:
    """A connector in whose writing something happens after it has read."""

    def __init__(self, connector: Any, happen: Any) -> None:
        self.connector = connector
        post = connector.api.post

        def posted(path: str, *args: Any, **kwargs: Any) -> Any:
            if path.endswith("batch-upsert"):
                happen()
            return post(path, *args, **kwargs)

        connector.api.post = posted

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connector, name)


def test_every_call_and_answer_is_as_square_describes_it(sandbox: Any, skus: list[str]):
    square = SquareApi()
    with recorded("square", context_of(sandbox, "tills")) as (connector, exchanges):
        till = Till(connector, sandbox.retailer.tills)
        till.write(till.delivery(skus[0], price("17.90", ST05="12.00")), till.delivery(skus[1], price("1.00", "USD")))
        till.find(skus[0])
    assert len(exchanges) == 3
    for one in exchanges:
        square.check_request(one.method, one.url, one.sent)
        square.check_answer(one.method, one.url, one.status, one.got)


# --- an account that misbehaves -------------------------------------------------------------------


def variation(number: int, cents: int = 500) -> dict[str, Any]:
    data = {"item_id": "I", "name": "M", "pricing_type": "FIXED_PRICING"}
    money = {"amount": cents, "currency": "EUR"}
    return {
        "type": "ITEM_VARIATION",
        "id": f"V{number}",
        "version": 7,
        "item_variation_data": {**data, "price_money": money},
    }


def account(*upserts: Say, held: int = 3) -> Any:
    """Three articles, and what the upserts are told in turn."""
    left = list(upserts)

    def script(heard: Heard) -> Say:
        if heard.path.endswith("batch-retrieve"):
            return Say(body={"objects": [variation(n) for n in range(1, held + 1)]})
        return left.pop(0) if len(left) > 1 else left[0]

    return serving(script, id="tills", password="EAAA-0815")


def told(server: Any, count: int = 3) -> list[Any]:
    clock = type("Now", (), {"now": staticmethod(lambda: NOW)})()
    connector = build("square", Context(system="tills", connection=server.connection, clock=clock))
    deliveries = [
        Delivery(
            key=f"A{n}", value=price("9.00"), bindings={"sku": Binding(external_id=f"V{n}")}, as_of=NOW, generation=1
        )
        for n in range(1, count + 1)
    ]
    return list(connector.write("price", deliveries, "k1"))


def refused(*errors: dict[str, str], status: int = 400, **body: Any) -> Say:
    return Say(status, {**body, "errors": [{"category": "INVALID_REQUEST_ERROR", **error} for error in errors]})


def test_square_may_say_nothing_of_those_it_carried_out():
    """They are sent again, and found to be there already."""
    stale = {"code": "VERSION_MISMATCH", "detail": "stale", "field": "batches[1].objects[0].version"}
    with account(refused(stale)) as server:
        assert told(server) == [Postponed(key="A1"), Conflict(key="A2"), Postponed(key="A3")]


def test_whom_a_refusal_means_is_found_out_one_by_one():
    nameless = refused({"code": "BAD_REQUEST", "detail": "something is wrong"})
    fine = Say(body={"objects": [variation(1, 900)]})
    last = Say(body={"objects": [variation(3, 900)]})
    with account(nameless, fine, nameless, last) as server:
        one, two, three = told(server)
    assert two == Rejected(key="A2", path="catalog", reason="something is wrong (BAD_REQUEST)")
    assert (type(one), type(three)) == (Done, Done)


def test_a_refusal_without_a_word_stops_the_run():
    with account(Say(400, b"no")) as server, pytest.raises(StopRun, match="without a word"):
        told(server, 1)


def test_a_lost_answer_is_asked_for_again_under_the_same_key():
    done = Say(body={"objects": [variation(1, 900)]})
    with account(Say(hang_up=True), done, held=1) as server, instant():
        (receipt,) = told(server, 1)
    assert isinstance(receipt, Done)
    assert server.heard[1].body == server.heard[2].body


def test_what_was_read_anew_goes_under_another_key():
    """Square refuses a key that comes back with another body."""
    keys = set()
    for version in (7, 7, 8):
        objects = Say(body={"objects": [{**variation(1), "version": version}]})
        done = Say(body={"objects": [variation(1, 900)]})
        with serving([objects, done], id="tills", password="EAAA-0815") as server:
            told(server, 1)
        keys.add(server.heard[1].json["idempotency_key"])
    assert len(keys) == 2
    assert all(len(key) <= 128 for key in keys)


@pytest.mark.parametrize("broken", [Say(hang_up=True), Say(500), Say(body=b"<html>")])
def test_an_answer_that_never_comes_is_unknown(broken: Say):
    with account(broken) as server, instant(), pytest.raises(Unknown):
        told(server, 1)


def test_a_catalog_that_is_busy_is_try_later():
    """Square carries out one update of the catalog at a time."""
    said = refused({"code": "RATE_LIMITED", "detail": "another update is under way"}, status=429)
    with account(said) as server, instant(), pytest.raises(TryLater, match="another update"):
        told(server, 1)
