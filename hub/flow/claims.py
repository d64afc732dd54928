"""Claims: what a system says of a key that another one has the authority over. Kept for comparison, never merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.flow import ownership
from hub.journal import agreement

if TYPE_CHECKING:
    from hub.flow.engine import Engine

NOT_COMPARED = ("as_of",)  # two systems never look at the same moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Two words on one key, of which one counts."""

    object: str
    key: str
    system: str  # whose word does not count
    owner: str  # whose does
    fields: Mapping[str, Mapping[str, Any]]  # by name: {"claims": ..., "counts": ...}


def of(engine: Engine, object: str) -> list[Claim]:
    """Every claim on ``object`` that contradicts its owner's word."""
    found = []
    for key, owner, counts, system, claims in agreement.contradictions(engine.journal, object):
        fields = contradicted(engine, object, owner, system, counts, claims)
        if fields:
            found.append(Claim(object=object, key=key, system=system, owner=owner, fields=fields))
    return found


def contradicted(
    engine: Engine, object: str, owner: str, system: str, counts: Mapping[str, Any], claims: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The fields of which ``owner`` has the authority and ``system`` says something else."""
    both = [name for name in counts if name in claims and name not in NOT_COMPARED and claims[name] != counts[name]]
    if object in ownership.OBJECTS:
        theirs = set(ownership.not_owned(engine, owner, object, counts, None))
        both = [f for f in ownership.not_owned(engine, system, object, claims, None) if f in both and f not in theirs]
    elif engine.landscape.authority_of(object, str(counts.get("location", ""))) != owner:
        return {}
    return {name: {"claims": claims[name], "counts": counts[name]} for name in both}
