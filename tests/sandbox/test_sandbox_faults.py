"""Faults on demand: each kind at each system that can have it is met by a client, and written down."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import paramiko
import pytest
import requests
from support.shopify_client import Client

from hub.errors import ConfigError
from hub.sandbox.faults import CAN, Faults, Kind
from hub.sandbox.retailer import Retailer
from hub.sandbox.sender import Sender
from hub.sandbox.serve import Running, running

HASTE = 100  # nobody waits for a vendor's budget here
LEVELS = itertools.count(100)
SOAP = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{}</e:Body></e:Envelope>'
VARIANTS = """query V($after: String) {
  productVariants(first: 5, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}"""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An answer as a client got it, without the vendor's manners."""

    status: int
    body: str
    following: str | None  # the cursor of the next page
    seconds: float = 0.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, new_retailer: Path) -> Iterator[Running]:
    """One retailer for all: a fault ends with its limit, so no test meets that of another."""
    home = tmp_path_factory.mktemp("faults") / "retailer"
    shutil.copytree(new_retailer, home)
    retailer = Retailer(home, haste=HASTE)
    with running(retailer) as found:
        yield found
    retailer.close()


@pytest.fixture
def faults(served: Running) -> Iterator[Faults]:
    yield served.retailer.faults
    served.retailer.faults.clear()


# --- plain clients ----------------------------------------------------------------------------------


def erp(served: Running, cursor: str | None) -> Heard:
    mark = f"<s:bookmark>{cursor}</s:bookmark>" if cursor else ""
    asked = f'<s:ReadStock xmlns:s="urn:maison-omni:erp:stock">{mark}<s:setSize>5</s:setSize></s:ReadStock>'
    known = served.connections["erp"]
    answer = requests.post(
        served.urls["erp"] + "/erp/StockService",
        SOAP.format(asked),
        headers={"Content-Type": "text/xml"},
        auth=(known["login"], known["password"]),
        timeout=10,
    )
    _, _, rest = answer.text.partition("<s:nextBookmark>")
    return Heard(status=answer.status_code, body=answer.text, following=rest.partition("<")[0] or None)


def shop(served: Running, cursor: str | None) -> Heard:
    answer = requests.post(
        served.urls["shop"] + "/admin/api/2026-04/graphql.json",
        json={"query": VARIANTS, "variables": {"after": cursor}},
        headers={"X-Shopify-Access-Token": served.retailer.shop.token},
        timeout=10,
    )
    found = answer.json().get("data")
    info = found["productVariants"]["pageInfo"] if found else {}
    return Heard(status=answer.status_code, body=answer.text, following=info.get("endCursor"))


def tills(served: Running, cursor: str | None) -> Heard:
    headers = {"Authorization": f"Bearer {served.retailer.tills.token}", "Square-Version": "2026-01-22"}
    asked = {"limit": 5, **({"cursor": cursor} if cursor else {})}
    address = served.urls["tills"] + "/v2/inventory/counts/batch-retrieve"
    answer = requests.post(address, json=asked, headers=headers, timeout=10)
    return Heard(status=answer.status_code, body=answer.text, following=answer.json().get("cursor"))


def pim(served: Running, cursor: str | None) -> Heard:
    headers = {"Authorization": f"Bearer {served.retailer.pim.tokens.give()['access_token']}"}
    query = {"pagination_type": "search_after", "limit": "5", **({"search_after": cursor} if cursor else {})}
    answer = requests.get(served.urls["pim"] + "/api/rest/v1/products", query, headers=headers, timeout=10)
    href = answer.json().get("_links", {}).get("next", {}).get("href", "")
    return Heard(
        status=answer.status_code, body=answer.text, following=href.partition("search_after=")[2].partition("&")[0]
    )


def dam(served: Running, cursor: str | None) -> Heard:
    headers = {"Authorization": f"Bearer {served.retailer.dam.token}"}
    query = {"limit": "5", **({"cursor": cursor} if cursor else {})}
    answer = requests.get(served.urls["dam"] + "/api/v1/assets", query, headers=headers, timeout=10)
    return Heard(status=answer.status_code, body=answer.text, following=answer.json().get("next_cursor"))


