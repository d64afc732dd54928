"""The connector shopify against the sandbox's shop, Shopify's own schema, and a shop that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from contract.suite import (
    Context,
    ListenerContract,
    SourceContract,
    TargetContract,
    build,
    context_of,
    recorded,
)
from graphql import get_operation_ast, parse
from support.loopback import Say, Server, serving
from support.vendor_specs import ShopifyAdmin

from connectors.shopify import documents, order_documents, price_documents, product_documents
from hub.errors import Reject, StopRun, TryLater, Unknown
from hub.model import (
    CHANGED,
    Binding,
    Checkpoint,
    Conflict,
    Delivery,
    Done,
    Doubtful,
    Postponed,
    Pushed,
    Record,
    Reference,
    Refused,
    Rejected,
)
from hub.sandbox.shop.cost import Meter
from hub.sandbox.shop.resolvers import schema as shop_schema
from hub.transport.retry import instant

THROTTLE = {"maximumAvailable": 2000.0, "currentlyAvailable": 1900.0, "restoreRate": 100.0}


class TestOrders(SourceContract):
    folder, system, object = "shopify", "shop", "orders"

    def test_the_orders_come_untouched_oldest_change_first(self, connector: Any):
        (batch,) = self.read(connector)
        assert len(batch.records) == 40
        assert [record.source_version for record in batch.records] == sorted(r.source_version for r in batch.records)
        order = batch.records[0]
        assert order.key == str(order.data["id"])
        assert order.event_time == datetime.fromisoformat(order.data["updated_at"])

    def test_pages_follow_the_link_header(self, context: Context):
        connector = build("shopify", context, page_size=7)
        batches = self.read(connector)
        assert [len(batch.records) for batch in batches] == [7, 7, 7, 7, 7, 5]
        assert len({record.key for batch in batches for record in batch.records}) == 40

    def test_a_cancelled_order_is_read_again(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(hours=1)
        order = retailer.shop.order([(retailer.world.skus[0].code, 2)])
        clock.forward(hours=1)
        retailer.shop.cancel(order["id"])
        (batch,) = self.read(connector, done)
        found = {record.key: record for record in batch.records}
        assert found[str(order["id"])].data["cancelled_at"]

    def test_an_order_paid_in_several_ways_says_how_much_in_which(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(hours=1)
        ways = (("gift_card", 500), ("shopify_payments", None))
        order = retailer.shop.order([(retailer.world.skus[0].code, 2)], payments=ways)
        (batch,) = self.read(connector, done)
        found = {record.key: record.data for record in batch.records}[str(order["id"])]
        assert [(t["gateway"], t["kind"], t["status"]) for t in found["transactions"]] == [
            ("gift_card", "sale", "success"),
            ("shopify_payments", "sale", "success"),
        ]
        assert found["transactions"][0]["amount"] == "5.00"

    def test_nothing_new_still_vouches_for_the_moment(self, connector: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(hours=1)
        (batch,) = self.read(connector, done)
        assert (batch.scope.as_of, batch.checkpoint) == (clock.now(), done)

    def test_a_rest_call_is_taken_as_points_unless_the_budget_counts_calls(self, sandbox: Any):
        points, calls = context_of(sandbox, "shop"), context_of(sandbox, "shop")
        self.read(build("shopify", points))
        self.read(build("shopify", calls, api="rest"))
        assert (points.budget.taken[0], calls.budget.taken) == (50.0, [1.0])
        assert calls.budget.left  # what the shop's own header says


class TestGraphql(TargetContract):
    folder, system = "shopify", "shop"

    def test_an_article_without_a_sku_is_found_by_its_barcode(self, connector: Any, retailer: Any):
        references = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus]
        found = connector.find("sku", references)
        assert len(found) == 480
        assert sorted({remote.matched for remote in found.values()}) == ["gtin", "sku"]
        assert len({remote.binding.external_id for remote in found.values()}) == 480

    def test_all_levels_of_a_place_are_read_within_the_budget_of_a_moment(self, connector: Any, retailer: Any):
        """480 levels cost two pages, not 480 questions."""
        references = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus]
        skus = connector.find("sku", references)
        place = retailer.world.location("ST03")
        location = Reference(key="ST03", by={"name": place.name})
        bound = connector.find("location", [location])[location].binding
        budget = connector.context.budget
        budget.taken.clear()
        levels = [
            Reference(key=f"{sku.key}@ST03", bindings={"sku": remote.binding, "location": bound})
            for sku, remote in skus.items()
        ]
        found = connector.find("stock_level", levels)
        held = retailer.shop.levels()
        assert {one.key: remote.value["quantity"] for one, remote in found.items()} == {
            key: quantity for key, quantity in held.items() if key in {one.key for one in levels}
        }
        assert 0 < sum(budget.taken) < 100

    def test_a_sale_between_two_writes_is_a_conflict_that_tells_what_is_there(
        self, connector: Any, places: list[Reference], deliveries: Any, retailer: Any
    ):
        self.write(connector, deliveries(9), "k1")
        sku, location = places[2].key.split("@")
        retailer.shop.set_available(sku, location, 8)
        before = [replace(one, previous={"quantity": 9}) for one in deliveries(4)]
        receipts = self.write(connector, before, "k2")
        assert receipts[2] == Conflict(key=places[2].key, remote=receipts[2].remote)
        assert receipts[2].remote.value == {"quantity": 8}
        assert {type(one) for n, one in enumerate(receipts) if n != 2} == {Postponed}
        assert self.held(connector, places) == [9, 9, 8, *[9] * 7]

    def test_what_was_last_confirmed_is_compared(self, connector: Any, places: list[Reference], deliveries: Any):
        self.write(connector, deliveries(9), "k1")
        again = [replace(one, previous={"quantity": 9}) for one in deliveries(4)]
        assert {type(one) for one in self.write(connector, again, "k2")} == {Done}
        assert self.held(connector, places) == [4] * 10

    def test_a_quantity_that_the_shop_refuses_is_refused_alone(self, connector: Any, deliveries: Any):
        one, two = deliveries(5)[:2]
        absurd = replace(two, value={**two.value, "quantity": 2_000_000_000})
        receipts = self.write(connector, [one, absurd], "k1")
        assert (type(receipts[0]), type(receipts[1])) == (Postponed, Rejected)
        assert (receipts[1].path, "1,000,000,000" in receipts[1].reason) == ("quantity", True)

    def test_a_key_that_failed_before_postpones_everything(self, connector: Any, deliveries: Any):
        """The answer to the first call was lost; it had changed nothing."""
        stale = [replace(one, previous={"quantity": 123456}) for one in deliveries(4)]
        self.write(connector, stale, "k1")
        assert {type(one) for one in self.write(connector, stale, "k1")} == {Postponed}

    def test_the_true_cost_of_a_query_corrects_the_budget(self, connector: Any, context: Context):
        connector.find("location", [Reference(key="X", by={"name": "x"})])
        assert context.budget.taken[0] == documents.LOCATIONS_COST
        assert 0 < sum(context.budget.taken) <= documents.LOCATIONS_COST
        assert context.budget.left

    def test_a_key_with_another_content_is_a_fault_of_ours(self, connector: Any, deliveries: Any):
        self.write(connector, deliveries(4), "k1")
        with pytest.raises(StopRun, match="IDEMPOTENCY_KEY_PARAMETER_MISMATCH"):
            self.write(connector, deliveries(5), "k1")


class TestRest(TargetContract):
    folder, system, options = "shopify", "shop", {"api": "rest"}

    def test_one_level_a_call(self, connector: Any, deliveries: Any, sandbox: Any, places: list[Reference]):
        self.write(connector, deliveries(4), "k1")
        writes = sandbox.retailer.ledger.writes("shop")
        assert len(writes) == 10
        assert all(call.path.endswith("/inventory_levels/set.json") for call in writes)

    def test_a_404_from_the_shop_refuses_that_level(self, connector: Any, deliveries: Any):
        one = deliveries(4)[0]
        stranger = replace(one, bindings={**one.bindings, "sku": Binding(external_id="gid://shopify/InventoryItem/1")})
        (receipt,) = self.write(connector, [stranger], "k1")
        assert isinstance(receipt, Rejected)
        assert "404" in receipt.reason


class TestAuto(TargetContract):
    folder, system, options = "shopify", "shop", {"api": "auto"}

    def test_a_few_unknown_levels_go_by_rest_and_many_or_known_ones_by_graphql(
        self, connector: Any, deliveries: Any, sandbox: Any
    ):
        few = deliveries(4)[:3]
        self.write(connector, few, "k1")
        self.write(connector, [replace(few[0], previous={"quantity": 4})], "k2")
        self.write(connector, deliveries(4), "k3")
        paths = [call.path.rsplit("/", 1)[-1] for call in sandbox.retailer.ledger.writes("shop")]
        assert paths == ["set.json"] * 3 + ["graphql.json"] * 2


class TestWebhooks(ListenerContract):
    folder, system, signature = "shopify", "shop", "x-shopify-hmac-sha256"

    def happen(self, sandbox: Any) -> None:
        sandbox.retailer.shop.order([(sandbox.retailer.world.skus[0].code, 2)])

    def test_the_order_is_unpacked_as_it_is_read(self, connector: Any, pushed: Pushed):
        (record,) = connector.unpack(pushed)
        (read,) = [r for batch in connector.read("orders", None) for r in batch.records if r.key == record.key]
        assert (record.object, record.data, record.source_version) == ("orders", read.data, read.source_version)
        assert record.origin.message == connector.identity(pushed)

    def test_an_order_paid_in_several_ways_is_only_a_doorbell(self, connector: Any, pushed: Pushed):
        split = json.dumps({**json.loads(pushed.body), "payment_gateway_names": ["gift_card", "shopify_payments"]})
        assert list(connector.unpack(replace(pushed, body=split.encode()))) == []

    def test_another_topic_holds_nothing_for_us(self, connector: Any, pushed: Pushed):
        for topic in ("carts/update", "orders/edited", "refunds/create"):
            other = replace(pushed, headers={**pushed.headers, "x-shopify-topic": topic})
            assert list(connector.unpack(other)) == []

    def test_an_edited_product_says_that_it_and_its_prices_are_to_be_read(self, connector: Any, pushed: Pushed):
        body = b'{"id": 7, "title": "New", "variants": [{"id": 8, "inventory_item_id": 9, "price": "1.00"}]}'
        edited = replace(pushed, body=body, headers={**pushed.headers, "x-shopify-topic": "products/update"})
        assert [(r.object, r.key, r.data) for r in connector.unpack(edited)] == [
            (CHANGED, "gid://shopify/Product/7", {"object": "product"}),
            (CHANGED, "gid://shopify/InventoryItem/9", {"object": "price"}),
        ]

    def test_the_last_repetition_after_four_hours_is_still_believed(self, connector: Any, pushed: Pushed):
        connector.verify(replace(pushed, received_at=pushed.received_at + timedelta(hours=4, minutes=10)))

    def test_a_time_with_nanoseconds_is_understood(self, connector: Any, pushed: Pushed):
        at = pushed.headers["x-shopify-triggered-at"].replace("+00:00", ".123456789Z")
        connector.verify(replace(pushed, headers={**pushed.headers, "x-shopify-triggered-at": at}))

    @pytest.mark.parametrize("name", ["x-shopify-webhook-id", "x-shopify-topic", "x-shopify-triggered-at"])
    def test_a_message_without_its_names_is_refused(self, connector: Any, pushed: Pushed, name: str):
        with pytest.raises(Reject, match=name):
            connector.verify(replace(pushed, headers={**pushed.headers, name: ""}))

    def test_a_body_that_is_no_order_is_refused(self, connector: Any, pushed: Pushed):
        for body in (b"{", b"[]", b"{}"):
            with pytest.raises(Reject):
                list(connector.unpack(replace(pushed, body=body)))


# --- Shopify's own schema -------------------------------------------------------------------------


DOCUMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in (documents, order_documents, price_documents, product_documents)
    for name, text in vars(module).items()
    if isinstance(text, str) and text.lstrip().startswith(("query", "mutation"))
}
MADE = {
    "levels_of": documents.levels_of(3),
    "by_handles": product_documents.by_handles(2),
    "products": product_documents.products(["en", "pt-BR"]),
    "all_products": product_documents.all_products(["en", "de"]),
    "all_media": product_documents.all_media(["en"]),
}


@pytest.mark.parametrize("document", [*DOCUMENTS.values(), *MADE.values()], ids=[*DOCUMENTS, *MADE])
def test_shopify_would_accept_every_document_that_is_sent(document: str):
    ShopifyAdmin().check_document(document)


COSTS = {
    **{f"{m.__name__.rpartition('.')[2]}.{n}": (text, getattr(m, f"{n}_COST"))
       for m in (documents, order_documents, price_documents, product_documents)
       for n, text in vars(m).items() if hasattr(m, f"{n}_COST")},
    "price_documents.PRICES": (price_documents.PRICES, price_documents.PRICE_COST),
    "levels_of": (MADE["levels_of"], 3 * documents.LEVEL_COST),
    "by_handles": (MADE["by_handles"], 2 * product_documents.HANDLES_COST),
    "products": (MADE["products"], product_documents.PRODUCT_COST),
    "all_products": (MADE["all_products"], product_documents.PRODUCTS_COST),
    "all_media": (MADE["all_media"], product_documents.REST_COST),
}  # fmt: skip


@pytest.mark.parametrize(("document", "taken"), COSTS.values(), ids=list(COSTS))
def test_no_document_costs_more_than_is_taken_for_it(document: str, taken: float):
    """One id of a list; by the weights that reproduce every cost published for this API."""
    parsed = parse(document)
    operation = get_operation_ast(parsed)
    assert operation is not None
    root = shop_schema().type_map["Mutation" if operation.operation.value == "mutation" else "QueryRoot"]
    assert Meter(shop_schema(), parsed, {"ids": ["1"]}).operation(root, operation.selection_set) <= taken


def test_every_graphql_call_and_answer_is_as_shopify_describes_it(sandbox: Any, retailer: Any, clock: Any):
    admin = ShopifyAdmin()
    with recorded("shopify", context_of(sandbox, "shop")) as (connector, exchanges):
        suite = TestGraphql()
        places = suite.places.__wrapped__(suite, connector, retailer)  # type: ignore[attr-defined]
        make = suite.deliveries.__wrapped__(suite, places, clock)  # type: ignore[attr-defined]
        suite.write(connector, make(3), "k1")
        suite.write(connector, [replace(one, previous={"quantity": 1}) for one in make(4)], "k2")
        suite.held(connector, places)
    spoken = [one for one in exchanges if one.url.endswith("graphql.json")]
    assert len(spoken) >= 5
    for one in spoken:
        assert not one.got.get("errors")
        admin.check_answer(one.sent["query"], one.got["data"], one.sent["variables"])


# --- a shop that misbehaves -----------------------------------------------------------------------


def shop(answers: Sequence[Say] | Callable[..., Say]) -> Any:
    return serving(answers, password="shpat_0815")


def at(server: Server, **options: Any) -> Any:
    clock = type("Now", (), {"now": staticmethod(lambda: datetime(2026, 11, 22, 10, tzinfo=UTC))})()
    return build("shopify", Context(system="shop", connection=server.connection, clock=clock), **options)


def delivery(number: int = 1, **changes: Any) -> Delivery:
    bindings = {
        "sku": Binding(external_id=f"gid://shopify/InventoryItem/{number}"),
        "location": Binding(external_id="gid://shopify/Location/7"),
    }
    made = Delivery(
        key=f"A{number}@ST01",
        value={"sku": f"A{number}", "location": "ST01", "quantity": 5},
        bindings=bindings,
        as_of=datetime(2026, 11, 22, 10, tzinfo=UTC),
        generation=1,
    )
    return replace(made, **changes)


def said(*errors: dict[str, Any], **status: Any) -> Say:
    data = {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": list(errors)}}
    cost = {"requestedQueryCost": 11, "actualQueryCost": 11, "throttleStatus": {**THROTTLE, **status}}
    return Say(body={"data": data, "extensions": {"cost": cost}})


def graphql_error(code: str, **cost: Any) -> Say:
    error = {"message": code.lower(), "extensions": {"code": code}}
    return Say(body={"errors": [error], "extensions": {"cost": {"throttleStatus": THROTTLE, **cost}}})


def write(server: Server, *deliveries: Delivery, **options: Any) -> list[Any]:
    return list(at(server, **options).write("stock_level", deliveries or [delivery()], "k1"))


def test_throttled_waits_as_long_as_the_bucket_needs():
    throttled = graphql_error(
        "THROTTLED", requestedQueryCost=300, throttleStatus={**THROTTLE, "currentlyAvailable": 50.0}
    )
    with shop([throttled, said()]) as server, instant() as pauses:
        (receipt,) = write(server)
    assert isinstance(receipt, Done)
    assert 2.5 <= pauses[0] <= 2.6


def test_throttled_for_long_is_left_to_the_engine_with_its_delay():
    cost = {"requestedQueryCost": 1000, "throttleStatus": {**THROTTLE, "currentlyAvailable": 0.0, "restoreRate": 20.0}}
    with shop([graphql_error("THROTTLED", **cost)]) as server, instant(), pytest.raises(TryLater) as caught:
        write(server)
    assert caught.value.delay == 50.0


def test_a_lost_answer_is_asked_for_again_under_the_same_key():
    with shop([Say(hang_up=True), said()]) as server, instant():
        (receipt,) = write(server)
    assert isinstance(receipt, Done)
    assert server.heard[0].body == server.heard[1].body
    assert server.heard[0].json["variables"]["key"] == "k1"


def test_an_answer_that_never_comes_is_unknown():
    with shop([Say(hang_up=True)]) as server, instant(), pytest.raises(Unknown):
        write(server)


@pytest.mark.parametrize(
    "broken", [Say(500), graphql_error("INTERNAL_SERVER_ERROR"), Say(body=b"<html>"), Say(body={})]
)
def test_a_broken_answer_to_a_write_is_unknown_too(broken: Say):
    with shop([broken]) as server, instant(), pytest.raises(Unknown):
        write(server)


def test_a_request_that_is_still_running_there_is_waited_for():
    running = {"code": "IDEMPOTENCY_CONCURRENT_REQUEST", "field": None, "message": "in progress"}
    with shop([said(running), said(running), said()]) as server, instant():
        (receipt,) = write(server)
    assert isinstance(receipt, Done)


@pytest.mark.parametrize("code", ["ACCESS_DENIED", "MAX_COST_EXCEEDED", None])
def test_a_refused_query_stops_the_run(code: str | None):
    with shop([graphql_error(code or "")]) as server, instant(), pytest.raises(StopRun, match="refused the query"):
        write(server)


def test_an_error_about_the_whole_call_stops_the_run():
    wrong = {"code": "INVALID_REASON", "field": ["input", "reason"], "message": "The specified reason is invalid."}
    with shop([said(wrong)]) as server, pytest.raises(StopRun, match="reason is invalid"):
        write(server)


def test_a_conflict_whose_value_cannot_be_read_is_a_conflict_all_the_same():
    stale = {"code": "CHANGE_FROM_QUANTITY_STALE", "field": ["input", "quantities", "0", "x"], "message": "stale"}
    with shop([said(stale), Say(401)]) as server, instant():
        assert write(server) == [Conflict(key="A1@ST01")]


def level_set(available: int = 5) -> Say:
    return Say(body={"inventory_level": {"inventory_item_id": 1, "location_id": 7, "available": available}})


def test_by_rest_a_lost_answer_puts_one_level_in_doubt_and_postpones_the_rest():
    with shop([level_set(), Say(hang_up=True)]) as server, instant():
        receipts = write(server, delivery(1), delivery(2), delivery(3), api="auto")
    assert [type(one) for one in receipts] == [Done, Doubtful, Postponed]
    assert len(server.heard) == 2


def test_by_rest_a_limit_in_the_middle_postpones_the_rest():
    with shop([level_set(), Say(429, headers={"Retry-After": "2.0"})]) as server, instant():
        receipts = write(server, delivery(1), delivery(2), delivery(3), api="auto")
    assert [type(one) for one in receipts] == [Done, Postponed, Postponed]
    assert receipts[1].delay == 2.0


@pytest.mark.parametrize(("answer", "expected"), [(Say(429), TryLater), (Say(hang_up=True), Unknown)])
def test_by_rest_a_single_call_raises_what_became_of_it(answer: Say, expected: type[Exception]):
    with shop([answer]) as server, instant(), pytest.raises(expected):
        write(server, api="rest")


def test_by_rest_a_refused_quantity_is_named():
    with shop([Say(422, {"errors": {"available": ["must be a number"]}})]) as server:
        (receipt,) = write(server, api="rest")
    assert (receipt.path, "must be a number" in receipt.reason) == ("quantity", True)


def test_two_variants_with_one_sku_bind_neither(caplog: pytest.LogCaptureFixture):
    nodes = [
        {
            "id": f"v{n}",
            "sku": "A1 ",
            "barcode": None,
            "product": {"id": "p"},
            "inventoryItem": {"id": f"gid://shopify/InventoryItem/{n}"},
        }
        for n in range(2)
    ]
    connection = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    with shop([Say(body={"data": {"productVariants": connection}})]) as server:
        assert at(server).find("sku", [Reference(key="A1", by={"sku": "a1"})]) == {}
    assert "2 objects with sku a1" in caplog.text


def test_a_cursor_that_leads_back_stops_the_reading():
    connection = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "again"}}
    with shop([Say(body={"data": {"locations": connection}})]) as server, pytest.raises(StopRun, match="leads back"):
        at(server).find("location", [Reference(key="X", by={"name": "x"})])


def test_an_order_without_a_time_is_refused_and_the_others_are_read():
    body = json.dumps({"orders": [{"id": 1}, {"id": 2, "updated_at": "2026-11-22T10:00:00+01:00"}]}).encode()
    with shop([Say(body=body)]) as server:
        (batch,) = at(server).read("orders", None)
    first, second = batch.records
    assert (type(first), type(second)) == (Refused, Record)
    assert batch.checkpoint == Checkpoint(value={"updated_at": "2026-11-22T09:00:00.000000+00:00"})


def test_an_order_of_the_future_hides_none_that_come_before_it():
    times = ("2026-11-22T09:59:00Z", "2027-01-01T00:00:00Z")
    orders = [{"id": n, "updated_at": at} for n, at in enumerate(times, 1)]
    with shop([Say(body={"orders": orders}), Say(body={"orders": []})]) as server:
        (batch,) = at(server).read("orders", None)
        list(at(server, overlap="1m").read("orders", batch.checkpoint))
    assert len(batch.records) == 2
    assert server.heard[1].query["updated_at_min"] == ["2026-11-22T09:58:00.000Z"]


def test_the_first_read_reaches_back_as_far_as_it_is_told():
    with shop([Say(body={"orders": []})]) as server:
        list(at(server, history="10d").read("orders", None))
    assert server.heard[0].query["updated_at_min"] == ["2026-11-12T10:00:00.000Z"]


def test_without_a_token_the_connection_is_named():
    with serving([Say()]) as server, pytest.raises(StopRun, match="connection shop: has no password"):
        at(server)


def test_an_article_and_a_place_with_one_number_are_told_apart():
    bindings = {
        "sku": Binding(external_id="gid://shopify/InventoryItem/7"),
        "location": Binding(external_id="gid://shopify/Location/7"),
    }
    reference = Reference(key="A@B", bindings=bindings)
    levels = [{"inventory_item_id": 7, "location_id": 7, "available": 3}]
    with shop([Say(body={"inventory_levels": levels})]) as server:
        found = at(server, api="rest").find("stock_level", [reference])
    assert found[reference].value == {"quantity": 3}
