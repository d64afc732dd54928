"""hub.yaml as types: what may be written there, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hub.config.hours import Hours, hours
from hub.config.values import Change, Cron, Duration, Pattern, Share, best


class Settings(BaseModel):
    """Base of everything in hub.yaml: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _zone(written: str) -> str:
    try:
        ZoneInfo(written)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'there is no time zone "{written}"') from None
    return written


def _named_by_default(written: Any) -> Any:
    return {"default": written} if isinstance(written, int) else written


def _listed(written: Any) -> Any:
    return (written,) if isinstance(written, str) else written


Locale = Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Pieces = Annotated[int, Field(ge=0, le=1_000_000)]


class Retailer(Settings):
    """Whose landscape this is."""

    name: str = Field(description="What people call it.")
    zone: Annotated[str, AfterValidator(_zone)] = Field(description="IANA time zone of its opening hours and days.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 currency of its own accounts.")


class BudgetSettings(Settings):
    """What a vendor's account allows: a bucket of ``calls`` (or cost ``points``), filled by ``per_second``."""

    calls: float | None = Field(default=None, gt=0, description="Size of the bucket where the vendor counts calls.")
    points: float | None = Field(default=None, gt=0, description="Size of the bucket where the vendor counts cost.")
    per_second: float = Field(gt=0, description="How fast it fills again.")

    @model_validator(mode="after")
    def _one_unit(self) -> BudgetSettings:
        if (self.calls is None) == (self.points is None):
            raise ValueError("a budget counts either calls or points")
        return self

    @property
    def capacity(self) -> float:
        """The size of the bucket, in the vendor's own unit."""
        return self.calls or self.points or 0.0

    @property
    def unit(self) -> Literal["calls", "points"]:
        return "calls" if self.calls is not None else "points"


class BreakerSettings(Settings):
    """When a system that does not answer is left alone, by all flows together."""

    after: int = Field(default=5, ge=1, le=1000, description="Calls in a row without an answer that open its circuit.")
    probe: Duration = Field(
        default=timedelta(seconds=5),
        description="After which one call asks again; then after twice as long each time, up to 5 minutes.",
    )


class SystemSettings(Settings):
    """One system: a configured connector."""

    connector: str = Field(description="Folder in connectors/.")
    connection: str | None = Field(default=None, description="Id of the connection (by default the system's name).")
    options: dict[str, Any] = Field(default_factory=dict, description="What the connector's own options say.")
    open: Annotated[Hours, BeforeValidator(hours)] | None = Field(default=None, description="When it may be called.")
    budget: BudgetSettings | None = Field(default=None, description="What the vendor's account allows.")
    breaker: BreakerSettings = Field(default=BreakerSettings(), description="When it is left alone.")
    mappings: str | None = Field(default=None, description="Folder in mappings/ (by default the connector's name).")


class Channel(Settings):
    """A place that sells, and what it may sell."""

    sells_from: tuple[Pattern, ...] = Field(
        default=(), min_length=1, description="Locations, in the order in which unplaced orders take from them."
    )
    country: str | None = Field(
        default=None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1 code of the country whose prices it asks."
    )
    price_list: str | None = Field(default=None, description="The price list that it follows; by default any.")
    locales: tuple[Locale, ...] = Field(
        default=(), description="Languages in which a product must be complete; the first is the channel's own."
    )
    safety_stock: Annotated[dict[Pattern, Pieces], BeforeValidator(_named_by_default)] = Field(
        default_factory=dict,
        description="Pieces that are never sold: default, and by location, SKU or SKU@location, patterns included.",
    )
    stale_after: Duration | None = Field(default=None, description="Age at which a location's stock leaves the sum.")

    def safety_stock_at(self, location: str, sku: str) -> int:
        """Pieces kept back: the rule for SKU@location counts before one for the SKU, the location, the default."""
        rules = [rule for rule in self.safety_stock if rule != "default"]
        pairs = [rule for rule in rules if "@" in rule]
        plain = [rule for rule in rules if "@" not in rule]
        found = best(pairs, f"{sku}@{location}") or best(plain, sku) or best(plain, location) or "default"
        return self.safety_stock.get(found, 0)


