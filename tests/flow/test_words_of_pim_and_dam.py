"""What PIM and DAM say arrives in the journal as it was meant, and what is wrong with it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.scene import Scene, scene

from hub.errors import Reject
from hub.sandbox.dam.shelf import NOT_AN_IMAGE, WITHDRAWN, WRONG_CHECKSUM
from hub.sandbox.pictures import draw

LANDSCAPE = """
retailer: {name: Maison Omni, zone: Europe/Paris, currency: EUR}
systems:
  pim:
    connector: akeneo
    connection: pim
    options: {watch_options: [brand, colour]}
    budget: {calls: 100, per_second: 100}
  dam: {connector: dam, connection: dam, budget: {calls: 20, per_second: 20}}
authority:
  product: {title: pim, description: pim, material: pim, brand: pim, category: pim, axes: pim, options: pim,
            position: pim, product: pim, media: dam}
flows:
  product:
    sources: {pim: {every: 5m}, dam: {every: 5m}}
"""


class Said(Scene):
    """The scene with PIM and DAM alone."""

    def read(self, seconds: float = 1) -> dict[str, Any]:
        """Time passes, then both are read; the counts of each."""
        self.clock.forward(seconds=seconds)
        with self.engine() as engine:
            return {system: engine.ingest("product", system).counts for system in ("pim", "dam")}

    def states(self, object: str) -> dict[str, dict[str, Any]]:
        return dict(self.query("SELECT key, data FROM source_state WHERE object = %s", object))

    def refused(self) -> dict[str, str]:
        return dict(self.query("SELECT source_key, reason FROM quarantine WHERE state = 'open'"))


@pytest.fixture
def said(open_tmp: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    with scene(open_tmp, database, monkeypatch) as made:
        made.__class__ = Said
        (made.project / "hub.yaml").write_text(LANDSCAPE, encoding="utf-8")
        yield made  # type: ignore[misc]


def test_every_product_arrives_in_three_languages(said: Said) -> None:
    said.read()
    found = said.states("product")
    for style in said.retailer.assortment.products:
        product = found.pop(style.code)
        for field in ("title", "description", "material"):
            assert product[field] == dict(getattr(style, field)), (style.code, field)
        assert (product["brand"], product["category"]) == (style.brand, style.category)
        assert product["axes"] == list(style.axes)
    assert set(found) == {"VI0901"}


def test_every_article_arrives_with_its_options_and_its_place(said: Said) -> None:
    said.read()
    assortment, found = said.retailer.assortment, said.states("variant")
    for style in assortment.products:
        for position, code in enumerate(style.skus, 1):
            colour = dict(assortment.colour_texts[code.rsplit("-", 1)[1]])
            options = {"size": assortment.sku(code).size, "colour": colour}
            expected = {"sku": code, "product": style.code, "options": options, "position": position}
            assert found.pop(code) == expected
    assert not found


def test_every_picture_arrives_with_its_checksum_and_what_it_shows(said: Said) -> None:
    said.read()
    assortment, found = said.retailer.assortment, said.states("media")
    for style in assortment.products:
        for picture in assortment.pictures(style):
            media = found.pop(picture.asset)
            assert (media["product"], media["hash"], media["position"]) == (
                style.code,
                picture.sha256,
                picture.position,
            )
            assert (media["skus"], media["alt"]) == (list(picture.skus), dict(picture.alt))
    odd = {f"DAM-{product}-{n}" for product, n in (NOT_AN_IMAGE, WRONG_CHECKSUM, WITHDRAWN)}
    assert set(found) == odd
    assert [key for key, media in found.items() if media["withdrawn"]] == ["DAM-JN0010-8"]


def test_a_circle_of_parents_is_refused_with_a_sentence_and_the_rest_goes_on(said: Said) -> None:
    counts = said.read()
    found = said.refused()
    assert set(found) == {"CX0901", "CX0902", "CX0901-M-BLU"}
    assert all("the product models are each other's parent" in reason for reason in found.values())
    assert counts["pim"]["quarantined"] == 3


def test_the_second_reading_brings_nothing_new(said: Said) -> None:
    said.read()
    counts = said.read(seconds=600)
    assert [counts[system].get("changed", 0) for system in ("pim", "dam")] == [0, 0]


def test_an_edit_reaches_the_journal_with_the_next_reading(said: Said) -> None:
    said.read()
    said.clock.forward(minutes=10)
    said.retailer.pim.edit("TS0001", "name", "de", "Herbst-T-Shirt ✨")
    said.retailer.pim.edit("NV0122", "name", "de", "Jeans aus Rohdenim Zoé")
    picture = draw("sharper", (1, 2, 3))
    hash = said.retailer.dam.replace("DAM-TS0001-1", picture)
    counts = said.read()
    assert said.states("product")["TS0001"]["title"]["de"] == "Herbst-T-Shirt ✨"
    assert said.states("product")["NV0122"]["title"]["de"] == "Jeans aus Rohdenim Zoé"
    assert said.states("media")["DAM-TS0001-1"]["hash"] == hash
    assert [counts[system]["changed"] for system in ("pim", "dam")] == [2, 1]


def test_a_renamed_colour_reaches_every_article_that_has_it(said: Said) -> None:
    said.read()
    said.clock.forward(minutes=10)
    said.retailer.pim.rename_option("colour", "BLU", "de", "himmelblau")
    said.read()
    for code, variant in said.states("variant").items():
        expected = "himmelblau" if code.endswith("-BLU") else None
        assert expected is None or variant["options"]["colour"]["de"] == expected, code


def test_the_content_of_a_picture_is_what_its_record_says(said: Said) -> None:
    said.read()
    (picture, *_) = said.retailer.assortment.pictures(said.retailer.assortment.product("NV0121"))
    with said.engine() as engine:
        content = engine.content(picture.sha256)
        assert (content.data, content.mime, content.name) == (picture.png, "image/png", "dam-nv0121-1.png")


@pytest.mark.parametrize(
    ("asset", "sentence"),
    [("DAM-CH0019-9", "DAM-CH0019-9 in dam is not an image"), ("DAM-PU0021-9", "DAM-PU0021-9 in dam has the content")],
)
def test_a_picture_that_is_none_or_another_is_refused_with_its_name(said: Said, asset: str, sentence: str) -> None:
    said.read()
    hash = said.states("media")[asset]["hash"]
    with said.engine() as engine, pytest.raises(Reject, match=sentence):
        engine.content(hash)


def test_a_token_that_expires_between_two_pages_is_no_event(said: Said) -> None:
    """The PIM forgets every access token while the first page of many is being kept."""
    said.rewrite("options: {watch_options: [brand, colour]}", "options: {page_size: 100}")
    with said.engine() as engine:
        reading = engine.systems["pim"].read("products", None)  # type: ignore[attr-defined]
        first = next(reading)
        said.retailer.pim.expire_tokens()
        assert len(first.records) + sum(len(batch.records) for batch in reading) == 493
