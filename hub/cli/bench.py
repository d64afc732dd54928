"""``hub bench``: the engine's ways against the plain ones, on this machine."""

from __future__ import annotations

import importlib
import time
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.say import Json, as_json, table

if TYPE_CHECKING:
    from rich.console import Console

BENCHMARKS = ("snapshot_compare", "mapping", "validation", "journal", "unbound", "counter")


def add_to(app: typer.Typer) -> None:
    app.command()(bench)


def bench(
    only: Annotated[
        list[str] | None, typer.Option("--only", help=f"One of {', '.join(BENCHMARKS)}; may be given several times.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure what the engine's ways are worth: each against the plain way, in turns, in one run.

    Read the ratios; seconds depend on the machine and on what else it does. Needs no running hub; about two minutes.
    """
    from rich.console import Console

    console = Console(stderr=True, quiet=json)
    found = [_measured(name, console) for name in _chosen(only)]
    if json:
        as_json({"benchmarks": found})
        return
    for comparison in found:
        table(
            f"\n{comparison['title']}",
            ["way", "records/s", "seconds", ""],
            [[w["way"], f"{w['per_second']:,.0f}", f"{w['seconds']:.2f}", _said(w)] for w in comparison["ways"]],
        )


def _chosen(only: list[str] | None) -> list[str]:
    from hub.errors import ConfigError

    for name in only or ():
        if name not in BENCHMARKS:
            raise ConfigError(f'no benchmark "{name}"; there are {", ".join(BENCHMARKS)}')
    return list(only or BENCHMARKS)


def _measured(name: str, console: Console) -> dict[str, Any]:
    began = time.monotonic()
    with console.status(f"measuring {name} …"):
        comparison = _module(name).compare()
    ways = [
        {"way": w.name, "records": w.records, "seconds": round(w.seconds, 4), "per_second": round(w.per_second)}
        | {"ratio": round(comparison.ratio(w), 2), "note": w.note}
        for w in comparison.ways
    ]
    return {"name": name, "title": comparison.title, "ways": ways, "took": round(time.monotonic() - began, 1)}


def _module(name: str) -> ModuleType:
    """A module of the folder benchmarks/, which is part of a clone and not of the installed package."""
    from hub.errors import ConfigError

    try:
        return importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "benchmarks":
            raise
        raise ConfigError("the benchmarks stand in a clone of the project: run make setup there") from None


def _said(way: dict[str, Any]) -> str:
    if note := str(way["note"]):
        return note
    ratio = way["ratio"]
    return "" if ratio == 1 else f"ours is {ratio:.1f} times as fast" if ratio > 1 else f"{1 / ratio:.1f} times ours"
