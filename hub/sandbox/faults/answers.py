"""What each system says when it refuses a call for a fault on demand: its vendor's own words."""

from __future__ import annotations

from typing import Any

from hub.sandbox.faults.heard import Heard
from hub.sandbox.faults.kinds import Kind
from hub.sandbox.web import Reply


def refusal(heard: Heard, kind: Kind) -> Reply:
    """The answer to a call that is not carried out."""
    if kind is Kind.TOO_MANY:
        return _too_many(heard)
    if kind is Kind.EXPIRED:
        return _unauthorised(heard)
    if kind is Kind.SOAP_FAULT:
        return _soap("soap:Server", "the application server lost its database session", 200, recorded=500)
    return _broken(heard)


def _too_many(heard: Heard) -> Reply:
    from hub.sandbox.dam import api as dam
    from hub.sandbox.pim import errors as pim
    from hub.sandbox.shop import api as shop
    from hub.sandbox.tills.errors import RATE_LIMITED

    match heard.system:
        case "erp":
            return _soap("ERP-BUSY", "too many calls: at most 5 a second, 10 at once", 500)
        case "tills":
            return RATE_LIMITED
        case "pim":
            return pim.refused(429, "API Quota exceeded", **{"retry-after": "1"}).reply
        case "dam":
            return dam.refusal(429, "rate_limited", "Too many requests.", **{"retry-after": "1"}).reply
    if heard.graphql:
        return _throttled()
    full = f"{shop.REST_BUCKET}/{shop.REST_BUCKET}"
    return Reply(status=429, body={"errors": shop.TOO_FAST}, headers={shop.CALL_LIMIT: full, "Retry-After": "2.0"})


def _throttled() -> Reply:
    """HTTP says 200: https://shopify.dev/docs/api/usage/limits."""
    from hub.sandbox.shop.graphql import BUCKET, LIMITS_PAGE, RESTORED_PER_SECOND

    status = {"maximumAvailable": float(BUCKET), "currentlyAvailable": 0, "restoreRate": float(RESTORED_PER_SECOND)}
    cost = {"requestedQueryCost": 50, "actualQueryCost": None, "throttleStatus": status}
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
    return Reply(body={"errors": [error], "extensions": {"cost": cost}}, recorded=429)


def _unauthorised(heard: Heard) -> Reply:
    from hub.sandbox.dam import api as dam
    from hub.sandbox.shop.api import WRONG_TOKEN
    from hub.sandbox.tills.errors import UNAUTHORIZED

    match heard.system:
        case "tills":
            return UNAUTHORIZED
        case "dam":
            return dam.refusal(401, "unauthorized", "The access token is missing or wrong.").reply
        case "shop":
            return Reply(status=401, body={"errors": WRONG_TOKEN})
    headers = {"WWW-Authenticate": 'Basic realm="ERP"', "content-type": "text/plain; charset=utf-8"}
    return Reply(status=401, body=b"wrong name or password\n", headers=headers)


def _broken(heard: Heard) -> Reply:
    sentence = "Internal Server Error"
    bodies: dict[str, Any] = {
        "shop": {"errors": sentence},
        "tills": {"errors": [{"category": "API_ERROR", "code": "INTERNAL_SERVER_ERROR", "detail": f"{sentence}."}]},
        "pim": {"code": 500, "message": sentence},
        "dam": {"error": {"code": "internal", "message": sentence}},
    }
    if heard.system == "erp":  # what stands in front of the ERP, not the ERP
        page = b"<html><body><h1>500 Internal Server Error</h1></body></html>"
        return Reply(status=500, body=page, headers={"content-type": "text/html"})
    return Reply(status=500, body=bodies[heard.system])


def _soap(code: str, message: str, status: int, recorded: int | None = None) -> Reply:
    from hub.sandbox.erp import soap
    from hub.sandbox.erp.app import XML

    content = soap.fault(soap.Fault(code, message), detailed=code.startswith("ERP-"))
    return Reply(status=status, body=content, headers={"content-type": XML}, recorded=recorded)
