"""Answers that never come, or that nobody understands: what was told is carried out once, and the others go on.

A real server stands between hub and target; what was carried out is read from the target's own ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.scene import Scene
from support.stories import EVERYWHERE, article, connection, edited, news_of_all, partial, trouble

from hub.errors import StopRun
from hub.flow import Outcome, derive, ingest, keep
from hub.journal import bindings
from hub.sandbox.ledger import Call
from hub.transport.retry import instant

DEAD = Say(hang_up=True)


def writes(heard: Heard) -> bool:
    """Whether a request changes stock at its target."""
    return b"inventorySetQuantities" in heard.body or heard.path.endswith(("/batch-create", "/set.json"))


@contextmanager
def dead_line(settled: Scene, system: str, times: int, instead: Say) -> Iterator[None]:
    """The first ``times`` writing calls to ``system`` are carried out and answered with ``instead``."""
    left = [times]

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        said = ask()
        if writes(heard) and left[0]:
            left[0] -= 1
            return instead
        return said

    with proxy(settled.served.ports[system], spoil) as between, connection(settled, system, port=between.port):
        yield


def told(
    settled: Scene, system: str, times: int, sku: str, pieces: int, instead: Say = DEAD
) -> tuple[Outcome, list[Call]]:
    """A store's file says ``pieces`` while the line to ``system`` is dead; the pass, and what it wrote there."""
    settled.clock.forward(minutes=1)
    partial(settled, "ST15", {sku: pieces})
    last = settled.retailer.ledger.last_id
    with dead_line(settled, system, times, instead), instant():
        outcome = settled.synchronise()
    return outcome, settled.retailer.ledger.writes(system, since_id=last)


def steps(settled: Scene, system: str, sku: str) -> list[str]:
    """What was last done for ``sku`` at ``system``."""
    rows = settled.query("SELECT step FROM audit WHERE key = %s AND system = %s ORDER BY id", f"{sku}@ST15", system)
    derived = max(n for n, (step,) in enumerate(rows) if step == "derived")
    return [step for (step,) in rows[derived + 1 :]]


def adjustments(settled: Scene) -> int:
    (row,) = settled.retailer.state.rows("SELECT count(*) AS n FROM shop_adjustment")
    return int(row["n"])


def test_a_call_whose_answer_is_lost_is_repeated_under_its_key_and_carried_out_once(settled: Scene) -> None:
    sku, before = article(settled, "once"), adjustments(settled)
    outcome, calls = told(settled, "shop", 1, sku, 41)
    assert len(calls) == 2
    assert len({call.idempotency_key for call in calls}) == 1
    assert (settled.shop(sku, "ST15"), adjustments(settled) - before) == (40, 1)
    assert (outcome.counts["pending"], steps(settled, "shop", sku)) == (0, ["confirmed"])


def test_the_tills_count_once_what_they_are_told_twice(settled: Scene) -> None:
    sku = article(settled, "tills")
    outcome, calls = told(settled, "tills", 1, sku, 42)
    assert len(calls) == 2
    assert len({call.idempotency_key for call in calls}) == 1
    assert (settled.till(sku, "ST15"), settled.shop(sku, "ST15"), outcome.counts["pending"]) == (42, 41, 0)


def test_an_attempt_without_an_answer_is_repeated_as_itself_later(settled: Scene) -> None:
    """The transport gave up: the attempt is in doubt, and is made again with its members and its key."""
    sku, before = article(settled, "later"), adjustments(settled)
    outcome, calls = told(settled, "shop", 4, sku, 43)
    assert len(calls) == 5
    assert len({call.idempotency_key for call in calls}) == 1
    assert len({str(call.detail) for call in calls}) == 1
    assert (settled.shop(sku, "ST15"), adjustments(settled) - before) == (42, 1)
    assert (outcome.counts["pending"], steps(settled, "shop", sku)) == (0, ["unknown", "confirmed"])
    assert settled.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]


def test_what_is_never_answered_is_read_back_in_the_end_and_not_sent_again(settled: Scene) -> None:
    sku, before = article(settled, "never"), adjustments(settled)
    outcome, calls = told(settled, "shop", 10_000, sku, 44)
    assert len({call.idempotency_key for call in calls}) == 1
    assert (settled.shop(sku, "ST15"), adjustments(settled) - before) == (43, 1)
    assert outcome.counts["pending"] == 0
    assert set(steps(settled, "shop", sku)) == {"unknown"}
    last = settled.retailer.ledger.last_id
    settled.synchronise()
    assert settled.retailer.ledger.writes("shop", since_id=last) == []
    (holds,) = settled.query("SELECT value, suspect FROM remote WHERE target = 'shop' AND key = %s", f"{sku}@ST15")
    assert holds == ({"quantity": 43}, False)


