"""Quarantine that heals: refused records are repaired, replayed in order, overtaken or given up; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.pushes import drained, push
from support.scene import Scene
from support.stories import article, edited, partial, payload, quarantined

from hub.errors import ConfigError, StopRun
from hub.flow import heal
from hub.flow.heal import Decision, Healed
from hub.flow.heal_fix import written
from hub.journal.corrections import Chosen

PERSON = Decision(who="anna", why="the store told us by phone")
UNKNOWN_STORE = "0098"


def entries(settled: Scene, source: str) -> list[tuple[int, str, str, str]]:
    """Number, state, cause and fingerprint of what was refused of a file, in order."""
    return settled.query(
        "SELECT id, state, cause, fingerprint FROM quarantine WHERE origin ->> 'source' = %s ORDER BY id",
        source,
    )


def told(settled: Scene, sku: str, store: str) -> tuple[int, datetime]:
    """What the store's files say lies there, and as of when."""
    ((pieces, as_of),) = settled.query(
        "SELECT (data ->> 'on_hand')::int, as_of FROM source_state WHERE system = 'stores' AND key = %s",
        f"{sku}@{store}",
    )
    return pieces, as_of


def fixed(
    settled: Scene, settings: Sequence[str], *, dry: bool = False, mapping: str | None = None, **choice: Any
) -> Healed:
    with settled.engine() as engine:
        return heal.fix(engine, Chosen(**choice), written(settings, mapping=mapping), PERSON, dry=dry)


def replayed(settled: Scene, *, dry: bool = False, **choice: Any) -> Healed:
    with settled.engine() as engine:
        return heal.replay(engine, Chosen(**choice), PERSON, dry=dry)


def refused_line(settled: Scene, store: str, sku: str, pieces: str) -> tuple[str, int, str]:
    """A store's file with one line that is no whole number of pieces: its name, the entry's number, its fingerprint."""
    settled.clock.forward(minutes=1)
    name = partial(settled, store, {sku: pieces})
    settled.synchronise()
    ((number, state, _, fingerprint),) = entries(settled, name)
    assert state == "open"
    return name, number, fingerprint


# --- a corrected field ----------------------------------------------------------------------------------


def test_a_corrected_field_reaches_shop_and_tills_and_the_original_stays(settled: Scene) -> None:
    sku = article(settled, "corrected", "ST03")
    name, number, _ = refused_line(settled, "ST03", sku, "7,5")
    found = fixed(settled, ["QTE=7"], ids=(number,))
    assert (found.healed, found.refused) == (1, 0)
    assert settled.till(sku, "ST03") == 7
    assert settled.shop(sku, "ST03") == 6  # a piece of safety stock
    ((_, _, _, original),) = quarantined(settled, name)
    assert json.loads(original)["QTE"] == "7,5"
    ((copy, who, why, fields),) = settled.query(
        "SELECT raw, who, why, fields FROM correction WHERE quarantine = %s", number
    )
    assert json.loads(payload(settled, copy))["QTE"] == "7"
    assert (who, why, fields) == ("anna", "the store told us by phone", ["QTE"])
    steps = settled.query("SELECT step, answer FROM audit WHERE after ->> 'number' = %s ORDER BY id", str(number))
    assert steps == [(step, "by anna: the store told us by phone") for step in ("corrected", "replayed")]


def test_a_rehearsal_says_what_would_heal_and_changes_nothing(settled: Scene) -> None:
    sku = article(settled, "rehearsal", "ST03")
    before = settled.till(sku, "ST03")
    name, number, _ = refused_line(settled, "ST03", sku, "8,5")
    would = fixed(settled, ["QTE=8"], ids=(number,), dry=True)
    assert (would.healed, would.sentence) == (1, "1 records: 1 would heal")
    assert [state for _, state, _, _ in entries(settled, name)] == ["open"]
    assert settled.query("SELECT count(*) FROM correction WHERE quarantine = %s", number) == [(0,)]
    settled.synchronise()
    assert settled.till(sku, "ST03") == before


def test_a_correction_that_heals_nothing_is_not_kept(settled: Scene) -> None:
    sku = article(settled, "no cure", "ST03")
    name, number, _ = refused_line(settled, "ST03", sku, "9,5")
    with pytest.raises(StopRun, match=rf"heals none of the 1 records.*number {number}.*9,75"):
        fixed(settled, ["QTE=9,75"], ids=(number,))
    assert [state for _, state, _, _ in entries(settled, name)] == ["open"]
    assert settled.query("SELECT count(*) FROM correction WHERE quarantine = %s", number) == [(0,)]
    with pytest.raises(ConfigError, match=rf'number {number} has no field "QUANTITY"; it has ARTICLE'):
        fixed(settled, ["QUANTITY=9"], ids=(number,))


