"""RETAIL.md's rules of the complete product, as sentences and as properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.retail.product import Answer, Demands, Known, Word, Words, complete_product, disowned, held_back

OWNERS = {
    **dict.fromkeys(("title", "description", "brand", "category", "axes", "options", "position", "product"), "pim"),
    **dict.fromkeys(("gtin", "active"), "erp"),
    "media": "dam",
}
SHOP = Demands(owners=OWNERS, locales=("fr", "en", "de"))
TITLE = {"fr": "T-shirt", "en": "Tee", "de": "T-Shirt"}
BLUE = {"fr": "bleu", "en": "blue", "de": "blau"}
GTIN = "0360000000001"


def told(*words: tuple[str, dict[str, Any]], refused: str | None = None) -> Words:
    return Words(said=[Word(system=s, data=d) for s, d in words], refused=frozenset([refused] if refused else []))


def variant(sku: str, n: int, **more: Any) -> Words:
    pim = {"sku": sku, "product": "P", "position": n, "options": {"size": sku[-1], "colour": BLUE}, **more}
    return told(("pim", pim), ("erp", {"sku": sku, "product": "P", "gtin": f"{GTIN}{n}", "active": True}))


def picture(asset: str, position: int, hash: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "dam", {"asset": asset, "product": "P", "hash": hash, "position": position, "alt": {"fr": "vue"}, **more}


PIM = {"product": "P", "title": TITLE, "brand": "Omni", "category": "women/tops", "axes": ["size", "colour"]}
P = Known(
    product="P",
    words=told(("pim", {**PIM, "description": {"fr": "Doux."}}), ("erp", {"product": "P", "title": {"fr": "TSHIRT"}})),
    variants={"P-M": variant("P-M", 2), "P-S": variant("P-S", 1)},
    media=told(picture("A2", 7, "bb"), picture("A1", 3, "aa")),
)


def value_of(answer: Answer) -> dict[str, Any]:
    assert answer.value is not None, answer.waits
    return answer.value


def test_a_complete_product_holds_each_field_from_its_owner_in_order() -> None:
    answer = complete_product(P, SHOP)
    assert answer.waits == ()
    assert answer.value == {
        "title": TITLE,
        "description": {"fr": "Doux."},
        "brand": "Omni",
        "category": "women/tops",
        "axes": ["size", "colour"],
        "status": "active",
        "variants": [
            {"sku": "P-S", "gtin": f"{GTIN}1", "options": {"size": "S", "colour": BLUE}, "active": True},
            {"sku": "P-M", "gtin": f"{GTIN}2", "options": {"size": "M", "colour": BLUE}, "active": True},
        ],
        "media": [
            {"hash": "aa", "position": 1, "alt": {"fr": "vue"}},
            {"hash": "bb", "position": 2, "alt": {"fr": "vue"}},
        ],
    }


def test_a_channel_receives_only_its_own_languages() -> None:
    value = value_of(complete_product(P, replace(SHOP, locales=("fr",))))
    assert value["title"] == {"fr": "T-shirt"}
    assert value["variants"][0]["options"]["colour"] == {"fr": "bleu"}


def test_a_new_product_without_a_german_title_waits_and_says_whose_word_is_missing() -> None:
    words = told(("pim", {**PIM, "title": {"fr": "T-shirt", "en": "Tee"}}))
    answer = complete_product(replace(P, words=words), SHOP)
    assert answer == Answer(value=None, waits=("waits for a title of P in de (from pim)",))
    assert complete_product(replace(P, words=words), replace(SHOP, locales=("fr",))).value is not None


def test_a_new_product_without_a_picture_waits_where_pictures_are_shown() -> None:
    bare = replace(P, media=told(picture("A1", 1, "aa", withdrawn=True)))
    assert complete_product(bare, SHOP) == Answer(value=None, waits=("waits for a picture of P (from dam)",))
    assert value_of(complete_product(bare, replace(SHOP, requires=frozenset({"title", "gtin"}))))["media"] == []


def test_a_product_without_a_variant_waits() -> None:
    answer = complete_product(replace(P, variants={}), SHOP)
    assert answer == Answer(value=None, waits=("waits for a variant: no system (from pim) names one of P",))


def test_an_article_whose_gtin_is_in_quarantine_says_so() -> None:
    pim = {"sku": "P-S", "product": "P", "options": {"size": "S", "colour": BLUE}}
    bad = replace(P, variants={"P-S": told(("pim", pim), refused="erp")})
    waits = complete_product(bad, SHOP).waits
    assert waits == ("waits for the GTIN of P-S (from erp, whose last word is in quarantine)",)


def test_the_same_picture_is_shown_once() -> None:
    twice = replace(P, media=told(picture("A1", 1, "aa"), picture("A2", 2, "aa"), picture("A3", 3, "bb")))
    assert [(m["hash"], m["position"]) for m in value_of(complete_product(twice, SHOP))["media"]] == [
        ("aa", 1),
        ("bb", 2),
    ]


def test_two_articles_that_nobody_can_tell_apart_are_said() -> None:
    alike = replace(P, variants={**P.variants, "P-M2": variant("P-M2", 3, options={"size": "M", "colour": BLUE})})
    assert complete_product(alike, SHOP).waits == (
        "P-M2 has the same size and colour as P-M, and one of them must change",
    )


def test_a_word_of_another_than_the_owner_changes_nothing_and_is_named() -> None:
    words = told(("erp", {"product": "P", "title": {"fr": "TSHIRT", "en": "X", "de": "Y"}}), ("pim", PIM))
    assert value_of(complete_product(replace(P, words=words), SHOP))["title"] == TITLE
    assert disowned("product", "erp", {"product": "P", "title": TITLE}, OWNERS) == ["title"]
    assert disowned("variant", "erp", {"sku": "P-S", "product": "P", "gtin": GTIN}, OWNERS) == ["product"]
    assert disowned("product", "pim", PIM, OWNERS) == []
    assert disowned("media", "pim", {"asset": "A", "product": "P"}, OWNERS) == ["media"]


def test_two_who_claim_a_field_that_nobody_owns_stop_it_with_a_sentence() -> None:
    owners = {name: system for name, system in OWNERS.items() if name != "brand"}
    words = told(("pim", PIM), ("erp", {"product": "P", "brand": "OMNI SA"}))
    answer = complete_product(replace(P, words=words), replace(SHOP, owners=owners))
    assert answer.waits == ("erp and pim both say brand, and hub.yaml names no owner (authority.product.brand)",)


def test_deactivated_is_not_deleted() -> None:
    off = told(("pim", {"sku": "P-S", "product": "P", "position": 1, "options": {"size": "S", "colour": BLUE}}),
               ("erp", {"sku": "P-S", "gtin": f"{GTIN}1", "active": False}))  # fmt: skip
    one_off = value_of(complete_product(replace(P, variants={**P.variants, "P-S": off}), SHOP))
    assert (one_off["status"], [v["active"] for v in one_off["variants"]]) == ("active", [False, True])
    all_off = value_of(complete_product(replace(P, variants={"P-S": off}), SHOP))
    assert (all_off["status"], len(all_off["variants"])) == ("archived", 1)


def test_an_article_that_nobody_speaks_of_any_more_stays_there_and_is_not_sold() -> None:
    before = value_of(complete_product(P, SHOP))
    after = value_of(complete_product(replace(P, variants={"P-M": P.variants["P-M"]}), SHOP, before))
    assert [(v["sku"], v["active"]) for v in after["variants"]] == [("P-M", True), ("P-S", False)]


def test_an_article_that_belongs_to_another_product_now_leaves() -> None:
    before = value_of(complete_product(P, SHOP))
    moved = replace(P, variants={"P-M": P.variants["P-M"]}, elsewhere=frozenset({"P-S"}))
    assert [v["sku"] for v in value_of(complete_product(moved, SHOP, before))["variants"]] == ["P-M"]


def test_one_article_that_is_not_complete_does_not_hold_up_those_already_there() -> None:
    before = value_of(complete_product(P, SHOP))
    half = told(("pim", {"sku": "P-L", "product": "P", "position": 3, "options": {"size": "L", "colour": BLUE}}))
    new_title = told(("pim", {**PIM, "title": {**TITLE, "en": "Soft tee"}}))
    found = replace(P, words=new_title, variants={**P.variants, "P-L": half})
    answer = complete_product(found, SHOP, before)
    assert value_of(answer)["title"]["en"] == "Soft tee"
    assert [v["sku"] for v in value_of(answer)["variants"]] == ["P-S", "P-M"]
    assert answer.waits == ("waits for the GTIN of P-L (from erp)",)
    assert complete_product(found, SHOP).value is None


def test_a_product_that_lost_a_text_stays_as_it_was() -> None:
    before = value_of(complete_product(P, SHOP))
    lost = replace(P, words=told(("pim", {**PIM, "title": {"fr": "T-shirt"}})))
    assert complete_product(lost, SHOP, before).value is None


def test_a_product_that_is_no_longer_sold_is_taken_off_complete_or_not() -> None:
    before = value_of(complete_product(P, SHOP))
    off = {sku: told(*((w.system, {**w.data, "active": False}) for w in v.said)) for sku, v in P.variants.items()}
    lost = replace(P, words=told(("pim", {**PIM, "title": {"fr": "T-shirt"}})), variants=off)
    assert complete_product(lost, SHOP, before).value == {**before, "status": "archived"}
    assert complete_product(lost, SHOP).value is None


def test_nobody_sees_a_product_before_its_articles_have_a_price() -> None:
    value = value_of(complete_product(P, SHOP))
    held, sentence = held_back(value, ["P-S", "P-M"])
    assert (held["status"], sentence) == ("draft", "is a draft until P-S and 1 more has a price there")
    assert held_back(value, []) == (value, None)
    assert held_back({**value, "status": "archived"}, ["P-S"])[0]["status"] == "archived"


# --- as properties ----------------------------------------------------------------------------------

systems = st.sampled_from(["pim", "erp", "dam", "shop"])
texts = st.dictionaries(st.sampled_from(["fr", "en", "de", "it"]), st.sampled_from(["a", "b"]), max_size=4)
said_of_product = st.fixed_dictionaries(
    {"product": st.just("P")},
    optional={"title": texts, "description": texts, "brand": st.just("B"), "axes": st.just(["size"]),
              "active": st.booleans()},
)  # fmt: skip
said_of_variant = st.fixed_dictionaries(
    {"sku": st.just("x"), "product": st.just("P")},
    optional={"gtin": st.sampled_from(["1", "2"]), "active": st.booleans(), "position": st.integers(1, 3),
              "options": st.fixed_dictionaries({}, optional={"size": st.sampled_from(["S", "M"])})},
)  # fmt: skip
said_of_media = st.fixed_dictionaries(
    {"asset": st.sampled_from(["1", "2"]), "product": st.just("P"), "hash": st.sampled_from(["aa", "bb"]),
     "position": st.integers(1, 3)},
    optional={"withdrawn": st.booleans(), "alt": texts},
)  # fmt: skip


def worded(data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Words]:
    words = st.lists(
        st.builds(lambda s, d: Word(system=s, data=d), systems, data), max_size=4, unique_by=lambda w: w.system
    )
    return words.map(lambda found: Words(said=found))


knowns = st.builds(
    lambda words, variants, media: Known(product="P", words=words, variants=variants, media=media),
    worded(said_of_product), st.dictionaries(st.sampled_from(["P-S", "P-M", "P-L"]), worded(said_of_variant)),
    worded(said_of_media),
)  # fmt: skip


@given(knowns)
def test_a_product_is_shown_complete_or_says_what_it_waits_for(known: Known) -> None:
    answer = complete_product(known, SHOP)
    assert (answer.value is None) == bool(answer.waits)
    if answer.value is not None:
        assert set(answer.value["title"]) == {"fr", "en", "de"}
        assert answer.value["media"]
        assert answer.value["variants"]
        assert all(v["gtin"] for v in answer.value["variants"])
        assert (answer.value["status"] == "active") <= any(v["active"] for v in answer.value["variants"])


@given(knowns, knowns)
def test_what_a_channel_has_never_loses_an_article(known: Known, later: Known) -> None:
    before = complete_product(known, SHOP).value
    after = complete_product(later, SHOP, before).value
    if before is not None and after is not None:
        kept = {v["sku"]: v["active"] for v in after["variants"]}
        alike = [w for w in complete_product(later, SHOP, before).waits if "has the same" in w]
        assert {v["sku"] for v in before["variants"]} <= kept.keys() or alike


@given(knowns, st.sampled_from(["erp", "shop", "dam"]), texts)
def test_nobody_but_the_owner_changes_a_title(known: Known, other: str, title: dict[str, str]) -> None:
    foreign = [Word(system=w.system, data={**w.data, "title": title}) for w in known.words.said if w.system == other]
    rest = [w for w in known.words.said if w.system != other]
    changed = replace(known, words=Words(said=[*rest, *foreign]))
    assert complete_product(changed, SHOP) == complete_product(known, SHOP)


@given(knowns)
def test_what_is_complete_is_still_complete_when_it_is_looked_at_again(known: Known) -> None:
    value = complete_product(known, SHOP).value
    if value is not None:
        assert complete_product(known, SHOP, value).value == value
