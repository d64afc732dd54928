"""What is part of a product and changes without it: the labels of options.

Akeneo moves no product's ``updated`` when one is renamed, so a read compares a fingerprint of them
with the one in its checkpoint, and reads everything again when they differ. (The axes of a family
variant are part of it too; Akeneo does not let anybody change them.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from connectors.akeneo.api import LARGEST_PAGE, Api

PAGE = {"limit": str(LARGEST_PAGE)}


def fingerprint(api: Api, attributes: Iterable[str]) -> str:
    """Equal as long as no label of a watched attribute changed."""
    found = sorted(json.dumps(one, sort_keys=True) for one in _labels(api, attributes))
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:32]


def _labels(api: Api, attributes: Iterable[str]) -> Iterator[Any]:
    for attribute in attributes:
        for option in _all(api, f"attributes/{attribute}/options"):
            yield [attribute, option.get("code"), option.get("labels")]


def _all(api: Api, path: str) -> Iterator[dict[str, Any]]:
    for _, items, _ in api.pages(path, PAGE):
        yield from items
