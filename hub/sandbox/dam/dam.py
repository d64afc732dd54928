"""The DAM as its editors use it; the API is beside it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import Clock
from hub.sandbox.dam.shelf import Asset, shelf
from hub.sandbox.dam.times import stamp
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State

if TYPE_CHECKING:
    from fastapi import FastAPI

TOKEN = "dam-access-token"  # noqa: S105 - the name of the file that holds it
TABLES = (
    """CREATE TABLE IF NOT EXISTS dam_asset (
        id TEXT PRIMARY KEY, product TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL,
        web BLOB NOT NULL, original BLOB NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS dam_asset_by_update ON dam_asset (updated, id)",
)


class Dam:
    """Everything lies in ``state``: any number of instances show the same library."""

    def __init__(self, state: State, assortment: Assortment, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.assortment = assortment
        self.ledger = ledger
        self.clock = clock
        state.declare(*TABLES)

    def populate(self) -> None:
        """The pictures of all styles, and what a library gathers beside them over the years."""
        with self.state.transaction():
            for asset in shelf(self.assortment):
                self._put(asset, asset.updated)

    def app(self) -> FastAPI:
        """The API under ``/api/v1/``."""
        from hub.sandbox.dam.api import web

        return web(self).app()

    @property
    def token(self) -> str:
        """The access token of the hub."""
        return self.state.secret(TOKEN, lambda: secrets.token_hex(20))

    # --- what editors do --------------------------------------------------------------------------

    def replace(self, asset: str, png: bytes) -> str:
        """An editor uploads a better picture for ``asset``; answers its SHA-256."""
        return self._change(asset, web=png, original=png)

    def withdraw(self, asset: str) -> None:
        """The rights have ended: the asset is archived and no channel may show it."""
        self._change(asset, status="archived")

    def add(
        self, product: str, position: int, png: bytes, alt: Mapping[str, str] | None = None, skus: tuple[str, ...] = ()
    ) -> str:
        """The photographer delivers: answers the new asset's id."""
        id = f"DAM-{product}-{position}"
        added = Asset(id=id, product=product, position=position, web=png, original=png, alt=alt or {}, skus=skus)
        self._put(added, self.clock.now())
        return id

    def hashes(self, product: str) -> list[str]:
        """SHA-256 of what channels receive, by position, of the assets that may be shown."""
        rows = self.state.rows("SELECT body, web FROM dam_asset WHERE product = ? ORDER BY position, id", (product,))
        return [sha256(row["web"]).hexdigest() for row in rows if json.loads(row["body"])["status"] == "active"]

    # --- keeping ----------------------------------------------------------------------------------

    def _change(self, id: str, *, web: bytes | None = None, original: bytes | None = None, status: str = "") -> str:
        with self.state.transaction():
            row = self.state.row("SELECT * FROM dam_asset WHERE id = ?", (id,))
            if row is None:
                raise KeyError(id)
            body = json.loads(row["body"])
            changed = Asset(
                id=id,
                product=row["product"],
                position=row["position"],
                web=web or row["web"],
                original=original or row["original"],
                alt=body["alt"],
                skus=tuple(body["skus"]),
                status=status or body["status"],
                version=body["version"] + 1,
                created=datetime.fromisoformat(body["created"]),
            )
            self._put(changed, self.clock.now())
        return changed.declared

    def _put(self, asset: Asset, updated: datetime | None) -> None:
        body = {
            "alt": dict(asset.alt),
            "skus": list(asset.skus),
            "status": asset.status,
            "version": asset.version,
            "declared": asset.declared,
            "created": (asset.created or updated or self.clock.now()).isoformat(),
        }
        self.state.execute(
            "INSERT OR REPLACE INTO dam_asset VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(asset.id, asset.product, asset.position, json.dumps(body)),
                *(asset.web, asset.original, stamp(updated or self.clock.now())),
            ),
        )

    def page(self, since: str, after: tuple[str, str] | None, limit: int) -> list[Any]:
        """Rows in the order of their changes: later than ``since``, behind ``after`` (time and id)."""
        return self.state.rows(
            "SELECT * FROM dam_asset WHERE updated > ? AND (updated, id) > (?, ?) ORDER BY updated, id LIMIT ?",
            (since, *(after or ("", "")), limit),
        )
