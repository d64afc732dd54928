"""A system that does not answer is left alone by everybody and asked by one; when it answers, all goes on by itself."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.loopback import Heard, Say
from support.proxy import Spoil, proxy
from support.pushes import about, push
from support.scene import Scene
from support.stories import article, connection, edited, partial
from typer.testing import CliRunner

from hub.cli import app
from hub.errors import ConfigError, HubError, TryLater
from hub.flow import Engine
from hub.flow.breakers import CircuitOpen
from hub.journal import breakers, connect, migrate
from hub.local.runner import Runner
from hub.model import Receipt
from hub.transport.retry import instant

AFTER = 5


@pytest.fixture(autouse=True)
def _everything_answers_before_and_after(settled: Scene) -> Iterator[None]:
    yield
    settled.clock.forward(minutes=10)
    with settled.engine() as engine:
        for system in engine.breakers.open_ones():
            engine.breakers.close(system, "the next story")
        engine.journal.execute("DELETE FROM breaker")
        engine.journal.execute("DELETE FROM recovery")


@contextmanager
def down(settled: Scene, system: str) -> Iterator[None]:
    """Nobody listens at the address of ``system``."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listening
        with connection(settled, system, port=taken.getsockname()[1]), instant():
            yield


@contextmanager
def between(settled: Scene, system: str, spoil: Spoil) -> Iterator[None]:
    with proxy(settled.served.ports[system], spoil) as there, connection(settled, system, port=there.port), instant():
        yield


def read(engine: Engine, system: str = "erp", flow: str = "stock") -> str:
    """What a pass over one source ends with."""
    try:
        return engine.ingest(flow, system).sentence
    except HubError as error:
        return f"{type(error).__name__}: {error}"


def opened(settled: Scene, system: str = "erp") -> None:
    """``system`` falls silent for as long as it takes."""
    with down(settled, system), settled.engine() as engine:
        for _ in range(AFTER):
            assert "cannot be reached" in read(engine, system)
        assert engine.breakers.is_shut(system)


def audited(settled: Scene, since: int = 0) -> list[tuple[Any, ...]]:
    return settled.query("SELECT step, answer FROM audit WHERE object = 'system' AND id > %s ORDER BY id", since)


def last_audited(settled: Scene) -> int:
    return int(settled.query("SELECT coalesce(max(id), 0) FROM audit")[0][0])


def test_after_five_calls_in_a_row_nobody_calls_and_everybody_is_told_since_when_why_and_until_when(
    settled: Scene,
) -> None:
    opened(settled)
    asked = settled.retailer.ledger.last_id
    with settled.engine() as engine:  # which could reach it now
        said = read(engine)
        assert read(engine, flow="price").startswith("CircuitOpen")
    assert settled.retailer.ledger.last_id == asked
    assert said.startswith("CircuitOpen: erp has not answered since 2026-11-22 1")
    assert "CET (erp cannot be reached (" in said
    assert "it is left alone, and one call asks again at 2026-11-22 1" in said


def test_other_systems_go_on(settled: Scene) -> None:
    opened(settled)
    sku = article(settled, "breaker others")
    partial(settled, "ST15", {sku: 31})
    with settled.engine() as engine, pytest.raises(HubError, match="erp has not answered since"):
        engine.once(["stock"])
    assert (settled.shop(sku, "ST15"), settled.till(sku, "ST15")) == (30, 31)


def test_an_answer_in_between_forgets_the_failures(settled: Scene) -> None:
    before = last_audited(settled)
    for _ in range(2):
        with down(settled, "erp"), settled.engine() as engine:
            for _ in range(AFTER - 1):
                read(engine)
        with settled.engine() as engine:
            assert read(engine).startswith("stock from erp")
            assert breakers.of(engine.journal, "erp").failures == 0
    assert audited(settled, before) == []


