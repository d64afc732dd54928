"""What every connector must do, whatever its vendor: a connector's own test names the vendor and inherits the rest."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
import yaml
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

import connectors
from hub.connector import Connection, connector_class
from hub.errors import Reject, StopRun
from hub.model import (
    Batch,
    Binding,
    Checkpoint,
    Delivery,
    Done,
    Extent,
    Postponed,
    Pushed,
    Record,
    Reference,
    Refused,
    Rejected,
)
from hub.transport.http import new_session
from hub.transport.retry import instant

RULES = [
    "check", "options", "budget", "secrets", "raw", "resume", "as_of", "release", "idempotency", "compare_and_set",
    "read_back", "partial_refusal", "signature", "real_description",
]  # fmt: skip


class Counted:
    """A budget without end that remembers what was taken."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.left: list[float] = []

    def take(self, cost: float = 1.0) -> float:
        self.taken.append(cost)
        return 0.0

    def observe(self, available: float) -> None:
        self.left.append(available)

    def rest(self, seconds: float) -> None:
        self.left.append(-seconds)


@dataclass(kw_only=True)
class Context:
    """What the engine hands to a connector."""

    system: str
    connection: Connection
    clock: Any
    budget: Counted = field(default_factory=Counted)


def context_of(sandbox: Any, system: str, **changes: Any) -> Context:
    """The context of one of the sandbox's systems."""
    known = {name: value for name, value in sandbox.connections[system].items() if name != "conn_type"}
    return Context(
        system=system, connection=Connection(id=system, **{**known, **changes}), clock=sandbox.retailer.clock
    )


def build(folder: str, context: Context, /, **options: Any) -> Any:
    """A connector as the engine builds it."""
    kind = connector_class(folder)
    return kind(kind.config.model_validate(options), context)


class ConnectorContract:
    """Subclasses say which folder, which system of the sandbox, and the options it needs there."""

    folder: ClassVar[str]
    system: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    locked_out: ClassVar[Mapping[str, Any]] = {"password": "wrong-secret-0815"}

    @pytest.fixture
    def context(self, sandbox: Any) -> Context:
        return context_of(sandbox, self.system)

    @pytest.fixture
    def connector(self, context: Context) -> Iterator[Any]:
        built = build(self.folder, context, **self.options)
        yield built
        if sftp := getattr(built, "sftp", None):
            sftp.close()

    @property
    def home(self) -> Path:
        return Path(next(iter(connectors.__path__))) / self.folder

    def test_check_reaches_the_system_and_signs_in(self, connector: Any, context: Context):
        health = connector.check()
        assert health.ok, health.detail
        assert context.budget.taken, "a call was made outside the budget"

    def test_check_says_why_nobody_gets_in(self, sandbox: Any):
        context = context_of(sandbox, self.system, **self.locked_out)
        health = build(self.folder, context, **self.options).check()
        assert not health.ok
        assert self.system in health.detail
        assert "wrong-secret-0815" not in health.detail

    def test_check_says_that_nobody_answers(self, sandbox: Any):
        with socket.socket() as free, instant():
            free.bind(("127.0.0.1", 0))
            context = context_of(sandbox, self.system, port=free.getsockname()[1])
            health = build(self.folder, context, **self.options).check()
        assert not health.ok
        assert "cannot be reached" in health.detail

    def test_every_option_is_described_and_no_other_is_taken(self):
        config = connector_class(self.folder).config
        assert config.model_config.get("extra") == "forbid"
        assert not [name for name, field in config.model_fields.items() if not field.description]

    def test_the_readme_names_every_option(self):
        text = (self.home / "README.md").read_text(encoding="utf-8")
        missing = [name for name in connector_class(self.folder).config.model_fields if f"`{name}`" not in text]
        assert not missing

    def test_the_quality_sheet_answers_every_rule(self):
        sheet = yaml.safe_load((self.home / "quality.yaml").read_text(encoding="utf-8"))
        assert list(sheet) == RULES
        for rule, said in sheet.items():
            assert said == "done" or (list(said) == ["exempt"] and said["exempt"]), rule


