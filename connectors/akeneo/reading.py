"""Products and product models, changed since: ``search_after`` pages in the order of their keys.

Akeneo orders such pages by key and not by change, so the checkpoint moves on only with the last
page: to the newest change seen by the PIM's own clock, but not past the start of the read, since what
changed while it ran may lie on a page that had passed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.akeneo.api import Api
from connectors.akeneo.models import Models
from connectors.akeneo.options import Options
from connectors.akeneo.surroundings import fingerprint
from hub.errors import Reject
from hub.model import Batch, Checkpoint, Clock, Origin, Record, Refused, Scope
from hub.transport.times import instant_of, version_of

PATHS = {"products": "products", "product_models": "product-models"}
KEYS = {"products": "identifier", "product_models": "code"}
FORMAT = "%Y-%m-%d %H:%M:%S"
# A position this long behind the read itself moves on, so that one large import is not read again for ever; shorter,
# and a PIM whose clock runs behind ours would lose changes.
QUIET = timedelta(hours=1)


class Reading:
    """One read of one object, from its first page or from the middle of an earlier one."""

    def __init__(self, api: Api, options: Options, clock: Clock, object: str, since: Checkpoint | None) -> None:
        self.api = api
        self.options = options
        self.object = object
        self.models = Models(api)
        position = dict(since.value) if since else {}
        self.print = fingerprint(api, options.watch_options)
        if not position.get("cursor"):
            position["start"] = clock.now().isoformat()
        if position.get("surroundings") not in (None, self.print):
            # A label or an axis changed: the products that carry it look the same to Akeneo.
            position = {"start": clock.now().isoformat()}
        self.position = position
        self.start = instant_of(str(position["start"]))

    def batches(self) -> Iterator[Batch]:
        newest = str(self.position.get("newest") or "")
        for answer, items, cursor in self.api.pages(PATHS[self.object], self._params()):
            records = self._records(items, answer.url)
            newest = max([newest, *(str(one.source_version) for one in records if isinstance(one, Record))])
            yield Batch(
                records=records,
                checkpoint=self._checkpoint(newest, cursor),
                scope=Scope(as_of=None if cursor else self.start),
                raw=answer.body,
                more=cursor is not None,
            )

    def _params(self) -> dict[str, str]:
        params = {
            "pagination_type": "search_after",
            "limit": str(self.options.page_size),
            "scope": self.options.channel,
            "with_attribute_options": "true",
        }
        if since := self.position.get("updated"):
            begin = (instant_of(str(since)) - self.options.overlap).astimezone(UTC).strftime(FORMAT)
            params["search"] = json.dumps({"updated": [{"operator": ">", "value": begin}]}, separators=(",", ":"))
        if cursor := self.position.get("cursor"):
            params["search_after"] = str(cursor)
        return params

    def _checkpoint(self, newest: str, cursor: str | None) -> Checkpoint:
        if cursor is not None:
            place = {**self.position, "cursor": cursor, "newest": newest, "surroundings": self.print}
            return Checkpoint(value=place)
        known = [instant_of(text) for text in (newest, str(self.position.get("updated") or "")) if text]
        reached = min(max(*known, self.start - QUIET), self.start).isoformat() if known else None
        return Checkpoint(value={"updated": reached, "cursor": None, "surroundings": self.print})

    # --- records ----------------------------------------------------------------------------------

    def _records(self, items: list[Any], url: str) -> list[Record | Refused]:
        found = [item if isinstance(item, dict) else {} for item in items]
        if self.object == "product_models":
            self.models.know(found)
        self.models.fetch(str(item["parent"]) for item in found if item.get("parent"))
        return [self._record(item, Origin(source=url, line=line)) for line, item in enumerate(found, 1)]

    def _record(self, item: dict[str, Any], origin: Origin) -> Record | Refused:
        """The item as Akeneo wrote it, with ``root`` and ``axes`` of the model at its top."""
        name = KEYS[self.object]
        key = item.get(name)
        if not isinstance(key, str) or not key.strip():
            return Refused(object=self.object, key=None, data=item, path=name, reason="is empty", origin=origin)
        try:
            at = _updated(item)
            complete = self._complete(item)
        except Reject as error:
            return Refused(object=self.object, key=key, data=item, path=error.path, reason=error.reason, origin=origin)
        version = version_of(at.isoformat())
        return Record(object=self.object, key=key, data=complete, event_time=at, source_version=version, origin=origin)

    def _complete(self, item: dict[str, Any]) -> dict[str, Any]:
        start = item.get("parent") or (item["code"] if self.object == "product_models" else None)
        if not start:
            return {**item, "root": None, "axes": []}
        root = self.models.root(str(start))
        if not root.get("code"):
            raise Reject("parent", f"the product model at the top of {start} has no code")
        return {**item, "root": root["code"], "axes": list(self.models.axes(root))}


def _updated(item: Mapping[str, Any]) -> datetime:
    try:
        return instant_of(str(item.get("updated") or ""))
    except ValueError:
        raise Reject("updated", "is no time with an offset") from None
