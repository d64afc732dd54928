"""Several flows go to one target: what stops one of them there does not keep the others from going out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.loopback import Heard, Say
from support.proxy import proxy
from support.scene import Scene
from support.stories import article, connection, partial

from hub.errors import TryLater
from hub.flow import locks
from hub.sandbox.pictures import draw
from hub.transport.retry import instant


def test_a_library_that_gives_out_no_picture_keeps_no_stock_and_no_other_flow_from_the_shop(whole: Scene) -> None:
    sku, product = article(whole, "dam down"), "PU0021"

    def no_content(heard: Heard, ask: Callable[[], Say]) -> Say:
        return Say(hang_up=True) if "/renditions/" in heard.path else ask()

    whole.clock.forward(minutes=2)
    whole.retailer.dam.add(product, 7, draw("while the library is down", (90, 20, 60)))
    partial(whole, "ST15", {sku: 33})
    with (
        proxy(whole.served.ports["dam"], no_content) as between,
        connection(whole, "dam", port=between.port),
        instant(),
        whole.engine() as engine,
    ):
        with whole.engine() as other, locks.shared(other.journal, "deliver/shop"):  # so that nothing rides along
            engine.ingest("product", "dam")
            engine.ingest("stock", "stores")
        assert whole.shop(sku, "ST15") != 32
        with pytest.raises(TryLater, match="dam"):
            engine.deliver("shop")
        assert whole.shop(sku, "ST15") == 32
    whole.clock.forward(minutes=6)
    with whole.engine() as engine:
        engine.deliver("shop")  # and the picture follows when the library answers
        assert engine.deliver("shop").pending == 0