def test_an_answer_that_nobody_understands_is_asked_for_again_and_nothing_is_done_twice(settled: Scene) -> None:
    """GraphQL answers null for a field that failed, also where its work was done."""
    sku, before = article(settled, "null"), adjustments(settled)
    null = Say(200, {"data": {"inventorySetQuantities": None}}, {"Content-Type": "application/json"})
    outcome, calls = told(settled, "shop", 1, sku, 48, null)
    assert len(calls) == 2
    assert len({call.idempotency_key for call in calls}) == 1
    assert (settled.shop(sku, "ST15"), adjustments(settled) - before, outcome.pending) == (47, 1, 0)
    said = settled.query("SELECT answer FROM audit WHERE key = %s AND step = 'unknown'", f"{sku}@ST15")
    assert "does not understand (TypeError in connectors/shopify/" in said[0][0]


def test_without_a_key_nothing_is_repeated_before_it_was_read_back(settled: Scene) -> None:
    """REST knows no idempotency key: one call, then a look."""
    sku = article(settled, "rest")
    with edited(settled, "hub.yaml", "{api: graphql,", "{api: rest,"):
        outcome, calls = told(settled, "shop", 1, sku, 45)
    assert [call.operation for call in calls] == ["inventory_levels/set"]
    assert calls[0].idempotency_key is None
    assert (settled.shop(sku, "ST15"), outcome.counts["pending"]) == (44, 0)


def test_a_number_at_which_the_target_fails_each_time_keeps_no_other_waiting(settled: Scene) -> None:
    """The one before it and the one after it arrive; it is tried again in a minute, and goes when its time has come."""
    before, poison, after = (article(settled, f"poison {n}") for n in range(3))
    with settled.engine() as engine:
        item = bindings.some(engine.journal, "shop", "sku", [poison])[poison].external_id.rpartition("/")[2]
    failed: list[Heard] = []

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        if heard.path.endswith("/set.json") and f'"inventory_item_id":{item},' in heard.body.decode().replace(" ", ""):
            failed.append(heard)
            return Say(500, {"errors": "Internal Server Error"})
        return ask()

    with edited(settled, "hub.yaml", "{api: graphql,", "{api: rest,"), instant():
        for sku in (before, poison, after):  # each in a reading of its own, so that they wait in this order
            settled.clock.forward(minutes=1)
            partial(settled, "ST15", {sku: 31})
            with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
                ingest.read(engine, current, "stores")
                derive.derive_due(engine, current, keep.TOGETHER)
        with (
            proxy(settled.served.ports["shop"], spoil) as between,
            connection(settled, "shop", port=between.port),
            settled.engine() as engine,
        ):
            assert engine.deliver("shop").pending == 1
        assert ([settled.shop(sku, "ST15") for sku in (before, after)], len(failed)) == ([30, 30], 2)
        settled.clock.forward(seconds=61)
        with settled.engine() as engine:
            assert engine.deliver("shop").pending == 0
    assert settled.shop(poison, "ST15") == 30


def test_of_many_in_one_call_only_the_one_at_which_the_target_fails_is_kept(settled: Scene) -> None:
    """It fails with all that are in a call with it; they are soon in others."""
    skus = [article(settled, f"company {n}") for n in range(12)]
    poison = skus[5]
    with settled.engine() as engine:
        item = bindings.some(engine.journal, "shop", "sku", [poison])[poison].external_id
    failed: list[int] = []

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        if b"inventorySetQuantities" in heard.body and f'"{item}"' in heard.body.decode():
            failed.append(heard.body.count(b"inventoryItemId"))
            return Say(500, {"errors": "Internal Server Error"})
        return ask()

    settled.clock.forward(minutes=1)
    partial(settled, "ST15", dict.fromkeys(skus, 34))
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
        derive.derive_due(engine, current, keep.TOGETHER)
    with (
        instant(),
        proxy(settled.served.ports["shop"], spoil) as between,
        connection(settled, "shop", port=between.port),
    ):
        waiting = []
        while not waiting or (waiting[-1] > 1 and len(waiting) < 8):
            with settled.engine() as engine:
                waiting.append(engine.deliver("shop").pending)
            settled.clock.forward(seconds=61)
    assert waiting[-1] == 1
    assert {settled.shop(sku, "ST15") for sku in skus if sku != poison} == {33}
    assert list(dict.fromkeys(failed)) == [12, 3, 1]
    with settled.engine() as engine:
        assert engine.deliver("shop").pending == 0
    assert settled.shop(poison, "ST15") == 33


