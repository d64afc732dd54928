"""The sandbox as a running process: ports, connections, webhooks, shoppers and a quick end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from hub.errors import ConfigError
from hub.sandbox.baskets import Line
from hub.sandbox.serve import SYSTEMS, running, serve, write_connections


@pytest.fixture
def gateway():
    """A receiver that keeps what it gets and answers with the next of ``answers`` (200 when there is none)."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append((self.path, dict(self.headers), body))
            self.send_response(server.answers.pop(0) if server.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def url(gateway):
    return f"http://127.0.0.1:{gateway.server_port}"


def test_every_system_listens_on_loopback_and_says_how_to_reach_it(sandbox):
    assert set(sandbox.ports) == set(SYSTEMS) == set(sandbox.connections)
    for name, port in sandbox.ports.items():
        assert sandbox.connections[name]["port"] == port
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_taken_port_is_one_sentence(retailer):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for system in ("erp", "stores"):
            with pytest.raises(ConfigError, match=f"{system} cannot listen on port {port}"):
                asyncio.run(serve(retailer, {system: port}))


def test_connections_are_private_and_leave_other_systems_alone(tmp_path):
    path = tmp_path / "connections.json"
    path.write_text('{"crm": {"host": "elsewhere"}, "erp": {"port": 1}}')
    write_connections(path, {"erp": {"port": 2}})
    assert json.loads(path.read_text()) == {"crm": {"host": "elsewhere"}, "erp": {"port": 2}}
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_order_reaches_the_gateway_signed(retailer, gateway):
    with running(retailer, url(gateway)):
        order = retailer.shop.order([Line(sku=retailer.world.skus[0].code, quantity=1)])
        until(lambda: gateway.received)
    path, headers, body = gateway.received[0]
    assert path == "/hooks/shop"
    assert headers["X-Shopify-Topic"] == "orders/create"
    assert headers["X-Shopify-Hmac-Sha256"]
    assert json.loads(body)["id"] == order["id"]
    assert retailer.webhooks.pending() == 0


def test_a_refused_webhook_is_sent_again_as_it_was(retailer, gateway):
    gateway.answers.append(503)
    with running(retailer, url(gateway)):
        retailer.shop.order([Line(sku=retailer.world.skus[0].code, quantity=1)])
        until(lambda: len(gateway.received) == 2)
        until(lambda: retailer.webhooks.pending() == 0)
    first, second = gateway.received
    assert first[2] == second[2]
    assert first[1]["X-Shopify-Webhook-Id"] == second[1]["X-Shopify-Webhook-Id"]


def test_without_a_gateway_webhooks_wait(sandbox, retailer):
    retailer.shop.order([Line(sku=retailer.world.skus[0].code, quantity=1)])
    assert retailer.webhooks.pending("shop") == 1


def test_after_the_vendors_retries_a_webhook_is_given_up(retailer):
    from hub.sandbox.webhooks import RETRY_AFTER

    retailer.webhooks.enqueue("shop", "/hooks/shop", {}, b"{}")
    (message,) = retailer.webhooks.due()
    for _ in range(len(RETRY_AFTER) + 1):
        retailer.webhooks.failed(message)
        row = retailer.state.row("SELECT tries, outcome FROM webhook")
        message = type(message)(id=message.id, system="shop", path="/", headers={}, body=b"", tries=row["tries"])
    assert row["outcome"] == "given up"


def test_live_shoppers_buy_in_stores_and_in_the_shop(retailer, gateway):
    with running(retailer, url(gateway), live=True, rate=3000):
        until(lambda: {path for path, _, _ in gateway.received} == {"/hooks/shop", "/hooks/tills"}, 30)
        until(lambda: len(retailer.stores.waiting()) > 24, 30)


def test_ended_by_a_signal_it_is_gone_within_two_seconds_and_leaves_how_it_was_reached(tmp_path):
    script = f"""
        from pathlib import Path
        from hub.sandbox.serve import main
        main(Path({str(tmp_path / "home")!r}), {{}}, None, True, 7)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    try:
        file = tmp_path / "home" / "connections.json"
        until(lambda: file.exists() or child.poll() is not None, 60)
        found = json.loads(file.read_text())
        assert file.stat().st_mode & 0o777 == 0o600
        with requests.Session() as session:  # a client that stays connected
            session.auth = (found["erp"]["login"], found["erp"]["password"])
            answer = session.get(f"http://127.0.0.1:{found['erp']['port']}/erp/StockService?wsdl", timeout=5)
            assert answer.status_code == 200
            began = time.monotonic()
            child.send_signal(signal.SIGTERM)
            assert child.wait(10) == 0
            assert time.monotonic() - began < 2
    finally:
        child.kill()
        child.wait()
