"""Options of products and their values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.sandbox.clock import Clock
from hub.sandbox.shop import catalog
from hub.sandbox.shop.catalog import NO_OPTION, Catalog
from hub.sandbox.shop.outcomes import Error, Input, Outcome, error, refused
from hub.sandbox.shop.tables import legacy_id, stored

MOST_OPTIONS = 3


class Options:
    """Stateless over the shop's tables; each call is checked as a whole before it changes anything."""

    def __init__(self, shelf: Catalog, clock: Clock) -> None:
        self.catalog = shelf
        self.state = shelf.state
        self.clock = clock

    def create(self, product: int, options: Sequence[Input]) -> Outcome:
        """New options; variants that are there already take the first value of each."""
        if self.catalog.product(product) is None:
            return refused("Product does not exist", ["productId"], "PRODUCT_DOES_NOT_EXIST")
        known = self.catalog.options(product)
        bare = [option["name"] for option in known] == [NO_OPTION]
        errors = option_errors(options, known=() if bare else [option["name"] for option in known])
        if errors:
            return Outcome(errors=errors)
        if bare:
            self._forget_options(product)
        for option in options:
            self.add(product, option)
        firsts = [option["values"][0]["name"] for option in options]
        for variant in self.catalog.variants_of(product):
            kept = () if bare else variant.options
            self._choose(variant.id, [*kept, *firsts])
        self.catalog.touch([product], self._now)
        return Outcome(ids=[product])

    def update(self, product: int, value: Input, add: Sequence[Input], rename: Sequence[Input]) -> Outcome:
        """Rename an option or its values, or add values to it."""
        option = self._option(product, legacy_id(value["id"], "ProductOption"))
        if option is None:
            return refused("Option does not exist", ["option"], "OPTION_DOES_NOT_EXIST")
        held = {row["id"]: row["name"] for row in self.catalog.values(option["id"])}
        new = {legacy_id(entry["id"], "ProductOptionValue"): str(entry.get("name") or "") for entry in rename}
        if not new.keys() <= held.keys():
            field = ["optionValuesToUpdate"]
            return refused("Option value does not exist", field, "OPTION_VALUE_DOES_NOT_EXIST")
        names = [*(held | new).values(), *(entry["name"] for entry in add)]
        if len(set(names)) < len(names):
            return refused("Option value already exists", ["option"], "OPTION_VALUE_ALREADY_EXISTS")
        if value.get("name"):
            self.state.execute("UPDATE shop_option SET name = ? WHERE id = ?", (value["name"], option["id"]))
        self._rename_values(product, option, held, {id: name for id, name in new.items() if id and name})
        self.add_values(option["id"], [entry["name"] for entry in add])
        self.catalog.touch([product], self._now)
        return Outcome(ids=[product])

    def _rename_values(self, product: int, option: Any, held: Mapping[int, str], new: Mapping[int, str]) -> None:
        rename = {held[id]: name for id, name in new.items()}
        for id, name in new.items():
            self.state.execute("UPDATE shop_option_value SET name = ? WHERE id = ?", (name, id))
        at = option["position"] - 1
        for variant in self.catalog.variants_of(product):
            options = [rename.get(value, value) if n == at else value for n, value in enumerate(variant.options)]
            self._choose(variant.id, options)

    def _option(self, product: int, id: int | None) -> Any | None:
        return next((row for row in self.catalog.options(product) if row["id"] == id), None)

    def add(self, product: int, option: Input) -> None:
        id = self.catalog.next_id("shop_option", catalog.FIRST_OPTION)
        position = len(self.catalog.options(product)) + 1
        self.state.execute("INSERT INTO shop_option VALUES (?, ?, ?, ?)", (id, product, option["name"], position))
        self.add_values(id, [value["name"] for value in option.get("values") or []])

    def add_values(self, option: int, names: Iterable[str]) -> None:
        known = [row["name"] for row in self.catalog.values(option)]
        for name in dict.fromkeys(names):
            if name not in known:
                id = self.catalog.next_id("shop_option_value", catalog.FIRST_VALUE)
                known.append(name)
                self.state.execute("INSERT INTO shop_option_value VALUES (?, ?, ?, ?)", (id, option, name, len(known)))

    def _forget_options(self, product: int) -> None:
        self.state.execute(
            "DELETE FROM shop_option_value WHERE option_id IN (SELECT id FROM shop_option WHERE product_id = ?)",
            (product,),
        )
        self.state.execute("DELETE FROM shop_option WHERE product_id = ?", (product,))

    def _choose(self, variant: int, options: Sequence[str]) -> None:
        values = (json.dumps(options), self._now, variant)
        self.state.execute("UPDATE shop_variant SET options = ?, updated_at = ? WHERE id = ?", values)

    @property
    def _now(self) -> str:
        return stored(self.clock.now())


def option_errors(options: Sequence[Input], known: Sequence[str]) -> list[Error]:
    names = [str(option.get("name") or "") for option in options]
    if len(names) + len(known) > MOST_OPTIONS:
        return [error(f"Can only specify a maximum of {MOST_OPTIONS} options", ["options"], "OPTIONS_OVER_LIMIT")]
    for n, option in enumerate(options):
        if not names[n].strip():
            return [error("Each option must have a name specified.", ["options", str(n)], "OPTION_NAME_MISSING")]
        if names[n] in known or names[n] in names[:n]:
            return [error(f"Option '{names[n]}' already exists.", ["options", str(n)], "OPTION_ALREADY_EXISTS")]
        if not option.get("values"):
            text = f"Option '{names[n]}' must have at least one option value"
            return [error(text, ["options", str(n)], "OPTION_VALUES_MISSING")]
    return []
