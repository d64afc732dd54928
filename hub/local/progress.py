"""How far the first synchronisation is, read from the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.journal import connect

AGAIN = timedelta(seconds=45)  # a reading that failed is tried again after half a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What has happened since a moment: the latest ended run of each source, and what is still to be sent."""

    ended: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    delivered: int = 0
    to_send: int = 0
    to_derive: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # by flow
    sources: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)  # what was read, over all runs
    read: frozenset[str] = frozenset()  # systems of which the journal keeps a checkpoint

    def missing(self, sources: Iterable[tuple[str, str]], closed: Collection[str] = ()) -> list[tuple[str, str]]:
        """The (flow, system) that still have to be read.

        No run has ended, or it found that it must wait, or it failed and has not been tried again for long enough.
        """
        return [source for source in sources if not self._settled(source, closed)]

    def _settled(self, source: tuple[str, str], closed: Collection[str]) -> bool:
        ended = self.ended.get(source)
        if ended is None:
            return False
        if ended["state"] == "failed":
            return bool(ended["lasts"])
        return ended["state"] != "done" or source[1] in self.read or source[1] in closed

    def complete(self, sources: Iterable[tuple[str, str]], closed: Collection[str] = ()) -> bool:
        """Every source was read once and nothing waits to be derived or sent now."""
        return not self.missing(sources, closed) and not self.to_send and not self.to_derive


def progress(dsn: str, since: datetime) -> Progress:
    """Ask the journal; cheap enough for several times a second."""
    with connect(dsn) as journal:
        rows = journal.execute(
            "SELECT kind, flow, system, state, counts, sentence, clock_timestamp() - ended_at FROM run"
            " WHERE started_at >= %s AND ended_at IS NOT NULL ORDER BY ended_at",
            (since,),
        ).fetchall()
        found = journal.execute(
            "SELECT (SELECT count(*) FROM delivery_log WHERE state = 'delivered' AND settled_at >= %s),"
            " (SELECT count(*) FROM delivery WHERE not_before IS NULL OR not_before <= clock_timestamp()),"
            " (SELECT count(*) FROM recompute_open WHERE due <= clock_timestamp())",
            (since,),
        ).fetchone()
        read = frozenset(system for (system,) in journal.execute("SELECT DISTINCT system FROM checkpoint").fetchall())
    ended: dict[tuple[str, str], dict[str, Any]] = {}
    counts: dict[str, Counter[str]] = {}
    sources: dict[tuple[str, str], Counter[str]] = {}
    fails: dict[tuple[str, str], timedelta] = {}  # for how long
    for kind, flow, system, state, counted, sentence, ago in rows:
        counts.setdefault(flow or "", Counter()).update(counted)
        sources.setdefault((flow, system), Counter()).update(counted)  # a delivery reads its target's news first
        if kind == "ingest":
            if state != "failed":
                fails.pop((flow, system), None)
            lasts = state == "failed" and fails.setdefault((flow, system), ago) >= AGAIN
            ended[flow, system] = {"state": state, "counts": counted, "sentence": sentence, "lasts": lasts}
    delivered, to_send, to_derive = found or (0, 0, 0)
    return Progress(
        ended=ended,
        delivered=delivered,
        to_send=to_send,
        to_derive=to_derive,
        counts=counts,
        sources=sources,
        read=read,
    )
