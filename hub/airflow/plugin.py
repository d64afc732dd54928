"""What Airflow loads at its start: the hub's pages and the link from a task to its run.

Airflow's scheduler, its DAG processor and every task load plugins too, so what only the API server
needs is built when the first page is asked for.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin

from hub.airflow.operators import RunLink

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application under ``/hub``; every route of it asks for a sign-in."""
    await _application()(scope, receive, send)


@cache
def _application() -> FastAPI:
    from hub.airflow.pages import application

    return application()


class OmnihubPlugin(AirflowPlugin):
    """Mounted under ``/hub`` behind Airflow's sign-in, and found under Browse."""

    name = "omnihub"
    fastapi_apps = [{"app": pages, "url_prefix": "/hub", "name": "Omnihub"}]
    external_views = [
        {
            "name": "Hub runs",
            "href": "/hub/runs",
            "destination": "nav",
            "category": "browse",
            "url_route": "hub-runs",
        },
        {
            "name": "Hub systems",
            "href": "/hub/systems",
            "destination": "nav",
            "category": "browse",
            "url_route": "hub-systems",
        },
    ]
    operator_extra_links = [RunLink()]
