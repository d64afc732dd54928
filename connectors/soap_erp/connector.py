"""Sites and stock from the ERP's StockService: changed since, page by page.

The service is described by its WSDL: ``ReadSites()`` and ``ReadStock(changedSince?, bookmark?, setSize)``,
whose times are naive and in the ERP's own zone. They stay raw here; the mapping knows the zone too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector, Context
from hub.errors import HubError, StopRun
from hub.model import Batch, Checkpoint, Health, Origin, Record, Refused, Scope
from hub.transport.http import Http, basic_auth
from hub.transport.options import Duration, ZoneName
from hub.transport.paging import Trail
from hub.transport.retry import Limited
from hub.transport.soap import Faults, Reply, Soap
from hub.transport.times import earlier, local_time

if TYPE_CHECKING:
    import requests

STAMP = "%Y%m%d%H%M%S"
BUSY_SECONDS = 1.0


class Options(BaseModel):
    """The options of one ERP."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wsdl: str = Field(description="The service's description: a path on the connection's host, or file: and a path.")
    page_size: int = Field(100, ge=1, le=100, description="Rows per page; the service allows 100.")
    overlap: Duration = Field(
        timedelta(minutes=2), description="How far each read reaches back behind the last one, for late bookings."
    )
    zone: ZoneName = Field("Europe/Paris", description="Time zone of the ERP's naive times.")
    strict: bool = Field(True, description="false also reads answers whose fields stand in a wrong order.")


class BookmarkLost(StopRun):
    """The service does not know the bookmark any more."""


def _busy(sentence: str) -> Limited:
    return Limited(sentence, delay=BUSY_SECONDS)


FAULTS: Faults = {"ERP-BUSY": _busy, "ERP-BOOKMARK": BookmarkLost}


class SoapErp(Connector):
    """A source of ``sites`` and ``stock``."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        connection = context.connection
        http = Http(connection, budget=context.budget, headers=basic_auth(connection), session=session)
        self.soap = Soap(http, config.wsdl, strict=config.strict, faults=FAULTS)

    def check(self) -> Health:
        """Read the description and the sites."""
        try:
            if missing := {"ReadSites", "ReadStock"} - self.soap.operations():
                return Health(ok=False, detail=f"{self.soap.wsdl} offers no operation {', '.join(sorted(missing))}")
            sites = len(_rows(self.soap.call("ReadSites"), "Site"))
        except HubError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, facts={"sites": sites})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """``sites`` whole, ``stock`` in pages of what changed since the checkpoint less the overlap."""
        if object == "sites":
            yield self._sites()
        elif object == "stock":
            yield from self._stock(dict(since.value) if since else {})
        else:
            raise StopRun(f"soap_erp reads sites and stock, not {object}")

    def release(self, checkpoint: Checkpoint) -> None:
        """The ERP keeps nothing for us."""

    def _sites(self) -> Batch:
        now = self.context.clock.now()
        reply = self.soap.call("ReadSites")
        rows = _rows(reply, "Site")
        records = [
            _record("sites", row, ("FCY",), None, Origin(source=f"{reply.url}#ReadSites", line=position))
            for position, row in enumerate(rows, 1)
        ]
        checkpoint = Checkpoint(value={"read_at": now.isoformat()})
        return Batch(records=records, checkpoint=checkpoint, scope=Scope(as_of=now, rows=len(rows)), raw=reply.raw)

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        local = moment.astimezone(ZoneInfo(self.options.zone))
        return Checkpoint(value={"changed_since": local.strftime(STAMP), "bookmark": None})

    def _stock(self, position: dict[str, Any]) -> Iterator[Batch]:
        """Pages from ``position``, which names the bookmark of the next one while a read is under way."""
        trail = Trail(f"{self.context.connection.id} ReadStock")
        while True:
            try:
                batch = self._page(position)
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

    def _page(self, position: Mapping[str, Any]) -> Batch:
        bookmark = position.get("bookmark")
        reply = self.soap.call("ReadStock", self._where(position))
        # The first page's: what was booked while later pages were read is seen by the next read.
        as_of = position.get("as_of") or self._checked(reply.value["asOf"])
        following = reply.value.get("nextBookmark")
        here = f"{reply.url}#ReadStock{'/' + bookmark if bookmark else ''}"
        rows = _rows(reply, "Row")
        records = [
            _record("stock", row, ("ITMREF", "STOFCY"), row.get("UPDDATTIM"), Origin(source=here, line=line))
            for line, row in enumerate(rows, 1)
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

    def _checked(self, stamp: str) -> str:
        try:
            local_time(stamp, STAMP, self.options.zone)
        except ValueError as error:
            raise StopRun(f"{self.context.connection.id}: the asOf of ReadStock is no time: {error}") from None
        return stamp


def _rows(reply: Reply, name: str) -> list[dict[str, Any]]:
    """The repeated element, whether zeep unwrapped the response to a list or not."""
    found = reply.value.get(name) if isinstance(reply.value, dict) else reply.value
    return list(found or [])


def _record(
    object: str, row: dict[str, Any], key: tuple[str, ...], version: str | None, origin: Origin
) -> Record | Refused:
    parts = [str(row.get(name) or "").strip() for name in key]
    for name, part in zip(key, parts, strict=True):
        if not part:
            return Refused(object=object, key=None, data=row, path=name, reason="is empty", origin=origin)
    return Record(object=object, key="|".join(parts), data=row, source_version=version, origin=origin)
