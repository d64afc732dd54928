"""Sales orders into the sandbox's ERP, and what it tells of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from contract.suite import Context, SourceContract, build, context_of
from support.loopback import Heard, Say, serving

from hub.errors import StopRun, TryLater, Unknown
from hub.model import Binding, Delivery, Done, Doubtful, Reference, Rejected

OPTIONS = {"wsdl": "/erp/StockService?wsdl"}
ENVELOPE = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
PERSONAL = {
    "customer": {"id": "C7", "name": "Zoé 🦊 Martin\x0b", "email": "zoe@example.org"},
    "ship_to": {"name": "Zoé Martin", "street": "1 rue de Rivoli", "city": "Paris", "country": "FR"},
    "note": "sonnez\x00 deux fois",
}  # fmt: skip


class TestItems(SourceContract):
    folder, system, object, options = "soap_erp", "erp", "items", OPTIONS

    def test_every_article_is_told_once_also_those_that_nobody_has_received(self, connector: Any):
        records = [record for batch in self.read(connector) for record in batch.records]
        codes = {record.data["ITMREF"].strip().upper() for record in records}
        assert len(records) == len(codes) == 492
        assert {code[:6] for code in codes} >= {"TS0001", "NV0121", "NV0122", "NV0123"}


class TestPrices(SourceContract):
    folder, system, object, options = "soap_erp", "erp", "prices", OPTIONS

    def test_a_new_price_is_told_by_the_next_read_alone(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(minutes=10)
        number = retailer.erp.set_price(retailer.world.skus[7].code, "12.00", list="RETAIL")
        (batch,) = self.read(connector, done)
        assert [(one.key, one.data["PRI"], one.data["STRDAT"]) for one in batch.records] == [
            (number, "12.00", "20261122")
        ]


class TestPromotions(SourceContract):
    folder, system, object, options = "soap_erp", "erp", "promotions", {**OPTIONS, "page_size": 10}


@pytest.fixture
def connector(sandbox: Any) -> Any:
    return build("soap_erp", context_of(sandbox, "erp"), **OPTIONS)


@pytest.fixture
def order(retailer: Any) -> dict[str, Any]:
    """What the engine wants the ERP to hold: two articles, a coupon, a gift card and a card."""
    first, second = (sku.code for sku in retailer.world.skus[:2])
    return {
        "channel": "shop",
        "kind": "order",
        "placed_at": "2026-11-22T10:00:00.250000+00:00",
        "currency": "EUR",
        "lines": [
            {"line": "11", "sku": first, "quantity": 2, "unit_price": "19.90", "discount": "3.98", "total": "35.82"},
            {"line": "12", "sku": second, "quantity": 1, "unit_price": "10", "total": "10", "location": "ST05"},
        ],
        "discounts": [{"code": "NOEL10", "amount": "3.98"}],
        "gift_cards": [{"id": "8GF4", "amount": "10.00"}],
        "payments": [{"id": "p1", "method": "card", "amount": "40.72", "at": "2026-11-22T11:00:01+01:00"}],
        "shipping": "4.90",
        "tax": "8.45",
        "total": "50.72",
        "state": "open",
        "returns": [],
    }


def delivery(key: str, value: Mapping[str, Any], previous: Mapping[str, Any] | None = None, **more: Any) -> Delivery:
    changed = frozenset(name for name in value if previous is None or previous.get(name) != value[name])
    return Delivery(
        key=key,
        value={"order": key, "personal": PERSONAL, **value, **more},
        changed=changed,
        previous=previous,
        bindings={"order": Binding(external_id="SO00000001")} if previous else {},
        as_of=None,  # type: ignore[arg-type]  (an order carries none)
        generation=1,
    )


def write(connector: Any, *deliveries: Delivery) -> list[Any]:
    return list(connector.write("order", list(deliveries), "key"))


def held(connector: Any, key: str, wanted: Mapping[str, Any] | None = None) -> Any:
    reference = Reference(key=key, value=wanted or {})
    return connector.find("order", [reference])[reference]


def test_an_order_is_taken_and_read_back_as_it_was_sent(connector: Any, order: dict[str, Any]):
    (receipt,) = write(connector, delivery("SHOP-1001", order))
    assert isinstance(receipt, Done)
    assert receipt.remote.value == order
    assert receipt.remote.binding == Binding(external_id="SO00000001")
    found = held(connector, "SHOP-1001", order)
    assert (found.value, found.binding) == (order, receipt.remote.binding)


def test_without_our_words_the_erps_own_are_read(connector: Any, order: dict[str, Any]):
    write(connector, delivery("SHOP-1001", order))
    found = held(connector, "SHOP-1001").value
    assert found["placed_at"] == "2026-11-22T11:00:00+01:00"
    assert found["lines"][1] == {
        "line": "12",
        "sku": order["lines"][1]["sku"],
        "quantity": 1,
        "unit_price": "10.00",
        "total": "10.00",
        "location": "ST05",
    }
    assert (found["kind"], found["total"], found["payments"]) == (
        "order",
        "50.72",
        [{"id": "p1", "method": "card", "amount": "40.72", "at": "2026-11-22T11:00:01+01:00"}],
    )


def test_what_differs_is_told_as_the_erp_holds_it(connector: Any, order: dict[str, Any]):
    write(connector, delivery("SHOP-1001", order))
    found = held(connector, "SHOP-1001", {**order, "total": "51.72"}).value
    assert {name for name in order if found[name] != {**order, "total": "51.72"}[name]} == {"total"}


def test_an_order_that_the_erp_does_not_hold_is_left_out(connector: Any):
    assert connector.find("order", [Reference(key="SHOP-1"), Reference(key="SHOP-2")]) == {}


def test_fifty_one_orders_are_read_back_in_two_calls(connector: Any, sandbox: Any):
    connector.find("order", [Reference(key=f"SHOP-{n}") for n in range(51)])
    asked = [c for c in sandbox.retailer.ledger.calls("erp") if c.operation == "ReadSalesDocuments"]
    assert [len(call.detail["Reference"]) for call in asked] == [50, 1]


def test_the_second_document_of_a_reference_is_read_back_and_not_made(
    connector: Any, order: dict[str, Any], retailer: Any
):
    write(connector, delivery("SHOP-1001", order))
    (again,) = write(connector, delivery("SHOP-1001", order))
    assert again == Doubtful(key="SHOP-1001", reason="the ERP holds it already as SO00000001")
    assert [sale.reference for sale in retailer.erp.sales.changed("", 0, 100)] == ["SHOP-1001"]


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"currency": "CHF"}, "currency", "the books are kept in EUR, not in CHF (ERP-CUR)"),
        ({"total": "50.00"}, "total", "lines and shipping make 50.72, and the document says 50.00 (ERP-TOT)"),
        ({"total": "50.725"}, "total", "50.725 is finer than a cent, which the ERP's books cannot hold"),
        ({"personal": {}}, "ship_to.country", "an order needs an address with a country (ERP-CRY)"),
        ({"sku": "NO-SUCH-1"}, "lines[1].sku", "there is no article NO-SUCH-1 (ERP-ITEM)"),
        ({"location": "ST99"}, "lines[1].location", "the table of sites has no ST99 (ERP-SITE)"),
        ({"quantity": 3}, "lines[1].total",
         "quantity by price less discount is 30.00, and the line says 10.00 (ERP-TOT)"),
    ],
)  # fmt: skip
def test_one_that_the_erp_refuses_says_why_and_the_others_go_on(
    connector: Any, order: dict[str, Any], change: dict[str, Any], path: str, reason: str
):
    line = {**order["lines"][1], **{n: change[n] for n in ("sku", "location", "quantity") if n in change}}
    wrong = {**order, **change, "lines": [order["lines"][0], line]}
    refused, taken = write(connector, delivery("SHOP-1", wrong), delivery("SHOP-2", order))
    assert refused == Rejected(key="SHOP-1", path=path, reason=reason)
    assert isinstance(taken, Done)


def test_a_till_ticket_needs_no_address_and_is_booked(connector: Any, order: dict[str, Any], retailer: Any):
    key = "TILLS-ST05-20261122-1-0005-03-81"
    (receipt,) = write(connector, delivery(key, {**order, "kind": "ticket"}, personal={}))
    assert isinstance(receipt, Done)
    assert retailer.erp.sales.sale(key).status == 5


def test_a_persons_words_arrive_without_what_xml_cannot_carry(connector: Any, order: dict[str, Any], retailer: Any):
    write(connector, delivery("SHOP-1001", order))
    content = retailer.erp.sales.sale("SHOP-1001").content
    assert content["Customer"] == [{"BPCNUM": "C7", "BPCNAM": "Zoé 🦊 Martin ", "WEB": "zoe@example.org"}]
    assert content["NOTE"] == "sonnez  deux fois"
    assert content["Address"][0]["CRY"] == "FR"


def test_a_changed_quantity_is_revised_and_the_address_stays(connector: Any, order: dict[str, Any], retailer: Any):
    write(connector, delivery("SHOP-1001", order))
    first = {**order["lines"][0], "quantity": 1, "discount": "1.99", "total": "17.91"}
    wanted = {**order, "lines": [first, order["lines"][1]], "total": "32.81"}
    (receipt,) = write(connector, delivery("SHOP-1001", wanted, order, personal={}))
    assert isinstance(receipt, Done)
    assert held(connector, "SHOP-1001", wanted).value == wanted
    assert retailer.erp.sales.sale("SHOP-1001").content["Address"][0]["CRY"] == "FR"


def test_a_payment_after_the_parcel_left_is_booked_and_other_pieces_are_refused(
    connector: Any, order: dict[str, Any], retailer: Any
):
    write(connector, delivery("SHOP-1001", order))
    retailer.erp.accept("SHOP-1001")
    retailer.erp.ship("SHOP-1001")
    paid = {**order, "payments": [*order["payments"], {"id": "p2", "method": "card", "amount": "1.00"}]}
    assert isinstance(write(connector, delivery("SHOP-1001", paid, order))[0], Done)
    less = {**paid, "lines": [order["lines"][0]], "total": "40.72"}
    (refused,) = write(connector, delivery("SHOP-1001", less, paid))
    assert refused == Rejected(
        key="SHOP-1001", path="order", reason="pieces of SO00000001 have left already (ERP-SHIPPED)"
    )


def test_a_cancellation_is_carried_out_until_it_has_left(connector: Any, order: dict[str, Any], retailer: Any):
    write(connector, delivery("SHOP-1", order), delivery("SHOP-2", order))
    retailer.erp.accept("SHOP-2")
    retailer.erp.ship("SHOP-2")
    cancelled = {**order, "state": "cancelled"}
    done, refused = write(connector, delivery("SHOP-1", cancelled, order), delivery("SHOP-2", cancelled, order))
    assert isinstance(done, Done)
    assert refused == Rejected(
        key="SHOP-2", path="state", reason="pieces of SO00000002 have left already (ERP-SHIPPED)"
    )
    assert held(connector, "SHOP-1", cancelled).value == cancelled


def test_an_order_cancelled_before_the_erp_heard_of_it_arrives_cancelled(connector: Any, order: dict[str, Any]):
    cancelled = {**order, "state": "cancelled"}
    (receipt,) = write(connector, delivery("SHOP-1001", cancelled))
    assert isinstance(receipt, Done)
    assert held(connector, "SHOP-1001", cancelled).value == cancelled


def a_return(order: Mapping[str, Any], id: str, **more: Any) -> dict[str, Any]:
    line = {"line": "11", "sku": order["lines"][0]["sku"], "quantity": 1, "restock": True, "location": "WH1"}
    return {"id": id, "kind": "return", "amount": "17.91", "lines": [line], **more}


def test_a_return_is_entered_once_and_restocked_where_it_was_received(
    connector: Any, order: dict[str, Any], retailer: Any
):
    write(connector, delivery("SHOP-1001", order))
    sku = order["lines"][0]["sku"]
    before = retailer.erp.level(sku, "WH1")
    wanted = {**order, "returns": [a_return(order, "SHOP-R1")]}
    assert isinstance(write(connector, delivery("SHOP-1001", wanted, order))[0], Done)
    assert isinstance(write(connector, delivery("SHOP-1001", wanted, order))[0], Done)
    assert held(connector, "SHOP-1001", wanted).value == wanted
    assert retailer.erp.level(sku, "WH1") == before + 1


def test_a_return_entered_at_the_erp_is_held_under_its_own_name_and_never_sent(
    connector: Any, order: dict[str, Any], retailer: Any
):
    write(connector, delivery("SHOP-1001", order))
    number = retailer.erp.receive_return("SHOP-1001", {"11": 1})
    own = a_return(order, f"ERP-{number}")
    assert held(connector, "SHOP-1001", order).value["returns"] == [own]
    wanted = {**order, "returns": [own]}
    assert isinstance(write(connector, delivery("SHOP-1001", wanted, order))[0], Done)
    assert len(retailer.erp.sales.returns_of("SHOP-1001")) == 1


def test_a_return_of_an_article_that_nobody_knows_is_named(connector: Any, order: dict[str, Any]):
    write(connector, delivery("SHOP-1001", order))
    odd = {"id": "SHOP-R2", "kind": "refund", "amount": "1.00", "lines": [{"sku": "NO-SUCH-1", "quantity": 1}]}
    wanted = {**order, "returns": [a_return(order, "SHOP-R1"), odd]}
    (refused,) = write(connector, delivery("SHOP-1001", wanted, order))
    assert refused == Rejected(
        key="SHOP-1001", path="returns[1].lines[0].sku", reason="there is no article NO-SUCH-1 (ERP-ITEM)"
    )


def test_an_order_too_large_for_one_message_is_refused_alone(connector: Any, order: dict[str, Any]):
    line = {**order["lines"][0], "quantity": 1, "discount": "0", "unit_price": "1.00", "total": "1.00"}
    many = [{**line, "line": f"{n:0100d}"} for n in range(4000)]
    huge = {**order, "lines": many, "total": "4004.90"}
    refused, taken = write(connector, delivery("SHOP-1", huge), delivery("SHOP-2", order))
    assert refused == Rejected(
        key="SHOP-1", path="lines", reason="the order is larger than the ERP takes in one message"
    )
    assert isinstance(taken, Done)


def test_objects_that_it_does_not_take_stop_the_run(connector: Any):
    for attempt in (
        lambda: list(connector.write("unicorns", [], "k")),
        lambda: connector.find("unicorns", []),
        lambda: connector.capability("unicorns"),
    ):
        with pytest.raises(StopRun, match="not unicorns"):
            attempt()


def test_it_promises_what_it_keeps(connector: Any):
    capability = connector.capability("order")
    assert (capability.batch_size, capability.idempotency, capability.compare_and_set) == (25, None, False)
    assert capability.read_back is not None


# --- what becomes of orders -----------------------------------------------------------------------


def told(connector: Any, object: str) -> list[Mapping[str, Any]]:
    return [record.data for batch in connector.read(object, None) for record in batch.records]


def test_acceptance_shipment_and_return_are_told(connector: Any, order: dict[str, Any], retailer: Any):
    write(connector, delivery("SHOP-1001", order))
    retailer.erp.accept("SHOP-1001", {"12": "ST05"})
    (status,) = told(connector, "order_status")
    assert (status["CUSORDREF"], status["ORDSTA"]) == ("SHOP-1001", "2")
    assert [(line["LINREF"], line["FCY"], line["QTY"]) for line in status["Line"]] == [
        ("11", "FR001", "2.000"),
        ("12", "FR015", "1.000"),
    ]
    retailer.erp.ship("SHOP-1001", tracking="6A1")
    parcels = told(connector, "shipments")
    assert [(one["FCY"], one["TRACK"], len(one["Line"])) for one in parcels] == [
        ("FR001", "6A1", 1),
        ("FR015", "6A1", 1),
    ]
    retailer.erp.receive_return("SHOP-1001", {"11": 2}, reason="too small")
    (back,) = told(connector, "returns")
    assert (back["RETREF"], back["AMT"], back["REASON"], back["Line"][0]["FCY"]) == (
        None,
        "35.82",
        "too small",
        "FR001",
    )


def test_an_order_given_up_tells_why(connector: Any, order: dict[str, Any], retailer: Any):
    write(connector, delivery("SHOP-1001", order))
    retailer.erp.cancel("SHOP-1001", "out of stock")
    (status,) = told(connector, "order_status")
    assert (status["ORDSTA"], status["REASON"], status["Line"]) == ("9", "out of stock", [])


# --- when the answer is lost ----------------------------------------------------------------------


def result(key: str, content: str) -> str:
    return f"<Result><CUSORDREF>{key}</CUSORDREF>{content}</Result>"


def answer(operation: str, *results: str) -> bytes:
    name = f"{operation}Response"
    return ENVELOPE.format(f'<{name} xmlns="urn:maison-omni:erp:stock">{"".join(results)}</{name}>').encode()


@pytest.fixture
def wsdl() -> bytes:
    from hub.sandbox.erp.soap import wsdl as described

    return described("http://erp.internal/erp/StockService")


def saying(wsdl: bytes, answers: Mapping[str, Say]) -> Any:
    """A service that answers each operation as told."""

    def script(heard: Heard) -> Say:
        if heard.method == "GET":
            return Say(body=wsdl)
        return next(say for operation, say in answers.items() if f":{operation}>".encode() in heard.body)

    return serving(script, id="erp")


def connected(server: Any, clock: Any) -> Any:
    return build("soap_erp", Context(system="erp", connection=server.connection, clock=clock), **OPTIONS)


def test_an_answer_that_never_came_is_unknown(wsdl: bytes, clock: Any, order: dict[str, Any]):
    with saying(wsdl, {"ImportSalesDocuments": Say(500, b"<html>")}) as server, pytest.raises(Unknown):
        write(connected(server, clock), delivery("SHOP-1001", order))
    assert sum(heard.method == "POST" for heard in server.heard) == 1


BUSY = ENVELOPE.format("<e:Fault><faultcode>ERP-BUSY</faultcode><faultstring>later</faultstring></e:Fault>").encode()


def test_an_erp_that_is_busy_took_nothing_and_is_left_to_the_engine(wsdl: bytes, clock: Any, order: dict[str, Any]):
    with saying(wsdl, {"ImportSalesDocuments": Say(500, BUSY)}) as server, pytest.raises(TryLater, match="later"):
        write(connected(server, clock), delivery("SHOP-1001", order))
    assert sum(heard.method == "POST" for heard in server.heard) == 1


def test_a_failure_in_the_middle_leaves_only_its_own_orders_in_doubt(wsdl: bytes, clock: Any, order: dict[str, Any]):
    taken = answer(
        "ImportSalesDocuments", result("SHOP-1", "<NUMBER>SO1</NUMBER>"), result("SHOP-2", "<NUMBER>SO2</NUMBER>")
    )
    answers = {"ImportSalesDocuments": Say(body=taken), "ImportReturns": Say(500, b"<html>")}
    with saying(wsdl, answers) as server:
        returned = {**order, "returns": [a_return(order, "SHOP-R1")]}
        doubtful, done = write(connected(server, clock), delivery("SHOP-1", returned), delivery("SHOP-2", order))
    assert isinstance(doubtful, Doubtful)
    assert (type(done), done.remote.binding) == (Done, Binding(external_id="SO2"))


def test_an_answer_that_forgets_one_leaves_it_in_doubt(wsdl: bytes, clock: Any, order: dict[str, Any]):
    taken = answer("ImportSalesDocuments", result("SHOP-2", "<NUMBER>SO2</NUMBER>"))
    with saying(wsdl, {"ImportSalesDocuments": Say(body=taken)}) as server:
        forgotten, done = write(connected(server, clock), delivery("SHOP-1", order), delivery("SHOP-2", order))
    assert (type(forgotten), type(done)) == (Doubtful, Done)


def test_twice_the_same_at_once_is_taken_once(sandbox: Any, order: dict[str, Any]):
    """Two workers that do not know of each other."""
    receipts: list[Any] = []

    def work() -> None:
        own = build("soap_erp", context_of(sandbox, "erp"), **OPTIONS)
        receipts.extend(write(own, *(delivery(f"SHOP-{n}", order) for n in range(10))))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(type(one).__name__ for one in receipts) == ["Done"] * 10 + ["Doubtful"] * 10
    assert len(sandbox.retailer.erp.sales.changed("", 0, 100)) == 10
