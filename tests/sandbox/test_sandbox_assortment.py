"""What the retailer sells: styles, their words in three languages, their pictures."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime

import pytest

from hub.sandbox.assortment import Assortment
from hub.sandbox.pictures import HEIGHT, SIGNATURE, WIDTH
from hub.sandbox.world import World, check_digit


@pytest.fixture(scope="module")
def assortment() -> Assortment:
    return Assortment(World(7, datetime(2026, 11, 22, 10, tzinfo=UTC)))


def test_every_sold_article_belongs_to_one_style_and_three_styles_are_new(assortment):
    sold = [code for style in assortment.products[:120] for code in style.skus]
    assert sold == [sku.code for sku in assortment.world.skus]
    assert [style.code for style in assortment.products[120:]] == ["NV0121", "NV0122", "NV0123"]
    assert len(assortment.new_skus) == 12


def test_eans_of_new_articles_are_valid_and_taken_by_no_other(assortment):
    eans = [sku.ean for sku in (*assortment.world.skus, *assortment.new_skus)]
    assert len(set(eans)) == 492
    assert all(check_digit(ean[:12]) == ean[12] for ean in eans)


def test_no_two_styles_share_a_title_in_any_language(assortment):
    for locale in ("fr", "en", "de"):
        titles = [style.title[locale] for style in assortment.products if locale in style.title]
        assert len(set(titles)) == len(titles) >= 122


def test_one_new_style_waits_for_german_and_one_for_the_photographer(assortment):
    complete, german, picture = assortment.products[120:]
    assert set(complete.title) == {"fr", "en", "de"}
    assert assortment.pictures(complete)
    assert set(german.title) == {"fr", "en"}
    assert assortment.pictures(german)
    assert set(picture.title) == {"fr", "en", "de"}
    assert not assortment.pictures(picture)


def test_each_colour_has_its_picture_and_the_last_shows_all_variants(assortment):
    style = assortment.product("TS0001")
    *colours, detail = assortment.pictures(style)
    assert [code for picture in colours for code in picture.skus] == list(style.skus)
    assert detail.skus == ()
    assert [picture.position for picture in (*colours, detail)] == [1, 2, 3]


def test_pictures_are_valid_png_files_and_no_two_are_equal(assortment):
    pictures = [picture for style in assortment.products for picture in assortment.pictures(style)]
    assert len({picture.sha256 for picture in pictures}) == len(pictures) > 300
    assert all(_size(picture.png) == (WIDTH, HEIGHT) for picture in pictures)


def test_another_process_draws_the_same_bytes(assortment):
    again = Assortment(World(7, datetime(2026, 11, 22, 10, tzinfo=UTC)))
    style = assortment.product("JN0002")
    assert [p.sha256 for p in again.pictures(again.product("JN0002"))] == [p.sha256 for p in assortment.pictures(style)]


def _size(png: bytes) -> tuple[int, int]:
    """Width and height, once every chunk's checksum and the length of the pixels have been verified."""
    assert png.startswith(SIGNATURE)
    position, pixels, size = len(SIGNATURE), b"", (0, 0)
    while position < len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        data = png[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", png, position + 8 + length)[0] == zlib.crc32(kind + data)
        size = struct.unpack_from(">II", data) if kind == b"IHDR" else size
        pixels += data if kind == b"IDAT" else b""
        position += length + 12
    assert len(zlib.decompress(pixels)) == size[1] * (1 + 3 * size[0])
    return size
