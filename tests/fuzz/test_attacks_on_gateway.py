"""The gateway under attack: refused with the right status, counted, nothing stored, nobody's secret shown."""

from __future__ import annotations

import gzip
import http.client
import json
import logging
import threading
import time
from collections import Counter

import pytest
import requests
from fuzz.conftest import LONG
from support.fuzz.gateway import Door, connection, signed
from support.fuzz.records import samples
from support.fuzz.values import CANARY, SHOWN

from hub.flow import Engine, ingest
from hub.gateway import app
from hub.gateway.api import body as counter_body

FORGED = 10_000 if LONG else 600
ORDER = next(given for object, given in samples("shopify") if object == "orders")
BODY = json.dumps(ORDER, default=str).encode()


@pytest.fixture(autouse=True)
def _shows_no_secret(caplog: pytest.LogCaptureFixture) -> object:
    caplog.set_level(logging.INFO)
    yield
    assert SHOWN not in caplog.text


def refused(gateway: Door, system: str = "shop") -> int:
    found: dict[str, int] = requests.get(f"{gateway.url}/health", timeout=10).json().get("refused", {})
    return found.get(system, 0)


def test_thousands_of_wrong_signatures_are_refused_counted_and_leave_nothing(
    gateway: Door, caplog: pytest.LogCaptureFixture
) -> None:
    before, stored, statuses = refused(gateway), gateway.stored(), Counter[int]()
    forged = {**signed(BODY), "X-Shopify-Hmac-Sha256": "A" * 43 + "="}

    def attack(count: int) -> None:
        line = http.client.HTTPConnection(*gateway.address, timeout=30)
        for _ in range(count):
            line.request("POST", "/hooks/shop", body=BODY, headers=forged)
            answer = line.getresponse()
            answer.read()
            statuses[answer.status] += 1
        line.close()

    threads = [threading.Thread(target=attack, args=(FORGED // 2,)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert statuses == {401: FORGED}
    assert refused(gateway) == before + FORGED
    assert gateway.stored() == stored
    lines = [record for record in caplog.records if "was refused" in record.message]
    assert len(lines) <= 5  # the first, the tenth, the hundredth ...


def test_a_true_message_is_taken_in_the_midst_of_forged_ones(gateway: Door) -> None:
    status, answer = gateway.post("/hooks/shop", BODY, signed(BODY))
    assert (status, json.loads(answer)) == (200, {"new": True})


@pytest.mark.parametrize(
    "changes",
    [
        {"X_Shopify_Webhook_Id": "x" * 300},
        {"X_Shopify_Webhook_Id": "a\tb"},
        {"X_Shopify_Triggered_At": "2026-01-01T00:00:00Z"},
        {"X_Shopify_Triggered_At": "9999-12-31T23:59:59-14:00"},
        {"X_Shopify_Triggered_At": "0001-01-01T00:00:00+14:00"},
        {"X_Shopify_Triggered_At": "now"},
        {"X_Shopify_Hmac_Sha256": ""},
        {"X_Shopify_Hmac_Sha256": "é" * 20},
    ],
)
def test_what_is_too_old_too_long_or_no_time_is_refused_though_its_body_is_signed(
    gateway: Door, changes: dict[str, str]
) -> None:
    before, stored = refused(gateway), gateway.stored()
    status, _ = gateway.post("/hooks/shop", BODY, signed(BODY, **changes))
    assert status == 401
    assert refused(gateway) == before + 1
    assert gateway.stored() == stored


def test_a_message_that_is_replayed_under_another_id_changes_nothing(gateway: Door) -> None:
    """The shop signs the body alone, so whoever caught one can send it again: it says what is known already."""
    headers = signed(BODY)
    for _ in range(2):
        gateway.post("/hooks/shop", BODY, headers)
    known = taken(gateway)
    status, answer = gateway.post("/hooks/shop", BODY, signed(BODY))
    assert (status, json.loads(answer)) == (200, {"new": True})
    assert taken(gateway) == known
    assert json.loads(gateway.post("/hooks/shop", BODY, headers)[1]) == {"new": False}


def taken(gateway: Door) -> list[list[tuple[object, ...]]]:
    """What is known once everything in the inbox was taken."""
    with Engine.open(gateway.project, connections=connection, dsn=gateway.dsn) as engine:
        with engine.running("ingest", "order", "shop") as current:
            ingest.take_pushed(engine, current, "shop")
        assert engine.journal.execute("SELECT count(*) FROM inbox WHERE state = 'new'").fetchone() == (0,)
    return [
        gateway.query("SELECT system, object, key, data FROM source_state ORDER BY 1, 2, 3"),
        gateway.query("SELECT system, object, id FROM event ORDER BY 1, 2, 3"),
        gateway.query("SELECT object, key, path, reason FROM quarantine WHERE state = 'open' ORDER BY 1, 2, 3, 4"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"id": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"id": 1e999999, "updated_at": "2026-11-22T10:00:00Z"}',
        b'{"id": ' + b"9" * 5000 + b', "updated_at": "2026-11-22T10:00:00Z"}',
        b'{"id": "a\\u0000b", "updated_at": "2026-11-22T10:00:00Z", "name": "\\u0000"}',
        b'{"id": "\\ud800", "updated_at": "2026-11-22T10:00:00Z", "\\ud800": "\\udfff"}',
        b'{"id": 7, "updated_at": "9999-12-31T23:59:59-14:00"}',
        b'{"id": 7, "payment_gateway_names": true, "line_items": "x"}',
        b"null", b"", b"\xff\xfe", b"NaN", gzip.compress(b"[" * 10_000_000),
    ],
)  # fmt: skip
@pytest.mark.parametrize("topic", ["orders/updated", "products/update"])
def test_a_signed_message_of_nonsense_ends_in_quarantine_and_stops_nobody(
    gateway: Door, body: bytes, topic: str
) -> None:
    headers = signed(body, X_Shopify_Topic=topic, Content_Encoding="gzip" if body[:2] == b"\x1f\x8b" else "identity")
    status, _ = gateway.post("/hooks/shop", body, headers)
    assert status == 200
    taken(gateway)


def test_nonsense_that_could_not_be_unpacked_waits_for_a_person(gateway: Door) -> None:
    body = b'{"id": ["what", "is", "this"'
    gateway.post("/hooks/shop", body, signed(body))
    taken(gateway)
    said = gateway.query("SELECT path, reason FROM quarantine WHERE object = 'pushed' AND state = 'open'")
    assert any(path == "body" and "not JSON" in str(reason) for path, reason in said)


@pytest.mark.parametrize("path", ["/hooks/shop", "/v1/reservations"])
def test_a_body_that_drips_is_not_waited_for(gateway: Door, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(counter_body, "SECONDS", 0.3)
    stored, started = gateway.stored(), time.monotonic()
    said = gateway.drip(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n{{".encode())
    assert said.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 10
    assert gateway.stored() == stored


HEAD = b"Host: h\r\nContent-Length: 2\r\n"
RAW = {
    "a line end in the path": (b"POST /hooks/shop%0d%0aX-Evil:%201 HTTP/1.1\r\n" + HEAD, b"404"),
    "NUL in the path": (b"POST /hooks/shop%00 HTTP/1.1\r\n" + HEAD, b"404"),
    "half a character in the path": (b"POST /hooks/%ed%a0%80 HTTP/1.1\r\n" + HEAD, b"404"),
    "bytes that are no text in the path": (b"POST /hooks/%ff%fe HTTP/1.1\r\n" + HEAD, b"404"),
    "a way out of the folder": (b"POST /hooks/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HEAD, b"404"),
    "a long name": (b"POST /hooks/" + b"a" * 5000 + b" HTTP/1.1\r\n" + HEAD, b"404"),
    "a query that is no text": (b"POST /hooks/shop?\xff\xfe HTTP/1.1\r\n" + HEAD, b"40"),
    "a host that is none": (b"POST /hooks/shop HTTP/1.1\r\nHost: \xff@[::1\r\nContent-Length: 2\r\n", b"40"),
    "NUL in a header": (b"POST /hooks/shop HTTP/1.1\r\n" + HEAD + b"X-Shopify-Topic: a\x00b\r\n", b"40"),
    "two lengths": (b"POST /hooks/shop HTTP/1.1\r\n" + HEAD + b"Content-Length: 7\r\n", b"40"),
    "a length and chunks": (b"POST /hooks/shop HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n", b"40"),
    "a negative length": (b"POST /hooks/shop HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n", b"400"),
    "headers without end": (b"POST /hooks/shop HTTP/1.1\r\n" + HEAD + b"X-A: " + b"a" * 200_000 + b"\r\n", b"4"),
    "another method": (b"DELETE /hooks/shop HTTP/1.1\r\n" + HEAD, b"405"),
    "a key with a tab that is none": (b"GET /v1/orders/X HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \x0b\r\n", b"40"),
}  # fmt: skip


@pytest.mark.parametrize("case", RAW)
def test_a_request_that_is_forged_in_its_head_is_the_senders_mistake(gateway: Door, case: str) -> None:
    head, status = RAW[case]
    stored = gateway.stored()
    said = gateway.say(head, b"{}")
    assert said.startswith(b"HTTP/1.1 " + status), said[:300]
    assert b"x-evil" not in said.split(b"\r\n\r\n")[0].lower()
    assert CANARY.encode() not in said
    assert gateway.stored() == stored
    assert requests.get(f"{gateway.url}/health", timeout=10).json()["journal"] == "ok"


def test_a_key_of_any_bytes_opens_nothing(gateway: Door) -> None:
    for key in (b"\xff\xfe", b"ohk_" + b"A" * 5000, b"' OR 1=1 --", b"ohk_\xe2\x80\xae"):
        said = gateway.say(b"GET /v1/orders/SHOP-1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + key + b"\r\n")
        assert said.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 400 ")), said[:200]
