"""Refusals: what could not become a record goes to quarantine whole, with the place and the sentence."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.flow.mapped import Mapped, origin_row, signature
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass
from hub.flow.payload import kinds_of, packed
from hub.journal import audit, quarantine, states
from hub.model import Record, Refused, Scope

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping

LONGEST = 500  # of a key or reason; an index takes 2,704 bytes
PUSHED = "pushed"  # what a message is called that could not be unpacked


def put_away(engine: Engine, current: Pass, system: str, mapped: Mapped, scope: Scope) -> None:
    """Refused records into quarantine, whole, by what went wrong; what rests on their keys is looked at again."""
    if not mapped.refused:
        return
    refs = engine.vault.keep_many(engine.journal, "refused", [packed(r.data) for r, _, _ in mapped.refused])
    entries = [quarantined(r, raw, m, ref, scope) for (r, raw, m), ref in zip(mapped.refused, refs, strict=True)]
    quarantine.put(engine.journal, current.flow, system, entries, current.run)
    current.counts.judge("quarantined", len(entries))
    told = [
        audit.Entry(
            step="quarantined", system=system, object=e.object, key=e.key or e.source_key or "", origin=e.origin,
            mapping=e.mapping, answer=f"{e.path}: {e.reason}" if e.path else e.reason,
        )
        for e in entries
    ]  # fmt: skip
    audit.write(engine.journal, current.run, current.flow, told)
    for name in {m.target for _, _, m in mapped.refused if m is not None}:
        known = states.detach(
            engine.journal,
            system,
            name,
            source_keys=[e.source_key for e in entries if e.source_key and e.object == name],
            keys=[e.key for e in entries if e.key and e.object == name],
            run=current.run,
        )
        current.mark_subjects(OBJECTS[name], known.values())


def quarantined(
    refused: Refused, raw: Record | None, mapping: Mapping | None, ref: str, scope: Scope
) -> quarantine.Entry:
    """A refused record as a row: filed under the canonical object it would have become."""
    name = mapping.target if mapping else refused.object
    path, reason = storable(refused.path), storable(refused.reason)
    cause = quarantine.cause_of(path, reason)
    source_key = raw.key if raw else refused.key
    return quarantine.Entry(
        object=name,
        key=storable(refused.key) if refused.key is not None else None,
        source_key=storable(source_key) if source_key is not None else None,
        path=path,
        reason=reason,
        cause=cause,
        fingerprint=quarantine.fingerprint(name, cause),
        origin=origin_row(refused.origin),
        raw=ref,
        mapping=signature(mapping) if mapping else None,
        side="pushed" if refused.object == PUSHED and raw is None else "read",
        record=to_replay(raw, scope) if raw else None,
        as_of=moment_of(raw, scope),
    )


def storable(text: str) -> str:
    """``text`` as PostgreSQL and its indexes take it: no NUL, no half character, not endless; the payload keeps all."""
    return text[:LONGEST].replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def to_replay(raw: Record, scope: Scope) -> dict[str, Any]:
    """What a replay needs beside the payload; of a snapshot also which one it was a line of."""
    kinds = {path: kind for path, kind in kinds_of(raw.data).items() if path == storable(path)}
    found: dict[str, Any] = {"object": raw.object, "kinds": kinds}
    if raw.event_time is not None:
        found["event_time"] = raw.event_time.isoformat()
    if raw.source_version is not None:
        version = raw.source_version
        found["source_version"] = storable(version) if isinstance(version, str) else version
    if scope.series:
        found["series"] = scope.series
    if scope.identity is not None and scope.as_of is not None:
        found |= {"identity": scope.identity, "as_of": scope.as_of.isoformat()}
    return found


def moment_of(raw: Record | None, scope: Scope) -> datetime | None:
    """The moment that a refused record speaks of, where that is known without its mapping."""
    if scope.identity is not None and scope.as_of is not None:
        return scope.as_of
    return raw.event_time if raw else None
