"""The tills' API, driven by Square's own client; every request and answer checked against Square's description."""

from __future__ import annotations

import json
import time
import uuid
from datetime import timedelta

import httpx
import pytest
import requests
from square import Square
from square.core.api_error import ApiError
from support.vendor_specs import SQUARE, SquareApi, present, real

from hub.sandbox.world import OFFLINE_TILL, SKEWED_TILL

VERSION = "2026-01-22"
ONCE = {"max_retries": 0}


class Unchecked:
    """Stands in where Square's description is not there."""

    def check_request(self, *_):
        pass

    check_answer = check_request


@pytest.fixture(scope="session")
def described():
    return SquareApi() if present(SQUARE) else Unchecked()


def test_square_describes_what_is_checked_here():
    """Skipped, and saying so, where every other test of this file runs unchecked."""
    assert real(SQUARE)


@pytest.fixture
def client(sandbox, described):
    """squareup, pointed at the sandbox, with a watcher between that knows Square's description."""

    def on_request(request):
        described.check_request(request.method, str(request.url), json.loads(request.content or "null"))

    def on_response(response):
        response.read()
        request = response.request
        described.check_answer(request.method, str(request.url), response.status_code, response.json())

    hooks = {"request": [on_request], "response": [on_response]}
    with httpx.Client(event_hooks=hooks, timeout=10) as http:
        yield Square(
            base_url=sandbox.urls["tills"], token=sandbox.retailer.tills.token, version=VERSION, httpx_client=http
        )


@pytest.fixture
def call(sandbox, described):
    """A plain request; it, where it is taken, and its answer are checked against Square's description."""

    def call(method, path, body=None, headers=None):
        signed_in = {"Authorization": f"Bearer {sandbox.retailer.tills.token}", "Square-Version": VERSION}
        headers = signed_in if headers is None else headers
        reply = requests.request(method, sandbox.urls["tills"] + path, json=body, headers=headers, timeout=10)
        described.check_answer(method, path, reply.status_code, reply.json())
        if reply.ok:
            described.check_request(method, path, body)
        return reply

    return call


@pytest.fixture
def places(sandbox):
    """Square's location ids by store."""
    return sandbox.retailer.tills.catalog.location_ids()


@pytest.fixture
def article(sandbox):
    """(SKU, Square's id) of the first article."""
    code = sandbox.retailer.world.skus[0].code
    return code, sandbox.retailer.tills.catalog.variation(code).id


def count(place, variation, quantity, at):
    """One change of batch-create."""
    taken = {
        "catalog_object_id": variation,
        "catalog_object_type": "ITEM_VARIATION",
        "state": "IN_STOCK",
        "location_id": place,
        "quantity": quantity,
        "occurred_at": at if isinstance(at, str) else at.isoformat(),
    }
    return {"type": "PHYSICAL_COUNT", "physical_count": taken}


def by_update(since="2020-01-01T00:00:00Z", until=None):
    """The query that reads what changed since a moment."""
    span = {"start_at": since, **({"end_at": until} if until else {})}
    return {
        "filter": {"date_time_filter": {"updated_at": span}, "state_filter": {"states": ["COMPLETED"]}},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    }


def all_orders(call, places, limit=50, **options):
    """Of all stores, ten at a time, page after page."""
    found, ids = [], list(places.values())
    for part in (ids[:10], ids[10:]):
        body = {"location_ids": part, "limit": limit, "query": by_update(**options)}
        while True:
            page = call("POST", "/v2/orders/search", body).json()
            found += page["orders"]
            if "cursor" not in page:
                break
            body["cursor"] = page["cursor"]
    return found


# --- what the client sees -------------------------------------------------------------------------


def test_the_client_lists_the_stores_by_name(client, sandbox):
    found = client.locations.list().locations
    names = [place.name for place in found]
    known = {place.name for place in sandbox.retailer.world.stores}
    assert {name.strip().casefold() for name in names} == {name.casefold() for name in known}
    assert len(set(names) - known) > 3  # somebody typed them again
    assert {(place.status, place.country, place.currency) for place in found} == {("ACTIVE", "FR", "EUR")}


def test_the_client_pages_through_the_variations(client, sandbox):
    objects = list(client.catalog.list(types="ITEM_VARIATION"))
    variations = {object.item_variation_data.sku: object.item_variation_data for object in objects}
    assert len(variations) == len({object.id for object in objects}) == 480
    for sku in sandbox.retailer.world.skus:
        assert variations[sku.code].upc.zfill(13) == sku.ean
    assert {len(v.upc) for v in variations.values()} == {12, 13}  # a leading zero is not scanned


