"""The retailer as a whole: created once, deterministic, and as it was left when it is opened again."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta

import pytest

from hub.sandbox.erp.system import CALLS_PER_SECOND
from hub.sandbox.retailer import Retailer


def picture(retailer):
    """What the outside can see of it, without ids that real systems draw at random."""
    files = {name: (retailer.stores.out / name).read_bytes() for name in retailer.stores.waiting()}
    tickets = {store.code: retailer.floor.tickets(store.code, retailer.clock.now()) for store in retailer.world.stores}
    return files, retailer.erp.rows("", 0, 1000), retailer.shop.levels(), retailer.tills.counts(), tickets


def test_it_is_created_in_less_than_three_seconds(tmp_path):
    began = time.monotonic()
    Retailer(tmp_path / "home").close()
    assert time.monotonic() - began < 3


def test_the_same_seed_and_start_make_the_same_retailer(tmp_path, clock):
    one, two, other = (
        Retailer(tmp_path / name, seed=seed, clock=clock) for name, seed in (("1", 7), ("2", 7), ("3", 8))
    )
    assert picture(one) == picture(two)
    assert picture(one) != picture(other)
    for retailer in (one, two, other):
        retailer.close()


def test_opened_again_it_is_as_it_was_left_whatever_the_seed_and_the_time(tmp_path, clock):
    first = Retailer(tmp_path, clock=clock)
    sku = first.world.skus[0].code
    first.erp.set(sku, "WH1", 4711)
    first.stores.drop("ST01", raw="mine")
    before, start, password = picture(first), first.state.start, first.erp.password
    first.close()
    clock.forward(days=3)
    again = Retailer(tmp_path, seed=99, clock=clock)
    assert picture(again) == before
    assert again.state.start == start
    assert again.erp.password == password
    assert again.erp.level(sku, "WH1") == 4711
    again.close()


def test_it_stays_as_hasty_as_it_was_created(tmp_path):
    Retailer(tmp_path, haste=20).close()
    for given, haste in ((None, 20), (5, 5)):
        again = Retailer(tmp_path, haste=given)
        assert again.erp.bucket.per_second == CALLS_PER_SECOND * haste
        again.close()


def test_two_processes_see_what_either_does(retailer):
    sku = retailer.world.skus[0].code
    script = f"""
        from pathlib import Path
        from hub.sandbox.retailer import Retailer
        other = Retailer(Path({str(retailer.home)!r}))
        print(other.erp.bump({sku!r}, "WH1", 5))
        other.close()
    """
    before = retailer.erp.level(sku, "WH1")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) == before + 5 == retailer.erp.level(sku, "WH1")


def test_killed_in_the_middle_of_its_work_it_tells_one_story(retailer):
    sku = retailer.world.skus[0].code
    before = retailer.erp.level(sku, "WH1")
    script = f"""
        from pathlib import Path
        from hub.sandbox.retailer import Retailer
        other = Retailer(Path({str(retailer.home)!r}))
        while True:
            with other.state.transaction():
                other.erp.bump({sku!r}, "WH1", 1)
                other.ledger.record("erp", "POST", "/", status=200)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    try:
        end = time.monotonic() + 60
        while retailer.ledger.last_id < 50 and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        child.kill()
        child.wait()
    assert retailer.erp.level(sku, "WH1") - before == len(retailer.ledger.calls("erp")) >= 50


def test_a_transaction_that_fails_leaves_nothing(retailer):
    sku = retailer.world.skus[0].code
    before = retailer.erp.level(sku, "WH1")

    def fail_halfway():
        with retailer.state.transaction():
            retailer.erp.set(sku, "WH1", 1)
            retailer.ledger.record("erp", "POST", "/", status=200)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert retailer.erp.level(sku, "WH1") == before
    assert retailer.ledger.calls() == []


def test_threads_that_have_ended_leave_no_connection_behind(retailer):
    for _ in range(20):
        thread = threading.Thread(target=retailer.erp.level, args=(retailer.world.skus[0].code, "WH1"))
        thread.start()
        thread.join()
    assert len(retailer.state._open) <= 2


def test_secrets_lie_in_private_files(retailer):
    retailer.erp.password, retailer.shop.token, retailer.shop.webhook_secret  # noqa: B018
    files = list((retailer.home / "secrets").iterdir())
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_the_ledger_can_be_asked_by_system_by_effect_and_since(retailer, clock):
    ledger = retailer.ledger
    ledger.record("shop", "GET", "/a", status=200)
    here = ledger.last_id
    clock.forward(minutes=1)
    ledger.record("shop", "POST", "/b", status=429, write=True, idempotency_key="k", detail={"n": 1})
    ledger.record("tills", "POST", "/c", status=200, write=True)
    assert [call.path for call in ledger.calls("shop")] == ["/a", "/b"]
    assert [call.path for call in ledger.writes(since_id=here)] == ["/b", "/c"]
    assert ledger.statuses("shop") == {200: 1, 429: 1}
    (call,) = ledger.writes("shop")
    assert (call.idempotency_key, call.detail, call.at) == ("k", {"n": 1}, clock.now())


def test_the_backlog_lies_between_the_night_and_the_start(retailer):
    start, night = retailer.world.start, retailer.world.night
    assert timedelta(hours=1) <= start - night < timedelta(hours=26)
    assert all(row.updated < "20261122110000" for row in retailer.erp.rows("", 0, 1000))
