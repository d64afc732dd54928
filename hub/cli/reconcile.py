"""``hub reconcile``: what the targets really hold, compared with what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import plans
from hub.cli.flows import Flow
from hub.cli.say import Json, as_json, line, progress, table

if TYPE_CHECKING:
    from hub.flow.causes import Difference
    from hub.flow.report import Report

SHOWN = 200  # rows of a table; --json has all


def add_to(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    flow: Flow,
    fix: Annotated[
        bool, typer.Option("--fix", help="Make a plan of repairs, show it, and apply it; as on_foreign_edit says.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="With --fix: only show the plan and keep it, for hub apply.")
    ] = False,
    json: Json = False,
) -> None:
    """Read what every target of FLOW really holds, compare it with what it should hold, and name the causes.

    Everything is read afresh, nothing is believed. A difference is on its way, waits for something, was refused,
    was edited in the target, or drifted there. Ends with 1 where something is on its way or drifted and not repaired.

    Example: hub reconcile stock --fix --plan
    """
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.flow.plan import repairs
    from hub.flow.reconcile import reconcile as compare
    from hub.flow.report import as_data
    from hub.who import user

    if plan and not fix:
        raise ConfigError("--plan goes with --fix: hub reconcile FLOW --fix --plan")
    with engine() as hub, progress(quiet=json) as report:
        found = compare(hub, flow, report=report)
        made = repairs.make(hub, flow, found) if fix else None
        if made and not plan:
            report("repairing")
            found = repairs.carry_out(hub, made, found, user())
    if json:
        as_json({**as_data(found), "plan": plans.as_data(made) if made else None})
    else:
        _told(found)
        if made:
            plans.told(made, done=not plan)
    raise typer.Exit(repairs.exit_code(found) if made and not plan else found.exit_code)


def _told(found: Report) -> None:
    for target in found.targets:
        line(target.sentence)
    differences = [one for target in found.targets for one in target.differences]
    _rows("Differences", differences)
    _rows("Refused on the way in", found.refused)
    _rows("Held on the way in", found.held)
    if found.explained:
        rows = [[e.target, e.object, f"{e.keys:,}", e.cause.value, e.detail, e.example] for e in found.explained]
        columns = ["target", "object", "keys", "cause", "", "as in"]
        table("Not what the source says, and why", columns, rows)
    if found.apart:
        rows = [
            [
                one.sku,
                ", ".join(f"{place} {amount}" for place, amount in one.asked.items()),
                one.cause.value,
                one.detail,
            ]
            for one in found.apart[:SHOWN]
        ]
        columns = ["article", "costs", "cause", ""]
        table(_title("Not the same price everywhere", len(found.apart)), columns, rows)
    if found.claims:
        rows = [
            [c.object, c.key, c.owner, _sides(c.fields, "counts"), c.system, _sides(c.fields, "claims")]
            for c in found.claims[:SHOWN]
        ]
        columns = ["object", "key", "whose word counts", "", "who contradicts", ""]
        table(_title("Claims that do not count", len(found.claims)), columns, rows)


def _rows(title: str, differences: Any) -> None:
    if differences:
        rows = [_row(one) for one in differences[:SHOWN]]
        columns = ["system", "object", "key", "should hold", "holds", "cause", ""]
        table(_title(title, len(differences)), columns, rows)


def _row(one: Difference) -> list[str]:
    should, holds = _sides(one.fields, "should"), _sides(one.fields, "holds")
    return [one.system, one.object, one.key, should, holds, one.cause.value, one.detail]


def _sides(fields: Any, side: str) -> str:
    from hub.flow.wording import brief

    return brief({name: both[side] for name, both in fields.items()})


def _title(title: str, count: int) -> str:
    return f"{title} (the first {SHOWN} of {count:,})" if count > SHOWN else title
