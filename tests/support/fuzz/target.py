"""A target takes one input; whatever it is, the answer comes soon, is a result or a sentence, and shows no secret."""

from __future__ import annotations

import io
import logging
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from support.fuzz.values import CANARY, SHOWN

from hub.errors import HubError
from hub.transport import redaction

SECONDS = 5.0  # of the processor, for one input; the slowest honest one takes a twentieth of that
WAITING = 60.0  # of the clock: the machine may do other things


class Hang(BaseException):
    """An input is still being worked on."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """``take`` may answer anything and raise a :class:`HubError`, which is a sentence for a person."""

    name: str
    inputs: SearchStrategy[Any]
    take: Callable[[Any], object]
    share: int = 4  # of a long run's inputs, beside the others'


@dataclass(kw_only=True)
class Report:
    """What became of the inputs of one target; trouble is told once for each place it comes from."""

    name: str
    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    trouble: dict[str, dict[str, str]] = field(default_factory=dict)  # kind -> place -> the first case

    def count(self, kind: str) -> int:
        return len(self.trouble.get(kind, {}))

    def note(self, kind: str, place: str, case: str) -> None:
        self.trouble.setdefault(kind, {}).setdefault(place, case)


def run(target: Target, count: int, start: int = 0) -> Report:
    """Give ``target`` ``count`` inputs, the same ones for the same ``start``."""
    report = Report(name=target.name)
    began = time.monotonic()
    redaction.protect(CANARY)
    with logged() as log:
        while report.inputs < count:
            _round(target, min(count - report.inputs, 20_000), start, report, log)
            start += 1
    report.seconds = time.monotonic() - began
    return report


def _round(target: Target, count: int, start: int, report: Report, log: io.StringIO) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def each(given: Any) -> None:
        attempt(target, given, report, log)

    each()


def attempt(target: Target, given: Any, report: Report, log: io.StringIO) -> None:
    """One input, and what is wrong with what it led to."""
    log.seek(0)
    log.truncate()
    said = ""
    report.inputs += 1
    began = time.process_time()
    try:
        with within(WAITING):
            said = str(target.take(given) or "")
    except HubError as error:
        report.refused += 1
        said = redaction.redact(str(error))
    except Hang:
        report.note("hangs", target.name, _case(given))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        report.note("crashes", _place(error), f"{_case(given)}\n{traceback.format_exc(limit=-8)}")
    if (took := time.process_time() - began) > SECONDS:
        report.note("hangs", f"{target.name} took {took:.0f} s", _case(given))
    if SHOWN in said or SHOWN in log.getvalue():
        report.note("leaks", target.name, f"{_case(given)}\n{said}\n{log.getvalue()[:2000]}")


def _case(given: Any) -> str:
    return repr(given)[:600]


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
    return f"{type(error).__name__} at {'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno}"


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` in this thread when it takes longer."""

    def ring(_: int, __: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    left = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What the process logs, as the hub's own handlers write it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(redaction.Redaction())
    root = logging.getLogger()
    level, others = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield text
    finally:
        root.handlers[:] = others
        root.setLevel(level)
