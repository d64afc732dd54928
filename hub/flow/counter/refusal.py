"""Why the counter says no: a word for programs, a sentence for people."""

from __future__ import annotations

from typing import Literal

from hub.errors import HubError

Kind = Literal["unknown", "not-enough", "other-request", "redeemed"]


class Refusal(HubError):
    """The counter understood what was asked and says no; ``facts`` go with the sentence."""

    def __init__(self, kind: Kind, message: str, **facts: object) -> None:
        self.kind = kind
        self.facts = facts
        super().__init__(message)
