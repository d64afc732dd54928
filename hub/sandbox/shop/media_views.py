"""Pictures as GraphQL objects, and translations of anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hub.sandbox.shop.pages import View
from hub.sandbox.shop.tables import gid, parsed

if TYPE_CHECKING:
    from hub.sandbox.shop.shop import Shop

CDN = "/s/files/1/0603/6127/7654/files"  # where pictures are shown to the world
MESSAGES = {
    "UNSUPPORTED_IMAGE_FILE_TYPE": "The file type is not supported.",
    "IMAGE_DOWNLOAD_FAILURE": "The image could not be downloaded.",
    "IMAGE_PROCESSING_FAILURE": "The image could not be processed.",
}


class MediaViews:
    """``base`` is the shop's address as the caller knows it."""

    def __init__(self, shop: Shop, base: str) -> None:
        self.shop = shop
        self.base = base

    def by_id(self, id: int) -> View | None:
        row = self.shop.media.row(id)
        return self.image(row) if row else None

    def image(self, row: Any, *, just_made: bool = False) -> View:
        """A picture; the answer that makes one comes before its bytes are looked at."""
        status = "UPLOADED" if just_made else row["status"]
        resource = gid("MediaImage", row["id"])
        image = self._image(row) if status == "READY" else None
        return {
            "__typename": "MediaImage",
            "id": resource,
            "alt": row["alt"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "status": status,
            "fileStatus": status,
            "mediaContentType": "IMAGE",
            "mimeType": row["mime"] if image else None,
            "mediaErrors": _errors(row) if status == "FAILED" else [],
            "fileErrors": _errors(row) if status == "FAILED" else [],
            "image": image,
            "preview": {"image": image, "status": status},
            "originalSource": {"fileSize": row["size"], "url": image and image["url"]} if image else None,
            "translations": self.translations(resource),
        }

    def _image(self, row: Any) -> View:
        version = int(parsed(row["updated_at"]).timestamp())
        return {
            "id": gid("ImageSource", row["id"]),
            "altText": row["alt"],
            "width": row["width"],
            "height": row["height"],
            "url": f"{self.base}{CDN}/{quote(row['name'])}?v={version}",
        }

    def translations(self, resource: str) -> Callable[..., list[View]]:
        """The field ``translations`` of ``resource``; no market has words of its own."""

        def field(info: Any, locale: str, marketId: str | None = None, outdated: bool | None = None) -> list[View]:
            found = self.shop.texts.of(resource, locale) if marketId is None else []
            return [text for text in found if outdated is None or text["outdated"] == outdated]

        return field


def _errors(row: Any) -> list[View]:
    return [{"code": row["error"], "details": None, "message": MESSAGES[row["error"]]}]
