"""The sandbox as a running thing: six servers on loopback in one process, webhooks, shoppers, and a quick end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.sandbox.background import Background
from hub.sandbox.clock import Clock
from hub.sandbox.live import RATE, Shoppers
from hub.sandbox.retailer import Retailer
from hub.sandbox.sender import Sender
from hub.sandbox.servers import http_server, sftp_server

HOST = "127.0.0.1"
SYSTEMS = ("erp", "stores", "shop", "tills", "pim", "dam")
PAGE = "sandbox"  # the name of its own page beside them
PATIENCE = 1.0  # seconds for work under way when the sandbox is stopped
Ready = Callable[[Mapping[str, int]], None]


async def serve(
    retailer: Retailer,
    ports: Mapping[str, int],
    gateway_url: str | None = None,
    *,
    live: bool = False,
    rate: float = RATE,
    stop: asyncio.Event | None = None,
    ready: Ready | None = None,
) -> None:
    """Serve until ``stop`` is set; ``ready`` gets the real ports (0 asks for a free one) once all listen.

    The sandbox's own page is served where ``ports`` names one for :data:`PAGE`.
    Webhooks go to ``gateway_url``; without one they wait. A taken port is a :class:`ConfigError`.
    """
    stop = stop or asyncio.Event()
    async with AsyncExitStack() as stack:
        taken = {name: await _listen(stack, retailer, name, ports.get(name, 0), stop) for name in SYSTEMS}
        if PAGE in ports:
            taken[PAGE] = await _page(stack, retailer, {**taken}, ports[PAGE], stop)
        with _beside(retailer, gateway_url, live, rate):
            if ready:
                ready(taken)
            await stop.wait()


async def _listen(stack: AsyncExitStack, retailer: Retailer, name: str, port: int, stop: asyncio.Event) -> int:
    """Start one system's server, to be stopped with ``stack``; answers the port it listens on."""
    server = sftp_server(retailer.stores, port) if name == "stores" else http_server(_app(retailer, name), port, stop)
    return await _begun(stack, server, name, port)


async def _page(
    stack: AsyncExitStack, retailer: Retailer, systems: Mapping[str, int], port: int, stop: asyncio.Event
) -> int:
    from hub.sandbox.page import application

    return await _begun(stack, http_server(application(retailer, systems), port, stop), PAGE, port)


async def _begun(stack: AsyncExitStack, server: AbstractAsyncContextManager[int], name: str, port: int) -> int:
    try:
        return await stack.enter_async_context(server)
    except OSError as error:
        raise ConfigError(f"the sandbox's {name} cannot listen on port {port}: {error.strerror or error}") from error


def _app(retailer: Retailer, name: str) -> Any:
    """One system with the faults that are asked for in front of it."""
    from hub.sandbox.faults.layer import Layer

    expire = retailer.pim.tokens.expire if name == "pim" else None
    return Layer(getattr(retailer, name).app(), name, retailer.ledger, expire)


@contextmanager
def _beside(retailer: Retailer, gateway_url: str | None, live: bool, rate: float) -> Iterator[None]:
    """The threads beside the servers, started and stopped with them."""
    threads = []
    if gateway_url:
        sender = Sender(retailer.webhooks, {"shop": retailer.shop, "tills": retailer.tills}, gateway_url)
        threads.append(Background("webhook sender", sender.step))
    if live:
        threads.append(Background("shoppers", Shoppers(retailer, rate).step))
        threads.append(Background("back office", retailer.erp.back_office_step))
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.stop, PATIENCE)
        yield


# --- how to reach it ------------------------------------------------------------------------------


