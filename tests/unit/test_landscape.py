"""hub.yaml as a landscape: what it means, and what is said about every mistake in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import Landscape, load, matches, select
from hub.config.hours import hours
from hub.config.values import duration, share
from hub.errors import ConfigError

PAGE = """\
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp:
    connector: soap_erp
    options: {page_size: 100}
    open: "05:00-23:30"
    budget: {calls: 10, per_second: 5}
  stores: {connector: sftp_files, connection: files, mappings: store_files}
  shop: {connector: shopify}
  tills: {connector: square}
authority:
  stock_level: {WH1: erp, "ST*": stores}
channels:
  shop: {sells_from: [WH1, "ST*"], safety_stock: {default: 1, WH1: 0}, stale_after: 36h}
flows:
  stock:
    sources:
      erp: {every: 5m}
      stores: {on: arrival, complete: nightly, missing: zero, late_events: ignore}
    targets:
      shop: {value: available, channel: shop}
      tills: {value: on_hand, locations: ["ST*"]}
    guards: {fewer_rows: 20%, to_zero: 5%}
"""
PARIS = ZoneInfo("Europe/Paris")


def read(folder: Path, text: str = PAGE, **environ: str) -> Landscape:
    path = folder / "hub.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


@pytest.fixture
def landscape(tmp_path: Path) -> Landscape:
    return read(tmp_path)


# --- what it means ----------------------------------------------------------------------------------


def test_the_page_of_this_project_is_right() -> None:
    landscape = load(Path(__file__).parents[2] / "hub.yaml", {})
    assert list(landscape.systems) == ["erp", "stores", "shop", "tills", "pim", "dam"]
    assert list(landscape.flows) == ["product", "price", "stock", "order"]
    assert landscape.authority_of("stock_level", "ST05") == "stores"


def test_settings_are_typed(landscape: Landscape) -> None:
    erp, stores = landscape.systems["erp"], landscape.systems["stores"]
    assert (erp.connection, erp.mappings, erp.options) == ("erp", "soap_erp", {"page_size": 100})
    assert (stores.connection, stores.mappings, stores.budget) == ("files", "store_files", None)
    assert erp.budget is not None
    assert (erp.budget.capacity, erp.budget.per_second, erp.budget.unit) == (10, 5, "calls")
    flow = landscape.flows["stock"]
    assert flow.sources["erp"].every == timedelta(minutes=5)
    assert (flow.sources["stores"].missing, flow.sources["stores"].late_events) == ("zero", "ignore")
    assert (flow.sources["erp"].missing, flow.sources["erp"].quarantined) == ("hold", "keep")
    assert (flow.guards.fewer_rows, flow.guards.to_zero) == (0.2, 0.05)
    assert landscape.stale_ages() == [timedelta(hours=36)]


def test_every_setting_says_what_it_is_for() -> None:
    from hub.config import settings

    for model in settings.Settings.__subclasses__():
        if model not in (settings.LandscapeFile, settings.FlowSettings):
            assert all(field.description for field in model.model_fields.values()), model


def test_guards_are_typed_and_one_word_is_a_list(tmp_path: Path) -> None:
    found = read(tmp_path, PAGE.replace("to_zero: 5%", "drops: 40%, changes: 50%, requires: count"))
    guards = found.flows["stock"].guards
    assert (guards.drops, guards.changes, guards.requires, guards.at_least) == (0.4, 0.5, ("count",), 10)
    assert guards.hold
    assert not found.flows["stock"].model_copy(update={"guards": type(guards)()}).guards.hold


def test_settings_cannot_be_changed(landscape: Landscape) -> None:
    with pytest.raises(ValueError, match="frozen"):
        landscape.retailer.zone = "UTC"  # type: ignore[misc]


def test_an_exact_name_has_more_authority_than_a_pattern(tmp_path: Path) -> None:
    landscape = read(tmp_path, PAGE.replace('{WH1: erp, "ST*": stores}', '{"*": erp, "ST*": stores, ST05: erp}'))
    assert [landscape.authority_of("stock_level", place) for place in ("WH1", "ST01", "ST05")] == [
        "erp",
        "stores",
        "erp",
    ]
    assert landscape.authority_of("price", "WH1") is None


def test_safety_stock_follows_the_most_precise_rule(tmp_path: Path) -> None:
    rules = '{default: 1, WH1: 0, "ST0*": 2, "TS0001-*": 3, "TS0001-*@ST01": 4}'
    channel = read(tmp_path, PAGE.replace("{default: 1, WH1: 0}", rules)).channels["shop"]
    asked = [
        ("WH1", "X"),
        ("ST01", "X"),
        ("ST10", "X"),
        ("WH1", "TS0001-M"),
        ("ST01", "TS0001-M"),
        ("ST02", "TS0001-M"),
    ]
    assert [channel.safety_stock_at(place, sku) for place, sku in asked] == [0, 2, 1, 3, 4, 3]


def test_one_number_is_a_safety_stock_for_all(tmp_path: Path) -> None:
    channel = read(tmp_path, PAGE.replace("{default: 1, WH1: 0}", "2")).channels["shop"]
    assert channel.safety_stock_at("WH1", "X") == 2


def test_places_come_in_the_order_of_the_patterns(landscape: Landscape) -> None:
    there = ["ST02", "WEB", "ST01", "WH1"]
    assert landscape.select(["WH1", "ST*"], there) == ["WH1", "ST01", "ST02"]
    assert landscape.places_of("stock", "shop", there) == ["WH1", "ST01", "ST02"]
    assert landscape.places_of("stock", "tills", there) == ["ST01", "ST02"]
    assert select(["ST01", "ST*"], there) == ["ST01", "ST02"]
    assert matches(["WH?", "ST*"], "WH1")
    assert not matches(["ST*"], "WH1")


def test_a_place_is_a_line_and_a_path(landscape: Landscape) -> None:
    assert landscape.place("flows", "stock", "targets", "shop") == "hub.yaml:21 flows.stock.targets.shop"


# --- the hash of the rules ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("default: 1", "default: 2"),
        ("36h", "35h"),
        ("sells_from: [WH1, ", "sells_from: ["),
        ('"ST*": stores', '"S*": stores'),
        ('locations: ["ST*"]', 'locations: ["ST0*"]'),
        ("late_events: ignore", "late_events: apply"),
    ],
)
def test_an_edit_that_changes_what_is_derived_changes_the_hash(tmp_path: Path, before: str, after: str) -> None:
    assert before in PAGE
    assert read(tmp_path).rules_hash != read(tmp_path, PAGE.replace(before, after)).rules_hash


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Maison Omni", "Another Name"),
        ("every: 5m", "every: 1m"),
        ("36h", "1d12h"),
        ("{default: 1, WH1: 0}", "{WH1: 0, default: 1}"),
        ("fewer_rows: 20%", "fewer_rows: 30%"),
        ("page_size: 100", "page_size: 50"),
    ],
)
def test_an_edit_that_changes_nothing_derived_leaves_the_hash(tmp_path: Path, before: str, after: str) -> None:
    assert before in PAGE
    assert read(tmp_path).rules_hash == read(tmp_path, PAGE.replace(before, after)).rules_hash


# --- mistakes -------------------------------------------------------------------------------------------

MISTAKES = [
    ("shop: {value", "shoop: {value", ':21 flows.stock.targets.shoop: no system "shoop", did you mean "shop"?'),
    ("tills: {value", "s: {value", ':22 flows.stock.targets.s: no system "s"; there are erp, stores, shop, tills'),
    ("channel: shop}", "channel: shp}", ':21 flows.stock.targets.shop.channel: no channel "shp", did you mean "shop"?'),
    (", channel: shop}", "}", ":21 flows.stock.targets.shop: available needs the channel"),
    (
        "value: on_hand",
        "value: onhand",
        ':22 flows.stock.targets.tills.value: no value "onhand", did you',
    ),
    ("value: on_hand", "value: on_hand, channel: shop", "on_hand follows no channel's rules"),
    ("channel: shop}", 'channel: shop, locations: ["ST*"]}', ":21 flows.stock.targets.shop.locations: the channel's"),
    ("to_zero: 5%", "to_zeros: 5%", ':23 flows.stock.guards.to_zeros: unknown key "to_zeros", did you mean "to_zero"?'),
    ("to_zero: 5%", "to_zero: 5", ':23 flows.stock.guards.to_zero: "5" is not a share; write a percentage'),
    ("to_zero: 5%", "to_zero: 500%", ':23 flows.stock.guards.to_zero: "500%" is not a share'),
    (
        "to_zero: 5%",
        "price_change: 60",
        ':23 flows.stock.guards.price_change: "60" is not a change; write a percentage',
    ),
    (
        "to_zero: 5%",
        "price_change: 150%",
        ":23 flows.stock.guards.price_change: nothing of the flow stock can be measured by price_change",
    ),
    (
        "to_zero: 5%",
        "requires: trailler",
        ':23 flows.stock.guards.requires[0]: "trailler" is not one of trailer',
    ),
    ("to_zero: 5%", "at_least: 0", ":23 flows.stock.guards.at_least: input should be greater than or equal to 1"),
    ("WH1: erp", "WH1: epr", ':12 authority.stock_level.WH1: no system "epr", did you mean "erp"?'),
    ("WH1: erp", "WH1: shop", ':12 authority.stock_level.WH1: "shop" is no source of the flow stock'),
    ("WH1: erp", '"WH[1]": erp', '"WH[1]" is not a name or a pattern'),
    ("  stock:\n", "  stok:\n", ':16 flows.stok: no flow "stok", did you mean "stock"?'),
    ("every: 5m", "every: 5", ':18 flows.stock.sources.erp.every: "5" is not a duration; write a number with its unit'),
    ("every: 5m", "every: 0s", '"0s" lasts no time at all'),
    ("{every: 5m}", "{}", ":18 flows.stock.sources.erp: nothing says when to look"),
    ("{every: 5m}", '{every: 5m, schedule: "* * * * *"}', ":18 flows.stock.sources.erp: every and schedule say"),
    ("{every: 5m}", "{schedule: hourly}", '"hourly" is not a schedule of five cron fields'),
    (
        "missing: zero",
        "missing: forget",
        ':19 flows.stock.sources.stores.missing: "forget" is not one of keep, zero',
    ),
    ("Europe/Paris", "Europe/Pari", ':1 retailer.zone: there is no time zone "Europe/Pari"'),
    ("currency: EUR", "currency: euro", ':1 retailer.currency: "euro" is not of the form'),
    ("currency: EUR", "curency: EUR", 'unknown key "curency", did you mean "currency"?'),
    (", currency: EUR", "", ':1 retailer: "currency" is missing'),
    ("05:00-23:30", "5-23", ':6 systems.erp.open: "5-23" are not opening hours, as in "05:00-23:30"'),
    ("05:00-23:30", "05:00-05:00", "start and end at the same time"),
    ("calls: 10, ", "", ":7 systems.erp.budget: a budget counts either calls or points"),
    ("calls: 10", "calls: -1", ":7 systems.erp.budget.calls: input should be greater than 0"),
    (
        "connector: soap_erp",
        "conector: soap_erp",
        ':4 systems.erp.conector: unknown key "conector", did you mean',
    ),
    ("{page_size: 100}", "5", ":5 systems.erp.options: keys with values belong here"),
    ("  shop: {connector", "  Shop: {connector", ':9 systems.Shop: "Shop" is not of the form'),
    ("default: 1", "default: -1", ":14 channels.shop.safety_stock.default: input should be greater than or equal to 0"),
    ("default: 1", "default: x", ":14 channels.shop.safety_stock.default: a whole number belongs here"),
    ('[WH1, "ST*"]', "[]", ":14 channels.shop.sells_from: must not be empty"),
    ('[WH1, "ST*"]', "WH1", ":14 channels.shop.sells_from: a list belongs here"),
    ("  shop: {connector", "  erp: {connector", ':9 systems: "erp" stands here twice'),
]


@pytest.mark.parametrize(("good", "bad", "sentence"), MISTAKES, ids=[sentence for *_, sentence in MISTAKES])
def test_a_mistake_has_a_place_and_a_sentence(tmp_path: Path, good: str, bad: str, sentence: str) -> None:
    assert good in PAGE
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, PAGE.replace(good, bad, 1))
    assert sentence in str(refused.value)
    assert all(line.startswith("hub.yaml:") for line in str(refused.value).splitlines())


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, PAGE.replace("WH1: erp", "WH1: epr").replace("shop: {value", "shoop: {value"))
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == [
        "hub.yaml:12 authority.stock_level.WH1",
        "hub.yaml:21 flows.stock.targets.shoop",
    ]
    assert refused.value.place == "hub.yaml:12 authority.stock_level.WH1"


def test_authority_names_only_canonical_objects_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "canonical_schemas").mkdir()
    (tmp_path / "canonical_schemas" / "stock_level.v1.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match='no canonical object "stock_levl", did you mean "stock_level"'):
        read(tmp_path, PAGE.replace("  stock_level:", "  stock_levl:"))


@pytest.mark.parametrize("text", ["", "[]", "5", "# nothing yet\n"])
def test_an_empty_page_says_what_belongs_there(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"hub\.yaml:1: is empty; it holds retailer, systems and flows"):
        read(tmp_path, text)


# --- environments -----------------------------------------------------------------------------------------


def test_an_environment_lays_its_own_values_over_the_page(tmp_path: Path) -> None:
    (tmp_path / "hub.test.yaml").write_text(
        "systems:\n  erp:\n    open: ~\n    options: {page_size: 10}\nchannels:\n  shop:\n    sells_from: [WH1]\n",
        encoding="utf-8",
    )
    landscape = read(tmp_path, HUB_ENV="test")
    assert landscape.systems["erp"].open is None
    assert landscape.systems["erp"].options == {"page_size": 10}
    assert landscape.channels["shop"].sells_from == ("WH1",)
    assert landscape.channels["shop"].stale_after == timedelta(hours=36)
    assert landscape.place("channels", "shop", "sells_from") == "hub.test.yaml:7 channels.shop.sells_from"
    assert landscape.place("systems", "erp", "budget") == "hub.yaml:7 systems.erp.budget"


def test_a_mistake_in_the_overlay_is_placed_there(tmp_path: Path) -> None:
    (tmp_path / "hub.test.yaml").write_text("systems:\n  erp: {conector: x}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"hub\.test\.yaml:2 systems\.erp\.conector: unknown key"):
        read(tmp_path, HUB_ENV="test")


def test_an_environment_without_a_page_is_a_mistake(tmp_path: Path) -> None:
    for name in ("tset", "../x"):
        with pytest.raises(ConfigError, match="HUB_ENV is"):
            read(tmp_path, HUB_ENV=name)


# --- opening hours -------------------------------------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def test_a_system_is_open_by_the_retailers_clock(landscape: Landscape) -> None:
    erp = landscape.systems["erp"]
    assert [erp.is_open(at(f"2026-11-21T{time}")) for time in ("04:59:59", "05:00", "23:29:59", "23:30")] == [
        *(False, True, True, False),
    ]
    assert erp.is_open(datetime(2026, 7, 1, 3, 30, tzinfo=UTC))  # summer time: 05:30 in Paris
    assert landscape.systems["shop"].is_open(at("2026-11-21T03:00"))


def test_a_closed_system_says_when_it_opens(landscape: Landscape) -> None:
    erp = landscape.systems["erp"]
    assert erp.opens_at(at("2026-11-21T04:00")) == at("2026-11-21T05:00")
    assert erp.opens_at(at("2026-11-21T23:45")) == at("2026-11-22T05:00")
    assert erp.opens_at(at("2026-11-21T12:00")) == at("2026-11-21T12:00")


def test_hours_may_go_over_midnight_and_have_a_break() -> None:
    night, day = hours("22:00-06:00"), hours("08:00-12:00, 14:00-24:00")
    zone = "Europe/Paris"
    assert [night.is_open(at(f"2026-11-21T{time}"), zone) for time in ("21:59", "22:00", "05:59", "06:00")] == [
        *(False, True, True, False),
    ]
    assert day.opens_at(at("2026-11-21T12:30"), zone) == at("2026-11-21T14:00")
    assert day.is_open(at("2026-11-21T23:59"), zone)


@given(moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_what_opens_is_open_then_and_closed_until_then(moment: datetime) -> None:
    for windows in ("05:00-23:30", "22:00-06:00", "02:15-02:45, 12:00-13:00"):
        found, zone = hours(windows), "Europe/Paris"
        opens = found.opens_at(moment, zone)
        assert opens >= moment
        skipped = opens.astimezone(PARIS).utcoffset() != moment.astimezone(PARIS).utcoffset()
        assert found.is_open(opens, zone) or skipped  # 02:15 does not exist on one day of the year
        assert opens == moment or not found.is_open(moment, zone)


# --- small values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5m", 300), ("36h", 129_600), ("1h30m", 5400), ("250ms", 0.25), ("2d", 172_800), ("1w", 604_800)],
)
def test_a_duration_has_a_unit(written: str, seconds: float) -> None:
    assert duration(written).total_seconds() == seconds


@given(written=st.text(alphabet="0123456789smhdw .%-") | st.integers() | st.none() | st.booleans())
def test_a_duration_or_a_share_is_understood_or_refused(written: Any) -> None:
    for read_value in (duration, share):
        try:
            found = read_value(written)
        except ValueError as error:
            assert str(written) in str(error)  # noqa: PT017  (either outcome is right)
        else:
            assert found >= timedelta(0) if isinstance(found, timedelta) else 0 <= found <= 1


# --- who owns what of a product -----------------------------------------------------------------------

OWNERS = [
    ("title: pim, gtin: erp", ""),
    ("title: pim, title: erp", ':14 authority.product: "title" stands here twice'),
    ("title: [pim, erp]", ":14 authority.product.title: text belongs here"),
    ("titel: pim", ':14 authority.product.titel: no field "titel" of a product, did you mean "title"?'),
    ('"t*": pim', 'no field "t*" of a product'),
]


@pytest.mark.parametrize(("owners", "sentence"), OWNERS, ids=[owners for owners, _ in OWNERS])
def test_a_field_of_a_product_has_one_owner_by_its_own_name(tmp_path: Path, owners: str, sentence: str) -> None:
    page = PAGE.replace("  stores: {", "  pim: {connector: akeneo}\n  stores: {", 1)
    page = page.replace('"ST*": stores}\n', f'"ST*": stores}}\n  product: {{{owners}}}\n', 1)
    project = tmp_path / "project"
    (project / "canonical_schemas").mkdir(parents=True)
    for name in ("product", "variant", "stock_level"):
        source = Path(__file__).parents[2] / "canonical_schemas" / f"{name}.v1.json"
        (project / "canonical_schemas" / source.name).write_bytes(source.read_bytes())
    if not sentence:
        assert read(project, page).authority["product"] == {"title": "pim", "gtin": "erp"}
        return
    with pytest.raises(ConfigError) as refused:
        read(project, page)
    assert sentence in str(refused.value)
