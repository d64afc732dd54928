"""The ERP's front door: sign-in, limit, ledger, and one address for the WSDL and the calls."""

from __future__ import annotations

import base64
import hmac
from contextlib import nullcontext

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.sandbox.erp import soap
from hub.sandbox.erp.service import OPERATIONS, WRITES
from hub.sandbox.erp.system import LOGIN, Erp

PATH = "/erp/StockService"
BODY_MAX = 1024 * 1024
XML = "text/xml; charset=utf-8"


def application(erp: Erp) -> Starlette:
    """``GET /erp/StockService?wsdl`` and ``POST /erp/StockService``."""

    async def describe(request: Request) -> Response:
        return await run_in_threadpool(_describe, erp, request)

    async def call(request: Request) -> Response:
        body = await _body(request)
        return await run_in_threadpool(_call, erp, request, body)

    return Starlette(routes=[Route(PATH, describe, methods=["GET"]), Route(PATH, call, methods=["POST"])])


def _describe(erp: Erp, request: Request) -> Response:
    if not _signed_in(erp, request):
        response = _unauthorised()
    elif "wsdl" not in (name.lower() for name in request.query_params):
        response = Response("add ?wsdl to read the description\n", 404, media_type="text/plain")
    else:
        response = Response(soap.wsdl(str(request.url.replace(query=""))), media_type=XML)
    erp.ledger.record("erp", "GET", PATH, status=response.status_code, operation="wsdl")
    return response


def _call(erp: Erp, request: Request, body: bytes | None) -> Response:
    if not _signed_in(erp, request):
        return _noted(erp, _unauthorised())
    if body is None:
        return _noted(erp, Response("the request is too large\n", 413, media_type="text/plain"))
    operation: str = ""
    arguments: soap.Arguments = {}
    try:
        if erp.bucket.take():
            raise soap.Fault("ERP-BUSY", "too many calls: at most 5 a second, 10 at once")
        operation, arguments = soap.request(body)
        # What is changed and the line in the ledger stand or fall together.
        with erp.state.transaction() if operation in WRITES else nullcontext():
            content = OPERATIONS[operation](erp, arguments)
            response = Response(soap.answer(operation, content), media_type=XML)
            return _noted(erp, response, operation, f"{len(content)} elements", arguments)
    except soap.Fault as refusal:
        return _noted(erp, Response(soap.fault(refusal), 500, media_type=XML), operation, str(refusal), arguments)


def _noted(
    erp: Erp, response: Response, operation: str = "", summary: str = "", arguments: soap.Arguments | None = None
) -> Response:
    """``response``, written down."""
    erp.ledger.record(
        "erp",
        "POST",
        PATH,
        status=response.status_code,
        operation=operation,
        write=operation in WRITES,
        summary=summary,
        detail=arguments,
    )
    return response


async def _body(request: Request) -> bytes | None:
    """The body, None when it is larger than allowed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            return None
    return bytes(body)


def _signed_in(erp: Erp, request: Request) -> bool:
    given = request.headers.get("authorization", "").encode()
    expected = b"Basic " + base64.b64encode(f"{LOGIN}:{erp.password}".encode())
    return hmac.compare_digest(given, expected)


def _unauthorised() -> Response:
    return Response("wrong name or password\n", 401, {"WWW-Authenticate": 'Basic realm="ERP"'}, media_type="text/plain")
