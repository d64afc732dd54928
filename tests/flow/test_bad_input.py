"""Bad input, told to the whole hub: a sentence with the place, nothing lost, and everything else went on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import asyncssh
import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.scene import Scene
from support.stories import (
    EVERYWHERE,
    archived,
    article,
    connection,
    edited,
    line_of,
    news_of_all,
    partial,
    payload,
    quarantined,
    trouble,
)

from hub.errors import ConfigError
from hub.flow import Outcome
from hub.sandbox.clock import naive_paris

# --- one pass over a folder full of broken files --------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Broken:
    """How a whole file is spoilt, and what must be said of it."""

    store: str
    spoil: Callable[[bytes], bytes]
    line: int
    path: str = ""
    says: str


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def spoil(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return spoil


FILES = {
    "cut in the middle of a line": Broken(
        store="ST01", spoil=lambda c: c[: c.index(b"T;3") - 12], line=5, says="the file is cut in the middle of line 5"
    ),
    "wrong delimiter": Broken(
        store="ST02", spoil=lambda c: c.replace(b";", b","), line=1, says="separated by ',' instead of ';'"
    ),
    "unknown column": Broken(
        store="ST03",
        spoil=replaced(b"QTE", b"QUANTITE"),
        line=2,
        path="QUANTITE",
        says="the column 'QUANTITE' is unknown; expected are MAGASIN, ARTICLE",
    ),
    "date that does not exist": Broken(
        store="ST04", spoil=replaced(b";20261122", b";20261131"), line=1, path="as_of", says="20261131"
    ),
    "empty file": Broken(store="ST05", spoil=lambda _: b"", line=1, says="the file is empty"),
    "trailer that does not match": Broken(
        store="ST06", spoil=replaced(b"T;3", b"T;4"), line=6, path="rows", says="the trailer says 4 lines, there are 3"
    ),
}
HALF, UNKNOWN_STORE, GOOD = "ST07", "0098", "ST08"


@dataclass(frozen=True, kw_only=True)
class Wreckage:
    """What lay in the folder, and how the pass over it ended."""

    names: Mapping[str, str]  # by case
    contents: Mapping[str, bytes]
    whole: bytes  # the file with the wrong delimiter, before it was spoilt
    sku: str
    moved: str  # in the ERP
    outcome: Outcome
    shop_before: Mapping[str, int]


@pytest.fixture(scope="module")
def wreckage(settled: Scene) -> Wreckage:
    """Six broken files, one with a broken line, one of nobody's store, a good one, and a broken row in the ERP."""
    skus = sorted({article(settled, f"wreck {n}") for n in range(9)})[:3]
    settled.clock.forward(minutes=5)
    stores = settled.retailer.stores
    names, contents, wholes = {}, {}, {}
    for case, broken in FILES.items():
        names[case] = partial(settled, broken.store, dict.fromkeys(skus, 3), marker=False)
        wholes[case] = (stores.out / names[case]).read_bytes()
        contents[case] = broken.spoil(wholes[case])
        stores.put(names[case], contents[case])
    names["half"] = partial(settled, HALF, {skus[0]: "1,5", skus[1]: 6, skus[2]: 6})
    names["nobody"] = partial(settled, UNKNOWN_STORE, {skus[0]: 3})
    names["good"] = partial(settled, GOOD, {skus[0]: 9})
    settled.retailer.erp.set(skus[1], "WH1", 33, blocked=0)
    settled.retailer.erp.set(skus[2], "WH1", 44, blocked=0)
    settled.retailer.state.execute(
        "UPDATE erp_stock SET updated = '20261131101500' WHERE sku = ? AND site = 'FR001'", (skus[2],)
    )
    before = settled.retailer.shop.levels()
    outcome = settled.synchronise(seconds=60)
    settled.retailer.erp.set(skus[2], "WH1", 44)
    return Wreckage(
        names=names,
        contents=contents,
        whole=wholes["wrong delimiter"],
        sku=skus[0],
        moved=skus[1],
        outcome=outcome,
        shop_before=before,
    )


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_refused_whole_with_its_place_and_kept(settled: Scene, wreckage: Wreckage, case: str) -> None:
    name, broken = wreckage.names[case], FILES[case]
    ((path, reason, origin, _),) = quarantined(settled, name)
    assert reason.startswith(f"{name} line {broken.line}: ")
    assert broken.says in reason
    assert (path, origin["line"]) == (broken.path, broken.line)
    assert payload(settled, origin["raw"]) == wreckage.contents[case] == archived(settled, name)
    key = f"{wreckage.sku}@{broken.store}"
    assert settled.retailer.shop.levels()[key] == wreckage.shop_before[key]


