"""SOAP 1.1 as the ERP speaks it: envelopes in and out, requests checked against the WSDL's own schema."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml import etree

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
STOCK = "urn:maison-omni:erp:stock"
XS = "http://www.w3.org/2001/XMLSchema"
WRITTEN_ADDRESS = "http://127.0.0.1/erp/StockService"
_CHECKING = threading.Lock()  # a schema object has one error log for all threads


class Fault(Exception):
    """A refusal as a SOAP fault, which travels with HTTP 500."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


def wsdl(address: str) -> bytes:
    """The service's description with ``address`` as the place to call."""
    return _wsdl_text().replace(WRITTEN_ADDRESS, address).encode()


@cache
def _wsdl_text() -> str:
    return files("hub.sandbox.erp").joinpath("StockService.wsdl").read_text(encoding="utf-8")


@cache
def _schema() -> Any:
    from lxml import etree

    types = etree.fromstring(_wsdl_text().encode(), _parser()).find(f".//{{{XS}}}schema")
    return etree.XMLSchema(types)


def _parser() -> Any:
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def request(body: bytes) -> tuple[str, dict[str, str]]:
    """Operation and arguments of an envelope; a :class:`Fault` for anything the WSDL does not allow."""
    from lxml import etree

    try:
        envelope = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        raise Fault("soap:Client", f"the request is not XML: {error.msg}") from None
    if envelope.getroottree().docinfo.doctype:
        raise Fault("soap:Client", "a document type declaration is not allowed")
    return _operation(envelope)


def _operation(envelope: etree._Element) -> tuple[str, dict[str, str]]:
    from lxml import etree

    if envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise Fault("soap:VersionMismatch", "the request is not a SOAP 1.1 envelope")
    parts = [part for part in envelope.findall(f"{{{ENVELOPE}}}Body/*") if isinstance(part.tag, str)]
    if len(parts) != 1:
        raise Fault("soap:Client", f"the body holds {len(parts)} elements instead of one operation")
    _check(etree.fromstring(etree.tostring(parts[0], with_tail=False), _parser()))  # as a root of its own
    name = etree.QName(parts[0]).localname
    if name.endswith("Response") or name == "ErpError":
        raise Fault("soap:Client", f"{name} is an answer, not an operation")
    return name, {etree.QName(child).localname: child.text or "" for child in parts[0] if isinstance(child.tag, str)}


def _check(element: etree._Element) -> None:
    schema = _schema()
    with _CHECKING:
        if not schema.validate(element):
            raise Fault("soap:Client", f"the request does not follow the WSDL: {schema.error_log[0].message}")


Element = tuple[str, "str | list[Element]"]


def answer(operation: str, content: Iterable[Element]) -> bytes:
    """The envelope of ``<operation>Response``; content as (name, text or nested content)."""
    from lxml import etree

    envelope, body = _envelope()
    _fill(etree.SubElement(body, f"{{{STOCK}}}{operation}Response"), content)
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))


def fault(refusal: Fault) -> bytes:
    """The envelope of a fault; the ERP's own codes stand as ``faultcode`` and again in the detail."""
    from lxml import etree

    envelope, body = _envelope()
    element = etree.SubElement(body, f"{{{ENVELOPE}}}Fault")
    for name, text in (("faultcode", refusal.code), ("faultstring", refusal.message)):
        etree.SubElement(element, name).text = text
    error = etree.SubElement(etree.SubElement(element, "detail"), f"{{{STOCK}}}ErpError")
    _fill(error, [("code", refusal.code), ("message", refusal.message)])
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))


def _envelope() -> tuple[etree._Element, etree._Element]:
    from lxml import etree

    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE, "s": STOCK})
    return envelope, etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")


def _fill(parent: etree._Element, content: Iterable[Element]) -> None:
    from lxml import etree

    for name, value in content:
        child = etree.SubElement(parent, f"{{{STOCK}}}{name}")
        if isinstance(value, str):
            child.text = value
        else:
            _fill(child, value)
