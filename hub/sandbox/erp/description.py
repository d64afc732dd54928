"""The service's WSDL, written from its schemas: every element with a response beside it is an operation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml import etree

NAMESPACE = "urn:maison-omni:erp:stock"
XS = "http://www.w3.org/2001/XMLSchema"
SCHEMAS = ("base", "stock", "articles", "sales", "progress")
WRITTEN_ADDRESS = "http://127.0.0.1/erp/StockService"

_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- Document/literal, SOAP 1.1. Times are the ERP's own: Europe/Paris without an offset, yyyymmddHHMMSS. -->
<wsdl:definitions name="StockService" targetNamespace="{NAMESPACE}"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="{XS}" xmlns:s="{NAMESPACE}">
  <wsdl:types>%(types)s</wsdl:types>
%(messages)s
  <wsdl:message name="Error"><wsdl:part name="error" element="s:ErpError"/></wsdl:message>
  <wsdl:portType name="StockPort">
%(operations)s
  </wsdl:portType>
  <wsdl:binding name="StockBinding" type="s:StockPort">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
%(bound)s
  </wsdl:binding>
  <wsdl:service name="StockService">
    <wsdl:port name="StockPort" binding="s:StockBinding"><soap:address location="{WRITTEN_ADDRESS}"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>
"""
_MESSAGES = """\
  <wsdl:message name="{0}In"><wsdl:part name="parameters" element="s:{0}"/></wsdl:message>
  <wsdl:message name="{0}Out"><wsdl:part name="parameters" element="s:{0}Response"/></wsdl:message>"""
_OPERATION = """\
    <wsdl:operation name="{0}">
      <wsdl:input message="s:{0}In"/><wsdl:output message="s:{0}Out"/><wsdl:fault name="Error" message="s:Error"/>
    </wsdl:operation>"""
_BOUND = f"""\
    <wsdl:operation name="{{0}}">
      <soap:operation soapAction="{NAMESPACE}/{{0}}"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
      <wsdl:fault name="Error"><soap:fault name="Error" use="literal"/></wsdl:fault>
    </wsdl:operation>"""


def wsdl(address: str) -> bytes:
    """The description with ``address`` as the place to call."""
    return _written().replace(WRITTEN_ADDRESS, address).encode()


@cache
def operations() -> tuple[str, ...]:
    """The names of all operations, in the order of the schemas."""
    names = [str(element.get("name")) for element in _types().findall(f"{{{XS}}}element")]
    return tuple(name for name in names if f"{name}Response" in names)


@cache
def schema() -> Any:
    """What checks requests and answers."""
    from lxml import etree

    return etree.XMLSchema(_types())


def parser() -> Any:
    """For XML from outside: no entities, no network."""
    from lxml import etree

    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@cache
def _written() -> str:
    from lxml import etree

    parts = {"messages": _MESSAGES, "operations": _OPERATION, "bound": _BOUND}
    filled = {name: "\n".join(part.format(operation) for operation in operations()) for name, part in parts.items()}
    return _HEAD % {"types": etree.tostring(_types(), encoding="unicode"), **filled}


@cache
def _types() -> etree._Element:
    """One schema of all files: their ``xs:include`` is for whoever reads them in an editor."""
    from lxml import etree

    whole = etree.Element(f"{{{XS}}}schema", nsmap={"xs": XS, "s": NAMESPACE})
    whole.set("targetNamespace", NAMESPACE)
    whole.set("elementFormDefault", "qualified")
    for name in SCHEMAS:
        whole.extend(_parts(name))
    return whole


def _parts(name: str) -> Iterator[etree._Element]:
    from lxml import etree

    text = files("hub.sandbox.erp").joinpath("schema", f"{name}.xsd").read_bytes()
    for part in list(etree.fromstring(text, parser())):
        if part.tag != f"{{{XS}}}include" and isinstance(part.tag, str):
            yield part
