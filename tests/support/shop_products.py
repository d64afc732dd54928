"""What the shop should hold of the retailer's styles, computed from the retailer's own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract.suite import Context, context_of

from hub.model import Content
from hub.sandbox.assortment import Assortment, Style

LOCALES = ("fr", "en", "de")


@dataclass(kw_only=True)
class Pictured(Context):
    """A context that hands out the retailer's pictures and remembers which were asked for."""

    pictures: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def content(self, hash: str) -> Content:
        self.asked.append(hash)
        return Content(data=self.pictures[hash], mime="image/png", name=f"{hash}.png")


def pictured(sandbox: Any, assortment: Assortment) -> Pictured:
    """The shop's context with every picture of the retailer."""
    plain = context_of(sandbox, "shop")
    pictures = {p.sha256: p.png for style in assortment.products for p in assortment.pictures(style)}
    return Pictured(system=plain.system, connection=plain.connection, clock=plain.clock, pictures=pictures)


def product_of(assortment: Assortment, style: Style, **changes: Any) -> dict[str, Any]:
    """The complete product as the hub derives it."""
    colours = {texts["fr"]: dict(texts) for texts in assortment.colour_texts.values()}
    skus = [assortment.sku(code) for code in style.skus]
    value = {
        "title": dict(style.title),
        "description": dict(style.description),
        "brand": style.brand,
        "category": style.category,
        "status": "active",
        "axes": list(style.axes),
        "variants": [
            {
                "sku": sku.code,
                "gtin": sku.ean.zfill(14),
                "options": {"size": sku.size, "colour": colours[sku.colour]},
                "active": True,
            }
            for sku in skus
        ],
        "media": [{"hash": p.sha256, "position": p.position, "alt": dict(p.alt)} for p in assortment.pictures(style)],
    }
    return {**value, **changes}
