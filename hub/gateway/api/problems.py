"""What goes wrong as ``application/problem+json`` (RFC 9457): a stable type for programs, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.flow.counter.refusal import Refusal

TYPE = "urn:omnihub:problem:"
MEDIA = "application/problem+json"

# Kind -> status and title. The kinds are part of the contract.
KINDS: Mapping[str, tuple[int, str]] = {
    "no-key": (401, "No key, or one that opens nothing"),
    "scope": (403, "The key does not open this"),
    "unknown": (404, "There is no such thing"),
    "method": (405, "This cannot be done here"),
    "too-slow": (408, "The request took too long to arrive"),
    "not-enough": (409, "Not enough is left"),
    "redeemed": (409, "The coupon was redeemed before"),
    "too-large": (413, "The request is too large"),
    "invalid": (422, "The request is not what it should be"),
    "other-request": (422, "The key of the request came with another one before"),
    "too-fast": (429, "Too many requests"),
    "failed": (500, "The gateway made a mistake"),
    "not-now": (503, "No answer now; ask again"),
}
BY_STATUS = {404: "unknown", 405: "method", 408: "too-slow", 413: "too-large"}


class Problem(Exception):
    """An answer that is a problem; ``facts`` stand beside the sentence."""

    def __init__(self, kind: str, detail: str, *, retry_after: int | None = None, **facts: object) -> None:
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.facts = facts
        super().__init__(detail)


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)


def answer(kind: str, detail: str, headers: Mapping[str, str] | None = None, **facts: Any) -> JSONResponse:
    status, title = KINDS[kind]
    body = {"type": TYPE + kind, "title": title, "status": status, "detail": detail, **jsonable_encoder(facts)}
    return JSONResponse(body, status, headers=headers, media_type=MEDIA)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it alone
    headers = {"WWW-Authenticate": "Bearer"} if error.kind == "no-key" else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return answer(error.kind, error.detail, headers, **error.facts)


async def _refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for it alone
    return answer(error.kind, str(error), {}, **error.facts)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    found = [{"path": ".".join(map(str, e["loc"])), "reason": e["msg"]} for e in error.errors()[:20]]
    return answer("invalid", f"{found[0]['path']}: {found[0]['reason']}", errors=found)


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return answer(BY_STATUS.get(error.status_code, "invalid"), str(error.detail), dict(error.headers or {}))


async def _failed(_: Request, error: Exception) -> JSONResponse:
    return answer("failed", "what happened stands in the gateway's log")
