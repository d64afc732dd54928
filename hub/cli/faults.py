"""``hub sandbox fault`` and ``hub sandbox faults``: let the simulated systems fail, see how often, end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hub.cli.say import Json, as_json, line, table

if TYPE_CHECKING:
    from hub.sandbox.faults import Faults, Rule

T = TypeVar("T")
SystemArgument = Annotated[str, typer.Argument(help="erp, stores, shop, tills, pim, dam, or all.")]
KINDS = (
    "429, 500, reset, timeout-after-commit, slow, truncate, duplicate, reorder, soap-fault-200, auth-expired, "
    "page-loop, stale-cas, or all that the system can have; may be given several times."
)


def add_to(app: typer.Typer) -> None:
    app.command()(fault)
    app.command()(faults)


def fault(
    system: SystemArgument,
    kind: Annotated[list[str], typer.Option("--kind", help=KINDS)],
    rate: Annotated[str, typer.Option("--rate", help="The share of calls that it strikes.")] = "5%",
    lasts: Annotated[str, typer.Option("--for", help="It ends by itself after this time.")] = "10m",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="It ends after so many calls.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Operations as the ledger names them: ReadStock, orders*, GET.")
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option(
            "--delay", help="How late a slow answer is (3s), how long the silence after a lost one lasts (25s)."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed strikes the same calls again.")] = 7,
    json: Json = False,
) -> None:
    """Let a simulated system fail for a while, also one that is running.

    Each call that a fault strikes is in the sandbox's ledger; **hub sandbox faults** counts them.

    Example: hub sandbox fault shop --kind timeout-after-commit --rate 5% --for 10m
    """
    from hub.config.values import duration, share

    times = {"seconds": _typed(duration, "--for", lasts).total_seconds()}
    if delay is not None:
        times["delay"] = _typed(duration, "--delay", delay).total_seconds()
    with _known() as found:
        rules = found.add(system, kind, rate=_typed(share, "--rate", rate), limit=limit, only=only, seed=seed, **times)
    if json:
        as_json({"faults": [_plain(rule) for rule in rules]})
    else:
        table("Faults from now on", COLUMNS, map(_row, rules))


def faults(
    system: Annotated[str | None, typer.Argument(help="Of this system alone.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="End them instead.")] = False,
    kind: Annotated[str | None, typer.Option("--kind", help="With --clear: of this kind alone.")] = None,
    json: Json = False,
) -> None:
    """The faults in force, and how often each kind has struck; or end them.

    Example: hub sandbox faults shop --clear
    """
    with _known() as found:
        ended = found.clear(system, kind) if clear else None
        rules, counts = found.running(system), found.counts(system)
    if json:
        told = {"faults": [_plain(rule) for rule in rules], "struck": counts}
        as_json(told if ended is None else {"ended": ended, **told})
        return
    if ended is not None:
        line(f"{ended} ended")
    else:
        table("Faults in force", COLUMNS, map(_row, rules))
    struck = [(name, kind, f"{n:,}") for name, kinds in counts.items() for kind, n in kinds.items()]
    table("Struck so far", ("system", "fault", "calls"), struck)


COLUMNS = ("number", "system", "fault", "rate", "only", "struck", "ends")


def _row(rule: Rule) -> tuple[Any, ...]:
    ends = [f"in {rule.lasts:,.0f} s"] if rule.lasts is not None else []
    ends += [f"after {rule.remaining:,} more calls"] if rule.remaining is not None else []
    return rule.id, rule.system, rule.kind, f"{rule.rate * 100:g}%", rule.operation, rule.struck, " or ".join(ends)


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "number": rule.id,
        "system": rule.system,
        "kind": rule.kind,
        "rate": rule.rate,
        "only": rule.operation,
        "seconds": rule.lasts,
        "remaining": rule.remaining,
        "delay": rule.delay,
        "seed": rule.seed,
        "struck": rule.struck,
    }


def _typed(read: Callable[[Any], T], option: str, written: str) -> T:
    from hub.errors import ConfigError

    try:
        return read(written)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None


@contextmanager
def _known() -> Iterator[Faults]:
    """The faults of this site's retailer, which another process may be serving."""
    from hub.cli.place import site
    from hub.errors import ConfigError
    from hub.sandbox.faults import Faults
    from hub.sandbox.ledger import Ledger
    from hub.sandbox.state import State

    folder = site().home / "sandbox"
    if not (folder / "sandbox.db").exists():
        raise ConfigError(f"no retailer lives in {folder} yet: start it with hub up or hub sandbox up")
    state = State(folder)
    try:
        Ledger(state)
        yield Faults.of(state)
    finally:
        state.close()
