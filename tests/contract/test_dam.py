"""The connector dam against the sandbox's library."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from contract.suite import Context, SourceContract, build, context_of
from support.loopback import Say, Server, serving

from hub.errors import Reject, StopRun
from hub.model import Record, Refused
from hub.sandbox.pictures import draw

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class TestAssets(SourceContract):
    folder, system, object = "dam", "dam", "assets"

    def test_every_picture_is_read_with_its_checksum(self, connector: Any, retailer: Any):
        found = {one.key.upper(): one.data for batch in self.read(connector) for one in batch.records}
        pictures = [p for style in retailer.assortment.products for p in retailer.assortment.pictures(style)]
        assert {p.asset: p.sha256 for p in pictures}.items() <= {
            key: data["renditions"]["web"]["sha256"] for key, data in found.items()
        }.items()
        assert len(found) == len(pictures) + 4

    def test_pages_come_in_the_order_of_their_changes(self, connector: Any):
        versions = [one.source_version for batch in self.read(connector) for one in batch.records]
        assert versions == sorted(versions)

    def test_only_what_changed_is_read_the_next_time(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(minutes=10)
        hash = retailer.dam.replace("DAM-TS0001-1", draw("sharper", (1, 2, 3)))
        (batch,) = self.read(connector, done)
        (one,) = batch.records
        assert (one.key, one.data["version"]) == ("dam-ts0001-1", 2)
        assert one.data["renditions"]["web"]["sha256"] == hash

    def test_what_changes_while_pages_are_read_comes_with_the_next_read(
        self, connector: Any, retailer: Any, clock: Any
    ):
        pages = connector.read("assets", None)
        next(pages)
        clock.forward(minutes=5)
        retailer.dam.withdraw("DAM-TS0001-1")
        last = list(pages)[-1]
        clock.forward(minutes=5)
        (batch,) = self.read(connector, last.checkpoint)
        assert [(one.key, one.data["status"]) for one in batch.records] == [("dam-ts0001-1", "archived")]

    def test_the_content_of_a_picture_is_fetched_from_its_address(self, connector: Any, retailer: Any):
        (picture, *_) = retailer.assortment.pictures(retailer.assortment.product("NV0121"))
        location = f"/api/v1/assets/{picture.asset.lower()}/renditions/web"
        data = connector.fetch({"asset": picture.asset, "location": location})
        assert sha256(data).hexdigest() == picture.sha256

    def test_what_is_no_image_and_what_was_swapped_are_given_out_as_they_are(self, connector: Any):
        """The engine judges content; the library does not know."""
        html = connector.fetch({"location": "/api/v1/assets/dam-ch0019-9/renditions/web"})
        assert html.startswith(b"<!DOCTYPE html>")
        swapped = connector.fetch({"location": "/api/v1/assets/dam-pu0021-9/renditions/web"})
        said = {one.key: one.data["renditions"]["web"]["sha256"] for b in self.read(connector) for one in b.records}
        assert sha256(swapped).hexdigest() != said["dam-pu0021-9"]

    @pytest.mark.parametrize(
        "location", ["https://elsewhere.example/x.png", "//elsewhere.example/x", "/secret", "", None]
    )
    def test_an_address_elsewhere_is_refused(self, connector: Any, location: Any):
        with pytest.raises(Reject, match="no address of this library"):
            connector.fetch({"location": location})

    def test_a_picture_that_is_gone_is_refused(self, connector: Any):
        with pytest.raises(Reject, match="no longer has /api/v1/assets/dam-x-1"):
            connector.fetch({"location": "/api/v1/assets/dam-x-1/renditions/web"})

    def test_a_picture_that_is_too_large_is_refused(self, sandbox: Any):
        connector = build("dam", context_of(sandbox, "dam"), largest="100B")
        with pytest.raises(Reject, match="at most 100 are fetched"):
            connector.fetch({"location": "/api/v1/assets/dam-ts0001-1/renditions/original"})

    def test_a_read_from_a_moment_brings_what_changed_since(self, connector: Any, retailer: Any, clock: Any):
        clock.forward(days=1)
        retailer.dam.withdraw("DAM-JN0002-1")
        since = connector.rewind("assets", clock.now().replace(hour=9))
        assert [one.key for batch in self.read(connector, since) for one in batch.records] == ["dam-jn0002-1"]


# --- a library that misbehaves --------------------------------------------------------------------


def at(server: Server) -> Any:
    clock = type("Now", (), {"now": staticmethod(lambda: NOW)})()
    return build("dam", Context(system="dam", connection=server.connection, clock=clock))


def library(*answers: Say) -> Any:
    return serving(answers, id="dam", password="token-0815")


def page(*assets: Any, following: str | None = None, as_of: Any = "2026-11-22T10:00:00Z") -> Say:
    return Say(body={"assets": list(assets), "next_cursor": following, "as_of": as_of})


def test_an_asset_without_id_or_time_is_refused_alone():
    good = {"id": "a", "updated_at": "2026-11-22T09:00:00.000Z"}
    with library(page({"id": "b"}, "c", {"id": "d", "updated_at": "today"}, good)) as server:
        (batch,) = at(server).read("assets", None)
    assert [type(one) for one in batch.records] == [Refused, Refused, Refused, Record]


def test_a_cursor_that_leads_back_stops_the_reading():
    with library(page(following="again")) as server, pytest.raises(StopRun, match="leads back"):
        list(at(server).read("assets", None))


@pytest.mark.parametrize("as_of", [None, "today", "2026-11-22T10:00:00"])
def test_an_as_of_that_is_no_time_stops_the_run(as_of: Any):
    with library(page(as_of=as_of)) as server, pytest.raises(StopRun, match="as_of of a page is no time"):
        list(at(server).read("assets", None))


def test_an_answer_that_is_no_page_stops_the_run():
    with library(Say(body=b"[]")) as server, pytest.raises(StopRun, match="no page of assets"):
        list(at(server).read("assets", None))
