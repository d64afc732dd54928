"""What the ERP's price lists and promotions say at the start: the same for every system that looks at them.

Two lists: WEB for the shop, RETAIL for the tills. The same article costs the same in both unless an
entry with a narrower scope says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import PARIS
from hub.sandbox.world import Sku, World

LISTS = ("WEB", "RETAIL")
CHANNELS = {"WEB": "W", "RETAIL": "S"}
SINCE = date(2025, 1, 1)  # first day of the ordinary prices
OUTLET, OUTLET_PRODUCTS = "FR015", 5  # ST05 sells the end of the season for less
COUNTRY = "FR"
RUNNING, EXPIRED, COMING = 30, 5, 6  # promotions of each kind
SOON, ENDING = timedelta(minutes=2), timedelta(minutes=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a price list."""

    list: str
    sku: str
    amount: str  # as it was typed: 19.90
    currency: str = "EUR"
    min_quantity: int = 1
    site: str = ""  # the ERP's code; "" is every site
    country: str = ""
    first_day: date = SINCE
    last_day: date | None = None  # inclusive
    active: bool = True

    @property
    def sound(self) -> bool:
        """False for the slips of the pen that the hub must refuse."""
        return self.currency == "EUR" and Decimal(self.amount) > 0 and len(self.amount.partition(".")[2]) == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A reduction of some articles for some time; it counts from ``begins`` until just before ``ends``."""

    code: str
    list: str  # "" for both
    begins: datetime
    ends: datetime
    amounts: Mapping[str, str]  # by SKU
    priority: int = 0
    channel: str = ""  # "" for all; W is the web, S the stores
    active: bool = True

    def counts_in(self, list: str) -> bool:
        """Whether it reduces the prices of ``list``."""
        return self.list in ("", list) and self.channel in ("", CHANNELS[list])


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one piece of an article costs a customer, and what stands crossed out beside it."""

    amount: str
    compare_at: str | None = None


def price_entries(assortment: Assortment) -> list[Entry]:
    """Every entry at the start: one for each article and list, then narrower scopes, changes and mistakes."""
    skus = (*assortment.world.skus, *assortment.new_skus)
    ordinary = [Entry(list=name, sku=sku.code, amount=euros(sku.price_cents)) for name in LISTS for sku in skus]
    return [*_with_changes(ordinary, assortment.world), *_scoped(assortment.world), *_mistakes(assortment.world)]


def promotions(world: World) -> list[Promotion]:
    """Every promotion at the start; those whose moment is near are the last."""
    draw = world.random("promotions")
    products = [[*skus] for _, skus in groupby(world.skus, key=lambda sku: sku.product)]
    chosen = iter(draw.sample(products, RUNNING + EXPIRED + COMING))
    start = world.start.replace(microsecond=0)
    found = [_running(number, next(chosen), start, draw.randint(1, 20)) for number in range(1, RUNNING + 1)]
    found.append(_over(found[0], world))
    for number in range(1, EXPIRED + 1):
        begins = start - timedelta(days=40 + number)
        found.append(_promotion(f"EXP{number:03d}", next(chosen), begins, begins + timedelta(days=14), 20))
    for number in range(1, COMING - 2):
        begins = _evening(start, 7 * number)
        found.append(_promotion(f"COM{number:03d}", next(chosen), begins, begins + timedelta(days=10), 25))
    month = start + timedelta(days=30)
    found.append(_promotion("MIDNIGHT", next(chosen), midnight_after(start), month, 15))
    found.append(_promotion("ENDING", next(chosen), start - timedelta(days=3), start + ENDING, 30))
    found.append(_promotion("SOON", next(chosen), start + SOON, month, 20))
    return found


def offers(assortment: Assortment, list: str, moment: datetime | None = None) -> dict[str, Offer]:
    """What one piece of each article costs in ``list`` at ``moment`` (the start, if none), by the rules of the ERP."""
    at = moment or assortment.world.start
    regular = _regular(price_entries(assortment), list, at)
    return _reduced(regular, promotions(assortment.world), list, at)


def midnight_after(moment: datetime) -> datetime:
    """The next local midnight, whatever the clocks do that night."""
    tomorrow = moment.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PARIS)


def euros(cents: int) -> str:
    """``1990`` as ``19.90``."""
    return f"{cents // 100}.{cents % 100:02d}"


