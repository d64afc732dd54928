"""``hub up`` and ``hub reset``: the whole hub on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.say import Json, as_json, line, sure, table

if TYPE_CHECKING:
    from hub.flow import Outcome
    from hub.local.site import Site


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(reset)


def up(
    once: Annotated[
        bool, typer.Option("--once", help="One pass of every flow without Airflow, a summary, exit.")
    ] = False,
    airflow: Annotated[bool, typer.Option("--airflow/--no-airflow", help="Run the flows in Airflow.")] = True,
    json: Json = False,
) -> None:
    """Start everything on this machine: database, sandbox systems, gateway, Airflow. Ctrl-C stops it.

    The first start takes a minute and prints the address and the sign-in. HUB_PORT moves all ports,
    HUB_HOME the data, so that two clones run side by side.

    `hub up --once --json` prints as its last line {"flows": {"stock": {...counts...}}, "seconds": s}.
    """
    from hub.cli.place import site

    if once:
        raise typer.Exit(_once(site(), json))
    from hub.local.up import up as run_up

    raise typer.Exit(run_up(site(), airflow=airflow))


def _once(site: Site, json: bool) -> int:
    """One pass of every flow against the sandbox; the highest exit code of its flows."""
    from rich.console import Console

    from hub.flow import Engine
    from hub.local.ground import ground, start_sandbox
    from hub.local.site import SANDBOX

    began = time.monotonic()
    console = Console(stderr=True, quiet=json)
    with console.status("starting") as status, ground(site, console.print, ports=SANDBOX) as on:
        start_sandbox(on, live=False, gateway=False)
        with Engine.open(site.project, dsn=on.dsn) as engine:
            outcomes = engine.once(report=status.update)
    _summary(outcomes, time.monotonic() - began, json)
    return max((outcome.exit_code for outcome in outcomes.values()), default=0)


def _summary(outcomes: dict[str, Outcome], seconds: float, json: bool) -> None:
    if json:
        as_json({"flows": {flow: o.counts for flow, o in outcomes.items()}, "seconds": round(seconds, 2)})
        return
    for outcome in outcomes.values():
        line(outcome.sentence)
    table(
        f"One pass in {seconds:.1f} s",
        ["flow", *next(iter(outcomes.values())).counts],
        [[flow, *outcome.counts.values()] for flow, outcome in outcomes.items()],
    )


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Empty HUB_HOME: the journal, the sandbox, Airflow's database, passwords. Cannot be undone; asks first."""
    from hub.cli.place import site
    from hub.local.reset import remove

    home = site().home
    if not home.exists():
        as_json({"removed": []}) if json else line(f"{home} is not there: nothing to reset")
        return
    if not yes:
        sure(f"Remove everything in {home}?")
    removed = remove(home)
    as_json({"removed": [str(path) for path in removed]}) if json else line(f"{home} is empty")
