"""What a pass did, in counts that mean the same everywhere.

    read     = changed + unchanged + superseded + quarantined
    enqueued = delivered + coalesced + refused + pending

``waiting`` waits for something (a binding, an opening hour), ``held`` for a person; both stand apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.flow.objects import CanonicalObject, first_of

NAMES = (
    "read",
    "changed",
    "unchanged",
    "superseded",
    "quarantined",
    "held",
    "enqueued",
    "delivered",
    "coalesced",
    "refused",
    "waiting",
    "pending",
)


class Counts(Counter[str]):
    """Counts by name; ``judge`` keeps the first equation true by construction."""

    def judge(self, verdict: str, records: int = 1) -> None:
        """``records`` were read and judged ``changed``, ``unchanged``, ``superseded`` or ``quarantined``."""
        if records:
            self["read"] += records
            self[verdict] += records

    def leave_to_others(self) -> None:
        """Take out of ``enqueued`` what other processes settled meanwhile: their own passes count it."""
        settled = sum(self[name] for name in ("delivered", "coalesced", "refused", "pending"))
        self["enqueued"] = settled

    def named(self) -> dict[str, int]:
        """Every count, in the contract's order."""
        return {name: self[name] for name in NAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a pass ended."""

    run: str
    counts: Mapping[str, int]
    sentence: str
    ring: tuple[str, ...] = ()  # targets with something to send that this pass left
    held: bool = False

    @property
    def pending(self) -> int:
        return self.counts.get("pending", 0)

    @property
    def exit_code(self) -> int:
        """0 done, 1 with something pending, 3 with a held batch."""
        return 3 if self.held else 1 if self.pending else 0


def sentence(counts: Mapping[str, int], subject: str) -> str:
    """One line for a person: what a pass did, without the zeros."""
    said = [f"{counts[name]:,} {name}" for name in NAMES if counts.get(name)]
    return f"{subject}: {', '.join(said)}" if said else f"{subject}: nothing new"


@dataclass(slots=True)
class Pass:
    """A run under way: its id, and the counts so far."""

    run: str
    flow: str
    targets: Sequence[str] = ()  # whose outboxes this pass works on
    beside_others: bool = False  # one of several at the same outboxes, as in Airflow
    counts: Counts = field(default_factory=Counts)
    judged: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)  # (system, object): read, refused
    marked: dict[str, dict[str, bool]] = field(default_factory=dict)  # derived object -> subject -> urgent
    doubted: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (target, object) -> subjects to read back
    touched: dict[str, None] = field(default_factory=dict)  # flows for which something was marked, in order
    derived: dict[str, set[str]] = field(default_factory=dict)  # derived object -> subjects that this pass derived
    first: set[tuple[str, str]] = field(default_factory=set)  # (system, object) read for the first time in this pass
    only: Mapping[str, Collection[str]] | None = None  # derived object -> the subjects to derive; None: all due

    def mark(self, derived: str, subjects: Iterable[str], *, urgent: bool) -> None:
        """What must be derived again once this transaction is through."""
        found = self.marked.setdefault(derived, {})
        for subject in subjects:
            found[subject] = urgent or found.get(subject, False)

    def mark_records(self, canonical: CanonicalObject, records: Iterable[Mapping[str, Any]], *, urgent: bool) -> None:
        """Whatever rests on these records of ``canonical``."""
        known = list(records)
        for derived, fields in canonical.derives.items():
            self.mark(derived, (s for s in (first_of(data, fields) for data in known) if s), urgent=urgent)

    def mark_subjects(self, canonical: CanonicalObject, subjects: Iterable[str]) -> None:
        """Whatever is derived by the subject of ``canonical`` itself."""
        known = list(subjects)
        for derived, fields in canonical.derives.items():
            if fields[: len(canonical.subject)] == canonical.subject:  # else what to derive again is another field
                self.mark(derived, known, urgent=False)
