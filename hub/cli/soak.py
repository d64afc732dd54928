"""``hub certify --soak``: every system fails in every way it can while shoppers buy, and then everything must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.cli.certify import for_a_person
from hub.cli.say import as_json, line, progress, table

if TYPE_CHECKING:
    from hub.certify.soak import Soaked


def certify_soak(minutes: float, rate: float, json: bool) -> int:
    """Soak and tell; the exit code."""
    from hub.certify.soak import soak_anew
    from hub.config import project_root

    with progress(quiet=json) as report:
        found = soak_anew(project_root(), minutes=minutes, rate=rate, report=report)
    as_json(as_data(found)) if json else tell(found)
    return 0 if found.ok else 1


def as_data(found: Soaked) -> dict[str, object]:
    """The figures, for a program."""
    return {
        "ok": found.ok,
        "seconds": round(found.seconds, 1),
        "settled_after": round(found.settled_after, 1),
        "faults": {system: dict(kinds) for system, kinds in found.faults.items()},
        "happened": dict(found.happened),
        "workers_ended": found.ended,
        "drift": dict(found.drift),
        "growth": [
            {"who": g.who, "what": g.what, "then": g.then, "now": g.now, "highest": g.highest, "grows": g.grows}
            for g in found.growth
        ],
        "deadlocks": found.deadlocks,
        "compared": dict(found.verdict.compared),
        "lost": len(found.verdict.lost),
        "doubled": len(found.verdict.doubled),
        "out_of_order": len(found.verdict.out_of_order),
        "waiting": found.verdict.waiting,
        "cases": found.verdict.cases,
        "kept": found.kept,
    }


def tell(found: Soaked) -> None:
    """For a person."""
    kinds = [(system, kind, times) for system, struck in found.faults.items() for kind, times in struck.items()]
    table("Faults", ["system", "kind", "calls struck"], kinds)
    table("Meanwhile at the retailer", ["what", "times"], sorted(found.happened.items(), key=lambda one: -one[1]))
    table("Reconciled: differences that nothing explains", ["flow and target", "differences"], found.drift.items())
    for growth in found.growth:
        line(growth.sentence)
    for case in found.verdict.cases:
        line(case)
    if found.kept:
        line(f"The world with its logs is kept in {found.kept}")
    judged, struck = found.verdict, sum(times for *_, times in kinds)
    line(
        f"{struck:,} faults in {found.seconds / 60:.1f} min, settled {found.settled_after:.0f} s after the last: "
        f"{sum(found.drift.values())} drifted, {len(judged.lost)} lost, {len(judged.doubled)} doubled, "
        f"{len(judged.out_of_order)} out of order, {found.ended} workers ended by themselves, "
        f"{found.deadlocks} deadlocks{for_a_person(judged.waiting)}"
    )