def test_who_refuses_what_we_ask_has_answered(settled: Scene) -> None:
    def forbidden(heard: Heard, ask: Any) -> Say:
        return Say(403, {"errors": "no"})

    with between(settled, "shop", forbidden), settled.engine() as engine:
        for _ in range(AFTER + 1):
            assert "HTTP 4" in read(engine, "shop")
        assert not engine.breakers.open_ones()


def test_who_wants_no_call_for_a_while_gets_none_from_anybody_and_has_answered(settled: Scene) -> None:
    heard_of: list[Heard] = []

    def limited(heard: Heard, ask: Any) -> Say:
        heard_of.append(heard)
        return Say(429, {"errors": "too many"}, {"Retry-After": "300"})

    with between(settled, "shop", limited):
        with settled.engine() as engine:
            assert "HTTP 429" in read(engine, "shop")
        for _ in range(AFTER):
            with settled.engine() as another:  # as another process has it
                said = read(another, "shop")
                assert "the account's budget is used up for 300 s" in said or "used up for 29" in said
                assert not another.breakers.open_ones()
    assert len(heard_of) == 1
    with settled.engine() as engine:
        engine.journal.execute("UPDATE budget SET tokens = capacity WHERE account = 'shop'")


def test_a_wrong_secret_is_not_tried_for_ever(settled: Scene) -> None:
    with connection(settled, "shop", password="wrong"), settled.engine() as engine:
        said = [read(engine, "shop") for _ in range(AFTER + 1)]
    assert all(one.startswith("SignInRefused") for one in said[:AFTER])
    assert said[AFTER].startswith("CircuitOpen: shop has not answered since")
    assert "refused the sign-in" in said[AFTER]


def test_one_asks_again_when_it_is_time_and_with_its_answer_everybody_may(settled: Scene) -> None:
    opened(settled)
    settled.clock.forward(seconds=7)
    with settled.engine() as first, settled.engine() as second:
        assert first.breakers._admitted(breakers.of(first.journal, "erp"))  # the first has taken the probe
        assert read(second).startswith("CircuitOpen")
    settled.clock.forward(minutes=3)  # the first was killed with it
    with settled.engine() as engine:
        assert read(engine).startswith("stock from erp")
        assert engine.breakers.open_ones() == {}


