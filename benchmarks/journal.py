"""Stock levels into the journal with their audit, 1,000 in a transaction: COPY and set statements against plain ones.

Every way judges a level against what is known, keeps it where it is not older, and appends an audit row with what
stood there before; on an embedded PostgreSQL that waits for its disk as in production.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from benchmarks.race import Comparison, race
from hub.journal import audit, connect, migrate, states
from hub.journal.database import Connection
from hub.journal.states import State

RECORDS = 6_000
BATCH = 1_000
AS_OF = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)

KNOWN = "SELECT key, data, as_of FROM source_state WHERE system = %s AND object = 'stock_level' AND key = ANY(%s)"
STATE = """INSERT INTO source_state (system, object, run, key, subject, data, as_of, source_key, origin, mapping)
SELECT %s, 'stock_level', 'bench', {} ON CONFLICT (system, object, key) DO UPDATE SET
data = excluded.data, as_of = excluded.as_of, origin = excluded.origin, mapping = excluded.mapping"""
AUDIT = """INSERT INTO audit (run, step, system, object, key, subject, origin, mapping, before, after)
SELECT 'bench', 'applied', %s, 'stock_level', {}"""
STATE_VALUES = "%s, %s, %s::jsonb, %s::timestamptz, %s, %s::jsonb, %s"
AUDIT_VALUES = "%s, %s, %s::jsonb, %s, %s::jsonb, %s::jsonb"
STATE_ARRAYS = (
    "* FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::timestamptz[], %s::text[], %s::jsonb[], %s::text[])"
)
AUDIT_ARRAYS = "* FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::text[], %s::jsonb[], %s::jsonb[])"

Before = dict[str, Any] | None
Keep = Callable[[Connection, str, Sequence[State]], None]


def levels(night: int, count: int = RECORDS) -> list[State]:
    """One night's levels of one warehouse: every key is there each night, with another quantity."""
    return [
        State(
            key=f"TS{n:06d}-M-BLU@WH1",
            subject=f"TS{n:06d}-M-BLU",
            data={"sku": f"TS{n:06d}-M-BLU", "location": "WH1", "on_hand": n % 50 + night, "unit": "C62"},
            as_of=AS_OF.replace(microsecond=night),
            source_key=f"TS{n:06d}-M-BLU",
            origin={"source": "STOCK_0001.csv", "line": n},
            mapping="sftp_files.stock_level/1",
        )
        for n in range(count)
    ]


def by_copy(journal: Connection, system: str, batch: Sequence[State]) -> None:
    """The engine's way."""
    judged = states.apply(journal, system, "stock_level", batch, series="", snapshot=None, run="bench")
    entries = [
        audit.Entry(
            step="applied",
            system=system,
            object="stock_level",
            key=j.state.key,
            subject=j.state.subject,
            origin=j.state.origin,
            mapping=j.state.mapping,
            before=j.before,
            after=j.state.data,
        )
        for j in judged
        if j.verdict in ("new", "changed")
    ]
    audit.write(journal, "bench", None, entries)


def by_arrays(journal: Connection, system: str, batch: Sequence[State]) -> None:
    if kept := newer(journal, system, batch):
        journal.execute(STATE.format(STATE_ARRAYS), (system, *columns(map(state_row, kept))))
        journal.execute(AUDIT.format(AUDIT_ARRAYS), (system, *columns(map(audit_row, kept))))


def by_executemany(journal: Connection, system: str, batch: Sequence[State]) -> None:
    kept = newer(journal, system, batch)
    with journal.cursor() as cursor:
        cursor.executemany(STATE.format(STATE_VALUES), [(system, *state_row(row)) for row in kept])
        cursor.executemany(AUDIT.format(AUDIT_VALUES), [(system, *audit_row(row)) for row in kept])


def by_execute(journal: Connection, system: str, batch: Sequence[State]) -> None:
    for row in newer(journal, system, batch):
        journal.execute(STATE.format(STATE_VALUES), (system, *state_row(row)))
        journal.execute(AUDIT.format(AUDIT_VALUES), (system, *audit_row(row)))


WAYS: Mapping[str, Keep] = {
    "COPY and set statements": by_copy,
    "arrays through unnest": by_arrays,
    "executemany": by_executemany,
    "a statement for each": by_execute,
}


def newer(journal: Connection, system: str, batch: Sequence[State]) -> list[tuple[State, Before]]:
    """Those that are not superseded, each with what is known, judged in Python."""
    found = journal.execute(KNOWN, (system, [state.key for state in batch])).fetchall()
    known = {key: (data, as_of) for key, data, as_of in found}
    pairs = ((state, known.get(state.key)) for state in batch)
    return [(state, row and row[0]) for state, row in pairs if row is None or row[1] <= state.as_of]


def state_row(row: tuple[State, Before]) -> tuple[object, ...]:
    state, _ = row
    data, origin = Jsonb(state.data), Jsonb(state.origin)
    return state.key, state.subject, data, state.as_of, state.source_key, origin, state.mapping


def audit_row(row: tuple[State, Before]) -> tuple[object, ...]:
    state, before = row
    return state.key, state.subject, Jsonb(state.origin), state.mapping, before and Jsonb(before), Jsonb(state.data)


def columns(rows: Iterator[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


class Nights:
    """Applies one night after another under a system of its own, so that no way meets another's rows."""

    def __init__(self, journal: Connection, system: str, keep: Keep) -> None:
        self.journal, self.system, self.keep = journal, system, keep
        self.nights = iter([levels(night) for night in range(1, 6)])

    def __call__(self) -> None:
        night = next(self.nights)
        for start in range(0, len(night), BATCH):
            with self.journal.transaction():
                self.keep(self.journal, self.system, night[start : start + BATCH])

    def held(self) -> tuple[int, int]:
        """Levels known and audit rows written."""
        row = self.journal.execute(
            "SELECT (SELECT count(*) FROM source_state WHERE system = %(s)s), count(*) FROM audit WHERE system = %(s)s",
            {"s": self.system},
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)


@contextmanager
def empty_journal() -> Iterator[Connection]:
    """A journal of its own, gone afterwards."""
    from hub.local.postgres import Server

    folder = Path(tempfile.mkdtemp(prefix="omnihub-bench-"))
    folder.chmod(0o711)  # the database's user must be able to enter
    server = Server(folder / "home")
    try:
        dsn = server.start()
        migrate(dsn)
        with connect(dsn) as journal:
            yield journal
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def compare() -> Comparison:
    with empty_journal() as journal:
        nights = {name: Nights(journal, f"bench{n}", keep) for n, (name, keep) in enumerate(WAYS.items())}
        for night in nights.values():
            night()  # the first night is new to every way, the measured ones are changes
        journal.execute("ANALYZE")  # as autovacuum would have done by then
        found = race(
            f"Keeping {RECORDS:,} stock levels with their audit, {BATCH:,} a transaction",
            {name: (RECORDS, night) for name, night in nights.items()},
        )
        if {night.held() for night in nights.values()} != {(RECORDS, 4 * RECORDS)}:
            raise AssertionError("a way has lost levels")
    return found
