"""Where staged uploads go and where pictures are seen: no access token, only a signature in the address or form.

https://shopify.dev/docs/apps/build/online-store/product-media: the targets are Google Cloud Storage's;
a form upload is answered with 201, a signed PUT with 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING

from hub.sandbox.shop.media import UPLOADS
from hub.sandbox.shop.media_views import CDN
from hub.sandbox.web import Note, Refusal, Reply, Request, Route

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

XML = {"content-type": "application/xml; charset=UTF-8"}


def routes(shop: Shop) -> list[Route]:
    """The addresses outside of the Admin API."""
    uploads = Uploads(shop)
    return [
        Route(
            method="PUT",
            path=f"{UPLOADS}/{{key:path}}",
            operation="upload",
            handler=uploads.put,
            gate=_anybody,
            write=True,
        ),
        Route(method="POST", path=f"{UPLOADS}/", operation="upload", handler=uploads.form, gate=_anybody, write=True),
        Route(method="GET", path=f"{CDN}/{{name:path}}", operation="picture", handler=uploads.picture, gate=_anybody),
    ]


def _anybody(request: Request) -> Mapping[str, str]:
    return {}


class Uploads:
    """One method for each operation."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def put(self, request: Request, note: Note) -> Reply:
        return self._take(note, request.params["key"], request.query.get("X-Goog-Signature", ""), request.body, 200)

    def form(self, request: Request, note: Note) -> Reply:
        parts = _parts(request)
        texts = {name: part.decode("utf-8", "replace") for name, part in parts.items() if name != "file"}
        content = parts.get("file")
        if content is None:
            raise _refused(400, "InvalidArgument", "POST requires exactly one file upload per request.")
        return self._take(note, texts.get("key", ""), texts.get("x-goog-signature", ""), content, 201)

    def _take(self, note: Note, key: str, signature: str, content: bytes, status: int) -> Reply:
        note.summary = f"{len(content)} bytes to {key.rpartition('/')[2]}"
        if not self.shop.media.upload(key, signature, content):
            raise _refused(
                403, "SignatureDoesNotMatch", "The request signature or size is not the one that was staged."
            )
        body = f"<PostResponse><Key>{key}</Key></PostResponse>".encode() if status == 201 else b""
        return Reply(status=status, body=body, headers=XML)

    def picture(self, request: Request, note: Note) -> Reply:
        found = self.shop.media.content(request.params["name"])
        if found is None:
            raise _refused(404, "NoSuchKey", "The specified key does not exist.")
        return Reply(body=found[0], headers={"content-type": found[1]})


def _refused(status: int, code: str, message: str) -> Refusal:
    body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Refusal(Reply(status=status, body=body.encode(), headers=XML))


def _parts(request: Request) -> dict[str, bytes]:
    """The parts of a multipart form by name."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + request.body)
    found: dict[str, bytes] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found