def test_items_carry_their_variations(call):
    objects, path = [], "/v2/catalog/list?types=item,ITEM_VARIATION"
    cursor = ""
    while cursor is not None:
        page = call("GET", f"{path}&cursor={cursor}" if cursor else path).json()
        objects, cursor = objects + page["objects"], page.get("cursor")
    by_type = {type: [o for o in objects if o["type"] == type] for type in ("ITEM", "ITEM_VARIATION")}
    nested = [variation for item in by_type["ITEM"] for variation in item["item_data"]["variations"]]
    assert (len(by_type["ITEM"]), len(by_type["ITEM_VARIATION"])) == (120, 480)
    assert nested == by_type["ITEM_VARIATION"]


def test_the_client_pages_through_the_tickets_of_a_store(client, sandbox, places):
    found, cursor = [], {}
    while cursor is not None:
        page = client.orders.search(location_ids=[places["ST01"]], limit=5, query=by_update(), **cursor)
        found += page.orders
        cursor = {"cursor": page.cursor} if page.cursor else None
    times = [order.updated_at for order in found]
    assert len(found) > 5
    assert times == sorted(times)
    assert {(order.state, order.location_id) for order in found} == {("COMPLETED", places["ST01"])}
    assert {type(line.quantity) for order in found for line in order.line_items} == {str}


def test_the_backlog_is_300_tickets_since_the_night_each_with_a_number_of_its_own(call, sandbox, places):
    orders = all_orders(call, places)
    names = ("business_day", "workstation", "sequence")
    numbers = {(o["location_id"], *(o["metadata"][name] for name in names)) for o in orders}
    night = sandbox.retailer.world.night.isoformat()[:19]
    assert len(orders) == len({order["id"] for order in orders}) == len(numbers) == 300
    assert all(set(order["metadata"]) == {*names, "operator"} for order in orders)
    assert all(order["updated_at"][:19] >= night for order in orders)


def test_a_till_that_was_offline_sent_its_tickets_of_last_night_in_the_morning(call, sandbox, places):
    store, till = OFFLINE_TILL
    world = sandbox.retailer.world
    night = world.night.strftime("%Y-%m-%dT%H:%M:%S")
    late = [order for order in all_orders(call, places) if order["closed_at"][:19] < night]
    last = world.night_sequence[store, till]
    assert {order["location_id"] for order in late} == {places[store]}
    assert sorted(int(order["metadata"]["sequence"]) for order in late) == [last + n for n in range(1, 5)]
    assert {order["metadata"]["business_day"] for order in late} == {world.night_day}
    assert {order["updated_at"] for order in late} == {"2026-11-22T07:05:00.000Z"}  # 8:05 in Paris


def test_a_till_whose_clock_is_fast_numbers_its_tickets_right(call, sandbox, places, clock):
    store, till = SKEWED_TILL
    order = sandbox.retailer.tills.sell(store, [(sandbox.retailer.world.skus[0].code, 1)], till=till)
    [seen] = [o for o in all_orders(call, places, since="2026-11-22T10:00:00Z") if o["id"] == order["id"]]
    assert seen["updated_at"] == "2026-11-22T10:00:00.000Z"
    assert seen["closed_at"] == "2026-11-22T10:47:00.000Z"


def test_only_what_changed_in_a_span_is_found_with_both_its_ends(call, sandbox, places):
    orders = sorted(all_orders(call, places, limit=1000), key=lambda order: order["updated_at"])
    since, until = orders[100]["updated_at"], orders[180]["updated_at"]
    between = all_orders(call, places, limit=17, since=since, until=until)
    assert {o["id"] for o in between} == {o["id"] for o in orders if since <= o["updated_at"] <= until}


def test_new_tickets_do_not_disturb_the_pages_of_a_search(call, sandbox, places, article):
    body = {"location_ids": list(places.values())[:10], "limit": 20, "query": by_update()}
    seen = []
    while True:
        page = call("POST", "/v2/orders/search", body).json()
        seen += [order["id"] for order in page["orders"]]
        if "cursor" not in page:
            break
        body["cursor"] = page["cursor"]
        if len(seen) == 20:
            sandbox.retailer.tills.sell("ST01", [(article[0], 1)])
    assert len(seen) == len(set(seen)) == len([o for o in all_orders(call, places) if o["id"] in seen])


