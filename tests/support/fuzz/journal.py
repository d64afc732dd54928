"""Records of any kind into a real journal, by the intake that a run uses: each is kept or in quarantine, and found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from support.fuzz.gateway import Door, connection
from support.fuzz.records import VENDORS, samples
from support.fuzz.target import Target
from support.fuzz.values import EDITS, TEXTS, as_json, mutated

from hub.flow import Engine, intake, keep
from hub.flow.ingest import NOTHING, readers
from hub.model import Batch, Origin, Record
from hub.transport.http import parse_json

SYSTEMS = {
    "soap_erp": "erp",
    "shopify": "shop",
    "square": "tills",
    "akeneo": "pim",
    "dam": "dam",
    "sftp_files": "stores",
}
KEYS = st.sampled_from(TEXTS) | st.text(max_size=400).map(lambda text: text * 9) | st.text(min_size=1, max_size=9)
INPUTS = st.tuples(
    st.sampled_from(VENDORS),
    st.lists(st.tuples(st.integers(0, 100), EDITS, KEYS, st.none() | st.none() | KEYS | st.integers()), max_size=3),
)


def target(door: Door) -> tuple[Target, Callable[[], None]]:
    """The target over the journal behind ``door``, and how to close it."""
    opened = Engine.open(door.project, connections=connection, dsn=door.dsn)
    engine = opened.__enter__()

    def take(given: tuple[str, Any]) -> None:
        vendor, asked = given
        system = SYSTEMS[vendor]
        for number, edits, key, version in asked:
            object, sample = samples(vendor)[number % len(samples(vendor))]
            data = parse_json(as_json(mutated(sample, edits)), "an answer")
            data = data if isinstance(data, dict) else {}  # as every connector does
            flow = next(n for n, f in engine.landscape.flows.items() if system in f.sources)
            record = Record(
                object=object, key=key, data=data, source_version=version, origin=Origin(source="fuzz", line=1)
            )
            with engine.running("ingest", flow, system) as current:
                batch = Batch(records=[record], checkpoint=NOTHING, raw=b"{}")
                with engine.journal.transaction():
                    intake.take(engine, current, system, batch, readers(engine, system, object))
                    keep.finish(engine, current)

    return Target(name="journal", inputs=INPUTS, take=take), lambda: opened.__exit__(None, None, None)  # type: ignore[func-returns-value]
