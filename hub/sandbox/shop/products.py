"""Products themselves: their texts, status and handle."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop import catalog
from hub.sandbox.shop.catalog import DEFAULT_TITLE, NO_OPTION, VENDOR, Catalog
from hub.sandbox.shop.options import Options, option_errors
from hub.sandbox.shop.outcomes import Error, Input, Outcome, error, refused
from hub.sandbox.shop.tables import stored
from hub.sandbox.shop.variants import Variants

TEXTS = {"title": "title", "descriptionHtml": "body_html", "vendor": "vendor", "productType": "product_type"}
LONGEST = 255


class Products:
    """Stateless over the shop's tables; each call is checked as a whole before it changes anything."""

    def __init__(self, shelf: Catalog, options: Options, variants: Variants, clock: Clock) -> None:
        self.catalog = shelf
        self.state = shelf.state
        self.options = options
        self.variants = variants
        self.clock = clock

    def create(self, value: Input) -> Outcome:
        """A product with its options and, as Shopify makes it, one first variant of their first values."""
        errors = [*_product_errors(value, new=True), *self._handle_errors(value, None)]
        options = value.get("productOptions") or []
        errors += [error(found["message"], ["productOptions"]) for found in option_errors(options, known=())]
        if errors:
            return Outcome(errors=errors)
        id, at = self.catalog.next_id("shop_product", catalog.FIRST_PRODUCT), self._now
        status = value.get("status") or "ACTIVE"
        texts = [value.get(name) or "" for name in ("descriptionHtml", "vendor", "productType")]
        handle = value.get("handle") or self._free_handle(value["title"])
        self.state.execute(
            "INSERT INTO shop_product VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
            (id, value["title"].strip(), handle, status, texts[0], texts[1] or VENDOR, texts[2], _tags(value), at, at),
        )
        self._first_variant(id, options)
        return Outcome(ids=[id])

    def _first_variant(self, product: int, options: Sequence[Input]) -> None:
        for option in options or [{"name": NO_OPTION, "values": [{"name": DEFAULT_TITLE}]}]:
            self.options.add(product, option)
        chosen = [self.catalog.values(option["id"])[0]["name"] for option in self.catalog.options(product)]
        self.variants.insert(product, {}, tuple(chosen))

    def update(self, id: int, value: Input) -> Outcome:
        """Change what is named; the rest stays."""
        if self.catalog.product(id) is None:
            return refused("Product does not exist", ["id"])
        errors = [*_product_errors(value, new=False), *self._handle_errors(value, id)]
        if errors:
            return Outcome(errors=errors)
        changes: dict[str, Any] = {c: (value[name] or "").strip() for name, c in TEXTS.items() if name in value}
        changes |= {name: value[name] for name in ("status", "handle") if value.get(name)}
        if "tags" in value:
            changes["tags"] = _tags(value)
        changes["updated_at"] = self._now
        names = ", ".join(f"{name} = ?" for name in changes)
        self.state.execute(f"UPDATE shop_product SET {names} WHERE id = ?", (*changes.values(), id))  # noqa: S608 - ours
        return Outcome(ids=[id])

    def _handle_errors(self, value: Input, id: int | None) -> list[Error]:
        handle = value.get("handle")
        taken = handle and self.state.row("SELECT 1 FROM shop_product WHERE handle = ? AND id IS NOT ?", (handle, id))
        return [error(f"Handle '{handle}' already in use. Please provide a new handle.", ["handle"])] if taken else []

    def _free_handle(self, title: str) -> str:
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "product"
        rows = self.state.rows("SELECT handle FROM shop_product WHERE handle = ? OR handle LIKE ?", (base, f"{base}-%"))
        taken = {row["handle"] for row in rows}
        return next(name for n in range(len(taken) + 1) if (name := f"{base}-{n}" if n else base) not in taken)

    @property
    def _now(self) -> str:
        return stored(self.clock.now())


def _product_errors(value: Input, *, new: bool) -> list[Error]:
    title = value.get("title")
    if (new or "title" in value) and not (title or "").strip():
        return [error("Title can't be blank", ["title"])]
    long = [name for name in ("title", "vendor", "productType") if len(value.get(name) or "") > LONGEST]
    return [error(f"{name} is too long (maximum is {LONGEST} characters)", [name]) for name in long]


def _tags(value: Input) -> str:
    return ", ".join(value.get("tags") or [])
