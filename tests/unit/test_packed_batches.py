"""What waits for a person is, when it is applied, what was read: value for value and type for type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.packing import lean, pack, unpack
from hub.model import Batch, Checkpoint, Extent, Origin, Record, Refused, Scope, Ticket

PARIS = timezone(timedelta(hours=1))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(max_size=20)
    | st.datetimes(timezones=st.sampled_from([UTC, PARIS]) | st.none())
    | st.dates()
    | st.times()
    | st.timedeltas()
)
keys = st.text(max_size=8) | st.sampled_from(["$decimal", "$pairs", "$", "$bytes"])
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))
rows = st.dictionaries(keys, values, max_size=5)
origins = st.builds(Origin, source=st.text(), line=st.none() | st.integers(1, 10**6), raw=st.none() | st.text())
records = st.builds(
    Record, object=st.text(), key=st.text(), data=rows, event_time=st.none() | st.datetimes(timezones=st.just(UTC)),
    source_version=st.none() | st.text() | st.integers(), origin=origins,
)  # fmt: skip
refusals = st.builds(
    Refused, object=st.text(), key=st.none() | st.text(), data=rows, path=st.text(), reason=st.text(), origin=origins
)
NOTHING = Checkpoint(value={})


@given(st.lists(records | refusals, max_size=4))
def test_records_come_back_as_they_were(found: list[Record | Refused]) -> None:
    assert unpack(pack(Batch(records=found, checkpoint=NOTHING))).records == found


def test_types_are_kept_and_not_only_what_they_look_like() -> None:
    data: dict[str, Any] = {
        "a": Decimal("1.50"), "b": datetime(2026, 11, 22, tzinfo=PARIS), "c": date(2026, 11, 22), "d": time(8, 30),
        "e": timedelta(minutes=-1), "f": b"\x00\xff", "g": {"$decimal": "1"}, "h": {1: "one"}, "i": "\ud800",
    }  # fmt: skip
    record = Record(object="o", key="k", data=data, origin=Origin(source="s"))
    (back,) = unpack(pack(Batch(records=[record], checkpoint=NOTHING))).records
    assert isinstance(back, Record)
    assert {name: (type(value), value) for name, value in back.data.items()} == {
        name: (type(value), value) for name, value in data.items()
    }


def test_the_scope_comes_back_with_its_tickets_and_its_payload() -> None:
    scope = Scope(
        extent=Extent.COMPLETE, series="0009", as_of=datetime(2026, 11, 22, tzinfo=UTC), rows=3, ended=True,
        tickets={"T1": Ticket(business_day="2026-11-22", sequence=4)}, identity="x",
    )  # fmt: skip
    batch = Batch(records=[], checkpoint=NOTHING, scope=scope, raw=b"payload")
    back = unpack(pack(lean(batch, "page/1"))).scope
    assert (back.tickets, back.raw, back.extent, back.as_of) == (scope.tickets, "page/1", scope.extent, scope.as_of)


def test_what_cannot_be_kept_says_what_it_is() -> None:
    record = Record(object="o", key="k", data={"a": object()}, origin=Origin(source="s"))
    with pytest.raises(TypeError, match="a object cannot be kept"):
        pack(Batch(records=[record], checkpoint=NOTHING))
