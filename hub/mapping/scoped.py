"""Values that a system keeps once for each language and channel, in a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.mapping.registry import Step, Unfit, function, shown

_NAME = [
    {"locale": "fr_FR", "scope": None, "data": "Robe"},
    {"locale": "en_GB", "scope": None, "data": "Dress"},
]
_TEXT = [
    {"locale": "fr_FR", "scope": "print", "data": "Robe, page 12"},
    {"locale": "fr_FR", "scope": "ecommerce", "data": "Robe longue"},
]


@function(
    "value_of",
    takes="list",
    gives="any",
    examples=[
        (_NAME, {"locale": "en_GB"}, "Dress"),
        (_TEXT, {"locale": "fr_FR", "scope": "ecommerce"}, "Robe longue"),
        ([{"locale": None, "scope": None, "data": "M"}], "M"),
        (_NAME, {"locale": "de_DE"}, Unfit("there is no value for de_DE")),
        (_TEXT, {"locale": "fr_FR"}, Unfit("there are 2 values for fr_FR: one channel must be chosen")),
    ],
)
def value_of(locale: str | None = None, *, scope: str | None = None) -> Step:
    """The data of one value in a list of ``{locale, scope, data}``, as Akeneo keeps them.

    Without ``locale`` the one that is the same in every language; ``scope`` chooses a channel where
    the list holds several. Null and blank text are no value: ``else: absent`` leaves the field out.
    """
    wanted = locale or "every language"

    def step(values: Any) -> Any:
        if not isinstance(values, list | tuple) or not all(isinstance(value, Mapping) for value in values):
            raise Unfit(f"{shown(values)} is not a list of values by language and channel")
        found = [
            value.get("data")
            for value in values
            if value.get("locale") == locale and scope in (None, value.get("scope")) and _is_there(value.get("data"))
        ]
        if not found:
            raise Unfit(f"there is no value for {wanted}{f' in {scope}' if scope else ''}")
        if len(found) > 1:
            raise Unfit(f"there are {len(found)} values for {wanted}: one channel must be chosen")
        return found[0]

    return step


def _is_there(data: Any) -> bool:
    return data is not None and not (isinstance(data, str) and not data.strip())
