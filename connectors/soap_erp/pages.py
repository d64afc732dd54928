"""Reading what changed since, page by page: the same for every object of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.soap_erp.options import STAMP, Options
from hub.errors import StopRun
from hub.model import Batch, Checkpoint, Origin, Record, Refused, Scope
from hub.transport.paging import Trail
from hub.transport.soap import Reply, Soap
from hub.transport.times import earlier, local_time


class BookmarkLost(StopRun):
    """The service does not know the bookmark any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One object that is read in pages: its operation, the repeated element, and the fields of its key."""

    operation: str
    element: str
    key: tuple[str, ...]


LISTINGS: Mapping[str, Listing] = {
    "stock": Listing(operation="ReadStock", element="Row", key=("ITMREF", "STOFCY")),
    "items": Listing(operation="ReadItems", element="Item", key=("ITMREF",)),
    "prices": Listing(operation="ReadPrices", element="Price", key=("PLICRD",)),
    "promotions": Listing(operation="ReadPromotions", element="Promotion", key=("PRMCOD",)),
    "order_status": Listing(operation="ReadOrderStatus", element="OrderStatus", key=("SOHNUM",)),
    "shipments": Listing(operation="ReadShipments", element="Shipment", key=("SDHNUM",)),
    "returns": Listing(operation="ReadReturns", element="CustomerReturn", key=("RETNUM",)),
}


class Pages:
    """Reads the listings of one service."""

    def __init__(self, soap: Soap, options: Options, system: str) -> None:
        self.soap = soap
        self.options = options
        self.system = system

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """Pages after ``since``, whose bookmark names the next one while a read is under way."""
        position = dict(since.value) if since else {}
        trail = Trail(f"{self.system} {LISTINGS[object].operation}")
        while True:
            try:
                batch = self._page(object, position)
            except BookmarkLost:
                if not position.get("bookmark"):
                    raise
                # It was kept too long: the same read from its first page; what is known already counts as unchanged.
                position = {"changed_since": position.get("changed_since")}
                continue
            yield batch
            if not batch.more:
                return
            position = dict(batch.checkpoint.value)
            trail.step(position["bookmark"])

    def rewind(self, moment: datetime) -> Checkpoint:
        local = moment.astimezone(ZoneInfo(self.options.zone))
        return Checkpoint(value={"changed_since": local.strftime(STAMP), "bookmark": None})

    def _page(self, object: str, position: Mapping[str, Any]) -> Batch:
        listing, bookmark = LISTINGS[object], position.get("bookmark")
        reply = self.soap.call(listing.operation, self._where(position))
        # The first page's: what was booked while later pages were read is seen by the next read.
        as_of = position.get("as_of") or self._checked(listing, reply.value["asOf"])
        following = reply.value.get("nextBookmark")
        here = f"{reply.url}#{listing.operation}{'/' + bookmark if bookmark else ''}"
        records = [
            record(object, row, listing.key, row.get("UPDDATTIM"), Origin(source=here, line=line))
            for line, row in enumerate(rows(reply, listing.element), 1)
        ]
        if following:
            value = {"changed_since": position.get("changed_since"), "bookmark": following, "as_of": as_of}
            return Batch(records=records, checkpoint=Checkpoint(value=value), raw=reply.raw, more=True)
        scope = Scope(as_of=local_time(as_of, STAMP, self.options.zone))
        value = {"changed_since": as_of, "bookmark": None}
        return Batch(records=records, checkpoint=Checkpoint(value=value), scope=scope, raw=reply.raw)

    def _where(self, position: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments that name the page."""
        where: dict[str, Any] = {"setSize": self.options.page_size}
        if since := position.get("changed_since"):
            where["changedSince"] = earlier(since, STAMP, self.options.zone, self.options.overlap)
        if bookmark := position.get("bookmark"):
            where["bookmark"] = bookmark
        return where

    def _checked(self, listing: Listing, stamp: str) -> str:
        try:
            local_time(stamp, STAMP, self.options.zone)
        except ValueError as error:
            raise StopRun(f"{self.system}: the asOf of {listing.operation} is no time: {error}") from None
        return stamp


def rows(reply: Reply, name: str) -> list[dict[str, Any]]:
    """The repeated element, whether zeep unwrapped the response to a list or not."""
    found = reply.value.get(name) if isinstance(reply.value, dict) else reply.value
    return list(found or [])


def record(
    object: str, row: dict[str, Any], key: tuple[str, ...], version: str | None, origin: Origin
) -> Record | Refused:
    """A row as a record; one whose key is empty is refused alone."""
    parts = [str(row.get(name) or "").strip() for name in key]
    for name, part in zip(key, parts, strict=True):
        if not part:
            return Refused(object=object, key=None, data=row, path=name, reason="is empty", origin=origin)
    return Record(object=object, key="|".join(parts), data=row, source_version=version, origin=origin)
