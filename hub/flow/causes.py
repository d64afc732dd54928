"""Why a target does not hold what it should: the first cause that explains a difference, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hub.flow.wording import brief


class Cause(StrEnum):
    """What explains a difference between what should be held and what is."""

    IN_FLIGHT = "in flight"  # on its way: it agrees by itself
    BINDING = "waits for a binding"  # the target does not have the article under our SKU or GTIN
    WAITS = "waits"  # for what its derivation names
    QUARANTINED = "quarantine"  # the source's newer word was refused
    REFUSED = "refused"  # by the target, for good
    PERSON = "waits for a person"  # it was sent, and only somebody who looks at the target can say what became of it
    EDITED = "edited in the target"  # and left so by on_foreign_edit
    RULE = "rule"  # a scope or a safety stock says that it differs
    OWNERSHIP = "ownership"  # another system has the authority over it
    GUARD = "guard"  # the source's newer word is held for a person
    GONE = "not there"  # it was, and nobody here removed it
    DRIFT = "drift"  # changed in the target, and nobody here did it

    @property
    def settled(self) -> bool:
        """Whether somebody already knows of it: neither on its way, nor found by this comparison alone."""
        return self not in (Cause.IN_FLIGHT, Cause.GONE, Cause.DRIFT)

    @property
    def repairable(self) -> bool:
        """Whether reading back and sending again makes it agree."""
        return self in (Cause.GONE, Cause.DRIFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key of one target that does not hold what it should, or cannot be told what."""

    system: str
    object: str
    key: str
    subject: str
    cause: Cause
    detail: str
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by name: {"should": ..., "holds": ...}
    confirmed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a comparison of one target knows beside the journal's row of a key."""

    target: str
    object: str
    asked: set[str]  # keys that could be asked for: all they need is bound
    held: Mapping[str, Mapping[str, Any]]
    refusals: Mapping[str, str]
    reasons: Mapping[str, Sequence[str]]  # by subject
    binds: Sequence[str] = ()
    products: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what products wait for at the target


def differs(facts: Facts, row: Mapping[str, Any]) -> bool:
    """Whether a key needs explaining."""
    return row["key"] not in facts.asked or facts.held.get(row["key"]) != row["value"]


def of(facts: Facts, row: Mapping[str, Any]) -> Difference:
    """The difference of one key, with the cause that explains it."""
    fields = _fields(row["value"], facts.held.get(row["key"]))
    cause, detail = _cause(facts, row, fields)
    return Difference(
        system=facts.target,
        object=facts.object,
        key=row["key"],
        subject=row["subject"],
        cause=cause,
        detail=detail,
        fields=fields if row["key"] in facts.asked else {},
        confirmed=row["confirmed"],
    )


def of_waiting(facts: Facts, subject: str) -> Difference:
    """A subject of which nothing can be said yet."""
    detail = "; ".join(facts.reasons[subject])
    return Difference(
        system=facts.target, object=facts.object, key=subject, subject=subject, cause=Cause.WAITS, detail=detail
    )


def of_refused(row: Mapping[str, Any]) -> Difference:
    """A record of a source that is in no value because it was refused."""
    place = (
        f"{row['origin']['source']}:{row['origin']['line']}" if row["origin"].get("line") else row["origin"]["source"]
    )
    said = f"{row['path']}: {row['reason']}" if row["path"] else row["reason"]
    return Difference(
        system=row["system"],
        object=row["object"],
        key=row["key"] or f"number {row['id']}",
        subject=row["key"] or "",
        cause=Cause.QUARANTINED,
        detail=f"{said} ({place})",
    )


def _cause(facts: Facts, row: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[Cause, str]:
    if row["key"] not in facts.asked:
        return Cause.BINDING, _unknown(facts, row)
    if row["refused"]:
        return Cause.REFUSED, facts.refusals.get(row["key"], f"{facts.target} refused it")
    if row["asks"]:
        return Cause.PERSON, row["asks"]
    if said := _under_way(row):
        return Cause.IN_FLIGHT, said
    if row["subject"] in facts.reasons:
        return Cause.WAITS, "; ".join(facts.reasons[row["subject"]])
    if fields and set(fields) <= set(row["edits"]):
        return Cause.EDITED, "; ".join(_edit(name, row["edits"][name]) for name in fields)
    if row["key"] not in facts.held:
        return Cause.GONE, f"{_confirmed(row, fields)}; {facts.target} no longer has it"
    return Cause.DRIFT, f"{_confirmed(row, fields)}; it was changed there since"


def _unknown(facts: Facts, row: Mapping[str, Any]) -> str:
    """What the target would need first, and what that waits for."""
    parts = [f"{name} {row['parts'][name]}" for name in facts.binds if row["parts"].get(name)] or list(facts.binds)
    said = f"{facts.target} has no {' or '.join(parts)} that is known as ours"
    product = row["parts"].get("product")
    return f"{said}; {product} {'; '.join(facts.products[product])}" if product in facts.products else said


def _under_way(row: Mapping[str, Any]) -> str | None:
    """What is happening to the key at this moment; None where nothing is."""
    if row["delivery"] == "pending" and row["not_before"]:
        return f"it waits to be sent, not before {_at(row['not_before'])}"
    if row["delivery"] == "pending":
        return f"it waits to be sent since {_at(row['waits_since'])}"
    if row["delivery"] is not None:
        return f"it was sent and the answer is not in; it waits since {_at(row['waits_since'])}"
    if row["confirmed"] is None:
        return "it was never read there; that comes before it is sent"
    if row["suspect"]:
        return "it is in doubt, and read again before anything is sent"
    if row["due"]:
        return "it is about to be derived again"
    return None


def _confirmed(row: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    held = {name: value for name, value in row["confirmed"].items() if name in fields}
    return f"{brief(held) or 'nothing'} was confirmed at {_at(row['confirmed_at'])}"


def _edit(name: str, edit: Mapping[str, Any]) -> str:
    policy, at = edit.get("policy", "report"), edit.get("at")
    return f"{name} was edited there{f' at {at}' if at else ''} and stays so (on_foreign_edit: {policy})"


def _fields(should: Mapping[str, Any], holds: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    held = holds or {}
    names = [*should, *(name for name in held if name not in should)]
    return {n: {"should": should.get(n), "holds": held.get(n)} for n in names if should.get(n) != held.get(n)}


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
