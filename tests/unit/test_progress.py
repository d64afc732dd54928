"""How far long work is: a line now and then where nobody watches."""

from __future__ import annotations

import pytest

from hub.cli import say


def test_a_log_gets_a_line_now_and_then_not_one_for_each_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setattr(say.time, "monotonic", lambda: now)
    with say.progress() as report:
        for step in range(1, 101):
            now += 1.0
            report(f"{step} of 100 [done]")
    told = capsys.readouterr()
    assert [text.split(" ", 1)[1] for text in told.err.splitlines()] == [f"{n} of 100 [done]" for n in (30, 60, 90)]
    assert told.out == ""


def test_a_program_that_reads_json_gets_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with say.progress(quiet=True) as report:
        report("half way")
    told = capsys.readouterr()
    assert told.err + told.out == ""
