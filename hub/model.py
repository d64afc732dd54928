"""The values that travel through the hub: frozen, keyword-only, without behaviour of their own.

A vendor's record becomes a canonical record by mapping; canonical records become what a target
should hold by derivation; the difference becomes deliveries, and a target answers with receipts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self, runtime_checkable


class Clock(Protocol):
    """Where the time comes from; tests hand in one that they set."""

    def now(self) -> datetime:
        """The present moment, timezone-aware."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a record was read, precisely enough to open it again."""

    source: str  # file name, URL or topic
    line: int | None = None  # line in the file, or position in the page, from 1
    raw: str | None = None  # vault reference of the payload as it arrived
    message: str | None = None  # delivery id of a pushed message


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object as one system knows it."""

    object: str  # the vendor's object name while raw, "stock_level" once canonical
    key: str  # business key, unique in (system, object)
    data: Mapping[str, Any]
    event_time: datetime | None = None  # when it happened at the source, with offset
    source_version: str | int | None = None  # orders two records of one key from one system
    origin: Origin

    def become(self, **changes: Any) -> Self:
        """A copy with ``changes``."""
        return replace(self, **changes)


# The object of a pushed record that only says: this object of yours changed here. Its key is the system's own id,
# its data {"object": name of the delivered object}.
CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a source has been read: JSON values only; the connector alone understands them."""

    value: Mapping[str, Any]


class Extent(StrEnum):
    """What the absence of a key in a batch means."""

    DELTA = "delta"  # only what changed since the checkpoint; absence says "as before"
    PARTIAL = "partial"  # a snapshot of the keys in it; absence says nothing
    COMPLETE = "complete"  # a snapshot of everything in ``series``; absence is a finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A till's last ticket, as the shop floor counts it."""

    business_day: str  # YYYY-MM-DD
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a batch covers.

    ``series`` names the line of snapshots this one continues, in the vendor's own words (a store's
    code); ``as_of`` is the time up to which the source vouches for it; None on any but the last
    page of a paged read. ``tickets`` is the last ticket per till that the numbers contain.
    """

    extent: Extent = Extent.DELTA
    series: str = ""
    as_of: datetime | None = None
    tickets: Mapping[str, Ticket] = field(default_factory=dict)
    rows: int | None = None  # lines the source says it wrote
    ended: bool = False  # the source marks where it ends, and the mark was there
    identity: str | None = None  # name + as-of + hash: the same identity is the same snapshot
    raw: str | None = None  # vault reference of the whole


@runtime_checkable
class Lines(Protocol):
    """Records that are still raw lines, so that two snapshots can be compared before any is mapped.

    ``Sequence[Record]`` whose items are made when asked for. ``keys()`` and ``texts()`` are parallel
    to the items; a text leaves out what changes on every export (volatile columns).
    """

    def keys(self) -> Sequence[str]: ...
    def texts(self) -> Sequence[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Record | Refused: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What could not become a record: kept in quarantine with the place and the sentence."""

    object: str
    key: str | None
    data: Mapping[str, Any]
    path: str  # field, as in ``lines[2].quantity``
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records read together and committed together."""

    records: Sequence[Record | Refused] | Lines
    checkpoint: Checkpoint  # true once every record is journalled (applied or in quarantine)
    scope: Scope = Scope()
    raw: bytes | None = None  # the payload as it arrived, for the vault
    more: bool = False  # the source has another batch now


class Operation(StrEnum):
    SET = "set"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A target's own id for one of our keys."""

    external_id: str
    extra: Mapping[str, Any] = field(default_factory=dict)  # ids a vendor needs beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One desired change at one target."""

    key: str
    operation: Operation = Operation.SET
    value: Mapping[str, Any]
    changed: frozenset[str] = frozenset()  # fields of the value that differ from ``previous``
    previous: Mapping[str, Any] | None = None  # last confirmed remote value: compare-and-set from it
    bindings: Mapping[str, Binding] = field(default_factory=dict)  # by bound object: sku, location
    known: Mapping[str, Mapping[str, Binding]] = field(default_factory=dict)  # of what the value mentions: object, key
    as_of: datetime  # the target's own events are contained up to here
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A question to a target: the object behind ``key``, by whatever may identify it there."""

    key: str
    by: Mapping[str, str] = field(default_factory=dict)  # sku, gtin, name ...
    bindings: Mapping[str, Binding] = field(default_factory=dict)  # where ids are known already
    value: Mapping[str, Any] = field(default_factory=dict)  # what it should hold, where that helps to find it
    known: Mapping[str, Mapping[str, Binding]] = field(default_factory=dict)  # of what the value mentions: object, key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What a target holds, as it was read or confirmed."""

    value: Mapping[str, Any]
    binding: Binding | None = None
    matched: str | None = None  # the identifier that found it, where it was searched for
    bindings: Mapping[str, Mapping[str, Binding]] = field(default_factory=dict)  # of what lives in it: object, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of one picture, checked against its hash."""

    data: bytes = field(repr=False)
    mime: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """Work that a target accepted and answers later."""

    id: str
    key: str


# --- receipts: one for each delivery, in its order ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Carried out; ``remote`` is what the target holds now."""

    key: str
    remote: Remote


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Taken; ask ``settle`` with the handle, not before ``not_before``."""

    key: str
    handle: Handle
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Compare-and-set failed; ``remote`` is the present value where the target tells it."""

    key: str
    remote: Remote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Not carried out, nothing wrong with it: send it again (a neighbour in the batch failed)."""

    key: str
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """May have been carried out: read back before anything else is sent for this key."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The target refuses this one for good."""

    key: str
    path: str
    reason: str


Receipt = Done | Accepted | Conflict | Postponed | Doubtful | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A request that an outside system made to the gateway, untouched."""

    system: str
    path: str
    url: str  # as the sender addressed it: some vendors sign it
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether a system can be worked with; ``detail`` says what is missing in one sentence."""

    ok: bool
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
