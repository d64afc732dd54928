"""Akeneo's way of saying no: https://api.akeneo.com/documentation/responses.html."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.sandbox.web import Refusal, Reply


class Invalid(Exception):
    """What is written cannot be taken; ``errors`` names the properties."""

    def __init__(self, message: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        self.body = {"message": message, **({"errors": list(errors)} if errors else {})}
        super().__init__(message)


def refused(status: int, message: str, **headers: str) -> Refusal:
    """A refusal with Akeneo's body."""
    return Refusal(Reply(status=status, body={"code": status, "message": message}, headers=headers))


def invalid(property: str, message: str, **where: Any) -> Invalid:
    """Validation of one property failed."""
    return Invalid("Validation failed.", [{"property": property, "message": message, **where}])


NOT_FOUND = Reply(status=404, body={"code": 404, "message": "No route found"})
