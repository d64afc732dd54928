"""The counter's routes below ``/v1``: each admits a client with one scope and asks the flow."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub.flow import Engine
from hub.flow.counter import channels, coupons, holds, orders, prices, stock
from hub.gateway.api import shapes
from hub.gateway.api.desk import Desk
from hub.gateway.api.problems import KINDS, MEDIA, Problem
from hub.journal.clients import Client

Key = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(auto_error=False, scheme_name="key", description="A client's key: `hub client add NAME`.")),
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{8,200}$",
        description="Made by the client, new for each request that is meant as a new one; a request that is sent "
        "again keeps its key and finds what the first one made.",
    ),
]
Id = Annotated[str, Path(pattern="^R[A-Z2-7]{24}$", description="As the reservation was answered.")]
Code = Annotated[str, Path(pattern=shapes.COUPON, description="Capitals or not are the same.")]
NEAR = r"^-?[0-9]{1,2}(\.[0-9]{1,8})?,-?[0-9]{1,3}(\.[0-9]{1,8})?$"


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """How a route's problems are described: those that every route may answer, and its own ``kinds``."""
    found: dict[int | str, dict[str, Any]] = {}
    for kind in ("no-key", "scope", "invalid", "too-fast", "not-now", *kinds):
        status, title = KINDS[kind]
        known = f"{found[status]['description']}; {title.lower()}" if status in found else title
        schema = {"$ref": "#/components/schemas/Problem"}
        found[status] = {"description": known, "content": {MEDIA: {"schema": schema}}}
    return found


def routes(desk: Desk) -> APIRouter:
    """The routes over ``desk``."""
    router = APIRouter()
    _questions(router, desk)
    _reservations(router, desk)
    _coupons(router, desk)
    return router


def _questions(router: APIRouter, desk: Desk) -> None:
    @router.get("/availability", operation_id="availability", tags=["stock"], responses=problems("unknown"))
    async def availability(
        key: Key,
        sku: Annotated[list[shapes.Sku], Query(min_length=1, max_length=20, description="May be given several times.")],
        near: Annotated[
            str | None, Query(pattern=NEAR, description="Latitude and longitude: the nearest locations come first.")
        ] = None,
        location: Annotated[shapes.Location | None, Query(description="This location alone.")] = None,
        channel: Annotated[shapes.Channel | None, Query(description="By default the client's own.")] = None,
    ) -> shapes.Availability:
        """What a channel may sell now, with every sale and reservation that is journalled."""
        position = _position(near)

        def ask(engine: Engine, client: Client) -> shapes.Availability:
            named = channels.selling(engine, channel, client.channel)
            skus = list(dict.fromkeys(sku))
            found = stock.availability(engine, skus, named, near=position, location=location)
            unknown = sorted({*skus} - {article.sku for article in found})
            if not found:
                raise Problem("unknown", f"no system has told of stock of {', '.join(unknown)}", unknown=unknown)
            return shapes.Availability(channel=named, at=engine.clock.now(), articles=found, unknown=unknown)  # type: ignore[arg-type]

        return await desk.ask(_said(key), "read", ask)

    @router.get("/prices", operation_id="price", tags=["price"], responses=problems("unknown"))
    async def price(
        key: Key,
        sku: Annotated[shapes.Sku, Query(description="The article.")],
        channel: Annotated[shapes.Channel | None, Query(description="By default the client's own.")] = None,
        quantity: Annotated[shapes.Pieces, Query(description="So many are bought.")] = 1,
        location: Annotated[shapes.Location | None, Query(description="A store whose own price counts.")] = None,
        group: Annotated[str | None, Query(max_length=64, description="A customer group.")] = None,
        country: Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="By default the channel's own.")] = None,
    ) -> shapes.Price:
        """The price in force now; a promotion that ends at midnight is not answered a moment later."""

        def ask(engine: Engine, client: Client) -> shapes.Price:
            named = channels.pricing(engine, channel, client.channel)
            where = prices.situation(engine, named, quantity=quantity, location=location, group=group, country=country)
            return shapes.Price.model_validate(prices.price(engine, sku, where))

        return await desk.ask(_said(key), "read", ask)

    @router.get("/orders/{order:path}", operation_id="order", tags=["order"], responses=problems("unknown"))
    async def order(
        key: Key,
        order: Annotated[shapes.OrderKey, Path(description="The canonical key, as in SHOP-1001.")],
    ) -> shapes.Order:
        """An order over all systems; customer, address and note only for a client with the scope personal."""

        def ask(engine: Engine, client: Client) -> shapes.Order:
            return shapes.Order.model_validate(orders.order(engine, order, client))

        return await desk.ask(_said(key), "orders", ask)


