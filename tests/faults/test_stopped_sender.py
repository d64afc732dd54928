"""A sender that is stopped in the middle of its call, loses its lease, and whose call still arrives.

Between it and the shop stands a server that holds the call while another process takes over. What came in the end,
and what was carried out how often, is read from the shop and its ledger.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.scene import Scene, worker
from support.stories import article, connection, edited, partial

PLACE = "ST15"


@dataclass
class Stopped:
    """A process that stands still; its call is on the way until somebody lets it arrive."""

    process: subprocess.Popen[str] | None = None
    standing: threading.Event = field(default_factory=threading.Event)
    arrives: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)

    def spoil(self, heard: Heard, ask: Callable[[], Say]) -> Say:
        writes = b"inventorySetQuantities" in heard.body or heard.path.endswith("/set.json")
        if not writes or self.standing.is_set():
            return ask()
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        self.standing.set()
        assert self.arrives.wait(60)
        try:
            return ask()
        finally:
            self.arrived.set()

    def let_it_arrive(self) -> None:
        self.arrives.set()
        assert self.arrived.wait(30)


@contextmanager
def stopped(settled: Scene) -> Iterator[Stopped]:
    """A process that delivers to the shop and was stopped when its first writing call had left."""
    found = Stopped()
    with proxy(settled.served.ports["shop"], found.spoil) as between:
        with connection(settled, "shop", port=between.port):
            found.process = worker(settled, "shop")
        try:
            assert found.standing.wait(60), found.process.communicate()
            yield found
        finally:
            found.arrives.set()
            found.process.send_signal(signal.SIGCONT)
            found.process.kill()
            found.process.communicate()


def waiting_for_the_shop(settled: Scene, story: str, pieces: int) -> str:
    """An article of which the store has counted ``pieces``, derived and not yet sent."""
    from hub.flow import derive, ingest, keep

    sku = article(settled, story)
    settled.clock.forward(minutes=1)
    partial(settled, PLACE, {sku: pieces})
    with settled.engine() as engine, engine.running("ingest", "stock", "stores") as current:
        ingest.read(engine, current, "stores")
        derive.derive_due(engine, current, keep.TOGETHER)
    return sku


def counted_again(settled: Scene, sku: str, pieces: int) -> None:
    """The store counts once more; the other process finds the lease run out, and takes over."""
    settled.query("UPDATE attempt SET lease_until = clock_timestamp() WHERE state <> 'settled' RETURNING id")
    settled.clock.forward(minutes=1)
    partial(settled, PLACE, {sku: pieces})
    settled.synchronise()


def generations(settled: Scene, sku: str) -> list[int]:
    """What was settled as delivered to the shop, in order."""
    rows = settled.query(
        """SELECT (value ->> 'quantity')::int FROM delivery_log
           WHERE target = 'shop' AND key = %s AND state = 'delivered' ORDER BY settled_at""",
        f"{sku}@{PLACE}",
    )
    return [row[0] for row in rows]


REST = ('options: {api: graphql, version: "2026-04"}', 'options: {api: rest, version: "2026-04"}')


def test_its_call_arrives_under_its_key_and_is_carried_out_once(settled: Scene) -> None:
    """The key lives: who took over repeated the attempt as itself."""
    sku = waiting_for_the_shop(settled, "stopped with a key", 61)
    last = settled.retailer.ledger.last_id
    with stopped(settled) as sender:
        counted_again(settled, sku, 71)
        assert settled.shop(sku, PLACE) == 70
        sender.let_it_arrive()
        assert settled.shop(sku, PLACE) == 70  # the shop answered what it had answered before
        assert sender.process is not None
        sender.process.send_signal(signal.SIGCONT)
        _, complaint = sender.process.communicate(timeout=60)
        assert sender.process.returncode == 0, complaint
    settled.synchronise()
    assert (settled.shop(sku, PLACE), generations(settled, sku)[-2:]) == (70, [60, 70])
    bodies: dict[str, set[str]] = {}
    for call in settled.retailer.ledger.writes("shop", since_id=last):
        bodies.setdefault(str(call.idempotency_key), set()).add(str(call.detail))
    assert {len(one) for one in bodies.values()} == {1}  # the same key, the same body
    assert settled.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]


@pytest.mark.parametrize("wakes", [True, False], ids=["it wakes up", "it is killed"])
def test_without_a_key_what_its_late_call_did_is_read_back_and_put_right(settled: Scene, wakes: bool) -> None:
    with edited(settled, "hub.yaml", *REST):
        sku = waiting_for_the_shop(settled, f"stopped without a key {wakes}", 62)
        with stopped(settled) as sender:
            counted_again(settled, sku, 72)
            assert settled.shop(sku, PLACE) == 71
            sender.let_it_arrive()
            assert settled.shop(sku, PLACE) == 61  # the older number, and the hub believes the newer
            assert sender.process is not None
            if wakes:
                sender.process.send_signal(signal.SIGCONT)
                _, complaint = sender.process.communicate(timeout=60)
                assert "was taken over before its answer came: it is read back" in complaint
            else:
                sender.process.kill()
                sender.process.communicate()
        settled.synchronise()
        assert settled.shop(sku, PLACE) == 71
        assert 61 not in generations(settled, sku)  # the late receipt settled nothing
        settled.query("UPDATE attempt SET lease_until = clock_timestamp() WHERE state <> 'settled' RETURNING id")
        settled.synchronise()
        assert settled.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]
