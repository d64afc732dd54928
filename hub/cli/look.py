"""``hub check`` and ``hub systems``: looking, without changing anything."""

from __future__ import annotations

import typer

from hub.cli.say import Json, as_json, line, table, when


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


def systems(json: Json = False) -> None:
    """Each system of hub.yaml: reachable or why not, what is left of its budget, and what waits for it."""
    from hub.cli.place import engine
    from hub.flow.check import look_at_systems

    with engine() as hub:
        found = look_at_systems(hub)
    if json:
        as_json({"systems": found})
    else:
        columns = ["system", "connector", "", "detail", "budget left", "waiting", "read until"]
        rows = [
            [
                s["system"],
                s["connector"],
                "ok" if s["ok"] else "DOWN",
                s["detail"],
                s["budget"],
                s["open"],
                when(s["read_until"]),
            ]
            for s in found
        ]
        table("Systems", columns, rows)
    raise typer.Exit(0 if all(s["ok"] for s in found) else 1)
