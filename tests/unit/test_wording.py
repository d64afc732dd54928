"""Values in words: a line of a trace says what a person needs and not more."""

from __future__ import annotations

import pytest

from hub.flow.wording import brief, changes, short

PRODUCT = {
    "product": "TS0001",
    "title": {"fr": "Robe d'été", "en": "Summer dress", "de": "Sommerkleid"},
    "status": "active",
    "variants": [{"sku": f"TS0001-{size}-BLU", "gtin": "0"} for size in "SMLX"],
    "media": [{"hash": "ab" * 32, "position": 1}],
}


@pytest.fixture(autouse=True)
def no_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"quantity": 4}, "quantity 4"),
        ({"sku": "A", "location": "ST01", "on_hand": 4, "unavailable": 0}, "on hand 4, unavailable 0"),
        ({"fr": "Robe", "en": "Dress"}, '"Robe" (fr, en)'),
        ([{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}], "2 × A, 1 × B"),
        ([{"id": "R1", "amount": "5.00", "lines": [{"sku": "A"}]}], "R1 amount 5.00"),
        ({"refunds": [], "cancelled": False}, "cancelled False"),
        (["size", "colour"], "size, colour"),
        ("x" * 100, "x" * 59 + "…"),
        (None, ""),
    ],
)
def test_a_value_is_said_in_a_line(value: object, said: str) -> None:
    assert brief(value) == said


def test_a_product_is_said_by_one_language_its_articles_and_its_pictures() -> None:
    said = brief(PRODUCT)
    assert 'title "Robe d\'été" (fr, en, de)' in said
    assert "variants [TS0001-S-BLU, TS0001-M-BLU, TS0001-L-BLU, TS0001-X-BLU]" in said
    assert "media [picture abababababab]" in said


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert brief([{"sku": f"S{n}"} for n in range(10)]).endswith("S5 and 4 more")


def test_what_differs_in_a_large_value_is_all_that_is_said() -> None:
    after = {**PRODUCT, "title": {"fr": "Robe"}, "status": "draft"}
    assert changes(PRODUCT, after) == 'title "Robe d\'été" (fr, en, de) -> "Robe" (fr), status active -> draft'
    assert changes(PRODUCT, PRODUCT) == "as before"
    assert changes(PRODUCT, {k: v for k, v in PRODUCT.items() if k != "media"}) == "media gone"


def test_a_delivery_is_told_by_what_the_target_holds_after_it() -> None:
    holds = {**PRODUCT, "status": "archived"}
    assert changes(PRODUCT, {"sent": PRODUCT, "generation": 2, "holds": holds}) == "status active -> archived"
    small = changes({"quantity": 4}, {"sent": {"quantity": 5}, "generation": 2, "holds": {"quantity": 5}})
    assert small == "quantity 4 -> sent quantity 5, generation 2, holds quantity 5"


def test_a_text_is_said_in_the_reader_s_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert brief({"de": "Kleid", "en": "Dress"}) == '"Dress" (de, en)'
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    assert brief({"de": "Kleid", "en": "Dress"}) == '"Kleid" (de, en)'


def test_how_often_a_long_value_changed_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert changes(PRODUCT, {**PRODUCT, "status": "draft", "generation": 2}) == "status active -> draft"
    assert "generation" not in changes(None, {**PRODUCT, "generation": 2})


def test_a_reason_is_said_whole() -> None:
    assert short({"because": "x" * 100, "sku": "A"}) == "because " + "x" * 100
