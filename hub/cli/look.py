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
    """Read hub.yaml, schemas, mappings with their cases, connectors and connections; name every mistake with its place."""
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
            [s["system"], s["connector"], "ok" if s["ok"] else "DOWN", s["detail"], s["budget"], s["open"], when(s["read_until"])]
            for s in found
        ]  # fmt: skip
        table("Systems", columns, rows)
    raise typer.Exit(0 if all(s["ok"] for s in found) else 1)


def trace(
    object: Annotated[
        str, typer.Argument(help="A canonical object: stock_level, stock_movement, reservation, location.")
    ],
    key: Annotated[str, typer.Argument(help="Its business key: SKU@LOCATION for stock.")],
    json: Json = False,
) -> None:
    """The whole story of one key over all systems: who says what and where it was read, what each target should hold and
    why, what it was confirmed to hold, and every step in between.

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
    table(
        "\nWhat is known",
        ["system", "says", "until", "read from", "mapping", ""],
        [
            [r["system"], _short(r["data"]), when(r["vouched_until"]), _origin(r["origin"]), r["mapping"],
             "" if r["counts"] else "another system has the authority here"]
            for r in found["known"]
        ],
    )  # fmt: skip
    table(
        "\nEvents",
        ["happened", "system", "object", "what", "in a snapshot", "read from"],
        [
            [when(e["event_time"]), e["system"], e["object"], _event(e["data"]), "yes" if e["contained"] else "", _origin(e["origin"])]
            for e in found["events"]
        ],
    )  # fmt: skip
    table(
        "\nWhat each target should hold, and holds",
        ["target", "should hold", "generation", "because", "confirmed", "at", ""],
        [
            [t["target"], _short(t["value"]), t["generation"], _short(t["why"]), _short(t["remote"]), when(t["confirmed_at"]),
             "in doubt" if t["suspect"] else ""]
            for t in found["targets"]
        ],
    )  # fmt: skip
    if found["quarantine"]:
        table(
            "\nQuarantine",
            ["number", "state", "system", "field", "reason", "read from"],
            [
                [q["id"], q["state"], q["system"], q["path"], q["reason"], _origin(q["origin"])]
                for q in found["quarantine"]
            ],
        )
    table(
        "\nStep by step",
        ["at", "step", "system", "before", "after", "answer", "run"],
        [[when(a["at"]), a["step"], a["system"], _short(a["before"]), _short(a["after"]), a["answer"], a["run"]] for a in found["timeline"]],
    )  # fmt: skip


def _event(data: dict[str, Any]) -> str:
    if "delta" in data:
        return f"{data['kind']} {data['delta']:+d}"
    return f"{data['kind']} {data['quantity']} for {data['order']}"


def _origin(origin: dict[str, Any] | None) -> str:
    if not origin:
        return ""
    return f"{origin['source']}:{origin['line']}" if origin.get("line") else str(origin["source"])


def _short(value: Any) -> str:
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    return ", ".join(
        f"{k} {v}" for k, v in value.items() if k not in ("sku", "location", "id") and v not in (None, {}, [])
    )
