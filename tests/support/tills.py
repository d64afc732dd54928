"""Square's own client against the sandbox's tills, every request and answer checked against Square's description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from square import Square
from support.vendor_specs import SQUARE, SquareApi, present

VERSION = "2026-01-22"
ONCE = {"max_retries": 0}


@contextmanager
def square_client(sandbox: Any) -> Iterator[Square]:
    """squareup with a watcher between; unchecked where Square's description is not there."""
    described = SquareApi() if present(SQUARE) else None

    def on_request(request: httpx.Request) -> None:
        if described:
            described.check_request(request.method, str(request.url), json.loads(request.content or "null"))

    def on_response(response: httpx.Response) -> None:
        response.read()
        if described:
            request = response.request
            described.check_answer(request.method, str(request.url), response.status_code, response.json())

    hooks: Any = {"request": [on_request], "response": [on_response]}
    with httpx.Client(event_hooks=hooks, timeout=10) as http:
        token = sandbox.retailer.tills.token
        yield Square(base_url=sandbox.urls["tills"], token=token, version=VERSION, httpx_client=http)


def described_order(order: Any) -> None:
    """Fails unless Square would describe the order so."""
    if present(SQUARE):
        SquareApi().check_value("Order", order)
