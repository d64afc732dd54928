"""What the counter takes and answers: the contract, from which the OpenAPI description is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SKU = r"^[A-Z0-9][A-Z0-9._/-]{0,63}$"
LOCATION = r"^[A-Z0-9][A-Z0-9_-]{0,31}$"
ORDER = r"^[A-Z0-9][A-Z0-9._/-]{0,99}$"
CHANNEL = r"^[a-z][a-z0-9_]{0,31}$"
COUPON = r"^[!-.0-~]{1,100}$"
MONEY = r"^-?[0-9]+(\.[0-9]+)?$"

Sku = Annotated[str, StringConstraints(pattern=SKU)]
Location = Annotated[str, StringConstraints(pattern=LOCATION)]
Channel = Annotated[str, StringConstraints(pattern=CHANNEL)]
OrderKey = Annotated[str, StringConstraints(pattern=ORDER)]
Pieces = Annotated[int, Field(ge=1, le=1_000_000)]
Money = Annotated[str, StringConstraints(pattern=MONEY)]


class Shape(BaseModel):
    """Base: made from what the flow answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Place(Shape):
    """One location that the channel sells from."""

    location: str = Field(description="Its code.")
    name: str | None = Field(description="As people call it.")
    kind: str | None = Field(description="warehouse, store or web.")
    quantity: int = Field(ge=0, description="Pieces that may be sold from here now.")
    stale: bool = Field(description="Its stock is too old to sell from.")
    as_of: datetime = Field(description="Up to when its stock is vouched for.")
    distance_km: float | None = Field(description="From near, as the crow flies; null where nobody knows.")


class Article(Shape):
    """What may be sold of one article."""

    sku: str = Field(description="The retailer's own code.")
    quantity: int = Field(ge=0, description="Over all locations together.")
    until: datetime | None = Field(description="When the clock alone changes this: a hold ends, a number turns stale.")
    locations: list[Place] = Field(description="The nearest first where near was given, else in the channel's order.")


class Availability(Shape):
    """What a channel may sell now."""

    channel: str = Field(description="Whose rules count.")
    at: datetime = Field(description="The moment of this answer; it contains everything journalled before.")
    articles: list[Article] = Field(description="Those that some system has told stock of.")
    unknown: list[str] = Field(description="SKUs whose stock no system has told of: not the same as none.")


class ReservationRequest(BaseModel):
    """Pieces to keep."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku = Field(description="The article.")
    quantity: Pieces = Field(default=1, description="Pieces, all of them or none.")
    location: Location | None = Field(default=None, description="Where; null: anywhere that the channel sells from.")
    channel: Channel | None = Field(default=None, description="Whose rules count; by default the client's own.")
    minutes: int = Field(default=15, ge=1, le=1440, description="After so long it ends by itself.")


class Reservation(Shape):
    """Pieces that are kept, or were."""

    id: str = Field(description="To ask for it and to release it.")
    sku: str = Field(description="The article.")
    quantity: int = Field(description="Pieces.")
    location: str | None = Field(description="Where; null: anywhere that the channel sells from.")
    state: Literal["reserved", "released", "expired"] = Field(description="As it stands now.")
    reserved_at: datetime = Field(description="Since when.")
    expires_at: datetime = Field(description="When it ends by itself.")


class Price(Shape):
    """The price in force."""

    sku: str = Field(description="The article.")
    channel: str = Field(description="Who asks it.")
    quantity: int = Field(description="The price of one piece when so many are bought.")
    amount: Money = Field(description="What one piece costs: exact, never a float.")
    currency: str = Field(description="ISO 4217.")
    tax_included: bool = Field(description="Whether the amount contains the tax.")
    compare_at: Money | None = Field(description="The regular price while a reduction lasts.")
    lowest_30: Money | None = Field(
        description="The lowest price of the 30 days before the reduction, as the channel was confirmed to ask it."
    )
    entry: str = Field(description="The entry of the price list, or the promotion, that counts.")
    until: datetime | None = Field(description="When the clock alone may change it.")


class Order(Shape):
    """One order over all systems."""

    document: dict[str, Any] = Field(description="The canonical order without what is personal.")
    statuses: list[dict[str, Any]] = Field(description="What each system that fulfils says; none before it did.")
    fulfilments: list[dict[str, Any]] = Field(description="Shipments and collections, each with who told it.")
    returns: list[dict[str, Any]] = Field(description="What came or went back, each once, with who told it first.")
    waits_for: list[str] = Field(description="What keeps it from going on, in sentences.")
    personal: dict[str, Any] | None = Field(description="Customer, address, note; null without the scope personal.")


class RedemptionRequest(BaseModel):
    """The order that uses a coupon."""

    model_config = ConfigDict(extra="forbid")

    order: OrderKey = Field(description="Its canonical key, as in SHOP-1001.")


class Redemption(Shape):
    """The one order that a coupon belongs to."""

    coupon: str = Field(description="In capitals.")
    order: str = Field(description="Its canonical key.")
    redeemed_at: datetime = Field(description="When.")


class Problem(Shape):
    """RFC 9457."""

    type: str = Field(description="urn:omnihub:problem: and a stable word.")
    title: str = Field(description="The same for every problem of this type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="A sentence for people.")
