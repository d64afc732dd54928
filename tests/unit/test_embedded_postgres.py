"""The embedded PostgreSQL: starts anywhere, dies with its parent, comes back, opens nothing to others."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from hub.errors import ConfigError
from hub.local.place import recorded_data
from hub.local.postgres import Server, embedded

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root's server does can be seen as root only")


def gone(pid: int, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not Path(f"/proc/{pid}").exists()


def test_both_databases_are_there_and_rows_stay_after_a_restart(open_tmp: Path) -> None:
    with embedded(open_tmp / "home") as dsn, psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        assert connection.execute("SELECT count(*) FROM pg_database WHERE datname = 'airflow'").fetchone() == (1,)
    with embedded(open_tmp / "home") as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_no_process_is_left_and_no_port_is_opened(open_tmp: Path) -> None:
    server = Server(open_tmp / "home")
    dsn = server.start()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    pid = server.pid
    server.stop()
    assert pid is not None
    assert gone(pid)


def test_a_path_with_a_space_and_an_accent_works(open_tmp: Path) -> None:
    with embedded(open_tmp / "été 2026" / "home") as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_long_path_gets_a_short_socket_folder(open_tmp: Path) -> None:
    home = open_tmp / ("long" * 20) / ("longer" * 10)
    server = Server(home)
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    sockets = server._required().sockets
    server.stop()
    assert not sockets.is_relative_to(home)
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    shutil.rmtree(sockets)


def test_a_copy_of_a_home_has_a_database_of_its_own(open_tmp: Path) -> None:
    with embedded(open_tmp / "home"):
        pass
    subprocess.run(["cp", "-a", open_tmp / "home", open_tmp / "copy"], check=True)
    with embedded(open_tmp / "copy") as dsn, psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE only_in_the_copy (n int)")
    with embedded(open_tmp / "home") as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT to_regclass('only_in_the_copy')").fetchone() == (None,)


def test_the_sockets_and_the_data_are_closed_to_others(open_tmp: Path) -> None:
    home = open_tmp / "home"
    with embedded(home):
        assert stat.S_IMODE((home / "sockets").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


def test_a_second_process_joins_and_does_not_end_the_server(open_tmp: Path) -> None:
    first, second = Server(open_tmp / "home"), Server(open_tmp / "home")
    first.start()
    with psycopg.connect(second.start()) as connection:
        assert not second.owned
        second.stop()
        assert connection.execute("SELECT 1").fetchone() == (1,)
    first.stop()


def test_a_real_server_named_in_the_environment_is_used_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HUB_DATABASE_URL", "postgresql://hub@db.internal/omnihub")
    with embedded(tmp_path / "home") as dsn:
        assert dsn == "postgresql://hub@db.internal/omnihub"
    assert not (tmp_path / "home").exists()


PARENT = """
import sys, time
from pathlib import Path
import psycopg
from hub.local.postgres import Server
server = Server(Path(sys.argv[1]))
with psycopg.connect(server.start()) as connection:
    connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
print(server.pid, flush=True)
time.sleep(600)
"""


def test_after_sigkill_of_the_parent_nothing_runs_and_nothing_is_lost(open_tmp: Path) -> None:
    home = open_tmp / "home"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(home)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
    with embedded(home) as dsn, psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_after_sigkill_of_the_server_a_start_recovers_even_if_its_number_is_another_process_now(open_tmp: Path) -> None:
    server = Server(open_tmp / "home")
    server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    pidfile = server.where / "postmaster.pid"
    pidfile.write_text(pidfile.read_text().replace(pidfile.read_text().split("\n")[0], str(os.getpid()), 1))
    again = Server(open_tmp / "home")
    with psycopg.connect(again.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    again.stop()


def test_a_home_that_cannot_be_made_is_one_sentence(open_tmp: Path) -> None:
    (open_tmp / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be made .*set HUB_HOME"):
        Server(open_tmp / "file" / "home").start()


@as_root
def test_where_the_servers_user_cannot_reach_the_home_the_data_live_elsewhere_and_no_mode_changes(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Server(closed / "home")
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()
    assert not server.where.is_relative_to(closed)
    assert recorded_data(closed / "home") == server.where
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(server.where.parent)


@as_root
def test_a_new_home_in_the_place_of_a_removed_one_starts_with_an_empty_database(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheres = []
    for _ in range(2):
        server = Server(closed / "home")
        with psycopg.connect(server.start()) as connection:
            connection.execute("CREATE TABLE first_life (n int)")
        server.stop()
        wheres.append(server.where.parent)
        shutil.rmtree(closed / "home")
    for where in wheres:
        shutil.rmtree(where)


@as_root
def test_an_ordinary_user_runs_it_as_itself(open_tmp: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    own = open_tmp / "own"
    own.mkdir()
    os.chown(own, nobody.pw_uid, nobody.pw_gid)
    with embedded(open_tmp / "warm"):  # imports everything, which nobody may not be able to read
        pass
    child = multiprocessing.get_context("fork").Process(target=_as, args=(nobody, own / "home"))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert (own / "home" / "postgres").stat().st_uid == nobody.pw_uid


def _as(user: pwd.struct_passwd, home: Path) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    with embedded(home) as dsn, psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")