def test_records_of_one_cause_are_replayed_in_the_order_in_which_they_were_true(settled: Scene) -> None:
    sku = article(settled, "order", "ST04")
    first, _, fingerprint = refused_line(settled, "ST04", sku, "5,5")
    second, _, same = refused_line(settled, "ST04", sku, "6,5")
    assert fingerprint == same
    with settled.engine() as engine:
        numbers = [row[0] for name in (second, first) for row in entries(settled, name)]
        found = heal.fix(engine, Chosen(ids=tuple(numbers)), written(["QTE=4"]), PERSON, dry=False)
    assert (found.healed, found.superseded) == (2, 0)
    assert told(settled, sku, "ST04") == (
        4,
        settled.query("SELECT max(as_of) FROM snapshot WHERE source = %s", second)[0][0],
    )


# --- overtaken --------------------------------------------------------------------------------------------


def test_a_record_that_a_newer_one_has_overtaken_is_superseded_and_not_replayed(settled: Scene) -> None:
    sku = article(settled, "overtaken", "ST05")
    old, number, _ = refused_line(settled, "ST05", sku, "2,5")
    settled.clock.forward(minutes=1)
    partial(settled, "ST05", {sku: 11})
    settled.synchronise()
    assert [state for _, state, _, _ in entries(settled, old)] == ["superseded"]
    with pytest.raises(ConfigError, match="no open record is chosen"):
        fixed(settled, ["QTE=2"], ids=(number,))
    assert settled.till(sku, "ST05") == 11


def test_an_older_valid_record_does_not_lift_a_newer_refusal(settled: Scene) -> None:
    sku = article(settled, "older", "ST05")
    newer, number, _ = refused_line(settled, "ST05", sku, "3,5")
    settled.retailer.stores.drop(
        "ST05", as_of=settled.clock.now() - timedelta(seconds=30), complete=False, levels={sku: 12}, unavailable={},
        dirty=False,
    )  # fmt: skip
    settled.synchronise()
    assert [state for _, state, _, _ in entries(settled, newer)] == ["open"]
    assert fixed(settled, ["QTE=3"], ids=(number,)).healed == 1
    assert settled.till(sku, "ST05") == 3


def test_a_newer_refusal_stays_when_an_older_one_that_arrived_after_it_is_corrected(settled: Scene) -> None:
    sku = article(settled, "arrived late", "ST05")
    settled.clock.forward(minutes=10)
    newer, number, _ = refused_line(settled, "ST05", sku, "3,5")
    late = settled.retailer.stores.drop(
        "ST05", as_of=settled.clock.now() - timedelta(minutes=5), complete=False, levels={sku: "2,5"}, unavailable={},
        dirty=False,
    )  # fmt: skip
    settled.synchronise()
    assert fixed(settled, ["QTE=2"], ids=(entries(settled, late)[0][0],)).healed == 1
    assert [state for _, state, _, _ in entries(settled, newer)] == ["open"]
    assert fixed(settled, ["QTE=3"], ids=(number,)).healed == 1
    assert told(settled, sku, "ST05")[0] == 3


def test_an_older_refusal_that_is_replayed_after_a_newer_word_changes_nothing(settled: Scene) -> None:
    sku = article(settled, "late", "ST05")
    first, number, _ = refused_line(settled, "ST05", sku, "4,5")
    _, later, _ = refused_line(settled, "ST05", sku, "5,5")
    assert fixed(settled, ["QTE=5"], ids=(later,)).healed == 1
    assert [state for _, state, _, _ in entries(settled, first)] == ["superseded"]
    assert settled.till(sku, "ST05") == 5
    settled.query("UPDATE quarantine SET state = 'open' WHERE id = %s RETURNING id", number)
    assert fixed(settled, ["QTE=4"], ids=(number,)).superseded == 1
    assert settled.till(sku, "ST05") == 5


# --- lookups and mappings ---------------------------------------------------------------------------------


