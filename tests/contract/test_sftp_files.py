"""The connector sftp_files against the sandbox's stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.suite import Context, SourceContract, build, context_of
from support.sftp import Store, sftp_server

from hub.errors import StopRun
from hub.model import Batch, Checkpoint, Extent, Lines, Record, Refused

OPTIONS = {"folder": "/out/stock", "pattern": "STOCK_*.csv", "done": ".ok", "archive": "/archive/stock"}
FILE = (
    b"H;STOCK;C;0001;20261121223000;1:20261121:345\r\n"
    b"MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP\r\n"
    b"0001;A;1;x;1,000;0,000;1,00\r\n"
    b"T;1\r\n"
)
NAME = "STOCK_0001_20261121223000_C.csv"


class TestStockFiles(SourceContract):
    folder, system, object, options, paged = "sftp_files", "stores", "stock_file", OPTIONS, False
    locked_out = {"login": "somebody"}

    def test_the_night_comes_before_the_morning(self, connector: Any):
        batches = self.read(connector)
        assert [batch.scope.extent for batch in batches] == [Extent.COMPLETE] * 21 + [Extent.PARTIAL] * 3
        times = [batch.scope.as_of for batch in batches]
        assert times == sorted(times)

    def test_each_file_is_one_snapshot_of_its_store(self, connector: Any):
        batches = self.read(connector)[:21]
        assert [batch.scope.series for batch in batches] == [*(f"{n:04d}" for n in range(1, 21)), "0099"]
        assert len({batch.scope.identity for batch in batches}) == 21
        assert all(batch.scope.rows == len(batch.records) for batch in batches)
        assert all(isinstance(batch.records, Lines) for batch in batches)
        assert all(batch.scope.tickets for batch in batches[:20])

    def test_half_a_piece_and_strange_codes_are_left_to_the_mapping(self, connector: Any):
        records = [record for batch in self.read(connector) for record in batch.records]
        assert all(isinstance(record, Record) for record in records)
        assert "1,5" in {record.data["QTE"] for record in records}
        assert any(record.data["ARTICLE"] != record.data["ARTICLE"].strip() for record in records)

    def test_what_was_read_can_be_opened_again_from_its_bytes(self, connector: Any):
        batch = self.read(connector)[0]
        assert batch.raw
        again = connector.reopen(batch.raw, batch.checkpoint.value["name"])
        assert again.scope == batch.scope
        assert again.records.texts() == batch.records.texts()

    def test_released_files_lie_in_the_archive_with_their_markers_and_are_gone(self, connector: Any, retailer: Any):
        batches = self.read(connector)
        for batch in batches:
            connector.release(batch.checkpoint)
        assert retailer.stores.waiting() == []
        assert len(retailer.stores.archived()) == len(batches)
        assert connector.arrived() == []
        assert not list(retailer.stores.out.iterdir())

    def test_a_file_without_its_marker_has_not_arrived(self, connector: Any, retailer: Any):
        before = set(connector.arrived())
        name = retailer.stores.drop("ST01", complete=False, marker=False)
        assert set(connector.arrived()) == before
        retailer.stores.mark(name)
        assert set(connector.arrived()) == before | {name}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sftp_server(tmp_path) as served:
        (served.root / "out").mkdir()
        yield served


@pytest.fixture
def files(store: Store, clock: Any) -> Iterator[Any]:
    connector = build(
        "sftp_files",
        Context(system="stores", connection=store.connection, clock=clock),
        folder="/out",
        archive="/archive",
    )
    yield connector
    connector.sftp.close()


def put(store: Store, content: bytes, name: str = NAME) -> None:
    store.write(f"/out/{name}", content)
    store.write(f"/out/{name}.ok", b"")


def only(files: Any) -> Batch:
    (batch,) = files.read("stock_file", None)
    return batch


BROKEN = {
    "cut in the middle of a line": (FILE[:-12], 3, "", "cut in the middle of line 3"),
    "wrong delimiter": (FILE.replace(b";", b","), 1, "", "separated by ','"),
    "unknown column": (FILE.replace(b"PVP", b"PVP;COULEUR"), 2, "COULEUR", "is unknown"),
    "empty": (b"", 1, "", "is empty"),
    "trailer that does not match": (FILE.replace(b"T;1", b"T;480"), 4, "rows", "says 480 lines, there are 1"),
    "a date that does not exist": (FILE.replace(b"20261121223000", b"20261131223000"), 1, "as_of", "is not a date"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_refused_whole_with_its_place(files: Any, store: Store, fault: str):
    content, line, field, reason = BROKEN[fault]
    put(store, content)
    batch = only(files)
    (refused,) = batch.records
    assert isinstance(refused, Refused)
    assert (refused.origin.source, refused.origin.line, refused.path) == (NAME, line, field)
    assert f"{NAME} line {line}: " in refused.reason
    assert reason in refused.reason


def test_a_broken_file_replaces_nothing_and_is_known_again(files: Any, store: Store):
    put(store, b"")
    first, second = only(files), only(files)
    assert (first.scope.extent, first.scope.as_of) == (Extent.DELTA, None)
    assert first.scope.identity == second.scope.identity
    files.release(first.checkpoint)
    assert files.arrived() == []


def test_a_broken_file_does_not_keep_the_next_one_out(files: Any, store: Store):
    put(store, b"")
    put(store, FILE.replace(b"21223000", b"22223000"), "STOCK_0001_20261122223000_C.csv")
    broken, good = files.read("stock_file", None)
    assert (len(broken.records), good.scope.extent) == (1, Extent.COMPLETE)


def test_the_same_file_twice_is_the_same_snapshot(files: Any, store: Store):
    put(store, FILE)
    first = only(files)
    files.release(first.checkpoint)
    put(store, FILE)
    second = only(files)
    assert second.scope.identity == first.scope.identity
    files.release(second.checkpoint)
    assert files.arrived() == []


def test_files_of_one_name_lie_side_by_side_in_the_archive(files: Any, store: Store):
    for content in (FILE, FILE.replace(b"1,000", b"2,000")):
        put(store, content)
        files.release(only(files).checkpoint)
    kept = sorted(path.read_bytes() for path in (store.root / "archive").glob("*.csv"))
    assert kept == sorted([FILE, FILE.replace(b"1,000", b"2,000")])


def test_releasing_does_not_take_a_newer_file_of_the_same_name(files: Any, store: Store):
    put(store, FILE)
    batch = only(files)
    put(store, FILE.replace(b"0001;A;1;x;1,000", b"0001;A;1;x;12,000"))
    files.release(batch.checkpoint)
    assert files.arrived() == [NAME]


def test_a_release_that_was_interrupted_is_finished(files: Any, store: Store):
    """Killed between marker and file: the next release moves the file."""
    put(store, FILE)
    batch = only(files)
    (store.root / f"out/{NAME}.ok").unlink()
    files.release(batch.checkpoint)
    assert not list((store.root / "out").iterdir())


def test_a_checkpoint_whose_name_became_a_path_is_not_followed(files: Any, store: Store):
    evil = Checkpoint(value={"name": "../../etc/passwd", "sha256": "0" * 64, "size": 1, "modified": 1})
    with pytest.raises(Exception, match="not an acceptable file name"):
        files.release(evil)


def test_a_file_that_grows_while_it_is_read_is_left_and_read_when_it_is_whole(tmp_path: Path, clock: Any):
    growing = [True]
    path = tmp_path / "served/out" / NAME

    def grow() -> None:
        if growing[0]:
            with path.open("ab") as file:
                file.write(b"0001;B;1;x;1,000;0,000;1,00\r\n")

    with sftp_server(tmp_path, on_read=grow) as served:
        put(served, FILE)
        context = Context(system="stores", connection=served.connection, clock=clock)
        connector = build("sftp_files", context, folder="/out", archive="/archive")
        assert list(connector.read("stock_file", None)) == []
        growing[0] = False
        path.write_bytes(FILE)
        assert len(list(connector.read("stock_file", None))) == 1
        connector.sftp.close()


def test_without_markers_a_file_must_have_rested(store: Store, clock: Any):
    store.write(f"/out/{NAME}", FILE)
    clock.moment = datetime.now(UTC)
    context = Context(system="stores", connection=store.connection, clock=clock)
    connector = build("sftp_files", context, folder="/out", archive="/archive", done=None, settled="30s")
    assert connector.arrived() == []
    clock.moment += timedelta(minutes=1)
    assert connector.arrived() == [NAME]
    connector.sftp.close()


def test_a_file_above_the_limit_is_refused_unread(store: Store, clock: Any):
    put(store, FILE)
    context = Context(system="stores", connection=store.connection, clock=clock)
    connector = build("sftp_files", context, folder="/out", archive="/archive", limit=100)
    batch = only(connector)
    assert "more than the limit of 100" in batch.records[0].reason  # type: ignore[union-attr]
    assert (batch.raw, batch.scope.identity is not None) == (None, True)
    connector.release(batch.checkpoint)
    assert connector.arrived() == []
    connector.sftp.close()


def test_a_folder_that_is_not_there_stops_the_run(store: Store, clock: Any):
    context = Context(system="stores", connection=store.connection, clock=clock)
    connector = build("sftp_files", context, folder="/nowhere", archive="/archive")
    with pytest.raises(StopRun, match="list /nowhere"):
        connector.arrived()
    connector.sftp.close()


def test_a_missing_archive_is_said_and_made(files: Any, store: Store):
    assert "will be made" in files.check().detail
    put(store, FILE)
    files.release(only(files).checkpoint)
    assert files.check().detail == ""


def test_a_host_key_that_changed_is_refused(sandbox: Any):
    extra = {**sandbox.connections["stores"]["extra"]}
    other = extra["host_key"][:-12] + "AAAAAAAAAAAA"
    connector = build("sftp_files", context_of(sandbox, "stores", extra={**extra, "host_key": other}), **OPTIONS)
    health = connector.check()
    assert not health.ok
    assert "another host key" in health.detail
