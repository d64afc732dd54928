"""Edits: a field that a person changed in the target, although another system owns it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.flow.objects import EDITABLE
from hub.flow.outcome import Pass
from hub.journal import audit, desired, remotes

if TYPE_CHECKING:
    from hub.flow.engine import Engine

Values = Mapping[str, Mapping[str, Any]]  # by key
SAID = {
    "revert": "changed there by somebody; taken back (on_foreign_edit: revert)",
    "accept": "changed there by somebody; accepted until we have something new to say (on_foreign_edit: accept)",
    "report": "changed there by somebody; left and reported until it is decided (on_foreign_edit: report)",
}


def notice(engine: Engine, current: Pass, target: str, object: str, believed: Values, held: Values) -> None:
    """Fields on which we and the target agreed and which it now holds otherwise: revert, accept or report them."""
    if object not in EDITABLE or not believed:
        return
    ours = desired.values(engine.journal, target, object, list(believed))
    left = remotes.edited(engine.journal, target, object, list(believed))
    policy = engine.landscape.flows[current.flow].targets[target].on_foreign_edit
    for key in sorted(held.keys() & believed.keys() & ours.keys()):
        if not held[key]:
            continue
        changed = [f for f, value in held[key].items() if believed[key].get(f) == ours[key].get(f, value) != value]
        back = [f for f in left.get(key, {}) if held[key].get(f) == ours[key].get(f)]
        if changed:
            tell(engine, current, target, object, key, {f: (ours[key][f], held[key][f]) for f in changed}, policy)
        if back or (changed and policy != "revert"):
            kept = {f: edit for f, edit in left.get(key, {}).items() if f not in back}
            now = engine.clock.now().isoformat()
            if policy != "revert":
                kept |= {
                    f: {"ours": ours[key][f], "theirs": held[key][f], "policy": policy, "at": now} for f in changed
                }
            remotes.leave(engine.journal, target, object, key, kept)


def tell(
    engine: Engine,
    current: Pass,
    target: str,
    object: str,
    key: str,
    changed: Mapping[str, tuple[Any, Any]],
    policy: str,
) -> None:
    entry = audit.Entry(
        step="edited",
        system=target,
        object=object,
        key=key,
        subject=key,
        before={field: ours for field, (ours, _) in changed.items()},
        after={field: theirs for field, (_, theirs) in changed.items()},
        answer=SAID[policy],
    )
    audit.write(engine.journal, current.run, current.flow, [entry])


def overtaken(engine: Engine, changed: Sequence[desired.Changed]) -> None:
    """We have something new to say of a field: what somebody had put there in its place no longer stands."""
    by_target: dict[tuple[str, str], dict[str, set[str]]] = {}
    for one in changed:
        if one.desired.object in EDITABLE and one.before is not None:
            after, before = one.desired.value, one.before
            fields = {f for f in after.keys() | before.keys() if after.get(f) != before.get(f)}
            by_target.setdefault((one.desired.target, one.desired.object), {})[one.desired.key] = fields
    for (target, object), keys in by_target.items():
        for key, left in remotes.edited(engine.journal, target, object, list(keys)).items():
            kept = {field: edit for field, edit in left.items() if field not in keys[key]}
            if kept != left:
                remotes.leave(engine.journal, target, object, key, kept)
