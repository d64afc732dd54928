"""The hub's pages under Airflow's API server: the latest runs, one run with its counts, steps and quarantine, and
the systems with their circuits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from hub.airflow.protect import HEADERS, signed_in_app
from hub.flow.outcome import NAMES

if TYPE_CHECKING:
    from jinja2 import Environment


def application() -> FastAPI:
    """What the plugin mounts under ``/hub``."""
    app = signed_in_app("Omnihub")
    app.add_api_route("/runs", latest, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/runs/{run}", one_run, methods=["GET"], response_class=HTMLResponse)
    app.add_api_route("/systems", systems, methods=["GET"], response_class=HTMLResponse)
    return app


def latest() -> HTMLResponse:
    """The fifty latest runs; a plain function, so that FastAPI asks the journal outside its event loop."""
    from hub.flow import Engine
    from hub.journal import runs

    with Engine.open() as engine:
        return _page("runs.html", runs=runs.recent(engine.journal))


def one_run(run: str) -> HTMLResponse:
    """One run; 404 where there is none of that id."""
    from hub.errors import ConfigError
    from hub.flow import Engine

    with Engine.open() as engine:
        try:
            return _page("run.html", run=engine.run(run))
        except ConfigError as error:
            raise HTTPException(404, str(error)) from None


def systems() -> HTMLResponse:
    """Each system as the journal knows it: whether its circuit is open, what waits for it; none is asked."""
    from hub.flow import Engine
    from hub.flow.check import overview

    with Engine.open() as engine:
        return _page("systems.html", systems=overview(engine))


def _page(template: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates().get_template(template).render(names=NAMES, **values), headers=HEADERS)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    templates.filters |= {"moment": _moment, "facts": _facts, "change": _change}
    return templates


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _facts(value: Any) -> str:
    """A value as a person reads it: ``available 4``, not braces and quotes."""
    from hub.flow.wording import brief

    return brief(value)


def _change(step: Mapping[str, Any]) -> str:
    """What a step did to a value; of a long one the fields that differ."""
    from hub.flow.wording import changes

    after = step["after"]
    if isinstance(after, Mapping):
        after = {name: value for name, value in after.items() if name not in ("because", "as_of")}
    return changes(step["before"], after)
