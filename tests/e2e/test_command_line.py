"""The command ``hub`` as a user types it: what it prints, what a program reads, and how it ends.

One HUB_HOME for all: synchronised once, then with the simulated retailer running beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main
from support.booted import ROOT, free_port, hurried

from hub.cli import app
from hub.flow.outcome import NAMES
from hub.sandbox.retailer import Retailer

pytestmark = pytest.mark.timeout(450)
HUB = Path(sys.executable).with_name("hub")
BOUND, MOVED, CUT = "ST05", "ST06", "ST07"
BAD_RECORDS = 25  # in what the retailer says at the start: 16 in store files, 4 in the ERP, 3 in the PIM, 2 in the DAM


@dataclass(frozen=True, kw_only=True)
class Home:
    """A HUB_HOME of one's own, and the command in it."""

    folder: Path
    port: int
    project: Path = ROOT

    def hub(self, *words: str, answer: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HUB, *words], env=self.env(env), cwd=ROOT, input=answer, capture_output=True, text=True, timeout=400
        )

    def env(self, more: dict[str, str] | None = None) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("AIRFLOW", "HUB_", "PYTHONDONT"))}
        own = {"HUB_HOME": str(self.folder), "HUB_PORT": str(self.port), "COLUMNS": "250"}
        own |= {"HUB_PROJECT": str(self.project)}
        return {**kept, **own, **(more or {})}


def read(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """The JSON object in the last line of what a program reads."""
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def complaint(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one sentence for a person, without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="omnihub-cli-"))
    found.chmod(0o711)
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture(scope="module")
def once(folder: Path) -> tuple[Home, subprocess.CompletedProcess[str]]:
    home = Home(folder=folder / "home", port=free_port(), project=hurried(folder / "home"))
    return home, home.hub("up", "--once", "--json")


@pytest.fixture(scope="module")
def home(once: tuple[Home, subprocess.CompletedProcess[str]]) -> Iterator[Home]:
    """After the first pass, with the retailer's systems running."""
    found, _ = once
    with (found.folder / "logs" / "retailer.log").open("w") as log:
        retailer = subprocess.Popen([HUB, "sandbox", "up"], env=found.env(), cwd=ROOT, stdout=log, stderr=log)
        try:
            for port in range(found.port + 2, found.port + 8):
                wait_for(port)
            yield found
        finally:
            retailer.send_signal(signal.SIGINT)
            retailer.wait(20)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < deadline, f"nobody listens on {port}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def retailer(home: Home) -> Iterator[Retailer]:
    found = Retailer(home.folder / "sandbox")
    yield found
    found.close()


# --- one pass, and one more ------------------------------------------------------------------------------


def test_up_once_ends_with_one_object_that_counts_everything(
    once: tuple[Home, subprocess.CompletedProcess[str]],
) -> None:
    found = read(once[1])
    assert set(found["flows"]) == {"stock", "price", "product", "order"}
    for counts in found["flows"].values():
        assert tuple(counts) == NAMES
        assert counts["read"] == sum(counts[name] for name in ("changed", "unchanged", "superseded", "quarantined"))
        assert counts["enqueued"] == sum(counts[name] for name in ("delivered", "coalesced", "refused", "pending"))
        assert (counts["delivered"] > 0, counts["pending"]) == (True, 0)
    assert found["flows"]["stock"]["delivered"] > 5000
    assert sum(c["quarantined"] + c["refused"] for c in found["flows"].values()) == BAD_RECORDS
    assert 0 < found["seconds"] < 300


def test_run_once_more_changes_nothing(home: Home) -> None:
    read(home.hub("run", "stock", "--json"))  # takes what the ERP says of the orders that it has just received
    found = read(home.hub("run", "stock", "--json"))
    assert (found["flow"], found["changed"], found["delivered"], found["quarantined"]) == ("stock", 0, 0, 0)


