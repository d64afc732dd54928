"""The connector square against the sandbox's tills, Square's own description, and an account that misbehaves."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.suite import Context, ListenerContract, SourceContract, TargetContract, build, context_of, recorded
from support.loopback import Heard, Say, Server, serving
from support.vendor_specs import SquareApi

from hub.errors import Reject, StopRun, TryLater, Unknown
from hub.model import (
    Binding,
    Checkpoint,
    Delivery,
    Done,
    Postponed,
    Pushed,
    Record,
    Reference,
    Refused,
    Rejected,
)
from hub.transport.retry import instant


class TestOrders(SourceContract):
    folder, system, object = "square", "tills", "orders"

    def test_the_orders_of_all_locations_come_untouched(self, connector: Any, retailer: Any):
        batches = self.read(connector)
        records = [record for batch in batches for record in batch.records]
        assert len(records) >= 300
        assert len({record.key for record in records}) == len(records)
        assert len({record.data["location_id"] for record in records}) == 20
        order = records[0]
        assert (order.key, order.data["state"]) == (order.data["id"], "COMPLETED")
        assert order.event_time == datetime.fromisoformat(order.data["closed_at"])

    def test_no_call_names_more_than_ten_locations(self, sandbox: Any):
        with recorded("square", context_of(sandbox, "tills"), page_size=50) as (connector, exchanges):
            batches = list(connector.read("orders", None))
        searches = [one.sent for one in exchanges if one.url.endswith("orders/search")]
        assert len(batches) == len(searches) > 6
        assert {len(sent["location_ids"]) for sent in searches} == {10}

    def test_a_till_that_was_offline_is_read_when_it_uploads(self, connector: Any, retailer: Any, clock: Any):
        """Sold yesterday, uploaded now: the version is the upload, the event yesterday's."""
        done = self.read(connector)[-1].checkpoint
        clock.forward(hours=2)
        yesterday = clock.now() - timedelta(hours=20)
        order = retailer.tills.sell("ST04", [(retailer.world.skus[0].code, 1)], at=yesterday, uploaded_at=clock.now())
        records = {record.key: record for batch in self.read(connector, done) for record in batch.records}
        assert records[order["id"]].event_time < clock.now() - timedelta(hours=19)
        assert records[order["id"]].source_version.startswith("2026-11-22T12:00:00")

    def test_a_busy_place_does_not_move_a_quiet_one_past_its_sales(self, connector: Any, retailer: Any, clock: Any):
        """Killed after the first ten locations: what the others sold before that is still read."""
        done = self.read(connector)[-1].checkpoint
        clock.forward(hours=1)
        quiet = retailer.tills.sell("ST20", [(retailer.world.skus[0].code, 1)])
        clock.forward(hours=1)
        retailer.tills.sell("ST01", [(retailer.world.skus[0].code, 1)])
        first = next(connector.read("orders", done))
        keys = {record.key for batch in self.read(connector, first.checkpoint) for record in batch.records}
        assert quiet["id"] in keys | {record.key for record in first.records}


class TestCounts(TargetContract):
    folder, system = "square", "tills"

    def unknown(self, delivery: Delivery) -> str:
        return "NOBODYKNOWSTHISVARIATION"

    def test_all_articles_are_found(self, connector: Any, retailer: Any):
        references = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus]
        found = connector.find("sku", references)
        assert len({remote.binding.external_id for remote in found.values()}) == 480

    def test_a_sale_after_the_as_of_stays_deducted(
        self, connector: Any, places: list[Reference], deliveries: Any, retailer: Any, clock: Any
    ):
        counted = deliveries(5)
        clock.forward(minutes=10)
        sku, location = places[0].key.split("@")
        retailer.tills.sell(location, [(sku, 2)])
        clock.forward(minutes=10)
        receipts = self.write(connector, counted, "k1")
        assert [one.remote.value["quantity"] for one in receipts] == [3, *[5] * 9]
        assert self.held(connector, places) == [3, *[5] * 9]

    def test_an_as_of_ahead_of_our_clock_is_not_sent_into_the_future(self, connector: Any, deliveries: Any, clock: Any):
        early = [replace(one, as_of=clock.now() + timedelta(minutes=3)) for one in deliveries(5)]
        assert {type(one) for one in self.write(connector, early, "k1")} == {Done}

    def test_a_count_that_grew_too_old_is_sent_again_later(self, connector: Any, deliveries: Any, clock: Any):
        old = [replace(one, as_of=clock.now() - timedelta(hours=25)) for one in deliveries(5)]
        assert {type(one) for one in self.write(connector, old, "k1")} == {Postponed}

    def test_a_hundred_a_call_and_no_more(self, connector: Any):
        assert connector.capability("stock_level").batch_size == 100
        assert connector.capability("stock_level").max_age == timedelta(hours=24)


