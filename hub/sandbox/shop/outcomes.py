"""What a call that writes comes to: ids, or the reasons why nothing was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Error = dict[str, Any]
Input = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The ids of what was written, or why nothing was."""

    ids: Sequence[int] = ()
    errors: Sequence[Error] = ()


def error(message: str, field: Sequence[str] | None, code: str | None = None) -> Error:
    """A user error with the path into the arguments; which type it is depends on the payload."""
    return {"message": message, "field": field, "code": code}


def refused(message: str, field: Sequence[str] | None, code: str | None = None) -> Outcome:
    """Nothing was written, for one reason."""
    return Outcome(errors=[error(message, field, code)])
