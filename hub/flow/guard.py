"""Guards: a truncated or absurd batch must not empty the shop or give its goods away, so a person decides.

Pure: what a batch would do is measured elsewhere (:mod:`hub.flow.weighing`), judged and put into words here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Largest shares that pass; changes of fewer than ``at_least`` keys always do, but for a single price."""

    fewer_rows: float | None = None
    drops: float | None = None
    to_zero: float | None = None
    price_change: float | None = None
    changes: float | None = None
    requires: tuple[str, ...] = ()
    at_least: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key of a batch: its word before (None: not known) and after; where it is new, numbers to compare it with."""

    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    beside: Sequence[Decimal] = ()
    apart: bool = False  # the last snapshot did not speak for what is known of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A number that moves; ``share`` is the move relative to what it was, without its sign."""

    key: str
    before: Decimal
    after: Decimal

    @property
    def share(self) -> float:
        return float(abs(self.after - self.before) / self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What some keys do; tallies of the pages of one reading add up."""

    new: int = 0
    changed: int = 0
    dropped: int = 0
    to_zero: int = 0
    apart: int = 0  # known keys that the last snapshot did not speak for: it lacked them, or they were refused
    apart_positive: int = 0  # of these, with something in stock, or a price
    largest: Step | None = None

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            new=self.new + other.new,
            changed=self.changed + other.changed,
            dropped=self.dropped + other.dropped,
            to_zero=self.to_zero + other.to_zero,
            apart=self.apart + other.apart,
            apart_positive=self.apart_positive + other.apart_positive,
            largest=max((s for s in (self.largest, other.largest) if s), key=_share, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A snapshot, or the pages of one reading, beside what it would replace."""

    rows: int
    tally: Tally = Tally()
    known: int = 0  # keys of which something is known, also where a guard holds a newer word
    positive: int = 0  # of these, with something in stock, or a price
    rows_before: int | None = None  # of the last accepted complete snapshot; None where it is no measure
    usual: float | None = None  # mean lines of the complete snapshots of the seven days before
    absent: int = 0  # keys that a complete snapshot lacks
    policy: str | None = None  # what becomes of them
    ended: bool = False  # the source marked the end
    counted: bool = False  # the source said how many lines it wrote, and so many are there
    file: bool = True  # a snapshot, of which a trailer or a count can be asked


def tally(changes: Iterable[Change], field: str | None) -> Tally:
    """Count what ``changes`` do to the number ``field``; a million of them pass through here."""
    new = changed = dropped = to_zero = apart = apart_positive = 0
    largest: Step | None = None
    for change in changes:
        if change.apart and change.before is not None:
            apart += 1
            apart_positive += Decimal(str(change.before.get(field or "") or 0)) > 0
        if change.before is None:
            new += 1
        elif change.before == change.after:
            continue
        else:
            changed += 1
        step = step_of(change, field) if field else None
        if step is None or step.after == step.before:
            continue
        if change.before is not None:
            dropped += step.after < step.before
            to_zero += step.before > 0 >= step.after
        if step.before > 0 and (largest is None or step.share > largest.share):
            largest = step
    return Tally(
        new=new, changed=changed, dropped=dropped, to_zero=to_zero, apart=apart, apart_positive=apart_positive,
        largest=largest,
    )  # fmt: skip


def step_of(change: Change, field: str) -> Step | None:
    """How the number moves: from what it was, or, of a new key, from the nearest that it may be compared with."""
    if change.after.get(field) is None:
        return None
    after = Decimal(str(change.after[field]))
    if change.before is not None:
        known = change.before.get(field)
        return None if known is None else Step(key=change.key, before=Decimal(str(known)), after=after)
    near = [number for number in change.beside if number > 0]
    return Step(key=change.key, before=min(near, key=lambda n: abs(after - n)), after=after) if near else None


def objections(found: Measured, limits: Limits) -> list[str]:
    """Why a batch is held: a sentence with the numbers for each guard that it breaks."""
    count = found.tally
    said = (
        _unmarked(found, limits),
        _fewer(found, limits),
        _share_of(count.to_zero, found.positive, "articles in stock fall to 0", "to_zero", limits),
        _share_of(count.dropped, found.positive, "numbers fall", "drops", limits),
        _share_of(count.changed, found.known, "known keys change at once", "changes", limits),
        _price(count.largest, limits),
    )
    return [sentence for sentence in said if sentence]


def _unmarked(found: Measured, limits: Limits) -> str | None:
    there = {"trailer": found.ended, "count": found.counted}
    missing = [name for name in limits.requires if not there[name]] if found.file else []
    return f"it comes without its {' and its '.join(missing)} (guard requires)" if missing else None


def _fewer(found: Measured, limits: Limits) -> str | None:
    if limits.fewer_rows is None or not found.rows_before:
        return None
    fewer = found.rows_before - found.rows
    if fewer < limits.at_least or fewer / found.rows_before <= limits.fewer_rows:
        return None
    return (
        f"{found.rows:,} lines, {beyond(fewer / found.rows_before, limits.fewer_rows)} fewer than the "
        f"{found.rows_before:,} of the last accepted snapshot (guard fewer_rows: {percent(limits.fewer_rows)})"
    )


def _share_of(part: int, whole: int, what: str, guard: str, limits: Limits) -> str | None:
    limit: float | None = getattr(limits, guard)
    if limit is None or not whole or part < limits.at_least or part / whole <= limit:
        return None
    return f"{part:,} of {whole:,} {what}, {beyond(part / whole, limit)} (guard {guard}: {percent(limit)})"


def _price(step: Step | None, limits: Limits) -> str | None:
    if limits.price_change is None or step is None or step.share <= limits.price_change:
        return None
    limit = limits.price_change
    return f"{_moved(step, beyond(step.share, limit))} (guard price_change: {percent(limit)})"


def _moved(step: Step, share: str) -> str:
    way = "more" if step.after > step.before else "less"
    return f"{step.key} goes from {step.before} to {step.after}, {share} {way}"


def percent(limit: float) -> str:
    """A limit as hub.yaml writes it."""
    return f"{round(limit * 100, 6):g}%"


def beyond(share: float, limit: float) -> str:
    """A share with as many digits as show that it is past ``limit``."""
    texts = (f"{share * 100:.{digits}f}" for digits in range(7))
    return next((text for text in texts if float(text) > round(limit * 100, 6)), f"{share * 100:g}") + "%"


def words(found: Measured) -> str:
    """What a batch would do, for the person who decides: ``48,210 lines; 1,904 change; 37 fall to 0; ...``."""
    count = found.tally
    parts = [
        _n(found.rows, "line", "lines"),
        f"{count.new:,} new" if count.new else "",
        _n(count.changed, "changes", "change") if count.changed else "none changes",
        _n(count.dropped, "drops", "drop") if count.dropped > count.to_zero else "",
        _n(count.to_zero, "falls to 0", "fall to 0") if count.to_zero else "",
        f"{found.absent:,} absent (policy: {found.policy})" if found.absent else "",
        _beside_usual(found),
    ]
    return "; ".join(part for part in parts if part)


def largest_move(found: Measured) -> str:
    """The largest move of a price, in words; empty where none moves."""
    step = found.tally.largest
    return f"largest change of a price: {_moved(step, f'{step.share:.0%}')}" if step else ""


def _beside_usual(found: Measured) -> str:
    usual, since = (found.usual, "the last 7 days") if found.usual else (found.rows_before, "the last snapshot")
    if not usual:
        return ""
    share = (found.rows - usual) / usual
    return f"{abs(share):.0%} {'fewer' if share < 0 else 'more'} lines than {since}" if abs(share) >= 0.005 else ""


def _n(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _share(step: Step) -> float:
    return step.share