class TestWebhooks(ListenerContract):
    folder, system, signature = "square", "tills", "x-square-hmacsha256-signature"

    def happen(self, sandbox: Any) -> None:
        sandbox.retailer.tills.sell("ST01", [(sandbox.retailer.world.skus[0].code, 1)])

    def test_a_new_order_is_a_doorbell(self, connector: Any, pushed: Pushed):
        assert list(connector.unpack(pushed)) == []
        assert connector.identity(pushed) == json.loads(pushed.body)["event_id"]

    def test_an_edit_of_the_catalog_names_the_items_and_prices_that_may_have_changed(
        self, connector: Any, sandbox: Any, clock: Any
    ):
        tills = sandbox.retailer.tills
        clock.forward(minutes=30)
        tills.reprice(tills.world.skus[0].code, 1234)
        tills.rename("JN0002", "Neu")
        tills.remove("CH0003")
        one, item = tills.catalog.variation(tills.world.skus[0].code), tills.catalog.item("JN0002")
        variations = {variation["id"] for variation in item["item_data"]["variations"]}
        gone = {row["id"]: row["type"] for row in tills.catalog.rows("ITEM", deleted=True) if row["deleted"]}
        changed = [(record.data["object"], record.key) for record in connector.unpack(self.edited(sandbox))]
        assert {record.object for record in connector.unpack(self.edited(sandbox))} == {"changed"}
        assert {key for object, key in changed if object == "product"} == {one.item_id, item["id"], *gone}
        assert {one.id, *variations} <= {key for object, key in changed if object == "price"}

    def edited(self, sandbox: Any, **change: Any) -> Pushed:
        """The last webhook, signed."""
        message, clock = sandbox.retailer.webhooks.due()[-1], sandbox.retailer.clock
        body = json.dumps({**json.loads(message.body), **change}).encode()
        headers = {name.lower(): value for name, value in sandbox.retailer.tills.sign(self.url, body).items()}
        return Pushed(system="tills", path="/", url=self.url, headers=headers, body=body, received_at=clock.now())

    def test_an_edit_without_its_time_is_refused(self, connector: Any, sandbox: Any):
        sandbox.retailer.tills.rename("JN0002", "Neu")
        with pytest.raises(Reject, match="is missing or no time"):
            list(connector.unpack(self.edited(sandbox, data={})))

    def test_the_url_entered_at_square_counts_not_the_one_behind_the_proxy(self, sandbox: Any, pushed: Pushed):
        extra = {**sandbox.connections["tills"]["extra"], "webhook_url": self.url}
        connector = build("square", context_of(sandbox, "tills", extra=extra))
        connector.verify(replace(pushed, url="http://10.0.0.7:18081/hooks/tills"))

    def test_a_message_for_another_url_is_refused(self, connector: Any, pushed: Pushed):
        with pytest.raises(Reject, match="signature does not fit"):
            connector.verify(replace(pushed, url="http://elsewhere.example/hooks"))

    @pytest.mark.parametrize(
        ("change", "place"),
        [({"event_id": ""}, "body.event_id"), ({"created_at": None}, "body.created_at"), (None, "body")],
    )
    def test_a_signed_body_that_is_no_event_is_refused(
        self, connector: Any, pushed: Pushed, sandbox: Any, change: dict[str, Any] | None, place: str
    ):
        body = json.dumps([] if change is None else {**json.loads(pushed.body), **change}).encode()
        headers = {name.lower(): value for name, value in sandbox.retailer.tills.sign(self.url, body).items()}
        with pytest.raises(Reject) as caught:
            connector.verify(replace(pushed, body=body, headers={**pushed.headers, **headers}))
        assert caught.value.path == place


