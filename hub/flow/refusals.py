"""Refusals: what could not become a record goes to quarantine whole, with the place and the sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.flow.mapped import Mapped, origin_row, signature
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass
from hub.journal import audit, quarantine, states
from hub.model import Record, Refused

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping


def put_away(engine: Engine, current: Pass, system: str, mapped: Mapped) -> None:
    """Refused records into quarantine, whole, by what went wrong; what rests on their keys is looked at again."""
    if not mapped.refused:
        return
    payloads = [
        json.dumps(dict(r.data), default=str, ensure_ascii=False, sort_keys=True).encode() for r, _, _ in mapped.refused
    ]
    refs = engine.vault.keep_many(engine.journal, "refused", payloads)
    entries = [quarantined(r, raw, m, ref) for (r, raw, m), ref in zip(mapped.refused, refs, strict=True)]
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


def quarantined(refused: Refused, raw: Record | None, mapping: Mapping | None, ref: str) -> quarantine.Entry:
    """A refused record as a row: filed under the canonical object it would have become."""
    name = mapping.target if mapping else refused.object
    cause = quarantine.cause_of(refused.path, refused.reason)
    return quarantine.Entry(
        object=name,
        key=refused.key,
        source_key=raw.key if raw else refused.key,
        path=refused.path,
        reason=refused.reason,
        cause=cause,
        fingerprint=quarantine.fingerprint(name, cause),
        origin=origin_row(refused.origin),
        raw=ref,
        mapping=signature(mapping) if mapping else None,
    )
