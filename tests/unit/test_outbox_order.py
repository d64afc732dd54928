"""What waits for a target: of a state the newest goes first, documents go in their order, urgent ones before all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.flow.objects import DELIVERS, OBJECTS, newest_first
from hub.journal import desired, outbox
from hub.journal.database import Connection
from hub.journal.desired import Desired

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def should_hold(journal: Connection, target: str, object: str, key: str, value: int, *, urgent: bool = False) -> None:
    wanted = Desired(
        target=target, object=object, key=key, subject=key, parts={}, value={"value": value}, as_of=NOW, why={}
    )
    with journal.transaction():
        desired.upsert(journal, [wanted], "run")
    outbox.rediff(journal, target, object, (), subjects=[key], urgent=urgent, run="run")


def claimed(journal: Connection, target: str, object: str, limit: int = 10) -> list[str]:
    with journal.transaction():
        rows = outbox.claim(journal, target, object, NOW, limit, newest_first=newest_first(object))
        return [row["key"] for row in rows]


@pytest.mark.parametrize(
    ("object", "order"),
    [("stock_level", ["D", "A", "C", "B"]), ("price", ["D", "A", "C", "B"]),
     ("order", ["D", "B", "C", "A"]), ("product", ["D", "B", "C", "A"])],
)  # fmt: skip
def test_after_an_outage_state_goes_newest_first_and_documents_in_their_order(
    journal: Connection, object: str, order: list[str]
) -> None:
    target = f"after_{object}"
    should_hold(journal, target, object, "A", 1)
    should_hold(journal, target, object, "B", 1)
    should_hold(journal, target, object, "C", 1)
    should_hold(journal, target, object, "D", 1, urgent=True)
    should_hold(journal, target, object, "A", 2)  # the newest word of all, in the place of its older one
    assert claimed(journal, target, object) == order
    assert claimed(journal, target, object, limit=2) == order[:2]


def test_everything_that_is_delivered_says_in_which_order() -> None:
    delivered = {object for of in DELIVERS.values() for object in of.values()}
    assert {name for name in delivered if newest_first(name)} == {"stock_level", "price"}
    assert not any(known.newest_first for known in OBJECTS.values() if known.kind == "event")


def test_the_newest_of_many_is_found_by_an_index(journal: Connection) -> None:
    for number in range(40):
        should_hold(journal, "indexed", "stock_level", f"K{number:02}", 1)
    statement = outbox.CLAIM.format(order="DESC")
    with journal.transaction():
        journal.execute("SET LOCAL enable_seqscan = off")
        journal.execute("SET LOCAL enable_sort = off")
        arguments = {"target": "indexed", "object": "stock_level", "now": NOW + timedelta(days=1), "limit": 5}
        plan = journal.execute("EXPLAIN " + statement, {**arguments, "unread": True}).fetchall()
    assert "Index Scan Backward using delivery_newest" in "\n".join(row[0] for row in plan)