def test_an_entry_given_to_a_lookup_heals_its_cause_and_counts_for_what_comes_later(settled: Scene) -> None:
    skus = sorted({article(settled, f"lookup {n}", "ST08") for n in range(3)})
    settled.clock.forward(minutes=1)
    name = partial(settled, UNKNOWN_STORE, dict.fromkeys(skus, 14))
    settled.synchronise()
    found = entries(settled, name)
    assert {cause for _, _, cause, _ in found} == {f"lookup stores={UNKNOWN_STORE}"}
    ((_, _, _, fingerprint), *_) = found
    setting = [f"lookups.stores.{UNKNOWN_STORE}=ST08"]
    assert fixed(settled, setting, fingerprint=fingerprint, dry=True).healed == len(skus)
    assert settled.query("SELECT count(*) FROM lookup_entry") == [(0,)]
    assert fixed(settled, setting, fingerprint=fingerprint).healed == len(skus)
    assert [told(settled, sku, "ST08")[0] for sku in skus] == [14] * len(skus)
    settled.clock.forward(minutes=1)
    partial(settled, UNKNOWN_STORE, {skus[0]: 15})
    settled.synchronise()
    assert told(settled, skus[0], "ST08")[0] == 15


def test_an_entry_that_a_file_has_already_is_changed_there(settled: Scene) -> None:
    with pytest.raises(
        ConfigError, match="0001 stands in the lookup stores already, as ST01: change it in mappings/sft"
    ):
        fixed(settled, ["lookups.stores.0001=ST02"], system="stores")
    with pytest.raises(ConfigError, match='no lookup "shops"; they have stores'):
        fixed(settled, ["lookups.shops.0097=ST02"], system="stores")


def test_a_newer_mapping_heals_what_the_older_one_refused(settled: Scene) -> None:
    sku = article(settled, "mapping", "ST09")
    mapping = "mappings/sftp_files/stock_level.v1.yaml"
    settled.clock.forward(minutes=1)
    with edited(settled, mapping, "sku: ARTICLE", "sku: ARTICEL"):
        name = partial(settled, "ST09", {sku: 16})
        settled.synchronise()
        ((number, *_),) = entries(settled, name)
        with pytest.raises(StopRun, match="no newer mapping than the one that refused it"):
            fixed(settled, [], ids=(number,), mapping="latest")
    assert fixed(settled, [], ids=(number,), mapping="latest").healed == 1
    assert settled.till(sku, "ST09") == 16


def test_an_older_version_of_a_mapping_heals_what_the_newest_refuses(settled: Scene) -> None:
    sku = article(settled, "older mapping", "ST09")
    folder = settled.project / "mappings/sftp_files"
    second = folder / "stock_level.v2.yaml"
    text = (folder / "stock_level.v1.yaml").read_text(encoding="utf-8")
    second.write_text(text.replace("version: 1", "version: 2").replace("sku: ARTICLE", "sku: ARTICEL"))
    try:
        settled.clock.forward(minutes=1)
        name = partial(settled, "ST09", {sku: 17})
        settled.synchronise()
        ((number, *_),) = entries(settled, name)
        with pytest.raises(StopRun, match="that is the mapping which refused it"):
            fixed(settled, [], ids=(number,), mapping="2")
        with pytest.raises(StopRun, match="there is no file of that version"):
            fixed(settled, [], ids=(number,), mapping="3")
        with pytest.raises(ConfigError, match="what a file said before it was edited is not kept"):
            fixed(settled, [], ids=(number,), mapping="b2c44aa0")
        assert fixed(settled, [], ids=(number,), mapping="1", dry=True).healed == 1
        assert fixed(settled, [], ids=(number,), mapping="1").healed == 1
    finally:
        second.unlink()
    assert settled.till(sku, "ST09") == 17
    ((by,),) = settled.query(
        "SELECT after ->> 'by' FROM audit WHERE after ->> 'number' = %s AND step = 'replayed'", str(number)
    )
    assert by.startswith("sftp_files.stock_level/1#")


def test_a_row_of_the_erp_with_a_time_that_does_not_exist_is_corrected_in_the_erp_s_words(settled: Scene) -> None:
    sku = article(settled, "erp time")
    settled.clock.forward(minutes=1)
    settled.retailer.erp.set(sku, "WH1", 61, blocked=0)
    state = settled.retailer.state
    state.execute("UPDATE erp_stock SET updated = '20261131101500' WHERE sku = ? AND site = 'FR001'", (sku,))
    settled.synchronise(seconds=60)
    ((number,),) = settled.query(
        "SELECT id FROM quarantine WHERE system = 'erp' AND key = %s AND state = 'open'", f"{sku}@WH1"
    )
    local = settled.clock.now().astimezone(ZoneInfo("Europe/Paris"))
    assert fixed(settled, [f"UPDDATTIM={local:%Y%m%d%H%M%S}"], ids=(number,)).healed == 1
    assert settled.shop(sku, "WH1") == 61
    settled.retailer.erp.set(sku, "WH1", 61)


