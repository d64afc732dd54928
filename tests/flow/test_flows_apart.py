"""One flow's trouble does not stop another: a pass of all flows does what it can and says the rest at its end."""

from __future__ import annotations

import pytest
from support.scene import Scene

from hub.errors import HubError


def test_a_pim_that_refuses_us_does_not_stop_the_prices(fresh: Scene) -> None:
    fresh.connections["pim"]["password"] = "wrong"
    with fresh.engine() as engine, pytest.raises(HubError, match="pim"):
        engine.once(["product", "price"])
    assert fresh.query("SELECT state FROM run WHERE flow = 'product' AND kind = 'once'")[0] == ("failed",)
    assert fresh.query("SELECT state FROM run WHERE flow = 'price' AND kind = 'once'")[-1] == ("done",)
    assert fresh.query("SELECT count(*) > 0 FROM source_state WHERE object = 'price'") == [(True,)]
