"""The checks before the hub starts, and the secrets it makes once."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest
from support.booted import free_port

from hub.errors import ConfigError
from hub.local.site import Site


def site(home: Path, port: int = 0) -> Site:
    return Site(home=home, project=home, port=port or free_port())


def test_one_setting_moves_all_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_PORT", "28080")
    assert list(Site.of_environment(tmp_path).ports.values()) == list(range(28080, 28089))


@pytest.mark.parametrize("text", ["eighty", "80", "65535", "-1", "18080.5"])
def test_a_port_that_cannot_be_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    monkeypatch.setenv("HUB_PORT", text)
    with pytest.raises(ConfigError, match=f'HUB_PORT is "{text}": give a number from 1024'):
        Site.of_environment(tmp_path)


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    mine = site(tmp_path / "home")
    with socket.socket() as other:
        other.bind(("127.0.0.1", mine.ports["gateway"]))
        with pytest.raises(ConfigError, match=rf"port {mine.ports['gateway']} \(gateway\) is taken .* set HUB_PORT"):
            mine.check()


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100 * 2**20))
    with pytest.raises(ConfigError, match="has 100 MB left and the hub needs 500 MB"):
        site(tmp_path / "home").check()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be made"):
        site(tmp_path / "home").check()


def test_passwords_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    mine = site(tmp_path / "home")
    first = mine.passwords()
    assert set(first) == {"admin", "gateway"}
    assert mine.passwords() == first
    assert stat.S_IMODE(mine.passwords_file.stat().st_mode) == 0o600


def test_two_clones_have_different_passwords(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert site(tmp_path / "one").passwords()["admin"] != site(tmp_path / "two").passwords()["admin"]
