"""Variants of products: created, changed, ordered and deleted in bulk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop import catalog
from hub.sandbox.shop.catalog import DEFAULT_TITLE, Catalog, Variant
from hub.sandbox.shop.inventory import Inventory
from hub.sandbox.shop.options import Options
from hub.sandbox.shop.outcomes import Error, Input, Outcome, error, refused
from hub.sandbox.shop.tables import cents, legacy_id, stored

LONGEST = 255
GRAMS = {"GRAMS": 1, "KILOGRAMS": 1000}
NO_PRODUCT = ("Product does not exist", ["productId"], "PRODUCT_DOES_NOT_EXIST")


class Variants:
    """Stateless over the shop's tables; each call is checked as a whole before it changes anything."""

    def __init__(self, shelf: Catalog, options: Options, inventory: Inventory, clock: Clock) -> None:
        self.catalog = shelf
        self.state = shelf.state
        self.options = options
        self.inventory = inventory
        self.clock = clock

    def create(self, product: int, variants: Sequence[Input], strategy: str = "DEFAULT") -> Outcome:
        """New variants of a product; by default they take the place of a lone default one."""
        if self.catalog.product(product) is None:
            return refused(*NO_PRODUCT)
        leaving = self._leaving(product, strategy)
        chosen, errors = self._wanted(product, variants, leaving)
        if errors:
            return Outcome(errors=errors)
        if leaving is not None:
            self._delete_variants([leaving])
        self._learn_values(product, chosen)
        ids = [self.insert(product, entry, values) for entry, values in zip(variants, chosen, strict=True)]
        self.catalog.touch([product], self._now)
        return Outcome(ids=ids)

    def _wanted(
        self, product: int, variants: Sequence[Input], leaving: int | None
    ) -> tuple[list[tuple[str, ...]], list[Error]]:
        """The option values of new variants, and what is wrong with these; no two variants have the same."""
        taken = {variant.options for variant in self.catalog.variants_of(product) if variant.id != leaving}
        chosen: list[tuple[str, ...]] = []
        errors: list[Error] = []
        for n, entry in enumerate(variants):
            field = ["variants", str(n)]
            values, found = self._chosen(product, entry, field)
            found += _variant_errors(entry, field)
            if not found and values in taken:
                text = f"The variant '{' / '.join(values)}' already exists."
                found = [error(text, field, "VARIANT_ALREADY_EXISTS")]
            errors += found
            taken.add(values)
            chosen.append(values)
        return chosen, errors

    def _leaving(self, product: int, strategy: str) -> int | None:
        """The lone variant that new ones replace."""
        held = self.catalog.variants_of(product)
        if len(held) != 1 or strategy == "PRESERVE_STANDALONE_VARIANT":
            return None
        default = held[0].options == (DEFAULT_TITLE,)
        return held[0].id if default or strategy == "REMOVE_STANDALONE_VARIANT" else None

    def update(self, product: int, variants: Sequence[Input], partial: bool = False) -> Outcome:
        """Change what is named of each; with ``partial`` the good ones although others are refused."""
        if self.catalog.product(product) is None:
            return refused(*NO_PRODUCT)
        held = {variant.id: variant for variant in self.catalog.variants_of(product)}
        good, errors = [], []
        for n, entry in enumerate(variants):
            found = self._update_errors(product, entry, held, ["variants", str(n)])
            errors += found
            if not found:
                good.append(entry)
        if errors and not partial:
            return Outcome(errors=errors)
        ids = [self._change_variant(product, entry) for entry in good]
        self.catalog.touch([product], self._now)
        return Outcome(ids=ids, errors=errors)

    def _update_errors(self, product: int, entry: Input, held: Mapping[int, Variant], field: list[str]) -> list[Error]:
        if entry.get("id") is None:
            return [error("Product variant is missing ID attribute", [*field, "id"], "PRODUCT_VARIANT_ID_MISSING")]
        if legacy_id(entry["id"], "ProductVariant") not in held:
            return [error("Product variant does not exist", [*field, "id"], "PRODUCT_VARIANT_DOES_NOT_EXIST")]
        errors = _variant_errors(entry, field)
        if entry.get("inventoryQuantities"):
            text = "Inventory quantities can only be provided during create."
            errors.append(error(text, [*field, "inventoryQuantities"], "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE"))
        if entry.get("optionValues"):
            errors += self._chosen(product, entry, field)[1]
        return errors

    def _change_variant(self, product: int, entry: Input) -> int:
        id = legacy_id(entry["id"], "ProductVariant") or 0
        changes = _columns(entry)
        if entry.get("optionValues"):
            values = self._chosen(product, entry, [])[0]
            self._learn_values(product, [values])
            changes["options"] = json.dumps(values)
        code = self.catalog.variants([id])[0].code
        if changes.get("sku") and code == f"V{id}":  # it had no SKU when it was created
            changes["code"] = self._code(changes["sku"], id)
        self._set(id, changes)
        return id

    def delete(self, product: int, ids: Sequence[str]) -> Outcome:
        """Delete variants of a product, but not its last one."""
        held = [variant.id for variant in self.catalog.variants_of(product)]
        gone = [legacy_id(id, "ProductVariant") for id in ids]
        for n, id in enumerate(gone):
            if id not in held:
                field = ["variantsIds", str(n)]
                text = "At least one variant does not belong to the product"
                return refused(text, field, "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT")
        if set(gone) >= set(held):
            return refused("Cannot delete the last variant", ["variantsIds"], "CANNOT_DELETE_LAST_VARIANT")
        self._delete_variants([id for id in gone if id])
        self._renumber(product)
        self.catalog.touch([product], self._now)
        return Outcome(ids=[product])

    def reorder(self, product: int, positions: Sequence[Input]) -> Outcome:
        """Put variants at positions (from 1); the others close up behind them."""
        held = [variant.id for variant in self.catalog.variants_of(product)]
        moves = {legacy_id(entry["id"], "ProductVariant"): entry["position"] for entry in positions}
        if not set(moves) <= set(held):
            return refused("Variant does not exist", ["positions"], "MISSING_VARIANT")
        order = [id for id in held if id not in moves]
        for id, position in sorted(moves.items(), key=lambda move: move[1]):
            order.insert(position - 1, id or 0)
        for position, id in enumerate(order, 1):
            self.state.execute("UPDATE shop_variant SET position = ? WHERE id = ?", (position, id))
        self.catalog.touch([product], self._now)
        return Outcome(ids=[product])

    def _renumber(self, product: int) -> None:
        for position, variant in enumerate(self.catalog.variants_of(product), 1):
            self.state.execute("UPDATE shop_variant SET position = ? WHERE id = ?", (position, variant.id))

    def _delete_variants(self, ids: Sequence[int]) -> None:
        for id in ids:
            item = self.catalog.variants([id])[0].item_id
            self.state.execute("DELETE FROM shop_level WHERE item_id = ?", (item,))
            self.state.execute("DELETE FROM shop_variant WHERE id = ?", (id,))

    def _chosen(self, product: int, entry: Input, field: list[str]) -> tuple[tuple[str, ...], list[Error]]:
        """The variant's option values in the order of the product's options."""
        options = self.catalog.options(product)
        given: dict[int, str] = {}
        for value in entry.get("optionValues") or []:
            by_id = legacy_id(value.get("optionId") or "", "ProductOption")
            option = next((o for o in options if o["id"] == by_id or o["name"] == value.get("optionName")), None)
            if option is None:
                return (), [
                    error(
                        "Option does not exist",
                        [*field, "optionValues"],
                        "OPTION_DOES_NOT_EXIST" if entry.get("id") else "INVALID_INPUT",
                    )
                ]
            given[option["id"]] = self._value_name(option["id"], value)
        if missing := [o["name"] for o in options if not given.get(o["id"])]:
            text = f"You need to add option values for {', '.join(missing)}"
            return (), [error(text, field, "NEED_TO_ADD_OPTION_VALUES")]
        return tuple(given[option["id"]] for option in options), []

    def _value_name(self, option: int, value: Input) -> str:
        by_id = legacy_id(value.get("id") or "", "ProductOptionValue")
        held = next((row["name"] for row in self.catalog.values(option) if row["id"] == by_id), "")
        return str(value.get("name") or held)

    def _learn_values(self, product: int, chosen: Sequence[tuple[str, ...]]) -> None:
        for n, option in enumerate(self.catalog.options(product)):
            self.options.add_values(option["id"], [values[n] for values in chosen])

    def insert(self, product: int, entry: Input, values: tuple[str, ...]) -> int:
        id = self.catalog.next_id("shop_variant", catalog.FIRST_VARIANT)
        item = self.catalog.next_id("shop_variant", catalog.FIRST_ITEM, "item_id")
        position, at = len(self.catalog.variants_of(product)) + 1, self._now
        row: dict[str, Any] = {
            "id": id, "product_id": product, "item_id": item, "code": f"V{id}", "sku": "", "barcode": "",
            "options": json.dumps(values), "price_cents": 0, "compare_at_cents": None, "taxable": 1, "policy": "DENY",
            "tracked": 1, "grams": 0, "position": position, "created_at": at, "updated_at": at,
        }  # fmt: skip
        row |= _columns(entry)
        row["code"] = self._code(row["sku"], id)
        self.state.execute(f"INSERT INTO shop_variant VALUES ({', '.join('?' * len(row))})", [*row.values()])  # noqa: S608
        self.inventory.stock(item, entry.get("inventoryQuantities") or [])
        return id

    def _set(self, id: int, changes: Mapping[str, Any]) -> None:
        values = {**changes, "updated_at": self._now}
        names = ", ".join(f"{name} = ?" for name in values)
        self.state.execute(f"UPDATE shop_variant SET {names} WHERE id = ?", (*values.values(), id))  # noqa: S608 - ours

    def _code(self, sku: str, id: int) -> str:
        """What the retailer calls a variant: its SKU, tidied, where no other has it."""
        code = sku.strip().upper()
        return (
            code if code and self.state.row("SELECT 1 FROM shop_variant WHERE code = ?", (code,)) is None else f"V{id}"
        )

    @property
    def _now(self) -> str:
        return stored(self.clock.now())


