"""``hub held``: batches that a guard stopped, what they would do, and the decision about each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, table, when
from hub.who import user

app = typer.Typer(
    help="Batches that a guard holds: a snapshot or a reading that looks wrong as a whole, until a person decides.",
    no_args_is_help=True,
)

KEYS = 20  # that `show` names
DECIDED = ("held", "approved", "rejected", "superseded", "failed")

Number = Annotated[int, typer.Argument(help="The batch's number in `hub held list`.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for whoever looks at it later.")]
Who = Annotated[str | None, typer.Option("--as", help="Who decides, where that is not the user of this shell.")]


@app.command("list")
def list_(
    all: Annotated[bool, typer.Option("--all", help="Also those that were decided or superseded.")] = False,
    json: Json = False,
) -> None:
    """What waits for a person, oldest first: what it would do, in words, and which guard it breaks.

    Example: hub held list
    """
    from hub.cli.place import engine
    from hub.journal import held

    with engine() as hub:
        rows = held.listing(hub.journal, DECIDED if all else held.WAITING)
    if json:
        as_json({"held": [_plain(row) for row in rows]})
        return
    _table(rows, decided=all)


def _table(rows: Sequence[dict[str, Any]], *, decided: bool) -> None:
    names = ["number", "system", "batch", "as of", "what it would do", "because", "since"]
    cells = [
        [r["id"], r["system"], r["source"], when(r["as_of"]), r["plan"], r["reason"], when(r["held_at"])] for r in rows
    ]
    if decided:
        names += ["state", "decided by"]
        cells = [[*cell, row["state"], row["decided_by"]] for cell, row in zip(cells, rows, strict=True)]
    table("Held for a person", names, cells)


@app.command()
def show(number: Number, json: Json = False) -> None:
    """One batch: where it comes from, what it would do, which guard it breaks, keys that it would change.

    Example: hub held show 3
    """
    from hub.cli.place import engine
    from hub.flow import deciding
    from hub.journal import held

    with engine() as hub:
        row = deciding.found(hub, number)
        keys = held.records(hub.journal, number, KEYS)
        before = {o: _known(hub, row["system"], o, keys) for o in {key["object"] for key in keys}}
        after = deciding.would_become(hub, row, keys)
    changes = [
        {"object": o, "key": k, "before": before[o].get(k), "after": after.get((o, k))}
        for o, k in ((key["object"], key["key"]) for key in keys)
    ]
    if json:
        as_json({**_plain(row), "measured": row["measured"], "keys": [k["key"] for k in keys], "changes": changes})
        return
    from rich.markup import escape

    from hub.flow.wording import brief

    line(f"[bold]number {row['id']}: {row['flow']} from {row['system']}[/bold]  {row['state']}")
    line(escape(f"{row['source']}, as of {when(row['as_of']) or 'its reading'}, held since {when(row['held_at'])}"))
    line(escape(row["plan"]))
    line(escape(f"held because {row['reason']}"))
    if row["decided_at"]:
        by = f"{row['decided_by']}: {row['why']}" if row["decided_by"] else "a newer one"
        line(escape(f"{row['state']} at {when(row['decided_at'])} by {by}"))
    cells = [[one["object"], one["key"], brief(one["before"]) or "nothing", brief(one["after"])] for one in changes]
    table(f"\nThe first {KEYS} keys that it would change", ["object", "key", "known now", "would become"], cells)


def _known(hub: Any, system: str, object: str, keys: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    from hub.journal import states

    return states.data_of(hub.journal, system, object, [k["key"] for k in keys if k["object"] == object])


@app.command()
def approve(number: Number, why: Why, who: Who = None, json: Json = False) -> None:
    """Apply exactly this batch, and deliver what it changes; a key that has had a newer word since keeps that one.

    Example: hub held approve 3 --why "the collection ended, the buyer confirmed"
    """
    from hub.cli.place import engine
    from hub.flow import deciding

    with engine() as hub:
        outcome = deciding.approve(hub, number, who=who or user(), why=why)
    as_json({"number": number, **outcome.counts, "run": outcome.run}) if json else line(outcome.sentence)
    raise typer.Exit(outcome.exit_code)


@app.command()
def reject(number: Number, why: Why, who: Who = None, json: Json = False) -> None:
    """Apply nothing of this batch, now or later; the source's next one is judged by itself.

    Example: hub held reject 3 --why "the store's export was cut"
    """
    from hub.cli.place import engine
    from hub.flow import deciding

    with engine() as hub:
        row = deciding.reject(hub, number, who=who or user(), why=why)
    as_json(_plain(row)) if json else line(f"number {number}, {row['source']}, is rejected; nothing of it is applied")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what only the journal needs."""
    own = ("measured", "asked", "asked_at", "put", "snapshot")
    return {name: value for name, value in row.items() if name not in own}
