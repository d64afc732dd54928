"""Every page of the hub stands behind Airflow's own sign-in, in the real API server's application."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using `httpx`"),  # Airflow imports Starlette's test client
]
PAGES = ["/hub/runs", "/hub/runs/some-run", "/hub/systems"]


@pytest.fixture(scope="module")
def client(airflow_database: None) -> Iterator[Any]:
    """Airflow's API with what its plugins mount, as the API server builds it."""
    from airflow.api_fastapi.app import create_app
    from starlette.testclient import TestClient

    passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    passwords.write_text(json.dumps({"admin": "a-password", "gateway": "another"}))
    with TestClient(create_app(apps="core"), follow_redirects=False, raise_server_exceptions=False) as running:
        yield running


@pytest.fixture(scope="module")
def token(client: Any) -> str:
    answer = client.post("/auth/token", json={"username": "admin", "password": "a-password"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["access_token"])


def test_the_plugin_is_loaded_and_its_pages_are_mounted() -> None:
    from airflow import plugins_manager

    apps, _ = plugins_manager.get_fastapi_plugins()
    assert [app["url_prefix"] for app in apps if app["name"] == "Omnihub"] == ["/hub"]


def test_no_page_is_left_out_below() -> None:
    from hub.airflow.pages import application

    assert ["/hub" + route.path.replace("{run}", "some-run") for route in application().routes] == PAGES


@pytest.mark.parametrize("path", PAGES)
def test_no_page_opens_without_a_sign_in(client: Any, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", PAGES)
def test_no_page_opens_with_a_forged_token(client: Any, path: str) -> None:
    import jwt

    forged = jwt.encode({"sub": "admin", "role": "ADMIN", "exp": 4102444800}, "x" * 64, algorithm="HS512")
    assert client.get(path, headers={"Authorization": f"Bearer {forged}"}).status_code in (401, 403)


def test_a_browser_is_led_to_the_sign_in_and_back(client: Any) -> None:
    answer = client.get("/hub/runs", headers={"Accept": "text/html"})
    assert answer.status_code == 302
    assert answer.headers["location"] == "/auth/login?next=/hub/runs"


def test_the_pages_describe_themselves_to_nobody(client: Any, token: str) -> None:
    signed_in = {"Authorization": f"Bearer {token}"}
    for path in ("/hub/openapi.json", "/hub/docs", "/hub/redoc"):
        assert client.get(path, headers=signed_in).status_code == 404


def test_a_person_who_is_signed_in_sees_the_runs(
    client: Any, token: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.journal import connect, migrate, runs

    monkeypatch.setenv("HUB_DATABASE_URL", database)
    migrate(database)
    with connect(database) as journal:
        run = runs.start(journal, "ingest", "stock", "erp")
        counts = {"read": 12, "changed": 2, "compared": 7}
        runs.finish(journal, run, "done", counts, "12 read <script>alert(1)</script>")
    signed_in = {"Authorization": f"Bearer {token}"}
    page = client.get("/hub/runs", headers=signed_in)
    assert page.status_code == 200
    assert run in page.text
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    one = client.get(f"/hub/runs/{run}", headers=signed_in)
    assert one.status_code == 200
    assert '<th scope="row">read</th><td class="n">12</td>' in one.text
    assert '<th scope="row">compared</th><td class="n">7</td>' in one.text
    assert client.get("/hub/runs/none-such", headers=signed_in).status_code == 404


def test_a_person_who_is_signed_in_sees_which_systems_are_left_alone_since_when_and_why(
    client: Any, token: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from hub.journal import breakers, connect, migrate

    monkeypatch.setenv("HUB_DATABASE_URL", database)
    migrate(database)
    pace, at = breakers.Pace(after=1, first=5, longest=300), datetime(2026, 11, 22, 10, tzinfo=UTC)
    with connect(database) as journal:
        breakers.failed(journal, "erp", "erp cannot be reached <b>", at, pace, probing=False, jitter=1.0)
    page = client.get("/hub/systems", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    assert "open since 2026-11-22 10:00:00 UTC" in page.text
    assert "erp cannot be reached &lt;b&gt;" in page.text
    assert "asked again at 2026-11-22 10:00:05 UTC" in page.text
    assert page.text.count(">closed<") == 5
