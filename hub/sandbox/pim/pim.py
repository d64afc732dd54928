"""The PIM as product managers use it; Akeneo's API is beside it."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from hub.sandbox.assortment import Assortment
from hub.sandbox.clock import Clock
from hub.sandbox.ledger import Ledger
from hub.sandbox.pim.content import Item, items
from hub.sandbox.pim.structure import CHANNEL, LOCALES, TYPES, structure
from hub.sandbox.pim.tables import TABLES, seconds, uuid_of
from hub.sandbox.pim.tokens import Tokens
from hub.sandbox.state import State

if TYPE_CHECKING:
    from fastapi import FastAPI

CLIENT, USER = "1_omnihub", "omnihub_4711"


class Pim:
    """Everything lies in ``state``: any number of instances show the same catalogue."""

    def __init__(self, state: State, assortment: Assortment, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.assortment = assortment
        self.ledger = ledger
        self.clock = clock
        state.declare(*TABLES)
        self.tokens = Tokens(state, clock)

    def populate(self) -> None:
        """The structure, then every style with its variants."""
        with self.state.transaction():
            self.state.insert(
                "INSERT INTO pim_structure VALUES (?, ?, ?, ?)",
                ((kind, owner, code, json.dumps(body)) for kind, owner, code, body in structure()),
            )
            self.state.insert("INSERT INTO pim_item VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, items(self.assortment)))

    def app(self) -> FastAPI:
        """The API under ``/api/``."""
        from hub.sandbox.pim.api import web

        return web(self).app()

    # --- credentials ------------------------------------------------------------------------------

    client_id, username = CLIENT, USER

    @property
    def secret(self) -> str:
        """The client's secret."""
        return self.state.secret("pim-client-secret", lambda: secrets.token_hex(25))

    @property
    def password(self) -> str:
        """The API user's password."""
        return self.state.secret("pim-password", lambda: secrets.token_hex(9))

    # --- what people do ---------------------------------------------------------------------------

    def edit(self, code: str, attribute: str, locale: str | None, value: Any, scope: str | None = None) -> None:
        """A product manager changes one value of a product or model; None empties it.

        ``locale`` is the retailer's (fr, en, de); a description is the shop's unless ``scope`` says otherwise.
        """
        scopable = TYPES[attribute][2]
        channel = scope or (CHANNEL if scopable else None)
        akeneo = LOCALES.get(locale, locale) if locale else None
        with self.state.transaction():
            row = self.row(code)
            body = json.loads(row["body"])
            others = [v for v in body["values"].get(attribute, []) if (v["locale"], v["scope"]) != (akeneo, channel)]
            written = [] if value is None else [{"locale": akeneo, "scope": channel, "data": value}]
            body["values"][attribute] = [*others, *written]
            self.keep(row["kind"], code, row["parent"], body)

    def rename_option(self, attribute: str, option: str, locale: str, label: str) -> None:
        """A product manager renames a colour, a size or a brand; no product's time of change moves."""
        key = ("option", attribute, option)
        row = self.state.row("SELECT body FROM pim_structure WHERE (kind, owner, code) = (?, ?, ?)", key)
        if row is None:
            raise KeyError(option)
        body = json.loads(row["body"])
        body["labels"][LOCALES.get(locale, locale)] = label
        self.keep_structure(*key, body)

    def expire_tokens(self) -> None:
        """Every access token given out so far is too old from now on; refresh tokens still count."""
        self.tokens.expire()

    # --- keeping ----------------------------------------------------------------------------------

    def row(self, code: str, kind: str | None = None) -> Any:
        """The product or model ``code``; ``KeyError`` when there is none."""
        row = self.state.row("SELECT * FROM pim_item WHERE code = ? AND kind = coalesce(?, kind)", (code, kind))
        if row is None:
            raise KeyError(code)
        return row

    def keep(self, kind: str, code: str, parent: str | None, body: dict[str, Any]) -> None:
        """Write a product or model down as it is now; its time of change is now."""
        now = seconds(self.clock.now())
        self.state.execute(
            "INSERT INTO pim_item VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, code) DO UPDATE SET"
            " parent = excluded.parent, body = excluded.body, updated = excluded.updated",
            (kind, code, uuid_of(kind, code), parent, json.dumps(body), now, now),
        )

    def keep_structure(self, kind: str, owner: str, code: str, body: dict[str, Any]) -> None:
        self.state.execute(
            "INSERT OR REPLACE INTO pim_structure VALUES (?, ?, ?, ?)", (kind, owner, code, json.dumps(body))
        )

    def structure(self, kind: str, owner: str = "") -> dict[str, dict[str, Any]]:
        """Bodies by code, in Akeneo's order: by code."""
        sql = "SELECT code, body FROM pim_structure WHERE (kind, owner) = (?, ?) ORDER BY code"
        return {row["code"]: json.loads(row["body"]) for row in self.state.rows(sql, (kind, owner))}


def _row(item: Item) -> tuple[Any, ...]:
    place = (item.kind, item.code, uuid_of(item.kind, item.code), item.parent)
    return *place, json.dumps(item.body), item.created, item.updated
