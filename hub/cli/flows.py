"""``hub run`` and ``hub bind``: flows by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.say import Json, as_json, line, progress

Flow = Annotated[str, typer.Argument(help="A flow of hub.yaml, as in: stock")]


def add_to(app: typer.Typer) -> None:
    app.command()(run)
    app.command()(bind)


def run(
    flow: Flow,
    system: Annotated[str | None, typer.Option("--system", help="Read this source alone.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Read again from this moment (2026-11-20T06:00:00+01:00).")
    ] = None,
    json: Json = False,
) -> None:
    """One pass of FLOW without Airflow: read every source (or --system), derive, deliver to every target.

    Running it twice changes nothing: what is known already is counted as unchanged and nothing is sent.
    """
    from hub.cli.place import engine

    with engine() as hub, progress(quiet=json) as report:
        outcome = hub.pass_of(flow, system=system, since=since, report=report)
    as_json({"flow": flow, **outcome.counts, "run": outcome.run}) if json else line(outcome.sentence)
    raise typer.Exit(outcome.exit_code)


def bind(
    flow: Flow,
    by: Annotated[str, typer.Option("--by", help="What to match first: sku or gtin.")] = "sku",
    json: Json = False,
) -> None:
    """Match what each target of FLOW already holds with our keys, by SKU or GTIN, before anything is sent to it."""
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.flow.bind import bind as bind_flow

    if by not in ("sku", "gtin"):
        raise ConfigError(f'--by is sku or gtin, not "{by}"')
    with engine() as hub:
        outcomes = bind_flow(hub, flow, by)
    if json:
        as_json({target: {"sentence": o.sentence, **o.counts} for target, o in outcomes.items()})
        return
    for outcome in outcomes.values():
        line(outcome.sentence)