# --- sales, targets, and giving up --------------------------------------------------------------------------


def test_a_sale_of_an_article_that_was_not_bound_heals_by_itself_when_it_is(settled: Scene) -> None:
    sku = article(settled, "unbound", "ST10")
    before = settled.shop(sku, "ST10")
    with settled.engine() as engine:
        ((external,),) = engine.journal.execute(
            """UPDATE binding SET external_id = 'elsewhere' WHERE system = 'tills' AND object = 'sku' AND key = %s
               RETURNING (SELECT external_id FROM binding WHERE system = 'tills' AND object = 'sku' AND key = %s)""",
            (sku, sku),
        ).fetchall()
    settled.retailer.tills.sell("ST10", [(sku, 1)], at=settled.clock.forward(minutes=1))
    settled.synchronise()
    ((number, reason),) = settled.query(
        "SELECT id, reason FROM quarantine WHERE object = 'stock_movement' AND state = 'open' AND reason LIKE %s",
        f'%"{external}"%',
    )
    assert settled.shop(sku, "ST10") == before
    with settled.engine() as engine:
        engine.journal.execute(
            "UPDATE binding SET external_id = %s WHERE external_id = 'elsewhere' RETURNING key", (external,)
        )
    settled.synchronise()
    assert settled.query("SELECT state, decided_by FROM quarantine WHERE id = %s", number) == [("replayed", "the hub")]
    assert settled.shop(sku, "ST10") == before - 1
    assert "is bound to" in reason


def test_what_a_target_refused_is_sent_again_and_not_corrected_here(settled: Scene) -> None:
    sku = article(settled, "target", "ST11")
    item = settled.retailer.shop.catalog.variant(sku).item_id
    state = settled.retailer.state
    levels = state.rows("SELECT * FROM shop_level WHERE item_id = ?", (item,))
    variants = state.rows("SELECT * FROM shop_variant WHERE item_id = ?", (item,))
    gone(settled, item)
    settled.clock.forward(minutes=1)
    partial(settled, "ST11", {sku: 21})
    settled.synchronise()
    ((number, fingerprint),) = settled.query(
        "SELECT id, fingerprint FROM quarantine WHERE system = 'shop' AND key = %s AND state = 'open'", f"{sku}@ST11"
    )
    sources = "erp or stores or tills or shop"
    with pytest.raises(ConfigError, match=rf"shop refused what the hub sent.*what {sources} said, so correct it there"):
        fixed(settled, ["QTE=3"], ids=(number,))
    for table, rows in (("shop_variant", variants), ("shop_level", levels)):
        for row in rows:
            marks = ", ".join("?" for _ in tuple(row))
            state.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(row))
    found = replayed(settled, fingerprint=fingerprint)
    assert found.sent_again >= 1
    assert settled.shop(sku, "ST11") == 20
    assert settled.query("SELECT state FROM quarantine WHERE id = %s", number) == [("replayed",)]


def gone(settled: Scene, item: int) -> None:
    settled.retailer.state.execute("DELETE FROM shop_variant WHERE item_id = ?", (item,))
    settled.retailer.state.execute("DELETE FROM shop_level WHERE item_id = ?", (item,))


def test_a_message_that_could_not_be_unpacked_is_unpacked_again(settled: Scene) -> None:
    sku = article(settled, "message", "ST12")
    drained(settled)
    settled.retailer.shop.order([(sku, 1)], at=settled.clock.forward(seconds=1))
    (message,) = drained(settled)
    spoilt = {name: value for name, value in json.loads(message.body).items() if name != "id"}
    assert push(settled, message, body=json.dumps(spoilt).encode())
    settled.synchronise()
    ((number, raw),) = settled.query(
        "SELECT id, origin ->> 'raw' FROM quarantine WHERE side = 'pushed' AND state = 'open'"
    )
    assert replayed(settled, ids=(number,)).refused == 1
    with pytest.raises(ConfigError, match="a message that could not be unpacked has no fields yet"):
        fixed(settled, ["id=7"], ids=(number,))
    with settled.engine() as engine:  # stands for a connector that by now understands such a message
        engine.journal.execute("UPDATE vault SET content = %s WHERE ref = %s", (message.body, raw))
    assert replayed(settled, ids=(number,)).healed == 1
    assert settled.query("SELECT state FROM quarantine WHERE id = %s", number) == [("replayed",)]


