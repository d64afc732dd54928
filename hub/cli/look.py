"""``hub check`` and ``hub systems``: looking, without changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, table, when

if TYPE_CHECKING:
    from hub.flow import Engine


def add_to(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(systems)


def check(json: Json = False) -> None:
    """Read hub.yaml, schemas, mappings with their cases, connectors, connections; name every mistake with its place."""
    from hub.cli.place import site
    from hub.flow.check import check_project

    findings = check_project(site().project)
    wrong = [f for f in findings if not f.ok]
    if json:
        as_json({"ok": not wrong, "findings": [{"ok": f.ok, "what": f.what, "detail": f.detail} for f in findings]})
    else:
        for finding in findings:
            line(f"{'[green]✓[/green]' if finding.ok else '[red]✗[/red]'} {finding.what}  {finding.detail}")
    raise typer.Exit(2 if wrong else 0)


def systems(
    close: Annotated[
        str | None, typer.Option("--close", help="Let everybody call this system again, before one has asked.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", help="With --close: the reason, for the audit trail.")] = None,
    json: Json = False,
) -> None:
    """Each system of hub.yaml: reachable or why not, its circuit, what is left of its budget, and what waits for it.

    A circuit opens when a system did not answer several calls in a row: then it is left alone but for one call now
    and then, and closes with its first answer. To look here is such a call.

    Example: hub systems --close erp --why "restarted by its supplier"
    """
    from hub.cli.place import engine
    from hub.flow.check import look_at_systems

    with engine() as hub:
        if close is not None:
            _close(hub, close, why)
        found = look_at_systems(hub)
    if json:
        as_json({"systems": found})
    else:
        columns = ["system", "connector", "", "detail", "circuit", "budget left", "waiting", "read until"]
        rows = [
            [
                s["system"],
                s["connector"],
                "ok" if s["ok"] else "DOWN",
                s["detail"],
                _circuit(s["circuit"]),
                s["budget"],
                s["open"],
                when(s["read_until"]),
            ]
            for s in found
        ]
        table("Systems", columns, rows)
    raise typer.Exit(0 if all(s["ok"] for s in found) else 1)


def _circuit(state: dict[str, Any] | None) -> str:
    return f"open since {when(state['open'])}, asked again at {when(state['probe'])}" if state else "closed"


def _close(hub: Engine, system: str, why: str | None) -> None:
    """By a person, who says why."""
    from hub.errors import ConfigError
    from hub.who import user

    if system not in hub.landscape.systems:
        raise ConfigError(f'no system "{system}"; hub.yaml has {", ".join(hub.landscape.systems)}')
    if not why:
        raise ConfigError("--close needs the reason: --why")
    hub.breakers.close(system, f"{user()}: {why}")
