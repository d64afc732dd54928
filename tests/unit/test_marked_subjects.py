"""What is derived again when all that is known of a record is what it belongs to."""

from __future__ import annotations

import pytest

from hub.flow.objects import OBJECTS
from hub.flow.outcome import Pass


@pytest.mark.parametrize(
    ("object", "derived"),
    [
        ("stock_level", {"availability"}),
        ("price", {"price_in_force"}),
        ("product", {"complete_product"}),
        ("variant", {"complete_product"}),  # of its prices only the product is known, and they rest on the SKU
        ("media", {"complete_product"}),
        ("order", {"order_progress"}),
        ("location", set()),
    ],
)
def test_a_record_that_was_refused_has_what_rests_on_its_subject_derived_again(object: str, derived: set[str]) -> None:
    current = Pass(run="r", flow=OBJECTS[object].flow)
    current.mark_subjects(OBJECTS[object], ["TS0001"])
    assert current.marked == {name: {"TS0001": False} for name in derived}
