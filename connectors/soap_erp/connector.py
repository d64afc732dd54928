"""An ERP over SOAP: stock, articles, prices, promotions and the fate of orders out; sales orders in.

The service is described by its WSDL. What is read is read by ``changedSince``, page by page; its times
are naive and in the ERP's own zone. They stay raw here; the mapping knows the zone too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from connectors.soap_erp.options import Options
from connectors.soap_erp.pages import LISTINGS, BookmarkLost, Pages, record, rows
from connectors.soap_erp.sales import Sales
from hub.connector import Capability, Connector, Context
from hub.errors import HubError, StopRun
from hub.model import Batch, Checkpoint, Delivery, Handle, Health, Origin, Receipt, Reference, Remote, Scope
from hub.transport.http import Http, basic_auth
from hub.transport.retry import Limited
from hub.transport.soap import Faults, Soap

if TYPE_CHECKING:
    import requests

BUSY_SECONDS = 1.0
SITES = "sites"
ORDER = "order"
WRITING = ("ImportSalesDocuments", "ReviseSalesDocuments", "CancelSalesDocuments", "ImportReturns")
NEEDED = {"ReadSites", "ReadSalesDocuments", *WRITING, *(listing.operation for listing in LISTINGS.values())}


def _busy(sentence: str) -> Limited:
    return Limited(sentence, delay=BUSY_SECONDS)


FAULTS: Faults = {"ERP-BUSY": _busy, "ERP-BOOKMARK": BookmarkLost}


class SoapErp(Connector):
    """A source of sites, stock, articles, prices, promotions, order status, shipments and returns; takes orders."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        connection = context.connection
        http = Http(connection, budget=context.budget, headers=basic_auth(connection), session=session)
        self.soap = Soap(http, config.wsdl, strict=config.strict, faults=FAULTS)
        self.pages = Pages(self.soap, config, connection.id)
        self.sales = Sales(self.soap, config.zone)

    def check(self) -> Health:
        """Read the description and the sites."""
        try:
            if missing := NEEDED - self.soap.operations():
                return Health(ok=False, detail=f"{self.soap.wsdl} offers no operation {', '.join(sorted(missing))}")
            sites = len(rows(self.soap.call("ReadSites"), "Site"))
        except HubError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, facts={"sites": sites})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """``sites`` whole, all else in pages of what changed since the checkpoint less the overlap."""
        if object == SITES:
            yield self._sites()
        elif object in LISTINGS:
            yield from self.pages.read(object, since)
        else:
            raise StopRun(f"soap_erp reads {SITES}, {', '.join(LISTINGS)}, not {object}")

    def release(self, checkpoint: Checkpoint) -> None:
        """The ERP keeps nothing for us."""

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        return self.pages.rewind(moment)

    def capability(self, object: str) -> Capability:
        _only_orders(object)
        return self.sales.capability()

    def write(self, object: str, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        _only_orders(object)
        yield from self.sales.write(deliveries)

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        _only_orders(object)
        return self.sales.find(references)

    def settle(self, handles: Sequence[Handle]) -> Iterator[Receipt]:
        """The ERP answers at once; nothing is ever under way."""
        return iter(())

    def _sites(self) -> Batch:
        now = self.context.clock.now()
        reply = self.soap.call("ReadSites")
        found = rows(reply, "Site")
        records = [
            record(SITES, row, ("FCY",), None, Origin(source=f"{reply.url}#ReadSites", line=position))
            for position, row in enumerate(found, 1)
        ]
        checkpoint = Checkpoint(value={"read_at": now.isoformat()})
        return Batch(records=records, checkpoint=checkpoint, scope=Scope(as_of=now, rows=len(found)), raw=reply.raw)


def _only_orders(object: str) -> None:
    if object != ORDER:
        raise StopRun(f"soap_erp takes order, not {object}")
