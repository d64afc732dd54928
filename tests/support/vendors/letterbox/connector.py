"""A vendor with neither key nor read-back: what is put into its letterbox is carried out, at once or by a job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Capability, Connector
from hub.model import Accepted, Delivery, Done, Handle, Health, Receipt, Reference, Rejected, Remote
from hub.transport.effects import Effect
from hub.transport.http import Call, Http
from hub.transport.retry import Retry


class Options(BaseModel):
    """The options of one letterbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_once: int = Field(2000, description="Levels of one letter.")


class Letterbox(Connector):
    """Takes stock levels; answers what it holds, or the job that will know."""

    config = Options

    @cached_property
    def http(self) -> Http:
        return Http(self.context.connection, budget=self.context.budget, retry=Retry(attempts=1))

    def check(self) -> Health:
        return Health(ok=True)

    def capability(self, object: str) -> Capability:
        return Capability(batch_size=self.options.at_once)

    def find(self, object: str, references: Sequence[Reference]) -> Mapping[Reference, Remote]:
        return {}

    def write(self, object: str, deliveries: Sequence[Delivery], key: str) -> Iterator[Receipt]:
        levels = {one.key: one.value["quantity"] for one in deliveries}
        letter = Call(method="POST", path="/letters", body=json.dumps(levels).encode(), effect=Effect.ONCE)
        answer = self.http.send(letter).json()
        if "job" not in answer:
            yield from (Done(key=one.key, remote=Remote(value=one.value)) for one in deliveries)
            return
        at = datetime.fromisoformat(answer["ready"])
        yield from (Accepted(key=k, handle=Handle(id=answer["job"], key=k), not_before=at) for k in levels)

    def settle(self, handles: Sequence[Handle]) -> Iterator[Receipt]:
        for job in sorted({handle.id for handle in handles}):
            said: dict[str, Any] = self.http.send(Call(path=f"/jobs/{job}")).json()
            for handle in handles:
                if handle.id == job and handle.key in said:
                    yield receipt(handle.key, said[handle.key])


def receipt(key: str, quantity: int | None) -> Receipt:
    if quantity is None:
        return Rejected(key=key, path="quantity", reason="the partner does not sell this article")
    return Done(key=key, remote=Remote(value={"quantity": quantity}))
