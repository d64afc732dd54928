"""The database is killed around its commits, the disk is full: a sentence, nothing lost, nothing done twice."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.ground import Ground, ground, only_erp_to_shop, small_disk
from support.scene import Scene

from hub import points
from hub.errors import TryLater

# Before the commit and after it: the batch, what was derived, the attempt, its receipts.
MOMENTS = (
    "batch applied", "batch committed", "enqueued", "derivation committed",
    "claimed", "attempt committed", "receipts written", "settled",
)  # fmt: skip
SKUS = 6
FULL = "the disk is full: no room for the journal's database"


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="omnihub-ground-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def own() -> Iterator[tuple[Ground, Scene]]:
    """A hub on a server and a small disk of its own, where the server's user can reach it."""
    with (
        a_folder() as folder,
        pytest.MonkeyPatch.context() as monkeypatch,
        small_disk(folder / "disk") as disk,
        ground(disk) as server,
        only_erp_to_shop(folder, server, monkeypatch) as found,
    ):
        yield server, found


def counted(found: Scene, pieces: int) -> list[str]:
    """The warehouse counts some articles anew."""
    at = found.clock.forward(minutes=1)
    skus = [key.split("@")[0] for key in sorted(found.retailer.shop.levels()) if key.endswith("@WH1")]
    known = {row[0] for row in found.query("SELECT key FROM desired WHERE target = 'shop'")}
    chosen = [sku for sku in skus if f"{sku}@WH1" in known][:SKUS]
    for sku in chosen:
        found.retailer.erp.set(sku, "WH1", pieces, blocked=0, at=at)
    return chosen


def available(found: Scene, skus: list[str]) -> set[int]:
    """What the hub wants the shop to hold of ``skus``, the right numbers among them."""
    rows = found.query(
        "SELECT (value ->> 'quantity')::int FROM desired WHERE target = 'shop' AND key = ANY(%s)",
        [f"{sku}@WH1" for sku in skus],
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_database_is_killed_around_a_commit(own: tuple[Ground, Scene], moment: str) -> None:
    server, found = own
    skus = counted(found, 200 + MOMENTS.index(moment))
    last = found.retailer.ledger.last_id
    points.arm(f"{moment}:1:{server.server.pid}")
    try:
        with suppress(TryLater):  # a pass that has nothing left to ask may end before it notices
            found.synchronise()
    finally:
        points.arm(None)
    assert server.killed()
    server.restart()
    outcome = found.synchronise()
    assert (outcome.pending, outcome.exit_code) == (0, 0)
    assert {found.shop(sku, "WH1") for sku in skus} == available(found, skus)
    told = Counter(call.idempotency_key for call in found.retailer.ledger.writes("shop", since_id=last))
    assert len(told) == 1, "one attempt, whether it was made once or repeated as itself"
    assert found.query("SELECT count(*) FROM attempt WHERE state <> 'settled'") == [(0,)]


def test_a_full_disk_under_the_database_is_said_and_the_work_goes_on_when_there_is_room(
    own: tuple[Ground, Scene],
) -> None:
    server, found = own
    server.fill()
    try:
        with pytest.raises(TryLater, match=f"{FULL}|the journal's database does not answer"):  # it may end at that
            until_there_is_no_room(found)
    finally:
        server.make_room()
    if not server.server.alive():
        server.restart()
    skus = counted(found, 400)
    assert found.synchronise().pending == 0
    assert {found.shop(sku, "WH1") for sku in skus} == available(found, skus)
    assert min(available(found, skus)) > 350


def until_there_is_no_room(found: Scene) -> None:
    """Passes until what the database had in hand is used up."""
    for number in range(30):
        counted(found, 300 + number % 50)
        found.synchronise()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system takes no larger file from this process, as a disk that is full takes none."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_under_the_vault_is_said_and_leaves_no_half_file(settled: Scene) -> None:
    payload = os.urandom(200_000)
    with settled.engine() as engine:
        with (
            pytest.raises(TryLater, match=r"the disk is full: no room for .*/vault/file/.*; nothing of this batch"),
            engine.running("ingest", "stock", "stores"),
            engine.journal.transaction(),
            files_of_at_most(4096),
        ):
            engine.vault.keep(engine.journal, "file", payload)
        assert not list(engine.vault.folder.rglob("*.part"))
        ((state, said),) = settled.query("SELECT state, sentence FROM run ORDER BY started_at DESC LIMIT 1")
        assert (state, "nothing of this batch was kept" in said) == ("failed", True)
        kept = engine.vault.keep(engine.journal, "file", payload)
        assert engine.vault.open(engine.journal, kept) == payload