def test_the_client_reads_entries_when_it_asks_for_them(client, places):
    page = client.orders.search(location_ids=[places["ST01"]], limit=3, return_entries=True)
    assert page.orders is None
    assert {entry.location_id for entry in page.order_entries} <= {places["ST01"]}


def test_the_client_pages_through_all_counts(client, sandbox, places):
    counts = list(client.inventory.batch_get_counts(limit=1000))
    names = {id: store for store, id in places.items()}
    codes = {v.id: v.code for v in sandbox.retailer.tills.catalog.variations()}
    read = {f"{codes[c.catalog_object_id]}@{names[c.location_id]}": int(c.quantity) for c in counts}
    times = [count.calculated_at for count in counts]
    assert len(counts) == 480 * 20
    assert read == sandbox.retailer.tills.counts()
    assert times == sorted(times, reverse=True)


def test_a_sale_between_two_pages_of_counts_hides_none(client, sandbox, article, places):
    pager = client.inventory.batch_get_counts(limit=1000, location_ids=list(places.values())[:3])
    seen = [(c.location_id, c.catalog_object_id) for c in pager.items]
    while pager.has_next:
        sandbox.retailer.tills.sell("ST01", [(sku.code, 1) for sku in sandbox.retailer.world.skus[:50]])
        pager = pager.get_next()
        seen += [(c.location_id, c.catalog_object_id) for c in pager.items]
    assert len(seen) == len(set(seen)) == 3 * 480


def test_the_client_reads_counts_that_changed_since(client, sandbox, clock, article, places):
    clock.forward(minutes=1)
    sandbox.retailer.tills.sell("ST03", [(article[0], 1)])
    changed = list(client.inventory.batch_get_counts(updated_after="2026-11-22T10:00:30Z"))
    one = list(client.inventory.batch_get_counts(catalog_object_ids=[article[1]], location_ids=[places["ST03"]]))
    none = list(client.inventory.batch_get_counts(states=["WASTE"]))
    assert changed == one
    assert [(c.catalog_object_id, c.location_id, c.state) for c in one] == [(article[1], places["ST03"], "IN_STOCK")]
    assert none == []


def test_the_client_sets_counts(client, sandbox, clock, article, places):
    changes = [count(id, article[1], str(n), clock.now()) for n, id in enumerate(places.values())]
    answer = client.inventory.batch_create_changes(
        idempotency_key=str(uuid.uuid4()), changes=changes, ignore_unchanged_counts=False
    )
    write = sandbox.retailer.ledger.writes("tills")[-1]
    counts = sandbox.retailer.tills.counts()
    assert [c.quantity for c in answer.counts] == [str(n) for n in range(20)]
    assert [c.physical_count.quantity for c in answer.changes] == [str(n) for n in range(20)]
    assert [counts[f"{article[0]}@{store}"] for store in places] == list(range(20))
    assert (write.operation, write.status, len(write.detail["changes"])) == ("inventory/changes/batch-create", 200, 20)


# --- idempotency ----------------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_same_answer_and_change_nothing_again(client, sandbox, clock, article, places):
    key, changes = str(uuid.uuid4()), [count(places["ST01"], article[1], "7", clock.now())]
    first = client.inventory.batch_create_changes(idempotency_key=key, changes=changes)
    clock.forward(minutes=1)
    sandbox.retailer.tills.sell("ST01", [(article[0], 2)])
    assert client.inventory.batch_create_changes(idempotency_key=key, changes=changes) == first
    assert sandbox.retailer.tills.counts()[f"{article[0]}@ST01"] == 5
    assert [call.idempotency_key for call in sandbox.retailer.ledger.writes("tills")] == [key, key]


def test_the_same_key_with_another_body_is_refused(client, clock, article, places):
    key = str(uuid.uuid4())
    client.inventory.batch_create_changes(
        idempotency_key=key, changes=[count(places["ST01"], article[1], "7", clock.now())]
    )
    with pytest.raises(ApiError) as refused:
        client.inventory.batch_create_changes(
            idempotency_key=key, changes=[count(places["ST01"], article[1], "8", clock.now())]
        )
    assert refused.value.status_code == 400
    assert refused.value.errors[0].code == "IDEMPOTENCY_KEY_REUSED"