def _reservations(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/reservations", status_code=201, operation_id="reserve", tags=["stock"],
        responses={
            200: {"model": shapes.Reservation, "description": "Made before by a request with this key"},
            **problems("unknown", "not-enough", "too-slow", "too-large", "other-request"),
        },
    )  # fmt: skip
    async def reserve(
        key: Key, idempotency_key: IdempotencyKey, wanted: shapes.ReservationRequest, response: Response
    ) -> shapes.Reservation:
        """Keep pieces for some minutes. Two clients that ask for the last piece do not both get it."""

        def ask(engine: Engine, client: Client) -> tuple[shapes.Reservation, bool]:
            asked = holds.Wanted(
                sku=wanted.sku,
                quantity=wanted.quantity,
                location=wanted.location,
                channel=channels.selling(engine, wanted.channel, client.channel),
                lasts=timedelta(minutes=wanted.minutes),
            )
            found, new = holds.hold(engine, client, idempotency_key, asked)
            if new:
                desk.tell(engine, holds.OBJECT)
            return shapes.Reservation.model_validate(found), new

        found, new = await desk.ask(_said(key), "reserve", ask)
        response.status_code = 201 if new else 200
        response.headers["Location"] = f"/v1/reservations/{found.id}"
        return found

    @router.get("/reservations/{id}", operation_id="reservation", tags=["stock"], responses=problems("unknown"))
    async def reservation(key: Key, id: Id) -> shapes.Reservation:
        """A reservation of the client's own, as it stands now."""

        def ask(engine: Engine, client: Client) -> shapes.Reservation:
            return shapes.Reservation.model_validate(holds.show(engine, client, id))

        return await desk.ask(_said(key), "reserve", ask)

    @router.delete("/reservations/{id}", operation_id="release", tags=["stock"], responses=problems("unknown"))
    async def release(key: Key, id: Id) -> shapes.Reservation:
        """End a reservation of the client's own; once more changes nothing."""

        def ask(engine: Engine, client: Client) -> shapes.Reservation:
            found, new = holds.release(engine, client, id)
            if new:
                desk.tell(engine, holds.OBJECT)
            return shapes.Reservation.model_validate(found)

        return await desk.ask(_said(key), "reserve", ask)


def _coupons(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/coupons/{code}/redemptions", status_code=201, operation_id="redeem", tags=["coupon"],
        responses={
            200: {"model": shapes.Redemption, "description": "Redeemed before by this very order"},
            **problems("unknown", "redeemed", "too-slow", "too-large"),
        },
    )  # fmt: skip
    async def redeem(key: Key, code: Code, wanted: shapes.RedemptionRequest, response: Response) -> shapes.Redemption:
        """Redeem a coupon for one order; no other order of any channel can redeem it then."""

        def ask(engine: Engine, client: Client) -> tuple[shapes.Redemption, bool]:
            found, new = coupons.redeem(engine, client, code, wanted.order)
            return shapes.Redemption.model_validate(found), new

        found, new = await desk.ask(_said(key), "coupons", ask)
        response.status_code = 201 if new else 200
        return found

    @router.delete(
        "/coupons/{code}/redemptions/{order:path}", status_code=204, operation_id="give_back", tags=["coupon"],
        responses=problems("unknown"),
    )  # fmt: skip
    async def give_back(
        key: Key, code: Code, order: Annotated[shapes.OrderKey, Path(description="The order that had redeemed it.")]
    ) -> None:
        """The sale was given up: the coupon can be redeemed again; once more changes nothing."""
        await desk.ask(_said(key), "coupons", lambda engine, client: coupons.give_back(engine, client, code, order))


def _said(key: HTTPAuthorizationCredentials | None) -> str | None:
    return key.credentials if key else None


def _position(near: str | None) -> stock.Position | None:
    if near is None:
        return None
    latitude, longitude = map(float, near.split(","))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Problem("invalid", "query.near: latitude goes from -90 to 90, longitude from -180 to 180")
    return latitude, longitude
