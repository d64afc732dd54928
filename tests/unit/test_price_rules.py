"""RETAIL.md's rules of price, as sentences and as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.retail.money import CURRENCIES, decimals, exact, written
from hub.retail.omnibus import DAYS, lowest_before
from hub.retail.price import Entry, InForce, Scope, Situation, entry_of, next_moment, overlaps, price_in_force

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WEB = Situation(channel="shop", country="FR", list="WEB", currency="EUR")
NOBODY = Scope(channels=frozenset())


def entry(
    id: str, amount: str, since: datetime = NOON - 100 * DAY, until: datetime | None = None, **more: object
) -> Entry:
    given = {"kind": "regular", "currency": "EUR", "tax_included": True, **more}
    return Entry(id=id, amount=Decimal(amount), valid_from=since, valid_until=until, **given)  # type: ignore[arg-type]


def promotion(id: str, amount: str, since: datetime, until: datetime | None = None, **more: object) -> Entry:
    return entry(id, amount, since, until, kind="promotion", **more)


def in_force(*entries: Entry, where: Situation = WEB, now: datetime = NOON) -> InForce:
    found = price_in_force(entries, where, now)
    assert found is not None
    return found


# --- validity ---------------------------------------------------------------------------------------


def test_a_future_price_counts_from_its_first_moment_and_not_before() -> None:
    old, new = entry("old", "20"), entry("new", "25", NOON)
    assert in_force(old, new, now=NOON - timedelta(microseconds=1)).amount == 20
    assert in_force(old, new, now=NOON).amount == 25


def test_a_promotion_no_longer_counts_at_the_very_moment_it_ends() -> None:
    sale = promotion("sale", "15", NOON - DAY, NOON)
    assert in_force(entry("list", "20"), sale, now=NOON - timedelta(microseconds=1)).amount == 15
    ended = in_force(entry("list", "20"), sale)
    assert (ended.amount, ended.compare_at, ended.promotion) == (20, None, None)


def test_a_late_message_never_brings_an_expired_promotion_back() -> None:
    late = promotion("black friday", "1", NOON - 3 * DAY, NOON - DAY)
    assert in_force(entry("list", "20"), late).amount == 20


def test_a_promotion_that_ends_at_local_midnight_ends_there_on_the_night_the_clocks_change() -> None:
    ends = datetime(2026, 10, 25, tzinfo=PARIS)  # this night the clocks go back at 3
    sale = promotion("sale", "15", ends - 9 * DAY, ends)
    reads = [in_force(entry("list", "20"), sale, now=ends + timedelta(seconds=s)).amount for s in (-1, 0)]
    assert reads == [15, 20]
    assert in_force(entry("list", "20"), sale, now=ends - DAY).due == ends


def test_the_next_moment_is_known_also_where_no_price_counts_yet() -> None:
    coming = entry("first", "20", NOON + DAY)
    assert price_in_force([coming], WEB, NOON) is None
    assert next_moment([coming], WEB, NOON) == NOON + DAY


# --- which entry counts -----------------------------------------------------------------------------


def test_of_two_entries_for_the_same_people_the_one_that_began_last_counts() -> None:
    assert in_force(entry("new", "25", NOON - DAY), entry("old", "20", NOON - 9 * DAY)).regular.id == "new"  # type: ignore[union-attr]


def test_an_outlet_keeps_its_price_when_the_list_changes() -> None:
    outlet = entry("outlet", "9", NOON - 50 * DAY, scope=Scope(locations=frozenset({"ST05"})))
    listed = entry("list", "20", NOON - DAY)
    assert in_force(outlet, listed, where=replace(WEB, location="ST05")).amount == 9
    assert in_force(outlet, listed, where=replace(WEB, location="ST06")).amount == 20
    assert in_force(outlet, listed).amount == 20


def test_three_pieces_for_less_count_from_three_pieces_on() -> None:
    three = entry("three", "18", scope=Scope(min_quantity=3))
    asked = [in_force(entry("list", "20"), three, where=replace(WEB, quantity=n)).amount for n in (1, 2, 3, 9)]
    assert asked == [20, 20, 18, 18]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(channels=frozenset({"pos"})),
        Scope(countries=frozenset({"BE"})),
        Scope(list="RETAIL"),
        Scope(groups=frozenset({"staff"})),
        Scope(locations=frozenset({"ST05"})),
        NOBODY,
    ],
)
def test_a_price_for_others_is_not_ours(scope: Scope) -> None:
    assert in_force(entry("list", "20"), entry("theirs", "5", NOON - DAY, scope=scope)).amount == 20


def test_a_price_in_another_currency_or_without_tax_is_no_price_of_the_channel() -> None:
    assert (
        price_in_force([entry("us", "20", currency="USD"), entry("net", "16", tax_included=False)], WEB, NOON) is None
    )


def test_the_highest_priority_wins_also_when_it_is_dearer_and_then_the_lowest_amount() -> None:
    first = promotion("cheap", "10", NOON - DAY)
    second = promotion("important", "15", NOON - DAY, priority=9)
    third = promotion("as important", "14", NOON - DAY, priority=9)
    found = in_force(entry("list", "20"), first, second, third)
    assert (found.amount, found.compare_at) == (14, 20)


def test_a_promotion_that_is_not_below_the_regular_price_makes_nobody_pay_more() -> None:
    found = in_force(entry("list", "20"), promotion("slip of the pen", "200", NOON - DAY, priority=9))
    assert (found.amount, found.compare_at) == (20, None)


def test_entries_that_contradict_each_other_are_reported_and_the_later_counts() -> None:
    first = entry("first", "20", NOON - 9 * DAY, NOON + 9 * DAY)
    second = entry("second", "21", NOON - 5 * DAY, NOON + 5 * DAY)
    assert overlaps([second, first]) == [(first, second)]
    assert in_force(first, second).amount == 21


def test_an_entry_until_further_notice_is_meant_to_be_followed() -> None:
    assert overlaps([entry("old", "20"), entry("new", "21", NOON)]) == []


def test_entries_that_follow_one_another_without_a_gap_do_not_overlap() -> None:
    assert overlaps([entry("old", "20", until=NOON), entry("new", "21", NOON)]) == []


def test_entries_for_different_people_do_not_contradict_each_other() -> None:
    assert overlaps([entry("all", "20", until=NOON), entry("web", "21", until=NOON, scope=Scope(list="WEB"))]) == []


# --- the lowest of thirty days ----------------------------------------------------------------------


def test_reductions_without_a_gap_between_them_began_with_the_first() -> None:
    first = promotion("10 %", "18", NOON - 9 * DAY, NOON - 4 * DAY)
    second = promotion("20 %", "16", NOON - 4 * DAY, NOON + DAY)
    assert in_force(entry("list", "20"), first, second).reduced_since == NOON - 9 * DAY


def test_a_day_at_the_full_price_ends_a_reduction() -> None:
    first = promotion("10 %", "18", NOON - 9 * DAY, NOON - 5 * DAY)
    second = promotion("20 %", "16", NOON - 4 * DAY, NOON + DAY)
    assert in_force(entry("list", "20"), first, second).reduced_since == NOON - 4 * DAY


def test_a_reduction_of_others_is_not_the_beginning_of_ours() -> None:
    theirs = promotion("pos", "18", NOON - 9 * DAY, scope=Scope(channels=frozenset({"pos"})))
    assert in_force(entry("list", "20"), theirs, promotion("ours", "16", NOON - DAY)).reduced_since == NOON - DAY


def test_the_price_that_stood_when_the_window_opened_belongs_to_it() -> None:
    history = [(NOON - 90 * DAY, Decimal(17)), (NOON - 10 * DAY, Decimal(25))]
    assert lowest_before(history, NOON) == 17
    assert lowest_before(history, NOON + 20 * DAY) == 25


def test_the_reduced_price_itself_is_not_what_it_is_compared_with() -> None:
    assert lowest_before([(NOON - 40 * DAY, Decimal(20)), (NOON, Decimal(12))], NOON) == 20


def test_a_reduction_that_lasts_for_months_is_still_compared_with_the_days_before_it() -> None:
    began = NOON - 200 * DAY
    history = [(began - 90 * DAY, Decimal(20)), (began - 3 * DAY, Decimal(19)), (began, Decimal(12))]
    assert lowest_before(history, began) == 19


def test_an_article_that_nobody_was_asked_a_price_for_has_no_lowest() -> None:
    assert lowest_before([], NOON) is None
    assert lowest_before([(NOON, Decimal(12))], NOON) is None


def test_thirty_days_are_days_of_the_calendar_also_when_the_clocks_change() -> None:
    began = datetime(2026, 11, 10, 0, tzinfo=PARIS)
    in_the_hour_twice = datetime(2026, 10, 11, 0, 30, tzinfo=PARIS)
    history = [
        (began - 90 * DAY, Decimal(5)),
        (datetime(2026, 10, 11, tzinfo=PARIS), Decimal(20)),
        (in_the_hour_twice, Decimal(21)),
    ]
    assert lowest_before(history, began) == 20


# --- as properties ----------------------------------------------------------------------------------

moments = st.integers(-60, 60).map(lambda h: NOON + timedelta(hours=h))
amounts = st.integers(1, 5000).map(lambda cents: Decimal(cents) / 100)
scopes = st.builds(
    Scope,
    list=st.sampled_from([None, "WEB", "RETAIL"]),
    channels=st.sampled_from([None, frozenset({"shop"}), frozenset({"pos"})]),
    locations=st.sampled_from([None, frozenset({"ST01"}), frozenset({"ST01", "ST02"})]),
    min_quantity=st.sampled_from([1, 1, 3]),
)
entries = st.lists(
    st.builds(
        lambda n, kind, amount, since, lasts, priority, scope: entry(
            f"e{n}", str(amount), since, since + lasts if lasts else None, kind=kind, priority=priority, scope=scope
        ),
        st.integers(0, 99), st.sampled_from(["regular", "promotion"]), amounts, moments,
        st.one_of(st.none(), st.integers(1, 90).map(lambda h: timedelta(hours=h))), st.integers(0, 2), scopes,
    ),
    max_size=12, unique_by=lambda e: e.id,
)  # fmt: skip
situations = st.builds(
    lambda list_, channel, location, quantity: Situation(
        channel=channel, country="FR", list=list_, location=location, quantity=quantity, currency="EUR"
    ),
    st.sampled_from(["WEB", "RETAIL"]), st.sampled_from(["shop", "pos"]),
    st.sampled_from([None, "ST01", "ST02", "ST03"]), st.sampled_from([1, 3]),
)  # fmt: skip


def asked(found: InForce | None) -> tuple[Decimal, Decimal | None, datetime | None] | None:
    return (found.amount, found.compare_at, found.reduced_since) if found else None


@given(entries, situations, moments, st.randoms())
def test_the_order_in_which_entries_are_learned_changes_nothing(
    found: list[Entry], where: Situation, now: datetime, random: object
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert price_in_force(shuffled, where, now) == price_in_force(found, where, now)


@given(entries, situations, moments, st.integers(0, 999))
def test_nothing_changes_before_the_next_moment(
    found: list[Entry], where: Situation, now: datetime, thousandths: int
) -> None:
    due = next_moment(found, where, now) or now + 365 * DAY
    later = now + (due - now) * thousandths // 1000
    assert asked(price_in_force(found, where, later)) == asked(price_in_force(found, where, now))


@given(entries, situations, moments)
def test_only_entries_that_count_now_and_speak_of_us_make_the_price(
    found: list[Entry], where: Situation, now: datetime
) -> None:
    price = price_in_force(found, where, now)
    there = [e for e in found if e.valid_from <= now and (e.valid_until is None or now < e.valid_until)]
    mine = [e for e in there if e.scope.admits(where)]
    assert (price is None) == (not mine)
    if price is not None:
        assert all(e in mine for e in (price.regular, price.promotion) if e)
        assert price.amount <= min([e.amount for e in (price.regular,) if e], default=price.amount)


@given(entries, situations, moments)
def test_what_ended_or_was_for_others_could_as_well_not_be_there(
    found: list[Entry], where: Situation, now: datetime
) -> None:
    without = [e for e in found if e.scope.admits(where) and (e.valid_until is None or now < e.valid_until)]
    left, right = price_in_force(without, where, now), price_in_force(found, where, now)
    assert (left and (left.amount, left.compare_at)) == (right and (right.amount, right.compare_at))


@given(entries, situations, moments)
def test_a_reduction_began_when_hour_by_hour_the_price_was_last_not_reduced(
    found: list[Entry], where: Situation, now: datetime
) -> None:
    price = price_in_force(found, where, now)
    if price is None or price.promotion is None:
        return
    looked = now  # every entry starts and ends on the hour
    while looked >= NOON - timedelta(hours=61):
        then = price_in_force(found, where, looked)
        if then is None or then.promotion is None:
            break
        looked -= timedelta(hours=1)
    assert price.reduced_since == looked + timedelta(hours=1)


@given(st.lists(st.tuples(moments, amounts), max_size=12, unique_by=lambda row: row[0]), moments, st.integers(1, 40))
def test_the_lowest_is_what_a_customer_who_looked_every_hour_would_have_noted(
    history: list[tuple[datetime, Decimal]], began: datetime, hours: int
) -> None:
    seen = []
    for hour in range(1, hours + 1):
        stood = [amount for since, amount in sorted(history) if since <= began - timedelta(hours=hour)]
        seen += stood[-1:]
    assert lowest_before(history, began, timedelta(hours=hours)) == min(seen, default=None)


# --- money ------------------------------------------------------------------------------------------


def test_an_amount_is_written_with_the_decimals_of_its_currency() -> None:
    assert [written(Decimal("19.9"), c) for c in ("EUR", "TND")] == ["19.90", "19.900"]
    assert written(Decimal(1500), "JPY") == "1500"


def test_zeros_at_the_end_are_no_decimals() -> None:
    assert exact("19.900", "EUR")
    assert not exact("19.901", "EUR")
    assert not exact("19.5", "JPY")


def test_no_currency_is_no_currency() -> None:
    assert "EUR" in CURRENCIES
    assert not CURRENCIES & {"XXX", "XTS", "XAU"}


@given(st.integers(0, 10**9), st.sampled_from(sorted(CURRENCIES)))
def test_writing_an_amount_neither_adds_nor_takes_anything(units: int, currency: str) -> None:
    amount = Decimal(units).scaleb(-decimals(currency))
    assert Decimal(written(amount, currency)) == amount
    assert exact(written(amount, currency), currency)


def test_a_canonical_price_is_read_as_it_is_written() -> None:
    found = entry_of(
        {
            "sku": "TS0001-M-BLU", "entry": "WEB:2026", "kind": "promotion", "amount": "19.90", "currency": "EUR",
            "tax_included": True, "valid_from": "2026-11-22T00:00:00+01:00", "valid_until": None, "priority": 4,
            "scope": {"list": "WEB", "locations": ["ST05"], "min_quantity": 3},
        }
    )  # fmt: skip
    assert found == Entry(
        id="WEB:2026", kind="promotion", amount=Decimal("19.90"), currency="EUR", tax_included=True, priority=4,
        valid_from=datetime(2026, 11, 21, 23, tzinfo=UTC),
        scope=Scope(list="WEB", locations=frozenset({"ST05"}), min_quantity=3),
    )  # fmt: skip


def test_the_window_is_thirty_days() -> None:
    assert timedelta(days=30) == DAYS
