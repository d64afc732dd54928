"""A retailer's journal to ask about, a gateway over it, and a flow that works on it: each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from hub.connector import Connection
from hub.journal import clients, connect, migrate, recompute, states
from hub.journal.clients import SCOPES
from hub.journal.database import Connection as Journal
from hub.journal.states import State

PROJECT = Path(__file__).resolve().parents[1]
SKUS = tuple(f"TS{n:04d}-{size}-BLU" for n in range(1, 121) for size in ("S", "M", "L", "XL"))
PLACES = ("WH1", *(f"ST{n:02d}" for n in range(1, 21)))
AT_ONCE = 1_000  # levels that the flow keeps in one transaction
PAGE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  erp:    {connector: soap_erp, options: {wsdl: "/wsdl"}}
  stores: {connector: sftp_files, options: {folder: /out, pattern: "STOCK_*.csv", archive: /archive}}
  shop:   {connector: shopify, options: {api: graphql, version: "2026-04"}}
authority:
  stock_level: {WH1: erp, "ST*": stores}
channels:
  shop: {sells_from: [WH1, "ST*"], safety_stock: {default: 1, WH1: 0}, stale_after: 36h, country: FR, price_list: WEB}
flows:
  stock:
    sources: {erp: {every: 5m}, stores: {on: arrival}}
    targets: {shop: {value: available, channel: shop}}
  price:
    sources: {erp: {every: 5m}}
    targets: {shop: {value: price, channel: shop}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where to ask, and with which key."""

    dsn: str
    project: Path
    port: int
    key: str


@contextmanager
def retailer() -> Iterator[Asked]:
    """Everything but the flow, until the block ends."""
    from hub.local.postgres import Server

    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="omnihub-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)  # the database's user must be able to enter
        stack.callback(_environment("HUB_HOME", str(folder / "hub")))
        server = Server(folder / "home")
        stack.callback(server.stop)
        dsn = server.start()
        migrate(dsn)
        project = folder / "project"
        project.mkdir()
        (project / "hub.yaml").write_text(PAGE, encoding="utf-8")
        for name in ("mappings", "canonical_schemas"):
            shutil.copytree(PROJECT / name, project / name)
        with connect(dsn) as journal:
            key = fill(journal)
        with child(serve, dsn, project) as port:
            yield Asked(dsn=dsn, project=project, port=port, key=key)


def fill(journal: Journal) -> str:
    """Stock of every article everywhere, a price and an order of each; answers a client's key."""
    now = datetime.now(UTC)
    for place in PLACES:
        told = {"location": place, "name": place, "kind": "store", "latitude": "48.85", "longitude": "2.35"}
        keep(journal, "erp", "location", [state(place, place, told, now)])
    for system, levels in (("erp", stock(PLACES[:1], now, 0)), ("stores", stock(PLACES[1:], now, 0))):
        keep(journal, system, "stock_level", levels)
    keep(journal, "erp", "price", [state(f"{sku}@WEB", sku, price(sku, now), now) for sku in SKUS])
    keep(journal, "shop", "order", [state(f"SHOP-{n}", f"SHOP-{n}", order(n, sku), now) for n, sku in enumerate(SKUS)])
    journal.execute("ANALYZE")  # as autovacuum would have done by then
    return clients.add(journal, "bench", tuple(SCOPES), "shop", 100_000)


def keep(journal: Journal, system: str, object: str, found: Sequence[State]) -> None:
    with journal.transaction():
        states.apply(journal, system, object, found, series="", snapshot=None, run="bench")


def state(key: str, subject: str, data: dict[str, Any], as_of: datetime) -> State:
    return State(
        key=key, subject=subject, data=data, as_of=as_of, source_key=key, origin={"source": "bench"}, mapping="bench"
    )


def stock(places: Sequence[str], as_of: datetime, turn: int) -> list[State]:
    """What lies in ``places``; another turn, other numbers."""
    return [
        state(
            f"{sku}@{place}",
            sku,
            {"sku": sku, "location": place, "on_hand": 5 + (n + turn) % 40, "unit": "C62"},
            as_of,
        )
        for place in places
        for n, sku in enumerate(SKUS)
    ]


def price(sku: str, now: datetime) -> dict[str, Any]:
    since = (now - timedelta(days=90)).isoformat()
    told = {"sku": sku, "entry": "WEB", "kind": "regular", "amount": "19.90", "currency": "EUR"}
    return {**told, "tax_included": True, "valid_from": since, "scope": {"list": "WEB"}}


def order(number: int, sku: str) -> dict[str, Any]:
    line = {"line": "1", "sku": sku, "quantity": 1, "unit_price": "19.90", "total": "19.90"}
    return {"order": f"SHOP-{number}", "channel": "shop", "kind": "order", "state": "open", "lines": [line]}


def serve(pipe: Pipe, dsn: str, project: Path) -> None:
    """The gateway, as ``python -m hub.gateway`` runs it; says its port."""
    import asyncio

    import uvicorn

    from hub.gateway import application

    app = application(project, dsn=dsn, connections=nowhere, watch=False)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        pipe.send(server.servers[0].sockets[0].getsockname()[1])
        await serving

    asyncio.run(run())


def flow(pipe: Pipe, dsn: str, project: Path) -> None:
    """Store file after store file: levels are kept, availability is derived, the outbox is brought in line."""
    from hub.flow import Engine
    from hub.flow.derive import derive_some
    from hub.flow.outcome import Pass

    chance = random.Random(5)
    with Engine.open(project, connections=nowhere, dsn=dsn) as engine:
        current = Pass(run="bench", flow="stock")
        pipe.send(0)
        for turn in range(1, 1_000_000):
            now = datetime.now(UTC)
            levels = stock(chance.sample(PLACES[1:], 3), now, turn)[:AT_ONCE]
            with engine.journal.transaction():
                states.apply(engine.journal, "stores", "stock_level", levels, series="", snapshot=None, run="bench")
                recompute.mark(engine.journal, "availability", dict.fromkeys((s.subject for s in levels), False), now)
            derive_some(engine, current, "availability", datetime.now(UTC))


def nowhere(id: str) -> Connection:
    """Systems that nobody calls."""
    return Connection(id=id, login="bench", password="bench")  # noqa: S106 - it opens nothing


@contextmanager
def child(work: Any, dsn: str, project: Path) -> Iterator[int]:
    """A process that does ``work`` until the block ends; what it says first."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=work, args=(there, dsn, project), daemon=True)
    process.start()
    try:
        if not here.poll(60):
            raise AssertionError(f"{work.__name__} does not start")
        yield here.recv()
        if not process.is_alive():
            raise AssertionError(f"{work.__name__} has ended before its time")
    finally:
        process.kill()
        process.join()


def _environment(name: str, value: str) -> Any:
    """Set a variable for this process and its children; answers what puts it back."""
    before = os.environ.get(name)
    os.environ[name] = value
    return lambda: os.environ.pop(name) if before is None else os.environ.update({name: before})