def test_half_a_piece_is_refused_and_the_other_lines_of_the_file_count(settled: Scene, wreckage: Wreckage) -> None:
    ((path, reason, origin, raw),) = quarantined(settled, wreckage.names["half"])
    assert (path, origin["line"]) == ("QTE", 3)
    assert "1,5" in reason
    assert json.loads(raw)["QTE"] == "1,5"
    assert sorted(n for k, n in settled.retailer.tills.counts().items() if k.endswith(f"@{HALF}")).count(6) >= 2


def test_a_file_of_an_unknown_store_is_refused_line_by_line(settled: Scene, wreckage: Wreckage) -> None:
    ((path, reason, origin, raw),) = quarantined(settled, wreckage.names["nobody"])
    assert (path, origin["line"]) == ("MAGASIN", 3)
    assert UNKNOWN_STORE in reason
    assert json.loads(raw)["MAGASIN"] == UNKNOWN_STORE


def test_a_row_of_the_erp_with_a_date_that_does_not_exist_is_refused_alone(settled: Scene, wreckage: Wreckage) -> None:
    url = f"{settled.served.urls['erp']}/erp/StockService#ReadStock"
    ((path, reason, origin, raw),) = quarantined(settled, url)
    assert path == "UPDDATTIM"
    assert "20261131101500" in reason
    assert origin["line"] >= 1
    assert json.loads(raw)["UPDDATTIM"] == "20261131101500"
    assert b"20261131101500" in payload(settled, origin["raw"])


def test_what_was_good_reached_shop_and_tills_in_the_same_pass(settled: Scene, wreckage: Wreckage) -> None:
    assert (settled.shop(wreckage.sku, GOOD), settled.till(wreckage.sku, GOOD)) == (8, 9)
    assert settled.shop(wreckage.moved, "WH1") == 33
    assert settled.retailer.stores.waiting() == []
    counts = wreckage.outcome.counts
    assert counts["quarantined"] == len(FILES) + 3
    assert counts["read"] == sum(counts[name] for name in ("changed", "unchanged", "superseded", "quarantined"))
    assert (counts["pending"], counts["refused"]) == (0, 0)


def test_a_repaired_file_under_the_same_name_is_taken(settled: Scene, wreckage: Wreckage) -> None:
    name, sku = wreckage.names["wrong delimiter"], wreckage.sku
    settled.retailer.stores.put(name, wreckage.whole)
    settled.retailer.stores.put(wreckage.names["empty file"], b"")  # and another once more as it was
    outcome = settled.synchronise(seconds=1)
    assert (settled.shop(sku, "ST02"), settled.till(sku, "ST02")) == (2, 3)
    assert len(quarantined(settled, name)) == 1
    assert len(quarantined(settled, wreckage.names["empty file"])) == 1
    assert outcome.counts["quarantined"] == 0


def test_a_file_that_grows_while_it_is_read_is_left_until_it_is_finished(settled: Scene) -> None:
    sku, stores = article(settled, "growing"), settled.retailer.stores
    settled.clock.forward(minutes=1)
    unmarked = partial(settled, "ST09", {sku: 21}, marker=False)
    growing = partial(settled, "ST10", {sku: 22})
    good = partial(settled, "ST11", {sku: 23})
    content, done = (stores.out / growing).read_bytes(), threading.Event()

    def write_on() -> None:
        with (stores.out / growing).open("ab", buffering=0) as file:
            while not done.is_set():
                file.write(b" ")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        settled.synchronise()
    finally:
        done.set()
        writer.join()
    assert stores.waiting() == sorted([unmarked, growing])
    assert good not in stores.waiting()
    assert settled.shop(sku, "ST11") == 22
    assert quarantined(settled, growing) == []

    stores.put(growing, content)
    stores.mark(unmarked)
    settled.synchronise()
    assert (settled.shop(sku, "ST09"), settled.shop(sku, "ST10")) == (20, 21)
    assert stores.waiting() == []


# --- a system in trouble, and what comes from the others in the same pass -----------------------------------