def test_what_a_write_had_carried_out_before_it_was_refused_the_sign_in_is_not_forgotten(whole: Scene) -> None:
    """One call a product: the first arrives, then the sign-in has expired, and then both cost what they did."""
    variant = whole.retailer.shop.catalog.variant
    rows = whole.query("SELECT key FROM remote WHERE target = 'shop' AND object = 'price' ORDER BY key")
    plain = [sku for (sku,) in rows if variant(sku).compare_at_cents is None]
    first = plain[0]
    skus = [first, next(sku for sku in plain if sku.partition("-")[0] != first.partition("-")[0])]
    before = {sku: variant(sku).price_cents for sku in skus}
    arrived: list[Heard] = []

    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        if arrived:
            return Say(401, {"errors": "[API] Invalid API key or access token"})
        if b"productVariantsBulkUpdate" in heard.body:
            arrived.append(heard)
        return ask()

    def cost(more: int) -> None:
        whole.clock.forward(minutes=1)
        for sku, cents in before.items():
            whole.retailer.erp.set_price(sku, f"{(cents + more) / 100:.2f}")
        with whole.engine() as engine, engine.running("ingest", "price", "erp") as current:
            ingest.read(engine, current, "erp")
            derive.derive_due(engine, current, keep.TOGETHER)

    cost(100)
    with (
        proxy(whole.served.ports["shop"], spoil) as between,
        connection(whole, "shop", port=between.port),
        whole.engine() as engine,
        pytest.raises(StopRun, match="refused the sign-in"),
    ):
        engine.deliver("shop")
    assert sorted(variant(sku).price_cents - before[sku] for sku in skus) == [0, 100]
    cost(0)
    with whole.engine() as engine:
        assert engine.deliver("shop").pending == 0
    assert {sku: variant(sku).price_cents for sku in skus} == before


def test_a_newer_number_takes_the_place_of_one_in_doubt_only_after_it_is_settled(settled: Scene) -> None:
    """The process ended while its call was out: the next one settles that first, then sends the newer number."""
    sku = article(settled, "newer")
    told_first, _ = told(settled, "shop", 1, sku, 46)
    assert told_first.pending == 0
    with settled.engine() as engine, engine.journal.transaction():
        (number,) = engine.journal.execute(
            """UPDATE attempt SET state = 'unknown', settled_at = NULL, lease_until = clock_timestamp()
               WHERE id = (SELECT max(id) FROM attempt WHERE target = 'shop') RETURNING id"""
        ).fetchone() or (0,)
        engine.journal.execute(
            """INSERT INTO delivery (id, target, object, key, subject, aggregate, parts, generation, value, as_of,
                                     state, attempt, run) OVERRIDING SYSTEM VALUE
               SELECT (m ->> 'id')::bigint, d.target, d.object, d.key, d.subject, d.object || '/' || d.key, d.parts,
                      d.generation, d.value, d.as_of, 'out', a.id, a.run
               FROM attempt a, jsonb_array_elements(a.members) m, desired d
               WHERE a.id = %s AND d.target = a.target AND d.object = a.object AND d.key = m ->> 'key'""",
            (number,),
        )
    outcome, calls = told(settled, "shop", 0, sku, 47)
    assert len({call.idempotency_key for call in calls}) == 2
    assert (settled.shop(sku, "ST15"), outcome.pending) == (46, 0)


@pytest.mark.parametrize(
    ("system", "path", "went_on"),
    [
        ("shop", "/orders.json", EVERYWHERE),
        ("tills", "/v2/orders/search", {"erp>shop", "stores>shop"}),
    ],
)
def test_an_answer_of_another_shape_is_said_with_its_place_and_stops_that_system_alone(
    settled: Scene, system: str, path: str, went_on: set[str]
) -> None:
    def spoil(heard: Heard, ask: Callable[[], Say]) -> Say:
        return Say(200, {"orders": 3}) if heard.path.endswith(path) else ask()

    with news_of_all(settled, path) as news:
        with proxy(settled.served.ports[system], spoil) as between, connection(settled, system, port=between.port):
            said = trouble(settled)
        folder = {"shop": "shopify", "tills": "square"}[system]
        assert said.startswith(f"{system} answered in a way that its connector does not understand (TypeError in ")
        assert f"connectors/{folder}/orders.py:" in said
        assert went_on <= news.arrived()
