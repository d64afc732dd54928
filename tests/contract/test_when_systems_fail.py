"""Every connector against a system with faults: an endless page stops, what was half read is read again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from contract.suite import build, context_of, keys_of

from hub.errors import StopRun
from hub.model import Batch, Checkpoint
from hub.sandbox.retailer import Retailer
from hub.sandbox.serve import Running, running
from hub.transport.retry import instant

FILES = {"folder": "/out/stock", "pattern": "STOCK_*.csv", "done": ".ok", "archive": "/archive/stock"}
PAGED: list[tuple[str, str, str, Mapping[str, Any]]] = [
    ("soap_erp", "erp", "stock", {"wsdl": "/erp/StockService?wsdl", "page_size": 100}),
    ("shopify", "shop", "orders", {"page_size": 5}),
    ("square", "tills", "orders", {"page_size": 100}),
    ("akeneo", "pim", "products", {}),
    ("dam", "dam", "assets", {"page_size": 20}),
]
Keys = set[tuple[str, str]]
MOST = 60  # calls: more than a whole read takes


@pytest.fixture(scope="module")
def served(made_retailer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One retailer for all, whose vendors' budgets never end: only faults disturb."""
    home = tmp_path_factory.mktemp("failing") / "retailer"
    shutil.copytree(made_retailer, home)
    retailer = Retailer(home, haste=1000)
    with running(retailer) as found:
        yield found
    retailer.close()


@pytest.fixture
def sandbox(served: Running) -> Iterator[Running]:
    yield served
    served.retailer.faults.clear()


@pytest.fixture(params=PAGED, ids=[system for _, system, _, _ in PAGED])
def paged(request: pytest.FixtureRequest, sandbox: Running) -> Any:
    """A connector, its system and the object that it reads in pages."""
    folder, system, object, options = request.param
    return build(folder, context_of(sandbox, system), **options), system, object


@pytest.fixture(scope="module")
def known() -> dict[str, Keys]:
    """What undisturbed reads have found, by system."""
    return {}


@pytest.fixture
def everything(paged: Any, known: dict[str, Keys]) -> Keys:
    """What the object holds: every record with its version."""
    connector, system, object = paged
    if system not in known:
        known[system] = keys_of(list(connector.read(object, None)))
    return known[system]


def test_pages_that_lead_nowhere_end_the_read(paged: Any, sandbox: Running) -> None:
    connector, system, object = paged
    before = sandbox.retailer.ledger.last_id
    sandbox.retailer.faults.add(system, "page-loop", rate=1)
    with pytest.raises(StopRun, match="leads back to an earlier page, reading stopped"):
        list(connector.read(object, None))
    assert len(sandbox.retailer.ledger.calls(system, since_id=before)) < MOST


def test_after_a_page_that_led_back_the_next_read_misses_nothing(
    paged: Any, sandbox: Running, everything: Keys
) -> None:
    connector, system, object = paged
    sandbox.retailer.faults.add(system, "page-loop", rate=1, limit=1)
    seen: list[Batch] = []
    with pytest.raises(StopRun):
        seen.extend(connector.read(object, None))
    first = next(connector.read(object, None))
    kept = Checkpoint(value=json.loads(json.dumps(dict(first.checkpoint.value))))
    assert keys_of([first]) | keys_of(list(connector.read(object, kept))) == everything


@pytest.mark.parametrize("kinds", [("500", "reset"), ("timeout-after-commit", "truncate", "429")])
def test_a_read_that_was_disturbed_is_whole(
    paged: Any, sandbox: Running, everything: Keys, kinds: tuple[str, ...]
) -> None:
    connector, system, object = paged
    before = sandbox.retailer.ledger.last_id
    sandbox.retailer.faults.add(system, kinds, rate=1, limit=1, delay=0.02)
    with instant():
        assert keys_of(list(connector.read(object, None))) == everything
    assert sandbox.retailer.faults.counts(system, before)[system] == dict.fromkeys(kinds, 1)


def test_a_token_that_runs_out_between_two_pages_is_renewed(sandbox: Running) -> None:
    connector = build("akeneo", context_of(sandbox, "pim"))
    found, before = keys_of(list(connector.read("products", None))), sandbox.retailer.ledger.last_id
    sandbox.retailer.faults.add("pim", "auth-expired", rate=1, limit=1, only="products")
    assert keys_of(list(connector.read("products", None))) == found
    (refused,) = [call for call in sandbox.retailer.ledger.calls("pim", since_id=before) if call.fault]
    assert (refused.status, refused.operation) == (401, "products")


def test_a_soap_fault_with_http_200_is_a_fault(sandbox: Running) -> None:
    connector = build("soap_erp", context_of(sandbox, "erp"), wsdl="/erp/StockService?wsdl")
    everything = keys_of(list(connector.read("stock", None)))
    sandbox.retailer.faults.add("erp", "soap-fault-200", rate=1, limit=2)
    with instant():
        assert keys_of(list(connector.read("stock", None))) == everything


def test_a_file_whose_transfer_ends_early_is_left_for_the_next_time(sandbox: Running) -> None:
    connector = build("sftp_files", context_of(sandbox, "stores"), **FILES)
    sandbox.retailer.faults.add("stores", "truncate", rate=1, limit=1, only="GET")
    first = {batch.scope.identity for batch in connector.read("stock_file", None)}
    again = {batch.scope.identity for batch in connector.read("stock_file", None)}
    connector.sftp.close()
    assert len(again) == len(first) + 1 == len(sandbox.retailer.stores.waiting())
    assert first < again
