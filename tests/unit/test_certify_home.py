"""What a certification leaves behind: nothing where it went well or was interrupted, its logs where it did not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.scene import ROOT

from hub.certify.flows import Certificate
from hub.certify.home import home
from hub.certify.verdict import Verdict
from hub.cli.certify import as_data, tell

CERTIFY = {
    "omnihub-soak-": "from hub.certify.soak import soak_anew; soak_anew(Path(sys.argv[1]), minutes=1)",
    "omnihub-certify-": (
        "from hub.certify.flows import certify; certify(Path(sys.argv[1]), kills=1, minutes=1, seed=1)"
    ),
}


def test_it_is_thrown_away_where_nothing_was_found() -> None:
    with home("omnihub-test-") as place:
        (place.path / "a log").touch()
    assert not place.path.exists()
    assert place.kept is None


def test_it_is_kept_where_something_was_found_or_went_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with home("omnihub-test-") as place:
        place.keep = True
    assert place.kept == place.path
    assert place.path.is_dir()
    with pytest.raises(ValueError, match="made up"), home("omnihub-test-") as place:
        raise ValueError("made up")
    assert place.path.is_dir()


@pytest.mark.parametrize("prefix", CERTIFY)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_interrupted_leaves_nothing(open_tmp: Path, prefix: str, number: signal.Signals) -> None:
    program = f"import sys; from pathlib import Path; {CERTIFY[prefix]}"
    process = subprocess.Popen([sys.executable, "-c", program, str(ROOT)], env={**os.environ, "TMPDIR": str(open_tmp)})
    until = time.monotonic() + 60
    while not list(open_tmp.glob(f"{prefix}*/logs/sandbox.log")):  # the database writes by now
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(60) == 130
    until = time.monotonic() + 20
    while list(open_tmp.glob(f"{prefix}*")):
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(0.5)
    assert list(open_tmp.glob(f"{prefix}*")) == []


def test_how_many_records_wait_for_a_person_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    found = Certificate(asked=1, seed=1, kills=1)
    tell(found)
    assert capsys.readouterr().out.endswith("0 out of order\n")
    found.add(Verdict(waiting=31, compared={"sales": 340}))
    assert as_data(found)["waiting"] == 31
    tell(found)
    said = capsys.readouterr().out
    assert "waiting for a person" in said
    assert said.endswith("0 out of order; 31 records wait for a person\n")
