"""When ``hub up`` may say that it is synchronised: a source that failed once is tried again first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from hub.journal import migrate
from hub.local.progress import AGAIN, progress

STORES = [("stock", "stores")]


def test_a_source_that_failed_once_is_tried_again_and_one_that_stays_down_is_not_waited_for(database: str) -> None:
    migrate(database)
    since = datetime.now(UTC) - timedelta(minutes=10)
    with psycopg.connect(database, autocommit=True) as journal:

        def ended(state: str, ago: float, counts: str = "{}") -> None:
            journal.execute(
                """INSERT INTO run (id, kind, flow, system, state, counts, sentence, started_at, ended_at)
                   SELECT 'r' || count(*), 'ingest', 'stock', 'stores', %s, %s, 'stores hung up',
                          clock_timestamp() - make_interval(secs => %s), clock_timestamp() - make_interval(secs => %s)
                   FROM run""",
                (state, counts, ago, ago),
            )

        assert progress(database, since).missing(STORES) == STORES
        ended("failed", 100)
        ended("done", 80, '{"read": 3}')
        journal.execute("INSERT INTO checkpoint (system, object, value) VALUES ('stores', 'files', '{}')")
        assert progress(database, since).missing(STORES) == []
        ended("failed", AGAIN.total_seconds() - 10)
        ended("failed", 1)
        assert progress(database, since).missing(STORES) == STORES
        journal.execute("UPDATE run SET ended_at = ended_at - interval '15 seconds'")
        assert progress(database, since).missing(STORES) == []
        ended("held", 0)
        assert progress(database, since).missing(STORES) == []
