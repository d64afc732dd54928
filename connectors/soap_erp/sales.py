"""Sales orders into the ERP: taken once by our reference, found by it, revised, returned and cancelled later.

The ERP keeps no idempotency keys. It refuses a second document of the same reference and a second
return of the same id, and answers by reference what it holds: so a doubtful call is read back, and
sending it again does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.soap_erp import wire
from connectors.soap_erp.pages import rows
from hub.connector import Capability
from hub.errors import HubError, Reject
from hub.model import Binding, Delivery, Done, Doubtful, Receipt, Reference, Rejected, Remote
from hub.transport.effects import Effect
from hub.transport.soap import Soap, TooLarge

DOCUMENTS_A_CALL = 25
RETURNS_A_CALL = 100
REFERENCES_A_CALL = 50
THERE = "ERP-DUP"  # it is there already
_FIELDS = {
    "CUR": "currency", "TOTAMT": "total", "Address/CRY": "ship_to.country", "CUSORDREF": "order",
    "ITMREF": "sku", "AMT": "total", "SITEXT": "location", "RETREF": "id",
}  # fmt: skip
_PLACE = re.compile(r"Line\[(\d+)\]/(\w+)")


class Sales:
    """The ERP as a holder of ``order``."""

    def __init__(self, soap: Soap, zone: str) -> None:
        self.soap = soap
        self.zone = zone

    def capability(self) -> Capability:
        return Capability(batch_size=DOCUMENTS_A_CALL, knows=("order",), fields=wire.FIELDS, read_back=timedelta(0))

    def write(self, deliveries: Sequence[Delivery]) -> Iterator[Receipt]:
        """New documents first, then revisions, returns and cancellations; a receipt for each delivery."""
        writing = Writing(self.soap, self.zone, deliveries)
        writing.documents("ImportSalesDocuments", [one for one in deliveries if one.previous is None])
        writing.documents("ReviseSalesDocuments", [one for one in deliveries if _revised(one)])
        writing.returns([(one, number) for one in deliveries for number in _new_returns(one)])
        writing.cancellations([one for one in deliveries if _cancelled(one)])
        yield from writing.receipts()

    def find(self, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        """What the ERP holds of each order, by its reference."""
        found: dict[Reference, Remote] = {}
        by_key = {one.key: one for one in references}
        keys = list(by_key)
        for start in range(0, len(keys), REFERENCES_A_CALL):
            asked = [{"CUSORDREF": key} for key in keys[start : start + REFERENCES_A_CALL]]
            for held in rows(self.soap.call("ReadSalesDocuments", {"Reference": asked}), "SalesDocument"):
                reference = by_key[held["Document"]["CUSORDREF"]]
                value = wire.value_of(held, reference.value, self.zone)
                binding = Binding(external_id=held["SOHNUM"])
                found[reference] = Remote(value=value, binding=binding, matched="order")
        return found


class Writing:
    """One batch on its way: what was refused or is doubtful, and the ERP's number of each document.

    The first call that fails before anything was sent raises; after that the rest is read back.
    """

    def __init__(self, soap: Soap, zone: str, deliveries: Sequence[Delivery]) -> None:
        self.soap = soap
        self.zone = zone
        self.deliveries = deliveries
        self.ended: dict[str, Receipt] = {}
        self.numbers: dict[str, str] = {}
        self.began = False

    def documents(self, operation: str, deliveries: Sequence[Delivery]) -> None:
        """Whole documents; one that cannot be written down is refused before the call."""
        made = {}
        for one in self._open(deliveries):
            try:
                made[one.key] = wire.document(one.key, one.value, self.zone)
            except Reject as error:
                self.ended[one.key] = Rejected(key=one.key, path=error.path, reason=error.reason)
        self._documents(operation, list(made.values()))

    def _documents(self, operation: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """A call for all of them; what is too large together goes in halves."""
        try:
            self._call(operation, "Document", documents, self._document_result)
        except TooLarge:
            half = len(documents) // 2
            if half:
                self._documents(operation, documents[:half])
                self._documents(operation, documents[half:])
                return
            key = documents[0]["CUSORDREF"]
            reason = "the order is larger than the ERP takes in one message"
            self.ended[key] = Rejected(key=key, path="lines", reason=reason)

    def _document_result(self, one: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        key, refusal = one["CUSORDREF"], result["Refusal"]
        if refusal is None:
            self.numbers[key] = result["NUMBER"]
        elif refusal["CODE"] == THERE:
            self.ended[key] = Doubtful(key=key, reason=f"the ERP holds it already as {result['NUMBER']}")
        else:
            self.ended[key] = _rejected(key, refusal, "")

    def returns(self, wanted: Sequence[tuple[Delivery, int]]) -> None:
        """Returns that the ERP does not hold yet; one that it holds already is as good."""
        made: list[dict[str, Any]] = []
        places: dict[str, str] = {}
        open_ = {one.key for one in self._open(self.deliveries)}
        for one, number in wanted:
            at = f"returns[{number}]"
            if one.key in open_ and (written := self._written(one, at, number)):
                made.append(written)
                places[written["RETREF"]] = at

        def result(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
            refusal = answer["Refusal"]
            if refusal is not None and refusal["CODE"] != THERE:
                at = places[sent["RETREF"]] + "."
                self.ended.setdefault(sent["CUSORDREF"], _rejected(sent["CUSORDREF"], refusal, at))

        for start in range(0, len(made), RETURNS_A_CALL):
            self._call("ImportReturns", "Return", made[start : start + RETURNS_A_CALL], result)

    def _written(self, one: Delivery, at: str, number: int) -> dict[str, Any] | None:
        """A return as the ERP takes it; None, and the order refused, where it cannot be written down."""
        try:
            return {"CUSORDREF": one.key, **wire.return_of(one.value["returns"][number], at)}
        except Reject as error:
            self.ended[one.key] = Rejected(key=one.key, path=error.path, reason=error.reason)
            return None

    def cancellations(self, deliveries: Sequence[Delivery]) -> None:
        """Orders that are to end; one that has left cannot, and says so."""
        made = [{"CUSORDREF": one.key} for one in self._open(deliveries)]

        def result(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
            if (refusal := answer["Refusal"]) is not None:
                reason = f"{refusal['TEXT']} ({refusal['CODE']})"
                self.ended[sent["CUSORDREF"]] = Rejected(key=sent["CUSORDREF"], path="state", reason=reason)

        self._call("CancelSalesDocuments", "Cancellation", made, result)

    def receipts(self) -> Iterator[Receipt]:
        """One for each delivery, in their order."""
        for one in self.deliveries:
            yield self.ended.get(one.key) or Done(key=one.key, remote=self._held(one))

    def _held(self, one: Delivery) -> Remote:
        bound = one.bindings.get("order")
        number = self.numbers.get(one.key)
        value = {name: one.value[name] for name in wire.FIELDS if name in one.value}
        return Remote(value=value, binding=Binding(external_id=number) if number else bound)

    def _open(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        return [one for one in deliveries if one.key not in self.ended]

    def _call(
        self,
        operation: str,
        element: str,
        sent: Sequence[Mapping[str, Any]],
        take: Callable[[Mapping[str, Any], Mapping[str, Any]], None],
    ) -> None:
        """Send all of ``sent`` and hand each its answer; what has no answer is doubtful."""
        if not sent:
            return
        try:
            answers = rows(self.soap.call(operation, {element: list(sent)}, effect=Effect.ONCE), "Result")
        except TooLarge:
            raise
        except HubError as error:
            if not self.began:
                raise
            self._doubt(sent, str(error))
            return
        self.began = True
        by_id = {_identity(answer): answer for answer in answers}
        for one in sent:
            if (answer := by_id.get(_identity(one))) is not None:
                take(one, answer)
            else:
                self._doubt([one], f"the ERP's answer to {operation} does not mention it")

    def _doubt(self, sent: Sequence[Mapping[str, Any]], reason: str) -> None:
        for one in sent:
            self.ended.setdefault(one["CUSORDREF"], Doubtful(key=one["CUSORDREF"], reason=reason))


def _identity(one: Mapping[str, Any]) -> tuple[str, str | None]:
    return one["CUSORDREF"], one.get("RETREF")


def _revised(one: Delivery) -> bool:
    """Whether something else than state and returns has changed since the ERP took it."""
    return one.previous is not None and bool(one.changed & set(wire.ELEMENTS))


def _new_returns(one: Delivery) -> Iterator[int]:
    """The positions of returns that the ERP was not known to hold; its own are there by nature."""
    known = {held["id"] for held in (one.previous or {}).get("returns") or []}
    for number, wanted in enumerate(one.value.get("returns") or []):
        if wanted["id"] not in known and not wanted["id"].startswith(wire.OWN_RETURN):
            yield number


def _cancelled(one: Delivery) -> bool:
    return one.value.get("state") == "cancelled" and (one.previous or {}).get("state") != "cancelled"


def _rejected(key: str, refusal: Mapping[str, str], at: str) -> Rejected:
    """The ERP's sentence, at our name of the field that it means."""
    field = refusal["FIELD"]
    if place := _PLACE.fullmatch(field):
        path = f"lines[{int(place[1]) - 1}].{_FIELDS.get(place[2], place[2])}"
    else:
        path = _FIELDS.get(field, field)
    return Rejected(key=key, path=at + path, reason=f"{refusal['TEXT']} ({refusal['CODE']})")