def reduced(sku: Sku, percent: int) -> str:
    """The price less ``percent``, brought down to the ten cents below."""
    return euros(sku.price_cents * (100 - percent) // 1000 * 10)


# --- entries --------------------------------------------------------------------------------------


def _with_changes(entries: Sequence[Entry], world: World) -> Iterator[Entry]:
    """The ordinary entries; two products change their price with the calendar, one has done so a month ago."""
    today = world.start.astimezone(PARIS).date()
    tomorrow = today + timedelta(days=1)
    first, second, third = _products(world, 3, "price changes")
    for entry in entries:
        if entry.sku in first:  # told as people tell it: until today, and from tomorrow
            yield replace(entry, last_day=today)
            yield replace(entry, first_day=tomorrow, amount=_more(entry.amount, 500))
        elif entry.sku in second:  # nobody closed the old entry; the newer one counts from its first day
            yield entry
            yield replace(entry, first_day=today + timedelta(days=7), amount=_more(entry.amount, 1000))
        elif entry.sku in third:
            yield replace(entry, amount=_more(entry.amount, -300))
            yield replace(entry, first_day=today - timedelta(days=30))
        else:
            yield entry


def _scoped(world: World) -> Iterator[Entry]:
    """The outlet store, three pieces for less, and a neighbouring country."""
    for sku in _skus(world, OUTLET_PRODUCTS, "outlet"):
        yield Entry(list="RETAIL", sku=sku.code, amount=reduced(sku, 30), site=OUTLET)
    for sku in _skus(world, 3, "three pieces"):
        for name in LISTS:
            yield Entry(list=name, sku=sku.code, amount=reduced(sku, 10), min_quantity=3)
    for sku in _skus(world, 1, "abroad"):
        yield Entry(list="WEB", sku=sku.code, amount=euros(sku.price_cents + 200), country="BE")


def _mistakes(world: World) -> Iterator[Entry]:
    """Slips of the pen; what stood there before goes on counting, except where two entries contradict each other."""
    today = world.start.astimezone(PARIS).date()
    free, exact, odd, taken_back, twice = (next(iter(_skus(world, 1, "mistake", n))) for n in range(5))
    yesterday = today - timedelta(days=1)
    yield Entry(list="WEB", sku=free.code, amount="0.00", first_day=yesterday)
    yield Entry(list="RETAIL", sku=exact.code, amount=euros(exact.price_cents) + "50", first_day=yesterday)
    yield Entry(list="WEB", sku=odd.code, amount=euros(odd.price_cents), currency="XXX", first_day=yesterday)
    yield Entry(list="WEB", sku=taken_back.code, amount="1.00", first_day=yesterday, active=False)
    for days, cents in ((30, 100), (10, 200)):  # overlapping: the one that began later counts, and it is reported
        amount = euros(twice.price_cents + cents)
        first, last = today - timedelta(days=days), today + timedelta(days=days + 30)
        yield Entry(list="RETAIL", sku=twice.code, amount=amount, first_day=first, last_day=last)


def _products(world: World, count: int, *purpose: object) -> list[set[str]]:
    """The articles of ``count`` products, as sets of codes."""
    products = [[*skus] for _, skus in groupby(world.skus, key=lambda sku: sku.product)]
    return [{sku.code for sku in skus} for skus in world.random("prices", *purpose).sample(products, count)]


def _skus(world: World, products: int, *purpose: object) -> Iterator[Sku]:
    """The articles of ``products`` products, in their order."""
    chosen = set().union(*_products(world, products, *purpose))
    return (sku for sku in world.skus if sku.code in chosen)


def _more(amount: str, cents: int) -> str:
    return str(Decimal(amount) + Decimal(cents) / 100)


# --- promotions -----------------------------------------------------------------------------------


def _running(number: int, skus: Sequence[Sku], start: datetime, days: int) -> Promotion:
    """Every third is for the web alone, every third for the stores alone, by list or by channel."""
    scope = number % 3
    promotion = _promotion(
        f"PRM{number:03d}", skus, _morning(start, -days), _evening(start, 10 + number), 10 + number % 4 * 10
    )
    if number % 2:
        return replace(promotion, list=("", *LISTS)[scope])
    return replace(promotion, channel=("", "W", "S")[scope])


def _over(other: Promotion, world: World) -> Promotion:
    """A second promotion of the same articles, which counts although it is dearer: it has priority."""
    amounts = {sku: reduced(world.sku(sku), 5) for sku in other.amounts}
    return replace(other, code="PRIOR01", amounts=amounts, priority=10, ends=other.ends - timedelta(days=5))


def _promotion(code: str, skus: Sequence[Sku], begins: datetime, ends: datetime, percent: int) -> Promotion:
    amounts = {sku.code: reduced(sku, percent) for sku in skus}
    return Promotion(code=code, list="", begins=begins, ends=ends, amounts=amounts)


def _morning(start: datetime, days: int) -> datetime:
    return datetime.combine(start.astimezone(PARIS).date() + timedelta(days=days), time(8), PARIS)


def _evening(start: datetime, days: int) -> datetime:
    return datetime.combine(start.astimezone(PARIS).date() + timedelta(days=days), time(20), PARIS)


# --- the price in force, as the ERP's own screens show it ------------------------------------------


def _regular(entries: Sequence[Entry], list: str, at: datetime) -> dict[str, str]:
    """Of each article the latest entry that counts for one piece, anywhere in the country."""
    today = at.astimezone(PARIS).date()
    found: dict[str, Entry] = {}
    for entry in entries:
        general = not entry.site and entry.country in ("", COUNTRY) and entry.min_quantity <= 1
        counts = entry.first_day <= today and (entry.last_day is None or today <= entry.last_day)
        if entry.list == list and entry.active and entry.sound and general and counts:
            best = found.get(entry.sku)
            if best is None or entry.first_day >= best.first_day:
                found[entry.sku] = entry
    return {sku: entry.amount for sku, entry in found.items()}


def _reduced(regular: Mapping[str, str], known: Sequence[Promotion], list: str, at: datetime) -> dict[str, Offer]:
    """Of the promotions that count the one of highest priority, then the lowest amount."""
    found = {sku: Offer(amount=amount) for sku, amount in regular.items()}
    running = [p for p in known if p.active and p.counts_in(list) and p.begins <= at < p.ends]
    ranked = [(-p.priority, Decimal(amount), sku) for p in running for sku, amount in p.amounts.items()]
    for _, amount, sku in sorted(ranked, reverse=True):  # the best comes last and stays
        if sku in regular:
            found[sku] = Offer(amount=str(amount), compare_at=regular[sku])
    return found
