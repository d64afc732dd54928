"""Changes: what a plan would do to one key, in a form that two passes can be compared by."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hub.errors import ConfigError

NOT_COMPARED = ("generation", "because")  # of a derived value: how often it changed, and the numbers behind it
AT_TARGETS = ("derived", "bound")  # steps that concern what a target should hold or is called there
SEND = "send"
REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key at one place, before and after; ``step`` as the audit trail calls it, or ``send``, or ``repair``."""

    place: Literal["source", "target"]
    step: str
    system: str
    object: str
    key: str
    subject: str
    before: Any
    after: Any
    answer: str | None

    @property
    def text(self) -> str:
        """The whole change; equal texts are equal changes."""
        return plain(asdict(self))

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What is changed, whatever it becomes."""
        return self.step, self.system, self.object, self.key


def of_step(row: Mapping[str, Any]) -> Change:
    """A row of the audit trail."""
    after = row["after"]
    if row["step"] == "derived" and isinstance(after, Mapping):
        after = {name: value for name, value in after.items() if name not in NOT_COMPARED}
    place: Literal["source", "target"] = "target" if row["step"] in AT_TARGETS else "source"
    named = {name: row[name] for name in ("step", "system", "object", "key", "subject", "before", "answer")}
    return Change(place=place, after=after, **named)


def of_sending(row: Mapping[str, Any]) -> Change:
    """A delivery that would wait."""
    return Change(
        place="target", step=SEND, system=row["target"], object=row["object"], key=row["key"], subject=row["subject"],
        before=row["before"], after=row["after"], answer=None,
    )  # fmt: skip


def plain(value: Any) -> str:
    """JSON in which equal values have equal texts: names in order, each digit as it is."""
    return json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)


def digest(changes: Iterable[Change]) -> str:
    """One name for all of it, whatever its order."""
    return hashlib.sha256("\n".join(sorted(one.text for one in changes)).encode()).hexdigest()


def dumped(changes: Iterable[Change]) -> bytes:
    """For the vault: a change in each line."""
    return "\n".join(one.text for one in changes).encode()


def loaded(payload: bytes) -> list[Change]:
    """What :func:`dumped` made; a number with a point comes back as text, as it is compared."""
    return [Change(**json.loads(line)) for line in payload.decode().split("\n") if line]


def moved(planned: Sequence[Change], now: Sequence[Change]) -> list[str]:
    """A sentence for each key of which two passes do not say the same; empty where they agree."""
    before, after = _counted(planned), _counted(now)
    names = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    # What should be held is told by what is sent, where it is sent.
    told = [name for name in names if name[0] != "derived" or (SEND, *name[1:]) not in names]
    return [_sentence(name, before.get(name), after.get(name)) for name in sorted(told)]


Texts = Counter[str]


def _counted(changes: Iterable[Change]) -> dict[tuple[str, str, str, str], Texts]:
    """By what is changed, how often each change of it: one key can have several events."""
    found: dict[tuple[str, str, str, str], Texts] = {}
    for one in changes:
        found.setdefault(one.name, Counter())[one.text] += 1
    return found


WORDS = {"applied": "said by", SEND: "to", "derived": "for", REPAIR: "at"}


def _sentence(name: tuple[str, str, str, str], planned: Texts | None, now: Texts | None) -> str:
    step, system, object, key = name
    what = f"{object} {key} {WORDS.get(step, f'({step})')} {system}"
    if planned is None:
        return f"{what} is new: {_outcome(now)}"
    if now is None:
        return f"{what} is no longer to change: {_outcome(planned)} was planned"
    if step == REPAIR:
        return f"{what} held {_outcome(planned - now, 'before')}, and holds {_outcome(now - planned, 'before')}"
    return f"{what} was to become {_outcome(planned - now)}, and becomes {_outcome(now - planned)}"


def _outcome(texts: Texts | None, side: str = "after") -> str:
    from hub.flow.wording import brief

    found = [json.loads(text) for text in texts or ()]
    said = [one["answer"] or brief(one[side]) or "nothing" for one in found]
    return " and ".join(said[:2]) or "the same fewer times"


def fields(one: Change) -> Iterator[tuple[str, Any, Any]]:
    """(field, before, after) of each field that differs; one row without a field where there was nothing before."""
    if not isinstance(one.before, Mapping) or not isinstance(one.after, Mapping):
        yield "", one.before, one.after if one.after is not None else one.answer
        return
    for name in dict.fromkeys([*one.before, *one.after]):
        if one.before.get(name) != one.after.get(name):
            yield name, one.before.get(name), one.after.get(name)


def named_in(text: str, place: str) -> tuple[int, str]:
    """The number and the digest in a file that ``hub plan --out`` wrote."""
    try:
        found = json.loads(text)
        number, name = found["plan"], found["digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError("this is no plan that `hub plan FLOW --out FILE` wrote", place) from None
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(name, str):
        raise ConfigError("this is no plan that `hub plan FLOW --out FILE` wrote", place)
    return number, name
