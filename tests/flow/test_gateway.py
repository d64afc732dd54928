"""The gateway over the real engine: what is pushed is verified, stored, answered, and rings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
import uvicorn
from support.loopback import Heard, Say, serving
from support.scene import Scene, scene

from hub.gateway import application
from hub.gateway.app import BODY_LIMIT
from hub.gateway.bell import CHANNEL, Airflow, Bell, Notice


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The application on a real port, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found


class Rung:
    """Who listens to the journal's own bell."""

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute(f"LISTEN {CHANNEL}")

    def within(self, seconds: float) -> list[str]:
        return [notice.payload for notice in self.connection.notifies(timeout=seconds, stop_after=1)]


@pytest.fixture
def shop_floor(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with scene(tmp_path, database, monkeypatch, real_time=True) as playing:
        yield playing


@pytest.fixture
def gateway(shop_floor: Scene) -> Iterator[str]:
    app = application(
        shop_floor.project,
        dsn=shop_floor.dsn,
        connections=shop_floor.connection,
        ringer=Notice(shop_floor.dsn),
        watch=False,
    )
    with served(app) as url:
        yield url


@pytest.fixture
def rung(shop_floor: Scene, gateway: str) -> Iterator[Rung]:
    listener = Rung(shop_floor.dsn)
    yield listener
    listener.connection.close()


def an_order(shop_floor: Scene) -> tuple[bytes, dict[str, str]]:
    """What the shop sends for a new order, signed by the shop itself."""
    sku = next(key.split("@")[0] for key, n in shop_floor.retailer.shop.levels().items() if n > 1)
    shop_floor.retailer.shop.order([(sku, 1)])
    message = next(m for m in shop_floor.retailer.webhooks.due() if m.system == "shop")
    signature = shop_floor.retailer.shop.sign("/hooks/shop", message.body)
    return message.body, {**message.headers, **signature}


def inbox(shop_floor: Scene) -> list[tuple[Any, ...]]:
    return shop_floor.query("SELECT system, state FROM inbox")


def test_a_signed_message_is_stored_before_it_is_answered_and_then_rings(
    shop_floor: Scene, gateway: str, rung: Rung
) -> None:
    body, headers = an_order(shop_floor)
    answer = requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"new": True})
    assert inbox(shop_floor) == [("shop", "new")]
    assert rung.within(5) == ["hub://arrived/shop"]


def test_the_same_message_again_is_answered_and_kept_once(shop_floor: Scene, gateway: str, rung: Rung) -> None:
    body, headers = an_order(shop_floor)
    for new in (True, False):
        answer = requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"new": new})
    assert inbox(shop_floor) == [("shop", "new")]
    assert rung.within(5) == ["hub://arrived/shop"]
    assert rung.within(0.5) == []


@pytest.mark.parametrize("spoil", ["body", "signature", "no signature"])
def test_what_is_not_signed_by_the_sender_is_refused_and_not_stored(
    shop_floor: Scene, gateway: str, spoil: str
) -> None:
    body, headers = an_order(shop_floor)
    name = next(name for name in headers if "hmac" in name.lower())
    if spoil == "body":
        body += b" "
    elif spoil == "signature":
        headers[name] = "A" * len(headers[name])
    else:
        del headers[name]
    answer = requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert inbox(shop_floor) == []


def test_what_is_refused_is_counted_by_system(shop_floor: Scene, gateway: str) -> None:
    body, headers = an_order(shop_floor)
    late = {**headers, "X-Shopify-Triggered-At": "2026-01-01T00:00:00Z"}
    for spoilt, message in ((headers, body + b" "), (late, body)):
        answer = requests.post(f"{gateway}/hooks/shop", data=message, headers=spoilt, timeout=10)
        assert answer.status_code == 401
    assert requests.get(f"{gateway}/health", timeout=10).json()["refused"] == {"shop": 2}


def test_a_slip_in_hub_yaml_costs_no_message(shop_floor: Scene, gateway: str, caplog: pytest.LogCaptureFixture) -> None:
    assert requests.get(f"{gateway}/health", timeout=10).status_code == 200
    shop_floor.rewrite("stale_after", "stale_afer")
    for _ in range(2):
        body, headers = an_order(shop_floor)
        answer = requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10)
        assert answer.status_code == 200
    said = [record.message for record in caplog.records if "stale_afer" in record.message]
    assert len(said) == 1
    assert said[0].startswith("going on with the landscape as it was: ")


