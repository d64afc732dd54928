"""Products and models as Akeneo shows them: with the values of their parents, narrowed to what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.sandbox.pim.errors import refused
from hub.sandbox.pim.structure import SELECTS
from hub.sandbox.pim.tables import shown
from hub.sandbox.web import Request

if TYPE_CHECKING:
    from hub.sandbox.pim.pim import Pim

Values = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What of the values is wanted, as the query says."""

    scope: str | None
    locales: frozenset[str] | None
    attributes: frozenset[str] | None
    labels: bool

    @classmethod
    def of(cls, request: Request, pim: Pim) -> Wish:
        """Refuses channels, locales and attributes that do not exist."""
        query = request.query
        scope = query.get("scope")
        channels = pim.structure("channel")
        if scope is not None and scope not in channels:
            raise refused(422, f'Scope "{scope}" does not exist.')
        activated = (
            set(channels[scope]["locales"]) if scope else {loc for c in channels.values() for loc in c["locales"]}
        )
        locales = _listed(query.get("locales"), activated, 'Locale "{}" does not exist or is not activated.')
        if scope and locales is None:
            locales = frozenset(activated)
        attributes = _listed(query.get("attributes"), set(pim.structure("attribute")), 'Attribute "{}" does not exist.')
        return cls(
            scope=scope,
            locales=locales,
            attributes=attributes,
            labels=query.get("with_attribute_options") == "true",
        )

    def takes(self, attribute: str, value: Mapping[str, Any]) -> bool:
        """Whether a value is shown; what has no channel or language always is."""
        return (
            (self.attributes is None or attribute in self.attributes)
            and (self.scope is None or value["scope"] in (None, self.scope))
            and (self.locales is None or value["locale"] is None or value["locale"] in self.locales)
        )


class Shapes:
    """Shapes rows; what it looks up it keeps, so make one for each request."""

    def __init__(self, pim: Pim, wish: Wish) -> None:
        self.pim = pim
        self.wish = wish
        self._models: dict[str, Any] = {}
        self._labels: dict[str, dict[str, Any]] = {}

    def product(self, row: Any) -> dict[str, Any]:
        """A product by identifier."""
        body = json.loads(row["body"])
        return {
            "uuid": row["uuid"],
            "identifier": row["code"],
            "enabled": body["enabled"],
            **self._common(row, body),
            "groups": body["groups"],
        }

    def product_uuid(self, row: Any) -> dict[str, Any]:
        """A product by UUID: its identifier is one value among others."""
        found = self.product(row)
        sku = {"sku": [{"locale": None, "scope": None, "data": found.pop("identifier")}]}
        return {**found, "values": {**sku, **found["values"]}}

    def model(self, row: Any) -> dict[str, Any]:
        body = json.loads(row["body"])
        return {"code": row["code"], "family_variant": body["family_variant"], **self._common(row, body)}

    def _common(self, row: Any, body: Mapping[str, Any]) -> dict[str, Any]:
        parents = [*self._parents(row)]
        categories = {c for each in (body, *(json.loads(p["body"]) for p in parents)) for c in each["categories"]}
        return {
            "family": body["family"],
            "parent": row["parent"],
            "categories": sorted(categories),
            "values": self._values(body, parents),
            "created": shown(row["created"]),
            "updated": shown(row["updated"]),
            "associations": {},
            "quantified_associations": {},
        }

    def _parents(self, row: Any) -> Iterator[Any]:
        """From the nearest to the root; a circle ends where it closes."""
        seen = {row["code"]} if row["kind"] == "model" else set()
        while (code := row["parent"]) and code not in seen:
            seen.add(code)
            if code not in self._models:
                self._models[code] = self.pim.row(code, "model")
            row = self._models[code]
            yield row

    def _values(self, body: Mapping[str, Any], parents: list[Any]) -> Values:
        merged: Values = {}
        for values in (*(json.loads(parent["body"])["values"] for parent in reversed(parents)), body["values"]):
            merged.update(values)
        shown = {name: [v for v in found if self.wish.takes(name, v)] for name, found in sorted(merged.items())}
        return {name: [self._linked(name, value) for value in found] for name, found in shown.items() if found}

    def _linked(self, attribute: str, value: dict[str, Any]) -> dict[str, Any]:
        """With the labels of the option where they were asked for."""
        if not self.wish.labels or attribute not in SELECTS:
            return value
        if attribute not in self._labels:
            self._labels[attribute] = self.pim.structure("option", attribute)
        option = self._labels[attribute].get(value["data"], {})
        linked = {"attribute": attribute, "code": value["data"], "labels": option.get("labels", {})}
        return {**value, "linked_data": linked}


def _listed(written: str | None, known: set[str], sentence: str) -> frozenset[str] | None:
    if not written:
        return None
    for name in (names := written.split(",")):
        if name not in known:
            raise refused(422, sentence.format(name))
    return frozenset(names)
