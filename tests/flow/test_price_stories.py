"""Prices over all systems: from the ERP's lists and promotions to shop and tills, at the moment at which they count.

It is the Saturday before the clocks are put back. The stories are told side by side: ``yield`` waits for a
pass, or for the moment that it names; each has an article of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from support.scene import Scene, scene
from support.told import Stories, Told, Troubles

from hub.flow.trace import trace
from hub.sandbox.assortment import Assortment
from hub.sandbox.erp.prices import price_entries, promotions
from hub.sandbox.shop.catalog import variant_gid

PARIS = ZoneInfo("Europe/Paris")
SATURDAY = datetime(2026, 10, 24, 12, tzinfo=PARIS)
SUNDAY, MONDAY = date(2026, 10, 25), date(2026, 10, 26)  # Sunday has 25 hours
IN_SPRING = date(2027, 3, 28)  # and this one 23
FLOWS = ("product", "price")
SECOND = timedelta(seconds=1)

story = Stories()


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Scene]:
    """A retailer whose products and prices were synchronised."""
    folder = tmp_path_factory.mktemp("prices")
    with pytest.MonkeyPatch.context() as monkeypatch, psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE DATABASE prices")
        start = SATURDAY.astimezone(UTC)
        with scene(folder, postgres.replace("/postgres?", "/prices?"), monkeypatch, start=start) as found:
            found.everything(flows=FLOWS)
            yield found
        admin.execute("DROP DATABASE prices WITH (FORCE)")


@pytest.fixture(scope="module")
def told(prices: Scene) -> Troubles:
    return story.tell(prices, FLOWS)


class Article:
    """One that costs the same everywhere and is in no promotion, until its story changes that."""

    taken: set[str] = set()

    def __init__(self, scene: Scene, name: str) -> None:
        world = scene.retailer.world
        entries = Counter(entry.sku for entry in price_entries(Assortment(world)))
        promoted = {sku for promotion in promotions(world) for sku in promotion.amounts}
        free = [s for s in world.skus if entries[s.code] == 2 and s.code not in promoted | self.taken]
        found = min(free, key=lambda sku: world.random(name, sku.code).random())
        self.taken.update(sku.code for sku in world.skus if sku.product == found.product)
        self.scene, self.erp, self.sku = scene, scene.retailer.erp, found.code
        self.cents = found.price_cents  # at the start; amounts below are said as what they are more than that

    def euros(self, more: int = 0) -> str:
        return f"{Decimal(self.cents + more) / 100:.2f}"

    def price(self, more: int, **terms: Any) -> str:
        """An entry in the list of the shop."""
        return self.erp.set_price(self.sku, self.euros(more), **terms)

    @property
    def shop(self) -> int:
        """What the shop asks, beyond what it cost at the start, in cents."""
        return self.scene.retailer.shop.catalog.variant(self.sku).price_cents - self.cents

    @property
    def crossed_out(self) -> int | None:
        cents = self.scene.retailer.shop.catalog.variant(self.sku).compare_at_cents
        return None if cents is None else cents - self.cents

    @property
    def lowest(self) -> str | None:
        """What the shop's page says of the last 30 days."""
        shop = self.scene.retailer.shop
        row = shop.metafields.one(variant_gid(shop.catalog.variant(self.sku).id), "omnihub", "lowest_30")
        return None if row is None else str(row["value"])

    def till(self, store: str = "ST01") -> int:
        """What a cashier asks, beyond what it cost at the start, in cents."""
        tills = self.scene.retailer.tills
        return tills.catalog.variation(self.sku).price_at(tills.catalog.location_ids()[store]) - self.cents

    def why(self) -> dict[str, Any]:
        """The reasons that the trace gives for the price in the shop."""
        with self.scene.engine() as engine:
            (target,) = [t for t in trace(engine, "price", self.sku)["targets"] if t["target"] == "shop"]
        return dict(target["why"])

    def refused(self) -> list[tuple[str, str]]:
        return self.scene.query("SELECT path, reason FROM quarantine WHERE key LIKE %s", f"{self.sku}@%")

    def asked(self) -> list[str]:
        """Every price that the shop was confirmed to ask, in order."""
        rows = self.scene.query(
            "SELECT amount FROM confirmed_price WHERE target = 'shop' AND key = %s ORDER BY since", self.sku
        )
        return [f"{amount:.2f}" for (amount,) in rows]