def connections(retailer: Retailer, ports: Mapping[str, int], gateway_url: str | None = None) -> dict[str, Any]:
    """What a client needs for each system, in the shape of connections.json; it holds secrets."""
    from hub.sandbox.erp.system import LOGIN as ERP_LOGIN
    from hub.sandbox.page.entry import LOGIN as PAGE_LOGIN
    from hub.sandbox.page.entry import Entry
    from hub.sandbox.stores.system import LOGIN as STORES_LOGIN

    at = {name: {"host": HOST, "port": ports[name]} for name in SYSTEMS}
    http = {"conn_type": "http", "schema": "http"}
    stores = {"private_key_file": str(retailer.stores.private_key_file), "host_key": retailer.stores.host_key}
    tills = {"webhook_signature_key": retailer.tills.signature_key}
    pim = {"username": retailer.pim.username, "password": retailer.pim.password}
    if gateway_url:
        tills["webhook_url"] = gateway_url.rstrip("/") + "/hooks/tills"
    own = {}
    if PAGE in ports:
        entry = Entry(retailer.state)
        own[PAGE] = {**http, "host": HOST, "port": ports[PAGE], "login": PAGE_LOGIN, "password": entry.password}
    return {
        **own,
        "erp": {**http, **at["erp"], "login": ERP_LOGIN, "password": retailer.erp.password},
        "stores": {"conn_type": "sftp", **at["stores"], "login": STORES_LOGIN, "extra": stores},
        "shop": {
            **http,
            **at["shop"],
            "password": retailer.shop.token,
            "extra": {"webhook_secret": retailer.shop.webhook_secret},
        },
        "tills": {**http, **at["tills"], "password": retailer.tills.token, "extra": tills},
        "pim": {
            **http,
            **at["pim"],
            "login": retailer.pim.client_id,
            "password": retailer.pim.secret,
            "extra": pim,
        },
        "dam": {**http, **at["dam"], "password": retailer.dam.token},
    }


def write_connections(path: Path, found: Mapping[str, Any]) -> None:
    """Put the sandbox's connections into ``path`` (mode 600), beside those of other systems."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({**known, **found}, file, indent=2)
    part.replace(path)


# --- ways to run it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox that answers."""

    retailer: Retailer
    ports: Mapping[str, int]
    connections: Mapping[str, Any]

    @property
    def urls(self) -> dict[str, str]:
        """``http://127.0.0.1:port`` by system, ``sftp://`` for the stores."""
        return {name: f"{'sftp' if name == 'stores' else 'http'}://{HOST}:{port}" for name, port in self.ports.items()}


@contextmanager
def running(
    retailer: Retailer, gateway_url: str | None = None, *, page: bool = False, **options: Any
) -> Iterator[Running]:
    """Serve from a thread on free ports while the block lasts; options as :func:`serve` takes them."""
    server = _Thread(retailer, {PAGE: 0} if page else {}, gateway_url, options)
    ports = server.begin()
    try:
        found = connections(retailer, ports, gateway_url)
        yield Running(retailer=retailer, ports=ports, connections=found)
    finally:
        server.end()


class _Thread:
    """:func:`serve` in a thread with a loop of its own."""

    def __init__(
        self, retailer: Retailer, ports: Mapping[str, int], gateway_url: str | None, options: Mapping[str, Any]
    ) -> None:
        self._wanted = ports
        self._serve = (retailer, gateway_url, options)
        self._told = threading.Event()
        self._ports: Mapping[str, int] = {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sandbox")

    def begin(self) -> Mapping[str, int]:
        """The ports once all servers listen; raises what kept them from it."""
        self._thread.start()
        self._told.wait()
        if self._error:
            self._thread.join()
            raise self._error
        return self._ports

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self) -> None:
        retailer, gateway_url, options = self._serve
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            await serve(retailer, self._wanted, gateway_url, stop=self._stop, ready=self._ready, **options)
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits in begin()
            self._error = error
            self._told.set()

    def _ready(self, ports: Mapping[str, int]) -> None:
        self._ports = dict(ports)
        self._told.set()


def main(
    home: Path,
    ports: Mapping[str, int],
    gateway_url: str | None = None,
    live: bool = False,
    seed: int = 7,
    *,
    connections_file: Path | None = None,
    clock: Clock | None = None,
) -> None:
    """Run the sandbox in this process until SIGTERM or SIGINT.

    Its state lives under ``home``; how to reach it is written to ``connections_file`` (default
    ``home/connections.json``) as soon as every system listens.
    """
    retailer = Retailer(home, seed=seed, clock=clock)
    target = connections_file or home / "connections.json"

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(retailer, ports, gateway_url, live=live, stop=stop, ready=ready)

    def ready(taken: Mapping[str, int]) -> None:
        write_connections(target, connections(retailer, taken, gateway_url))

    try:
        asyncio.run(run())
    finally:
        retailer.close()