def test_run_reads_one_system_from_a_moment_and_says_what_it_did(home: Home) -> None:
    done = home.hub("run", "stock", "--system", "erp", "--since", "2020-01-01T00:00:00+01:00")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("stock: ")
    assert " unchanged" in done.stdout


def test_run_ends_with_3_while_a_guard_holds_a_file_and_with_0_after_the_next(home: Home, retailer: Retailer) -> None:
    levels = retailer.stores.floor.levels(CUT, retailer.clock.now())
    retailer.stores.drop(CUT, levels=dict(list(levels.items())[:100]), dirty=False)
    assert read(home.hub("run", "stock", "--system", "stores", "--json"), 3)["held"] == 100
    listed = home.hub("quarantine", "list")
    assert "Held for a person" in listed.stdout
    assert "fewer than" in listed.stdout
    time.sleep(1)  # a file's as-of is in whole seconds
    retailer.stores.drop(CUT, levels=levels, dirty=False)
    assert read(home.hub("run", "stock", "--system", "stores", "--json"))["held"] == 0


def test_run_ends_with_1_and_the_reason_when_a_system_is_down(home: Home) -> None:
    nobody = json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": home.port, "login": "x", "password": "y"})
    done = home.hub("run", "stock", "--system", "erp", "--json", HUB_CONN_ERP=nobody)
    assert "erp cannot be reached" in read(done, 1)["error"]
    assert "erp cannot be reached" in complaint(done, 1)
    done = home.hub("systems", HUB_CONN_ERP=nobody)
    assert done.returncode == 1
    assert "DOWN" in done.stdout


# --- looking -----------------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_and_names_what_it_looked_at(home: Home) -> None:
    found = read(home.hub("check", "--json"))
    assert found["ok"]
    looked = {finding["what"] for finding in found["findings"]}
    assert looked >= {"hub.yaml", "canonical_schemas", "mappings/soap_erp", "flow stock", "system shop"}


def test_systems_are_reachable_and_tell_their_budget(home: Home) -> None:
    found = {one["system"]: one for one in read(home.hub("systems", "--json"))["systems"]}
    assert set(found) == {"erp", "stores", "shop", "tills", "pim", "dam"}
    assert all(one["ok"] and one["open"] == 0 for one in found.values())
    assert found["shop"]["budget"] > 0


def test_bind_finds_nothing_left_to_bind(home: Home) -> None:
    found = read(home.hub("bind", "stock", "--by", "gtin", "--json"))
    assert {target: one["sentence"].split(":")[1] for target, one in found.items()} == {
        "shop": " 0 newly bound",
        "tills": " 0 newly bound",
    }


def test_trace_tells_the_line_of_the_file_each_step_and_the_receipt(home: Home, retailer: Retailer) -> None:
    key = next(k for k, n in retailer.shop.levels().items() if k.endswith(f"@{BOUND}") and n > 3)
    found = read(home.hub("trace", "stock_level", key.lower(), "--json"))
    assert (found["object"], found["key"]) == ("stock_level", key)
    origin = found["known"][0]["origin"]
    assert origin["source"].startswith("STOCK_0005_")
    said = home.hub("trace", "stock_level", key).stdout
    assert f"read from {origin['source']}:{origin['line']}" in said
    for word in ("applied", "derived", "confirmed", "What each target should hold, and holds"):
        assert word in said


def test_trace_tells_a_price_a_product_that_waits_and_an_order(home: Home, retailer: Retailer) -> None:
    sku = retailer.world.skus[0].code
    price = read(home.hub("trace", "price", sku, "--json"))
    assert {row["target"] for row in price["targets"]} == {"shop", "tills"}
    assert all(row["remote"]["amount"] == row["value"]["amount"] for row in price["targets"])
    assert "waits for a title of NV0122 in de (from pim)" in home.hub("trace", "product", "NV0122").stdout
    order = home.hub("trace", "order", "SHOP-1001").stdout
    for word in ("reserve", "erp      should hold", "order SHOP-1001 is SO"):
        assert word in order


