"""Content: a picture by its hash, from the system that has it, checked before any target gets it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.connector import Library
from hub.errors import Reject, StopRun
from hub.flow.understood import understood
from hub.journal import quarantine, recompute, states
from hub.model import Content

if TYPE_CHECKING:
    from hub.flow.engine import Engine

LARGEST = 20 * 2**20  # Shopify's limit for an image: https://help.shopify.com/manual/products/product-media
KIND = "content"
# How files of these types begin; what a file is called or said to be proves nothing.
BEGINS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def content(engine: Engine, hash: str) -> Content:
    """The picture with SHA-256 ``hash``; :class:`Reject` where its owner gives out something else than it said."""
    rows = states.holding(engine.journal, "media", "hash", hash)
    if not rows:
        raise Reject("media", f"no system knows a picture with the content {hash[:12]}…")
    system, record = rows[0]
    data = kept(engine, hash) or fetched(engine, system, record, hash)
    return Content(data=data, mime=kind_of(data) or "", name=str(record.get("name") or f"{hash[:16]}"))


def kept(engine: Engine, hash: str) -> bytes | None:
    try:
        return engine.vault.open(engine.journal, f"{KIND}/{hash}")
    except StopRun:
        return None


def fetched(engine: Engine, system: str, record: Mapping[str, Any], hash: str) -> bytes:
    """The content as its owner gives it out now, kept for the next target."""
    library = engine.systems[system]
    if not isinstance(library, Library):
        raise Reject("media", f"{system} knows the picture {record['asset']} and gives out no content")
    with understood(system):
        data = library.fetch(record)
    if (wrong := objection(data, hash)) is not None:
        put_away(engine, system, record, hash, data, wrong)
        raise Reject("media", f"{record['asset']} in {system} {wrong}")
    engine.vault.keep(engine.journal, KIND, data)
    return data


def put_away(engine: Engine, system: str, record: Mapping[str, Any], hash: str, data: bytes, wrong: str) -> None:
    """What is no picture goes to quarantine by its hash; its product is derived again and does without it."""
    asset = str(record["asset"])
    with engine.journal.transaction():
        raw = engine.vault.keep(engine.journal, "refused", data[:LARGEST])
        cause = quarantine.cause_of("", wrong)
        entry = quarantine.Entry(
            object=KIND, key=hash, source_key=asset, path="", reason=f"{asset} {wrong}", cause=cause,
            fingerprint=quarantine.fingerprint(KIND, cause), origin={"source": f"{system} {asset}", "raw": raw},
            raw=raw, mapping=None,
        )  # fmt: skip
        quarantine.put(engine.journal, "product", system, [entry], "")
        recompute.mark(engine.journal, "complete_product", {str(record["product"]): False}, engine.clock.now())


def objection(data: bytes, hash: str) -> str | None:
    """Why this cannot be shown to customers, or None."""
    if len(data) > LARGEST:
        return f"has {len(data):,} bytes; a channel takes at most {LARGEST:,}"
    if kind_of(data) is None:
        return "is not an image: it begins with none of the marks of PNG, JPEG, GIF or WebP"
    if (found := hashlib.sha256(data).hexdigest()) != hash:
        return f'has the content "{found[:12]}…" and not "{hash[:12]}…" as its record says'
    return None


def kind_of(data: bytes) -> str | None:
    """The media type by how the content begins."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for begin, mime in BEGINS.items() if data.startswith(begin)), None)
