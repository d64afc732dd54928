"""What tills and shop ask at the counter: ``/v1``, with keys, limits, and an OpenAPI description of itself."""

from __future__ import annotations

from fastapi import FastAPI

from hub.gateway.api import problems, shapes
from hub.gateway.api.body import BodyLimit
from hub.gateway.api.desk import Desk
from hub.gateway.api.routes import routes

VERSION = "1.0"
DESCRIPTION = """\
What tills and shop ask at the counter, answered from the journal and fresh to its last event.

Every request carries a client's key as `Authorization: Bearer ohk_...`. Errors are `application/problem+json`
(RFC 9457) whose `type` ends with a stable word. After 429 and 503 wait for `Retry-After` seconds.
"""


def api(desk: Desk) -> FastAPI:
    """The application below ``/v1``."""
    app = FastAPI(
        title="Omnihub counter",
        version=VERSION,
        description=DESCRIPTION,
        servers=[{"url": "/v1"}],
        root_path_in_servers=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit)
    problems.install(app)
    app.include_router(routes(desk))
    app.add_api_route("/openapi.json", lambda: description(app), include_in_schema=False)
    return app


def description(app: FastAPI) -> dict[str, object]:
    """The OpenAPI 3.1 description; FastAPI's own form of a refused request is not what this gateway answers."""
    if app.openapi_schema is None:
        made = app.openapi()
        known = made["components"]["schemas"]
        known["Problem"] = shapes.Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            known.pop(name, None)
    return app.openapi()