class SourceContract(ConnectorContract):
    """A source: batches that can be committed one by one."""

    object: ClassVar[str]
    paged: ClassVar[bool] = True  # the batches of one read are pages of one answer

    def read(self, connector: Any, since: Checkpoint | None = None) -> list[Batch]:
        return list(connector.read(self.object, since))

    def test_only_the_last_batch_says_that_there_is_no_more(self, connector: Any):
        batches = self.read(connector)
        assert [batch.more for batch in batches] == [True] * (len(batches) - 1) + [False]

    def test_every_record_has_a_key_and_a_place(self, connector: Any):
        records = [record for batch in self.read(connector) for record in batch.records]
        assert records
        for record in records:
            assert record.object == self.object
            assert isinstance(record, Refused) or record.key
            assert record.origin.source
            assert record.origin.line

    def test_every_batch_carries_the_bytes_it_came_in(self, connector: Any):
        assert all(batch.raw for batch in self.read(connector))

    def test_numbers_are_never_floats(self, connector: Any):
        def floats(value: Any) -> bool:
            if isinstance(value, Mapping):
                return any(map(floats, value.values()))
            return any(map(floats, value)) if isinstance(value, list) else isinstance(value, float)

        assert not [r for b in self.read(connector) for r in b.records if isinstance(r, Record) and floats(r.data)]

    def test_an_as_of_is_given_once_all_was_read(self, connector: Any):
        scopes = [batch.scope for batch in self.read(connector)]
        assert scopes[-1].as_of is not None
        assert scopes[-1].as_of.tzinfo is not None
        if self.paged:
            assert [scope.as_of for scope in scopes[:-1]] == [None] * (len(scopes) - 1)
            assert {scope.extent for scope in scopes} == {Extent.DELTA}

    def test_reading_goes_on_after_any_batch(self, connector: Any):
        """Killed after any commit, the next read brings all that is left."""
        batches = self.read(connector)
        everything = keys_of(batches)
        for number in {1, (len(batches) + 1) // 2, len(batches)}:
            kept = Checkpoint(value=json.loads(json.dumps(dict(batches[number - 1].checkpoint.value))))
            assert keys_of(batches[:number]) | keys_of(self.read(connector, kept)) == everything

    def test_releasing_twice_is_harmless(self, connector: Any):
        checkpoint = self.read(connector)[0].checkpoint
        connector.release(checkpoint)
        connector.release(checkpoint)

    def test_an_object_that_it_does_not_know_stops_the_run(self, connector: Any):
        with pytest.raises(StopRun, match="not unicorns"):
            list(connector.read("unicorns", None))

    def test_reading_changes_nothing_there(self, connector: Any, sandbox: Any):
        self.read(connector)
        assert not sandbox.retailer.ledger.writes(self.system)


def keys_of(batches: Sequence[Batch]) -> set[tuple[str, str]]:
    """Keys with their versions."""
    return {(str(one.key), one.origin.source if isinstance(one, Refused) else str(one.source_version))
            for batch in batches for one in batch.records}  # fmt: skip


class TargetContract(ConnectorContract):
    """A target of ``stock_level``; subclasses name a location that it knows."""

    location: ClassVar[str] = "ST03"

    @pytest.fixture
    def places(self, connector: Any, retailer: Any) -> list[Reference]:
        """References to ten levels with the target's own ids in them."""
        skus = [Reference(key=s.code, by={"sku": s.code, "gtin": s.ean}) for s in retailer.world.skus[:10]]
        place = retailer.world.location(self.location)
        location = Reference(key=place.code, by={"name": f"  {place.name.upper()} "})
        bound = connector.find("location", [location])[location].binding
        found = connector.find("sku", skus)
        return [
            Reference(key=f"{sku.key}@{place.code}", bindings={"sku": found[sku].binding, "location": bound})
            for sku in skus
        ]

    @pytest.fixture
    def deliveries(self, places: list[Reference], clock: Any) -> Callable[..., list[Delivery]]:
        """Ten deliveries of a quantity, or of one for each."""

        def make(*quantities: int) -> list[Delivery]:
            given = quantities if len(quantities) > 1 else quantities * len(places)
            return [
                Delivery(
                    key=place.key,
                    value={"sku": place.key.split("@")[0], "location": self.location, "quantity": quantity},
                    bindings=place.bindings,
                    as_of=clock.now(),
                    generation=1,
                )
                for place, quantity in zip(places, given, strict=False)
            ]

        return make

    def held(self, connector: Any, places: Sequence[Reference]) -> list[int]:
        found = connector.find("stock_level", places)
        return [found[place].value["quantity"] for place in places]

    def write(self, connector: Any, deliveries: Sequence[Delivery], key: str) -> list[Any]:
        """As the engine does: in the target's own batch size."""
        size = connector.capability("stock_level").batch_size
        parts = [deliveries[n : n + size] for n in range(0, len(deliveries), size)]
        return [r for n, part in enumerate(parts) for r in connector.write("stock_level", part, f"{key}-{n}")]

    def test_the_capability_is_declared(self, connector: Any):
        capability = connector.capability("stock_level")
        assert capability.batch_size >= 1
        assert capability.binds == ("sku", "location")
        assert capability.read_back is not None or capability.idempotency is not None

    def test_what_is_written_is_confirmed_and_found(self, connector: Any, places: list[Reference], deliveries: Any):
        receipts = self.write(connector, deliveries(*range(1, 11)), "k1")
        assert [(r.key, r.remote.value) for r in receipts] == [
            (place.key, {"quantity": n}) for n, place in enumerate(places, 1)
        ]
        assert self.held(connector, places) == list(range(1, 11))

    def test_the_same_key_again_is_carried_out_once(self, connector: Any, places: list[Reference], deliveries: Any):
        if connector.capability("stock_level").idempotency is None:
            pytest.skip("this way of writing has no idempotency key")
        first = deliveries(5)
        self.write(connector, first, "k1")
        self.write(connector, deliveries(7), "k2")
        assert all(isinstance(receipt, Done) for receipt in self.write(connector, first, "k1"))
        assert self.held(connector, places) == [7] * 10

    def test_one_that_the_target_does_not_know_is_refused_alone(
        self, connector: Any, places: list[Reference], deliveries: Any
    ):
        before = self.held(connector, places)
        one, two, three = deliveries(5)[:3]
        stranger = replace(two, bindings={**two.bindings, "sku": Binding(external_id=self.unknown(two))})
        receipts = self.write(connector, [one, stranger, three], "k1")
        assert isinstance(receipts[1], Rejected)
        assert receipts[1].reason
        assert {type(receipts[0]), type(receipts[2])} <= {Done, Postponed}
        after = self.held(connector, places)
        for receipt, was, now in zip(
            (receipts[0], receipts[2]), (before[0], before[2]), (after[0], after[2]), strict=True
        ):
            assert now == (5 if isinstance(receipt, Done) else was)

    def unknown(self, delivery: Delivery) -> str:
        """An id of the target's own shape that it does not know."""
        known = delivery.bindings["sku"].external_id
        return known[:-6] + "999999"

    def test_one_without_the_targets_id_is_refused_alone(self, connector: Any, deliveries: Any):
        one, two = deliveries(5)[:2]
        receipts = self.write(connector, [replace(one, bindings={}), two], "k1")
        assert (type(receipts[0]), receipts[0].path, type(receipts[1])) == (Rejected, "bindings.sku", Done)

    def test_what_the_target_does_not_know_is_left_out(self, connector: Any):
        stranger = Reference(key="X", by={"sku": "NOBODY-KNOWS", "gtin": "00000000000017"})
        assert connector.find("sku", [stranger]) == {}
        assert connector.find("location", [Reference(key="Y", by={"name": "Atlantis"})]) == {}

    def test_reading_back_asks_for_nothing_without_ids(self, connector: Any):
        assert connector.find("stock_level", [Reference(key="X@Y")]) == {}

    def test_an_object_that_it_does_not_take_stops_the_run(self, connector: Any):
        with pytest.raises(StopRun, match="not unicorns"):
            list(connector.write("unicorns", [], "k"))
        with pytest.raises(StopRun, match="not unicorns"):
            connector.find("unicorns", [])
        with pytest.raises(StopRun, match="not unicorns"):
            connector.capability("unicorns")

    def test_nothing_is_ever_under_way(self, connector: Any):
        assert list(connector.settle([])) == []


class ListenerContract(ConnectorContract):
    """A listener; subclasses make the sandbox push something and say which header signs it."""

    signature: ClassVar[str]
    url: ClassVar[str] = "http://hub.example/hooks"

    def happen(self, sandbox: Any) -> None:
        raise NotImplementedError

    @pytest.fixture
    def pushed(self, sandbox: Any) -> Pushed:
        """The next webhook, signed as the vendor signs it."""
        self.happen(sandbox)
        message = sandbox.retailer.webhooks.due()[0]
        signs = getattr(sandbox.retailer, self.system)
        headers = {**message.headers, **signs.sign(self.url, message.body)}
        return Pushed(
            system=self.system,
            path="/hooks",
            url=self.url,
            headers={name.lower(): value for name, value in headers.items()},
            body=message.body,
            received_at=sandbox.retailer.clock.now(),
        )

    def test_a_genuine_message_is_believed(self, connector: Any, pushed: Pushed):
        connector.verify(pushed)
        assert connector.identity(pushed)
        assert connector.identity(pushed) == connector.identity(replace(pushed, received_at=pushed.received_at))

    @pytest.mark.parametrize("change", ["body", "signature", "unsigned"])
    def test_a_message_that_was_tampered_with_is_refused(self, connector: Any, pushed: Pushed, change: str):
        signed = pushed.headers[self.signature]
        forged = {
            "body": replace(pushed, body=pushed.body.replace(b"1", b"2", 1)),
            "signature": replace(pushed, headers={**pushed.headers, self.signature: signed[::-1]}),
            "unsigned": replace(pushed, headers={k: v for k, v in pushed.headers.items() if k != self.signature}),
        }[change]
        with pytest.raises(Reject, match=self.signature):
            connector.verify(forged)

    def test_a_message_of_long_ago_is_refused(self, connector: Any, pushed: Pushed, clock: Any):
        clock.forward(days=3)
        with pytest.raises(Reject, match="s old"):
            connector.verify(replace(pushed, received_at=clock.now()))

    def test_without_a_secret_nothing_is_believed(self, sandbox: Any, pushed: Pushed):
        context = context_of(sandbox, self.system, extra={})
        with pytest.raises(StopRun, match=f"connection {self.system}"):
            build(self.folder, context, **self.options).verify(pushed)


# --- what went over the wire ----------------------------------------------------------------------


@dataclass
class Exchange:
    """A request with its answer."""

    method: str
    url: str
    sent: Any
    status: int
    got: Any


class Recorder(HTTPAdapter):
    """Carries requests as ever, and remembers them with their answers."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(request, *args, **kwargs)
        body = response.raw.read(decode_content=True)
        response.raw = HTTPResponse(
            body=io.BytesIO(body), headers=response.headers, status=response.status_code, preload_content=False
        )
        self.exchanges.append(
            Exchange(request.method, request.url, _json(request.body), response.status_code, _json(body))
        )
        return response


def _json(body: Any) -> Any:
    """What was said as JSON; a picture as its bytes."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


@contextmanager
def recorded(folder: str, context: Context, /, **options: Any) -> Iterator[tuple[Any, list[Exchange]]]:
    """A connector and everything it says and hears."""
    kind = connector_class(folder)
    recorder = Recorder()
    with new_session(context.connection) as session:
        session.mount("http://", recorder)
        yield kind(kind.config.model_validate(options), context, session=session), recorder.exchanges  # type: ignore[call-arg]
