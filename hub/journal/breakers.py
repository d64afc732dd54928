"""Circuit breakers: one for each system, shared by every process; and what is to be compared after one has closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.journal import audit
from hub.journal.database import Connection

RUN = "circuit"  # what the audit trail calls who opens and closes them: any process, in no run
OBJECT = "system"
COLUMNS = "system, failures, failing_since, reason, opened_at, probe_at, delay, closed_at"


@dataclass(frozen=True, slots=True)
class Breaker:
    """How a system answers; it is open while ``opened_at`` is set."""

    system: str
    failures: int = 0
    failing_since: datetime | None = None
    reason: str | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    delay: float = 0.0
    closed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``after`` so many failures in a row it opens; the first probe comes after ``first`` seconds, the next ones after
    twice as long each, ``longest`` at most."""

    after: int
    first: float
    longest: float

    def next(self, delay: float) -> float:
        return min(self.longest, max(self.first, delay * 2))


def of(connection: Connection, system: str) -> Breaker:
    """The breaker of ``system``; one that never failed is closed."""
    row = connection.execute(f"SELECT {COLUMNS} FROM breaker WHERE system = %s", (system,)).fetchone()
    return Breaker(*row) if row else Breaker(system)


def open_ones(connection: Connection) -> dict[str, Breaker]:
    """The open breakers, by system."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM breaker WHERE opened_at IS NOT NULL ORDER BY system")
    return {row[0]: Breaker(*row) for row in rows}


def take_probe(connection: Connection, known: Breaker, until: datetime) -> bool:
    """Be the one who asks; nobody else does before ``until``. False where somebody was faster."""
    return (
        connection.execute(
            "UPDATE breaker SET probe_at = %s WHERE system = %s AND opened_at IS NOT NULL AND probe_at = %s",
            (until, known.system, known.probe_at),
        ).rowcount
        == 1
    )


def postpone(connection: Connection, system: str, probe_at: datetime) -> None:
    """Who was to ask learned nothing: the next one may at ``probe_at``."""
    connection.execute(
        "UPDATE breaker SET probe_at = %s WHERE system = %s AND opened_at IS NOT NULL", (probe_at, system)
    )


def failed(
    connection: Connection, system: str, reason: str, now: datetime, pace: Pace, *, probing: bool, jitter: float
) -> Breaker | None:
    """A call found no answer. Answers the breaker where that opened it.

    ``jitter`` stretches or shortens the wait, 1.0 leaves it. A call that was out when somebody else opened it,
    and that was not the probe, changes nothing.
    """
    with connection.transaction():
        connection.execute("INSERT INTO breaker (system) VALUES (%s) ON CONFLICT DO NOTHING", (system,))
        row = connection.execute(f"SELECT {COLUMNS} FROM breaker WHERE system = %s FOR UPDATE", (system,)).fetchone()
        known = Breaker(*row) if row else Breaker(system)
        if known.is_open and not probing:
            return None
        failures = known.failures + 1
        opens = known.is_open or failures >= pace.after
        delay = pace.next(known.delay if known.is_open or _lately(known, now, pace) else 0.0) if opens else known.delay
        connection.execute(
            """UPDATE breaker SET failures = %s, reason = %s, failing_since = coalesce(failing_since, %s),
                                  opened_at = %s, probe_at = %s, delay = %s WHERE system = %s""",
            (
                failures,
                reason,
                now,
                (known.opened_at or now) if opens else None,
                now + timedelta(seconds=delay * jitter) if opens else None,
                delay,
                system,
            ),
        )
        if not opens or known.is_open:
            return None
        _tell(connection, system, "circuit opened", f"{failures} calls in a row: {reason}")
        return of(connection, system)


def _lately(known: Breaker, now: datetime, pace: Pace) -> bool:
    """Whether it closed so lately that it was too soon: it waits on from where it was."""
    return known.closed_at is not None and now - known.closed_at < timedelta(seconds=pace.longest)


def answered(
    connection: Connection, system: str, now: datetime, flows: Sequence[str], answer: str = "it answers again"
) -> Breaker | None:
    """A call was answered, or a person says so: nothing counts any more. Answers the breaker where that closed it.

    The comparison of ``flows`` with what the system holds is due from then on.
    """
    with connection.transaction():
        row = connection.execute(
            f"SELECT {COLUMNS} FROM breaker WHERE system = %s AND failures > 0 FOR UPDATE", (system,)
        ).fetchone()
        if row is None:
            return None
        known = Breaker(*row)
        connection.execute(
            """UPDATE breaker SET failures = 0, failing_since = NULL, opened_at = NULL, probe_at = NULL,
                                  closed_at = CASE WHEN opened_at IS NULL THEN closed_at ELSE %s END
               WHERE system = %s""",
            (now, system),
        )
        if not known.is_open:
            return None
        _due(connection, system, flows, now)
        _tell(connection, system, "circuit closed", answer)
        return known


def _tell(connection: Connection, system: str, step: str, answer: str) -> None:
    entry = audit.Entry(step=step, system=system, object=OBJECT, key=system, subject=system, answer=answer)
    audit.write(connection, RUN, None, [entry])


# --- what is to be compared since a system answers again ------------------------------------------


def _due(connection: Connection, system: str, flows: Iterable[str], now: datetime) -> None:
    for flow in flows:
        connection.execute(
            """INSERT INTO recovery (system, flow, since) VALUES (%s, %s, %s)
               ON CONFLICT (system, flow) DO UPDATE SET since = excluded.since, rung_at = NULL""",
            (system, flow, now),
        )


def recovered(connection: Connection, flow: str | None = None) -> list[tuple[str, str]]:
    """(flow, system) of every comparison that is due, or of those of ``flow``."""
    rows = connection.execute(
        "SELECT flow, system FROM recovery WHERE %s::text IS NULL OR flow = %s ORDER BY since, flow", (flow, flow)
    )
    return [(row[0], row[1]) for row in rows]


def to_ring(connection: Connection, now: datetime, again_after: timedelta) -> list[str]:
    """Systems for whose comparison nobody has rung, or so long ago that nobody seems to have heard."""
    rows = connection.execute(
        """UPDATE recovery SET rung_at = %s WHERE rung_at IS NULL OR rung_at < %s OR rung_at > %s RETURNING system""",
        (now, now - again_after, now + again_after),
    ).fetchall()
    return sorted({row[0] for row in rows})


def since(connection: Connection, flow: str, system: str) -> datetime | None:
    """Since when the comparison of ``flow`` with ``system`` is due; None where it is not."""
    row = connection.execute("SELECT since FROM recovery WHERE flow = %s AND system = %s", (flow, system)).fetchone()
    return row[0] if row else None


def compared(connection: Connection, flow: str, system: str, since: datetime) -> None:
    """The comparison that was due at ``since`` is done; one that has become due meanwhile stays."""
    connection.execute("DELETE FROM recovery WHERE flow = %s AND system = %s AND since = %s", (flow, system, since))
