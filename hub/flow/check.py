"""Check: every mistake in a project with its place, and each system's state, without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.connector import Connection
from hub.errors import HubError
from hub.flow.objects import FLOWS
from hub.flow.systems import Systems
from hub.flow.understood import understood
from hub.journal import budgets, outbox, snapshots
from hub.journal.budgets import Unlimited

if TYPE_CHECKING:
    from hub.config import Landscape
    from hub.flow.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str
    detail: str = ""


def check_project(project: Path) -> list[Finding]:
    """hub.yaml, schemas, mappings with their cases, connectors with their options, connections."""
    from hub.config import load

    findings = [*_schemas(project), *_mappings(project)]
    try:
        landscape = load(project / "hub.yaml")
    except HubError as error:
        return [Finding(ok=False, what="hub.yaml", detail=str(error)), *findings]
    return [Finding(ok=True, what="hub.yaml"), *findings, *_flows(landscape), *_systems(project, landscape)]


def _schemas(project: Path) -> Iterator[Finding]:
    from hub.schemas import Schemas

    yield _tried("canonical_schemas", lambda: f"{len(Schemas(project / 'canonical_schemas').objects())} objects")


def _mappings(project: Path) -> Iterator[Finding]:
    from hub.mapping import load_folder, run_cases

    def all_of(folder: Path) -> str:
        results = [(m, r) for m in load_folder(folder) for r in run_cases(m)]
        failed = [f"{m.label}: {r.name}: {r.message}" for m, r in results if not r.ok]
        if failed:
            raise HubError("; ".join(failed))
        return f"{len(results)} cases"

    for folder in sorted(p for p in (project / "mappings").iterdir() if p.is_dir()):
        yield _tried(f"mappings/{folder.name}", lambda folder=folder: all_of(folder))  # type: ignore[misc]


def _flows(landscape: Landscape) -> Iterator[Finding]:
    for name in landscape.flows:
        known = name in FLOWS
        detail = "" if known else f"{landscape.place('flows', name)}: no such flow; there are {', '.join(FLOWS)}"
        yield Finding(ok=known, what=f"flow {name}", detail=detail)


def _systems(project: Path, landscape: Landscape) -> Iterator[Finding]:
    from hub.config import resolver
    from hub.flow.engine import SystemClock

    resolve = resolver(project)
    systems = Systems(landscape, lambda id_: Connection(id=id_), lambda _: Unlimited(), SystemClock())
    for name, system in landscape.systems.items():
        yield _tried(f"system {name}", lambda name=name: systems.described(name)[0].__name__)  # type: ignore[misc]
        yield _tried(f"connection {system.connection}", lambda id_=system.connection: resolve(id_).url)  # type: ignore[misc]


def _tried(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(ok=True, what=what, detail=look())
    except HubError as error:
        return Finding(ok=False, what=what, detail=str(error))


def look_at_systems(engine: Engine) -> list[dict[str, Any]]:
    """Each system: reachable or why not, its budget, what waits for it, and up to when it was read."""
    return [look_at(engine, name) for name in engine.landscape.systems]


def look_at(engine: Engine, name: str) -> dict[str, Any]:
    system = engine.landscape.systems[name]
    try:
        with understood(name):
            health = engine.systems[name].check()
        ok, detail = health.ok, health.detail
    except HubError as error:
        ok, detail = False, str(error)
    return {
        "system": name,
        "connector": system.connector,
        "ok": ok,
        "detail": detail,
        "circuit": circuit(engine, name),
        "budget": budgets.left(engine.journal, name),
        "open": outbox.open_count(engine.journal, [name]),
        "read_until": snapshots.read_until(engine.journal, name),
    }


def circuit(engine: Engine, name: str) -> dict[str, Any] | None:
    """Of a system that is left alone: since when it does not answer, why, and when one asks again; else None."""
    known = engine.breakers.open_ones().get(name)
    if known is None:
        return None
    return {
        "open": known.opened_at,
        "since": known.failing_since,
        "reason": known.reason,
        "probe": known.probe_at,
        "failures": known.failures,
    }


def overview(engine: Engine) -> list[dict[str, Any]]:
    """Each system as the journal knows it, without asking any: its circuit, its budget, what waits, what was read."""
    return [
        {
            "system": name,
            "connector": system.connector,
            "circuit": circuit(engine, name),
            "budget": budgets.left(engine.journal, name),
            "open": outbox.open_count(engine.journal, [name]),
            "read_until": snapshots.read_until(engine.journal, name),
        }
        for name, system in engine.landscape.systems.items()
    ]
