"""The ERP's front door: sign-in, limit, ledger, and one address for the WSDL and the calls."""

from __future__ import annotations

import base64
import hmac

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.sandbox.erp import soap
from hub.sandbox.erp.service import OPERATIONS
from hub.sandbox.erp.system import LOGIN, Erp

PATH = "/erp/StockService"
BODY_MAX = 64 * 1024
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
    operation, summary = "", ""
    arguments: dict[str, str] = {}
    if not _signed_in(erp, request):
        response = _unauthorised()
    elif body is None:
        response = Response("the request is too large\n", 413, media_type="text/plain")
    else:
        try:
            if erp.bucket.take():
                raise soap.Fault("ERP-BUSY", "too many calls: at most 5 a second, 10 at once")
            operation, arguments = soap.request(body)
            content = OPERATIONS[operation](erp, arguments)
            response = Response(soap.answer(operation, content), media_type=XML)
            summary = f"{len(content)} elements"
        except soap.Fault as refusal:
            response = Response(soap.fault(refusal), 500, media_type=XML)
            summary = str(refusal)
    erp.ledger.record(
        "erp",
        "POST",
        PATH,
        status=response.status_code,
        operation=operation,
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
