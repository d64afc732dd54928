"""SOAP: descriptions are read offline, answers are read safely, faults say what happens next."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.loopback import Heard, Say, serving

from hub.connector import Connection
from hub.errors import ConfigError, HubError, StopRun, TryLater, Unknown
from hub.transport.effects import Effect
from hub.transport.http import Http
from hub.transport.retry import instant
from hub.transport.soap import Soap

SAGE = Path(__file__).parents[3] / "shared/real/sage_x3_CAdxWebServiceXmlCC.offline.wsdl"

WSDL = """<?xml version="1.0"?>
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
  <w:types><xs:schema targetNamespace="urn:t" elementFormDefault="qualified">IMPORT
    <xs:element name="Ask"><xs:complexType><xs:sequence>
      <xs:element name="word" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="Told"><xs:complexType><xs:sequence>
      <xs:element name="word" type="xs:string"/><xs:element name="other" type="xs:string" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:schema></w:types>
  <w:message name="in"><w:part name="parameters" element="t:Ask"/></w:message>
  <w:message name="out"><w:part name="parameters" element="t:Told"/></w:message>
  <w:portType name="P"><w:operation name="Ask"><w:input message="t:in"/><w:output message="t:out"/></w:operation>
  </w:portType>
  <w:binding name="B" type="t:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="Ask"><soap:operation soapAction="ask"/>
      <w:input><soap:body use="literal"/></w:input><w:output><soap:body use="literal"/></w:output></w:operation>
  </w:binding>
  <w:service name="S"><w:port name="P" binding="t:B">
    <soap:address location="http://erp.internal:8124/service"/></w:port></w:service>
