"""``hub sandbox``: the simulated retailer, to develop against."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.faults import add_to as add_faults
from hub.cli.say import Json, as_json, line, sure

if TYPE_CHECKING:
    from hub.sandbox.live import Shoppers

app = typer.Typer(
    help="The simulated retailer: ERP, stores, shop, tills, PIM and DAM over their real protocols.",
    no_args_is_help=True,
)
add_faults(app)


@app.command()
def up(
    live: Annotated[bool, typer.Option("--live", help="With shoppers who buy all the time.")] = False,
) -> None:
    """Run the simulated retailer alone, until Ctrl-C; how to reach it is written to HUB_HOME/connections.json."""
    from hub.cli.place import site
    from hub.local.place import make_home
    from hub.local.reset import in_use
    from hub.local.site import SANDBOX
    from hub.sandbox.serve import main

    here = site()
    make_home(here.home)
    here.check(SANDBOX)
    ports = {name: here.ports[name] for name in SANDBOX}
    for name, port in ports.items():
        line(f"{name:7} 127.0.0.1:{port}")
    line(f"its own page: {here.url('sandbox')}; user and password stand in {here.home / 'connections.json'}")
    with in_use(here.home / "sandbox"):
        main(here.home / "sandbox", ports, here.url("gateway"), live, connections_file=here.home / "connections.json")


@app.command()
def shoppers(
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=6000, help="Customers a minute, on average.")] = 12.0,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="End after this time by itself.")] = None,
    json: Json = False,
) -> None:
    """Let customers buy in the running retailer, until Ctrl-C, and say what they did.

    They come beside those that **hub up** brings: sales at the tills, orders in the shop, and what a retailer's own
    people do all day.

    Example: hub sandbox shoppers --rate 60 --seconds 30
    """
    from hub.cli.place import site
    from hub.errors import ConfigError
    from hub.sandbox.live import Shoppers
    from hub.sandbox.retailer import Retailer

    folder = site().home / "sandbox"
    if not (folder / "sandbox.db").exists():
        raise ConfigError(f"no retailer lives in {folder} yet: start it with hub up or hub sandbox up")
    retailer = Retailer(folder)
    try:
        crowd = Shoppers(retailer, rate)
        came = _let_in(crowd, seconds)
    finally:
        retailer.close()
    if json:
        as_json({"customers": came, "happened": dict(crowd.happened)})
    else:
        what = ", ".join(f"{count:,} {name}" for name, count in crowd.happened.most_common())
        line(f"{came:,} customers: {what}" if came else "nobody came")


def _let_in(crowd: Shoppers, seconds: float | None) -> int:
    """One customer after the other until somebody stops it or the time is over; answers how many came."""
    stop, came = threading.Event(), 0
    before = {n: signal.signal(n, lambda *_: stop.set()) for n in (signal.SIGINT, signal.SIGTERM)}
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    try:
        while not stop.is_set() and time.monotonic() < until:
            pause = crowd.step(stop)
            came += 1
            stop.wait(min(pause, max(0.0, until - time.monotonic())))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return came


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Start the simulated retailer's life anew at the next start; the hub's own journal stays."""
    from hub.cli.place import site
    from hub.local.reset import remove

    folder = site().home / "sandbox"
    if not yes:
        sure(f"Remove the simulated retailer in {folder}?")
    removed = remove(folder)
    as_json({"removed": [str(path) for path in removed]}) if json else line(f"{folder} is empty")
