"""The sandbox's own page: behind a sign-in, deaf to other pages, and able to let a system fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from hub.sandbox.faults import CAN, Faults
from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import PAGE, Running, running


@pytest.fixture
def sandbox(retailer: Retailer) -> Iterator[Running]:
    with running(retailer, page=True) as found:
        yield found


@pytest.fixture
def browser(sandbox: Running) -> Iterator[requests.Session]:
    """Somebody who is signed in."""
    known = sandbox.connections[PAGE]
    with requests.Session() as session:
        session.auth = (known["login"], known["password"])
        yield session


def url(sandbox: Running, path: str = "/") -> str:
    return f"http://127.0.0.1:{sandbox.ports[PAGE]}{path}"


def proof(sandbox: Running, browser: requests.Session) -> str:
    """What the page's forms carry."""
    found = re.search(r'name="proof" value="([0-9a-f]{64})"', browser.get(url(sandbox), timeout=10).text)
    assert found
    return found[1]


def test_it_shows_systems_faults_and_the_latest_calls(sandbox: Running, browser: requests.Session) -> None:
    sandbox.retailer.faults.add("shop", "reset", rate=0.05, seconds=600, only="orders*")
    sandbox.retailer.ledger.record("tills", "POST", "/v2/orders/search", status=200, operation="orders/search")
    said = browser.get(url(sandbox), timeout=10)
    assert said.status_code == 200
    for text in (*CAN, f"127.0.0.1:{sandbox.ports['dam']}", "reset", "5%", "orders*", "POST /v2/orders/search"):
        assert text in said.text


def test_a_fault_is_added_and_ended(sandbox: Running, browser: requests.Session) -> None:
    faults: Faults = sandbox.retailer.faults
    form = {"proof": proof(sandbox, browser), "system": "dam", "kind": "429", "rate": "100", "minutes": "5", "only": ""}
    assert "429" in browser.post(url(sandbox, "/faults"), form, timeout=10).text
    (rule,) = faults.running()
    assert (rule.system, rule.kind, rule.rate, rule.operation) == ("dam", "429", 1.0, None)
    assert 290 < (rule.lasts or 0) <= 300
    browser.post(url(sandbox, "/faults/end"), {"proof": form["proof"], "id": str(rule.id)}, timeout=10)
    assert faults.running() == []


def test_what_cannot_be_is_said_on_the_page(sandbox: Running, browser: requests.Session) -> None:
    form = {"proof": proof(sandbox, browser), "system": "dam", "kind": "stale-cas", "rate": "5", "minutes": "5"}
    said = browser.post(url(sandbox, "/faults"), form, timeout=10)
    assert said.status_code == 400
    assert "dam cannot have stale-cas; it can have 429" in said.text
    assert sandbox.retailer.faults.running() == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/faults"), ("POST", "/faults/end")])
def test_nothing_is_shown_or_done_without_the_sign_in(sandbox: Running, method: str, path: str) -> None:
    for auth in (None, ("sandbox", "guess")):
        said = requests.request(method, url(sandbox, path), data={"system": "dam"}, auth=auth, timeout=10)
        assert (said.status_code, said.text) == (401, "sign in first\n")


def test_a_page_from_elsewhere_presses_no_button(sandbox: Running, browser: requests.Session) -> None:
    form = {"system": "dam", "kind": "429", "rate": "100", "minutes": "5"}
    right = proof(sandbox, browser)
    assert browser.post(url(sandbox, "/faults"), form, timeout=10).status_code == 403
    assert browser.post(url(sandbox, "/faults"), {**form, "proof": "0" * 64}, timeout=10).status_code == 403
    cross = {"Sec-Fetch-Site": "cross-site"}
    said = browser.post(url(sandbox, "/faults"), {**form, "proof": right}, headers=cross, timeout=10)
    assert said.status_code == 403
    assert sandbox.retailer.faults.running() == []


def test_another_name_for_this_machine_is_not_answered(sandbox: Running, browser: requests.Session) -> None:
    said = browser.get(url(sandbox), headers={"Host": f"evil.example:{sandbox.ports[PAGE]}"}, timeout=10)
    assert (said.status_code, said.text) == (421, "this address is not ours\n")


def test_what_a_client_sent_is_shown_as_text(sandbox: Running, browser: requests.Session) -> None:
    requests.get(f"{sandbox.urls['dam']}/<script>alert(1)</script>", timeout=10)
    said = browser.get(url(sandbox), timeout=10)
    assert "<script>" not in said.text
    assert "&lt;script&gt;alert(1)" in said.text
    assert "default-src 'none'" in said.headers["Content-Security-Policy"]
