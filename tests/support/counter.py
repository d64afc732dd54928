"""A counter to ask: a gateway on a real port over a journal that tests fill with what systems have told.

Every answer is held against the OpenAPI description that the gateway gives of itself.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import uvicorn
from jsonschema import Draft202012Validator
from psycopg.types.json import Jsonb
from support.scene import ROOT, SetClock

from hub.gateway import application
from hub.journal import clients, connect, migrate, price_history
from hub.journal.clients import SCOPES

PAGE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp:    {connector: soap_erp}
  stores: {connector: sftp_files}
  shop:   {connector: shopify}
  tills:  {connector: square}
authority:
  stock_level: {WH1: erp, "ST*": stores}
channels:
  shop: {sells_from: [WH1, "ST*"], safety_stock: {default: 1, WH1: 0}, stale_after: 36h, country: FR, price_list: WEB}
  pos:  {country: FR, price_list: RETAIL}
flows:
  stock:
    sources: {erp: {every: 5m}, stores: {on: arrival}, tills: {on: event}, shop: {on: event, every: 5m}}
    targets: {shop: {value: available, channel: shop}}
  price:
    sources: {erp: {every: 5m}}
    targets: {shop: {value: price, channel: shop}}
"""
PLACES = {"WH1": ("47.9025", "1.9090"), "ST01": ("48.8556", "2.3522"), "ST02": ("45.7640", "4.8357")}


