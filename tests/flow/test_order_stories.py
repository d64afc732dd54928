"""Orders over all systems: sold in one place, booked in another, sent from a third, brought back to a fourth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from support.scene import Scene, scene

Order = dict[str, Any]


# The stores' files and counts are other tests' stories; without them the first synchronisation is short.
NO_STORES = (
    ('"ST*": stores}', '"NONE": erp}'),
    ("      stores: {on: arrival", "      pim: {on: arrival"),
    ('      tills: {grain: location, value: on_hand, locations: ["ST*"]}\n', ""),
)


class Trade:
    """A scene whose order flow is up to date, and what a person looks at in each system."""

    def __init__(self, found: Scene) -> None:
        self.scene = found
        self.retailer = found.retailer
        self.skus = iter(found.retailer.world.skus)

    def synchronise(self, passes: int = 1) -> Any:
        """Time passes, then a pass of the order flow over everything."""
        for _ in range(passes):
            self.scene.clock.forward(seconds=2)
            with self.scene.engine() as engine:
                outcome = engine.once(["order"])["order"]
        return outcome

    def buys(self, *pieces: int, **terms: Any) -> tuple[str, Order]:
        """A customer orders articles that nobody else does: the key of the order, and the order."""
        self.scene.clock.forward(seconds=2)
        lines = [(next(self.skus).code, n) for n in pieces]
        order = self.retailer.shop.order(lines, **terms)
        return f"SHOP-{order['order_number']}", order

    def in_shop(self, order: Order) -> Order:
        """The order as the shop shows it now."""
        found = next(o for o in self.retailer.shop.orders.documents() if o["id"] == order["id"])
        return dict(found)

    def in_erp(self, key: str) -> Any:
        return self.retailer.erp.sales.find(key)

    def returns_in_erp(self, key: str) -> list[str | None]:
        return [row["external"] for row in self.retailer.erp.sales.returns_of(key)]

    def waits(self, key: str) -> list[str]:
        rows = self.scene.query("SELECT reasons FROM waiting WHERE subject = %s", key)
        return [reason for (reasons,) in rows for reason in reasons]

    def refused(self, key: str) -> list[tuple[str, str]]:
        return self.scene.query("SELECT path, reason FROM quarantine WHERE key = %s AND state = 'open'", key)


@pytest.fixture(scope="module")
def trade(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Trade]:
    folder = tmp_path_factory.mktemp("trade")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE trade")
        with scene(folder, postgres.replace("/postgres?", "/trade?"), monkeypatch) as found:
            for old, new in NO_STORES:
                found.rewrite(old, new)
            found.synchronise()
            trade = Trade(found)
            trade.synchronise(2)
            yield trade
        admin.execute("DROP DATABASE trade WITH (FORCE)")


def paid_back(order: Order) -> int:
    """Cents that the shop paid back to the customer."""
    done = [
        t for r in order["refunds"] for t in r["transactions"] if t["kind"] == "refund" and t["status"] == "success"
    ]
    return sum(int(Decimal(t["amount"]) * 100) for t in done)


# --- to the ERP -------------------------------------------------------------------------------------


def test_a_paid_order_is_booked_once_however_often_it_is_seen(trade: Trade) -> None:
    key, order = trade.buys(2, 1)
    trade.synchronise(3)
    sale = trade.in_erp(key)
    assert [(line["ITMREF"], line["QTY"]) for line in sale.lines] == [
        (line["sku"], f"{line['quantity']}.000") for line in order["line_items"]
    ]
    assert sale.content["TOTAMT"] == order["total_price"]
    assert sale.content["Address"][0]["CRY"] == "FR"
    assert len(trade.scene.query("SELECT 1 FROM delivery_log WHERE key = %s AND state = 'delivered'", key)) == 1


def test_an_order_waits_for_its_money_and_says_so(trade: Trade) -> None:
    key, order = trade.buys(1, payment="pending")
    trade.synchronise()
    assert (trade.in_erp(key), trade.waits(key)) == (None, ["waits for payment"])
    trade.retailer.shop.pay(order["id"])
    trade.synchronise()
    assert (trade.in_erp(key).content["TOTAMT"], trade.waits(key)) == (order["total_price"], [])


def test_a_promise_to_pay_is_kept_after_the_goods_have_left_and_disturbs_nobody(trade: Trade) -> None:
    key, order = trade.buys(1, payment="authorized")
    trade.synchronise()
    trade.retailer.erp.accept(key)
    trade.retailer.erp.ship(key)
    trade.retailer.shop.pay(order["id"])
    trade.synchronise(2)
    assert trade.refused(key) == []
    assert trade.in_shop(order)["financial_status"] == "paid"


def test_a_total_that_does_not_add_up_is_refused_with_its_place_and_the_next_order_goes_on(trade: Trade) -> None:
    wrong, _ = trade.buys(1, changes={"total_price": "1.00"})
    right, _ = trade.buys(1)
    trade.synchronise()
    ((path, reason),) = trade.refused(wrong)
    assert path == "total"
    assert reason.startswith("1.00 does not add up: lines and shipping come to ")
    assert (trade.in_erp(wrong), trade.in_erp(right) is not None) == (None, True)


def test_a_currency_that_the_erp_refuses_says_so_and_the_next_order_goes_on(trade: Trade) -> None:
    wrong, _ = trade.buys(1, changes={"currency": "USD"})
    right, _ = trade.buys(1)
    trade.synchronise()
    ((path, reason),) = trade.refused(wrong)
    assert (path, reason) == ("currency", "the books are kept in EUR, not in USD (ERP-CUR)")
    assert trade.in_erp(right) is not None


# --- what becomes of it -----------------------------------------------------------------------------


def test_a_shipment_reaches_the_shop_with_its_tracking_number(trade: Trade) -> None:
    key, order = trade.buys(2)
    trade.synchronise()
    trade.retailer.erp.accept(key)
    trade.retailer.erp.ship(key, tracking="6A4711", carrier="Colissimo")
    trade.synchronise(2)
    (parcel,) = trade.in_shop(order)["fulfillments"]
    assert (parcel["tracking_number"], parcel["tracking_company"]) == ("6A4711", "Colissimo")
    assert trade.in_shop(order)["fulfillment_status"] == "fulfilled"


def test_one_order_leaves_in_two_parcels_and_is_told_of_each_once(trade: Trade) -> None:
    key, order = trade.buys(2, 1)
    trade.synchronise()
    first, second = (str(line["id"]) for line in order["line_items"])
    trade.retailer.erp.accept(key, {second: "FR015"})
    trade.retailer.erp.ship(key, {first: 1}, tracking="P1")
    trade.synchronise(2)
    assert trade.in_shop(order)["fulfillment_status"] == "partial"
    trade.retailer.erp.ship(key, {first: 1}, tracking="P2")
    trade.retailer.erp.ship(key, {second: 1}, tracking="P3")
    trade.synchronise(3)
    parcels = {p["tracking_number"]: p["line_items"] for p in trade.in_shop(order)["fulfillments"]}
    assert {n: [(str(line["id"]), line["quantity"]) for line in lines] for n, lines in parcels.items()} == {
        "P1": [(first, 1)], "P2": [(first, 1)], "P3": [(second, 1)],
    }  # fmt: skip


def test_what_the_erp_gives_up_is_cancelled_in_the_shop_and_paid_back(trade: Trade) -> None:
    key, order = trade.buys(1)
    trade.synchronise()
    trade.retailer.erp.cancel(key, "sold out")
    trade.synchronise(3)
    assert trade.in_shop(order)["cancelled_at"] is not None
    assert trade.in_erp(key).status == 9
    assert trade.refused(key) == []


def test_what_a_customer_cancels_is_cancelled_in_the_erp(trade: Trade) -> None:
    key, order = trade.buys(1)
    trade.synchronise()
    trade.retailer.shop.cancel(order["id"])
    trade.synchronise(2)
    assert trade.in_erp(key).status == 9
    assert trade.refused(key) == []


def test_what_was_cancelled_before_it_was_paid_never_reaches_the_erp(trade: Trade) -> None:
    key, order = trade.buys(1, payment="pending")
    trade.retailer.shop.cancel(order["id"])
    trade.synchronise()
    assert (trade.in_erp(key), trade.waits(key)) == (None, [])


# --- what comes back --------------------------------------------------------------------------------


def sent(trade: Trade, *pieces: int) -> tuple[str, Order]:
    """An order that has reached its customer."""
    key, order = trade.buys(*pieces)
    trade.synchronise()
    trade.retailer.erp.accept(key)
    trade.retailer.erp.ship(key)
    trade.synchronise(2)
    return key, order


def test_a_parcel_that_comes_back_to_the_warehouse_is_paid_back_by_the_shop_once(trade: Trade) -> None:
    key, order = sent(trade, 2)
    line = order["line_items"][0]
    number = trade.retailer.erp.receive_return(key, {str(line["id"]): 1})
    trade.synchronise(3)
    (refund,) = trade.in_shop(order)["refunds"]
    assert refund["note"] == f"omnihub:ERP-{number}"
    assert [(r["quantity"], r["restock_type"]) for r in refund["refund_line_items"]] == [(1, "return")]
    assert paid_back(trade.in_shop(order)) == int(Decimal(line["price"]) * 100)
    assert trade.returns_in_erp(key) == [None]  # our copy did not come back as another one


def test_a_refund_in_the_shop_is_booked_in_the_erp_once(trade: Trade) -> None:
    key, order = sent(trade, 1)
    refund = trade.retailer.shop.refund(order["id"], [(order["line_items"][0]["sku"], 1)], "ST05")
    trade.synchronise(3)
    assert trade.returns_in_erp(key) == [f"SHOP-R{refund['id']}"]
    assert len(trade.in_shop(order)["refunds"]) == 1


def test_an_online_order_brought_back_to_a_store_is_paid_out_there_and_noted_in_the_shop(trade: Trade) -> None:
    key, order = sent(trade, 1)
    line = order["line_items"][0]
    price = int(Decimal(line["price"]) * 100)
    back = trade.retailer.tills.give_back("ST05", key, [(line["sku"], 1)], cents={line["sku"]: price})
    trade.synchronise(3)
    assert trade.returns_in_erp(key) == [f"TILLS-R{back['id']}"]
    (refund,) = trade.in_shop(order)["refunds"]
    assert [(r["quantity"], r["restock_type"]) for r in refund["refund_line_items"]] == [(1, "return")]
    assert paid_back(trade.in_shop(order)) == 0  # the till did


# --- at the tills -----------------------------------------------------------------------------------


def ticket(order: Order, store: str) -> str:
    meta = order["metadata"]
    day = meta["business_day"].replace("-", "")
    return f"TILLS-{store}-{day}-{meta['workstation']}-{meta['operator']}-{meta['sequence']}".upper()


def test_a_ticket_paid_in_two_parts_is_booked_when_the_second_is_there(trade: Trade) -> None:
    sku = next(trade.skus)
    sold = trade.retailer.tills.sell("ST03", [(sku.code, 1)], payments=[("CASH", 500)])
    key = ticket(sold, "ST03")
    trade.synchronise()
    assert trade.in_erp(key) is None
    trade.retailer.tills.pay(sold["id"], ("CARD", sold["total_money"]["amount"] - 500))
    trade.synchronise()
    assert [p["PAYMET"] for p in trade.in_erp(key).content["Payment"]] == ["cash", "card"]
    assert (trade.in_erp(key).kind, trade.waits(key)) == ("TICKET", [])


def test_a_ticket_that_nobody_paid_is_booked_nowhere(trade: Trade) -> None:
    sold = trade.retailer.tills.sell("ST03", [(next(trade.skus).code, 1)], payments=[])
    trade.synchronise()
    trade.retailer.tills.void(sold["id"])
    trade.synchronise()
    key = ticket(sold, "ST03")
    assert (trade.in_erp(key), trade.waits(key)) == (None, [])


def test_a_ticket_taken_back_after_it_was_paid_is_a_void_in_the_erp(trade: Trade) -> None:
    sold = trade.retailer.tills.sell("ST03", [(next(trade.skus).code, 1)])
    key = ticket(sold, "ST03")
    trade.synchronise()
    voided = trade.retailer.tills.void(sold["id"])
    trade.synchronise(2)
    (row,) = trade.retailer.erp.sales.returns_of(key)
    assert (row["external"], row["kind"]) == (f"TILLS-R{voided['id']}", "V")


def test_goods_sold_in_one_store_come_back_to_another(trade: Trade) -> None:
    sku = next(trade.skus).code
    sold = trade.retailer.tills.sell("ST03", [(sku, 2)])
    trade.synchronise()
    trade.retailer.tills.give_back("ST07", sold["id"], [(sku, 1)])
    trade.synchronise(2)
    (row,) = trade.retailer.erp.sales.returns_of(ticket(sold, "ST03"))
    assert '"SITEXT": "ST07"' in row["lines"]