def test_it_is_told_once_when_it_opens_and_once_when_it_closes(
    settled: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = last_audited(settled)
    opened(settled)
    settled.clock.forward(seconds=7)
    with down(settled, "erp"), settled.engine() as engine:
        assert "cannot be reached" in read(engine)  # the probe
        assert read(engine).startswith("CircuitOpen")
    settled.clock.forward(seconds=15)
    with settled.engine() as engine:
        read(engine)
        read(engine)
    lines = [r.message for r in caplog.records if r.name == "hub.flow" and "circuit" in r.message]
    assert [line.split(":")[0] for line in lines] == ["circuit opened", "circuit closed"]
    steps = audited(settled, before)
    assert [step for step, _ in steps] == ["circuit opened", "circuit closed"]
    assert steps[0][1].startswith("5 calls in a row: erp cannot be reached")


def test_nothing_is_claimed_for_a_target_that_is_left_alone_and_it_drains_by_itself_afterwards(
    settled: Scene,
) -> None:
    sku = article(settled, "breaker drain")
    opened(settled, "shop")
    partial(settled, "ST15", {sku: 51})
    attempts = settled.query("SELECT count(*) FROM attempt")
    with settled.engine() as engine:
        outcome = engine.ingest("stock", "stores")
        with pytest.raises(CircuitOpen, match="shop has not answered since"):
            engine.deliver("shop")
        assert engine.deliver("tills").pending == 0
    assert outcome.ring == ()  # its own schedule asks
    assert settled.query("SELECT state FROM delivery WHERE target = 'shop' AND key = %s", f"{sku}@ST15") == [
        ("pending",)
    ]
    assert settled.query("SELECT count(*) FROM attempt WHERE target = 'shop'") <= attempts
    settled.clock.forward(seconds=7)
    with settled.engine() as engine:
        assert engine.deliver("shop").pending == 0
    assert settled.shop(sku, "ST15") == 50


def test_a_silent_target_for_which_nothing_waits_is_looked_at_all_the_same(settled: Scene) -> None:
    opened(settled, "shop")
    settled.clock.forward(seconds=7)
    with down(settled, "shop"), settled.engine() as engine, pytest.raises(CircuitOpen):
        engine.deliver("shop")
    settled.clock.forward(seconds=15)
    with settled.engine() as engine:
        engine.deliver("shop")
        assert engine.breakers.open_ones() == {}


def test_what_a_system_pushed_is_taken_while_it_is_left_alone(settled: Scene) -> None:
    opened(settled, "shop")
    sku = article(settled, "breaker pushed", "ST13")
    order = settled.retailer.shop.order([(sku, 1)], at=settled.clock.now())
    assert push(settled, about(settled, order)["orders/create"])
    with settled.engine() as engine:
        assert read(engine, "shop").startswith("CircuitOpen")
    assert settled.query(
        "SELECT data ->> 'quantity' FROM event WHERE object = 'reservation' AND subject = %s", sku
    ) == [("1",)]


def test_the_waits_grow_from_seconds_to_minutes_and_no_further(settled: Scene) -> None:
    opened(settled)
    waits = []
    with down(settled, "erp"), settled.engine() as engine:
        for _ in range(9):
            known = breakers.of(engine.journal, "erp")
            waits.append((known.delay, (known.probe_at - settled.clock.now()).total_seconds() / known.delay))  # type: ignore[operator]
            settled.clock.moment = known.probe_at  # type: ignore[assignment]
            assert "cannot be reached" in read(engine)
    assert [delay for delay, _ in waits] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert all(0.8 <= jitter <= 1.2 for _, jitter in waits)
    assert len({round(jitter, 6) for _, jitter in waits}) > 1


def test_one_that_falls_silent_again_at_once_waits_on_from_where_it_was(settled: Scene) -> None:
    opened(settled)
    settled.clock.forward(seconds=7)
    with settled.engine() as engine:
        read(engine)
    opened(settled)
    with settled.engine() as engine:
        assert breakers.of(engine.journal, "erp").delay == 10


def test_a_clock_that_is_set_back_keeps_nobody_waiting(settled: Scene) -> None:
    opened(settled)
    settled.clock.forward(hours=-1)
    with settled.engine() as engine:
        assert not engine.breakers.is_shut("erp")
    settled.clock.forward(hours=1)


def test_hub_yaml_says_when_it_opens_and_when_it_is_asked(settled: Scene) -> None:
    with (
        edited(
            settled,
            "hub.yaml",
            "    connector: soap_erp",
            "    connector: soap_erp\n    breaker: {after: 2, probe: 40s}",
        ),
        down(settled, "erp"),
        settled.engine() as engine,
    ):
        read(engine)
        assert not engine.breakers.is_shut("erp")
        read(engine)
        assert engine.breakers.is_shut("erp")
        assert breakers.of(engine.journal, "erp").delay == 40


class NeedsPicture:
    """What a shop's connector is while it writes a product: it needs something of the library."""

    def __init__(self, fetch: Callable[[], bytes]) -> None:
        self._fetch = fetch

    def write(self) -> Iterator[Receipt]:
        try:
            self._fetch()
        except HubError as error:
            raise TryLater(f"no picture: {error}") from error
        yield from ()


def test_a_library_that_is_down_is_not_held_against_the_shop(settled: Scene) -> None:
    with down(settled, "dam"), settled.engine() as engine:
        dam: Any = engine.systems["dam"]
        shop: Any = NeedsPicture(lambda: bytes(dam.fetch({"location": "/api/v1/assets/1"})))
        engine.breakers.guard(shop, "shop")
        for _ in range(AFTER + 1):
            with pytest.raises(TryLater, match="no picture: dam"):
                shop.write()
        assert set(engine.breakers.open_ones()) == {"dam"}
        assert breakers.of(engine.journal, "shop").failures == 0


def test_a_person_may_close_it(settled: Scene) -> None:
    opened(settled)
    with settled.engine() as engine:
        assert engine.breakers.close("erp", "ops: repaired")
        assert not engine.breakers.close("erp", "ops: repaired")
        assert read(engine).startswith("stock from erp")
    assert audited(settled)[-1] == ("circuit closed", "ops: repaired")


def test_what_came_last_goes_first_when_the_target_answers_again(settled: Scene) -> None:
    older, newer = article(settled, "breaker older"), article(settled, "breaker newer")
    opened(settled, "shop")
    for sku in (older, newer):
        settled.clock.forward(seconds=1)
        partial(settled, "ST15", {sku: 61})
        with settled.engine() as engine:
            engine.ingest("stock", "stores")
    settled.clock.forward(seconds=7)
    last = settled.retailer.ledger.last_id
    with edited(settled, "hub.yaml", "{api: graphql,", "{api: rest,"), settled.engine() as engine:
        engine.deliver("shop")
    items = [_item(settled, sku) for sku in (newer, older)]
    sent = [call.detail["inventory_item_id"] for call in settled.retailer.ledger.writes("shop", since_id=last)]
    assert [item for item in sent if item in items] == items


def _item(settled: Scene, sku: str) -> int:
    ((id,),) = settled.query(
        "SELECT external_id FROM binding WHERE system = 'shop' AND object = 'sku' AND key = %s", sku
    )
    return int(id.rsplit("/", 1)[-1])


def test_without_airflow_its_targets_are_compared_when_a_system_answers_again(settled: Scene) -> None:
    sku = article(settled, "breaker compared")
    opened(settled, "shop")
    settled.retailer.shop.set_available(sku, "ST15", 90)  # while nobody looked
    with settled.engine() as engine:
        runner = Runner(engine)
        runner.sources = dict.fromkeys(runner.sources, float("inf"))
        runner.targets = dict.fromkeys(runner.targets, float("inf"))
        runner.step()
        assert settled.query("SELECT count(*) FROM recovery") == [(0,)]
        assert engine.systems["shop"].check().ok  # it answers
        engine.journal.execute("DELETE FROM recovery WHERE flow <> 'stock'")  # there is nothing of them yet
        runner.step()
        runner.step()  # what drifted is sent
    assert settled.query("SELECT flow, state FROM run WHERE kind = 'reconcile'") == [("stock", "done")]
    assert settled.query("SELECT count(*) FROM recovery") == [(0,)]
    assert settled.shop(sku, "ST15") != 90


def test_hub_systems_shows_a_circuit_and_a_person_closes_it_with_a_reason(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", database)
    monkeypatch.setenv("HUB_HOME", str(tmp_path))
    migrate(database)
    pace = breakers.Pace(after=1, first=5, longest=300)
    with connect(database) as journal:
        breakers.failed(journal, "erp", "erp is down", datetime.now(UTC), pace, probing=False, jitter=1.0)

    def erp(*words: str) -> Any:
        answer = CliRunner().invoke(app, ["systems", *words, "--json"])
        return json.loads(answer.stdout.splitlines()[-1])["systems"][0]

    shown = erp()["circuit"]
    assert (shown["reason"], shown["failures"]) == ("erp is down", 1)
    with pytest.raises(ConfigError, match="--close needs the reason"):
        CliRunner().invoke(app, ["systems", "--close", "erp"], catch_exceptions=False)
    assert erp("--close", "erp", "--why", "restarted")["circuit"] is None
    with connect(database) as journal:
        told = journal.execute("SELECT answer FROM audit WHERE step = 'circuit closed'").fetchall()
    assert [answer.endswith(": restarted") for (answer,) in told] == [True]
