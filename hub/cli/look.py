"""``hub check``, ``hub systems``, ``hub trace``: looking, without changing anything."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, table, when


def add_to(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(systems)
    app.command()(trace)


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


def trace(
    object: Annotated[
        str, typer.Argument(help="A canonical object: stock_level, stock_movement, reservation, location.")
    ],
    key: Annotated[str, typer.Argument(help="Its business key: SKU@LOCATION for stock.")],
    json: Json = False,
) -> None:
    """The whole story of one key over all systems.

    Who says what and where it was read, what each target should hold and why, what it was confirmed to
    hold, and every step in between.

    Example: hub trace stock_level TS0001-M-BLU@ST01
    """
    from hub.cli.place import engine
    from hub.flow.trace import trace as trace_key

    with engine() as hub:
        found = trace_key(hub, object, key)
    if json:
        as_json(found)
        return
    _story(found)


def _story(found: dict[str, Any]) -> None:
    line(f"[bold]{found['object']} {found['key']}[/bold]")
    _section("What is known", [_known(row) for row in found["known"]])
    _section("Events", [_event(row) for row in found["events"]])
    _section("What each target should hold, and holds", [_target(row) for row in found["targets"]])
    _section("Quarantine", [_refused(row) for row in found["quarantine"]])
    _section("Step by step", [_step(row) for row in found["timeline"]])


def _section(title: str, entries: list[list[str]]) -> None:
    """A title and its entries: a first line each, and what belongs to it indented below."""
    from rich.markup import escape

    if entries:
        line(f"\n[bold]{title}[/bold]")
    for first, *rest in entries:
        line(f"  {escape(first)}")
        for more in filter(None, rest):
            line(f"      [dim]{escape(more)}[/dim]")


def _known(row: dict[str, Any]) -> list[str]:
    counts = "" if row["counts"] else "  (another system has the authority here)"
    detached = "  (its latest snapshot did not speak for it)" if row["detached"] else ""
    return [
        f"{row['system']:8} {_short(row['data'])}{counts}{detached}",
        f"vouched for until {when(row['vouched_until'])}",
        f"read from {_origin(row['origin'])} by {row['mapping']}",
    ]


def _event(row: dict[str, Any]) -> list[str]:
    data = row["data"]
    what = f"{data['kind']} {data['delta']:+d}" if "delta" in data else f"{data['kind']} {data['quantity']}"
    ticket = data.get("ticket")
    details = [data["order"]] if "order" in data else []
    details += [f"till {ticket['till']}, ticket {ticket['business_day']}/{ticket['sequence']}"] if ticket else []
    details += ["in the authority's numbers already"] if row["contained"] else []
    return [
        f"{when(row['event_time'])}  {row['system']:8} {what}",
        "; ".join(details),
        f"read from {_origin(row['origin'])} by {row['mapping']}",
    ]


def _target(row: dict[str, Any]) -> list[str]:
    holds = f"confirmed {_short(row['remote'])} at {when(row['confirmed_at'])}" if row["remote"] else "never confirmed"
    doubt = ", in doubt" if row["suspect"] else ""
    return [
        f"{row['target']:8} should hold {_short(row['value'])} (generation {row['generation']}), {holds}{doubt}",
        f"because {_short(row['why'])}",
    ]


def _refused(row: dict[str, Any]) -> list[str]:
    return [f"{row['system']:8} {row['state']}: {row['path']}: {row['reason']}", f"read from {_origin(row['origin'])}"]


def _step(row: dict[str, Any]) -> list[str]:
    after = {k: v for k, v in (row["after"] or {}).items() if k not in ("because", "as_of")}
    change = " -> ".join(filter(None, [_short(row["before"]), _short(after)]))
    answer = f"  {row['answer']}" if row["answer"] else ""
    origin = f"read from {_origin(row['origin'])} by {row['mapping']}" if row["origin"] else ""
    return [f"{when(row['at'])}  {row['step']:11} {row['system']:8} {change}{answer}", origin, f"run {row['run']}"]


def _origin(origin: dict[str, Any]) -> str:
    return f"{origin['source']}:{origin['line']}" if origin.get("line") else str(origin["source"])


def _short(value: Any) -> str:
    """A value in words: what is in the key anyway is left out."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    shown = {k: v for k, v in value.items() if k not in ("sku", "location", "id") and v not in (None, {}, [])}
    return ", ".join(f"{k.replace('_', ' ')} {_short(v)}" for k, v in shown.items())
