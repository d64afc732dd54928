"""The landscape: which systems there are, who is believed about what, what flows where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from hub.config.hours import Hours
from hub.config.settings import (
    BreakerSettings,
    BudgetSettings,
    Channel,
    FlowSettings,
    KeepSettings,
    LandscapeFile,
    Retailer,
)
from hub.config.values import best, select
from hub.marked import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One configured system."""

    name: str
    connector: str  # folder in connectors/
    connection: str  # id of its connection
    options: Mapping[str, Any]  # as written; the connector's own class validates them
    budget: BudgetSettings | None
    mappings: str  # folder in mappings/
    open: Hours | None
    zone: str  # in which its hours are meant
    breaker: BreakerSettings

    def is_open(self, at: datetime) -> bool:
        """Whether it may be called at ``at``."""
        return self.open is None or self.open.is_open(at, self.zone)

    def opens_at(self, at: datetime) -> datetime:
        """The first moment from ``at`` on at which it may be called, in UTC."""
        return at.astimezone(UTC) if self.open is None else self.open.opens_at(at, self.zone)


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """hub.yaml, read, checked and typed; ``document`` knows the line of everything."""

    retailer: Retailer
    systems: Mapping[str, System]
    authority: Mapping[str, Mapping[str, str]]
    channels: Mapping[str, Channel]
    flows: Mapping[str, FlowSettings]
    keep: KeepSettings
    document: Document = field(repr=False)

    def place(self, *path: str | int) -> str:
        """Where something is written: ``hub.yaml:14 flows.stock.targets``."""
        return self.document.place(*path)

    def authority_of(self, object: str, location: str) -> str | None:
        """The system whose word counts about ``object`` at ``location``: an exact name goes before a pattern."""
        claims = self.authority.get(object, {})
        found = best(claims, location)
        return None if found is None else claims[found]

    def select(self, patterns: Sequence[str], locations: Iterable[str]) -> list[str]:
        """Those of ``locations`` that ``patterns`` stand for, in the order of the patterns, then by name."""
        return select(patterns, locations)

    def places_of(self, flow: str, target: str, locations: Iterable[str]) -> list[str]:
        """Those of ``locations`` that ``target`` receives values for."""
        settings = self.flows[flow].targets[target]
        sells_from = self.channels[settings.channel].sells_from if settings.value == "available" else ()  # type: ignore[index]
        return select(sells_from or settings.locations, locations)

    def stale_ages(self) -> list[timedelta]:
        """The ages at which stock leaves some channel's sum, shortest first."""
        return sorted({channel.stale_after for channel in self.channels.values() if channel.stale_after is not None})

    @cached_property
    def rules_hash(self) -> str:
        """Changes whenever a derived value may: with authority, channels, targets and the policies of sources."""
        rules = {
            "authority": self.authority,
            "channels": {name: channel.model_dump(mode="json") for name, channel in self.channels.items()},
            "targets": {flow: _targets(settings) for flow, settings in self.flows.items()},
            "policies": {flow: _policies(settings) for flow, settings in self.flows.items()},
        }
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def landscape(settings: LandscapeFile, document: Document) -> Landscape:
    """The landscape of a validated hub.yaml."""
    systems = {
        name: System(
            name=name,
            connector=system.connector,
            connection=system.connection or name,
            options=system.options,
            budget=system.budget,
            mappings=system.mappings or system.connector,
            open=system.open,
            zone=settings.retailer.zone,
            breaker=system.breaker,
        )
        for name, system in settings.systems.items()
    }
    return Landscape(
        retailer=settings.retailer,
        systems=systems,
        authority=settings.authority,
        channels=settings.channels,
        flows=settings.flows,
        keep=settings.keep,
        document=document,
    )


def _targets(flow: FlowSettings) -> dict[str, Any]:
    return {name: target.model_dump(mode="json") for name, target in flow.targets.items()}


def _policies(flow: FlowSettings) -> dict[str, Any]:
    return {name: [source.late_events, source.quarantined] for name, source in flow.sources.items()}
