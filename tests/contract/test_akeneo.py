"""The connector akeneo against the sandbox's PIM."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from contract.suite import Context, SourceContract, build, context_of
from support.loopback import Heard, Say, Server, serving

from hub.errors import StopRun
from hub.model import Batch, Checkpoint, Record, Refused
from hub.transport.retry import instant

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def records(batches: list[Batch]) -> dict[str, Any]:
    return {one.key: one.data for batch in batches for one in batch.records if isinstance(one, Record)}


def refused(batches: list[Batch]) -> list[Refused]:
    return [one for batch in batches for one in batch.records if isinstance(one, Refused)]


class TestModels(SourceContract):
    folder, system, object = "akeneo", "pim", "product_models"

    def test_every_style_is_read_with_its_axes_and_the_texts_of_one_channel(self, connector: Any, retailer: Any):
        found = records(self.read(connector))
        roots = {code for code, data in found.items() if not data["parent"]}
        assert roots - {"VI0901"} == {style.code for style in retailer.assortment.products}
        style = retailer.assortment.product("TS0001")
        values = found["TS0001"]["values"]
        assert {value["locale"]: value["data"] for value in values["name"]} == {
            "fr_FR": style.title["fr"],
            "en_GB": style.title["en"],
            "de_DE": style.title["de"],
        }
        assert {value["scope"] for value in values["description"]} == {"ecommerce"}
        assert found["TS0001"]["axes"] == ["size", "colour"]

    def test_a_model_below_another_names_the_one_at_the_top(self, connector: Any):
        below = records(self.read(connector))["BA0007-38"]
        assert (below["parent"], below["root"]) == ("BA0007", "BA0007")

    def test_models_that_are_each_others_parent_are_refused_with_the_circle(self, connector: Any):
        one, other = refused(self.read(connector))
        assert {one.key, other.key} == {"CX0901", "CX0902"}
        assert one.path == "parent"
        assert "CX0901" in one.reason
        assert "CX0902" in one.reason


class TestProducts(SourceContract):
    folder, system, object = "akeneo", "pim", "products"

    def test_every_article_names_the_product_at_the_top_of_its_models(self, connector: Any, retailer: Any):
        found = records(self.read(connector))
        skus = {code: style.code for style in retailer.assortment.products for code in style.skus}
        assert {code: data["root"] for code, data in found.items()} == skus

    def test_an_article_over_two_levels_inherits_its_size(self, connector: Any, retailer: Any):
        sku = next(code for code in retailer.assortment.product("BA0007").skus if "-38-" in code)
        data = records(self.read(connector))[sku]
        assert data["parent"] == "BA0007-38"
        assert data["values"]["size"][0]["data"] == "38"

    def test_an_article_carries_its_colours_name_in_every_language(self, connector: Any, retailer: Any):
        data = records(self.read(connector))[retailer.assortment.new_skus[0].code]
        labels = data["values"]["colour"][0]["linked_data"]["labels"]
        assert labels == {"fr_FR": "bleu", "en_GB": "blue", "de_DE": "blau"}

    def test_an_article_below_a_circle_is_refused_and_the_others_are_read(self, connector: Any):
        batches = self.read(connector)
        (one,) = refused(batches)
        assert (one.key, one.path) == ("CX0901-M-BLU", "parent")
        assert "CX0901 > CX0902 > CX0901" in one.reason
        assert len(records(batches)) == 492

    def test_only_what_changed_is_read_the_next_time(self, connector: Any, retailer: Any, clock: Any):
        done = self.read(connector)[-1].checkpoint
        clock.forward(minutes=10)
        retailer.pim.edit("TS0001-S-GRI", "variant_position", None, 9)
        found = records(self.read(connector, done))
        assert found["TS0001-S-GRI"]["values"]["variant_position"][0]["data"] == 9
        assert not [code for code in found if not code.startswith(("TS0001-S-GRI", "NV"))]

    def test_one_large_import_is_not_read_for_ever(self, connector: Any, retailer: Any, clock: Any):
        retailer.state.execute("UPDATE pim_item SET updated = ?", (int(clock.now().timestamp()) - 60,))
        done = self.read(connector)[-1].checkpoint
        assert len(records(self.read(connector, done))) == 492
        clock.forward(hours=2)
        done = self.read(connector, done)[-1].checkpoint
        assert not records(self.read(connector, done))

    def test_what_changed_while_earlier_pages_were_read_is_not_lost(self, sandbox: Any, retailer: Any, clock: Any):
        """Pages come in the order of their keys: an article that had passed and one that is still to come change."""
        connector = build("akeneo", context_of(sandbox, "pim"), page_size=50, overlap="0s")
        pages = connector.read("products", None)
        next(pages)
        clock.forward(minutes=1)
        retailer.pim.edit("BA0007-38-CAM", "variant_position", None, 7)
        clock.forward(minutes=1)
        late = retailer.assortment.product("TS0113").skus[0]
        retailer.pim.edit(late, "variant_position", None, 8)
        last = list(pages)[-1]
        assert "BA0007-38-CAM" in records(list(connector.read("products", last.checkpoint)))

    def test_an_access_token_that_expires_in_the_middle_of_paging_is_renewed(self, sandbox: Any, retailer: Any):
        connector = build("akeneo", context_of(sandbox, "pim"), page_size=100)
        pages = connector.read("products", None)
        found = [next(pages)]
        retailer.pim.expire_tokens()
        found += pages
        assert len(records(found)) == 492
        tokens = [call.summary for call in retailer.ledger.calls("pim") if call.operation == "token"]
        assert tokens == ["password", "refresh_token"]

    def test_a_renamed_option_has_everything_read_again(self, sandbox: Any, retailer: Any, clock: Any):
        connector = build("akeneo", context_of(sandbox, "pim"), watch_options=["colour"])
        done = self.read(connector)[-1].checkpoint
        clock.forward(minutes=10)
        assert len(records(self.read(connector, done))) < 20
        retailer.pim.rename_option("colour", "BLU", "de", "himmelblau")
        found = records(self.read(connector, done))
        assert len(found) == 492
        sku = retailer.assortment.new_skus[0].code
        assert found[sku]["values"]["colour"][0]["linked_data"]["labels"]["de_DE"] == "himmelblau"

    def test_a_read_from_a_moment_brings_what_changed_since(self, connector: Any, retailer: Any, clock: Any):
        clock.forward(days=1)
        retailer.pim.edit("TS0001-S-GRI", "size", None, "S")
        moment = clock.now().replace(hour=9)
        assert set(records(self.read(connector, connector.rewind("products", moment)))) == {"TS0001-S-GRI"}


# --- signing in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [{"username": "nobody", "password": "x"}, {}])
def test_a_user_that_is_missing_or_wrong_is_named(sandbox: Any, extra: dict[str, str]):
    health = build("akeneo", context_of(sandbox, "pim", extra=extra)).check()
    assert not health.ok
    assert "username" in health.detail


def test_a_channel_or_attribute_that_the_pim_does_not_have_is_named(sandbox: Any):
    assert build("akeneo", context_of(sandbox, "pim"), channel="moon").check().detail == 'pim has no channel "moon"'
    health = build("akeneo", context_of(sandbox, "pim"), watch_options=["colour", "taste"]).check()
    assert health.detail == "pim has no attribute taste"


# --- a PIM that misbehaves ------------------------------------------------------------------------

TOKEN = Say(body={"access_token": "access-0815", "expires_in": 3600, "refresh_token": "refresh-0815"})


def pim(answers: Any) -> Any:
    """A PIM whose token endpoint works; ``answers(heard)`` is asked for the rest."""

    def script(heard: Heard) -> Say:
        if heard.path.endswith("/token"):
            return TOKEN
        return answers(heard) if callable(answers) else answers

    user = {"username": "u", "password": "p"}
    return serving(script, id="pim", login="client", password="secret-0815", extra=user)


def at(server: Server, **options: Any) -> Any:
    clock = type("Now", (), {"now": staticmethod(lambda: NOW)})()
    return build("akeneo", Context(system="pim", connection=server.connection, clock=clock), **options)


def page(*items: dict[str, Any], following: str | None = None) -> Say:
    links = {"next": {"href": f"https://elsewhere.example/api/rest/v1/products?{following}"}} if following else {}
    return Say(body={"_links": links, "_embedded": {"items": list(items)}})


def test_a_link_to_another_host_is_followed_on_our_own():
    def answers(heard: Heard) -> Say:
        return page() if "search_after" in heard.query else page(following="search_after=A1&limit=100")

    with pim(answers) as server:
        batches = list(at(server).read("products", None))
    assert [batch.more for batch in batches] == [True, False]
    assert server.heard[-1].query["search_after"] == ["A1"]


def test_a_page_that_leads_back_stops_the_reading():
    with pim(page(following="search_after=A1")) as server, pytest.raises(StopRun, match="leads back"):
        list(at(server).read("products", None))


def test_an_item_without_key_or_time_is_refused_alone():
    good = {"identifier": "A1", "updated": "2026-11-21T15:27:38+00:00", "parent": None}
    with pim(page({"identifier": None, "updated": "x"}, {"identifier": "A2", "updated": "2026-11-21"}, good)) as server:
        (batch,) = at(server).read("products", None)
    assert [getattr(one, "path", one.key) for one in batch.records] == ["identifier", "updated", "A1"]


def test_an_article_whose_model_is_gone_is_refused():
    item = {"identifier": "A1", "updated": "2026-11-21T15:27:38+00:00", "parent": "M1"}
    with pim(lambda heard: Say(404, {"code": 404}) if "product-models" in heard.path else page(item)) as server:
        (batch,) = at(server).read("products", None)
    (one,) = batch.records
    assert isinstance(one, Refused)
    assert one.reason == "the product model M1 does not exist in the PIM"


@pytest.mark.parametrize("code", ["\ud800", "..", "."])
def test_a_model_whose_code_no_address_can_say_is_not_asked_for(code: str):
    """Two dots would lead elsewhere in the PIM, and half a character nowhere."""
    item = {"identifier": "A1", "updated": "2026-11-21T15:27:38+00:00", "parent": code}
    good = {**item, "identifier": "A2", "parent": None}
    with pim(page(item, good)) as server:
        (batch,) = at(server).read("products", None)
    one, other = batch.records
    assert isinstance(one, Refused)
    assert one.reason.endswith(" does not exist in the PIM")
    assert isinstance(other, Record)
    assert {heard.path.rpartition("/v1/")[2] for heard in server.heard if heard.path.startswith("/api/rest")} == {
        "products"
    }


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"items": []}])
def test_an_answer_that_is_not_akeneos_stops_the_run(body: Any):
    with pim(Say(body=body)) as server, pytest.raises(StopRun, match=r"pim|/api/rest"):
        list(at(server).read("products", None))


def test_a_limit_is_waited_for_as_long_as_it_says():
    left = [Say(429, {"code": 429, "message": "API Quota exceeded"}, {"Retry-After": "2"})]
    with pim(lambda _: left.pop() if left else page()) as server, instant() as pauses:
        list(at(server).read("products", None))
    assert max(pauses) >= 2


def test_nothing_read_yet_leaves_the_next_read_whole():
    with pim(page()) as server:
        (batch,) = at(server).read("products", None)
        list(at(server).read("products", batch.checkpoint))
    assert batch.checkpoint == Checkpoint(value={**batch.checkpoint.value, "updated": None, "cursor": None})
    assert "search" not in server.heard[-1].query
