"""HTTP: limits, what a status means, what is repeated, and that no secret leaks."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.loopback import Say, serving

from hub.connector import Connection
from hub.errors import ConfigError, StopRun, TryLater, Unknown
from hub.transport.effects import Effect
from hub.transport.http import Call, Http, Limits
from hub.transport.retry import BudgetSpent, Retry, instant

READ = Call(path="/things")
KEYED = Call(method="POST", path="/things", body=b"{}", effect=Effect.KEYED)
ONCE = Call(method="POST", path="/things", body=b"{}", effect=Effect.ONCE)


class Allowance:
    """A budget that answers what it is told to."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.taken: list[float] = []
        self.observed: list[float] = []
        self.rests: list[float] = []

    def take(self, cost: float = 1.0) -> float:
        self.taken.append(cost)
        return self.wait

    def observe(self, available: float) -> None:
        self.observed.append(available)

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)


def test_an_answer_is_read_with_its_numbers_exact():
    with serving(Say(body=b'{"price": 19.90, "big": 1234567890123456.78, "count": 3}')) as server:
        assert Http(server.connection).send(READ).json() == {
            "price": Decimal("19.90"),
            "big": Decimal("1234567890123456.78"),
            "count": 3,
        }


@pytest.mark.parametrize("body", [b"<html>", b'{"a": NaN}', b"[" * 5000])
def test_an_answer_that_is_not_json_is_named(body: bytes):
    with serving(Say(body=body)) as server, pytest.raises(StopRun, match="not JSON"):
        Http(server.connection).send(READ).json()


@pytest.mark.parametrize(
    ("status", "call", "expected"),
    [
        (401, READ, StopRun),
        (403, READ, StopRun),
        (404, READ, StopRun),
        (422, KEYED, StopRun),
        (302, READ, StopRun),
        (429, ONCE, TryLater),
        (503, ONCE, TryLater),
        (500, READ, TryLater),
        (500, KEYED, Unknown),
        (502, ONCE, Unknown),
    ],
)
def test_a_status_says_what_happens_next(status: int, call: Call, expected: type[Exception]):
    with serving(Say(status, {"errors": "because"})) as server, instant(), pytest.raises(expected, match=str(status)):
        Http(server.connection).send(call)


def test_the_vendors_own_sentence_is_passed_on():
    said = {"errors": [{"category": "X", "code": "Y", "detail": "the location is closed"}]}
    with serving(Say(400, said)) as server, pytest.raises(StopRun, match="the location is closed"):
        Http(server.connection).send(READ)


def test_a_status_that_the_caller_interprets_is_an_answer():
    with serving(Say(404, {"errors": "Not Found"})) as server:
        answer = Http(server.connection).send(Call(path="/things/1", accept=frozenset({404})))
    assert answer.status == 404


def test_a_reading_call_is_repeated_until_it_answers():
    with serving([Say(500), Say(503), Say(body=b"{}")]) as server, instant():
        Http(server.connection).send(READ)
    assert len(server.heard) == 3


def test_a_writing_call_without_a_key_is_sent_once():
    with serving([Say(503), Say(body=b"{}")]) as server, instant(), pytest.raises(TryLater):
        Http(server.connection).send(ONCE)
    assert len(server.heard) == 1


def test_a_writing_call_with_a_key_is_repeated_as_itself():
    with serving([Say(hang_up=True), Say(body=b"{}")]) as server, instant():
        Http(server.connection).send(KEYED)
    assert [request.body for request in server.heard] == [b"{}", b"{}"]


def test_after_a_doubt_a_refusal_settles_nothing():
    """The first try may have been carried out, whatever the second one hears."""
    with serving([Say(hang_up=True), Say(401)]) as server, instant(), pytest.raises(Unknown, match="401"):
        Http(server.connection).send(KEYED)


def test_retry_after_is_obeyed():
    with serving([Say(429, headers={"Retry-After": "2.0"}), Say(body=b"{}")]) as server, instant() as pauses:
        Http(server.connection).send(READ)
    assert 2.0 <= pauses[0] < 2.2


def test_a_retry_after_beyond_the_total_time_is_left_to_the_engine():
    budget = Allowance(0)
    with serving(Say(429, headers={"Retry-After": "90"})) as server, instant(), pytest.raises(TryLater) as caught:
        Http(server.connection, budget=budget).send(READ)
    assert caught.value.delay == 90
    assert len(server.heard) == 1
    assert budget.rests == [90]


