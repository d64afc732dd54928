"""What lies in the library at the start: every style's pictures, and the few things that nobody tidied up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from hub.sandbox.assortment import Assortment
from hub.sandbox.pictures import Picture, draw, original

NOT_AN_IMAGE = ("CH0019", 9)  # somebody saved the web page around the picture
WRONG_CHECKSUM = ("PU0021", 9)  # replaced on disk behind the DAM's back
WITHDRAWN = ("JN0010", 8)  # the model's rights ended
OLD = timedelta(days=30)
HTML = b"<!DOCTYPE html>\n<html><head><title>Apercu</title></head><body><img src='chemise.png'></body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One picture with its two renditions; ``sha256`` is what the DAM says of ``web``, where that is not true."""

    id: str
    product: str  # "" for a picture of no product
    position: int
    web: bytes = field(repr=False)
    original: bytes = field(repr=False)
    alt: Mapping[str, str]
    skus: tuple[str, ...] = ()
    status: str = "active"
    version: int = 1
    created: datetime | None = None
    updated: datetime | None = None
    sha256: str = ""

    @property
    def declared(self) -> str:
        """The checksum that the DAM shows for what channels receive."""
        return self.sha256 or sha256(self.web).hexdigest()


def shelf(assortment: Assortment) -> Iterator[Asset]:
    """In no order that means anything; pictures of new styles are days old, the others months."""
    draw_days = assortment.world.random("dam").uniform
    start = assortment.world.start
    for style in assortment.products:
        for picture in assortment.pictures(style):
            age = timedelta(days=draw_days(1, 9) if style.code.startswith("NV") else draw_days(20, 300))
            yield _asset(picture, start - age)
    yield from (replace(odd, created=start - OLD, updated=start - OLD) for odd in _odd())


def _asset(picture: Picture, at: datetime) -> Asset:
    return Asset(
        id=picture.asset,
        product=picture.product,
        position=picture.position,
        web=picture.png,
        original=original(picture),
        alt=picture.alt,
        skus=picture.skus,
        created=at,
        updated=at,
    )


def _odd() -> Iterator[Asset]:
    yield _single(*NOT_AN_IMAGE, HTML)
    yield _single(
        *WRONG_CHECKSUM, draw("retouched", (120, 40, 60)), sha256=sha256(b"before the retouching").hexdigest()
    )
    yield _single(*WITHDRAWN, draw("withdrawn", (10, 90, 120)), status="archived")
    yield _single("", 1, draw("campaign", (200, 60, 30)))


def _single(product: str, position: int, content: bytes, *, status: str = "active", sha256: str = "") -> Asset:
    id = f"DAM-{product or 'CAMPAIGN'}-{position}"
    alt = {"fr": product or "Campagne"}
    return Asset(
        id=id, product=product, position=position, web=content, original=content, alt=alt, status=status, sha256=sha256
    )
