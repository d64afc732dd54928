"""What stories of bad input have in common: articles and files, trouble on purpose, and what must have arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from support.scene import Scene

from hub.errors import HubError, StopRun

TAKEN: set[str] = set()


def article(settled: Scene, story: str, store: str = "ST20") -> str:
    """An article that no other story has, that nobody has ordered, and of which ``store`` has several pieces."""
    random, shop = settled.retailer.world.random, settled.retailer.shop
    ordered = {key.split("@")[0] for key, pieces in shop.levels("committed").items() if pieces}
    plenty = {key.split("@")[0] for key, n in shop.levels().items() if key.endswith(f"@{store}") and n >= 3}
    plenty &= {sku.code for sku in settled.retailer.world.skus}  # the shop has a few of its own
    found = min(plenty - ordered - TAKEN, key=lambda code: random(story, code).random())
    TAKEN.add(found)
    return found


def partial(settled: Scene, store: str, levels: Mapping[str, int | str], **more: Any) -> str:
    """A file of some articles, as of now."""
    return settled.retailer.stores.drop(
        store, as_of=settled.clock.now(), complete=False, levels=levels, unavailable={}, dirty=False, **more
    )


def quarantined(settled: Scene, source: str) -> list[tuple[Any, ...]]:
    """Path, reason, origin and raw record of what was refused of ``source``, in order."""
    rows = settled.query(
        "SELECT path, reason, origin, raw FROM quarantine WHERE origin ->> 'source' = %s ORDER BY id", source
    )
    return [(*row[:3], payload(settled, row[3])) for row in rows]


def payload(settled: Scene, reference: str) -> bytes:
    with settled.engine() as engine:
        return engine.vault.open(engine.journal, reference)


def archived(settled: Scene, name: str) -> bytes:
    """The content of the file that once arrived as ``name``."""
    stem = name.removesuffix(".csv")
    (found,) = [p for p in settled.retailer.stores.archive.iterdir() if p.name.startswith(stem) and p.suffix == ".csv"]
    return found.read_bytes()


@dataclass(frozen=True, kw_only=True)
class News:
    """One change in each source, and whether it has come where it belongs."""

    settled: Scene
    sku: str
    sold: str
    before: int
    file: str

    def arrived(self) -> set[str]:
        """``source>target`` for each that has."""
        play = self.settled
        found = {
            "erp>shop": play.shop(self.sku, "WH1") == 77,
            "stores>shop": play.shop(self.sku, "ST12") == 18,
            "stores>tills": play.till(self.sku, "ST12") == 19,
            "tills>shop": play.shop(self.sold, "ST13") == self.before - 1,
        }
        return {way for way, there in found.items() if there}


EVERYWHERE = {"erp>shop", "stores>shop", "stores>tills", "tills>shop"}


@contextmanager
def news_of_all(settled: Scene, story: str) -> Iterator[News]:
    """Something happens everywhere; afterwards the trouble is over, and all of it must arrive."""
    sku, sold = article(settled, story), article(settled, f"{story} sold", "ST13")
    now = settled.clock.forward(minutes=2)
    settled.retailer.erp.set(sku, "WH1", 77, blocked=0)
    before = settled.shop(sold, "ST13")
    settled.retailer.tills.sell("ST13", [(sold, 1)], at=now)
    news = News(settled=settled, sku=sku, sold=sold, before=before, file=partial(settled, "ST12", {sku: 19}))
    yield news
    settled.synchronise()
    assert news.arrived() == EVERYWHERE
    settled.retailer.erp.set(sku, "WH1", 50, at=settled.clock.forward(seconds=1))  # of no use to the next story


@contextmanager
def connection(settled: Scene, system: str, **changes: Any) -> Iterator[None]:
    """Another connection for ``system`` until the block ends."""
    kept = settled.connections[system]
    settled.connections[system] = {**kept, **changes}
    try:
        yield
    finally:
        settled.connections[system] = kept


@contextmanager
def edited(settled: Scene, path: str, old: str, new: str) -> Iterator[None]:
    """Another text in one file of the project until the block ends."""
    file = settled.project / path
    kept = file.read_text(encoding="utf-8")
    assert old in kept
    file.write_text(kept.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(kept, encoding="utf-8")


def trouble(settled: Scene, kind: type[HubError] = StopRun) -> str:
    """The sentence that a pass ends with, which is also what its run says."""
    with pytest.raises(kind) as told:
        settled.synchronise(seconds=5)
    ((state, said),) = settled.query("SELECT state, sentence FROM run ORDER BY started_at DESC LIMIT 1")
    assert (state, said) == ("failed", str(told.value))
    return str(told.value)


def line_of(settled: Scene, text: str) -> int:
    lines = (settled.project / "hub.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
