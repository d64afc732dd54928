"""Stock levels into the journal, 1,000 in a transaction: COPY and set statements against a statement for each.

Every way judges a level against what is known (new, changed, unchanged, superseded) before it keeps it, on an
embedded PostgreSQL that waits for its disk as in production.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from psycopg.types.json import Jsonb

from benchmarks.race import Comparison, race
from hub.journal import connect, migrate, states
from hub.journal.database import Connection
from hub.journal.states import State

RECORDS = 10_000
BATCH = 1_000
AS_OF = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)
KNOWN = "SELECT key, data, as_of FROM source_state WHERE system = %s AND object = 'stock_level' AND key = ANY(%s)"
COLUMNS = "key, subject, data, as_of, source_key, origin, mapping"
INSERT = f"INSERT INTO source_state AS s (system, object, run, {COLUMNS}) "
KEEP = " ON CONFLICT (system, object, key) DO UPDATE SET data = excluded.data, as_of = excluded.as_of"
ONE = f"{INSERT} VALUES (%s, 'stock_level', 'bench', %s, %s, %s, %s, %s, %s, %s) {KEEP}"
ARRAYS = (
    f"{INSERT} SELECT %s, 'stock_level', 'bench', * FROM "
    f"unnest(%s::text[], %s::text[], %s::jsonb[], %s::timestamptz[], %s::text[], %s::jsonb[], %s::text[]) {KEEP}"
)
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
    states.apply(journal, system, "stock_level", batch, series="", snapshot=None, run="bench")


def by_arrays(journal: Connection, system: str, batch: Sequence[State]) -> None:
    if kept := newer(journal, system, batch):
        journal.execute(ARRAYS, (system, *map(list, zip(*map(row, kept), strict=True))))


def by_executemany(journal: Connection, system: str, batch: Sequence[State]) -> None:
    kept = newer(journal, system, batch)
    with journal.cursor() as cursor:
        cursor.executemany(ONE, [(system, *row(state)) for state in kept])


def by_execute(journal: Connection, system: str, batch: Sequence[State]) -> None:
    for state in newer(journal, system, batch):
        journal.execute(ONE, (system, *row(state)))


def newer(journal: Connection, system: str, batch: Sequence[State]) -> list[State]:
    """Those that are not superseded, judged in Python."""
    found = journal.execute(KNOWN, (system, [state.key for state in batch])).fetchall()
    known = {key: as_of for key, _, as_of in found}
    return [state for state in batch if state.key not in known or known[state.key] <= state.as_of]


def row(state: State) -> tuple[object, ...]:
    data, origin = Jsonb(state.data), Jsonb(state.origin)
    return state.key, state.subject, data, state.as_of, state.source_key, origin, state.mapping


WAYS: Mapping[str, Keep] = {
    "COPY and set statements": by_copy,
    "arrays through unnest": by_arrays,
    "executemany": by_executemany,
    "a statement for each": by_execute,
}


class Nights:
    """Applies one night after another under a system of its own, so that no way meets another's rows."""

    def __init__(self, journal: Connection, system: str, keep: Keep) -> None:
        self.journal, self.system, self.keep = journal, system, keep
        self.nights = iter(range(1, 100))

    def __call__(self) -> None:
        for batch in batches(levels(next(self.nights))):
            with self.journal.transaction():
                self.keep(self.journal, self.system, batch)

    def held(self) -> int:
        row = self.journal.execute("SELECT count(*) FROM source_state WHERE system = %s", (self.system,)).fetchone()
        return int(row[0]) if row else 0


def batches(states: Sequence[State]) -> Iterator[Sequence[State]]:
    return (states[start : start + BATCH] for start in range(0, len(states), BATCH))


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
            f"Keeping {RECORDS:,} stock levels, {BATCH:,} a transaction",
            {name: (RECORDS, night) for name, night in nights.items()},
        )
        if {night.held() for night in nights.values()} != {RECORDS}:
            raise AssertionError("a way has lost levels")
    return found
