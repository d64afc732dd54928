"""Every parser and mapping takes whatever comes: a result or a sentence, soon, and no secret in either.

A few inputs each here; `make fuzz` gives 100,000 and prints how many each target had.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from fuzz.conftest import LONG
from support.fuzz import commands, files, pushes, records, vendors, written
from support.fuzz.gateway import Door
from support.fuzz.journal import target as journal_target
from support.fuzz.target import Report, Target, run

TARGETS: list[Target] = [one for part in (records, files, written, pushes, vendors) for one in part.TARGETS]
ALL = int(os.environ.get("OMNIHUB_FUZZ_INPUTS", "100000" if LONG else "1000"))
SEED = int(os.environ.get("OMNIHUB_FUZZ_SEED", "0"))
JOURNAL_SHARE = 4
PER_SHARE = ALL / (sum(one.share for one in TARGETS) + JOURNAL_SHARE)
Note = Callable[[str, object], None]


def told(report: Report, note: Note) -> None:
    """Into the summary, and onto the screen what went wrong."""
    note("fuzz", [report.name, report.inputs, report.refused, *map(report.count, KINDS), report.seconds])
    for kind, cases in report.trouble.items():
        for place, case in cases.items():
            print(f"{kind}: {place}\n{case}\n")  # noqa: T201
    assert not report.trouble, f"{report.name}: {', '.join(p for c in report.trouble.values() for p in c)}"


KINDS = ("crashes", "hangs", "leaks")


@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_any_input_is_answered_in_time_with_a_result_or_a_sentence(target: Target, record_property: Note) -> None:
    told(run(target, max(5, round(PER_SHARE * target.share)), SEED), record_property)


@pytest.mark.timeout(7200 if LONG else 300)
def test_any_words_behind_a_command_are_answered(
    gateway: Door, record_property: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", gateway.dsn)
    monkeypatch.chdir(gateway.project)
    told(run(commands.TARGET, max(6, round(PER_SHARE)), SEED), record_property)


@pytest.mark.timeout(7200 if LONG else 300)
def test_any_record_is_kept_or_in_quarantine(gateway: Door, record_property: Note) -> None:
    target, close = journal_target(gateway)
    try:
        told(run(target, max(5, round(PER_SHARE * JOURNAL_SHARE)), SEED), record_property)
    finally:
        close()
