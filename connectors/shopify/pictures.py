"""Pictures of a product: uploaded once by content, shown in order, with a text for those who do not see them.

https://shopify.dev/docs/apps/build/online-store/product-media: ask where to upload, upload, attach. The
file is named by the SHA-256 of its content, so that the shop's own address of a picture tells what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.shopify import product_documents as documents
from connectors.shopify.answers import SOON, refusal
from connectors.shopify.changes import Changes
from connectors.shopify.product_parts import Picture, Product
from connectors.shopify.product_view import View, shop_locale
from connectors.shopify.translations import Translations
from hub.connector import Connection
from hub.errors import Reject
from hub.model import Binding, Content
from hub.transport.effects import Effect
from hub.transport.http import Call, Http
from hub.transport.retry import NotNow

ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
GONE = {"FILE_DOES_NOT_EXIST"}
Wish = Mapping[str, Any]  # hash, position, alt


class Pictures:
    """What is to be shown with one product; ``sources`` are addresses of uploads by hash."""

    def __init__(self, changes: Changes, wanted: Sequence[Wish], known: Mapping[str, Binding]) -> None:
        self.changes = changes
        self.wanted = sorted(wanted, key=lambda one: one["position"])
        self.known = dict(known)
        self.sources: dict[str, str] = {}
        self.ids = {binding.external_id: hash for hash, binding in known.items()}

    # --- uploading --------------------------------------------------------------------------------

    def upload(self, hashes: Sequence[str], content: Callable[[str], Content]) -> None:
        """The bytes of pictures that the shop does not have; nothing is shown yet, so nothing is changed."""
        missing = [hash for hash in dict.fromkeys(hashes) if hash not in self.sources]
        if not missing:
            return
        contents = {hash: self._taken(hash, content(hash)) for hash in missing}
        payload = self.changes.make(
            documents.STAGE,
            {"input": [_stage(hash, one) for hash, one in contents.items()]},
            payload="stagedUploadsCreate",
            path="media",
            cost=documents.STAGE_COST,
            counts=False,
        )
        for hash, target in zip(contents, payload["stagedTargets"], strict=True):
            self._put(target, contents[hash])
            self.sources[hash] = target["resourceUrl"]

    def _taken(self, hash: str, content: Content) -> Content:
        if content.mime not in ENDINGS:
            raise Reject(self._path(hash), f"the shop shows no pictures of the type {content.mime}")
        return content

    def _put(self, target: Mapping[str, Any], content: Content) -> None:
        """To wherever the shop says, without the shop's own secrets."""
        address = urlsplit(target["url"])
        ours = self.changes.admin.http
        there = Connection(
            id=f"{ours.connection.id} (uploads)", schema=address.scheme, host=address.hostname or "", port=address.port
        )
        call = Call(
            method="PUT",
            path=address.path,
            params=dict(parse_qsl(address.query)),
            headers={one["name"].replace("_", "-"): one["value"] for one in target["parameters"]},
            body=content.data,
            effect=Effect.KEYED,
        )
        Http(there, session=ours.session).send(call)

    # --- showing ----------------------------------------------------------------------------------

    def show(self, view: View, content: Callable[[str], Content], translations: Translations) -> Product:
        """Bring the product's pictures in line; answers the product with them in their new order."""
        held = view.held
        hashes = {picture.id: view.hash_of(picture) for picture in held.pictures}
        self._none_in_doubt(held.pictures, hashes)
        wanted = [one["hash"] for one in self.wanted]
        kept = {hashes[p.id]: p for p in held.pictures if hashes[p.id] in wanted}
        missing = [hash for hash in wanted if hash not in kept]
        self.upload([hash for hash in missing if hash not in self.known], content)
        self._touch_files(held, kept, hashes, view.locales[0])
        made = self._reuse(held, missing, content) | self._attach(held, missing, view.locales[0])
        ids = {**{hash: picture.id for hash, picture in kept.items()}, **made}
        self.ids |= {id: hash for hash, id in ids.items()}
        self._order([p.id for p in held.pictures if hashes[p.id] in wanted], ids, held.id)
        self._say(kept, ids, translations, view.locales)
        return replace(held, pictures=[_picture(kept.get(h), ids[h], h) for h in wanted])

    def _none_in_doubt(self, pictures: Sequence[Picture], hashes: Mapping[str, str]) -> None:
        """A picture whose name is not known yet may be one that we sent: nothing is sent a second time."""
        for picture in pictures:
            unknown = hashes[picture.id].startswith("unknown:")
            if picture.status in ("UPLOADED", "PROCESSING") and unknown:
                raise NotNow("the shop is still processing a picture of this product", delay=SOON)
            if picture.status == "FAILED" and not unknown:
                reason = picture.errors or "it says no more"
                raise Reject(self._path(hashes[picture.id]), f"the shop cannot show this picture: {reason}")

    def _touch_files(self, held: Product, kept: Mapping[str, Picture], hashes: Mapping[str, str], own: str) -> None:
        """Alt texts of pictures that stay, and farewell to those that do not; the files stay in the shop's library."""
        files: list[dict[str, Any]] = [
            {"id": kept[one["hash"]].id, "alt": _alt(one, own)}
            for one in self.wanted
            if one["hash"] in kept and own in _locales(one) and kept[one["hash"]].alt.get(own, "") != _alt(one, own)
        ]
        shown = {picture.id for picture in kept.values()}
        files += [{"id": p.id, "referencesToRemove": [held.id]} for p in held.pictures if p.id not in shown]
        if files:
            self._update_files(files)

    def _update_files(self, files: list[dict[str, Any]]) -> None:
        self.changes.make(
            documents.UPDATE_FILES, {"files": files}, payload="fileUpdate", path="media", cost=documents.FILES_COST
        )

    def _reuse(self, held: Product, missing: Sequence[str], content: Callable[[str], Content]) -> dict[str, str]:
        """Pictures that the shop has from another product; one that is gone there is uploaded again."""
        made: dict[str, str] = {}
        for hash in missing:
            if hash not in self.known or hash in self.sources:
                continue
            file: dict[str, Any] = {"id": self.known[hash].external_id, "referencesToAdd": [held.id]}
            answer = self.changes.admin.graphql(
                documents.UPDATE_FILES, {"files": [file]}, cost=documents.FILES_COST, effect=Effect.KEYED
            )
            errors = answer["fileUpdate"]["userErrors"]
            if {error.get("code") for error in errors} & GONE:
                self.upload([hash], content)
            elif errors:
                raise refusal(errors, self._path(hash))
            else:
                self.changes.made += 1
                made[hash] = str(file["id"])
        return made

    def _attach(self, held: Product, missing: Sequence[str], own: str) -> dict[str, str]:
        """Uploads as new pictures, behind those that are there; the shop answers them in the order given."""
        new = [one for one in self.wanted if one["hash"] in missing and one["hash"] in self.sources]
        if not new:
            return {}
        media = [
            {"originalSource": self.sources[one["hash"]], "mediaContentType": "IMAGE", "alt": _alt(one, own)}
            for one in new
        ]
        payload = self.changes.make(
            documents.ATTACH,
            {"product": {"id": held.id}, "media": media},
            payload="productUpdate",
            path="media",
            cost=documents.ATTACH_COST,
            again=False,
        )
        ids = [node["id"] for node in payload["product"]["media"]["nodes"]]
        return dict(zip((one["hash"] for one in new), ids[-len(new) :], strict=True))

    def _order(self, kept: Sequence[str], ids: Mapping[str, str], product: str) -> None:
        """Kept pictures stand first, then reused, then new ones: move what stands elsewhere than it should."""
        wanted = [ids[one["hash"]] for one in self.wanted]
        reused = [ids[h] for h in ids if ids[h] not in kept and h not in self.sources]
        order = [*kept, *reused, *(id for id in wanted if id not in kept and id not in reused)]
        moves = []
        for n, id in enumerate(wanted):
            if order[n] != id:
                order.remove(id)
                order.insert(n, id)
                moves.append({"id": id, "newPosition": str(n)})
        if moves:
            self.changes.make(
                documents.REORDER_MEDIA,
                {"product": product, "moves": moves},
                payload="productReorderMedia",
                path="media",
                cost=documents.REORDER_MEDIA_COST,
                errors="mediaUserErrors",
            )

    def _say(
        self, kept: Mapping[str, Picture], ids: Mapping[str, str], translations: Translations, locales: Sequence[str]
    ) -> None:
        for n, one in enumerate(self.wanted):
            picture = kept.get(one["hash"])
            new_alt = picture is None or picture.alt.get(locales[0], "") != _alt(one, locales[0])
            for canonical, text in one["alt"].items():
                locale = shop_locale(canonical)
                held = picture.alt.get(locale) if picture else None
                if locale in locales[1:] and (new_alt or held != text):
                    translations.say(ids[one["hash"]], "alt", locale, text, f"media[{n}].alt.{canonical}")

    def _path(self, hash: str) -> str:
        return f"media[{next((n for n, one in enumerate(self.wanted) if one['hash'] == hash), 0)}]"


def _stage(hash: str, content: Content) -> dict[str, str]:
    return {
        "filename": f"{hash}.{ENDINGS[content.mime]}",
        "mimeType": content.mime,
        "fileSize": str(len(content.data)),
        "resource": "IMAGE",
        "httpMethod": "PUT",
    }


def _alt(one: Wish, own: str) -> str:
    return next((str(text) for locale, text in one["alt"].items() if shop_locale(locale) == own), "")


def _locales(one: Wish) -> set[str]:
    return {shop_locale(locale) for locale in one["alt"]}


def _picture(kept: Picture | None, id: str, hash: str) -> Picture:
    return replace(kept, hash=hash) if kept else Picture(id=id, hash=hash, status="UPLOADED", errors="", alt={})
