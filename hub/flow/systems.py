"""Configured systems as working connectors, with their mappings and lookups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import ValidationError

from hub.connector import Budget, Connection, Connector, connector_class
from hub.errors import ConfigError, Reject
from hub.model import Clock, Content
from hub.transport import redaction

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from hub.config import Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemContext:
    """What the engine hands to a connector."""

    system: str
    connection: Connection
    clock: Clock
    budget: Budget
    open_content: Callable[[str], Content]

    def content(self, hash: str) -> Content:
        return self.open_content(hash)


def no_content(hash: str) -> Content:
    raise Reject("media", f"no system of this hub holds the content {hash}")


def no_guard(connector: Connector, system: str) -> None:
    """Where no call is made that could fail."""


class Systems:
    """Builds each connector once, when it is first needed."""

    def __init__(
        self,
        landscape: Landscape,
        connections: Callable[[str], Connection],
        budget: Callable[[str], Budget],
        clock: Clock,
        content: Callable[[str], Content] = no_content,
        guard: Callable[[Connector, str], None] = no_guard,
    ) -> None:
        self._landscape = landscape
        self._connections = connections
        self._budget = budget
        self._clock = clock
        self._content = content
        self._guard = guard
        self._built: dict[str, Connector] = {}

    def __getitem__(self, name: str) -> Connector:
        if name not in self._built:
            built = self._build(name)
            self._guard(built, name)
            self._built[name] = built
        return self._built[name]

    @cached_property
    def names(self) -> list[str]:
        return list(self._landscape.systems)

    def described(self, name: str) -> tuple[type[Connector], object]:
        """The connector of a system and its options, validated; needs no connection."""
        if name not in self._landscape.systems:
            raise ConfigError(f'no system "{name}"; hub.yaml has {", ".join(self.names)}')
        kind = connector_class(
            self._landscape.systems[name].connector, self._landscape.place("systems", name, "connector")
        )
        return kind, self._options(kind, name)

    def _build(self, name: str) -> Connector:
        kind, options = self.described(name)
        connection = self._connections(self._landscape.systems[name].connection)
        redaction.protect(connection.password)
        redaction.protect_extra(connection.extra)
        context = SystemContext(
            system=name,
            connection=connection,
            clock=self._clock,
            budget=self._budget(name),
            open_content=self._content,
        )
        return kind(options, context)

    def _options(self, kind: type[Connector], name: str) -> object:
        """The options of a system, validated by its connector, with the place of a mistake in hub.yaml."""
        options = self._landscape.systems[name].options
        try:
            return kind.config.model_validate(options)
        except ValidationError as error:
            first = error.errors()[0]
            path = ("systems", name, "options", *(str(p) for p in first["loc"]))
            raise ConfigError(_sentence(kind, first), self._landscape.place(*path)) from None


def _sentence(kind: type[Connector], error: ErrorDetails) -> str:
    """What is wrong with an option, and what was probably meant."""
    from hub.config.mistakes import did_you_mean, mistake

    if error["type"] == "extra_forbidden":
        name = str(error["loc"][-1])
        return f'unknown key "{name}"{did_you_mean(name, kind.config.model_fields)}'
    return mistake(error)[1]
