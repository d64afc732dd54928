"""Setting up works on any machine that pip works on, and from files that name no place to fetch from."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.fixture
def uv() -> dict[str, Any]:
    return runpy.run_path(str(PROJECT / ".ci" / "uv.py"))


@pytest.fixture
def pip_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip's only configuration file."""
    path = tmp_path / "pip.conf"
    path.write_text("", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    for name in ("PIP_CERT", "PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return path


def test_uv_gets_the_mirror_the_wheels_and_the_certificate_that_pip_has(
    uv: dict[str, Any], pip_conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_conf.write_text(
        "[global]\nindex-url = https://mirror.example/simple\ncert = /from/file.pem\n"
        "[install]\nfind-links =\n  /wheels\n  /more\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PIP_CERT", "/from/environment.pem")
    env = uv["environment"](uv["settings_of_pip"](), {})
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert env["UV_FIND_LINKS"] == "/wheels,/more"
    assert env["SSL_CERT_FILE"] == "/from/environment.pem"


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_uv_was_told_itself_counts_first(uv: dict[str, Any], name: str) -> None:
    env = uv["environment"]({"index-url": "https://mirror.example/simple"}, {name: "https://own.example/simple"})
    assert env[name] == "https://own.example/simple"
    assert env.get("UV_DEFAULT_INDEX", env[name]) == env[name]


def test_a_machine_without_network_installs_from_its_wheels_alone(uv: dict[str, Any]) -> None:
    install = ["pip", "install", "-r", "requirements.lock"]
    assert uv["arguments"]({"no-index": "1"}, install) == [*install, "--no-index"]
    assert uv["arguments"]({}, install) == install
    assert uv["arguments"]({"no-index": "1"}, ["pip", "compile"]) == ["pip", "compile"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    assert len(pins) > 100
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert not re.search(r"https?://|--index-url|--find-links", text)


def test_the_development_lock_holds_the_runtime_one() -> None:
    runtime, dev = ({*_pins(PROJECT / name)} for name in LOCKS)
    assert runtime <= dev


def _pins(path: Path) -> list[str]:
    return re.findall(r"^[A-Za-z0-9._-]+==[^\s;]+", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_makefile_refuses_a_python_that_is_too_old_with_a_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    pretend = "import sys; sys.version_info = (3, 10, 14); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{pretend}' \"$2\"\n", encoding="utf-8")
    old.chmod(0o755)
    (tmp_path / "Makefile").write_bytes((PROJECT / "Makefile").read_bytes())
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(["make", "setup", f"PYTHON={old}"], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert made.returncode == 2
    assert "omnihub needs Python 3.11 to 3.13" in made.stderr
    assert "is 3.10: make PYTHON=" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_what_a_person_runs() -> None:
    script = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script
    assert script.splitlines()[-2:] == ["make lint", "make test"]
    assert (PROJECT / ".ci" / "run").stat().st_mode & 0o111