def test_a_refused_call_does_not_use_up_its_key(call, clock, article, places):
    body = {"idempotency_key": "k", "changes": [count(places["ST01"], article[1], "7", clock.now())]}
    wrong = {**body, "changes": [count("LNOWHERE", article[1], "7", clock.now())]}
    path = "/v2/inventory/changes/batch-create"
    assert [call("POST", path, wrong).status_code, call("POST", path, body).status_code] == [404, 200]


# --- limits and refusals --------------------------------------------------------------------------


@pytest.fixture
def until_refused(sandbox):
    """Call as fast as this machine can until Square would refuse; answers the statuses and the seconds it took."""

    def until_refused():
        began, statuses = time.monotonic(), []
        headers = {"Authorization": f"Bearer {sandbox.retailer.tills.token}", "Square-Version": VERSION}
        with requests.Session() as session:
            while 429 not in statuses and len(statuses) < 1000:
                statuses.append(session.get(sandbox.urls["tills"] + "/v2/locations", headers=headers).status_code)
        return statuses, time.monotonic() - began

    return until_refused


def test_more_than_20_calls_a_second_are_refused(until_refused, sandbox):
    statuses, seconds = until_refused()
    assert statuses[:20] == [200] * 20
    assert statuses[-1] == 429
    assert 20 <= statuses.count(200) <= 20 + 20 * seconds
    assert sandbox.retailer.ledger.statuses("tills")[429] == 1


@pytest.fixture
def nothing_fills_again(retailer, monkeypatch):
    """Budgets that stay used up: the client's own next call may come late on a busy machine."""
    monkeypatch.setattr(retailer.state, "haste", 1e-6)


def test_the_client_learns_of_a_refused_call(nothing_fills_again, client, until_refused):
    until_refused()
    with pytest.raises(ApiError) as refused:
        client.locations.list(request_options=ONCE)
    assert refused.value.status_code == 429
    assert (refused.value.errors[0].category, refused.value.errors[0].code) == ("RATE_LIMIT_ERROR", "RATE_LIMITED")


def test_more_than_100_changes_are_refused_and_none_is_made(client, sandbox, clock, article, places):
    before = sandbox.retailer.tills.counts()
    changes = [count(places["ST01"], article[1], "7", clock.now())] * 101
    with pytest.raises(ApiError) as refused:
        client.inventory.batch_create_changes(idempotency_key="k", changes=changes)
    assert (refused.value.errors[0].code, refused.value.errors[0].field) == ("ARRAY_LENGTH_TOO_LONG", "changes")
    assert sandbox.retailer.tills.counts() == before


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "MISSING_REQUIRED_PARAMETER", "location_ids"),
        ({"location_ids": "L"}, "EXPECTED_ARRAY", "location_ids"),
        ({"location_ids": ["L"] * 11}, "ARRAY_LENGTH_TOO_LONG", "location_ids"),
        ({"location_ids": ["LNOWHERE"]}, "NOT_FOUND", "location_ids"),
        ({"location_ids": ["L"], "limit": 1001}, "VALUE_TOO_HIGH", "limit"),
        ({"location_ids": ["L"], "limit": 0}, "VALUE_TOO_LOW", "limit"),
        ({"location_ids": ["L"], "limit": "5"}, "EXPECTED_INTEGER", "limit"),
        ({"location_ids": [], "lokation": 1}, "UNKNOWN_BODY_PARAMETER", "lokation"),
        ({"location_ids": ["L"], "query": []}, "EXPECTED_OBJECT", "query"),
        ({"query": {"sort": {"sort_field": "PRICE"}}}, "INVALID_ENUM_VALUE", "query.sort.sort_field"),
        ({"query": {"filter": by_update()["filter"]}}, "INVALID_VALUE", "query.sort.sort_field"),
        ({"query": by_update("yesterday")}, "INVALID_TIME", "query.filter.date_time_filter.updated_at.start_at"),
        ({"query": by_update("2026-11-22")}, "INVALID_TIME", "query.filter.date_time_filter.updated_at.start_at"),
        (["L"], "EXPECTED_OBJECT", None),
    ],
)  # fmt: skip
def test_a_search_that_square_does_not_take_is_refused_with_its_field(call, body, code, field):
    reply = call("POST", "/v2/orders/search", body)
    assert reply.status_code in (400, 404)
    assert (reply.json()["errors"][0]["code"], reply.json()["errors"][0].get("field")) == (code, field)


