"""The lines of all returns of an order."""

from collections.abc import Mapping
from typing import Any


def came_back(order: Mapping[str, Any]) -> list[Any]:
    """Every returned line, of whichever order it was a part."""
    return [line for one in order.get("returns") or () for line in one.get("return_line_items") or ()]
