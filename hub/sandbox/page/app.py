"""Three addresses: the page, and its two forms. Nothing is answered before the sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.errors import ConfigError
from hub.sandbox.page.entry import Entry
from hub.sandbox.page.view import page
from hub.sandbox.retailer import Retailer

LONGEST = 4096  # bytes of a form
SHOWN = 50  # calls
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def application(retailer: Retailer, ports: Mapping[str, int]) -> Starlette:
    """The page of ``retailer``, whose systems listen on ``ports``."""
    desk = Desk(retailer, ports)
    routes = [
        Route("/", desk.guarded(desk.show), methods=["GET"]),
        Route("/faults", desk.guarded(desk.add), methods=["POST"]),
        Route("/faults/end", desk.guarded(desk.end), methods=["POST"]),
    ]
    return Starlette(routes=routes)


class Desk:
    """What the three addresses do."""

    def __init__(self, retailer: Retailer, ports: Mapping[str, int]) -> None:
        self.retailer = retailer
        self.ports = ports
        self.entry = Entry(retailer.state)

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Only by our own name and with the sign-in; every answer carries the headers that keep a browser careful."""

        async def checked(request: Request) -> Response:
            if not self.entry.calls_us_by_name(request.headers):
                response: Response = PlainTextResponse("this address is not ours\n", 421)
            elif not self.entry.signed_in(request.headers):
                sign_in = {"WWW-Authenticate": 'Basic realm="Omnihub sandbox", charset="UTF-8"'}
                response = PlainTextResponse("sign in first\n", 401, sign_in)
            else:
                response = await endpoint(request)
            response.headers.update(HEADERS)
            return response

        return checked

    async def show(self, request: Request) -> Response:
        return await run_in_threadpool(self._page)

    async def add(self, request: Request) -> Response:
        """The form that lets a system fail."""
        form = await self._form(request)
        if form is None:
            return PlainTextResponse("this form was not sent from the sandbox's page\n", 403)
        return await run_in_threadpool(self._add, form)

    async def end(self, request: Request) -> Response:
        """The button that ends one fault."""
        form = await self._form(request)
        if form is None:
            return PlainTextResponse("this form was not sent from the sandbox's page\n", 403)
        number = form.get("id", "")
        if number.isdecimal():
            await run_in_threadpool(self.retailer.faults.clear, id=int(number[:18]))
        return RedirectResponse("/", 303)

    def _add(self, form: Mapping[str, str]) -> Response:
        try:
            share, minutes = float(form["rate"]) / 100, float(form["minutes"])
            if not 0 < minutes <= 1440:
                raise ConfigError("a fault lasts from one minute to a day")
            self.retailer.faults.add(
                form["system"], form["kind"], rate=share, seconds=minutes * 60, only=form.get("only") or None
            )
        except (ConfigError, KeyError, ValueError) as error:
            sentence = str(error) if isinstance(error, ConfigError) else "the form is not complete"
            return self._page(sentence, 400)
        return RedirectResponse("/", 303)

    def _page(self, trouble: str = "", status: int = 200) -> Response:
        faults, ledger = self.retailer.faults, self.retailer.ledger
        text = page(
            self.ports,
            ledger.counts(),
            faults.running(),
            faults.counts(),
            ledger.latest(SHOWN),
            self.entry.proof,
            trouble,
        )
        return HTMLResponse(text, status)

    async def _form(self, request: Request) -> dict[str, str] | None:
        """The fields of a form of ours; None for any other."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST:
                return None
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        return form if self.entry.proves(request.headers, form.get("proof", "")) else None