@pytest.mark.parametrize("system", ["nobody", "erp"])
def test_a_system_that_is_unknown_or_does_not_push_is_not_found(gateway: str, system: str) -> None:
    assert requests.post(f"{gateway}/hooks/{system}", data=b"{}", timeout=10).status_code == 404


def test_a_body_over_the_limit_is_refused_without_being_kept(shop_floor: Scene, gateway: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(BODY_LIMIT // 65536 + 1):
            yield b"x" * 65536

    assert requests.post(f"{gateway}/hooks/shop", data=endless(), timeout=10).status_code == 413
    assert inbox(shop_floor) == []


def test_while_the_journal_is_away_the_sender_is_asked_to_come_again(
    shop_floor: Scene, gateway: str, postgres: str
) -> None:
    body, headers = an_order(shop_floor)
    assert requests.get(f"{gateway}/health", timeout=10).json() == {"journal": "ok", "bell": "ok"}
    name = shop_floor.dsn.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        answers = [requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10) for _ in range(2)]
        assert {answer.status_code for answer in answers} == {503}
        assert answers[0].headers["retry-after"] == "5"
        assert requests.get(f"{gateway}/health", timeout=10).status_code == 503
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert requests.post(f"{gateway}/hooks/shop", data=body, headers=headers, timeout=10).json() == {"new": True}


def test_a_file_rings_once_when_it_is_complete(shop_floor: Scene) -> None:
    for name in shop_floor.retailer.stores.waiting():
        (shop_floor.retailer.stores.out / name).unlink()
    app = application(
        shop_floor.project, dsn=shop_floor.dsn, connections=shop_floor.connection, ringer=Notice(shop_floor.dsn)
    )
    with served(app):
        listener = Rung(shop_floor.dsn)
        name = shop_floor.retailer.stores.drop("ST03", complete=False, marker=False)
        assert listener.within(3) == []
        shop_floor.retailer.stores.mark(name)
        assert listener.within(8) == ["hub://arrived/stores"]
        assert listener.within(3) == []
        listener.connection.close()


# --- the bell, over Airflow's own routes --------------------------------------------------------------


class PlayedAirflow:
    """Answers as Airflow's API does; ``expired`` makes the next call fail as after a token's life."""

    def __init__(self) -> None:
        self.events: list[int] = []
        self.expired = False

    def __call__(self, heard: Heard) -> Say:
        if heard.path == "/auth/token":
            self.expired = False
            return Say(201, {"access_token": "a-token"})
        if self.expired or heard.headers.get("authorization") != "Bearer a-token":
            return Say(401, {"detail": "Not authenticated"})
        if heard.path == "/api/v2/assets":
            return Say(200, {"assets": [{"id": 7, "uri": heard.query["uri_pattern"][0]}]})
        self.events.append(heard.json["asset_id"])
        return Say(200, {})


def test_many_rings_at_once_are_one_event() -> None:
    airflow = PlayedAirflow()
    with serving(airflow) as server:
        bell = Bell(Airflow(server.connection.url, "gateway", "a-password"))
        for _ in range(100):
            bell.ring("shop")
        eventually(lambda: airflow.events)
        time.sleep(0.5)
        bell.close()
    assert airflow.events == [7]


def test_a_token_that_ran_out_is_renewed() -> None:
    airflow = PlayedAirflow()
    with serving(airflow) as server:
        client = Airflow(server.connection.url, "gateway", "a-password")
        assert client.ring("hub://arrived/shop")
        airflow.expired = True
        assert client.ring("hub://arrived/shop")
    assert airflow.events == [7, 7]


def test_without_airflow_a_ring_is_lost_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    with serving(Say()) as server:
        nobody = server.connection.url
    bell = Bell(Airflow(nobody, "gateway", "a-password"))
    for _ in range(2):
        bell.ring("shop")
        time.sleep(0.4)
    bell.close()
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "ringing fails (ConnectionError): what arrives is found by the clock"
    ]