def test_a_whole_file_is_read_again_once_its_system_s_options_fit(settled: Scene) -> None:
    sku = article(settled, "whole file", "ST12")
    settled.clock.forward(minutes=1)
    name = partial(settled, "ST12", {sku: 3}, marker=False)
    content = (settled.retailer.stores.out / name).read_bytes()
    settled.retailer.stores.put(name, content.replace(b";", b"|"))
    settled.synchronise()
    ((number, *_),) = entries(settled, name)
    found = replayed(settled, ids=(number,))
    (still,) = found.still.values()
    assert (found.exit_code, still.number, "separated by '|'" in still.reason) == (1, number, True)
    with edited(settled, "hub.yaml", "done: .ok", 'done: .ok, delimiter: "|"'):
        assert replayed(settled, ids=(number,)).healed == 1
    assert told(settled, sku, "ST12")[0] == 3


def torn(settled: Scene, store: str, sku: str, *lines: bytes) -> str:
    """A file with one good line of ``sku``, 3 pieces, and ``lines`` beside it."""
    settled.clock.forward(minutes=1)
    name = partial(settled, store, {sku: 3}, marker=False)
    content = (settled.retailer.stores.out / name).read_bytes().split(b"\r\n")
    content[3:4] = [*lines, f"T;{1 + len(lines)}".encode()]
    settled.retailer.stores.put(name, b"\r\n".join(content))
    return name


def test_a_line_that_cannot_be_read_stays_refused_however_often_it_is_tried(settled: Scene) -> None:
    sku = article(settled, "gibberish", "ST12")
    name = torn(settled, "ST12", sku, b"gibberish", b"0012;SHORT")
    settled.synchronise()
    assert told(settled, sku, "ST12")[0] == 3
    numbers = tuple(number for number, *_ in entries(settled, name))
    found = replayed(settled, ids=numbers)
    assert (found.healed, found.refused) == (0, 2)
    assert {one.reason for one in found.still.values()} == {"the line has 1 fields instead of 7"}
    assert [state for _, state, _, _ in entries(settled, name)] == ["open", "open"]
    with pytest.raises(StopRun, match="it has no fields to correct; it heals when the source sends it again"):
        fixed(settled, ["QTE=3"], ids=numbers)


def test_a_single_line_is_read_again_once_its_system_s_options_fit(settled: Scene) -> None:
    sku, other = article(settled, "one line", "ST12"), article(settled, "accent", "ST12")
    name = torn(settled, "ST12", sku, f"0012;{other};;Été 38;4,000;0,000;79,90".encode("cp1252"))
    with edited(settled, "hub.yaml", "done: .ok", "done: .ok, encoding: utf-8"):
        settled.synchronise()
        numbers = tuple(number for number, *_ in entries(settled, name))  # also the first, where its name has accents
        assert all("bytes that are not text in utf" in cause for _, _, cause, _ in entries(settled, name))
        assert replayed(settled, ids=numbers).refused == len(numbers)
    would = replayed(settled, ids=numbers, dry=True)
    assert (would.healed, would.refused, {state for _, state, _, _ in entries(settled, name)}) == (
        len(numbers), 0, {"open"},
    )  # fmt: skip
    assert replayed(settled, ids=numbers).healed == len(numbers)
    assert (told(settled, sku, "ST12")[0], told(settled, other, "ST12")[0], settled.till(other, "ST12")) == (3, 4, 4)
    assert {state for _, state, _, _ in entries(settled, name)} == {"replayed"}


def test_a_whole_file_that_a_newer_one_has_overtaken_is_superseded(settled: Scene) -> None:
    sku = article(settled, "whole, overtaken", "ST11")
    name = settled.night_file("ST11", {sku: 3}, marker=False)
    content = (settled.retailer.stores.out / name).read_bytes()
    settled.retailer.stores.put(name, content.replace(b";", b"|"))
    settled.synchronise()
    settled.night_file("ST11", {sku: 5})
    settled.synchronise()
    ((number, *_),) = entries(settled, name)
    with edited(settled, "hub.yaml", "done: .ok", 'done: .ok, delimiter: "|"'):
        found = replayed(settled, ids=(number,))
    assert (found.healed, found.superseded, told(settled, sku, "ST11")[0]) == (0, 1, 5)


