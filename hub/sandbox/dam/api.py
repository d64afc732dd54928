"""The DAM's addresses, who may come in, and how often."""

from __future__ import annotations

import base64
import hmac
import json
import struct
from collections.abc import Mapping
from datetime import datetime
from hashlib import md5, sha256
from typing import TYPE_CHECKING, Any

from hub.sandbox.dam.times import stamp
from hub.sandbox.limits import Bucket
from hub.sandbox.pictures import SIGNATURE
from hub.sandbox.web import Note, Refusal, Reply, Request, Route, Web

if TYPE_CHECKING:
    from hub.sandbox.dam.dam import Dam

BUCKET, PER_SECOND = 20, 20
DEFAULT_PAGE, LARGEST_PAGE = 50, 100
RENDITIONS = ("original", "web")


def web(dam: Dam) -> Web:
    """The API; each call makes one with a full budget of its own."""
    gate, api = Gate(dam).let_in, Api(dam)
    found = [
        ("/api/v1/account", "account", api.account),
        ("/api/v1/assets", "assets", api.assets),
        ("/api/v1/assets/{id}", "asset", api.asset),
        ("/api/v1/assets/{id}/renditions/{name}", "download", api.download),
    ]
    routes = [
        Route(method="GET", path=path, operation=name, handler=handler, gate=gate) for path, name, handler in found
    ]
    return Web("dam", dam.ledger, routes, refusal(404, "not_found", "There is nothing at this address.").reply)


def refusal(status: int, code: str, message: str, **headers: str) -> Refusal:
    """How this DAM says no."""
    reply = Reply(status=status, body={"error": {"code": code, "message": message}}, headers=headers)
    return Refusal(reply)


class Gate:
    """Sign-in and the bucket of the one access token."""

    def __init__(self, dam: Dam) -> None:
        self.token = dam.token
        self.bucket = Bucket(BUCKET, PER_SECOND * dam.state.haste)

    def let_in(self, request: Request) -> Mapping[str, str]:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise refusal(401, "unauthorized", "The access token is missing or wrong.")
        if self.bucket.take() > 0:
            raise refusal(429, "rate_limited", "Too many requests.", **{"retry-after": "1"})
        return {}


class Api:
    """Four operations, all of them reading."""

    def __init__(self, dam: Dam) -> None:
        self.dam = dam

    def account(self, request: Request, note: Note) -> Reply:
        count = self.dam.state.row("SELECT count(*) AS n FROM dam_asset")
        return Reply(body={"name": "Maison Omni", "assets": count["n"] if count else 0, "renditions": list(RENDITIONS)})

    def assets(self, request: Request, note: Note) -> Reply:
        """Changed later than ``updated_since``, oldest change first."""
        limit = _limit(request.query.get("limit"))
        rows = self.dam.page(
            _since(request.query.get("updated_since")), _behind(request.query.get("cursor")), limit + 1
        )
        shown, more = rows[:limit], len(rows) > limit
        note.summary = f"{len(shown)} assets"
        return Reply(
            body={
                "assets": [document(row) for row in shown],
                "next_cursor": _cursor(shown[-1]) if more else None,
                "as_of": stamp(self.dam.clock.now()),
            }
        )

    def asset(self, request: Request, note: Note) -> Reply:
        return Reply(body=document(self._row(request)))

    def download(self, request: Request, note: Note) -> Reply:
        """The bytes of a rendition, under the media type that its name promises."""
        row, name = self._row(request), request.params["name"]
        if name not in RENDITIONS:
            raise refusal(404, "not_found", f"There is no rendition {name}.")
        note.summary = f"{len(row[name])} bytes"
        return Reply(body=bytes(row[name]), headers={"content-type": "image/png"})

    def _row(self, request: Request) -> Any:
        row = self.dam.state.row("SELECT * FROM dam_asset WHERE id = ?", (request.params["id"].upper(),))
        if row is None:
            raise refusal(404, "not_found", f"There is no asset {request.params['id']}.")
        return row


def document(row: Any) -> dict[str, Any]:
    """An asset as the API shows it: ids in small letters, the product's code as editors type it."""
    body, id = json.loads(row["body"]), row["id"].lower()
    return {
        "id": id,
        "filename": f"{id}.png",
        "status": body["status"],
        "version": body["version"],
        "product_code": f" {row['product'].lower()}" if row["position"] == 2 else row["product"] or None,
        "sku_codes": body["skus"],
        "position": row["position"],
        "alt_text": body["alt"],
        "created_at": body["created"],
        "updated_at": row["updated"],
        "renditions": {
            "original": _rendition(id, "original", row["original"]),
            "web": _rendition(id, "web", row["web"], body["declared"]),
        },
    }


def _rendition(id: str, name: str, content: bytes, declared: str | None = None) -> dict[str, Any]:
    return {
        "mime_type": "image/png",
        **_size(content),
        "bytes": len(content),
        "sha256": declared or sha256(content).hexdigest(),
        "md5": md5(content, usedforsecurity=False).hexdigest(),
        "download_url": f"/api/v1/assets/{id}/renditions/{name}",
    }


def _size(content: bytes) -> dict[str, int]:
    """Width and height of a PNG; nothing of what is none."""
    if not content.startswith(SIGNATURE):
        return {}
    width, height = struct.unpack_from(">II", content, len(SIGNATURE) + 8)
    return {"width": width, "height": height}


# --- reading the query ----------------------------------------------------------------------------


def _limit(written: str | None) -> int:
    if written is None:
        return DEFAULT_PAGE
    if not written.isdecimal() or not 1 <= int(written) <= LARGEST_PAGE:
        raise refusal(400, "invalid_parameter", f"limit is a number from 1 to {LARGEST_PAGE}.")
    return int(written)


def _since(written: str | None) -> str:
    if not written:
        return ""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise refusal(400, "invalid_parameter", "updated_since is an RFC 3339 time.")
    return stamp(moment)


def _cursor(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row["updated"], row["id"]]).encode()).decode().rstrip("=")


def _behind(cursor: str | None) -> tuple[str, str] | None:
    if not cursor:
        return None
    try:
        updated, id = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=="))
    except ValueError:
        raise refusal(400, "invalid_parameter", "The cursor is none of ours.") from None
    return str(updated), str(id)