def test_a_connection_that_never_came_about_is_try_later_for_every_call():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        connection = Connection(id="shop", port=free.getsockname()[1])
    with instant(), pytest.raises(TryLater, match="cannot be reached"):
        Http(connection).send(ONCE)


@pytest.mark.parametrize(("call", "expected"), [(READ, TryLater), (ONCE, Unknown)])
def test_a_silent_server_is_given_up(call: Call, expected: type[Exception]):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        http = Http(
            Connection(id="shop", port=silent.getsockname()[1]), retry=Retry(attempts=1), limits=Limits(read=0.1)
        )
        with pytest.raises(expected, match="did not answer in full"):
            http.send(call)


def test_a_dripping_server_is_given_up_after_the_total_time():
    with serving(Say(body=b"x" * 200, drip=0.02)) as server, pytest.raises(TryLater, match="longer than"):
        Http(server.connection, retry=Retry(attempts=1), limits=Limits(total=0.2)).send(READ)


@pytest.mark.parametrize(("call", "expected"), [(READ, StopRun), (KEYED, Unknown)])
def test_an_answer_above_the_size_limit_is_refused(call: Call, expected: type[Exception]):
    with serving(Say(body=b"x" * 5000)) as server, instant(), pytest.raises(expected, match="more than 1000 bytes"):
        Http(server.connection, limits=Limits(size=1000)).send(call)


def test_an_answer_that_is_cut_off_is_not_taken_for_whole():
    with serving(Say(body=b"[1, 2", promise=50)) as server, instant(), pytest.raises(TryLater):
        Http(server.connection).send(READ)


def test_a_redirect_is_not_followed_with_the_secret():
    with serving(Say()) as other:
        target = f"http://127.0.0.1:{other.connection.port}/"
        with serving(Say(302, headers={"Location": target})) as server, pytest.raises(StopRun, match="redirects"):
            Http(server.connection, headers={"X-Shopify-Access-Token": "shpat_abcdef"}).send(READ)
    assert other.heard == []


def test_a_certificate_that_nobody_vouches_for_stops_the_run(tmp_path: Path):
    with tls_server(tmp_path) as port, pytest.raises(StopRun, match="certificate that is not trusted"), instant():
        Http(Connection(id="shop", port=port, schema="https")).send(READ)


@contextmanager
def tls_server(folder: Path) -> Iterator[int]:
    """A server that shows a self-signed certificate and waits for one handshake."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(days=1)
    signed = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=2))
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signed.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def greet() -> None:
        with suppress(OSError), server.accept()[0] as peer, context.wrap_socket(peer, server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_an_address_that_is_none_is_a_matter_of_configuration():
    with pytest.raises(ConfigError, match="not a URL"):
        Http(Connection(id="shop", host="not a host", port=80)).send(READ)


def test_the_budget_is_waited_for_before_the_call_leaves():
    budget = Allowance(wait=1.5)
    with serving(Say(body=b"{}")) as server, instant() as pauses:
        Http(server.connection, budget=budget).send(Call(path="/things", cost=3))
    assert (budget.taken, pauses) == ([3], [1.5])


def test_a_long_wait_for_the_budget_is_left_to_the_engine_and_given_back():
    budget = Allowance(wait=60)
    with serving(Say()) as server, pytest.raises(BudgetSpent) as caught:
        Http(server.connection, budget=budget).send(READ)
    assert caught.value.delay == 60
    assert budget.taken == [1, -1]
    assert server.heard == []


def test_a_rate_limit_tells_the_budget_that_nothing_is_left():
    budget = Allowance(wait=0)
    with serving([Say(429), Say(body=b"{}")]) as server, instant():
        Http(server.connection, budget=budget).send(READ)
    assert budget.observed == [0]


def test_an_outage_is_one_line_and_its_end_another(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "hub.transport")
    with serving([Say(500), Say(500), Say(500), Say(body=b"{}")]) as server, instant():
        http = Http(server.connection)
        http.send(READ)
        http.send(READ)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_being_limited_is_no_outage_and_said_once(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "hub.transport")
    with serving([Say(429), Say(body=b"{}"), Say(429), Say(body=b"{}")]) as server, instant():
        http = Http(server.connection)
        http.send(READ)
        http.send(READ)
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_secret_that_the_vendor_repeats_is_masked():
    said = {"errors": "[API] Invalid API key or access token: hunter2-hunter2"}
    with (
        serving(Say(401, said), password="hunter2-hunter2") as server,
        pytest.raises(StopRun) as caught,
    ):
        Http(server.connection).send(READ)
    assert "hunter2" not in str(caught.value)