def test_a_whole_file_that_a_guard_holds_is_said_so(settled: Scene) -> None:
    sku = article(settled, "whole, held", "ST10")
    now = settled.clock.forward(minutes=1)
    some = dict(list(settled.retailer.floor.levels("ST10", now).items())[:50])
    name = settled.retailer.stores.drop("ST10", as_of=now, levels={**some, sku: 3}, dirty=False, marker=False)
    content = (settled.retailer.stores.out / name).read_bytes()
    settled.retailer.stores.put(name, content.replace(b";", b"|"))
    settled.synchronise()
    ((number, *_),) = entries(settled, name)
    with edited(settled, "hub.yaml", "done: .ok", 'done: .ok, delimiter: "|"'):
        would, found = replayed(settled, ids=(number,), dry=True), replayed(settled, ids=(number,))
    lines = len({*some, sku})
    assert would.sentence == f"1 records: 1 would heal; a guard would hold {lines} lines, see: hub held list"
    assert (found.exit_code, found.held) == (3, lines)


def test_giving_up_wants_a_reason_and_keeps_the_record(settled: Scene) -> None:
    sku = article(settled, "discarded", "ST13")
    name, number, _ = refused_line(settled, "ST13", sku, "1,5")
    with settled.engine() as engine:
        assert heal.discard(engine, Chosen(ids=(number,)), Decision(who="ben", why="a test article")) == 1
    assert settled.query("SELECT state, decided_by, why FROM quarantine WHERE id = %s", number) == [
        ("discarded", "ben", "a test article")
    ]
    ((_, _, _, raw),) = quarantined(settled, name)
    assert json.loads(raw)["QTE"] == "1,5"
    ((step, answer),) = settled.query("SELECT step, answer FROM audit WHERE after ->> 'number' = %s", str(number))
    assert (step, answer) == ("discarded", "by ben: a test article")


# --- too many rejects -----------------------------------------------------------------------------------------


def test_past_a_share_of_rejects_the_flow_stops_says_why_and_reads_again_when_the_mapping_is_right(
    settled: Scene,
) -> None:
    skus = [sku.code for sku in settled.retailer.world.skus[:15]]
    settled.clock.forward(minutes=1)
    name = partial(settled, "ST14", dict.fromkeys(skus, 4))
    wrong = edited(settled, "mappings/sftp_files/stock_level.v1.yaml", "on_hand: QTE", "on_hand: QUANTITE")
    with wrong, pytest.raises(StopRun) as stopped:
        settled.synchronise()
    said = str(stopped.value)
    assert said.startswith("stores: 15 of 15 records of stock_level are refused, 100% (guard rejects: 20%)")
    assert 'most often for QUANTITE: there is no field "…"' in said
    assert entries(settled, name) == []
    assert settled.retailer.stores.waiting() == [name]
    assert settled.query("SELECT state FROM run WHERE sentence LIKE 'stores: 15 of 15%%'") == [("failed",)]
    settled.synchronise()
    assert settled.retailer.stores.waiting() == []
    assert {told(settled, sku, "ST14")[0] for sku in skus} == {4}


def test_bad_records_that_a_source_repeats_are_counted_once(settled: Scene) -> None:
    skus = [sku.code for sku in settled.retailer.world.skus[:14]]
    for some in (skus[:9], skus[9:]):  # the ERP answers the first nine again with the other five
        settled.clock.forward(minutes=1)
        for sku in some:
            settled.retailer.erp.set(sku, "WH1", 62, blocked=0)
            settled.retailer.state.execute(
                "UPDATE erp_stock SET updated = '20261131101500' WHERE sku = ? AND site = 'FR001'", (sku,)
            )
        settled.synchronise()
    ((refused, seen),) = settled.query(
        "SELECT count(*), max(seen) FROM quarantine WHERE system = 'erp' AND state = 'open' AND key = ANY(%s)",
        [f"{sku}@WH1" for sku in skus],
    )
    assert (refused, seen) == (14, 2)
    local = settled.clock.now().astimezone(ZoneInfo("Europe/Paris"))
    assert fixed(settled, [f"UPDDATTIM={local:%Y%m%d%H%M%S}"], system="erp").healed == 14
    for sku in skus:
        settled.retailer.erp.set(sku, "WH1", 62)