def test_a_cursor_belongs_to_its_query(call, places):
    ids = list(places.values())[:10]
    first = call("POST", "/v2/orders/search", {"location_ids": ids, "limit": 1}).json()
    other = {"location_ids": ids[:9], "cursor": first["cursor"]}
    replies = [
        call("POST", "/v2/orders/search", other),
        call("POST", "/v2/orders/search", {"location_ids": ids, "cursor": "nonsense"}),
        call("POST", "/v2/inventory/counts/batch-retrieve", {"cursor": "nonsense"}),
        call("GET", "/v2/catalog/list?types=ITEM&cursor=nonsense"),
    ]
    assert {(reply.status_code, reply.json()["errors"][0]["code"]) for reply in replies} == {(400, "INVALID_CURSOR")}


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"occurred_at": 24 * HOUR + timedelta(seconds=1)}, "INVALID_TIME", "occurred_at"),
        ({"occurred_at": -timedelta(seconds=1)}, "INVALID_TIME", "occurred_at"),
        ({"occurred_at": "last night"}, "INVALID_TIME", "occurred_at"),
        ({"occurred_at": "2026-11-22T09:00:00"}, "INVALID_TIME", "occurred_at"),
        ({"quantity": "-1"}, "VALUE_TOO_LOW", "quantity"),
        ({"quantity": "1,5"}, "INVALID_VALUE", "quantity"),
        ({"quantity": "0.000001"}, "INVALID_VALUE", "quantity"),
        ({"quantity": "NaN"}, "INVALID_VALUE", "quantity"),
        ({"state": "SOLD"}, "INVALID_ENUM_VALUE", "state"),
        ({"location_id": "LNOWHERE"}, "NOT_FOUND", "location_id"),
        ({"catalog_object_id": "NOTHING"}, "NOT_FOUND", "catalog_object_id"),
    ],
)
def test_one_bad_count_is_named_and_none_is_made(call, sandbox, clock, article, places, values, code, field):
    before = sandbox.retailer.tills.counts()
    good, bad = (count(places[store], article[1], "7", clock.now()) for store in ("ST01", "ST02"))
    for name, value in values.items():
        bad["physical_count"][name] = (clock.now() - value).isoformat() if isinstance(value, timedelta) else value
    reply = call("POST", "/v2/inventory/changes/batch-create", {"idempotency_key": "k", "changes": [good, bad]})
    errors = [(error["code"], error["field"]) for error in reply.json()["errors"]]
    assert reply.status_code == (404 if code == "NOT_FOUND" else 400)
    assert errors == [(code, f"changes[1].physical_count.{field}")]
    assert sandbox.retailer.tills.counts() == before


def test_a_count_24_hours_old_is_taken(call, clock, article, places):
    body = {"idempotency_key": "k", "changes": [count(places["ST01"], article[1], "7", clock.now() - 24 * HOUR)]}
    assert call("POST", "/v2/inventory/changes/batch-create", body).status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"changes": []}, "MISSING_REQUIRED_PARAMETER", "idempotency_key"),
        ({"idempotency_key": ""}, "VALUE_EMPTY", "idempotency_key"),
        ({"idempotency_key": "k" * 129}, "VALUE_TOO_LONG", "idempotency_key"),
        ({"idempotency_key": "k", "changes": {}}, "EXPECTED_ARRAY", "changes"),
        ({"idempotency_key": "k", "changes": [{"type": "TRANSFER"}]}, "INVALID_VALUE", "changes[0].type"),
    ],
)
def test_a_change_that_square_does_not_take_is_refused_with_its_field(call, body, code, field):
    error = call("POST", "/v2/inventory/changes/batch-create", body).json()["errors"][0]
    assert (error["code"], error["field"]) == (code, field)


def test_without_a_token_or_a_version_nobody_is_let_in(call, sandbox):
    token = {"Authorization": f"Bearer {sandbox.retailer.tills.token}"}
    nobody = call("GET", "/v2/locations", headers={})
    wrong = call("GET", "/v2/locations", headers={"Authorization": "Bearer EAAAwrong", "Square-Version": VERSION})
    old = call("GET", "/v2/locations", headers=token)
    assert (nobody.status_code, wrong.status_code, old.status_code) == (401, 401, 400)
    assert wrong.json()["errors"][0]["category"] == "AUTHENTICATION_ERROR"
    assert old.json()["errors"][0]["code"] == "INVALID_SQUARE_VERSION_FORMAT"


def test_an_address_that_is_not_served_is_not_found(sandbox):
    reply = requests.get(f"{sandbox.urls['tills']}/v2/customers", timeout=10)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (404, "NOT_FOUND")
