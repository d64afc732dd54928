"""Airflow's own sign-in in front of every page of the hub.

Airflow does not authenticate what a plugin mounts. Every page is therefore made by :func:`signed_in_app`,
whose dependencies no route can leave out; a test asks each route without a sign-in.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import RedirectResponse

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def signed_in_app(title: str) -> FastAPI:
    """An application of which every route asks for a user who may see DAGs; it has no open description of itself."""
    from airflow.api_fastapi.core_api.security import requires_access_dag

    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_dag(method="GET")), Depends(_headers)],
    )
    app.add_exception_handler(HTTPException, _to_sign_in)
    return app


def _headers(response: Response) -> None:
    response.headers.update(HEADERS)


async def _to_sign_in(request: Request, error: Exception) -> Response:
    """A person with a browser is led to Airflow's sign-in and back; a program gets the plain 401."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    wants_page = "text/html" in request.headers.get("accept", "")
    if error.status_code == 401 and wants_page:
        return RedirectResponse(f"/auth/login?next={quote(request.url.path)}", status_code=302)
    return await http_exception_handler(request, error)