def test_reconcile_finds_what_drifted_and_sends_it_again(home: Home, retailer: Retailer) -> None:
    sku = retailer.world.skus[9].code
    read(home.hub("run", "price", "--json"))  # promotions begin and end while the tests run
    assert drifted(home) == []
    retailer.shop.merchandiser_prices(sku, 123)
    (one,) = drifted(home)
    assert (one["key"], one["fields"]["amount"]["holds"]) == (sku, "1.23")
    kept = read(home.hub("reconcile", "price", "--fix", "--plan", "--json"), 1)["plan"]
    assert sku in {one["key"] for one in kept["changes"] if one["step"] == "repair"}
    assert len(drifted(home)) == 1
    said = home.hub("reconcile", "price", "--fix")
    assert "sent again" in said.stdout
    assert "Not the same price everywhere" in said.stdout
    assert drifted(home) == []


def test_a_plan_is_shown_and_applied_from_its_file_once(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    planned = read(home.hub("plan", "price", "--out", str(file), "--json"))
    assert list(planned["sources"]) == ["erp"]
    assert list(planned["targets"]) == ["shop", "tills"]
    assert json.loads(file.read_text(encoding="utf-8"))["digest"] == planned["digest"]
    assert read(home.hub("apply", str(file), "--json"))["plan"] == planned["plan"]
    assert "already" in complaint(home.hub("apply", str(planned["plan"])), 1)


def drifted(home: Home) -> list[dict[str, Any]]:
    told = json.loads(home.hub("reconcile", "price", "--json").stdout.splitlines()[-1])
    return [one for one in told["differences"] if one["cause"] == "drift"]


def test_quarantine_lists_causes_and_shows_a_record_as_it_arrived(home: Home) -> None:
    found = read(home.hub("quarantine", "list", "--json"))
    assert sum(cause["records"] for cause in found["causes"]) == len(found["records"]) == BAD_RECORDS
    half = next(one for one in found["records"] if "1,5" in one["reason"])
    shown = read(home.hub("quarantine", "show", str(half["id"]), "--json"))
    assert json.loads(shown["record"])["QTE"] == "1,5"
    assert str(half["id"]) in home.hub("quarantine", "list", "--all").stdout
    said = home.hub("quarantine", "show", str(half["id"])).stdout
    assert f"{half['origin']['source']}:{half['origin']['line']}" in said


def test_the_cases_of_the_mappings_pass(home: Home) -> None:
    found = read(home.hub("mapping", "test", "--json"))
    assert found["cases"] > 20
    assert found["failed"] == []


# --- wrong usage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run nothing", 'no flow "nothing"; hub.yaml has product, price, stock, order'),
        ("reconcile nothing", 'no flow "nothing"; hub.yaml has product, price, stock, order'),
        ("run stock --system nobody", '"nobody" is not a source of stock; its sources are erp, stores, tills, shop'),
        ("run stock --since yesterday", '--since is a moment as in 2026-11-20T06:00:00+01:00, not "yesterday"'),
        ("bind nothing", 'no flow "nothing"; hub.yaml has product, price, stock, order'),
        ("bind stock --by colour", '--by is sku or gtin, not "colour"'),
        ("trace colour X@ST01", 'no object "colour"; there are '),
        ("trace stock_level X", 'the key of a stock_level is SKU@LOCATION, not "X"'),
        ("trace stock_level X@ST01", "nobody has spoken of stock_level X@ST01 yet"),
        ("trace order SHOP-9", "nobody has spoken of order SHOP-9 yet"),
        ("quarantine show 999999", "no record number 999999 in quarantine; see: hub quarantine list --all"),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence_also_to_programs(home: Home, words: str, says: str) -> None:
    done = home.hub(*words.split(), "--json")
    assert says in complaint(done)
    assert says in read(done, 2)["error"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("run", "Missing argument"),
        ("trace stock_level", "Missing argument"),
        ("systems --jason", "No such option: --jason"),
        ("quarantine show one", "should be a valid integer"),
    ],
)
def test_wrong_words_are_wrong_usage(folder: Path, words: str, says: str) -> None:
    assert says in complaint(Home(folder=folder / "none", port=21000).hub(*words.split()))


