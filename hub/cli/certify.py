"""``hub certify``: processes are killed at every point between read and confirm, and nothing may be lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.say import Json, as_json, line, progress, table

if TYPE_CHECKING:
    from hub.certify.flows import Certificate

SHOWN = 20
MINUTES, SOAK_MINUTES = 45.0, 30.0


def add_to(app: typer.Typer) -> None:
    app.command()(certify)


def certify(
    flows: Annotated[bool, typer.Option("--flows", help="Certify all flows of hub.yaml by killing processes.")] = False,
    soak: Annotated[
        bool, typer.Option("--soak", help="Certify them by letting every system fail in every way for a while.")
    ] = False,
    kills: Annotated[int, typer.Option("--kills", min=1, help="How many processes are killed.")] = 1000,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0.1, help="Stop killing after so many minutes (45), or soak for so many (30)."),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", min=0.001, max=0.5, help="Share of all calls that each fault strikes in a soak.")
    ] = 0.05,
    seed: Annotated[int, typer.Option("--seed", help="Draws the kills and what happens between them.")] = 1,
    every: Annotated[int, typer.Option("--every", min=1, help="Kills between two comparisons.")] = 25,
    json: Json = False,
) -> None:
    """Kill the hub's processes, and compare what the targets hold and were told with what the sources say.

    Worker, gateway and database are ended with SIGKILL at every marked point between read and confirm and at random
    moments, while customers buy. It runs on the simulated retailer and a database of its own in a temporary folder;
    no system of hub.yaml is touched. Exit code 1 when anything was lost, doubled or out of order.

    With --soak two workers work while shoppers buy and all faults strike at once; afterwards all must agree, and
    neither memory nor connections may have grown.

    Example: hub certify --flows --kills 50
    """
    from hub.certify.flows import certify as certify_flows
    from hub.config import project_root
    from hub.errors import ConfigError

    if flows == soak:
        raise ConfigError("say what to certify: hub certify --flows, or hub certify --soak")
    if soak:
        from hub.cli.soak import certify_soak

        raise typer.Exit(certify_soak(minutes or SOAK_MINUTES, rate, json))
    with progress(quiet=json) as report:
        found = certify_flows(
            project_root(), kills=kills, minutes=minutes or MINUTES, seed=seed, every=every, report=report
        )
    as_json(as_data(found)) if json else tell(found)
    raise typer.Exit(0 if found.ok else 1)


def as_data(found: Certificate) -> dict[str, object]:
    return {
        "kills": found.kills,
        "asked": found.asked,
        "seed": found.seed,
        "places": dict(found.places),
        "happened": dict(found.happened),
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "out_of_order": len(found.out_of_order),
        "cases": found.cases[:SHOWN],
        "compared": dict(found.compared),
        "verdicts": found.verdicts,
        "waiting": found.waiting,
        "seconds": round(found.seconds, 1),
        "kept": found.kept,
    }


def tell(found: Certificate) -> None:
    """For a person: where processes died, what happened meanwhile, what was compared, and the figures."""
    table("Killed", ["place", "times"], sorted(found.places.items()))
    table("Meanwhile at the retailer", ["what", "times"], found.happened.most_common())
    compared = [*sorted(found.compared.items()), *([("waiting for a person", found.waiting)] if found.waiting else [])]
    table(f"Compared, in {found.verdicts} verdicts", ["what", "times"], compared)
    for case in found.cases[:SHOWN]:
        line(case)
    if found.kept:
        line(f"The world with its logs is kept in {found.kept}")
    if found.kills < found.asked:
        line(f"The time was over after {found.kills:,} of {found.asked:,} kills")
    line(
        f"{found.kills:,} kills in {found.seconds:,.0f} s: {len(found.lost)} lost, {len(found.doubled)} doubled, "
        f"{len(found.out_of_order)} out of order{for_a_person(found.waiting)}"
    )


def for_a_person(waiting: int) -> str:
    """The end of a sentence; nothing where nobody is waited for."""
    return f"; {waiting:,} {'record waits' if waiting == 1 else 'records wait'} for a person" if waiting else ""
