"""What no single value of hub.yaml can show: that the names in it lead to one another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.config.mistakes import did_you_mean
from hub.config.settings import FlowSettings, LandscapeFile, TargetSettings

Mistake = tuple[tuple[str | int, ...], str]

# The flows that the hub knows: the canonical object whose authority they rest on, and the values they derive.
FLOWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stock": ("stock_level", ("available", "on_hand")),
    "price": ("price", ("price",)),
    "product": ("product", ("product",)),
    "order": ("order", ("sales_order", "progress")),
}
BY_CHANNEL = ("available", "price", "product")  # values that a channel's rules make
# The guards of each flow: what its objects can be compared by. An order is a document, which no number speaks for.
GUARDS: Mapping[str, tuple[str, ...]] = {
    "stock": ("fewer_rows", "drops", "to_zero", "changes", "at_least", "requires"),
    "price": ("fewer_rows", "drops", "price_change", "changes", "at_least", "requires"),
    "product": ("fewer_rows", "changes", "at_least", "requires"),
    "order": (),
}
EVERY_FLOW = ("rejects",)  # guards that look at no number
FIELDS = ("product",)  # objects of which each field has an owner of its own


def mistakes(written: LandscapeFile, project: Path) -> Iterator[Mistake]:
    """Every name that leads nowhere, in the order of the page."""
    yield from _authority(written, project)
    for name, flow in written.flows.items():
        if name not in FLOWS:
            yield ("flows", name), f'no flow "{name}"{did_you_mean(name, FLOWS)}'
        else:
            yield from _flow(written, name, flow)


def _authority(written: LandscapeFile, project: Path) -> Iterator[Mistake]:
    objects = sorted({file.name.partition(".")[0] for file in (project / "canonical_schemas").glob("*.v*.json")})
    for object, claims in written.authority.items():
        if objects and object not in objects:
            yield ("authority", object), f'no canonical object "{object}"{did_you_mean(object, objects)}'
        for place, system in claims.items():
            if system not in written.systems:
                yield ("authority", object, place), _no_system(system, written)
        if object in FIELDS:
            yield from _owners(object, claims, project)


def _owners(object: str, claims: Mapping[str, str], project: Path) -> Iterator[Mistake]:
    """Each field by its own name and nothing that could name it twice."""
    fields = {"media"} | {f for name in (object, "variant") for f in _fields(project, name)}
    for field in claims:
        if field not in fields:
            yield ("authority", object, field), f'no field "{field}" of a {object}{did_you_mean(field, fields)}'


def _fields(project: Path, object: str) -> set[str]:
    files = sorted((project / "canonical_schemas").glob(f"{object}.v*.json"))
    return set(json.loads(files[-1].read_text(encoding="utf-8"))["properties"]) if files else set()


def _flow(written: LandscapeFile, name: str, flow: FlowSettings) -> Iterator[Mistake]:
    for kind, systems in (("sources", flow.sources), ("targets", flow.targets)):
        for system in systems:
            if system not in written.systems:
                yield ("flows", name, kind, system), _no_system(system, written)
    for system, target in flow.targets.items():
        yield from _target(written, name, target, ("flows", name, "targets", system))
    for guard in sorted(flow.guards.model_fields_set - {*GUARDS[name], *EVERY_FLOW}):
        there = f"; there are {', '.join(GUARDS[name])}" if GUARDS[name] else ""
        yield ("flows", name, "guards", guard), f"nothing of the flow {name} can be measured by {guard}{there}"
    object = FLOWS[name][0]
    for place, system in written.authority.get(object, {}).items():
        if system in written.systems and system not in flow.sources:
            yield ("authority", object, place), f'"{system}" is no source of the flow {name}, so nothing would be known'


def _target(written: LandscapeFile, flow: str, target: TargetSettings, at: tuple[str, ...]) -> Iterator[Mistake]:
    values = FLOWS[flow][1]
    if target.value not in values:
        yield (*at, "value"), f'no value "{target.value}"{did_you_mean(target.value, values)}'
    if target.value in BY_CHANNEL and target.channel is None:
        yield at, f"{target.value} needs the channel whose rules make it"
    channel = written.channels.get(target.channel or "")
    if target.value == "available" and channel is not None and not channel.sells_from:
        yield ("channels", target.channel or ""), "available needs sells_from: the locations that it sells from"
    if target.value not in BY_CHANNEL and target.channel is not None:
        yield (*at, "channel"), f"{target.value} follows no channel's rules; leave it out"
    if target.channel is not None and target.channel not in written.channels:
        yield (*at, "channel"), f'no channel "{target.channel}"{did_you_mean(target.channel, written.channels)}'
    if target.value == "available" and target.channel is not None and "locations" in target.model_fields_set:
        yield (*at, "locations"), "the channel's sells_from already says which locations; leave one out"


def _no_system(system: str, written: LandscapeFile) -> str:
    return f'no system "{system}"{did_you_mean(system, written.systems)}'
