"""What a system that we ask may answer: bombs, entities, names that lead away. Refused soon, in words, and not kept."""

from __future__ import annotations

import gzip
import resource
import time
import zlib
from pathlib import Path

import asyncssh
import pytest
from contract.suite import Context
from support.fuzz.vendors import Standing, built
from support.loopback import Heard, Say, serving
from support.sftp import sftp_server

from connectors.akeneo.models import Models
from hub.connector import Connection
from hub.errors import HubError, Reject, StopRun
from hub.transport.files import is_safe
from hub.transport.http import Call, Http, Limits
from hub.transport.retry import instant
from hub.transport.sftp import Sftp
from hub.transport.soap import Soap

MIB = 2**20
BOMB = gzip.compress(b"[" + b" " * 400 * MIB + b"]", compresslevel=9)  # 0.4 MB


def _grown(before: int) -> float:
    """MiB by which the most that this process ever held has grown."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", BOMB), ("deflate", zlib.compress(b" " * 100 * MIB)), ("gzip, gzip", gzip.compress(BOMB))],
    ids=["gzip", "deflate", "gzip of gzip"],
)
def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up_on_the_way(encoding: str, body: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(Say(body=body, headers={"Content-Encoding": encoding})) as server, instant():
        http = Http(server.connection, limits=Limits(size=4 * MIB))
        with pytest.raises(StopRun, match="answered with more than 4194304 bytes"):
            http.send(Call(path="/"))
        http.close()
    assert _grown(before) < 80


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip", ", ".join(["gzip"] * 9), "evil"])
def test_an_encoding_that_is_not_what_it_says_is_no_answer(encoding: str) -> None:
    with serving(Say(body=b"\x00garbage", headers={"Content-Encoding": encoding})) as server, instant():
        http = Http(server.connection)
        with pytest.raises(HubError):
            http.send(Call(path="/")).json()
        http.close()


# --- XML -------------------------------------------------------------------------------------------

WSDL = (Path(__file__).parents[1] / "unit/test_transport_soap.py").read_text(encoding="utf-8")
WSDL = WSDL.partition('WSDL = """')[2].partition('"""')[0].replace("IMPORT", "")
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
TOLD = '<Told xmlns="urn:t"><word>{}</word></Told>'
LAUGHS = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
XML = {
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY a "ha">{LAUGHS}]>' + ENVELOPE.format(TOLD.format("&j;")),
    "a quadratic one": f'<!DOCTYPE x [<!ENTITY a "{"h" * 100_000}">]>' + ENVELOPE.format(TOLD.format("&a;" * 20_000)),
    "a file of ours": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + ENVELOPE.format(TOLD.format("&a;")),
    "an address": '<!DOCTYPE x [<!ENTITY a SYSTEM "ADDRESS/fetched">]>' + ENVELOPE.format(TOLD.format("&a;")),
    "a parameter": '<!DOCTYPE x [<!ENTITY % a SYSTEM "ADDRESS/fetched"> %a;]>' + ENVELOPE.format(TOLD.format("1")),
    "a document type elsewhere": '<!DOCTYPE x SYSTEM "ADDRESS/fetched">' + ENVELOPE.format(TOLD.format("1")),
    "depth": ENVELOPE.format("<a>" * 100_000 + "</a>" * 100_000),
    "names without end": ENVELOPE.format("<" + "a" * MIB + "/>"),
    "attributes without end": ENVELOPE.format("<a " + " ".join(f'b{n}="1"' for n in range(50_000)) + "/>"),
    "an element included": ENVELOPE.format(
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    ),
    "no XML": "\x00\x01\x02",
}


@pytest.mark.parametrize("where", ["answer", "description"])
@pytest.mark.parametrize("case", XML)
def test_xml_that_attacks_is_refused_soon_and_fetches_nothing(case: str, where: str) -> None:
    heard: list[str] = []

    def script(request: Heard) -> Say:
        heard.append(request.path)
        attack = XML[case].replace("ADDRESS", f"http://{request.headers['host']}").encode()
        asked_for = "description" if request.method == "GET" else "answer"
        return Say(body=attack if asked_for == where else WSDL.encode(), headers={"Content-Type": "text/xml"})

    started = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(script, id="erp") as server, instant():
        soap = Soap(Http(server.connection), "/service?wsdl")
        try:
            said = str(soap.call("Ask", {"word": "x"}).value)
        except HubError as refusal:
            said = str(refusal)
        else:
            assert case == "an element included"  # it is an element that nobody knows, and stays one
        soap.http.close()
    assert "root:" not in said
    assert "/fetched" not in heard
    assert time.process_time() - started < 5
    assert _grown(before) < 200


def test_a_model_that_is_its_own_parent_by_a_number_is_no_endless_way() -> None:
    models = Models(None)  # type: ignore[arg-type]  # nobody is asked: the model came by
    models.know([{"code": "7", "parent": 7}])
    with pytest.raises(Reject, match="each other's parent: 7 > 7"):
        models.root("7")


# --- names -----------------------------------------------------------------------------------------


def test_names_of_a_listing_that_lead_away_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "../../etc/passwd.csv",
        "/etc/passwd.csv",
        "a/../b.csv",
        "x\x00.csv",
        "x\r\n.csv",
        ".hidden.csv",
        "GOOD.csv",
    ]

    async def scandir(self: object, path: bytes) -> object:
        for name in names:
            yield asyncssh.SFTPName(name.encode(), attrs=asyncssh.SFTPAttrs(size=1, permissions=0o100644, mtime=1))

    with sftp_server(tmp_path) as store:
        monkeypatch.setattr(asyncssh.SFTPServer, "scandir", scandir)
        sftp = Sftp(store.connection)
        found = [entry.name for entry in sftp.list("/")]
        sftp.close()
    assert "../../etc/passwd.csv" in found
    assert [name for name in found if is_safe(name)] == ["GOOD.csv"]


@pytest.mark.parametrize(
    "location",
    [
        "/api/v1/../../admin/keys", "/api/v1/%2e%2e/%2E%2e/admin", "/api/v1/..\\admin", "/api/v1/..", "", "/api/v2/x",
        "/api/v1/a\r\nX-Evil: 1", "/api/v1/\x00", "/api/v1/\ud800", "//evil.example/api/v1/x",
        "http://evil.example/api/v1/x",
    ],
)  # fmt: skip
def test_an_address_of_a_picture_stays_in_its_library(location: str) -> None:
    with serving(Say(body=b"secret")) as server:
        connection = Connection(id="dam", port=server.connection.port, password="p")
        dam = built("dam", Context(system="dam", connection=connection, clock=Standing()), None)
        with pytest.raises(Reject, match="is no address of this library"):
            dam.fetch({"location": location})
    assert server.heard == []
