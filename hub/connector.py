"""The contract that a connector implements, and how the engine finds one.

A connector knows its vendor and nothing else: no retries, no sleeping, no mapping, no state. It
reads batches, writes deliveries, verifies what is pushed, and declares what its vendor can do;
the engine uses that. A connector lives in ``connectors/<name>/connector.py`` and is the one class
in that module that derives from :class:`Connector`.
"""

from __future__ import annotations

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from hub.errors import ConfigError
from hub.model import (
    Batch,
    Checkpoint,
    Clock,
    Content,
    Delivery,
    Handle,
    Health,
    Pushed,
    Receipt,
    Record,
    Reference,
    Remote,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a system is and how to sign in; resolved by reference, never printed."""

    id: str
    host: str = "127.0.0.1"
    port: int | None = None
    schema: str = "http"
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """``schema://host:port`` without credentials and without a slash at the end."""
        return f"{self.schema}://{self.host}" + (f":{self.port}" if self.port else "")


class Budget(Protocol):
    """The calls that one vendor account allows, shared by every process that uses it."""

    def take(self, cost: float = 1.0) -> float:
        """Take ``cost`` and answer the seconds to wait before the call may leave (0: now).

        A negative cost gives back what was taken and not used.
        """
        ...

    def observe(self, available: float) -> None:
        """Tell what the vendor says is left, where it says so."""
        ...

    def rest(self, seconds: float) -> None:
        """The vendor wants no call for so long, whoever makes it."""
        ...


class Context(Protocol):
    """What the engine hands to a connector; its protocols stand for rooms above it."""

    @property
    def system(self) -> str: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def budget(self) -> Budget: ...
    def content(self, hash: str) -> Content:
        """The picture whose content has this SHA-256, from whichever system owns it.

        Raises :class:`~hub.errors.Reject` where it is not what it claims to be, and TryLater where its owner is down.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What a vendor offers for one canonical object that is written to it."""

    batch_size: int = 1
    binds: tuple[str, ...] = ()  # bindings that a delivery needs before it can be sent
    knows: tuple[str, ...] = ()  # bindings that it carries where they are known; a delivery may create them
    fields: frozenset[str] | None = None  # the fields that the vendor can hold; None: all
    compare_and_set: bool = False
    idempotency: timedelta | None = None  # how long a key protects a repeated call; None: no key
    read_back: timedelta | None = None  # how soon after a write ``find`` tells the truth; None: never
    aggregate: str = "key"  # "key": each key is its own remote object; else the part of the key that names it
    max_age: timedelta | None = None  # how old ``as_of`` may be when the value is sent


class Connector(ABC):
    """Base of every connector; ``config`` is validated and documented from its class."""

    config: ClassVar[type[BaseModel]]

    def __init__(self, config: Any, context: Context) -> None:
        self.options = config
        self.context = context

    @abstractmethod
    def check(self) -> Health:
        """Reach the system, sign in, and name what is missing; never raises for a system that is down."""


@runtime_checkable
class Source(Protocol):
    """A system that is read."""

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """Batches after ``since``, oldest first; each is committed before the next is asked for."""
        ...

    def release(self, checkpoint: Checkpoint) -> None:
        """After the commit: archive, acknowledge. Idempotent; called again after a crash."""
        ...


@runtime_checkable
class Reopens(Protocol):
    """A source whose raw snapshots can be opened again for comparison with the next one."""

    def reopen(self, raw: bytes, name: str) -> Batch:
        """The batch that ``raw`` once was; its records satisfy :class:`hub.model.Lines`."""
        ...


@runtime_checkable
class Rewinds(Protocol):
    """A source that can be read again from a moment of a person's choice."""

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        """The checkpoint after which ``read`` answers everything that changed since ``moment``."""
        ...


@runtime_checkable
class Library(Protocol):
    """A source whose records stand for content that is fetched when it is needed."""

    def fetch(self, record: Mapping[str, Any]) -> bytes:
        """The content behind a canonical record of ``media``; the engine checks its hash."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A source that can say cheaply whether something new has arrived."""

    def arrived(self) -> Sequence[str]:
        """Names that are complete and wait to be read; cheap enough to ask every second."""
        ...


@runtime_checkable
class Target(Protocol):
    """A system that is written."""

    def capability(self, object: str) -> Capability:
        """What the vendor offers for ``object``, under the options of this instance."""
        ...

    def write(self, object: str, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        """Send at most ``batch_size`` deliveries under idempotency key ``key``; a receipt for each.

        Raises :class:`~hub.errors.TryLater` or :class:`~hub.errors.StopRun` when nothing was carried out and
        :class:`~hub.errors.Unknown` when the whole call may have been. Whatever is raised after a call of the same
        write that changed something and was answered counts as the latter; receipts say more.
        """
        ...

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        """What the target holds for each reference; those it does not know are left out."""
        ...

    def settle(self, handles: Sequence[Handle]) -> Iterator[Receipt]:
        """Receipts for work that was accepted earlier; none for what is still under way."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A system that pushes; the gateway calls ``verify`` before anything is stored."""

    def verify(self, request: Pushed) -> None:
        """Raise :class:`~hub.errors.Reject` unless the signature over the raw body is right and fresh."""
        ...

    def identity(self, request: Pushed) -> str:
        """The sender's own id of this delivery: the same id twice is one message."""
        ...

    def unpack(self, request: Pushed) -> Iterable[Record]:
        """The raw records in it; none when the message only says that there is something to read."""
        ...


def connector_class(name: str, place: str | None = None) -> type[Connector]:
    """The class in ``connectors/<name>/connector.py``; a :class:`ConfigError` at ``place`` if there is none."""
    if not name.isidentifier():
        raise ConfigError(f'"{name}" is not the name of a connector', place)
    module_name = f"connectors.{name}.connector"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            known = ", ".join(connector_names())
            raise ConfigError(f'no connector "{name}"; there are {known}', place) from None
        raise
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Connector) and found.__module__ == module_name:
            return found
    raise ConfigError(f"{module_name} holds no class derived from Connector", place)


def connector_names() -> list[str]:
    """The connectors that are there, by folder."""
    import pkgutil

    import connectors

    return sorted(m.name for m in pkgutil.iter_modules(connectors.__path__) if m.ispkg)
