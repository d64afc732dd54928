"""``hub certify --flows``: kill, let it settle, compare, and again; the figures of the delivery promise."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.certify.home import home
from hub.certify.kills import Attack
from hub.certify.settle import settle
from hub.certify.verdict import Verdict, verdict
from hub.certify.world import World, world

EVERY = 25  # kills between two verdicts
IN_FIRST_SYNCHRONISATION = 0.05  # of all kills: while nothing is known yet
LOOKS = 3  # before a difference counts: a promotion may end between the last pass and the look

Report = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Certificate:
    """What was done and what was found; ``ok`` only where all that was asked for was done and nothing was found."""

    asked: int
    seed: int
    kills: int = 0
    places: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    lost: dict[str, None] = field(default_factory=dict)
    doubled: dict[str, None] = field(default_factory=dict)
    out_of_order: dict[str, None] = field(default_factory=dict)
    compared: Counter[str] = field(default_factory=Counter)
    verdicts: int = 0
    waiting: int = 0  # records that were put away for a person, at the end
    seconds: float = 0.0
    kept: Path | None = None  # where the world with its logs was kept, because something was found

    @property
    def ok(self) -> bool:
        return self.kills >= self.asked and not (self.lost or self.doubled or self.out_of_order)

    @property
    def cases(self) -> list[str]:
        kinds = (("lost", self.lost), ("doubled", self.doubled), ("out of order", self.out_of_order))
        return [f"{name}: {case}" for name, found in kinds for case in found]

    def add(self, found: Verdict) -> None:
        self.verdicts += 1
        self.waiting = found.waiting
        self.compared.update(found.compared)
        self.lost |= dict.fromkeys(found.lost)
        self.doubled |= dict.fromkeys(found.doubled)
        self.out_of_order |= dict.fromkeys(found.out_of_order)


def certify(
    project: Path, *, kills: int, minutes: float, seed: int, every: int = EVERY, report: Report = lambda _: None
) -> Certificate:
    """``kills`` over a world of its own, at most ``minutes`` of them; the copy of ``project`` is thrown away."""
    began = time.monotonic()
    found = Certificate(asked=kills, seed=seed)
    with home("omnihub-certify-") as place, world(project, place.path) as attacked:
        attack = Attack(attacked, seed)
        judged = 0
        first = max(1, round(kills * IN_FIRST_SYNCHRONISATION))
        while attack.kills < kills and time.monotonic() - began < minutes * 60:
            attack.strike()
            report(f"{attack.kills:,} of {kills:,} kills; {len(found.cases)} cases in {found.verdicts} verdicts")
            if attack.kills >= (judged + every if judged else first):
                judged = attack.kills
                judge(attacked, attack, found, report)
        judge(attacked, attack, found, report)
        found.kills, found.places, found.happened = attack.kills, attack.done, attack.happened
        place.keep = bool(found.cases)
    found.kept, found.seconds = place.kept, time.monotonic() - began
    return found


def judge(attacked: World, attack: Attack, found: Certificate, report: Report) -> None:
    """Let it settle, then compare; only what is still there after another look is a case."""
    report(f"{attack.kills:,} kills; passes until nothing is left to send, then everything is compared")
    attack.rest()
    for look in range(1, LOOKS + 1):
        settle(attacked)
        seen = verdict(attacked)
        if seen.ok or look == LOOKS:
            found.add(seen)
            return