# --- Square's own description ---------------------------------------------------------------------


def test_every_call_and_answer_is_as_square_describes_it(sandbox: Any, retailer: Any, clock: Any):
    square = SquareApi()
    with recorded("square", context_of(sandbox, "tills"), page_size=100) as (connector, exchanges):
        suite = TestCounts()
        places = suite.places.__wrapped__(suite, connector, retailer)  # type: ignore[attr-defined]
        make = suite.deliveries.__wrapped__(suite, places, clock)  # type: ignore[attr-defined]
        suite.write(connector, make(3), "k1")
        stranger = replace(make(4)[0], bindings={**make(4)[0].bindings, "sku": Binding(external_id="NOBODY")})
        suite.write(connector, [stranger], "k2")
        suite.held(connector, places)
        list(connector.read("orders", None))
        connector.check()
    assert {one.url.split("/v2/")[1].split("?")[0] for one in exchanges} == {
        "locations", "catalog/list", "orders/search", "inventory/changes/batch-create",
        "inventory/counts/batch-retrieve",
    }  # fmt: skip
    for one in exchanges:
        square.check_request(one.method, one.url, one.sent)
        square.check_answer(one.method, one.url, one.status, one.got)


# --- an account that misbehaves -------------------------------------------------------------------

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def account(answers: Any) -> Any:
    return serving(answers, id="tills", password="EAAA-0815")


def at(server: Server, **options: Any) -> Any:
    clock = type("Now", (), {"now": staticmethod(lambda: NOW)})()
    return build("square", Context(system="tills", connection=server.connection, clock=clock), **options)


def delivery(number: int = 1) -> Delivery:
    return Delivery(
        key=f"A{number}@ST01",
        value={"sku": f"A{number}", "location": "ST01", "quantity": 5},
        bindings={"sku": Binding(external_id=f"V{number}"), "location": Binding(external_id="L1")},
        as_of=NOW - timedelta(minutes=5),
        generation=1,
    )


def write(server: Server, *deliveries: Delivery) -> list[Any]:
    return list(at(server).write("stock_level", deliveries or [delivery()], "k1"))


def refused(*errors: dict[str, str], status: int = 400) -> Say:
    return Say(status, {"errors": [{"category": "INVALID_REQUEST_ERROR", **error} for error in errors]})


COUNTED = Say(body={"counts": [{"catalog_object_id": "V1", "location_id": "L1", "state": "IN_STOCK", "quantity": "4"}]})


def test_a_count_says_when_it_was_true_under_the_attempts_key():
    with account([COUNTED]) as server:
        (receipt,) = write(server)
    sent = server.heard[0]
    assert receipt.remote.value == {"quantity": 4}
    assert sent.json["idempotency_key"] == "k1"
    assert sent.json["changes"][0]["physical_count"]["occurred_at"] == "2026-11-22T09:55:00.000Z"
    assert (sent.headers["authorization"], sent.headers["square-version"]) == ("Bearer EAAA-0815", "2026-01-22")


def test_a_lost_answer_is_asked_for_again_under_the_same_key():
    with account([Say(hang_up=True), COUNTED]) as server, instant():
        (receipt,) = write(server)
    assert isinstance(receipt, Done)
    assert server.heard[0].body == server.heard[1].body


@pytest.mark.parametrize("broken", [Say(hang_up=True), Say(500), Say(body=b"<html>")])
def test_an_answer_that_never_comes_is_unknown(broken: Say):
    with account([broken]) as server, instant(), pytest.raises(Unknown):
        write(server)


def test_a_rate_limit_is_try_later():
    said = refused({"code": "RATE_LIMITED", "detail": "slow down"}, status=429)
    with account([said]) as server, instant(), pytest.raises(TryLater, match="slow down"):
        write(server)
    assert len(server.heard) == 4


def test_what_square_names_is_refused_and_the_neighbours_are_postponed():
    field = "changes[1].physical_count.catalog_object_id"
    with account([refused({"code": "NOT_FOUND", "detail": "no such variation", "field": field}, status=404)]) as server:
        one, two, three = write(server, delivery(1), delivery(2), delivery(3))
    assert (type(one), type(three)) == (Postponed, Postponed)
    assert two == Rejected(key="A2@ST01", path="catalog_object_id", reason="no such variation (NOT_FOUND)")


