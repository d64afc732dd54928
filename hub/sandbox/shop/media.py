"""The shop's files: staged, uploaded, looked at, and shown with products.

https://shopify.dev/docs/apps/build/online-store/product-media: an app asks where to upload, uploads,
and names the place when it makes a file. A source that is no picture makes a file that has failed.
"""

from __future__ import annotations

import secrets
import struct
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from hub.sandbox.clock import Clock
from hub.sandbox.shop import catalog
from hub.sandbox.shop.catalog import Catalog
from hub.sandbox.shop.media_views import CDN
from hub.sandbox.shop.tables import stored

UPLOADS = "/staged-uploads"
SHOP = "60361277654"
MOST_ON_PRODUCT = 250
COLUMNS = "id, name, alt, mime, length(content) AS size, width, height, status, error, created_at, updated_at"


class Media:
    """Stateless over the shop's tables."""

    def __init__(self, shelf: Catalog, clock: Clock) -> None:
        self.catalog = shelf
        self.state = shelf.state
        self.clock = clock

    def row(self, id: int) -> Any | None:
        """A file without its bytes."""
        return self.state.row(f"SELECT {COLUMNS} FROM shop_file WHERE id = ?", (id,))  # noqa: S608 - ours

    def page(self, term: str, values: Sequence[Any], after: int, limit: int) -> list[Any]:
        """Files by id that fulfil ``term``."""
        return self.state.rows(
            f"SELECT {COLUMNS} FROM shop_file WHERE id > ? AND {term} ORDER BY id LIMIT ?",  # noqa: S608 - ours
            [after, *values, limit],
        )

    def content(self, name: str) -> tuple[bytes, str] | None:
        """The bytes and media type of the file called ``name``."""
        row = self.state.row("SELECT content, mime FROM shop_file WHERE name = ? AND status = 'READY'", (name,))
        return (bytes(row["content"]), row["mime"]) if row else None

    # --- uploads ----------------------------------------------------------------------------------

    def stage(self, name: str, mime: str, size: int | None) -> tuple[str, str]:
        """A place for one upload: its key and the signature that opens it."""
        key = f"tmp/{SHOP}/products/{uuid.uuid4()}/{PurePosixPath(name).name}"
        signature = secrets.token_hex(16)
        self.state.execute(
            "INSERT INTO shop_upload VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (key, PurePosixPath(name).name, mime, size, signature, stored(self.clock.now())),
        )
        return key, signature

    def upload(self, key: str, signature: str, content: bytes) -> bool:
        """Take what was uploaded; False where nothing was staged or the size is another one."""
        cursor = self.state.execute(
            "UPDATE shop_upload SET content = ? WHERE key = ? AND signature = ? AND coalesce(size, ?) = ?",
            (content, key, signature, len(content), len(content)),
        )
        return cursor.rowcount == 1

    # --- files ------------------------------------------------------------------------------------

    def create(self, source: str, alt: str | None, name: str | None = None) -> int:
        """A file from a place that was uploaded to, or from a picture that is shown already."""
        found = self._source(source)
        content, given = found if found else (b"", PurePosixPath(urlsplit(source).path).name or "file")
        mime, width, height = look(content)
        failed = None if mime else "UNSUPPORTED_IMAGE_FILE_TYPE" if found else "IMAGE_DOWNLOAD_FAILURE"
        id, at = self.catalog.next_id("shop_file", catalog.FIRST_FILE), stored(self.clock.now())
        row = (id, self._free_name(name or given), alt or "", mime, content, width, height)
        self.state.execute(
            "INSERT INTO shop_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, "FAILED" if failed else "READY", failed, at, at),
        )
        return id

    def change(self, id: int, values: Mapping[str, Any]) -> None:
        """Another alt text or name."""
        for column, value in values.items():
            at = stored(self.clock.now())
            self.state.execute(
                f"UPDATE shop_file SET {column} = ?, updated_at = ? WHERE id = ?",  # noqa: S608 - ours
                (value, at, id),
            )
        self.catalog.touch(self.products_of(id), stored(self.clock.now()))

    def delete(self, id: int) -> None:
        self.catalog.touch(self.products_of(id), stored(self.clock.now()))
        self.state.execute("DELETE FROM shop_product_file WHERE file_id = ?", (id,))
        self.state.execute("DELETE FROM shop_file WHERE id = ?", (id,))

    def products_of(self, id: int) -> list[int]:
        rows = self.state.rows("SELECT product_id FROM shop_product_file WHERE file_id = ?", (id,))
        return [row["product_id"] for row in rows]

    def _source(self, source: str) -> tuple[bytes, str] | None:
        path = unquote(urlsplit(source).path)
        if path.startswith(f"{CDN}/"):
            shown = self.content(path.removeprefix(f"{CDN}/"))
            return (shown[0], PurePosixPath(path).name) if shown else None
        row = self.state.row(
            "SELECT name, content FROM shop_upload WHERE key = ? AND content IS NOT NULL",
            (path.removeprefix(f"{UPLOADS}/"),),
        )
        return (bytes(row["content"]), row["name"]) if row else None

    def _free_name(self, name: str) -> str:
        """A name that is taken gets an id of its own at the end."""
        path = PurePosixPath(name)
        return f"{path.stem}_{uuid.uuid4()}{path.suffix}" if self.taken(path.name) else path.name

    def taken(self, name: str) -> bool:
        """Whether a file is called ``name``."""
        return self.state.row("SELECT 1 FROM shop_file WHERE name = ?", (name,)) is not None

    # --- on products ------------------------------------------------------------------------------

    def attach(self, product: int, ids: Iterable[int]) -> None:
        """Show files with a product, behind those that it has."""
        order = [row["id"] for row in self.catalog.files(product)]
        self._order(product, [*order, *(id for id in ids if id not in order)])

    def detach(self, product: int, ids: Iterable[int]) -> None:
        gone = set(ids)
        self._order(product, [row["id"] for row in self.catalog.files(product) if row["id"] not in gone])

    def move(self, product: int, moves: Iterable[tuple[int, int]]) -> None:
        """Carry out moves (file, new position from 0) one after the other."""
        order = [row["id"] for row in self.catalog.files(product)]
        for id, position in moves:
            order.remove(id)
            order.insert(position, id)
        self._order(product, order)

    def _order(self, product: int, ids: Sequence[int]) -> None:
        self.state.execute("DELETE FROM shop_product_file WHERE product_id = ?", (product,))
        rows = [(product, id, position) for position, id in enumerate(ids, 1)]
        self.state.insert("INSERT INTO shop_product_file VALUES (?, ?, ?)", rows)
        self.catalog.touch([product], stored(self.clock.now()))


def look(content: bytes) -> tuple[str | None, int | None, int | None]:
    """Media type, width and height of a picture; None for what is none."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR" and len(content) >= 33:
        width, height = struct.unpack(">II", content[16:24])
        return "image/png", width, height
    if content.startswith((b"GIF87a", b"GIF89a")) and len(content) > 10:
        width, height = struct.unpack("<HH", content[6:10])
        return "image/gif", width, height
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", None, None
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", None, None
    return None, None, None