</w:definitions>
"""
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
TOLD = '<Told xmlns="urn:t"><word> padded  word </word></Told>'


def envelope(content: str) -> bytes:
    return ENVELOPE.format(content).encode()


def fault(code: str, text: str = "no", detail: str = "") -> bytes:
    return envelope(
        f"<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail></s:Fault>"
    )


def service(*answers: Say, wsdl: str = WSDL.replace("IMPORT", "")):
    left = list(answers)

    def script(heard: Heard) -> Say:
        if heard.method == "GET":
            return Say(body=wsdl.encode(), headers={"Content-Type": "text/xml"})
        return left.pop(0) if len(left) > 1 else left[0]

    return serving(script, id="erp")


def soap(connection: Connection, **options: object) -> Soap:
    return Soap(Http(connection), "/service?wsdl", **options)  # type: ignore[arg-type]


@pytest.mark.skipif(not SAGE.exists(), reason="the folder with real interface descriptions is not here")
@pytest.mark.parametrize("location", [' schemaLocation="soap-encoding.xsd"', ""])
def test_a_real_rpc_encoded_description_loads_without_the_network(tmp_path: Path, location: str):
    """Also as Sage ships it, where the import of the encoding schema names no place."""
    text = SAGE.read_text().replace(' schemaLocation="soap-encoding.xsd"', location)
    (tmp_path / "sage.wsdl").write_text(text)
    service = Soap(Http(Connection(id="erp")), f"file:{tmp_path / 'sage.wsdl'}")
    assert {"query", "read", "save", "run"} <= service.operations()


@pytest.mark.skipif(not SAGE.exists(), reason="the folder with real interface descriptions is not here")
def test_a_call_to_a_real_rpc_encoded_service_is_understood_both_ways():
    """The array type of the encoding schema carries the keys there and the messages back."""
    answer = envelope(
        '<x:queryResponse xmlns:x="http://www.adonix.com/WSS"><queryReturn><messages/><resultXml>&lt;RESULT/&gt;'
        "</resultXml><status>1</status></queryReturn></x:queryResponse>"
    )
    with serving(Say(body=answer), id="erp") as server:
        service = Soap(Http(server.connection), f"file:{SAGE}")
        key = service.make("{http://www.adonix.com/WSS}CAdxParamKeyValue", key="ITMREF", value="TS0001")
        keys = service.make("{http://www.adonix.com/WSS}ArrayOfCAdxParamKeyValue", [key])
        context = {"codeLang": "FRA", "poolAlias": "X3"}
        arguments = {"callContext": context, "publicName": "ITM", "objectKeys": keys, "listSize": 10}
        reply = service.call("query", arguments)
    assert (reply.value["status"], reply.value["resultXml"]) == (1, "<RESULT/>")
    assert server.heard[0].path.endswith("CAdxWebServiceXmlCC")
    assert b"TS0001" in server.heard[0].body


def test_values_arrive_as_they_were_sent_with_the_bytes_they_came_in():
    with service(Say(body=envelope(TOLD))) as server:
        reply = soap(server.connection).call("Ask", {"word": "x"})
    assert reply.value == {"word": " padded  word ", "other": None}
    assert reply.raw == envelope(TOLD)


def test_the_address_in_the_description_is_taken_for_its_path_only():
    with service(Say(body=envelope(TOLD))) as server:
        assert soap(server.connection).call("Ask", {"word": "x"}).url == server.connection.url + "/service"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"this is no WSDL", "cannot be read"),
        (b"<html/>", "describes no SOAP service"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + WSDL.replace("IMPORT", "").encode()[21:], "cannot be read"),
    ],
)
def test_a_description_that_cannot_be_read_is_named(body: bytes, sentence: str):
    with serving(Say(body=body), id="erp") as server, pytest.raises(ConfigError, match=sentence) as caught:
        soap(server.connection).operations()
    assert caught.value.place == server.connection.url + "/service?wsdl"


def test_a_description_that_is_not_there_is_named():
    with serving(Say(404), id="erp") as server, pytest.raises(ConfigError, match="nothing at"):
        soap(server.connection).operations()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [("http://elsewhere.example/types.xsd", "network"), ("file:///etc/hostname", "outside its own place")],
)
def test_a_description_that_wants_the_network_or_our_files_is_refused(place: str, sentence: str):
    wsdl = WSDL.replace("IMPORT", f'<xs:import namespace="urn:e" schemaLocation="{place}"/>')
    with service(Say(), wsdl=wsdl) as server, pytest.raises(ConfigError, match=sentence):
        soap(server.connection).operations()


@pytest.mark.parametrize(
    ("body", "effect", "expected"),
    [
        (fault("soap:Server"), Effect.NONE, TryLater),
        (fault("soap:Server"), Effect.ONCE, Unknown),
        (fault("soap:Client", "changedSince is not a date"), Effect.NONE, StopRun),
        (fault("soap:Server", detail="<code>E-4711</code>"), Effect.NONE, TryLater),
        (fault("soap:Server", detail="<code>E-4711</code>"), Effect.ONCE, Unknown),
        (fault("BUSY"), Effect.NONE, TryLater),
        (fault("soap:Client", detail="<code>BUSY</code>"), Effect.ONCE, TryLater),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_says_what_happens_next(body: bytes, effect: Effect, expected: type[HubError], status: int):
    faults = {"BUSY": lambda sentence: TryLater(sentence, delay=1)}
    with service(Say(status, body)) as server, instant(), pytest.raises(expected, match="Ask failed with"):
        soap(server.connection, faults=faults).call("Ask", {"word": "x"}, effect=effect)


def test_a_busy_service_is_asked_again():
    faults = {"BUSY": lambda sentence: TryLater(sentence, delay=1)}
    with service(Say(500, fault("BUSY")), Say(body=envelope(TOLD))) as server, instant() as pauses:
        soap(server.connection, faults=faults).call("Ask", {"word": "x"})
    assert 1 <= pauses[0] < 1.2


def test_an_error_page_is_no_fault():
    with service(Say(500, b"<html>oops</html>")) as server, instant(), pytest.raises(TryLater, match="HTTP 500"):
        soap(server.connection).call("Ask", {"word": "x"})


def test_a_wrong_password_stops_the_run():
    with service(Say(401)) as server, pytest.raises(StopRun, match="refused the sign-in"):
        soap(server.connection).call("Ask", {"word": "x"})


def test_an_answer_with_a_document_type_is_refused():
    bomb = b'<!DOCTYPE a [<!ENTITY b "boom">]>' + envelope(TOLD.replace("padded", "&b;"))
    with service(Say(body=bomb)) as server, pytest.raises(StopRun, match="document type"):
        soap(server.connection).call("Ask", {"word": "x"})


SLOPPY = '<Told xmlns="urn:t"><other>b</other><word>a</word></Told>'


def test_a_server_that_is_less_exact_is_read_only_when_asked_for():
    with service(Say(body=envelope(SLOPPY))) as server:
        with pytest.raises(StopRun, match="strict: false"):
            soap(server.connection).call("Ask", {"word": "x"})
        assert soap(server.connection, strict=False).call("Ask", {"word": "x"}).value["word"] == "a"


def test_what_the_description_does_not_know_is_never_sent():
    with service(Say(body=envelope(TOLD))) as server:
        with pytest.raises(ConfigError, match="offers no operation Shout"):
            soap(server.connection).call("Shout")
        with pytest.raises(StopRun, match="does not take"):
            soap(server.connection).call("Ask", {"words": "x"})
    assert [request.method for request in server.heard] == ["GET"] * len(server.heard)
