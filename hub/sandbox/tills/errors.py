"""Square's way of saying no: https://developer.squareup.com/docs/build-basics/handling-errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.sandbox.web import Refusal, Reply

INVALID = "INVALID_REQUEST_ERROR"


def error(code: str, detail: str, field: str | None = None, category: str = INVALID) -> dict[str, Any]:
    """One entry of ``errors``."""
    found = {"category": category, "code": code, "detail": detail}
    return found if field is None else {**found, "field": field}


def refusal(errors: Sequence[dict[str, Any]], status: int = 400) -> Refusal:
    return Refusal(Reply(status=status, body={"errors": list(errors)}))


def refused(code: str, detail: str, field: str | None = None, status: int = 400) -> Refusal:
    """A refusal with one error."""
    return refusal([error(code, detail, field)], status)


NOT_FOUND = Reply(status=404, body={"errors": [error("NOT_FOUND", "Resource not found.")]})
UNAUTHORIZED = Reply(
    status=401,
    body={"errors": [error("UNAUTHORIZED", "This request could not be authorized.", category="AUTHENTICATION_ERROR")]},
)
RATE_LIMITED = Reply(
    status=429,
    body={
        "errors": [
            error(
                "RATE_LIMITED",
                "This request could not be performed because too many requests were made.",
                category="RATE_LIMIT_ERROR",
            )
        ]
    },
)
