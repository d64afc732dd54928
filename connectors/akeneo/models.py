"""Which model stands at the top of a product, and in what its variants differ: Akeneo says both in other places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.akeneo.api import LARGEST_PAGE, Api
from hub.errors import Reject

MANY = 10  # models to look up at once, above which reading all of them is cheaper


class Models:
    """The product models of one read; what was looked up is kept."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._models: dict[str, Mapping[str, Any] | None] = {}
        self._axes: dict[tuple[str, str], Sequence[str]] = {}
        self._all = False

    def know(self, models: Iterable[Mapping[str, Any]]) -> None:
        """These came by anyway."""
        self._models.update({str(model["code"]): model for model in models if model.get("code")})

    def fetch(self, codes: Iterable[str]) -> None:
        """Look up those of ``codes`` that are not known yet, then their own parents."""
        wanted = {code for code in codes if code not in self._models}
        while wanted:
            if len(wanted) > MANY and not self._all:
                self._read_all()
            for code in wanted - self._models.keys():
                self._models[code] = self.api.find("product-models", code)
            parents = {str(model["parent"]) for code in wanted if (model := self._models[code]) and model.get("parent")}
            wanted = parents - self._models.keys()

    def root(self, code: str) -> Mapping[str, Any]:
        """The model at the top of ``code``; :class:`Reject` where there is none."""
        chain = [code]
        while True:
            if chain[-1] not in self._models:
                self.fetch(chain[-1:])
            model = self._models[chain[-1]]
            if model is None:
                raise Reject("parent", f"the product model {chain[-1]} does not exist in the PIM")
            if not model.get("parent"):
                return model
            parent = str(model["parent"])
            if parent in chain:
                circle = " > ".join([*chain[chain.index(parent) :], parent])
                raise Reject(
                    "parent", f"the product models are each other's parent: {circle}; give one of them another"
                )
            chain.append(parent)

    def axes(self, model: Mapping[str, Any]) -> Sequence[str]:
        """The attributes in which the variants of ``model`` differ, level by level."""
        family, variant = str(model.get("family") or ""), str(model.get("family_variant") or "")
        if (family, variant) not in self._axes:
            found = self.api.find("families", family, "variants", variant)
            if found is None:
                raise Reject("family_variant", f"the family {family} has no variant {variant}")
            levels = sorted(found.get("variant_attribute_sets") or [], key=lambda level: int(level["level"]))
            self._axes[family, variant] = [axis for level in levels for axis in level.get("axes") or []]
        return self._axes[family, variant]

    def _read_all(self) -> None:
        params = {"pagination_type": "search_after", "limit": str(LARGEST_PAGE)}
        for _, models, _ in self.api.pages("product-models", params):
            self.know(model for model in models if isinstance(model, dict))
        self._all = True
