"""The files that stores write: their shape, their dirt, and the truth in them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.sandbox.baskets import Line


def read(retailer, name):
    """Header fields, article lines as fields, and the trailer's count."""
    raw = (retailer.stores.out / name).read_bytes()
    assert raw.endswith(b"\r\n")
    header, columns, *lines, trailer = raw.decode("cp1252").split("\r\n")[:-1]
    assert columns == "MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP"
    return header.split(";"), [line.split(";") for line in lines], int(trailer.removeprefix("T;"))


def levels(lines):
    """The last line of an article counts."""
    return {fields[1].strip().upper(): fields[4] for fields in lines}


def test_at_the_start_every_store_has_sent_its_night_file_and_three_a_morning_file(retailer):
    names = retailer.stores.waiting()
    assert sum(name.endswith("_20261121223000_C.csv") for name in names) == 21
    assert sum(name.endswith("_P.csv") for name in names) == 3
    assert all((retailer.stores.out / f"{name}.ok").exists() for name in names)


def test_a_night_file_holds_480_articles_and_the_last_ticket_of_each_till(retailer):
    header, lines, count = read(retailer, "STOCK_0001_20261121223000_C.csv")
    world = retailer.world
    last = ",".join(f"{till}:20261121:{world.night_sequence['ST01', till]}" for till in world.location("ST01").tills)
    assert header == ["H", "STOCK", "C", "0001", "20261121223000", last]
    assert len(lines) == count
    assert levels(lines) == {sku.code: f"{world.on_hand[sku.code, 'ST01']},000" for sku in world.skus}


def test_all_the_dirt_of_real_exports_is_there(retailer):
    files = {name: read(retailer, name) for name in retailer.stores.waiting()}
    lines = [line for _, some, _ in files.values() for line in some]
    articles = [line[1] for line in lines]
    twice = [name for name, (_, some, _) in files.items() if len(levels(some)) < len(some)]
    assert any(article != article.strip() for article in articles)
    assert any(article != article.upper() for article in articles)
    assert any(line[2].startswith("0") for line in lines)
    assert any("é" in line[3] for line in lines)
    assert any(line[4].startswith("-") for line in lines)
    assert sum(line[4] == "1,5" for line in lines) == 1
    assert len(twice) >= 3
    assert read(retailer, "STOCK_0099_20261121223000_C.csv")[2] == 15


def test_an_article_written_twice_is_right_the_second_time(retailer):
    for store in retailer.world.stores:
        _, lines, _ = read(retailer, f"STOCK_{store.file}_20261121223000_C.csv")
        wrong = {
            code: text
            for code, text in levels(lines).items()
            if text not in (f"{retailer.world.on_hand[code, store.code]},000", "1,5")
        }
        assert wrong == {}


def test_tickets_after_the_header_are_not_in_the_numbers_and_those_up_to_it_are(retailer, clock):
    sku = retailer.world.skus[0].code
    retailer.tills.sell("ST01", [Line(sku=sku, quantity=1)], till=1)
    as_of = clock.now()
    clock.forward(minutes=5)
    retailer.tills.sell("ST01", [Line(sku=sku, quantity=1)], till=1)
    before = retailer.stores.drop("ST01", as_of=as_of)
    after = retailer.stores.drop("ST01")
    (first, one, _), (second, two, _) = read(retailer, before), read(retailer, after)
    sequence = {name: int(text.split(",")[0].split(":")[2]) for name, text in (("one", first[5]), ("two", second[5]))}
    assert sequence["two"] == sequence["one"] + 1
    assert int(levels(one)[sku].split(",")[0]) == int(levels(two)[sku].split(",")[0]) + 1


def test_what_the_offline_till_sold_last_night_is_neither_in_the_header_nor_in_the_numbers(retailer):
    from hub.sandbox.world import OFFLINE_TICKETS, OFFLINE_TILL

    store, till = OFFLINE_TILL
    night = retailer.world.night_sequence[store, till]
    now = retailer.floor.tickets(store, retailer.clock.now())[till]
    at_night = retailer.floor.tickets(store, retailer.world.night)[till]
    assert at_night.sequence == night
    assert now.business_day > at_night.business_day or now.sequence >= night + OFFLINE_TICKETS


def test_equal_stock_makes_equal_lines_night_after_night(retailer, clock):
    first = retailer.stores.drop("ST04", levels={"TS0001-S-GRI": 5} | {s.code: 3 for s in retailer.world.skus[:50]})
    clock.forward(days=1)
    second = retailer.stores.drop("ST04", levels={"TS0001-S-GRI": 5} | {s.code: 3 for s in retailer.world.skus[:50]})
    assert first != second
    assert read(retailer, first)[1] == read(retailer, second)[1]


def test_a_test_may_write_any_file_it_likes(retailer, clock):
    sku = retailer.world.skus[0].code
    name = retailer.stores.drop(
        "ST01", complete=False, levels={sku: "1,5"}, tickets={1: ("2026-11-22", 9)}, marker=False, dirty=False
    )
    header, lines, count = read(retailer, name)
    assert header[2:] == ["P", "0001", "20261122110000", "1:20261122:9"]
    assert lines[0][1:2] + lines[0][4:5] == [sku, "1,5"]
    assert count == 1
    assert not (retailer.stores.out / f"{name}.ok").exists()
    retailer.stores.mark(name)
    assert (retailer.stores.out / f"{name}.ok").exists()
    cut = retailer.stores.drop("ST01", as_of=clock.now() + timedelta(minutes=1), raw="H;STOCK;C;00")
    assert (retailer.stores.out / cut).read_bytes() == b"H;STOCK;C;00"


def test_a_partial_file_holds_what_moved_since_the_night(retailer):
    sku = retailer.world.skus[7].code
    retailer.floor.change("ST20", {sku: 5}, retailer.clock.now())
    header, lines, _ = read(retailer, retailer.stores.drop("ST20", complete=False))
    assert header[2] == "P"
    assert len(lines) < 480
    assert sku in levels(lines)


def test_a_name_from_outside_never_becomes_a_path(retailer):
    assert retailer.stores.put("../../escape.csv", "x").parent == retailer.stores.out


def test_an_unknown_store_needs_levels(retailer):
    with pytest.raises(KeyError, match="0099"):
        retailer.stores.drop("0099")
