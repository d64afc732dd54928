"""A library of pictures over REST: assets changed since, and their content when a target needs it.

``GET /api/v1/assets?updated_since=&cursor=&limit=`` answers ``{assets, next_cursor, as_of}`` with the
oldest change first; each asset names its renditions with checksum and address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector, Context
from hub.errors import HubError, Reject, StopRun
from hub.model import Batch, Checkpoint, Health, Origin, Record, Refused, Scope
from hub.transport.http import Answer, Call, Http, Limits, json_of, required_password
from hub.transport.options import Duration, Size
from hub.transport.paging import Trail
from hub.transport.times import instant_of, utc_text, version_of

if TYPE_CHECKING:
    import requests

OBJECT = "assets"
ROOT = "/api/v1/"
GONE = frozenset({404, 410})


class Options(BaseModel):
    """The options of one library."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page_size: int = Field(100, ge=1, le=100, description="Assets per page; the library allows 100.")
    overlap: Duration = Field(
        timedelta(minutes=2), description="How far each read reaches back behind the last one, for late changes."
    )
    largest: Size = Field(20 * 2**20, description="Largest picture that is fetched, as in 20MiB.")


class Dam(Connector):
    """Source of ``assets``, whose content it gives out on demand."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        connection = context.connection
        headers = {"Authorization": f"Bearer {required_password(connection, 'the access token of the library')}"}
        limits = Limits(size=max(config.largest, Limits().size))
        self.system = connection.id
        self.http = Http(connection, budget=context.budget, headers=headers, session=session, limits=limits)

    def check(self) -> Health:
        """Sign in and count the assets."""
        try:
            _, account = self._get("account")
        except HubError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, facts={"library": account.get("name"), "assets": account.get("assets")})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """Pages of what changed since the checkpoint less the overlap; each page can be the last one read."""
        if object != OBJECT:
            raise StopRun(f"dam reads {OBJECT}, not {object}")
        position = dict(since.value) if since else {}
        trail = Trail(f"{self.system} {OBJECT}")
        while True:
            batch = self._page(position)
            yield batch
            if not batch.more:
                return
            position = dict(batch.checkpoint.value)
            trail.step(position["cursor"])

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        return Checkpoint(value={"updated_since": moment.isoformat(), "cursor": None})

    def release(self, checkpoint: Checkpoint) -> None:
        """The library keeps nothing for us."""

    def fetch(self, record: Mapping[str, Any]) -> bytes:
        """The bytes at the record's ``location``, which is an address of this library and of no other."""
        location = str(record.get("location") or "")
        if not location.startswith(ROOT) or _leads_away(location):
            raise Reject("location", f'"{location[:80]}" is no address of this library; they begin with {ROOT}')
        answer = self.http.send(Call(path=location, accept=GONE))
        if answer.status in GONE:
            raise Reject("location", f"{self.system} no longer has {location}")
        if len(answer.body) > self.options.largest:
            raise Reject("location", f"has {len(answer.body):,} bytes; at most {self.options.largest:,} are fetched")
        return answer.body

    # --- pages ------------------------------------------------------------------------------------

    def _page(self, position: Mapping[str, Any]) -> Batch:
        params = {"limit": str(self.options.page_size)}
        if since := position.get("updated_since"):
            params["updated_since"] = utc_text(instant_of(str(since)) - self.options.overlap)
        if cursor := position.get("cursor"):
            params["cursor"] = str(cursor)
        answer, page = self._get(OBJECT, params)
        following = page.get("next_cursor")
        # The first page's: what changes while later pages are read is seen by the next read.
        as_of = str(position.get("as_of") or self._as_of(page))
        value = {"updated_since": position.get("updated_since"), "cursor": following, "as_of": as_of}
        if not following:
            value = {"updated_since": as_of, "cursor": None}
        return Batch(
            records=_records(page.get("assets") or [], answer.url),
            checkpoint=Checkpoint(value=value),
            scope=Scope(as_of=None if following else instant_of(as_of)),
            raw=answer.body,
            more=bool(following),
        )

    def _as_of(self, page: Mapping[str, Any]) -> str:
        try:
            return instant_of(str(page.get("as_of"))).isoformat()
        except ValueError:
            raise StopRun(f"{self.system}: the as_of of a page is no time: {page.get('as_of')!r}") from None

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[Answer, dict[str, Any]]:
        call = Call(path=ROOT + path, params=params or {})
        answer = self.http.send(call)
        found = json_of(call, answer)
        if not isinstance(found, dict):
            raise StopRun(f"{answer.url} answered with something that is no page of assets")
        return answer, found


def _leads_away(location: str) -> bool:
    """Whether an address that begins well ends elsewhere, or in another header."""
    plain = unquote(location)
    return not plain.isprintable() or "\\" in plain or ".." in plain.partition("?")[0].split("/")


def _records(assets: Sequence[Any], url: str) -> list[Record | Refused]:
    return [_record(asset, Origin(source=url, line=line)) for line, asset in enumerate(assets, 1)]


def _record(asset: Any, origin: Origin) -> Record | Refused:
    fields: Mapping[str, Any] = asset if isinstance(asset, dict) else {}
    try:
        key, changed = str(fields["id"]), str(fields["updated_at"])
        at = instant_of(changed)
    except (KeyError, ValueError) as error:
        reason = f"the asset has no usable id and updated_at: {error}"
        return Refused(object=OBJECT, key=None, data=dict(fields), path="updated_at", reason=reason, origin=origin)
    return Record(object=OBJECT, key=key, data=fields, event_time=at, source_version=version_of(changed), origin=origin)
