"""Texts in the shop's other languages: https://shopify.dev/docs/apps/build/markets/manage-translated-content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.shopify import product_documents as documents
from connectors.shopify.changes import Changes


class Translations:
    """Collects what is to be said, and says it with the digests of the texts that are translated."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.wanted: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}

    def say(self, resource: str, key: str, locale: str, text: str, path: str) -> None:
        """``text`` for ``key`` of ``resource`` (a title, a picture's alt) in ``locale``; ``path`` names our field."""
        self.wanted.setdefault(resource, {})[key, locale] = (text, path)

    def register(self) -> None:
        """Everything collected, a call for each resource."""
        if not self.wanted:
            return
        digests = self._digests()
        for resource, said in self.wanted.items():
            translations = [
                {"key": key, "locale": locale, "value": text, "translatableContentDigest": digests[resource, key]}
                for (key, locale), (text, _) in said.items()
                if (resource, key) in digests
            ]
            if translations:
                self._register(resource, translations, next(iter(said.values()))[1])
        self.wanted.clear()

    def _register(self, resource: str, translations: list[dict[str, str]], path: str) -> None:
        self.changes.make(
            documents.TRANSLATE,
            {"id": resource, "translations": translations},
            payload="translationsRegister",
            path=path,
            cost=documents.TRANSLATE_COST,
        )

    def _digests(self) -> Mapping[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        resources: list[str] = list(self.wanted)
        for start in range(0, len(resources), 100):
            variables: dict[str, Any] = {"ids": resources[start : start + 100]}
            answer = self.changes.admin.graphql(documents.DIGESTS, variables, cost=documents.DIGESTS_COST)
            for node in answer["translatableResourcesByIds"]["nodes"]:
                found |= {
                    (node["resourceId"], c["key"]): c["digest"] for c in node["translatableContent"] if c["digest"]
                }
        return found