# --- help --------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, Any]]:
    left: list[tuple[str, Any]] = [("hub", typer.main.get_command(app))]
    while left:
        name, command = left.pop()
        yield name, command
        left += [(f"{name} {part}", found) for part, found in getattr(command, "commands", {}).items()]


def test_every_command_and_each_of_its_options_is_explained() -> None:
    found = dict(commands())
    assert {"hub up", "hub check", "hub systems", "hub run", "hub bind", "hub trace", "hub reset"} <= set(found)
    for name, command in found.items():
        assert len((command.help or "").split()) >= 4, f"{name} has no description"
        for option in command.params:
            said = getattr(option, "help", None) or ""
            assert len(said.split()) >= 2, f"{name} {option.name} is not explained"


@pytest.mark.parametrize("words", ["", "up", "quarantine", "sandbox reset"])
def test_help_is_shown(folder: Path, words: str) -> None:
    done = Home(folder=folder / "none", port=21000).hub(*words.split(), "--help")
    assert done.returncode == 0
    assert "Usage: hub" in done.stdout


def test_shell_completion_can_be_shown(folder: Path) -> None:
    done = Home(folder=folder / "none", port=21000).hub(_HUB_COMPLETE="source_bash")
    assert done.returncode == 0
    assert "complete -o default -F _hub_completion hub" in done.stdout
    words = {"COMP_WORDS": "hub qua", "COMP_CWORD": "1", "_HUB_COMPLETE": "complete_bash"}
    assert Home(folder=folder / "none", port=21000).hub(**words).stdout.split() == ["quarantine"]


# --- starting anew ------------------------------------------------------------------------------------------


def test_nothing_is_emptied_while_the_retailer_runs(home: Home) -> None:
    for words in (("sandbox", "reset", "--yes"), ("reset", "--yes")):
        assert "stop it first" in complaint(home.hub(*words))
    assert (home.folder / "sandbox" / "sandbox.db").exists()


def test_reset_refuses_a_folder_that_is_no_home(folder: Path) -> None:
    strange = Home(folder=folder / "strange", port=21000)
    strange.folder.mkdir()
    (strange.folder / "thesis.odt").write_text("years of work")
    said = complaint(strange.hub("reset", "--yes"))
    assert f"{strange.folder} does not look like a HUB_HOME: nothing was removed" in said
    assert [path.name for path in strange.folder.iterdir()] == ["thesis.odt"]


def test_reset_asks_before_it_empties(folder: Path) -> None:
    other = Home(folder=folder / "other", port=21000)
    assert read(other.hub("reset", "--json")) == {"removed": []}
    (other.folder / "sandbox").mkdir(parents=True)
    (other.folder / "vault").mkdir()
    (other.folder / "sandbox" / "sandbox.db").write_text("")
    for words in ("reset", "sandbox reset"):
        for answer in ("n\n", ""):
            done = other.hub(*words.split(), answer=answer)
            assert (done.returncode, done.stdout.strip()) == (1, "")
            assert "Remove " in done.stderr
    assert (other.folder / "sandbox" / "sandbox.db").exists()
    assert read(other.hub("sandbox", "reset", "--yes", "--json"))["removed"] == [
        str(other.folder / "sandbox" / "sandbox.db")
    ]
    assert (other.folder / "vault").exists()
    assert len(read(other.hub("reset", "--json", answer="y\n"))["removed"]) == 2
    assert list(other.folder.iterdir()) == []