class SourceSettings(Settings):
    """How one source of a flow is read."""

    every: Duration | None = Field(default=None, description="Longest time between two looks.")
    schedule: Cron | None = Field(default=None, description="Cron fields instead of every, in the retailer's time.")
    on: Literal["arrival", "event"] | None = Field(
        default=None, description="What also starts a look: a file, a message."
    )
    complete: Literal["hourly", "nightly", "weekly"] | None = Field(
        default=None, description="How often a complete snapshot is due."
    )
    missing: Literal["keep", "zero", "hold"] = Field(
        default="hold", description="What becomes of a key that a complete snapshot lacks."
    )
    late_events: Literal["apply", "ignore", "hold"] = Field(
        default="apply", description="What becomes of a movement recorded after a snapshot that may contain it."
    )
    quarantined: Literal["keep", "zero"] = Field(
        default="keep", description="What a key is worth while its line is refused."
    )

    @model_validator(mode="after")
    def _one_clock(self) -> SourceSettings:
        if self.every is not None and self.schedule is not None:
            raise ValueError("every and schedule say the same thing twice; keep one")
        if self.every is None and self.schedule is None and self.on is None:
            raise ValueError("nothing says when to look: add every, schedule or on")
        return self


class TargetSettings(Settings):
    """What one target of a flow receives."""

    grain: Literal["location"] = Field(default="location", description="One value for each location.")
    value: str = Field(description="Which derived value it receives, as in available or on_hand.")
    channel: str | None = Field(default=None, description="Whose rules make the value; needed for available.")
    locations: tuple[Pattern, ...] = Field(default=("*",), description="Which locations, where no channel says it.")
    requires: tuple[str, ...] = Field(
        default=("title", "gtin", "media", "price"), description="What a product must have before it is published."
    )
    on_foreign_edit: Literal["revert", "accept", "report"] = Field(
        default="revert", description="What becomes of a field that a person changes there and another system owns."
    )


class GuardSettings(Settings):
    """Largest changes that pass without a person; a snapshot or a reading that breaks one is held whole."""

    fewer_rows: Share | None = Field(default=None, description="Lines that a complete snapshot may have lost.")
    drops: Share | None = Field(default=None, description="Numbers (pieces, prices) that may fall at once.")
    to_zero: Share | None = Field(default=None, description="Articles in stock that may fall to zero at once.")
    price_change: Change | None = Field(default=None, description="How far a single price may move, up or down.")
    changes: Share | None = Field(default=None, description="Known keys that may change at once.")
    rejects: Share | None = Field(
        default=None, description="Records that one reading may refuse; past it the flow stops: the mapping is wrong."
    )
    at_least: int = Field(
        default=10, ge=1, le=1_000_000, description="Fewer keys than that always pass, whatever share they are."
    )
    requires: Annotated[tuple[Literal["trailer", "count"], ...], BeforeValidator(_listed)] = Field(
        default=(), description="What a snapshot must bring: its trailer, the count of its lines."
    )

    @property
    def hold(self) -> bool:
        """Whether any of them can hold a batch."""
        shares = (self.fewer_rows, self.drops, self.to_zero, self.price_change, self.changes)
        return bool(self.requires) or any(share is not None for share in shares)


class FlowSettings(Settings):
    """One object on its way from sources to targets."""

    sources: dict[str, SourceSettings] = Field(min_length=1)
    targets: dict[str, TargetSettings] = Field(default_factory=dict)
    guards: GuardSettings = GuardSettings()


class KeepSettings(Settings):
    """How long what is no longer needed for the work is kept."""

    raw: Duration = Field(default=timedelta(days=90), description="Raw files, pages and messages as they arrived.")


class LandscapeFile(Settings):
    """The whole of hub.yaml."""

    retailer: Retailer
    keep: KeepSettings = KeepSettings()
    systems: dict[Name, SystemSettings] = Field(min_length=1)
    authority: dict[str, dict[Pattern, str]] = Field(
        default_factory=dict,
        description="By canonical object, then by location (stock) or field (product): whose word counts; "
        "what others say is kept for reconciliation.",
    )
    channels: dict[Name, Channel] = Field(default_factory=dict)
    flows: dict[Name, FlowSettings] = Field(min_length=1)
