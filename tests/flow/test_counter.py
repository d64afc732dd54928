"""What tills and shop ask at the counter, over real HTTP: answered from the journal, fresh to its last event."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from jsonschema import Draft202012Validator
from support.counter import Counter, counter, described

from hub.flow.derive import DERIVATIONS
from hub.gateway.api.body import LIMIT
from hub.gateway.api.problems import KINDS
from hub.journal import clients, connect, recompute, waiting
from hub.journal import counter as counter_journal
from hub.journal.vault import Vault
from hub.schemas import Schemas


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Counter]:
    """One gateway for all; each test has articles, clients and orders of its own."""
    folder = tmp_path_factory.mktemp("counter")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE counter")
        with counter(folder, postgres.replace("/postgres?", "/counter?"), monkeypatch) as found:
            yield found
        admin.execute("DROP DATABASE counter WITH (FORCE)")


def places(desk: Counter, sku: str, **query: Any) -> dict[str, int]:
    (article,) = desk.get("/availability", sku=sku, **query)["articles"]
    assert article["quantity"] == sum(place["quantity"] for place in article["locations"])
    return {place["location"]: place["quantity"] for place in article["locations"]}


# --- availability -----------------------------------------------------------------------------------


def test_availability_is_what_the_channel_may_sell_at_each_location(desk: Counter) -> None:
    desk.level("AV1", "WH1", 9, unavailable=2)
    desk.level("AV1", "ST01", 3)
    desk.level("AV1", "ST02", -1)
    assert places(desk, "AV1") == {"WH1": 7, "ST01": 2, "ST02": 0}


def test_a_sale_is_in_the_next_answer_before_anything_was_derived(desk: Counter) -> None:
    desk.level("AV2", "ST01", 5)
    assert places(desk, "AV2") == {"ST01": 4}
    desk.sale("AV2", "ST01", "sale-av2")
    assert places(desk, "AV2") == {"ST01": 3}


def test_an_order_that_was_read_is_in_the_next_answer(desk: Counter) -> None:
    desk.level("AV3", "WH1", 5)
    now = desk.clock.now().isoformat()
    step = {"order": "SHOP-1", "line": "1", "sku": "AV3", "kind": "reserve", "quantity": 2, "occurred_at": now}
    desk.event("shop", "reservation", "av3", "AV3@", "AV3", **step)
    assert places(desk, "AV3") == {"WH1": 3}


def test_the_nearest_location_comes_first_with_its_distance(desk: Counter) -> None:
    for place in ("WH1", "ST01", "ST02"):
        desk.level("AV4", place, 5)
    (article,) = desk.get("/availability", sku="AV4", near="45.75,4.85")["articles"]
    found = {place["location"]: place["distance_km"] for place in article["locations"]}
    assert list(found) == ["ST02", "WH1", "ST01"]
    assert found["ST02"] == pytest.approx(2, abs=1)
    assert found["ST01"] == pytest.approx(391, abs=3)  # Lyon to Paris, as the crow flies
    assert article["locations"][0]["name"] == "Name of ST02"


def test_a_location_that_nobody_has_spoken_of_is_not_there_rather_than_empty(desk: Counter) -> None:
    desk.level("AV5", "ST01", 5)
    assert places(desk, "AV5", location="ST01") == {"ST01": 4}
    assert places(desk, "AV5", location="ST02") == {}


def test_stock_that_is_too_old_to_sell_from_says_so_and_says_before_when(desk: Counter) -> None:
    desk.level("AV6", "ST01", 5, as_of=desk.clock.now() - timedelta(hours=36))
    desk.level("AV6", "ST02", 5, as_of=desk.clock.now() - timedelta(hours=35))
    (article,) = desk.get("/availability", sku="AV6")["articles"]
    assert [(p["quantity"], p["stale"]) for p in article["locations"]] == [(0, True), (4, False)]
    assert article["until"] == (desk.clock.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")


def test_articles_nobody_knows_are_named_beside_those_that_somebody_knows(desk: Counter) -> None:
    desk.level("AV7", "WH1", 1)
    found = desk.get("/availability", sku=["NOPE-1", "AV7", "NOPE-2", "AV7"])
    assert [article["sku"] for article in found["articles"]] == ["AV7"]
    assert found["unknown"] == ["NOPE-1", "NOPE-2"]
    assert desk.refusal("GET", "/availability?sku=NOPE-1") == (404, "unknown", "no system has told of stock of NOPE-1")


def test_a_rule_that_is_edited_in_hub_yaml_counts_for_the_next_answer(desk: Counter) -> None:
    desk.level("AV8", "ST01", 9)
    assert places(desk, "AV8") == {"ST01": 8}
    page = desk.project / "hub.yaml"
    kept = page.read_text(encoding="utf-8")
    page.write_text(kept.replace("default: 1", "default: 4"), encoding="utf-8")
    try:
        assert places(desk, "AV8") == {"ST01": 5}
    finally:
        page.write_text(kept, encoding="utf-8")


def test_a_till_whose_channel_sells_from_nowhere_is_told_what_the_shop_may_sell(desk: Counter) -> None:
    desk.level("AV9", "ST01", 5)
    till = desk.client("till-av9", channel="pos")
    assert desk.get("/availability", till, sku="AV9")["channel"] == "shop"
    refused = desk.refusal("GET", "/availability?sku=AV9&channel=pos", till)
    assert refused == (404, "unknown", "the channel pos sells from no location; there are shop")


# --- reservations -----------------------------------------------------------------------------------


def test_a_reservation_counts_at_once_and_asks_for_what_rests_on_it(desk: Counter) -> None:
    desk.level("RE1", "ST01", 5)
    answer = desk.reserve("request-1", sku="RE1", quantity=2, location="ST01", minutes=10)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/reservations/{made['id']}"
    assert (made["state"], made["quantity"], made["location"]) == ("reserved", 2, "ST01")
    assert places(desk, "RE1") == {"ST01": 2}
    assert noted(desk, "RE1") == {"availability": True}
    assert desk.get(f"/reservations/{made['id']}") == made


def noted(desk: Counter, subject: str) -> dict[str, bool]:
    """What would be derived again because of ``subject`` now, and whether urgently."""
    with connect(desk.dsn) as journal, journal.transaction(force_rollback=True):
        claimed = {name: recompute.claim(journal, name, desk.clock.now(), 1000) for name in DERIVATIONS}
    return {name: found[subject] for name, found in claimed.items() if subject in found}


def test_a_reservation_does_not_wait_for_a_derivation_that_is_under_way(desk: Counter) -> None:
    desk.level("RE12", "WH1", 5)
    with connect(desk.dsn) as journal, journal.transaction(force_rollback=True):
        recompute.mark(journal, "availability", {"RE12": False}, desk.clock.now())
        assert desk.reserve("request-re12", sku="RE12").status_code == 201
    assert noted(desk, "RE12") == {"availability": True}


def test_whoever_derives_is_rung(desk: Counter) -> None:
    desk.level("RE2", "WH1", 5)
    desk.rung.clear()
    desk.reserve("request-re2", sku="RE2")
    with_patience(lambda: desk.rung == ["hub://arrived/tills"])


def with_patience(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_same_request_again_finds_what_the_first_one_made(desk: Counter) -> None:
    desk.level("RE3", "WH1", 5)
    first = desk.reserve("request-re3", sku="RE3", quantity=2)
    again = desk.reserve("request-re3", sku="RE3", quantity=2)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert places(desk, "RE3") == {"WH1": 3}


def test_the_key_of_another_request_is_refused(desk: Counter) -> None:
    desk.level("RE4", "WH1", 5)
    desk.reserve("request-re4", sku="RE4")
    for other in ({"quantity": 3}, {"location": "WH1"}, {"minutes": 16}):
        refused = desk.refusal(
            "POST", "/reservations", json={"sku": "RE4", **other}, headers={"Idempotency-Key": "request-re4"}
        )
        assert refused == (422, "other-request", "this Idempotency-Key came with another request before")
    assert places(desk, "RE4") == {"WH1": 4}


def test_nobody_waits_long_for_somebody_who_hangs(desk: Counter) -> None:
    desk.level("RE13", "WH1", 5)
    with connect(desk.dsn) as journal, journal.transaction(force_rollback=True):
        counter_journal.alone(journal, "RE13")
        began = time.monotonic()
        assert desk.reserve("request-re13", sku="RE13").status_code == 503
        assert time.monotonic() - began < counter_journal.PATIENCE + 5
    assert desk.reserve("request-re13", sku="RE13").status_code == 201


def test_one_key_of_two_clients_makes_two_reservations(desk: Counter) -> None:
    desk.level("RE5", "WH1", 5)
    one, two = desk.client("one"), desk.client("two")
    assert desk.reserve("request-re5", one, sku="RE5").status_code == 201
    assert desk.reserve("request-re5", two, sku="RE5").status_code == 201
    assert places(desk, "RE5") == {"WH1": 3}


def test_of_many_who_want_the_last_piece_one_gets_it(desk: Counter) -> None:
    desk.level("RE6", "WH1", 1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: desk.reserve(f"request-re6-{n}", sku="RE6"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["type"], refused["available"]) == ("urn:omnihub:problem:not-enough", 0)
    assert refused["detail"] == "1 of RE6 were asked for, 0 are left for shop"


def test_more_than_lies_there_is_refused_for_the_place_although_others_have_it(desk: Counter) -> None:
    desk.level("RE7", "ST01", 3)
    desk.level("RE7", "ST02", 30)
    refused = desk.reserve("request-re7", sku="RE7", quantity=3, location="ST01")
    assert (refused.status_code, refused.json()["available"]) == (409, 2)
    nowhere = desk.reserve("request-re7", sku="RE7", location="ST19")
    assert (nowhere.status_code, nowhere.json()["detail"]) == (404, "shop sells no RE7 from ST19")


def test_a_release_gives_the_pieces_back_and_once_more_changes_nothing(desk: Counter) -> None:
    desk.level("RE8", "WH1", 5)
    id_ = desk.reserve("request-re8", sku="RE8", quantity=4).json()["id"]
    for _ in range(2):
        answer = desk.ask("DELETE", f"/reservations/{id_}")
        assert (answer.status_code, answer.json()["state"]) == (200, "released")
    assert places(desk, "RE8") == {"WH1": 5}
    assert desk.reserve("request-re8", sku="RE8", quantity=4).json()["state"] == "released"


def test_a_reservation_is_its_client_s_own(desk: Counter) -> None:
    desk.level("RE9", "WH1", 5)
    id_ = desk.reserve("request-re9", sku="RE9").json()["id"]
    other = desk.client("stranger")
    for method in ("GET", "DELETE"):
        assert desk.refusal(method, f"/reservations/{id_}", other)[:2] == (404, "unknown")
    assert places(desk, "RE9") == {"WH1": 4}


def test_a_reservation_ends_by_itself_and_availability_says_when(desk: Counter) -> None:
    desk.level("RE10", "WH1", 5)
    made = desk.reserve("request-re10", sku="RE10", quantity=2, minutes=15).json()
    (article,) = desk.get("/availability", sku="RE10")["articles"]
    assert (article["quantity"], article["until"]) == (3, made["expires_at"])
    desk.clock.forward(minutes=15)
    assert places(desk, "RE10") == {"WH1": 5}
    assert desk.ask("DELETE", f"/reservations/{made['id']}").json()["state"] == "expired"


def test_what_is_kept_of_a_reservation_is_a_canonical_one(desk: Counter) -> None:
    desk.level("RE11", "WH1", 5)
    desk.ask("DELETE", f"/reservations/{desk.reserve('request-re11', sku='RE11').json()['id']}")
    schema = Schemas(desk.project / "canonical_schemas").get("reservation")
    with psycopg.connect(desk.dsn) as journal:
        kept = journal.execute("SELECT data FROM event WHERE subject = 'RE11' ORDER BY id").fetchall()
        steps = journal.execute("SELECT step, system FROM audit WHERE subject = 'RE11'").fetchall()
    assert [schema.validate(data) for (data,) in kept] == [None, None]
    assert steps == [("applied", "gateway:anybody")] * 2


def test_a_reservation_without_a_key_of_its_own_is_refused(desk: Counter) -> None:
    status, kind, sentence = desk.refusal("POST", "/reservations", json={"sku": "RE1"})
    assert (status, kind) == (422, "invalid")
    assert "Idempotency-Key" in sentence


# --- prices -----------------------------------------------------------------------------------------


def test_the_price_of_a_channel_is_that_of_its_list(desk: Counter) -> None:
    desk.price("PR1", "WEB", "19.90", scope={"list": "WEB"})
    desk.price("PR1", "RETAIL", "21.00", scope={"list": "RETAIL"})
    assert desk.get("/prices", sku="PR1", channel="shop")["amount"] == "19.90"
    found = desk.get("/prices", desk.client("till-pr1", channel="pos"), sku="PR1")
    assert (found["channel"], found["amount"], found["entry"]) == ("pos", "21.00", "RETAIL")


def test_a_promotion_names_the_price_before_it_and_the_lowest_of_thirty_days(desk: Counter) -> None:
    now = desk.clock.now()
    desk.asked("shop", "PR2", "24.00", now - timedelta(days=60))
    desk.asked("shop", "PR2", "18.50", now - timedelta(days=20))
    desk.asked("shop", "PR2", "25.00", now - timedelta(days=10))
    ends = now + timedelta(hours=2)
    promotion = {"kind": "promotion", "valid_from": (now - timedelta(hours=1)).isoformat()}
    desk.price("PR2", "WEB", "25")
    desk.price("PR2", "SALE", "20.00", **promotion, valid_until=ends.isoformat())
    found = desk.get("/prices", sku="PR2", channel="shop")
    assert (found["amount"], found["compare_at"], found["lowest_30"]) == ("20.00", "25.00", "18.50")
    assert found["until"] == ends.isoformat().replace("+00:00", "Z")
    desk.clock.forward(hours=2)
    found = desk.get("/prices", sku="PR2", channel="shop")
    assert (found["amount"], found["compare_at"], found["lowest_30"]) == ("25.00", None, None)


def test_who_buys_three_and_who_buys_at_a_store_are_answered_with_their_own_price(desk: Counter) -> None:
    desk.price("PR3", "WEB", "10.00")
    desk.price("PR3", "THREE", "9.00", scope={"min_quantity": 3})
    desk.price("PR3", "OUTLET", "7.00", scope={"locations": ["ST05"]})
    asked = [{}, {"quantity": 3}, {"location": "ST05"}]
    found = [desk.get("/prices", sku="PR3", channel="shop", **more)["amount"] for more in asked]
    assert found == ["10.00", "9.00", "7.00"]


def test_a_price_that_was_taken_back_or_that_nobody_told_of_is_none(desk: Counter) -> None:
    desk.price("PR4", "WEB", "10.00", withdrawn=True)
    for sku in ("PR4", "PR5"):
        refused = desk.refusal("GET", f"/prices?sku={sku}&channel=shop")
        assert refused == (404, "unknown", f"no price of {sku} counts now in shop")


def test_a_channel_must_be_known_and_be_named_where_there_are_several(desk: Counter) -> None:
    refused = desk.refusal("GET", "/prices?sku=PR1&channel=web")
    assert refused == (404, "unknown", "the channel web is unknown; there are shop, pos")
    assert desk.refusal("GET", "/prices?sku=PR1")[2] == "name a channel with channel=; there are shop, pos"


# --- orders -----------------------------------------------------------------------------------------


ORDER = "SHOP-1001"


@pytest.fixture(scope="module")
def ordered(desk: Counter) -> str:
    """An order that the shop told of, the ERP took, and of which a piece came back to a store."""
    with connect(desk.dsn) as journal:
        payload = '{"customer": {"name": "Zoé 👗"}, "ship_to": {"country": "FR"}}'.encode()
        personal = Vault(desk.project.parent / "home" / "vault").keep(journal, "personal", payload)
    lines = [{"line": "1", "sku": "OR1", "quantity": 1, "unit_price": "19.90", "total": "19.90"}]
    document = {
        "order": ORDER,
        "channel": "shop",
        "state": "open",
        "total": "19.90",
        "lines": lines,
        "personal": personal,
    }
    desk.state("shop", "order", ORDER, ORDER, document)
    status = {"order": ORDER, "state": "accepted", "changed_at": desk.clock.now().isoformat()}
    desk.state("erp", "order_status", ORDER, ORDER, status)
    shipment = {"order": ORDER, "fulfilment": "L-1", "state": "shipped", "tracking": "1Z", "lines": []}
    desk.state("erp", "fulfilment", "SHOP-1001@L-1", ORDER, shipment)
    back = {"order": ORDER, "amount": "19.90", "lines": [{"sku": "OR1", "quantity": 1, "location": "ST02"}]}
    desk.event("tills", "order_return", "TILLS-R1", ORDER, ORDER, **back)
    desk.event("shop", "order_return", "TILLS-R1", ORDER, ORDER, **back)
    with connect(desk.dsn) as journal:
        waiting.replace(journal, "order_progress", [ORDER], {(ORDER, "shop"): ["the shop knows no ST02"]})
    return ORDER


def test_an_order_is_told_over_all_systems_and_each_return_once(desk: Counter, ordered: str) -> None:
    found = desk.get(f"/orders/{ordered}")
    assert found["document"]["lines"][0]["total"] == "19.90"
    assert [(s["system"], s["state"]) for s in found["statuses"]] == [("erp", "accepted")]
    assert [f["tracking"] for f in found["fulfilments"]] == ["1Z"]
    assert [(r["id"], r["system"]) for r in found["returns"]] == [("TILLS-R1", "tills")]
    assert found["waits_for"] == ["the shop knows no ST02"]


def test_what_is_personal_never_leaves_without_its_scope(desk: Counter, ordered: str) -> None:
    clerk = desk.client("clerk", "orders")
    answer = desk.ask("GET", f"/orders/{ordered}", clerk)
    assert answer.json()["personal"] is None
    assert "Zo" not in answer.text
    assert "personal/" not in answer.text


def test_what_is_personal_is_told_with_its_scope_and_that_it_was_told_is_kept(desk: Counter, ordered: str) -> None:
    service = desk.client("service", "orders", "personal")
    assert desk.get(f"/orders/{ordered}", service)["personal"]["customer"] == {"name": "Zoé 👗"}
    with psycopg.connect(desk.dsn) as journal:
        told = journal.execute("SELECT step, key FROM audit WHERE system = 'gateway:service'").fetchall()
    assert told == [("disclosed", ordered)]


def test_an_order_nobody_told_of_is_not_found(desk: Counter) -> None:
    refused = desk.refusal("GET", "/orders/SHOP-9999")
    assert refused == (404, "unknown", "no channel has told of an order SHOP-9999")


# --- coupons ----------------------------------------------------------------------------------------


def redeem(desk: Counter, code: str, order: str, client: str = "anybody") -> requests.Response:
    return desk.ask("POST", f"/coupons/{code}/redemptions", client, json={"order": order})


def test_a_coupon_is_redeemed_once_over_all_channels_and_again_by_its_own_order(desk: Counter) -> None:
    shop, till = desk.client("shop-c1"), desk.client("till-c1")
    assert redeem(desk, "Merci-1", "SHOP-1", shop).status_code == 201
    again = redeem(desk, "MERCI-1", "SHOP-1", till)
    assert (again.status_code, again.json()["coupon"]) == (200, "MERCI-1")
    refused = redeem(desk, "merci-1", "TILLS-ST01-20261122-1-7-3", till).json()
    assert refused["type"] == "urn:omnihub:problem:redeemed"
    assert refused["detail"] == "the coupon MERCI-1 was redeemed before, on 2026-11-22"


def test_a_coupon_that_an_order_of_any_channel_names_is_redeemed_already(desk: Counter) -> None:
    told = {"order": "SHOP-2", "state": "open", "placed_at": "2026-11-20T09:00:00+00:00"}
    desk.state("shop", "order", "SHOP-2", "SHOP-2", {**told, "discounts": [{"amount": "5.00", "code": "merci-2"}]})
    assert redeem(desk, "MERCI-2", "TILLS-X").status_code == 409
    assert redeem(desk, "MERCI-2", "SHOP-2").status_code == 201


def test_of_many_tills_that_take_one_coupon_one_gets_it(desk: Counter) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: redeem(desk, "MERCI-3", f"TILLS-{n}").status_code, range(8)))
    assert sorted(found) == [201, *[409] * 7]


def test_a_coupon_that_is_given_back_can_be_redeemed_again(desk: Counter) -> None:
    redeem(desk, "MERCI-4", "SHOP-4")
    for order in ("SHOP-5", "SHOP-4", "SHOP-4"):
        assert desk.ask("DELETE", f"/coupons/merci-4/redemptions/{order}").status_code == 204
    assert redeem(desk, "MERCI-4", "SHOP-6").status_code == 201


# --- who may ask, and how much ----------------------------------------------------------------------


@pytest.mark.parametrize("client", [None, "ohk_" + "a" * 32, "Zoé", ""])
def test_without_a_key_that_opens_something_nothing_is_told(desk: Counter, client: str | None) -> None:
    headers = {} if client is None else {"Authorization": f"Bearer {client}".encode()}
    answer = requests.get(f"{desk.url}/v1/availability?sku=AV1", headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:omnihub:problem:no-key")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_that_is_taken_back_opens_nothing_from_the_next_request_on(desk: Counter) -> None:
    desk.level("WHO1", "WH1", 1)
    former = desk.client("former")
    desk.get("/availability", former, sku="WHO1")
    with connect(desk.dsn) as journal:
        clients.revoke(journal, former)
    assert desk.refusal("GET", "/availability?sku=WHO1", former)[:2] == (401, "no-key")


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("read", "GET", "/availability?sku=AV1", None),
        ("read", "GET", "/prices?sku=PR1", None),
        ("reserve", "POST", "/reservations", {"sku": "AV1"}),
        ("reserve", "GET", "/reservations/R" + "A" * 24, None),
        ("reserve", "DELETE", "/reservations/R" + "A" * 24, None),
        ("orders", "GET", "/orders/SHOP-1", None),
        ("coupons", "POST", "/coupons/X/redemptions", {"order": "SHOP-1"}),
        ("coupons", "DELETE", "/coupons/X/redemptions/SHOP-1", None),
    ],
)
def test_each_scope_opens_its_own_doors_alone(desk: Counter, scope: str, method: str, path: str, body: Any) -> None:
    name = f"no-{scope}-{method}-{path[1:4]}".lower()
    client = desk.client(name, *({"read", "reserve", "orders", "personal", "coupons"} - {scope}))
    refused = desk.refusal(method, path, client, json=body, headers={"Idempotency-Key": "a-request"})
    assert refused[:2] == (403, "scope")
    assert refused[2].endswith(f"the scope for it is {scope}")


def test_a_client_that_asks_faster_than_it_may_is_told_when_to_come_again(desk: Counter) -> None:
    desk.level("WHO2", "WH1", 1)
    slow = desk.client("slow", per_second=0.5)
    assert desk.ask("GET", "/availability?sku=WHO2", slow).status_code == 200
    answer = desk.ask("GET", "/availability?sku=WHO2", slow)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert desk.ask("GET", "/availability?sku=WHO2").status_code == 200  # the others are not meant


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/availability", "query.sku"),
        ("/availability?sku=av1", "query.sku"),
        ("/availability?sku=%00", "query.sku"),
        ("/availability?sku=%F0%9F%91%97", "query.sku"),
        ("/availability?" + "&".join(f"sku=A{n}" for n in range(21)), "query.sku"),
        ("/availability?sku=AV1&near=Paris", "query.near"),
        ("/availability?sku=AV1&near=91,2", "query.near"),
        ("/availability?sku=AV1&location=st01", "query.location"),
        ("/prices?sku=PR1&quantity=0", "query.quantity"),
        ("/orders/shop-1", "path.order"),
        ("/reservations/R1", "path.id"),
    ],
)
def test_a_question_that_is_none_is_answered_with_the_place_of_the_mistake(desk: Counter, path: str, says: str) -> None:
    status, kind, sentence = desk.refusal("GET", path)
    assert (status, kind) == (422, "invalid")
    assert sentence.startswith(says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"sku": "AV1", "quantity": -1}', "body.quantity"),
        (b'{"sku": "AV1", "quantity": 1.5}', "body.quantity"),
        (b'{"sku": "AV1", "minutes": 100000}', "body.minutes"),
        (b'{"sku": "AV1", "qty": 1}', "body.qty"),
    ],
)
def test_a_request_that_is_none_is_answered_with_the_place_of_the_mistake(
    desk: Counter, body: bytes, says: str
) -> None:
    headers = {"Idempotency-Key": "a-request-of-mine", "Content-Type": "application/json"}
    status, kind, sentence = desk.refusal("POST", "/reservations", data=body, headers=headers)
    assert (status, kind) == (422, "invalid")
    assert sentence.startswith(says)


@pytest.mark.parametrize("told", [True, False])
def test_a_body_over_the_limit_is_not_read_to_its_end(desk: Counter, told: bool) -> None:
    body = b" " * (LIMIT + 1)
    headers = {"Idempotency-Key": "a-request-of-mine", "Content-Type": "application/json"}
    data = body if told else iter([body])  # without a length that says so beforehand
    assert desk.refusal("POST", "/reservations", data=data, headers=headers)[:2] == (413, "too-large")


def test_what_is_not_there_or_cannot_be_done_is_a_problem_too(desk: Counter) -> None:
    assert desk.refusal("GET", "/stock")[:2] == (404, "unknown")
    assert desk.refusal("PUT", "/prices")[:2] == (405, "method")


# --- the description --------------------------------------------------------------------------------


def test_the_description_is_one_by_the_specification_s_own_schema(desk: Counter) -> None:
    assert desk.description["openapi"].startswith("3.1.")
    Draft202012Validator(described()).validate(desk.description)


def test_every_reference_in_the_description_leads_somewhere_and_everything_is_referred_to(desk: Counter) -> None:
    named = {"#/components/schemas/" + name for name in desk.description["components"]["schemas"]}
    assert set(references(desk.description)) == named


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_every_kind_of_problem_has_a_status_that_the_description_knows_or_every_server_has(desk: Counter) -> None:
    operations = [o for path in desk.description["paths"].values() for o in path.values()]
    described_statuses = {int(status) for o in operations for status in o["responses"]}
    assert {status for status, _ in KINDS.values()} - described_statuses == {405, 500}


def test_while_the_journal_is_away_the_client_is_asked_to_come_again(desk: Counter, postgres: str) -> None:
    desk.level("LAST", "WH1", 1)
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("ALTER DATABASE counter ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'counter'")
        try:
            answers = [desk.ask("GET", "/availability?sku=LAST") for _ in range(2)]
        finally:
            admin.execute("ALTER DATABASE counter ALLOW_CONNECTIONS true")
    assert [(a.status_code, a.headers["retry-after"]) for a in answers] == [(503, "5")] * 2
    with_patience(lambda: desk.ask("GET", "/availability?sku=LAST").status_code == 200)
