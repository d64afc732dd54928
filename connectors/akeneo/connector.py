"""An Akeneo PIM: models and variants with their texts by language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from connectors.akeneo.api import Api
from connectors.akeneo.options import Options
from connectors.akeneo.reading import PATHS, Reading
from hub.connector import Connector, Context
from hub.errors import HubError, StopRun
from hub.model import Batch, Checkpoint, Health

if TYPE_CHECKING:
    import requests


class Akeneo(Connector):
    """Source of ``product_models`` and ``products``."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, session: requests.Session | None = None) -> None:
        super().__init__(config, context)
        self.api = Api(context.connection, context.budget, session)

    def check(self) -> Health:
        """Sign in, and see that the channel and the watched attributes exist."""
        try:
            channel = self.api.find("channels", self.options.channel)
            missing = [name for name in self.options.watch_options if self.api.find("attributes", name) is None]
        except HubError as error:
            return Health(ok=False, detail=str(error))
        if channel is None:
            return Health(ok=False, detail=f'{self.api.system} has no channel "{self.options.channel}"')
        if missing:
            return Health(ok=False, detail=f"{self.api.system} has no attribute {', '.join(missing)}")
        return Health(ok=True, facts={"channel": self.options.channel, "locales": channel.get("locales") or []})

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        if object not in PATHS:
            raise StopRun(f"akeneo reads products and product_models, not {object}")
        yield from Reading(self.api, self.options, self.context.clock, object, since).batches()

    def rewind(self, object: str, moment: datetime) -> Checkpoint:
        return Checkpoint(value={"updated": moment.isoformat(), "cursor": None})

    def release(self, checkpoint: Checkpoint) -> None:
        """The PIM keeps nothing for us."""
