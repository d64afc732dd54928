"""SFTP: who may be trusted, what is read whole, and what happens when the server goes away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest
from support.sftp import Store, sftp_server

from hub.connector import Connection
from hub.errors import ConfigError, StopRun, TryLater
from hub.transport.retry import instant
from hub.transport.sftp import Changed, Sftp

LIMIT = 2**31


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sftp_server(tmp_path) as served:
        yield served


@pytest.fixture
def sftp(store: Store) -> Iterator[Sftp]:
    client = Sftp(store.connection)
    yield client
    client.close()


def with_extra(connection: Connection, **extra: object) -> Connection:
    kept = {name: value for name, value in {**connection.extra, **extra}.items() if value is not None}
    return replace(connection, extra=kept)


def test_a_folder_is_listed_without_links_and_folders(store: Store, sftp: Sftp):
    store.write("/out/a.csv", b"12345")
    (store.root / "out/deeper").mkdir()
    (store.root / "out/link").symlink_to("/etc/passwd")
    assert [(entry.name, entry.size) for entry in sftp.list("/out")] == [("a.csv", 5)]


def test_a_file_is_read_whole(store: Store, sftp: Sftp):
    content = os.urandom(3 * 2**20 + 17)
    store.write("/out/a.bin", content)
    assert sftp.read("/out/a.bin", limit=LIMIT) == content


def test_an_empty_file_is_read_too(store: Store, sftp: Sftp):
    store.write("/out/empty", b"")
    assert sftp.read("/out/empty", limit=LIMIT) == b""


def test_a_file_above_the_limit_is_not_read(store: Store, sftp: Sftp):
    store.write("/out/a.csv", b"12345")
    with pytest.raises(StopRun, match="5 bytes, more than the limit of 4"):
        sftp.read("/out/a.csv", limit=4)


def test_a_file_that_grows_while_it_is_read_is_left_for_later(tmp_path: Path):
    path = tmp_path / "served/out/a.csv"

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"x" * 1000)

    with sftp_server(tmp_path, on_read=grow) as served:
        served.write("/out/a.csv", b"x" * 100_000)
        sftp = Sftp(served.connection)
        with pytest.raises(Changed, match="changed while it was read"):
            sftp.read("/out/a.csv", limit=LIMIT)
        sftp.close()


def test_a_file_that_is_gone_is_left_for_later(store: Store, sftp: Sftp):
    store.write("/out/other", b"")
    with pytest.raises(Changed, match="gone"):
        sftp.read("/out/a.csv", limit=LIMIT)


def test_moving_makes_the_last_folder_and_replaces_what_is_there(store: Store, sftp: Sftp):
    store.write("/out/a.csv", b"new")
    store.write("/archive/a.csv", b"old")
    assert sftp.move("/out/a.csv", "/archive/a.csv")
    assert (store.root / "archive/a.csv").read_bytes() == b"new"
    store.write("/out/b.csv", b"b")
    assert sftp.move("/out/b.csv", "/kept/b.csv")


def test_moving_twice_is_harmless(store: Store, sftp: Sftp):
    store.write("/out/a.csv", b"new")
    sftp.move("/out/a.csv", "/archive.csv")
    assert not sftp.move("/out/a.csv", "/archive.csv")


def test_a_missing_folder_is_named(sftp: Sftp):
    with pytest.raises(StopRun, match=r"no such folder or file \(asked to list /nowhere\)"):
        sftp.list("/nowhere")


def test_a_host_key_that_changed_is_refused_with_both_ways_out(store: Store):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    connection = with_extra(store.connection, host_key=" ".join(other.split()[:2]))
    with pytest.raises(StopRun, match="another host key") as caught:
        Sftp(connection).list("/")
    assert store.fingerprint in str(caught.value)


def test_an_unknown_host_key_is_refused_and_shown(store: Store):
    with pytest.raises(ConfigError, match="connection stores: has no host_key") as caught:
        Sftp(with_extra(store.connection, host_key=None)).list("/")
    assert store.fingerprint in str(caught.value)
    assert f"[127.0.0.1]:{store.connection.port}" in str(caught.value)


def test_a_host_key_of_another_kind_is_refused(store: Store):
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    with pytest.raises(StopRun):
        Sftp(with_extra(store.connection, host_key=" ".join(other.split()[:2]))).list("/")


@pytest.mark.parametrize("host_key", ["nonsense", "ssh-ed25519", "ssh-ed25519 !!!!"])
def test_a_host_key_that_is_none_is_a_matter_of_configuration(store: Store, host_key: str):
    with pytest.raises(ConfigError, match="host_key is not a key"):
        Sftp(with_extra(store.connection, host_key=host_key)).list("/")


def test_a_key_that_the_server_does_not_know_is_refused(store: Store, tmp_path: Path):
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
    with pytest.raises(StopRun, match="refuses the key of hub"):
        Sftp(with_extra(store.connection, private_key_file=str(tmp_path / "other"))).list("/")


def test_a_private_key_may_be_given_as_text(store: Store):
    text = Path(store.connection.extra["private_key_file"]).read_text()
    sftp = Sftp(with_extra(store.connection, private_key_file=None, private_key=text))
    assert sftp.stat("/nothing") is None
    sftp.close()


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"private_key_file": None}, "has no private_key_file"),
        ({"private_key_file": "/nowhere/key"}, "there is no file /nowhere/key"),
        ({"private_key_file": None, "private_key": "no key at all"}, "cannot be read"),
    ],
)
def test_a_missing_or_broken_private_key_is_named(store: Store, extra: dict[str, object], sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        Sftp(with_extra(store.connection, **extra)).list("/")


def test_a_server_that_is_down_is_tried_again_later(tmp_path: Path):
    with sftp_server(tmp_path) as served:
        connection = served.connection
    with instant() as pauses, pytest.raises(TryLater, match="cannot be reached"):
        Sftp(connection).list("/")
    assert len(pauses) == 3


def test_a_connection_that_broke_is_made_again(store: Store, sftp: Sftp):
    store.write("/out/a.csv", b"12345")
    sftp.list("/out")
    assert sftp._ssh is not None
    sftp._ssh.close()
    with instant():
        assert [entry.name for entry in sftp.list("/out")] == ["a.csv"]
