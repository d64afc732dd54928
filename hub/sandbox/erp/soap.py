"""SOAP 1.1 as the ERP speaks it: envelopes in and out, requests checked against the WSDL's own schema."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.erp.description import NAMESPACE, operations, parser, schema, wsdl

if TYPE_CHECKING:
    from lxml import etree

__all__ = ["Arguments", "Element", "Fault", "answer", "fault", "request", "wsdl"]

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_CHECKING = threading.Lock()  # a schema object has one error log for all threads


class Fault(Exception):
    """A refusal as a SOAP fault, which travels with HTTP 500."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


Arguments = Mapping[str, Any]  # a text by name, or a list of nested ones where the WSDL has elements inside


def request(body: bytes) -> tuple[str, Arguments]:
    """Operation and arguments of an envelope; a :class:`Fault` for anything the WSDL does not allow."""
    from lxml import etree

    try:
        envelope = etree.fromstring(body, parser())
    except etree.XMLSyntaxError as error:
        raise Fault("soap:Client", f"the request is not XML: {error.msg}") from None
    if envelope.getroottree().docinfo.doctype:
        raise Fault("soap:Client", "a document type declaration is not allowed")
    return _operation(envelope)


def _operation(envelope: etree._Element) -> tuple[str, Arguments]:
    from lxml import etree

    if envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise Fault("soap:VersionMismatch", "the request is not a SOAP 1.1 envelope")
    parts = [part for part in envelope.findall(f"{{{ENVELOPE}}}Body/*") if isinstance(part.tag, str)]
    if len(parts) != 1:
        raise Fault("soap:Client", f"the body holds {len(parts)} elements instead of one operation")
    _check(etree.fromstring(etree.tostring(parts[0], with_tail=False), parser()))  # as a root of its own
    name = etree.QName(parts[0]).localname
    if name not in operations():
        raise Fault("soap:Client", f"{name} is an answer, not an operation")
    return name, _plain(parts[0])


def _plain(element: etree._Element) -> dict[str, Any]:
    """The children by name: text, or a list of objects for those that hold elements themselves."""
    from lxml import etree

    found: dict[str, Any] = {}
    for child in element:
        if not isinstance(child.tag, str):
            continue  # a comment
        name = etree.QName(child).localname
        if any(isinstance(inner.tag, str) for inner in child):
            found.setdefault(name, []).append(_plain(child))
        else:
            found[name] = child.text or ""
    return found


def _check(element: etree._Element) -> None:
    known = schema()
    with _CHECKING:
        if not known.validate(element):
            raise Fault("soap:Client", f"the request does not follow the WSDL: {known.error_log[0].message}")


Element = tuple[str, "str | list[Element]"]


def answer(operation: str, content: Iterable[Element]) -> bytes:
    """The envelope of ``<operation>Response``; content as (name, text or nested content)."""
    from lxml import etree

    envelope, body = _envelope()
    _fill(etree.SubElement(body, f"{{{NAMESPACE}}}{operation}Response"), content)
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))


def fault(refusal: Fault, *, detailed: bool = True) -> bytes:
    """The envelope of a fault; the ERP's own codes stand as ``faultcode`` and again in the detail.

    What runs around the ERP knows no details.
    """
    from lxml import etree

    envelope, body = _envelope()
    element = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    for name, text in (("faultcode", refusal.code), ("faultstring", refusal.message)):
        etree.SubElement(element, name).text = text
    if detailed:
        error = etree.SubElement(etree.SubElement(element, "detail"), f"{{{NAMESPACE}}}ErpError")
        _fill(error, [("code", refusal.code), ("message", refusal.message)])
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))


def _envelope() -> tuple[etree._Element, etree._Element]:
    from lxml import etree

    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE, "s": NAMESPACE})
    return envelope, etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")


def _fill(parent: etree._Element, content: Iterable[Element]) -> None:
    from lxml import etree

    for name, value in content:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)
