"""``hub sandbox shoppers``: customers who come at a pace of one's choice, beside a running retailer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app, main
from hub.sandbox.baskets import Baskets
from hub.sandbox.customers import Online
from hub.sandbox.live import Shoppers


@pytest.fixture
def home(retailer, monkeypatch):
    """A HUB_HOME in which the retailer lives."""
    folder = retailer.home.parent / "home"
    folder.mkdir()
    (folder / "sandbox").symlink_to(retailer.home)
    monkeypatch.setenv("HUB_HOME", str(folder))
    return folder


def tickets(retailer):
    row = retailer.state.row("SELECT count(*) AS n FROM floor_ticket")
    return row["n"]


def orders(retailer):
    row = retailer.state.row("SELECT count(*) AS n FROM shop_order")
    return row["n"]


def test_customers_buy_for_the_time_that_was_asked_for_and_are_counted(home, retailer):
    before = tickets(retailer), orders(retailer)
    done = CliRunner().invoke(app, ["sandbox", "shoppers", "--rate", "6000", "--seconds", "1.5", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output.splitlines()[-1])
    assert said["customers"] > 5
    assert tickets(retailer) - before[0] >= said["happened"]["sales at a till"] > 0
    assert orders(retailer) - before[1] == said["happened"].get("orders in the shop", 0)


def test_a_person_reads_a_sentence(home):
    done = CliRunner().invoke(app, ["sandbox", "shoppers", "--rate", "600", "--seconds", "0.5"])
    assert done.exit_code == 0
    assert " customers: " in done.output


def test_without_a_retailer_nobody_can_buy(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("HUB_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "argv", ["hub", "sandbox", "shoppers"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "start it with hub up or hub sandbox up" in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "empty" / "sandbox").exists()


def test_ctrl_c_ends_it_with_what_was_done(home, retailer):
    before = tickets(retailer) + orders(retailer)
    command = [sys.executable, "-m", "hub.cli", "sandbox", "shoppers", "--rate", "3000", "--json"]
    running = subprocess.Popen(command, env={**os.environ}, stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while tickets(retailer) + orders(retailer) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=20)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert json.loads(said.splitlines()[-1])["customers"] > 0


def test_the_pause_between_two_customers_follows_the_rate(retailer):
    calm, busy = Shoppers(retailer, 1), Shoppers(retailer, 600)
    pauses = [sum(crowd.step(threading.Event()) for _ in range(30)) for crowd in (calm, busy)]
    assert pauses[0] > 100 * pauses[1]


@pytest.fixture
def online(retailer):
    """Customers of the shop; the first order that has several pieces and is paid has just been placed."""
    found = Online(retailer, retailer.world.random("second thoughts"), Baskets(retailer.world, "second thoughts"))
    while True:
        found.order()
        placed = retailer.shop.orders.documents()[-1]
        if placed["financial_status"] == "paid" and sum(line["quantity"] for line in placed["line_items"]) > 1:
            return found, placed["id"]


def test_a_piece_is_taken_out_of_an_order_that_was_placed_just_now(online, retailer):
    customers, id = online
    before = sum(line["current_quantity"] for line in retailer.shop.orders.get(id)["line_items"])
    assert customers.take_out() == "pieces taken out of orders"
    assert sum(line["current_quantity"] for line in retailer.shop.orders.get(id)["line_items"]) == before - 1


def test_a_parcel_that_is_kept_back_leaves_its_order_as_it_was(online, retailer):
    customers, id = online
    committed = retailer.shop.levels("committed")
    assert customers.keep_back() == "parcels kept back"
    order = retailer.shop.orders.get(id)
    assert [parcel["status"] for parcel in order["fulfillments"]] == ["cancelled"]
    assert order["fulfillment_status"] is None
    assert retailer.shop.levels("committed") == committed