def _variant_errors(entry: Input, field: list[str]) -> list[Error]:
    for name in ("price", "compareAtPrice"):
        try:
            if entry.get(name) is not None and cents(entry[name]) < 0:
                text = f"{name} must be greater than or equal to 0"
                return [error(text, [*field, name], "GREATER_THAN_OR_EQUAL_TO")]
        except ValueError as reason:
            return [error(str(reason), [*field, name], "INVALID_INPUT")]
    sku = (entry.get("inventoryItem") or {}).get("sku") or ""
    if len(sku) > LONGEST or len(entry.get("barcode") or "") > LONGEST:
        return [error(f"is too long (maximum is {LONGEST} characters)", field, "INVALID_INPUT")]
    return []


def _columns(entry: Input) -> dict[str, Any]:
    """The columns that an input names."""
    item = entry.get("inventoryItem") or {}
    found: dict[str, Any] = {}
    if entry.get("price") is not None:
        found["price_cents"] = cents(entry["price"])
    if "compareAtPrice" in entry:
        found["compare_at_cents"] = None if entry["compareAtPrice"] is None else cents(entry["compareAtPrice"])
    found |= {column: source[name] or "" for source, name, column in _texts(entry, item) if name in source}
    found |= {name: int(entry[name]) for name in ("taxable",) if entry.get(name) is not None}
    if entry.get("inventoryPolicy"):
        found["policy"] = entry["inventoryPolicy"]
    if item.get("tracked") is not None:
        found["tracked"] = int(item["tracked"])
    weight = (item.get("measurement") or {}).get("weight")
    if weight:
        found["grams"] = round(weight["value"] * GRAMS.get(weight["unit"], 1))
    return found


def _texts(entry: Input, item: Input) -> list[tuple[Input, str, str]]:
    return [(entry, "barcode", "barcode"), (item, "sku", "sku")]