def midnight(day: date) -> datetime:
    """The moment at which ``day`` begins in Paris."""
    return datetime.combine(day, datetime.min.time(), PARIS).astimezone(UTC)


# --- when the clock alone changes it ----------------------------------------------------------------


@story
def test_a_price_of_tomorrow_is_asked_from_midnight_on_and_not_before(prices: Scene) -> Told:
    article = Article(prices, "tomorrow")
    article.price(500, first_day=SUNDAY)
    yield midnight(SUNDAY) - 2 * SECOND
    assert article.shop == 0
    yield midnight(SUNDAY)
    assert (article.shop, article.till(), article.crossed_out) == (500, 0, None)  # the tills' list says nothing new


@story
def test_the_last_day_of_a_price_has_25_hours_when_the_clocks_are_put_back(prices: Scene) -> Told:
    article = Article(prices, "autumn")
    article.price(-300, first_day=SUNDAY, last_day=SUNDAY)
    yield midnight(SUNDAY)
    assert article.shop == -300
    yield midnight(SUNDAY) + timedelta(hours=25) - 2 * SECOND
    assert article.shop == -300
    yield midnight(SUNDAY) + timedelta(hours=25)
    assert article.shop == 0


@story
def test_the_only_day_of_a_price_has_23_hours_when_the_clocks_are_put_forward(prices: Scene) -> Told:
    """And it was entered five months before."""
    article = Article(prices, "spring")
    article.price(-200, first_day=IN_SPRING, last_day=IN_SPRING)
    yield midnight(IN_SPRING) - 2 * SECOND
    assert article.shop == 0
    yield midnight(IN_SPRING)
    assert article.shop == -200
    yield midnight(IN_SPRING) + timedelta(hours=23) - 2 * SECOND
    assert article.shop == -200
    yield midnight(IN_SPRING) + timedelta(hours=23)
    assert article.shop == 0


@story
def test_a_promotion_over_the_change_of_the_clocks_ends_when_the_clock_on_the_wall_says_so(prices: Scene) -> Told:
    article = Article(prices, "night")
    begins, ends = datetime(2026, 10, 24, 20, tzinfo=PARIS), datetime(2026, 10, 25, 4, tzinfo=PARIS)
    article.erp.promote({article.sku: article.euros(-400)}, begins=begins, ends=ends)
    yield begins - 2 * SECOND
    assert (article.shop, article.till()) == (0, 0)
    yield begins
    assert (article.shop, article.crossed_out, article.till()) == (-400, 0, -400)
    yield datetime(2026, 10, 25, 2, 59, 58, tzinfo=UTC)
    assert (article.shop, article.till()) == (-400, -400)
    yield datetime(2026, 10, 25, 3, tzinfo=UTC)
    assert (article.shop, article.crossed_out, article.till()) == (0, None, 0)


# --- what a reduction must show ---------------------------------------------------------------------


@story
def test_a_reduction_is_shown_beside_the_lowest_price_of_the_30_days_before_it(prices: Scene) -> Told:
    """It cost less on Sunday than the promotion of Monday makes it: the customer reads that."""
    article = Article(prices, "lowest")
    article.price(-600, first_day=SUNDAY, last_day=SUNDAY)
    begins = midnight(MONDAY) + timedelta(hours=10)
    code = article.erp.promote({article.sku: article.euros(-500)}, begins=begins, ends=begins + timedelta(days=3))
    yield midnight(SUNDAY)
    assert (article.shop, article.lowest) == (-600, None)  # a regular price is no reduction
    yield begins
    assert (article.shop, article.crossed_out) == (-500, 0)
    assert article.lowest is not None
    assert f'"{article.euros(-600)}"' in article.lowest
    article.erp.end_promotion(code)
    yield None
    assert (article.shop, article.crossed_out, article.lowest) == (0, None, None)
    assert article.asked()[-4:] == [article.euros(n) for n in (-600, 0, -500, 0)]