class Counter:
    """What a test plays with: what is known, who asks, and the time."""

    def __init__(self, project: Path, dsn: str) -> None:
        self.project = project
        self.dsn = dsn
        self.clock = SetClock()
        self.url = ""
        self.rung: list[str] = []
        self.keys: dict[str, str] = {}

    def ring(self, uri: str) -> bool:
        self.rung.append(uri)
        return True

    # --- what systems have told ----------------------------------------------------------------------

    def level(self, sku: str, place: str, on_hand: int, *, as_of: datetime | None = None, **more: Any) -> None:
        """The authority's word on one location, as of an hour ago."""
        data = {"sku": sku, "location": place, "on_hand": on_hand, "unit": "C62", **more}
        system = "erp" if place == "WH1" else "stores"
        moment = as_of or self.clock.now() - timedelta(hours=1)
        self.state(system, "stock_level", f"{sku}@{place}", sku, data, moment)

    def state(self, system: str, object: str, key: str, subject: str, data: Any, as_of: datetime | None = None) -> None:
        with connect(self.dsn) as journal:
            journal.execute(
                """INSERT INTO source_state
                       (system, object, key, subject, data, as_of, source_key, origin, mapping, run)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', 'm', 'r')
                   ON CONFLICT (system, object, key) DO UPDATE SET data = excluded.data, as_of = excluded.as_of""",
                (system, object, key, subject, Jsonb(data), as_of or self.clock.now(), key),
            )

    def event(self, system: str, object: str, id: str, key: str, subject: str, **data: Any) -> None:
        with connect(self.dsn) as journal:
            journal.execute(
                """INSERT INTO event (system, object, id, key, subject, data, event_time, origin, mapping, run)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', 'm', 'r')""",
                (system, object, id, key, subject, Jsonb({"id": id, **data}), self.clock.now()),
            )

    def sale(self, sku: str, place: str, id: str) -> None:
        """One piece over the till, now."""
        now = self.clock.now().isoformat()
        told = {"sku": sku, "location": place, "kind": "sale", "delta": -1, "occurred_at": now, "recorded_at": now}
        self.event("tills", "stock_movement", id, f"{sku}@{place}", sku, **told)

    def price(self, sku: str, entry: str, amount: str, **more: Any) -> None:
        """An entry of the ERP's price lists, regular and valid since yesterday unless said otherwise."""
        since = (self.clock.now() - timedelta(days=1)).isoformat()
        data = {"sku": sku, "entry": entry, "kind": "regular", "amount": amount, "currency": "EUR"}
        data |= {"tax_included": True, "valid_from": since, **more}
        self.state("erp", "price", f"{sku}@{entry}", sku, data)

    def asked(self, target: str, sku: str, amount: str, since: datetime) -> None:
        """A price that a channel confirmed."""
        with connect(self.dsn) as journal:
            price_history.note(journal, target, {sku: (amount, "EUR")}, since)

    # --- who asks ------------------------------------------------------------------------------------

    def client(self, name: str, *scopes: str, channel: str | None = None, per_second: float = 1000) -> str:
        """The name of a client, made with every scope unless some are named."""
        with connect(self.dsn) as journal:
            self.keys[name] = clients.add(journal, name, scopes or tuple(SCOPES), channel, per_second)
        return name

    def ask(self, method: str, path: str, client: str | None = "anybody", **arguments: Any) -> requests.Response:
        """One request to ``/v1``; its answer is what the description says it may be."""
        headers = dict(arguments.pop("headers", {}))
        if client is not None:
            headers["Authorization"] = f"Bearer {self.keys.get(client, client)}"
        answer = requests.request(method, f"{self.url}/v1{path}", headers=headers, timeout=20, **arguments)
        self.described(method, path, answer)
        return answer

    def get(self, path: str, client: str | None = "anybody", **query: Any) -> Any:
        answer = self.ask("GET", path, client, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reserve(self, key: str, client: str = "anybody", **wanted: Any) -> requests.Response:
        return self.ask("POST", "/reservations", client, json=wanted, headers={"Idempotency-Key": key})

    def refusal(self, method: str, path: str, client: str | None = "anybody", **arguments: Any) -> tuple[int, str, str]:
        """Status, the stable word and the sentence of a problem."""
        answer = self.ask(method, path, client, **arguments)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        body = answer.json()
        assert body["status"] == answer.status_code
        return answer.status_code, body["type"].removeprefix("urn:omnihub:problem:"), body["detail"]

    # --- the description -------------------------------------------------------------------------------

    @cached_property
    def description(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/v1/openapi.json", timeout=20).json()
        return found

    def described(self, method: str, path: str, answer: requests.Response) -> None:
        """Hold an answer against the description; paths that it does not know are nobody's."""
        operation = self._operation(method, path)
        if operation is None:
            return
        said = operation["responses"].get(str(answer.status_code))
        assert said is not None, f"{method} {path}: {answer.status_code} is not described"
        media = answer.headers.get("content-type", "")
        if not said.get("content"):
            assert answer.content == b""
            return
        schema = {**said["content"][media]["schema"], "components": self.description["components"]}
        Draft202012Validator(schema).validate(answer.json())

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        parts = urlsplit(path).path.split("/")
        for template, operations in self.description["paths"].items():
            pattern = template.split("/")
            fits = all(a.startswith("{") or a == b for a, b in zip(pattern, parts, strict=False))
            if fits and len(pattern) == len(parts) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        return None


@contextmanager
def counter(folder: Path, dsn: str, monkey_home: Any) -> Iterator[Counter]:
    """A gateway over an empty journal, its three locations known."""
    project = folder / "project"
    project.mkdir()
    for name in ("mappings", "canonical_schemas"):
        shutil.copytree(ROOT / name, project / name)
    (project / "hub.yaml").write_text(PAGE, encoding="utf-8")
    monkey_home.setenv("HUB_HOME", str(folder / "home"))
    migrate(dsn)
    made = Counter(project, dsn)
    for place, (latitude, longitude) in PLACES.items():
        told = {"location": place, "name": f"Name of {place}", "kind": "warehouse" if place == "WH1" else "store"}
        made.state("erp", "location", place, place, {**told, "latitude": latitude, "longitude": longitude})
    made.client("anybody")
    app = application(project, dsn=dsn, connections=_nobody, ringer=made, watch=False, clock=made.clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield made
    finally:
        server.should_exit = True
        thread.join()


def _nobody(id: str) -> Any:
    raise AssertionError(f"the counter called {id}: it answers from the journal alone")


def described() -> dict[str, Any]:
    """The Specification's own schema of an OpenAPI 3.1 document (github.com/OAI/OpenAPI-Specification, Apache 2.0)."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("openapi-3.1.json").read_text(encoding="utf-8"))
    return found