@pytest.mark.parametrize(
    ("system", "went_on"),
    [("erp", EVERYWHERE - {"erp>shop"}), ("shop", {"stores>tills"}), ("tills", {"erp>shop", "stores>shop"})],
)
def test_a_wrong_password_stops_one_system_and_says_where_to_look(
    settled: Scene, system: str, went_on: set[str]
) -> None:
    with news_of_all(settled, f"password {system}") as news:
        with connection(settled, system, password="wrong"):
            said = trouble(settled)
        assert f"{system} refused the sign-in; check the login and secret of the connection (HTTP 401" in said
        assert "wrong" not in said.split("(")[0]
        assert news.arrived() == went_on


def test_a_host_key_that_changed_is_not_trusted_and_the_file_stays_where_it_is(settled: Scene) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with news_of_all(settled, "host key") as news:
        extra = {**settled.connections["stores"]["extra"], "host_key": other}
        with connection(settled, "stores", extra=extra):
            said = trouble(settled)
        assert said.startswith("stores (127.0.0.1:")
        assert "shows another host key than the one in the connection" in said
        assert "enter the new key as host_key" in said
        assert settled.retailer.stores.waiting() == [news.file]
        assert news.arrived() == {"erp>shop", "tills>shop"}


def test_a_connection_that_is_missing_stops_one_target_and_nothing_else(settled: Scene) -> None:
    with news_of_all(settled, "no token") as news:
        with connection(settled, "shop", password=None):
            said = trouble(settled, ConfigError)
        assert "shop" in said
        assert "token" in said
        assert news.arrived() == {"stores>tills"}


def test_a_soap_fault_on_the_second_page_keeps_the_first_and_goes_on_there(settled: Scene) -> None:
    def fault(heard: Heard, ask: Callable[[], Say]) -> Say:
        return ask() if b"bookmark" not in heard.body else Say(500, FAULT, {"Content-Type": "text/xml"})

    with news_of_all(settled, "fault") as news:
        stamp = naive_paris(settled.clock.now())
        settled.retailer.state.execute("UPDATE erp_stock SET updated = ? WHERE site = 'FR001'", (stamp,))
        with proxy(settled.served.ports["erp"], fault) as between, connection(settled, "erp", port=between.port):
            said = trouble(settled)
        assert said == "erp: ReadStock failed with ERP-CLOSING: the books are being closed until 7"
        assert news.arrived() >= EVERYWHERE - {"erp>shop"}
        last = settled.retailer.ledger.last_id
    read = [c for c in settled.retailer.ledger.calls("erp", since_id=last) if c.operation == "ReadStock"]
    assert "bookmark" in read[0].detail
    assert "bookmark" in read[-1].detail


