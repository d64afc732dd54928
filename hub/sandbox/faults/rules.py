"""The rules in force, and the one place that decides whether a call is struck by one of them.

Rules lie in the sandbox's state, so that another process can add and end them; the process that serves
sees it within :data:`FRESH` seconds. Which calls are struck follows from the rule's seed and the number of
calls it has seen since the process began: the same calls in the same order meet the same faults again.
"""

from __future__ import annotations

import fnmatch
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from hub.errors import ConfigError
from hub.sandbox.faults.kinds import Kind, able
from hub.sandbox.state import State

FRESH = 0.2  # seconds for which the rules are not read again
SILENCE = 25.0  # seconds: longer than the hub's transports wait for an answer (20)
DELAYS = {Kind.LOST_ANSWER: SILENCE, Kind.SLOW: 3.0, Kind.REORDER: 3.0}
TABLE = """CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT, system TEXT NOT NULL, kind TEXT NOT NULL, rate REAL NOT NULL,
    until REAL, remaining INTEGER, operation TEXT, delay REAL NOT NULL, seed INTEGER NOT NULL,
    struck INTEGER NOT NULL DEFAULT 0)"""
IN_FORCE = "(until IS NULL OR until > :now) AND (remaining IS NULL OR remaining > 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault at one system; times are real ones, whatever clock the retailer has."""

    id: int
    system: str
    kind: Kind
    rate: float  # share of the calls that it can strike, 0 to 1
    until: float | None  # seconds since 1970; None: until it is ended
    remaining: int | None  # calls that it may still strike; None: any number
    operation: str | None  # the operations it is about, as the ledger names them, with * for anything
    delay: float  # seconds of silence, or of waiting
    seed: int
    struck: int  # calls so far

    @property
    def lasts(self) -> float | None:
        """Seconds that are left of it; None: until it is ended."""
        return None if self.until is None else max(0.0, self.until - time.time())

    def about(self, operation: str) -> bool:
        """Whether it is about ``operation``; of a call that holds several, about one of them."""
        wanted = self.operation
        return wanted is None or any(fnmatch.fnmatchcase(one, wanted) for one in {operation, *operation.split(",")})

    def in_force(self) -> bool:
        return self.lasts != 0.0 and self.remaining != 0


class Faults:
    """Ask :meth:`of` for the one of a state, so that what is added here counts here at once."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._rules: Sequence[Rule] = ()
        self._read_at = float("-inf")
        self._seen: Counter[int] = Counter()
        state.declare(TABLE)

    @classmethod
    def of(cls, state: State) -> Faults:
        """The faults of ``state``, one for all who ask in this process."""
        return state.shared(cls)

    # --- for those who want faults ----------------------------------------------------------------

    def add(
        self,
        system: str,
        kind: str | Iterable[str],
        *,
        rate: float = 0.05,
        seconds: float | None = None,
        limit: int | None = None,
        only: str | None = None,
        delay: float | None = None,
        seed: int = 7,
    ) -> list[Rule]:
        """Let ``kind`` (one, several, or ``all``) happen at ``system`` (or ``all``): one rule for each pair.

        ``rate`` is the share of calls, ``seconds`` how long it lasts (default: until it is ended),
        ``limit`` how many calls it strikes at most, ``only`` a pattern for operations as the ledger
        names them (``inventorySet*``, ``ReadStock``, ``GET``; webhooks are ``webhook``, files ``file``).
        ``delay`` is in seconds: how late a slow answer is (3), how long the silence after a lost one lasts
        before the connection is reset (25), how late what is out of order comes (3).
        """
        if not 0 < rate <= 1:
            raise ConfigError(f"the rate is a share above 0% and up to 100%, not {rate:.0%}")
        pairs = able(system, [kind] if isinstance(kind, str) else list(kind))
        until = None if seconds is None else time.time() + seconds
        with self.state.transaction() as connection:
            ids = [
                connection.execute(
                    "INSERT INTO fault (system, kind, rate, until, remaining, operation, delay, seed)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (one, kind, rate, until, limit, only, DELAYS.get(kind, 0.0) if delay is None else delay, seed),
                ).lastrowid
                for one, kind in pairs
            ]
        self._forget()
        return [rule for rule in self.running() if rule.id in ids]

    def clear(self, system: str | None = None, kind: str | None = None, id: int | None = None) -> int:
        """End the rules that are meant, all of them by default; answers how many were in force."""
        values = {"now": time.time(), "system": system, "kind": kind, "id": id}
        meant = " AND ".join(f"(:{name} IS NULL OR {name} = :{name})" for name in ("system", "kind", "id"))
        with self.state.transaction() as connection:
            ended = connection.execute(f"DELETE FROM fault WHERE {meant} AND {IN_FORCE}", values).rowcount  # noqa: S608
            connection.execute(f"DELETE FROM fault WHERE NOT ({IN_FORCE})", values)  # noqa: S608 - ours
        self._forget()
        return ended

    def running(self, system: str | None = None) -> list[Rule]:
        """The rules in force, oldest first."""
        return [rule for rule in self._load() if system in (None, rule.system)]

    def counts(self, system: str | None = None, since_id: int = 0) -> dict[str, dict[str, int]]:
        """How often each kind struck each system, from the ledger's calls after ``since_id``."""
        rows = self.state.rows(
            "SELECT system, fault, count(*) AS n FROM ledger WHERE fault IS NOT NULL AND id > :since"
            " AND (:system IS NULL OR system = :system) GROUP BY system, fault ORDER BY system, fault",
            {"since": since_id, "system": system},
        )
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            found.setdefault(row["system"], {})[row["fault"]] = row["n"]
        return found

    # --- for the systems --------------------------------------------------------------------------

    def quiet(self, system: str) -> bool:
        """Whether nothing can happen at ``system`` now; costs next to nothing."""
        return not any(rule.system == system and rule.in_force() for rule in self._current())

    def strike(self, system: str, kinds: Collection[Kind], operation: str) -> Rule | None:
        """The rule that strikes this call; None for a call that goes well. ``kinds`` are those it can meet."""
        for rule in self._current():
            fits = rule.system == system and rule.kind in kinds and rule.about(operation)
            if fits and rule.in_force() and self._drawn(rule) and self._take(rule):
                return rule
        return None

    def _drawn(self, rule: Rule) -> bool:
        with self._lock:
            self._seen[rule.id] += 1
            number = self._seen[rule.id]
        return Random(f"{rule.seed} {rule.system} {rule.kind} {number}").random() < rule.rate  # noqa: S311

    def _take(self, rule: Rule) -> bool:
        """Count it; False when others have used it up meanwhile."""
        taken = self.state.execute(
            f"UPDATE fault SET struck = struck + 1, remaining = remaining - 1 WHERE id = :id AND {IN_FORCE}",  # noqa: S608
            {"id": rule.id, "now": time.time()},
        ).rowcount
        if rule.remaining is not None:
            self._forget()
        return taken == 1

    def _current(self) -> Sequence[Rule]:
        if time.monotonic() - self._read_at > FRESH:
            read_at = time.monotonic()  # before reading: what is added while we read is seen next time
            self._rules = self._load()
            self._read_at = read_at
        return self._rules

    def _load(self) -> list[Rule]:
        rows = self.state.rows(f"SELECT * FROM fault WHERE {IN_FORCE} ORDER BY id", {"now": time.time()})  # noqa: S608
        return [Rule(**{**dict(row), "kind": Kind(row["kind"])}) for row in rows]

    def _forget(self) -> None:
        self._read_at = float("-inf")
