"""``hub quarantine``: what was refused, why, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, table, when

app = typer.Typer(
    help="Refused records: what, why, and where they came from. Nothing is ever thrown away.", no_args_is_help=True
)


@app.command("list")
def list_(
    all: Annotated[
        bool, typer.Option("--all", help="Every open record by itself instead of grouped by cause.")
    ] = False,
    json: Json = False,
) -> None:
    """Open records grouped by cause, the most frequent first; then the snapshots that a guard holds, and why."""
    from hub.cli.place import engine
    from hub.journal import quarantine, snapshots

    with engine() as hub:
        causes, held = quarantine.causes(hub.journal), snapshots.held(hub.journal)
        entries = quarantine.listing(hub.journal) if all or json else []
    if json:
        as_json({"causes": causes, "records": entries, "held": held})
        return
    if all:
        _by_record(entries)
    else:
        _by_cause(causes)
    if held:
        _held(held)


def _by_record(entries: Sequence[dict[str, Any]]) -> None:
    rows = [
        [
            e["id"],
            e["system"],
            e["object"],
            e["key"] or e["source_key"],
            e["path"],
            e["reason"],
            place_of(e["origin"]),
        ]
        for e in entries
    ]
    table("Quarantine", ["number", "system", "object", "key", "field", "reason", "read from"], rows)


def _by_cause(causes: Sequence[dict[str, Any]]) -> None:
    names = ["records", "cause", "systems", "first seen", "last seen", "fingerprint"]
    rows = [
        [
            c["records"],
            c["cause"],
            ", ".join(c["systems"]),
            when(c["first_seen"]),
            when(c["last_seen"]),
            c["fingerprint"],
        ]
        for c in causes
    ]
    table("Quarantine by cause", names, rows)


def _held(held: Sequence[dict[str, Any]]) -> None:
    """A newer snapshot of the same series supersedes them."""
    rows = [[h["system"], h["source"], when(h["as_of"]), h["rows"], h["reason"], when(h["seen_at"])] for h in held]
    table("\nHeld for a person", ["system", "snapshot", "as of", "lines", "because", "since"], rows)


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="The record's number in `hub quarantine list --all`.")],
    json: Json = False,
) -> None:
    """One refused record: the field, the sentence, the place, and the record as it arrived."""
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.journal import quarantine

    with engine() as hub:
        entry = quarantine.show(hub.journal, number)
        if entry is None:
            raise ConfigError(f"no record number {number} in quarantine; see: hub quarantine list --all")
        raw = hub.vault.open(hub.journal, entry["raw"]).decode("utf-8", "replace")
    if json:
        as_json({**entry, "record": raw})
        return
    key = entry["key"] or entry["source_key"] or ""
    line(f"[bold]{entry['system']} {entry['object']} {key}[/bold]  {entry['state']}")
    line(f"{entry['path']}: {entry['reason']}" if entry["path"] else entry["reason"])
    seen = f"seen {entry['seen']} times, mapping {entry['mapping'] or 'none'}, run {entry['run']}"
    line(f"read from {place_of(entry['origin'])}, {seen}")
    from rich.markup import escape

    line(escape(raw))


def place_of(origin: dict[str, object]) -> str:
    """``file:line`` where a record was read."""
    return f"{origin['source']}:{origin['line']}" if origin.get("line") else str(origin["source"])