def rest(served: Running, cursor: str | None) -> Heard:
    answer = requests.get(
        served.urls["shop"] + "/admin/api/2026-04/products.json",
        {"limit": "5", **({"page_info": cursor} if cursor else {})},
        headers={"X-Shopify-Access-Token": served.retailer.shop.token},
        timeout=10,
    )
    following = answer.links.get("next", {}).get("url", "").partition("page_info=")[2]
    return Heard(status=answer.status_code, body=answer.text, following=requests.utils.unquote(following) or None)


CLIENTS: dict[str, Callable[[Running, str | None], Heard]] = {
    "erp": erp,
    "shop": shop,
    "tills": tills,
    "pim": pim,
    "dam": dam,
}


def ask(served: Running, system: str, cursor: str | None = None) -> Heard:
    began = time.monotonic()
    found = CLIENTS[system](served, cursor)
    return Heard(status=found.status, body=found.body, following=found.following, seconds=time.monotonic() - began)


def last(served: Running, system: str) -> tuple[int, str | None]:
    """Status and fault of the latest call in the ledger."""
    call = served.retailer.ledger.calls(system)[-1]
    return call.status, call.fault


# --- every kind at every system ---------------------------------------------------------------------


@pytest.mark.parametrize("system", CLIENTS)
def test_a_limit_is_reached_in_the_vendors_own_words(served: Running, faults: Faults, system: str) -> None:
    faults.add(system, "429", rate=1, limit=1)
    said = ask(served, system)
    words = {"erp": "ERP-BUSY", "shop": "THROTTLED", "tills": "RATE_LIMITED", "pim": "Quota", "dam": "rate_limited"}
    assert words[system] in said.body
    assert said.status == {"erp": 500, "shop": 200}.get(system, 429)
    assert last(served, system) == (500 if system == "erp" else 429, "429")
    assert ask(served, system).following