FAULT = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
<faultcode>ERP-CLOSING</faultcode><faultstring>the books are being closed until 7</faultstring>
</s:Fault></s:Body></s:Envelope>"""


def a_page(_: Say) -> Say:
    return Say(200, b"<html><body>Please sign in<br></body></html>", {"Content-Type": "text/html"})


def importing(said: Say) -> Say:
    found = b'<xs:import namespace="urn:elsewhere" schemaLocation="http://schemas.example.org/erp.xsd"/>'
    at = said.body.index(b">", said.body.index(b"<xs:schema")) + 1
    return Say(200, said.body[:at] + found + said.body[at:], said.headers)


@pytest.mark.parametrize(
    ("spoilt", "says"),
    [
        (a_page, "/erp/StockService?wsdl: the WSDL cannot be read: "),
        (importing, "the WSDL wants http://schemas.example.org/erp.xsd from the network, which is never fetched"),
    ],
)
def test_a_wsdl_that_cannot_be_read_or_wants_the_network_stops_the_erp_alone(
    settled: Scene, spoilt: Callable[[Say], Say], says: str
) -> None:
    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        return spoilt(ask()) if heard.method == "GET" else ask()

    with news_of_all(settled, says) as news:
        with proxy(settled.served.ports["erp"], spoil) as between, connection(settled, "erp", port=between.port):
            said = trouble(settled, ConfigError)
            assert said.startswith(f"http://127.0.0.1:{between.port}/erp/StockService?wsdl: ")
        assert says in said
        assert news.arrived() == EVERYWHERE - {"erp>shop"}


# --- mistakes in the project --------------------------------------------------------------------------------


def test_an_unknown_key_in_hub_yaml_has_its_line_and_nothing_is_touched(settled: Scene) -> None:
    with news_of_all(settled, "key") as news:
        last = settled.retailer.ledger.last_id
        with edited(settled, "hub.yaml", "stale_after", "stale_afer"):
            with pytest.raises(ConfigError) as told:
                settled.synchronise()
            place = f"hub.yaml:{line_of(settled, 'stale_afer')} channels.shop.stale_afer: "
        assert place in str(told.value)
        assert 'unknown key "stale_afer", did you mean "stale_after"?' in str(told.value)
        assert settled.retailer.ledger.last_id == last
        assert settled.retailer.stores.waiting() == [news.file]


@pytest.mark.parametrize(
    ("old", "new", "meant", "went_on"),
    [
        ("page_size: 100", "page_sise: 100", "page_size", EVERYWHERE - {"erp>shop"}),
        ("{api: graphql, ", "{apy: graphql, ", "api", {"stores>tills"}),
    ],
)
def test_an_unknown_option_of_one_system_has_its_line_and_stops_that_one_alone(
    settled: Scene, old: str, new: str, meant: str, went_on: set[str]
) -> None:
    key = new.strip("{").split(":")[0]
    with news_of_all(settled, key) as news:
        with edited(settled, "hub.yaml", old, new):
            said = trouble(settled, ConfigError)
            assert f"hub.yaml:{line_of(settled, new)} systems." in said
        assert said.endswith(f'options.{key}: unknown key "{key}", did you mean "{meant}"?')
        assert news.arrived() == went_on


def test_a_mapping_that_names_a_missing_field_refuses_each_record_with_its_place(settled: Scene) -> None:
    with news_of_all(settled, "field") as news:
        with edited(settled, "mappings/sftp_files/stock_level.v1.yaml", "sku: ARTICLE", "sku: ARTICEL"):
            outcome = settled.synchronise()
        ((path, reason, origin, raw),) = quarantined(settled, news.file)
        assert (path, origin["line"]) == ("ARTICEL", 3)
        assert reason
        assert json.loads(raw)["ARTICLE"] == news.sku
        assert archived(settled, news.file) == payload(settled, origin["raw"])
        assert outcome.counts["quarantined"] == 1
        assert news.arrived() == {"erp>shop", "tills>shop"}
        settled.clock.forward(seconds=1)
        partial(settled, "ST12", {news.sku: 19})  # the store's next file says it again


@pytest.mark.parametrize(
    ("folder", "went_on"),
    [("sftp_files", {"erp>shop", "tills>shop"}), ("square", {"erp>shop", "stores>shop"})],
)
def test_a_mapping_that_cannot_be_loaded_stops_its_own_system_alone(
    settled: Scene, folder: str, went_on: set[str]
) -> None:
    name = {"sftp_files": "stock_level", "square": "stock_movement"}[folder]
    with news_of_all(settled, folder) as news:
        with edited(settled, f"mappings/{folder}/{name}.v1.yaml", "| integer", "| intger"):
            said = trouble(settled, ConfigError)
        assert f"{folder}/{name}.v1.yaml:" in said
        assert "intger" in said
        assert news.arrived() == went_on


# --- an article that was deleted in the shop ------------------------------------------------------------------


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_an_article_deleted_in_the_shop_is_refused_alone(settled: Scene, api: str) -> None:
    gone, there = article(settled, f"deleted {api}"), article(settled, f"there {api}")
    item = settled.retailer.shop.catalog.variant(gone).item_id
    settled.retailer.state.execute("DELETE FROM shop_variant WHERE item_id = ?", (item,))
    settled.retailer.state.execute("DELETE FROM shop_level WHERE item_id = ?", (item,))
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {gone: 31, there: 32})
    with edited(settled, "hub.yaml", "{api: graphql,", f"{{api: {api},"):
        outcome = settled.synchronise()
        again = settled.synchronise()
    assert (settled.shop(there, "ST15"), settled.till(there, "ST15")) == (31, 32)
    assert settled.till(gone, "ST15") == 31
    assert (outcome.counts["refused"], outcome.counts["pending"], again.counts["refused"]) == (1, 0, 0)
    ((path, reason, raw),) = settled.query(
        "SELECT path, reason, raw FROM quarantine WHERE system = 'shop' AND key = %s", f"{gone}@ST15"
    )
    said = f"{path}: {reason}"
    assert "could not be found" in said if api == "graphql" else "(404)" in said
    assert json.loads(payload(settled, raw))["value"] == {"quantity": 30}
