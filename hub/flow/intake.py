"""Intake: one batch into the journal, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.flow.keep import keep, vouch
from hub.flow.mapped import Mapped, map_all
from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass
from hub.flow.snapshot import take_snapshot
from hub.model import Batch

if TYPE_CHECKING:
    from hub.flow.engine import Engine
    from hub.mapping import Mapping


def take(
    engine: Engine,
    current: Pass,
    system: str,
    batch: Batch,
    mappings: Sequence[Mapping],
    *,
    mapped: Mapped | None = None,
) -> None:
    """Journal ``batch``: every record ends applied, known already, superseded or in quarantine; or all are held.

    ``mapped`` is what its mappings made of it, where somebody looked already.
    """
    scope = batch.scope
    if batch.raw is not None:
        scope = replace(scope, raw=engine.vault.keep(engine.journal, "file" if scope.identity else "page", batch.raw))
    if scope.identity is not None:
        take_snapshot(engine, current, system, batch, scope, mappings)
        return
    mapped = mapped or map_all(engine, system, [batch.records[n] for n in range(len(batch.records))], scope, mappings)
    keep(engine, current, system, mapped, scope, snapshot=None)
    if scope.as_of is not None:
        for name in {m.target for m in mappings}:
            vouch(engine, current, system, OBJECTS[name], scope, snapshot=None)
