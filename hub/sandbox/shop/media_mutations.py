"""The mutations that bring pictures in, show them with products and take them away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.sandbox.shop.media import MOST_ON_PRODUCT, UPLOADS
from hub.sandbox.shop.outcomes import Error, Input, error
from hub.sandbox.shop.pages import View
from hub.sandbox.shop.requests import refuse_more_than, told
from hub.sandbox.shop.tables import gid, legacy_id
from hub.sandbox.shop.views import Views
from hub.sandbox.web import Note

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

    from hub.sandbox.shop.shop import Shop

    Info = GraphQLResolveInfo[Any]

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
LONGEST_ALT = 512
NO_PRODUCT = ("Product does not exist", ["productId"], "PRODUCT_DOES_NOT_EXIST")


class MediaMutations:
    """Resolvers by the names of the root fields; what makes a file answers before its bytes are looked at."""

    def __init__(self, shop: Shop, views: Views, note: Note, base: str) -> None:
        self._shop = shop
        self._views = views
        self._note = note
        self._base = base

    # --- uploads ----------------------------------------------------------------------------------

    def staged_uploads_create(self, info: Info, input: Sequence[Input]) -> View:
        """Where to upload each file, with what the upload must carry."""
        errors = [
            error("Mime type is not supported for this resource", ["input", str(n), "mimeType"])
            for n, entry in enumerate(input)
            if entry["resource"] in ("IMAGE", "PRODUCT_IMAGE") and entry["mimeType"] not in IMAGES
        ]
        self._note.summary = told(f"{len(input)} uploads", errors, "staged")
        return {"stagedTargets": None if errors else [self._target(entry) for entry in input], "userErrors": errors}

    def _target(self, entry: Input) -> View:
        """By PUT the address alone is signed; by POST a form carries key, policy and signature."""
        size = int(entry["fileSize"]) if entry.get("fileSize") else None
        key, signature = self._shop.media.stage(entry["filename"], entry["mimeType"], size)
        place = f"{self._base}{UPLOADS}"
        if entry.get("httpMethod") != "POST":
            parameters = {"content_type": entry["mimeType"], "acl": "private"}
            url = f"{place}/{key}?X-Goog-Signature={signature}"
        else:
            fixed = {"Content-Type": entry["mimeType"], "success_action_status": "201", "acl": "private", "key": key}
            parameters, url = {**fixed, "x-goog-signature": signature, "policy": "e30="}, f"{place}/"
        pairs = [{"name": name, "value": value} for name, value in parameters.items()]
        return {"url": url, "resourceUrl": f"{place}/{key}", "parameters": pairs}

    # --- files ------------------------------------------------------------------------------------

    def file_create(self, info: Info, files: Sequence[Input]) -> View:
        refuse_more_than(250, files, ["fileCreate", "files"])
        errors = _alt_errors(files)
        ids = [] if errors else [self._made(entry) for entry in files]
        self._note.summary = told(f"{len(files)} files", errors)
        return {"files": None if errors else [self._fresh(id) for id in ids], "userErrors": errors}

    def _made(self, entry: Input) -> int:
        return self._shop.media.create(entry["originalSource"], entry.get("alt"), entry.get("filename"))

    def file_update(self, info: Info, files: Sequence[Input]) -> View:
        """Other alt texts and names, and the products that show a file."""
        errors = _alt_errors(files)
        for n, entry in enumerate(files):
            errors += self._update_errors(["files", str(n)], entry)
        self._note.summary = told(f"{len(files)} files", errors)
        if errors:
            return {"files": None, "userErrors": errors}
        views = [self._updated(entry) for entry in files]
        return {"files": views, "userErrors": []}

    def _updated(self, entry: Input) -> View | None:
        id = _file(entry["id"])
        columns = {"alt": "alt", "filename": "name"}
        changes = {column: entry[name] or "" for name, column in columns.items() if name in entry}
        self._shop.media.change(id, changes)
        for product in entry.get("referencesToAdd") or []:
            self._shop.media.attach(_product(product), [id])
        for product in entry.get("referencesToRemove") or []:
            self._shop.media.detach(_product(product), [id])
        return self._views.products.media.by_id(id)

    def _update_errors(self, field: list[str], entry: Input) -> list[Error]:
        row = self._shop.media.row(_file(entry["id"]))
        if row is None:
            return [error("File does not exist.", [*field, "id"], "FILE_DOES_NOT_EXIST")]
        products = [*(entry.get("referencesToAdd") or []), *(entry.get("referencesToRemove") or [])]
        if any(self._shop.catalog.product(_product(product)) is None for product in products):
            text = "The target resource does not exist"
            return [error(text, [*field, "referencesToAdd"], "REFERENCE_TARGET_DOES_NOT_EXIST")]
        if entry.get("filename") not in (None, row["name"]) and self._shop.media.taken(entry["filename"]):
            return [error("The provided filename already exists.", [*field, "filename"], "FILENAME_ALREADY_EXISTS")]
        if row["status"] != "READY":
            return [error("Non-ready files cannot be updated.", [*field, "id"], "NON_READY_STATE")]
        return []

    def file_delete(self, info: Info, fileIds: Sequence[str]) -> View:
        missing = [id for id in fileIds if self._shop.media.row(_file(id)) is None]
        if missing:
            text = f"File id {missing[0]} does not exist."
            return {"deletedFileIds": None, "userErrors": [error(text, ["fileIds"], "FILE_DOES_NOT_EXIST")]}
        for id in fileIds:
            self._shop.media.delete(_file(id))
        return {"deletedFileIds": list(fileIds), "userErrors": []}

    # --- on products ------------------------------------------------------------------------------

    def product_create_media(self, info: Info, productId: str, media: Sequence[Input]) -> View:
        """New pictures behind those that the product has."""
        product = _product(productId)
        errors = self._create_errors(product, media)
        if errors:
            return {"media": None, "mediaUserErrors": errors, "product": None}
        ids = [self._shop.media.create(entry["originalSource"], entry.get("alt")) for entry in media]
        self._shop.media.attach(product, ids)
        views = [self._fresh(id) for id in ids]
        return {"media": views, "mediaUserErrors": [], "product": self._views.products.by_id(product)}

    def _create_errors(self, product: int, media: Sequence[Input]) -> list[Error]:
        if self._shop.catalog.product(product) is None:
            return [error(*NO_PRODUCT)]
        if len(self._shop.catalog.files(product)) + len(media) > MOST_ON_PRODUCT:
            text = f"Exceeded {MOST_ON_PRODUCT} media per product"
            return [error(text, ["media"], "PRODUCT_MEDIA_LIMIT_EXCEEDED")]
        return [
            error("Invalid media type", ["media", str(n), "mediaContentType"], "INVALID_MEDIA_TYPE")
            for n, entry in enumerate(media)
            if entry["mediaContentType"] != "IMAGE"
        ]

    def product_delete_media(self, info: Info, productId: str, mediaIds: Sequence[str]) -> View:
        """Take pictures off a product; the files are gone as well, as Shopify's are."""
        product = _product(productId)
        errors = self._media_errors(product, "mediaIds", mediaIds)
        gone = [] if errors else list(mediaIds)
        for id in gone:
            self._shop.media.delete(_file(id))
        view = self._views.products.by_id(product)
        return {"deletedMediaIds": None if errors else gone, "mediaUserErrors": errors, "product": view}

    def product_reorder_media(self, info: Info, id: str, moves: Sequence[Input]) -> View:
        """Shopify does it in a job; here it is over when the answer leaves."""
        product = _product(id)
        errors = self._media_errors(product, "moves", [move["id"] for move in moves])
        if not errors:
            self._shop.media.move(product, [(_file(move["id"]), int(move["newPosition"])) for move in moves])
        job = {"id": gid("Job", product), "done": False}
        return {"job": None if errors else job, "mediaUserErrors": errors}

    def _media_errors(self, product: int, name: str, ids: Sequence[str]) -> list[Error]:
        if self._shop.catalog.product(product) is None:
            return [error(*NO_PRODUCT)]
        held = {row["id"] for row in self._shop.catalog.files(product)}
        return [
            error("Media does not exist on the given product", [name, str(n)], "MEDIA_DOES_NOT_EXIST_ON_PRODUCT")
            for n, id in enumerate(ids)
            if _file(id) not in held
        ]

    def _fresh(self, id: int) -> View:
        return self._views.products.media.image(self._shop.media.row(id), just_made=True)


def _alt_errors(files: Sequence[Input]) -> list[Error]:
    text = f"The alt value exceeds the maximum limit of {LONGEST_ALT} characters."
    long = [n for n, entry in enumerate(files) if len(entry.get("alt") or "") > LONGEST_ALT]
    return [error(text, ["files", str(n), "alt"], "ALT_VALUE_LIMIT_EXCEEDED") for n in long]


def _file(id: str) -> int:
    return legacy_id(id, "MediaImage") or 0


def _product(id: str) -> int:
    return legacy_id(id, "Product") or 0
