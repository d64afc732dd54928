"""Which articles has a target no id for yet: asked of the articles, as each pass does, against asked of all levels."""

from __future__ import annotations

from benchmarks.journal import empty_journal
from benchmarks.race import Comparison, race
from hub.journal import named
from hub.journal.database import Connection

ARTICLES, PLACES = 10_000, 20
ABSENT = 3  # articles that the target does not know

ASSORTMENT = """
WITH level AS (SELECT 'TS' || a AS sku, 'ST' || p AS place
               FROM generate_series(1, %(articles)s) a, generate_series(1, %(places)s) p)
INSERT INTO source_state (system, object, key, subject, data, as_of, source_key, origin, mapping, run)
SELECT 'stores', 'stock_level', sku || '@' || place, sku,
       jsonb_build_object('sku', sku, 'location', place, 'on_hand', 4), clock_timestamp(), sku, '{}', 'm/1', 'bench'
FROM level
"""
IDS = """
INSERT INTO binding (system, object, key, external_id)
SELECT 'shop', 'sku', 'TS' || a, a FROM generate_series(%(absent)s + 1, %(articles)s) a
"""
LEVELS = """
SELECT DISTINCT ON (data ->> 'sku') data ->> 'sku', data FROM source_state
WHERE object = ANY('{stock_level,variant,price}') AND data ? 'sku'
ORDER BY data ->> 'sku', (data ? 'gtin') DESC, (data ? 'name') DESC, as_of DESC
"""


def fill(journal: Connection, articles: int, places: int) -> None:
    """An assortment that lies everywhere; the shop knows all of it but a few."""
    journal.execute(ASSORTMENT, {"articles": articles, "places": places})
    journal.execute(IDS, {"articles": articles, "absent": ABSENT})
    named.learn(journal, "stock_level", ({"sku": f"TS{n}"} for n in range(1, articles + 1)))
    journal.execute("ANALYZE")


def by_articles(journal: Connection) -> list[str]:
    """The engine's way."""
    return named.unbound(journal, "shop", "sku")


def by_levels(journal: Connection) -> list[str]:
    """Every level names its article; the ids are taken off in Python."""
    known = {row[0] for row in journal.execute("SELECT key FROM binding WHERE system = 'shop' AND object = 'sku'")}
    return [key for key, _ in journal.execute(LEVELS) if key not in known]


def compare() -> Comparison:
    with empty_journal() as journal:
        fill(journal, ARTICLES, PLACES)
        if len(by_articles(journal)) != ABSENT or by_articles(journal) != by_levels(journal):
            raise AssertionError("the two ways do not find the same articles")
        return race(
            f"Articles of {ARTICLES * PLACES:,} levels that a target has no id for",
            {
                "asked of the articles": (ARTICLES, lambda: by_articles(journal)),
                "asked of the levels": (ARTICLES, lambda: by_levels(journal)),
            },
        )
