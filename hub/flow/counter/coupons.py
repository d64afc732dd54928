"""A coupon is redeemed once over all channels: by a client that asked, or by an order that a channel has told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hub.flow.counter.refusal import Refusal
from hub.journal import audit, coupons
from hub.journal.clients import Client

if TYPE_CHECKING:
    from hub.flow.engine import Engine

OBJECT = "coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """The one order that a coupon belongs to."""

    coupon: str
    order: str
    redeemed_at: datetime


def redeem(engine: Engine, client: Client, coupon: str, order: str) -> tuple[Redemption, bool]:
    """Redeem ``coupon`` for ``order``; for the same order again it is what it was (and False)."""
    code = coupon.upper()
    with engine.journal.transaction():
        coupons.alone(engine.journal, code)
        if (found := coupons.redeemed_by(engine.journal, code)) is not None:
            return _held(code, order, *found), False
        for other, placed_at in coupons.in_orders(engine.journal, code):
            _held(code, order, other, placed_at)
        now = engine.clock.now()
        coupons.redeem(engine.journal, code, order, client.name, now)
        _note(engine, client, "applied", code, order, f"POST /v1/coupons/{code}/redemptions")
        return Redemption(coupon=code, order=order, redeemed_at=now), True


def give_back(engine: Engine, client: Client, coupon: str, order: str) -> bool:
    """The sale was given up: the coupon can be redeemed again; False where it was not ``order``'s."""
    code = coupon.upper()
    with engine.journal.transaction():
        coupons.alone(engine.journal, code)
        if not coupons.give_back(engine.journal, code, order):
            return False
        _note(engine, client, "released", code, order, f"DELETE /v1/coupons/{code}/redemptions/{order}")
        return True


def _held(code: str, order: str, by: str, at: datetime) -> Redemption:
    """The redemption, where it is ``order``'s own."""
    if by != order:
        raise Refusal("redeemed", f"the coupon {code} was redeemed before, on {at:%Y-%m-%d}", redeemed_at=at)
    return Redemption(coupon=code, order=by, redeemed_at=at)


def _note(engine: Engine, client: Client, step: str, code: str, order: str, request: str) -> None:
    entry = audit.Entry(
        step=step, system=client.system, object=OBJECT, key=code, subject=order, origin={"source": request},
        mapping="gateway", after={"order": order},
    )  # fmt: skip
    audit.write(engine.journal, client.system, "order", [entry])
