"""``hub plan`` and ``hub apply``: what a pass would change, before anything is done; then exactly that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.flows import Flow
from hub.cli.say import Json, as_json, line, progress, table, when

if TYPE_CHECKING:
    from hub.flow.plan.making import Plan

SHOWN = 200  # rows of a table; --json and --out have all


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(apply)


def plan(
    flow: Flow,
    system: Annotated[str | None, typer.Option("--system", help="Read this source alone.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the plan into this file too, for hub apply.")] = None,
    json: Json = False,
) -> None:
    """What `hub run FLOW` would change now, in words and key by key; nothing is changed, sent, or archived.

    The plan is kept for 24 hours under a number: `hub apply NUMBER` does exactly that or refuses. Ends with 3 where a
    batch would be held for a person.

    Example: hub plan stock --system stores
    """
    import json as jsonlib

    from hub.cli.place import engine
    from hub.flow.plan.making import make

    with engine() as hub, progress(quiet=json) as report:
        made = make(hub, flow, system, report=report)
    data = as_data(made)
    if out is not None:
        _write(out, jsonlib.dumps(data, default=str, ensure_ascii=False, indent=2))
    as_json(data) if json else told(made)
    raise typer.Exit(made.exit_code)


def apply(
    plan: Annotated[str, typer.Argument(help="A number that hub plan gave, or a file that it wrote with --out.")],
    json: Json = False,
) -> None:
    """Do exactly what PLAN says, once, and deliver it; refused where a pass would change anything else by now.

    The sources are read again and everything is compared first. A refusal says what moved and changes nothing: make a
    new plan.

    Example: hub apply 7
    """
    from hub.cli.place import engine
    from hub.flow.plan.applying import apply as carry_out

    number, digest = named(plan)
    with engine() as hub, progress(quiet=json) as report:
        outcome = carry_out(hub, number, digest, report=report)
    as_json({"plan": number, **outcome.counts, "run": outcome.run}) if json else line(outcome.sentence)
    raise typer.Exit(outcome.exit_code)


def named(given: str) -> tuple[int, str | None]:
    """The number and, of a file, the digest of what a person named."""
    from hub.errors import ConfigError
    from hub.flow.plan.changes import named_in

    if given.isascii() and given.isdigit() and len(given) <= 18:
        return int(given), None
    try:
        return named_in(Path(given).read_text(encoding="utf-8"), given)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f'"{given}" is neither the number of a plan nor a file that can be read: {reason}') from None


def _write(path: Path, text: str) -> None:
    from hub.errors import ConfigError

    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def as_data(plan: Plan) -> dict[str, Any]:
    """A plan as a program reads it."""
    names = ("place", "step", "system", "object", "key", "before", "after", "answer")
    return {
        "plan": plan.number,
        "kind": plan.kind,
        "flow": plan.flow,
        "system": plan.system,
        "sentence": plan.sentence,
        "digest": plan.digest,
        "expires_at": plan.expires_at,
        **{name: plan.summary[name] for name in ("sources", "targets", "others", "held", "counts")},
        "changes": [{name: getattr(one, name) for name in names} for one in plan.changes],
    }


def told(plan: Plan, *, done: bool = False) -> None:
    """A plan for a person: sources, targets, then field by field; what can be done with it, unless it is ``done``."""
    from rich.markup import escape

    line(f"[bold]plan {plan.number}[/bold] of {escape(plan.sentence)}")
    for name, one in (*plan.summary["sources"].items(), *plan.summary["targets"].items()):
        line(f"  {name}: {escape(one['sentence'])}")
    for what, count in plan.summary["others"].items():
        line(f"  {what}: {count:,} change too, sent by deliveries of their own flow")
    for place, title in (("source", "What sources say"), ("target", "What targets get")):
        _changes(plan, place, title)
    then = "applied" if done else f"hub apply {plan.number} does exactly this, until {when(plan.expires_at)}"
    line(then)


def _changes(plan: Plan, place: str, title: str) -> None:
    from hub.flow.plan.changes import fields
    from hub.flow.wording import brief

    hidden = () if place == "source" else ("derived",)  # what should be held is shown where it is sent
    mine = [one for one in plan.changes if one.place == place and one.step not in hidden]
    rows = [
        [one.system, one.object, one.key, "" if one.step in ("applied", "send", "repair") else one.step, field,
         brief(before), brief(after)]
        for one in mine[:SHOWN]
        for field, before, after in fields(one)
    ]  # fmt: skip
    if rows:
        more = f" (the first {SHOWN} of {len(mine):,})" if len(mine) > SHOWN else ""
        table(f"\n{title}{more}", ["system", "object", "key", "", "field", "before", "after"], rows[:SHOWN])