def test_the_limit_of_the_shops_rest_calls_says_when_to_come_again(served: Running, faults: Faults) -> None:
    faults.add("shop", "429", rate=1, limit=1, only="locations")
    address = served.urls["shop"] + "/admin/api/2026-04/locations.json"
    answer = requests.get(address, headers={"X-Shopify-Access-Token": served.retailer.shop.token}, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")


@pytest.mark.parametrize("system", CLIENTS)
def test_a_system_breaks(served: Running, faults: Faults, system: str) -> None:
    faults.add(system, "500", rate=1, limit=1)
    assert ask(served, system).status == 500
    assert last(served, system) == (500, "500")
    assert ask(served, system).following


@pytest.mark.parametrize("system", CLIENTS)
@pytest.mark.parametrize(("kind", "status"), [(Kind.RESET, 0), (Kind.LOST_ANSWER, 200)])
def test_a_connection_is_reset(served: Running, faults: Faults, system: str, kind: Kind, status: int) -> None:
    faults.add(system, kind, rate=1, limit=1, delay=0.05)
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        ask(served, system)
    assert last(served, system) == (status, kind)
    assert ask(served, system).following


@pytest.mark.parametrize("system", CLIENTS)
def test_an_answer_is_late(served: Running, faults: Faults, system: str) -> None:
    faults.add(system, "slow", rate=1, limit=1, delay=0.2)
    said = ask(served, system)
    assert (said.seconds >= 0.2, bool(said.following)) == (True, True)
    assert last(served, system) == (200, "slow")


@pytest.mark.parametrize("system", CLIENTS)
def test_an_answer_ends_in_the_middle(served: Running, faults: Faults, system: str) -> None:
    faults.add(system, "truncate", rate=1, limit=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(served, system)
    assert last(served, system) == (200, "truncate")


@pytest.mark.parametrize("system", CLIENTS)
def test_a_secret_that_was_good_is_refused_once(served: Running, faults: Faults, system: str) -> None:
    faults.add(system, "auth-expired", rate=1, limit=1)
    assert ask(served, system).status == 401
    assert last(served, system) == (401, "auth-expired")
    assert ask(served, system).following


@pytest.mark.parametrize("system", [*CLIENTS, "rest"])
def test_a_page_leads_back_to_itself(
    served: Running, faults: Faults, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CLIENTS, "rest", rest)
    home = "shop" if system == "rest" else system
    cursor = ask(served, system).following
    faults.add(home, "page-loop", rate=1, limit=1)
    assert ask(served, system, cursor).following == cursor
    assert last(served, home) == (200, "page-loop")
    assert ask(served, system, cursor).following not in (None, cursor)


def test_a_last_page_leads_back_as_well(served: Running, faults: Faults) -> None:
    page, cursor = ask(served, "dam"), None
    while page.following:
        cursor = page.following
        page = ask(served, "dam", cursor)
    faults.add("dam", "page-loop", rate=1, limit=1)
    assert ask(served, "dam", cursor).following == cursor


def test_a_soap_fault_travels_with_http_200(served: Running, faults: Faults) -> None:
    faults.add("erp", "soap-fault-200", rate=1, limit=1)
    said = ask(served, "erp")
    assert (said.status, "<faultcode>soap:Server</faultcode>" in said.body) == (200, True)
    assert last(served, "erp") == (500, "soap-fault-200")


def test_a_sandbox_is_stopped_in_the_middle_of_a_silence(retailer: Retailer) -> None:
    told: list[Exception] = []

    def wait() -> None:
        try:
            ask(sandbox, "dam")
        except requests.ConnectionError as error:
            told.append(error)

    with running(retailer) as sandbox:
        retailer.faults.add("dam", "timeout-after-commit", rate=1)
        client = Thread(target=wait)
        client.start()
        until(lambda: bool(retailer.faults.counts()))
        began = time.monotonic()
    client.join()
    assert told
    assert time.monotonic() - began < 8


# --- writing ----------------------------------------------------------------------------------------


@pytest.fixture
def client(served: Running) -> Client:
    return Client(served.urls["shop"], served.retailer.shop.token)


@pytest.fixture
def level(served: Running) -> Any:
    """A level of the shop that this test alone sets."""
    query = "SELECT item_id, location_id FROM shop_level ORDER BY item_id, location_id LIMIT 1 OFFSET ?"
    row = served.retailer.state.row(query, (next(LEVELS),))
    assert row is not None

    def held() -> int:
        (found,) = served.retailer.shop.inventory.levels(items=[row["item_id"]], locations=[row["location_id"]])
        return found.available

    item, place = f"gid://shopify/InventoryItem/{row['item_id']}", f"gid://shopify/Location/{row['location_id']}"
    return held, lambda to, expected: (item, place, to, expected)


def test_a_compare_and_set_loses_against_nobody(served: Running, faults: Faults, client: Client, level: Any) -> None:
    held, change = level
    before = held()
    faults.add("shop", "stale-cas", rate=1, limit=1)
    told = client.set(change(before + 3, before))
    assert [error["code"] for error in told["userErrors"]] == ["CHANGE_FROM_QUANTITY_STALE"]
    assert (held(), last(served, "shop")) == (before, (200, "stale-cas"))
    assert client.set(change(before + 3, before))["userErrors"] == []
    assert held() == before + 3


def test_a_call_that_compares_nothing_cannot_lose(served: Running, faults: Faults, client: Client, level: Any) -> None:
    held, change = level
    faults.add("shop", "stale-cas", rate=1, limit=1)
    assert client.set(change(7, None))["userErrors"] == []
    assert (held(), last(served, "shop")) == (7, (200, None))


def test_the_tills_refuse_the_version_that_they_have(served: Running, faults: Faults) -> None:
    tills = served.retailer.tills
    row = tills.state.row("SELECT id FROM till_object WHERE type = 'ITEM_VARIATION' AND NOT deleted ORDER BY id")
    assert row is not None
    object = tills.catalog.document(tills.catalog.row(row["id"]))
    headers = {"Authorization": f"Bearer {tills.token}", "Square-Version": "2026-01-22"}
    faults.add("tills", "stale-cas", rate=1, limit=1)

    def told(key: str) -> int:
        address = served.urls["tills"] + "/v2/catalog/batch-upsert"
        body = {"idempotency_key": key, "batches": [{"objects": [object]}]}
        return requests.post(address, json=body, headers=headers, timeout=10).status_code

    assert (told("first"), last(served, "tills")) == (409, (409, "stale-cas"))
    assert told("second") == 200


@pytest.mark.parametrize(
    ("kind", "carried_out"), [("reset", False), ("500", False), ("timeout-after-commit", True), ("truncate", True)]
)
def test_what_is_carried_out_is_what_the_fault_says(
    served: Running, faults: Faults, client: Client, level: Any, kind: str, carried_out: bool
) -> None:
    held, change = level
    before = held()
    faults.add("shop", kind, rate=1, limit=1, delay=0.05, only="inventorySet*")
    with pytest.raises((requests.RequestException, AssertionError)):
        client.set(change(before + 5, before), key=f"once {kind}")
    call = served.retailer.ledger.writes("shop")[-1]
    assert (call.operation, call.idempotency_key, call.fault) == ("inventorySetQuantities", f"once {kind}", kind)
    assert held() == before + (5 if carried_out else 0)


# --- the stores' server and files -------------------------------------------------------------------


def sftp(served: Running) -> Any:
    """A client that is signed in."""
    client = paramiko.SSHClient()
    host_key = paramiko.hostkeys.HostKeyEntry.from_line(f"host {served.retailer.stores.host_key}").key
    client.get_host_keys().add(f"[127.0.0.1]:{served.ports['stores']}", host_key.get_name(), host_key)
    key = paramiko.Ed25519Key.from_private_key_file(str(served.retailer.stores.private_key_file))
    port = served.ports["stores"]
    client.connect("127.0.0.1", port, "omnihub", pkey=key, allow_agent=False, look_for_keys=False, timeout=10)
    return client


def fetched(served: Running) -> bytes:
    name = served.retailer.stores.waiting()[0]
    with sftp(served) as client, client.open_sftp() as files, files.open(f"out/stock/{name}") as file:
        return bytes(file.read())


@pytest.mark.parametrize("kind", ["reset", "timeout-after-commit", "500", "truncate", "slow"])
def test_a_transfer_fails(served: Running, faults: Faults, kind: str) -> None:
    whole = fetched(served)
    faults.add("stores", kind, rate=1, limit=1, delay=0.1, only="GET")
    if kind == "truncate":
        assert fetched(served) == whole[: len(whole) // 2]
    elif kind == "slow":
        assert fetched(served) == whole
    else:
        with pytest.raises((paramiko.SSHException, OSError), match="not answer" if kind == "500" else "dropped|reset"):
            fetched(served)
    assert last(served, "stores")[1] == kind
    assert fetched(served) == whole


def test_a_rename_is_carried_out_though_nobody_hears_of_it(served: Running, faults: Faults) -> None:
    served.retailer.stores.put("moved.csv", b"x", marker=False)
    faults.add("stores", "timeout-after-commit", rate=1, limit=1, delay=0.05, only="*RENAME")
    with sftp(served) as client, client.open_sftp() as files, pytest.raises((paramiko.SSHException, OSError)):
        files.posix_rename("out/stock/moved.csv", "archive/stock/moved.csv")
    assert "moved.csv" in served.retailer.stores.archived()


def test_a_good_key_is_refused_once(served: Running, faults: Faults) -> None:
    faults.add("stores", "auth-expired", rate=1, limit=1)
    with pytest.raises(paramiko.AuthenticationException):
        sftp(served)
    assert last(served, "stores") == (3, "auth-expired")
    sftp(served).close()


def test_a_store_writes_a_file_without_its_end(served: Running, faults: Faults) -> None:
    stores = served.retailer.stores
    faults.add("stores", "truncate", rate=1, limit=1, only="file")
    name = stores.drop("ST04", complete=False)
    assert b"\nT;" not in (stores.out / name).read_bytes()
    assert (stores.out / f"{name}.ok").exists()
    assert last(served, "stores") == (0, "truncate")


def test_a_store_sends_a_file_twice_under_two_names(served: Running, faults: Faults) -> None:
    stores = served.retailer.stores
    faults.add("stores", "duplicate", rate=1, limit=1)
    name = stores.drop("ST05", complete=False)
    again = name.replace(".csv", "_2.csv")
    assert (stores.out / again).read_bytes() == (stores.out / name).read_bytes()
    assert (stores.out / f"{again}.ok").exists()


def listed(served: Running) -> set[str]:
    with sftp(served) as client, client.open_sftp() as files:
        return set(files.listdir("out/stock"))


def test_a_file_comes_after_the_one_that_was_written_later(served: Running, faults: Faults) -> None:
    stores = served.retailer.stores
    faults.add("stores", "reorder", rate=1, limit=1, delay=0.3)
    first = stores.drop("ST06", complete=False)
    later = stores.drop("ST06")
    assert first not in stores.waiting()
    assert later in stores.waiting()
    time.sleep(0.31)
    assert {first, f"{first}.ok", later} <= listed(served)


def test_a_file_that_nothing_overtakes_comes_late(served: Running, faults: Faults) -> None:
    faults.add("stores", "reorder", rate=1, limit=1, delay=0.002)
    name = served.retailer.stores.drop("ST08")
    time.sleep(0.05)
    assert {name, f"{name}.ok"} <= listed(served)


# --- webhooks ---------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Any]:
    """Takes every webhook and keeps its body."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received = []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("system", ["shop", "tills"])
@pytest.mark.parametrize(
    ("kind", "arrive"), [("duplicate", [b"first", b"first", b"second"]), ("reorder", [b"second", b"first"])]
)
def test_webhooks_come_twice_or_in_another_order(
    served: Running, faults: Faults, receiver: Any, system: str, kind: str, arrive: list[bytes]
) -> None:
    retailer = served.retailer
    retailer.state.execute("DELETE FROM webhook")
    sender = Sender(
        retailer.webhooks,
        {"shop": retailer.shop, "tills": retailer.tills},
        f"http://127.0.0.1:{receiver.server_port}",
    )
    for body in (b"first", b"second"):
        retailer.webhooks.enqueue(system, f"/hooks/{system}", {}, body)
    faults.add(system, kind, rate=1, limit=1, delay=0.05)
    stop: Any = Stop()
    sender.step(stop)
    time.sleep(0.06)
    sender.step(stop)
    assert receiver.received == arrive
    assert retailer.webhooks.pending() == 0
    call = retailer.ledger.calls(system)[-1]
    assert (call.operation, call.fault) == ("webhook", kind)


class Stop:
    def is_set(self) -> bool:
        return False


# --- rules ------------------------------------------------------------------------------------------


def struck(retailer: Retailer, calls: int = 200, **rule: Any) -> list[bool]:
    """Which of so many calls a new rule strikes, in a process that has just begun."""
    faults = Faults(retailer.state)
    faults.clear()
    faults.add("erp", "slow", **rule)
    return [faults.strike("erp", {Kind.SLOW}, "ReadStock") is not None for _ in range(calls)]


def test_the_same_seed_strikes_the_same_calls(retailer: Retailer) -> None:
    first = struck(retailer, rate=0.2, seed=3)
    assert struck(retailer, rate=0.2, seed=3) == first != struck(retailer, rate=0.2, seed=4)
    assert 20 <= sum(first) <= 60


def test_a_rule_ends_with_its_limit_and_with_its_time(retailer: Retailer) -> None:
    assert sum(struck(retailer, rate=1, limit=3)) == 3
    assert retailer.faults.running() == []
    assert not any(struck(retailer, rate=1, seconds=0))
    assert retailer.faults.running() == []


def test_a_rule_is_about_the_operations_that_its_pattern_names(retailer: Retailer) -> None:
    assert not any(struck(retailer, rate=1, only="Create*"))
    assert all(struck(retailer, rate=1, only="Read*", calls=5))


def test_another_process_adds_and_ends_faults(retailer: Retailer) -> None:
    serving, other = Faults(retailer.state), Faults(retailer.state)
    assert serving.quiet("pim")
    other.add("pim", "reset", rate=1)
    until(lambda: not serving.quiet("pim"))
    assert other.clear() == 1
    until(lambda: serving.quiet("pim"))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_the_ledger_counts_what_struck(served: Running, faults: Faults) -> None:
    before = served.retailer.ledger.last_id
    faults.add("dam", ["500", "429"], rate=1, limit=2)
    for _ in range(5):
        ask(served, "dam")
    assert faults.counts(since_id=before) == {"dam": {"429": 2, "500": 2}}


def test_all_means_every_system_that_can_and_every_kind_that_it_can_have(retailer: Retailer) -> None:
    faults = retailer.faults
    assert {rule.system for rule in faults.add("all", "stale-cas")} == {"shop", "tills"}
    assert {rule.kind for rule in faults.add("stores", "all")} == set(CAN["stores"])
    faults.clear()
    assert len(faults.add("all", "all")) == sum(map(len, CAN.values()))


@pytest.mark.parametrize(
    ("system", "kind", "sentence"),
    [
        ("dam", "stale-cas", "dam cannot have stale-cas; it can have 429, 500, reset, timeout-after-commit, slow"),
        ("shoop", "429", "the sandbox has no system 'shoop'; it has erp, stores, shop, tills, pim, dam, or all"),
        ("erp", "418", "there is no fault '418'; there are 429, 500, reset"),
    ],
)
def test_what_cannot_happen_is_refused_with_what_can(retailer: Retailer, system: str, kind: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        retailer.faults.add(system, kind)
