"""What a guard objects to, and the words in which it is told: for all numbers, not for some."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hub.flow import guard
from hub.flow.guard import Change, Limits, Measured, Step, Tally

counts = st.integers(0, 5_000)
shares = st.floats(0, 1)
tallies = st.builds(
    Tally, new=counts, changed=counts, dropped=counts, to_zero=counts,
    largest=st.none() | st.builds(
        Step, key=st.just("A"), before=st.decimals("0.01", "999", places=2), after=st.decimals("0.01", "999", places=2)
    ),
)  # fmt: skip
measured = st.builds(
    Measured, rows=counts, tally=tallies, known=counts, positive=counts, rows_before=st.none() | counts,
    absent=counts, policy=st.sampled_from(["hold", "keep", "zero"]), ended=st.booleans(), counted=st.booleans(),
)  # fmt: skip


def level(key: str, before: int | None, after: int) -> Change:
    return Change(key=key, before=None if before is None else {"on_hand": before}, after={"on_hand": after})


def price(before: str | None, after: str, *beside: str) -> Change:
    known = None if before is None else {"amount": before}
    return Change(key="A@R1", before=known, after={"amount": after}, beside=[Decimal(one) for one in beside])


@given(measured)
def test_without_a_guard_everything_passes(found: Measured) -> None:
    assert guard.objections(found, Limits()) == []


@given(measured, shares, shares, shares, shares, st.floats(0.01, 20))
def test_whoever_allows_more_objects_to_nothing_new(
    found: Measured, fewer: float, drops: float, zero: float, changes: float, move: float
) -> None:
    strict = Limits(fewer_rows=fewer, drops=drops, to_zero=zero, changes=changes, price_change=move)
    lax = Limits(
        fewer_rows=min(1, fewer * 2), drops=min(1, drops * 2), to_zero=min(1, zero * 2), changes=min(1, changes * 2),
        price_change=move * 2,
    )  # fmt: skip
    assert len(guard.objections(found, lax)) <= len(guard.objections(found, strict))


@given(measured, shares)
def test_fewer_keys_than_at_least_pass_whatever_share_they_are(found: Measured, share: float) -> None:
    limits = Limits(fewer_rows=share, drops=share, to_zero=share, changes=share, at_least=1_000_001)
    assert guard.objections(found, limits) == []


@given(st.lists(tallies), st.lists(tallies))
def test_tallies_of_pages_add_up_to_that_of_the_reading(one: list[Tally], other: list[Tally]) -> None:
    whole = sum([*one, *other], Tally())
    parts = sum(one, Tally()) + sum(other, Tally())
    assert (whole.new, whole.changed, whole.dropped, whole.to_zero) == (
        parts.new, parts.changed, parts.dropped, parts.to_zero,
    )  # fmt: skip
    assert (whole.largest and whole.largest.share) == (parts.largest and parts.largest.share)


@given(st.lists(st.tuples(st.none() | st.integers(-5, 50), st.integers(-5, 50))))
def test_every_key_is_new_changed_or_as_before(numbers: list[tuple[int | None, int]]) -> None:
    found = guard.tally([level(str(n), b, a) for n, (b, a) in enumerate(numbers)], "on_hand")
    assert found.new == sum(1 for before, _ in numbers if before is None)
    assert found.changed == sum(1 for before, after in numbers if before is not None and before != after)
    assert found.dropped == sum(1 for before, after in numbers if before is not None and after < before)
    assert found.to_zero == sum(1 for before, after in numbers if before is not None and before > 0 >= after)


@given(measured)
def test_words_name_every_number_that_is_not_0(found: Measured) -> None:
    said = guard.words(found)
    assert said.startswith(f"{found.rows:,} line")
    for number in (found.tally.to_zero, found.absent, found.tally.new, found.tally.changed):
        assert not number or f"{number:,}" in said
    assert ("absent" in said) == bool(found.absent)


def test_the_words_of_a_cut_night_file() -> None:
    found = Measured(
        rows=48_210, tally=Tally(changed=1_904, to_zero=37, dropped=37), absent=212, policy="hold", usual=73_045.45
    )
    assert guard.words(found) == (
        "48,210 lines; 1,904 change; 37 fall to 0; 212 absent (policy: hold); 34% fewer lines than the last 7 days"
    )


def test_keys_that_the_last_snapshot_lacked_are_counted_by_themselves() -> None:
    levels = [
        Change(key=str(n), before=before, after={"on_hand": 0}, apart=n < 4)
        for n, before in enumerate([{"on_hand": 5}, {"on_hand": 0}, {"on_hand": 2}, None, {"on_hand": 5}])
    ]
    found = guard.tally(levels, "on_hand")
    assert (found.apart, found.apart_positive, found.to_zero) == (3, 2, 3)
    assert (found + found).apart == 6


def test_a_share_is_said_with_the_digits_that_show_it_is_past_its_limit() -> None:
    at = Measured(rows=1_000, tally=Tally(to_zero=50), known=1_000, positive=1_000)
    assert guard.objections(at, Limits(to_zero=0.05)) == []
    past = replace(at, tally=Tally(to_zero=51))
    (said,) = guard.objections(past, Limits(to_zero=0.05))
    assert said == "51 of 1,000 articles in stock fall to 0, 5.1% (guard to_zero: 5%)"
    (said,) = guard.objections(past, Limits(to_zero=0.005))
    assert said.endswith("5% (guard to_zero: 0.5%)")


def test_one_line_is_said_as_one() -> None:
    found = Measured(rows=1, tally=Tally(changed=1, dropped=1, to_zero=1), rows_before=2)
    assert guard.words(found) == "1 line; 1 changes; 1 falls to 0; 50% fewer lines than the last snapshot"
    assert guard.words(Measured(rows=0)) == "0 lines; none changes"


def test_each_broken_guard_is_named_with_its_numbers() -> None:
    found = Measured(
        rows=120, rows_before=480, known=400, positive=300,
        tally=Tally(
            changed=250, dropped=200, to_zero=30,
            largest=Step(key="A@R1", before=Decimal("19.90"), after=Decimal("199.00")),
        ),
    )  # fmt: skip
    limits = Limits(fewer_rows=0.2, drops=0.4, to_zero=0.05, changes=0.5, price_change=0.6, requires=("count",))
    assert guard.objections(found, limits) == [
        "it comes without its count (guard requires)",
        "120 lines, 75% fewer than the 480 of the last accepted snapshot (guard fewer_rows: 20%)",
        "30 of 300 articles in stock fall to 0, 10% (guard to_zero: 5%)",
        "200 of 300 numbers fall, 67% (guard drops: 40%)",
        "250 of 400 known keys change at once, 62% (guard changes: 50%)",
        "A@R1 goes from 19.90 to 199.00, 900% more (guard price_change: 60%)",
    ]


def test_a_reading_of_pages_is_not_asked_for_a_trailer() -> None:
    limits = Limits(requires=("trailer", "count"))
    assert guard.objections(Measured(rows=3, file=False), limits) == []
    assert guard.objections(Measured(rows=3, ended=True, counted=True), limits) == []
    (said,) = guard.objections(Measured(rows=3), limits)
    assert said.startswith("it comes without its trailer and its count")


def test_a_new_price_is_compared_with_the_nearest_of_its_article() -> None:
    assert guard.tally([price(None, "20.00")], "amount").largest is None
    near = guard.tally([price(None, "20.00", "19.90", "199.00")], "amount").largest
    assert near is not None
    assert near.before == Decimal("19.90")
    (said,) = guard.objections(
        Measured(rows=1, tally=guard.tally([price(None, "1.99", "19.90")], "amount")), Limits(price_change=0.6)
    )
    assert "A@R1 goes from 19.90 to 1.99, 90% less" in said


def test_one_price_is_enough_however_many_change() -> None:
    found = guard.tally([price("10.00", "10.50"), price("10.00", "100.00"), price("5", "5")], "amount")
    assert (found.changed, found.largest and found.largest.share) == (2, 9.0)
    assert guard.objections(Measured(rows=3, tally=found), Limits(price_change=0.6, at_least=1000))
