"""RETAIL.md's rules of stock, as sentences and as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.model import Ticket
from hub.retail.availability import Known, Level, SellingRules, available_to_sell, on_hand, on_hand_everywhere
from hub.retail.coverage import Cover, Coverage, Movement, TillTicket, cover
from hub.retail.reservations import Step, next_expiry, still_reserved

NIGHT = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def level(on_hand: int, as_of: datetime = NIGHT, **more: object) -> Level:
    return Level(on_hand=on_hand, coverage=Coverage(as_of=as_of), **more)  # type: ignore[arg-type]


def sale(id: str, at: datetime, delta: int = -1, recorded: datetime | None = None, seq: int | None = None) -> Movement:
    ticket = TillTicket(till="1", ticket=Ticket(business_day="2026-11-20", sequence=seq)) if seq is not None else None
    return Movement(id=id, delta=delta, occurred_at=at, recorded_at=recorded or at, ticket=ticket)


def sellable(known: Known, rules: SellingRules, now: datetime = NIGHT) -> dict[str, int]:
    return {p: a.quantity for p, a in available_to_sell(known, on_hand_everywhere(known), rules, now).items()}


def test_a_snapshot_replaces_what_it_contains_and_a_later_sale_comes_on_top() -> None:
    before, after = sale("a", NIGHT - HOUR), sale("b", NIGHT + HOUR)
    assert on_hand(level(5), [before, after]).quantity == 4


def test_night_5_sale_1_unrecorded_receipt_night_5_again_is_5() -> None:
    sold = sale("a", NIGHT + HOUR)
    assert on_hand(level(5), [sold]).quantity == 4
    assert on_hand(level(5, NIGHT + timedelta(days=1)), [sold]).quantity == 5


def test_the_till_s_own_count_decides_against_its_clock() -> None:
    snapshot = Coverage(as_of=NIGHT, tickets={"1": Ticket(business_day="2026-11-20", sequence=40)})
    assert cover(sale("fast clock", NIGHT + HOUR, seq=40), snapshot) is Cover.CONTAINED
    assert cover(sale("slow clock", NIGHT - HOUR, seq=41), snapshot) is Cover.ON_TOP


def test_a_till_that_was_offline_follows_the_flow_s_policy() -> None:
    late = sale("offline", NIGHT - HOUR, recorded=NIGHT + 8 * HOUR)
    assert on_hand(level(5, late_events="apply"), [late]).quantity == 4
    assert on_hand(level(5, late_events="ignore"), [late]).quantity == 5
    held = on_hand(level(5, late_events="hold"), [late])
    assert (held.quantity, held.late) == (5, ("offline",))


def test_negative_stock_is_accepted_and_sells_nothing() -> None:
    known = Known(levels={"ST01": level(-3)})
    assert on_hand_everywhere(known)["ST01"].quantity == -3
    assert sellable(known, SellingRules(sells_from=["ST01"])) == {"ST01": 0}


def test_a_location_without_a_word_has_no_value_rather_than_zero() -> None:
    assert sellable(Known(levels={}), SellingRules(sells_from=["ST01"])) == {}


def test_a_stale_location_sells_nothing_and_says_when_it_turned() -> None:
    known = Known(levels={"ST01": level(9)})
    rules = SellingRules(sells_from=["ST01"], stale_after=36 * HOUR)
    fresh = available_to_sell(known, on_hand_everywhere(known), rules, NIGHT + 35 * HOUR)["ST01"]
    assert (fresh.quantity, fresh.due) == (9, NIGHT + 36 * HOUR)
    assert sellable(known, rules, NIGHT + 36 * HOUR) == {"ST01": 0}


def test_an_unplaced_reservation_is_taken_where_the_channel_sells_from_first() -> None:
    known = Known(
        levels={"WH1": level(1), "ST01": level(5)},
        steps=[Step(order="1", line="1", kind="reserve", quantity=3, location=None, occurred_at=NIGHT)],
    )
    assert sellable(known, SellingRules(sells_from=["WH1", "ST01"])) == {"WH1": 0, "ST01": 3}


def test_a_reservation_ends_with_the_record_that_contains_it_and_not_before() -> None:
    steps = [
        Step(order="1", line="1", kind="reserve", quantity=2, location="WH1", occurred_at=NIGHT),
        Step(order="1", line="1", kind="accepted", quantity=2, location="WH1", occurred_at=NIGHT + HOUR),
    ]
    assert [r.quantity for r in still_reserved(steps, {"WH1": NIGHT + HOUR}, NIGHT)] == [2]
    assert still_reserved(steps, {"WH1": NIGHT + 2 * HOUR}, NIGHT) == []


def test_a_shipment_that_two_systems_tell_of_is_one_shipment() -> None:
    """The ERP ships one of two pieces, and the shop repeats what the hub told it."""
    told = [
        Step(order="1", line="1", kind="shipped", quantity=1, location="WH1", occurred_at=NIGHT, system=system)
        for system in ("erp", "shop")
    ]
    promised = Step(order="1", line="1", kind="reserve", quantity=2, location="WH1", occurred_at=NIGHT - HOUR)
    (left,) = still_reserved([promised, *told], {"WH1": NIGHT + HOUR}, NIGHT + HOUR)
    assert left.quantity == 1


def test_a_release_that_arrives_before_its_reserve_still_ends_it() -> None:
    release = Step(order="1", line="1", kind="release", quantity=2, location=None, occurred_at=NIGHT)
    reserve = Step(order="1", line="1", kind="reserve", quantity=2, location=None, occurred_at=NIGHT - HOUR)
    assert still_reserved([release, reserve], {}, NIGHT) == []


def test_a_line_that_an_edit_made_larger_is_one_promise() -> None:
    steps = [
        Step(order="1", line="1", kind="reserve", quantity=n, location=None, occurred_at=NIGHT) for n in (3, 2)
    ] + [Step(order="1", line="1", kind="release", quantity=1, location=None, occurred_at=NIGHT + HOUR)]
    (left,) = still_reserved(steps, {}, NIGHT + HOUR)
    assert left.quantity == 2


def step(kind: str, quantity: int, at: datetime = NIGHT, place: str | None = "WH1", system: str = "erp") -> Step:
    return Step(order="1", line="1", kind=kind, quantity=quantity, location=place, occurred_at=at, system=system)  # type: ignore[arg-type]


def left(steps: list[Step], as_of: dict[str, datetime], told: dict[str, str]) -> dict[str | None, int]:
    """Pieces still reserved by place."""
    return {r.location: r.quantity for r in still_reserved(steps, as_of, NIGHT, told)}


def test_an_authority_that_is_told_of_orders_has_deducted_what_it_says_itself_and_nothing_else() -> None:
    steps = [step("reserve", 2, place=None, system="shop"), step("shipped", 2, system="shop")]
    later = {"WH1": NIGHT + HOUR, "ST01": NIGHT + HOUR}
    assert left(steps, later, {"WH1": "erp"}) == {"WH1": 2}
    assert left([*steps, step("accepted", 2)], later, {"WH1": "erp"}) == {}
    assert left(steps, later, {}) == {}  # nobody tells the warehouse of orders: its count after the parcel contains it


def test_the_last_word_of_what_was_accepted_counts() -> None:
    accepted = [step("accepted", n, NIGHT + hours * HOUR) for n, hours in ((5, 0), (2, 2), (4, 4))]
    promised = [step("reserve", n, place=None, system="shop") for n in (5, 7)]
    promised.append(step("release", 3, place=None, system="shop"))
    assert left([*promised, *accepted], {"WH1": NIGHT + 3 * HOUR}, {"WH1": "erp"}) == {"WH1": 2}
    assert left([*promised, *accepted], {"WH1": NIGHT + 5 * HOUR}, {"WH1": "erp"}) == {}


def test_a_parcel_that_stays_after_all_is_promised_again() -> None:
    steps = [step(kind, n, NIGHT, "ST01", "shop") for kind, n in (("reserve", 3), ("shipped", 2), ("taken_back", 2))]
    assert left(steps, {"ST01": NIGHT + HOUR}, {}) == {"ST01": 3}
    assert left([*steps, step("shipped", 3, NIGHT, "ST01", "shop")], {"ST01": NIGHT + HOUR}, {}) == {}


def test_a_parcel_from_one_place_does_not_say_where_the_rest_is_taken_from() -> None:
    steps = [step("reserve", 3, place=None, system="shop"), step("shipped", 1, place="ST01", system="shop")]
    assert left(steps, {"WH1": NIGHT, "ST01": NIGHT}, {}) == {"ST01": 1, None: 2}
    assert left(steps, {"WH1": NIGHT, "ST01": NIGHT + HOUR}, {}) == {None: 2}


def test_what_left_from_nobody_knows_where_is_free_once_every_place_was_counted_after_it() -> None:
    steps = [step("reserve", 1, place=None, system="shop"), step("shipped", 1, place=None, system="shop")]
    assert left(steps, {"WH1": NIGHT, "ST01": NIGHT + HOUR}, {}) == {None: 1}
    assert left(steps, {"WH1": NIGHT + HOUR, "ST01": NIGHT + HOUR}, {}) == {}
    assert left(steps, {"WH1": NIGHT + HOUR, "ST01": NIGHT + HOUR}, {"WH1": "erp"}) == {None: 1}


KINDS = ("reserve", "release", "accepted", "shipped", "taken_back")
lives = st.lists(
    st.builds(
        step, st.sampled_from(KINDS), st.integers(1, 9), st.integers(-9, 9).map(lambda h: NIGHT + h * HOUR),
        st.sampled_from([None, "WH1", "ST01"]), st.sampled_from(["shop", "erp"]),
    ),
    max_size=12,
)  # fmt: skip


@given(lives, st.sampled_from([{}, {"WH1": "erp"}]), st.randoms())
def test_a_promise_does_not_depend_on_the_order_in_which_its_steps_are_learnt(
    steps: list[Step], told: dict[str, str], random: object
) -> None:
    shuffled = [*steps]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    as_of = {"WH1": NIGHT, "ST01": NIGHT + HOUR}
    assert left(shuffled, as_of, told) == left(steps, as_of, told)
    assert all(quantity > 0 for quantity in left(steps, as_of, told).values())
    promised = max([s.quantity for s in steps if s.kind == "reserve"], default=0)
    assert sum(left(steps, as_of, told).values()) <= promised


def test_of_two_places_named_at_one_moment_always_the_same_one_counts() -> None:
    steps = [step("reserve", 1, place=place, system="shop") for place in ("WH1", "ST01")]
    steps.append(step("accepted", 1, place=None, system="shop"))
    places = {"WH1": NIGHT, "ST01": NIGHT + HOUR}
    assert left(steps, places, {}) == left(steps[::-1], places, {})


def test_a_hold_counts_until_it_expires_and_says_when_that_is() -> None:
    hold = Step(
        order="1", line="1", kind="reserve", quantity=2, location="ST01", occurred_at=NIGHT, expires_at=NIGHT + HOUR
    )
    rules = SellingRules(sells_from=["ST01"])
    known = Known(levels={"ST01": level(5)}, steps=[hold])
    assert next_expiry(known.steps, NIGHT) == NIGHT + HOUR
    assert sellable(known, rules, NIGHT + HOUR - timedelta(microseconds=1)) == {"ST01": 3}
    assert sellable(known, rules, NIGHT + HOUR) == {"ST01": 5}
    assert next_expiry(known.steps, NIGHT + HOUR) is None


def test_a_hold_that_was_released_after_it_expired_gives_nothing_twice() -> None:
    known = Known(
        levels={"ST01": level(5)},
        steps=[
            Step(order="1", line="1", kind="reserve", quantity=2, location="ST01", occurred_at=NIGHT, expires_at=NIGHT),
            Step(order="1", line="1", kind="release", quantity=2, location="ST01", occurred_at=NIGHT + HOUR),
        ],
    )
    assert sellable(known, SellingRules(sells_from=["ST01"]), NIGHT + 2 * HOUR) == {"ST01": 5}


def test_a_refused_line_keeps_the_last_number_or_sells_nothing_as_the_flow_says() -> None:
    assert on_hand(level(5, quarantined=True, when_quarantined="keep"), []).quantity == 5
    assert on_hand(level(5, quarantined=True, when_quarantined="zero"), []).quantity == 0


moments = st.integers(-72, 72).map(lambda h: NIGHT + timedelta(hours=h))
movements = st.lists(
    st.builds(
        lambda n, at, delta, lag: sale(f"m{n}", at, delta, at + timedelta(hours=lag)),
        st.integers(0, 30), moments, st.integers(-5, 5).filter(bool), st.integers(0, 30),
    ),
    max_size=20, unique_by=lambda m: m.id,
)  # fmt: skip
quantities = st.integers(-20, 200)


@given(quantities, movements, st.randoms())
def test_the_order_and_the_repetition_of_messages_change_nothing(
    quantity: int, found: list[Movement], random: object
) -> None:
    shuffled = [*found, *found]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert on_hand(level(quantity), shuffled).quantity == on_hand(level(quantity), found).quantity


@given(quantities, movements)
def test_a_snapshot_after_everything_is_the_whole_truth(quantity: int, found: list[Movement]) -> None:
    assert on_hand(level(quantity, NIGHT + timedelta(days=30)), found).quantity == quantity


@given(quantities, movements)
def test_each_movement_is_applied_once_or_not_at_all(quantity: int, found: list[Movement]) -> None:
    lying = on_hand(level(quantity), found)
    applied = [m for m in found if m.id in {*lying.on_top, *lying.late}]
    assert sorted([*lying.on_top, *lying.contained, *lying.late]) == sorted(m.id for m in found)
    assert lying.quantity == quantity + sum(m.delta for m in applied)


@given(
    st.lists(quantities, min_size=1, max_size=5),
    st.lists(st.integers(1, 30), max_size=6),
    st.integers(0, 5),
)
def test_a_channel_never_promises_more_than_lies_there(levels: list[int], orders: list[int], safety: int) -> None:
    places = [f"ST{n:02}" for n in range(len(levels))]
    known = Known(
        levels=dict(zip(places, map(level, levels), strict=True)),
        steps=[
            Step(order=str(n), line="1", kind="reserve", quantity=q, location=None, occurred_at=NIGHT)
            for n, q in enumerate(orders)
        ],
    )
    rules = SellingRules(sells_from=places, safety_stock=dict.fromkeys(places, safety))
    found = sellable(known, rules)
    free = sum(max(0, quantity - safety) for quantity in levels)
    assert all(quantity >= 0 for quantity in found.values())
    assert sum(found.values()) == max(0, free - sum(orders))