@pytest.mark.parametrize(
    "answer",
    [
        refused({"code": "BAD_REQUEST", "detail": "not like this"}),
        refused({"code": "INVALID_VALUE", "detail": "not like this", "field": "changes[7].type"}),
        Say(400, b"not like this"),
    ],
)
def test_a_refusal_of_the_whole_call_stops_the_run(answer: Say):
    with account([answer]) as server, pytest.raises(StopRun, match="refuses the counts"):
        write(server)


def test_a_wrong_token_stops_the_run_with_squares_sentence():
    said = refused({"code": "UNAUTHORIZED", "detail": "This request could not be authorized."}, status=401)
    with account([said]) as server, pytest.raises(StopRun, match="could not be authorized"):
        write(server)


def locations(count: int) -> Say:
    return Say(body={"locations": [{"id": f"L{n}", "name": f"Place {n}"} for n in range(count)]})


def test_an_account_without_locations_still_vouches_for_the_moment():
    with account([Say(body={})]) as server:
        (batch,) = at(server).read("orders", None)
    assert (list(batch.records), batch.scope.as_of, batch.more) == ([], NOW, False)


def test_an_order_without_a_time_is_refused_and_the_others_are_read():
    orders = [{"id": "a"}, {"id": "b", "updated_at": "2026-11-22T09:00:00.5Z", "closed_at": "2026-11-22T08:59:00Z"}]
    with account([locations(1), Say(body={"orders": orders})]) as server:
        (batch,) = at(server).read("orders", None)
    assert [type(record) for record in batch.records] == [Refused, Record]
    assert batch.checkpoint == Checkpoint(value={"updated_at": {"L0": "2026-11-22T09:00:00.500000+00:00"}})


def test_an_order_of_the_future_hides_none_that_come_before_it():
    times = ("2026-11-22T09:59:00Z", "2027-01-01T00:00:00Z")
    orders = [{"id": str(n), "updated_at": at, "closed_at": at} for n, at in enumerate(times)]
    with account([locations(1), Say(body={"orders": orders})]) as server:
        (batch,) = at(server).read("orders", None)
    assert len(batch.records) == 2
    assert batch.checkpoint == Checkpoint(value={"updated_at": {"L0": "2026-11-22T09:59:00.000000+00:00"}})


def test_each_group_of_locations_goes_on_where_it_stopped():
    known = {**{f"L{n}": "2026-11-22T08:00:00+00:00" for n in range(10)}, "L10": "2026-11-22T09:00:00+00:00"}

    def script(heard: Heard) -> Say:
        return locations(11) if heard.method == "GET" else Say(body={"orders": []})

    with account(script) as server:
        list(at(server, overlap="1m").read("orders", Checkpoint(value={"updated_at": known})))
    begins = [
        heard.json["query"]["filter"]["date_time_filter"]["updated_at"]["start_at"]
        for heard in server.heard
        if heard.method == "POST"
    ]
    assert begins == ["2026-11-22T07:59:00.000Z", "2026-11-22T08:59:00.000Z"]


def test_a_place_that_is_new_is_read_from_its_beginning():
    with account([locations(2), Say(body={})]) as server:
        list(at(server, history="1d").read("orders", Checkpoint(value={"updated_at": {"L0": "2026-11-22T08:00:00Z"}})))
    assert "2026-11-21T10:00:00.000Z" in server.heard[1].body.decode()


def test_a_cursor_that_leads_back_stops_the_reading():
    again = Say(body={"cursor": "again"})
    with account([locations(1), again]) as server, pytest.raises(StopRun, match="leads back"):
        list(at(server).read("orders", None))
    with account([again]) as server, pytest.raises(StopRun, match="leads back"):
        at(server).find("sku", [Reference(key="A", by={"sku": "A"})])


def test_a_deleted_variation_is_not_bound():
    data = {"item_variation_data": {"sku": "A1", "item_id": "I"}}
    objects = [{"id": "V1", "is_deleted": True, **data}, {"id": "V2", **data}]
    with account([Say(body={"objects": objects})]) as server:
        (remote,) = at(server).find("sku", [Reference(key="A1", by={"sku": "A1"})]).values()
    assert remote.binding == Binding(external_id="V2", extra={"item": "I"})
