"""Raw payloads: kept once, in the table or as a file, and forgotten only when nothing needs them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.errors import StopRun
from hub.journal import inbox, quarantine, snapshots
from hub.journal.database import Connection
from hub.journal.vault import IN_TABLE, Vault
from hub.model import Extent, Pushed, Scope

MONTHS = timedelta(days=90)
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def grown_old(journal: Connection, *refs: str) -> None:
    journal.execute("UPDATE vault SET created_at = created_at - interval '91 days' WHERE ref = ANY(%s)", (list(refs),))


def files(vault: Vault) -> list[Path]:
    return [path for path in vault.folder.rglob("*") if path.is_file()]


def test_the_same_bytes_are_kept_once(journal: Connection, vault: Vault) -> None:
    refs = {vault.keep(journal, "once", b"the same") for _ in range(3)} | set(
        vault.keep_many(journal, "once", [b"the same", b"the same"])
    )
    (ref,) = refs
    assert journal.execute("SELECT count(*) FROM vault WHERE kind = 'once'").fetchall() == [(1,)]
    assert vault.open(journal, ref) == b"the same"


def test_many_are_answered_in_their_order(journal: Connection, vault: Vault) -> None:
    payloads = [b"c", b"a", b"b"]
    refs = vault.keep_many(journal, "many", payloads)
    assert [vault.open(journal, ref) for ref in refs] == payloads


def test_a_large_one_is_a_file_that_is_complete_or_not_there(journal: Connection, vault: Vault) -> None:
    payload = b"0001;TS0001-M-BLU;5,000\r\n" * (IN_TABLE // 20)
    ref = vault.keep(journal, "file", payload)
    (kept,) = files(vault)
    assert kept.suffix == ".gz"
    assert kept.stat().st_size < len(payload) / 10
    assert vault.open(journal, ref) == payload
    assert vault.keep(journal, "file", payload) == ref
    assert files(vault) == [kept]


def test_a_batch_that_fails_keeps_nothing(journal: Connection, vault: Vault) -> None:
    with journal.transaction(force_rollback=True):
        ref = vault.keep(journal, "failed", b"a batch")
    with pytest.raises(StopRun, match="is no longer kept"):
        vault.open(journal, ref)


def test_what_is_old_and_needed_by_nothing_is_forgotten_with_its_file(journal: Connection, vault: Vault) -> None:
    large, small = vault.keep(journal, "old", b"x" * (IN_TABLE + 1)), vault.keep(journal, "old", b"x")
    young = vault.keep(journal, "old", b"y")
    grown_old(journal, large, small)
    assert vault.forget_older_than(journal, MONTHS) == 2
    assert files(vault) == []
    assert vault.open(journal, young) == b"y"
    for ref in (large, small):
        with pytest.raises(StopRun, match=f"the raw payload {ref} is no longer kept"):
            vault.open(journal, ref)


def test_what_arrives_again_is_as_new(journal: Connection, vault: Vault) -> None:
    """A page that says today what it said three months ago is today's proof."""
    one, many = vault.keep(journal, "again", b"one"), vault.keep_many(journal, "again", [b"many"])[0]
    grown_old(journal, one, many)
    vault.keep(journal, "again", b"one")
    vault.keep_many(journal, "again", [b"many"])
    assert vault.forget_older_than(journal, MONTHS) == 0
    assert vault.open(journal, one) == b"one"


def test_a_refused_record_is_never_forgotten(journal: Connection, vault: Vault) -> None:
    ref = vault.keep(journal, "refused", b"a line")
    entry = quarantine.Entry(
        object="stock_level", key=None, source_key=None, path="QTE", reason="is no number", cause="c", fingerprint="f",
        origin={"source": "a.csv"}, raw=ref, mapping=None,
    )  # fmt: skip
    with journal.transaction():
        quarantine.put(journal, "stock", "stores", [entry], "run")
    grown_old(journal, ref)
    assert vault.forget_older_than(journal, MONTHS) == 0
    assert vault.open(journal, ref) == b"a line"


def test_the_snapshot_that_a_series_rests_on_is_kept_until_a_newer_one(journal: Connection, vault: Vault) -> None:
    refs = [vault.keep(journal, "snapshot", content) for content in (b"night 1", b"night 2")]
    for night, ref in enumerate(refs):
        as_of = NOW + timedelta(days=night)
        scope = Scope(extent=Extent.COMPLETE, series="0001", as_of=as_of, identity=f"night {night}", raw=ref)
        number = snapshots.record(
            journal, "stores", "stock_level", scope, source="a.csv", rows=1, mapping=None, state="accepted",
            reason=None, run="run",
        )  # fmt: skip
        snapshots.advance(journal, "stores", "stock_level", "0001", as_of, number)
    grown_old(journal, *refs)
    assert vault.forget_older_than(journal, MONTHS) == 1
    assert vault.open(journal, refs[1]) == b"night 2"


def test_a_message_is_kept_until_it_was_taken_and_its_time_is_over(journal: Connection, vault: Vault) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=100)
    for name in ("taken", "waiting"):
        request = Pushed(
            system="shop", path="/hooks/shop", url="", headers={}, body=name.encode(), received_at=long_ago
        )
        assert inbox.store(journal, vault, name, request, {})
    ids = {body: id_ for id_, _, request in inbox.claim(journal, vault, "shop") if (body := request.body)}
    inbox.done(journal, [ids[b"taken"]], "run")
    journal.execute("UPDATE vault SET created_at = %s WHERE kind = 'pushed'", (long_ago,))
    assert inbox.forget_older_than(journal, MONTHS) == 1
    assert vault.forget_older_than(journal, MONTHS) == 1
    assert [request.body for _, _, request in inbox.claim(journal, vault, "shop")] == [b"waiting"]


def test_one_that_was_being_forgotten_when_its_process_died_is_kept_when_it_arrives_again(
    journal: Connection, vault: Vault
) -> None:
    payload = b"y" * (IN_TABLE + 1)
    ref = vault.keep(journal, "dying", payload)
    grown_old(journal, ref)
    with journal.transaction(force_rollback=True):  # the file goes before the commit that forgets it
        assert vault.forget_older_than(journal, MONTHS) == 1
    assert files(vault) == []
    assert vault.keep(journal, "dying", payload) == ref
    assert vault.open(journal, ref) == payload


def test_a_file_and_its_name_are_on_the_disk_before_anything_refers_to_them(
    journal: Connection, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []

    def fsync(descriptor: int, really: Callable[[int], None] = os.fsync) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    vault.keep(journal, "flushed", b"x" * (IN_TABLE + 1))
    (kept,) = files(vault)
    content, *names = flushed
    assert content.parent == kept.parent
    assert names == [kept.parent, vault.folder / "flushed", vault.folder, vault.folder.parent]


def test_a_file_that_somebody_removed_is_said_and_not_a_crash(journal: Connection, vault: Vault) -> None:
    ref = vault.keep(journal, "gone", b"z" * (IN_TABLE + 1))
    (kept,) = files(vault)
    kept.unlink()
    with pytest.raises(StopRun, match="is gone"):
        vault.open(journal, ref)
