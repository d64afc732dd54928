"""``hub quarantine``: what was refused, why, and where it came from; and how it is repaired, replayed or given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, progress, table, when

if TYPE_CHECKING:
    from hub.flow.heal import Decision, Healed
    from hub.journal.corrections import Chosen

app = typer.Typer(
    help="Refused records: what, why, and where they came from; repaired, replayed or given up. "
    "Nothing is ever thrown away.",
    no_args_is_help=True,
)

Cause = Annotated[str | None, typer.Option("--cause", help="Every open record of this fingerprint.")]
Numbers = Annotated[
    list[int] | None, typer.Option("--id", help="This record, by its number; may be given several times.")
]
System = Annotated[str | None, typer.Option("--system", help="Of this system alone.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them; nothing is changed.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]
Who = Annotated[str | None, typer.Option("--as", help="Who decides; by default the user of this computer.")]


@app.command("list")
def list_(
    all: Annotated[
        bool, typer.Option("--all", help="Every open record by itself instead of grouped by cause.")
    ] = False,
    json: Json = False,
) -> None:
    """Open records grouped by cause, the most frequent first; then the snapshots that a guard holds, and why."""
    from hub.cli.place import engine
    from hub.journal import held as batches
    from hub.journal import quarantine

    with engine() as hub:
        causes, held = quarantine.causes(hub.journal), batches.listing(hub.journal)
        entries = quarantine.listing(hub.journal) if all or json else []
    if json:
        as_json({"causes": causes, "records": entries, "held": [_of_batch(one) for one in held]})
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
    names = ["records", "cause", "objects", "systems", "first seen", "last seen", "fingerprint"]
    rows = [
        [
            c["records"],
            c["cause"],
            ", ".join(c["objects"]),
            ", ".join(c["systems"]),
            when(c["first_seen"]),
            when(c["last_seen"]),
            c["fingerprint"],
        ]
        for c in causes
    ]
    table("Quarantine by cause", names, rows)


def _held(held: Sequence[dict[str, Any]]) -> None:
    """Decided with `hub held approve` or `reject`; a newer snapshot of the same series supersedes them."""
    rows = [[h["id"], h["system"], h["source"], when(h["as_of"]), h["rows"], h["reason"]] for h in held]
    table("\nHeld for a person, see: hub held show N", ["number", "system", "batch", "as of", "lines", "because"], rows)


def _of_batch(row: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "flow", "system", "object", "series", "source", "as_of", "rows", "plan", "reason", "held_at")
    return {name: row[name] for name in names}


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="The record's number in `hub quarantine list --all`.")],
    json: Json = False,
) -> None:
    """One refused record: the field, the sentence, the place, the record as it arrived, and its corrections."""
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.journal import corrections, quarantine

    with engine() as hub:
        entry = quarantine.show(hub.journal, number)
        if entry is None:
            raise ConfigError(f"no record number {number} in quarantine; see: hub quarantine list --all")
        raw = hub.vault.open(hub.journal, entry["raw"]).decode("utf-8", "replace")
        corrected = [
            {**one, "record": hub.vault.open(hub.journal, one["raw"]).decode("utf-8", "replace")}
            for one in corrections.corrections_of(hub.journal, number)
        ]
    if json:
        as_json({**entry, "record": raw, "corrections": corrected})
        return
    _one(entry, raw, corrected)


def _one(entry: dict[str, Any], raw: str, corrected: Sequence[dict[str, Any]]) -> None:
    from rich.markup import escape

    key = entry["key"] or entry["source_key"] or ""
    line(f"[bold]{entry['system']} {entry['object']} {escape(key)}[/bold]  {entry['state']}")
    line(escape(f"{entry['path']}: {entry['reason']}" if entry["path"] else entry["reason"]))
    seen = f"seen {entry['seen']} times, mapping {entry['mapping'] or 'none'}, run {entry['run']}"
    line(escape(f"read from {place_of(entry['origin'])}, {seen}"))
    if entry["decided_by"]:
        line(escape(f"{entry['state']} by {entry['decided_by']} at {when(entry['decided_at'])}: {entry['why']}"))
    line(f"cause {entry['fingerprint']}")
    line(escape(raw))
    for one in corrected:
        fields = ", ".join(one["fields"])
        line(escape(f"corrected ({fields}) by {one['who']} at {when(one['made_at'])}: {one['why']}"))
        line(escape(one["record"]))


@app.command()
def fix(
    cause: Cause = None,
    id: Numbers = None,
    system: System = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="QTE=5 corrects a field of the vendor's record (lines[0].quantity:=5 writes JSON); "
            "lookups.stores.0021=ST21 gives a lookup an entry, also for records that come later.",
        ),
    ] = None,
    mapping_version: Annotated[
        str | None,
        typer.Option(
            "--mapping-version",
            help="latest: only where a newer mapping than the refusing one is there; 2: by stock_level.v2.yaml, also "
            "where it is not the newest.",
        ),
    ] = None,
    why: Why = "",
    who: Who = None,
    dry_run: Dry = False,
    json: Json = False,
) -> None:
    """Repair what records were refused for, and replay them: a lookup's entry, a corrected field, a newer mapping.

    The original stays beside its correction. Nothing is changed where it heals none. Ends with 1 where some are
    refused still.

    Example: hub quarantine fix --cause 3f2a1b9c8d7e --set lookups.stores.0021=ST21 --dry-run
    """
    from hub.flow import heal, heal_fix

    repair = heal_fix.written(set_ or [], mapping=mapping_version)
    choice = _chosen(cause, id, system, all=bool(system and repair.lookups))
    by = set_ or [f"mapping version {mapping_version}"]
    decision = _decision(who, why or f"fixed with {', '.join(by)}")

    from hub.cli.place import engine

    with engine() as hub, progress(quiet=json) as report:
        found = heal.fix(hub, choice, repair, decision, dry=dry_run, report=report)
    _told(found, json)


@app.command()
def replay(
    cause: Cause = None,
    id: Numbers = None,
    all: Annotated[bool, typer.Option("--all", help="Everything that is open.")] = False,
    system: System = None,
    why: Why = "replayed",
    who: Who = None,
    dry_run: Dry = False,
    json: Json = False,
) -> None:
    """Try refused records again, per key in order: after a mapping was changed, or a target's objection was met.

    One that a newer word of its key has overtaken is superseded instead. What a target refused is sent to it again.
    Ends with 1 where some are refused still.

    Example: hub quarantine replay --cause 3f2a1b9c8d7e --dry-run
    """
    from hub.cli.place import engine
    from hub.flow import heal

    choice = _chosen(cause, id, system, all=all)
    with engine() as hub, progress(quiet=json) as report:
        found = heal.replay(hub, choice, _decision(who, why), dry=dry_run, report=report)
    _told(found, json)


@app.command()
def discard(
    why: Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")],
    cause: Cause = None,
    id: Numbers = None,
    system: System = None,
    who: Who = None,
    json: Json = False,
) -> None:
    """Give refused records up, for a reason. They stay to be seen, and are not counted as open any more.

    Example: hub quarantine discard --cause 3f2a1b9c8d7e --why "test articles of the agency"
    """
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.flow import heal

    if not why.strip():
        raise ConfigError("--why says why they are given up")
    choice = _chosen(cause, id, system, all=False)
    with engine() as hub:
        done = heal.discard(hub, choice, _decision(who, why))
    as_json({"discarded": done}) if json else line(f"{done:,} records discarded: {why}")


@app.command()
def lookups(
    remove: Annotated[
        str | None, typer.Option("--remove", help="Take this entry back, as in stores.0021; needs --system.")
    ] = None,
    system: System = None,
    why: Why = "",
    who: Who = None,
    json: Json = False,
) -> None:
    """The entries that lookups were given by `fix`, beside what their files say, with who did so and why.

    An entry belongs into the file beside the mapping in the end: once it stands there, the file's counts.

    Example: hub quarantine lookups --remove stores.0021 --system stores --why "the store was renamed"
    """
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.flow import heal
    from hub.journal import corrections

    with engine() as hub:
        if remove is not None:
            if not (system and why):
                raise ConfigError("--remove needs --system and --why")
            heal.remove_entry(hub, system, remove, _decision(who, why))
        found = corrections.listing(hub.journal)
    if json:
        as_json({"lookups": found})
        return
    rows = [[e["system"], e["name"], e["key"], e["value"], e["who"], e["why"], when(e["added_at"])] for e in found]
    table("Entries given to lookups", ["system", "lookup", "value there", "ours", "by", "because", "since"], rows)


def _chosen(cause: str | None, ids: list[int] | None, system: str | None, *, all: bool) -> Chosen:
    from hub.errors import ConfigError
    from hub.journal.corrections import Chosen

    if not (cause or ids or all):
        raise ConfigError("say which records: --cause FINGERPRINT or --id NUMBER (hub quarantine list shows both)")
    return Chosen(fingerprint=cause, ids=tuple(ids or ()), system=system)


def _decision(who: str | None, why: str) -> Decision:
    from hub.flow.heal import Decision
    from hub.who import user

    return Decision(who=who or user(), why=why)


def _told(found: Healed, json: bool) -> None:
    from hub.flow.heal import as_data

    if json:
        as_json(as_data(found))
    else:
        line(found.sentence)
        for entry in found.entries:
            line(f"lookup {entry}" + (" would be added" if found.dry else ""))
        rows = [[one.records, cause, one.reason, one.number] for cause, one in found.still.items()]
        if rows:
            table("Still refused", ["records", "cause", "because", "as number"], rows)
    raise typer.Exit(found.exit_code)


def place_of(origin: dict[str, object]) -> str:
    """``file:line`` where a record was read."""
    return f"{origin['source']}:{origin['line']}" if origin.get("line") else str(origin["source"])
