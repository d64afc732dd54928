"""A delivery has its seconds for everything that it does: what it leaves is due, rung for, and done by the next."""

from __future__ import annotations

from support.scene import Scene

from hub.flow.deliver import deliver_flow
from hub.flow.derive import SUBJECTS_AT_ONCE
from hub.journal import recompute

DERIVED = "availability"


def test_deriving_for_a_delivery_ends_with_its_time_and_the_target_is_rung_for(settled: Scene) -> None:
    with settled.engine() as engine:
        now = engine.clock.now()
        many = [f"UNKNOWN-{number}" for number in range(SUBJECTS_AT_ONCE + 20)]  # cheap to derive: of nobody's stock
        recompute.mark(engine.journal, DERIVED, dict.fromkeys(many, False), now)
        first = deliver_flow(engine, "stock", "shop", 0.0)
        assert recompute.due(engine.journal, DERIVED, now) == 20
        assert "shop" in first.ring
        then = engine.deliver("shop")
        assert recompute.due(engine.journal, DERIVED, now) == 0
        assert "shop" not in then.ring