@story
def test_what_is_heard_of_a_promotion_after_its_end_changes_nothing(prices: Scene) -> Told:
    article = Article(prices, "late")
    yield midnight(MONDAY) + timedelta(hours=8)
    before, now = article.asked(), prices.clock.now()
    over = {"code": "LATE", "begins": now - timedelta(days=2), "ends": now - timedelta(hours=1)}
    article.erp.promote({article.sku: article.euros(-700)}, **over)
    last = prices.retailer.ledger.last_id
    yield None
    article.erp.promote({article.sku: article.euros(-900)}, **over)  # and corrected
    yield None
    assert (article.shop, article.lowest, article.asked()) == (0, None, before)
    assert [c for c in prices.retailer.ledger.writes(since_id=last) if article.sku in str(c.detail)] == []
    known = prices.query("SELECT count(*) FROM source_state WHERE key = %s", f"{article.sku}@LATE")
    assert known == [(1,)]  # it was read and understood


@story
def test_a_promotion_that_is_taken_back_ends_at_once(prices: Scene) -> Told:
    article = Article(prices, "taken back")
    code = article.erp.promote({article.sku: article.euros(-100)})
    yield None
    assert (article.shop, article.till()) == (-100, -100)
    article.erp.end_promotion(code)
    yield None
    assert (article.shop, article.till(), article.crossed_out) == (0, 0, None)


# --- for whom it counts -----------------------------------------------------------------------------


@story
def test_a_price_of_one_store_is_asked_there_and_nowhere_else(prices: Scene) -> Told:
    article = Article(prices, "outlet")
    entry = article.price(-250, list="RETAIL", site=prices.retailer.world.location("ST08").site)
    yield None
    assert [article.till("ST08"), article.till("ST07"), article.till("ST09"), article.shop] == [-250, 0, 0, 0]
    article.erp.withdraw_price(entry)
    yield None
    assert (article.till("ST08"), article.till("ST07")) == (0, 0)


@story
def test_a_price_for_three_pieces_or_for_another_country_is_nobody_s_price_for_one(prices: Scene) -> Told:
    article = Article(prices, "three pieces")
    article.price(-350, min_quantity=3)
    article.price(200, country="BE")
    yield None
    assert (article.shop, article.till()) == (0, 0)


# --- slips of the pen -------------------------------------------------------------------------------


@story
def test_an_amount_of_three_decimals_is_refused_and_the_others_go_on(prices: Scene) -> Told:
    slip, other = Article(prices, "decimals"), Article(prices, "beside decimals")
    slip.erp.set_price(slip.sku, slip.euros() + "5")
    other.price(100)
    yield None
    assert (slip.shop, other.shop) == (0, 100)
    ((path, reason),) = slip.refused()
    assert path == "amount"
    assert "decimals" in reason


@story
def test_nothing_is_given_away_because_somebody_typed_nothing(prices: Scene) -> Told:
    slip = Article(prices, "free")
    slip.erp.set_price(slip.sku, "0.00")
    yield None
    assert (slip.shop, len(slip.refused())) == (0, 1)


@story
def test_of_two_prices_at_a_time_the_later_counts_and_the_trace_says_so(prices: Scene) -> Told:
    article = Article(prices, "overlapping")
    today = SATURDAY.date()
    first = article.price(100, first_day=today - timedelta(days=3), last_day=today + timedelta(days=30))
    second = article.price(200, first_day=today - timedelta(days=1), last_day=today + timedelta(days=20))
    yield None
    assert article.shop == 200
    (said,) = article.why()["overlapping"]
    assert said.startswith(f"{first} and {second} contradict each other from ")
    assert said.endswith(f"; {second} counts")


# --- when the hub was down --------------------------------------------------------------------------


def test_what_began_and_ended_while_the_hub_was_down_is_right_with_the_first_pass(prices: Scene) -> None:
    over, running = Article(prices, "over"), Article(prices, "running")
    now = prices.clock.now()
    over.erp.promote({over.sku: over.euros(-300)}, begins=now, ends=now + timedelta(hours=2))
    times = {"begins": now + timedelta(hours=1), "ends": now + timedelta(days=2)}
    running.erp.promote({running.sku: running.euros(-300)}, **times)
    tomorrow = (now + timedelta(days=1)).astimezone(PARIS).date()
    running.price(100, list="RETAIL", first_day=tomorrow)
    prices.everything(flows=FLOWS)
    assert (over.shop, running.shop, running.till()) == (-300, 0, 0)
    prices.everything(seconds=30 * 3600, flows=FLOWS)  # nobody was there for a day and a night
    assert (over.shop, over.crossed_out, over.till()) == (0, None, 0)
    assert (running.shop, running.crossed_out, running.till()) == (-300, 0, -300)
    assert running.lowest is not None
    assert f'"{running.euros()}"' in running.lowest
