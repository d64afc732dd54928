"""Which process dies where: every marked point and a few random moments, in an order drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from hub.points import GATEWAY, WORKER

# A worker that is at one of these sees its database go, once before, once inside and once after a commit.
BEFORE_DATABASE_GOES = ("batch applied", "attempt committed", "call answered", "receipts written")
# These are passed at every call to a system, the others a few times in a pass.
OFTEN = ("request leaves", "answer came")
ONLY_AT_FIRST = ("bound",)  # what the targets hold is found once
# Who comes after a worker that left an attempt without an answer, and dies over it.
AFTER = {"attempt committed": "attempt taken over", "call answered": "given back"}
RANDOM = "any moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """``victim`` (worker, gateway or database) dies when ``point`` is passed for the ``number``-th time."""

    victim: str
    point: str
    number: int = 1

    @property
    def place(self) -> str:
        """``worker: attempt committed``, for a count by place."""
        return f"{self.victim}: {self.point}"


def worker_kills(draw: random.Random) -> Iterator[Kill]:
    """For ever: each point of a worker, moments of a worker and of the database, in rounds."""
    yield from (Kill(victim="worker", point=point) for point in ONLY_AT_FIRST)
    while True:
        points = [p for p in WORKER if p not in (*ONLY_AT_FIRST, *AFTER.values())]
        round_ = [[Kill(victim="worker", point=point, number=number(draw, point))] for point in points]
        round_ += [[Kill(victim="worker", point=RANDOM)]] * 4
        round_ += [[Kill(victim="database", point=draw.choice(BEFORE_DATABASE_GOES), number=draw.randint(1, 3))]]
        round_ += [[Kill(victim="database", point=RANDOM)]] * 2
        for kills in round_:
            if then := AFTER.get(kills[0].point):
                kills.append(Kill(victim="worker", point=then))
        draw.shuffle(round_)
        yield from (kill for kills in round_ for kill in kills)


def gateway_kills(draw: random.Random) -> Iterator[Kill]:
    """For ever: each point of the gateway, in rounds."""
    while True:
        round_ = [Kill(victim="gateway", point=point, number=draw.randint(1, 5)) for point in GATEWAY]
        round_ += [Kill(victim="gateway", point=RANDOM)]
        draw.shuffle(round_)
        yield from round_


def number(draw: random.Random, point: str) -> int:
    """The how-manieth time is the last."""
    return draw.randint(1, 40) if point in OFTEN else draw.choice((1, 1, 1, 2, 3))
