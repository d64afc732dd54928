"""Real processes that may be killed at any moment: sandbox, gateway and workers, forked from one that has imported all.

Starting Python anew for each kill would take seconds; a fork takes 20 ms. The one that forks is
:mod:`multiprocessing`'s own server of forks; it and all that it forked end with the process that asked for them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from itertools import count
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from hub import points

OURS = "HUB_"  # how the names of all variables begin that tell a hub where its database and its systems are
# Everything that a worker or a gateway imports on its way, so that no kill waits for it.
PRELOAD = (
    "hub.certify.preload",
    "hub.cli",
)


def start(main: Callable[..., None], *arguments: Any, env: Mapping[str, str], log: Path) -> ForkServerProcess:
    """Run ``main(*arguments)`` in a process of its own, with ``env`` around it; its output goes to ``log``."""
    context = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOAD))
    process = context.Process(target=_run, args=(main, arguments, dict(env), log), daemon=True)
    process.start()
    return process


def end(process: ForkServerProcess, patience: float = 5.0) -> None:
    """Ask it to end, and kill it where it does not."""
    process.terminate()
    process.join(patience)
    if process.is_alive():
        process.kill()
        process.join()


def _run(main: Callable[..., None], arguments: tuple[Any, ...], env: Mapping[str, str], log: Path) -> None:
    _die_with_who_asked()
    only(env)
    with log.open("ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    points.arm(env.get(points.VARIABLE))
    main(*arguments)


def only(values: Mapping[str, str]) -> None:
    """Of the hub's variables only ``values`` in this process."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(values)


def _die_with_who_asked() -> None:
    """End with the process that asked for this one, and with the one that forked it, however those end."""
    if sys.platform.startswith("linux"):
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, int(signal.SIGKILL), 0, 0, 0)
    asked = parent_process()
    if asked is not None:
        threading.Thread(target=_end_after, args=(asked.sentinel,), name="who asked", daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


# --- what they do ---------------------------------------------------------------------------------


def sandbox(home: Path, haste: float, gateway_url: str, connections: Path, live: float) -> None:
    """The simulated retailer on free ports until SIGTERM; with ``live`` customers a minute."""
    import asyncio

    from hub.sandbox.retailer import Retailer
    from hub.sandbox.serve import connections as found
    from hub.sandbox.serve import serve, write_connections

    retailer = Retailer(home, haste=haste)

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        more: dict[str, Any] = {"live": True, "rate": live} if live else {}
        await serve(retailer, {}, gateway_url, stop=stop, ready=ready, **more)

    def ready(ports: Mapping[str, int]) -> None:
        write_connections(connections, found(retailer, ports, gateway_url))

    asyncio.run(run())


def gateway(project: Path, port: int) -> None:
    """The gateway of ``project`` as ``python -m hub.gateway`` runs it."""
    import sys

    from hub.gateway.__main__ import main

    sys.argv = ["hub.gateway", "--port", str(port), "--project", str(project)]
    main()


def worker(project: Path, order: int, rounds: int | None = None) -> None:
    """Every source of every flow and every target, ``rounds`` times or for ever, in an order that ``order`` draws."""
    import logging
    import os
    import random

    from hub.flow import Engine
    from hub.local.runner import Runner

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s")
    draw = random.Random(order)  # noqa: S311 - repeatable, not secret
    with Engine.open(project, dsn=os.environ["HUB_DATABASE_URL"]) as engine:
        runner = Runner(engine)
        for _ in count() if rounds is None else range(rounds):
            runner.sources = dict.fromkeys(draw.sample(sorted(runner.sources), len(runner.sources)), 0.0)
            runner.targets = dict.fromkeys(draw.sample(sorted(runner.targets), len(runner.targets)), 0.0)
            runner.step()
