"""One table from an HTTP status, and one from a ``requests`` exception, to what happens next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigError, HubError, SignInRefused, StopRun, TryLater, Unknown
from hub.transport.effects import Effect
from hub.transport.redaction import redact
from hub.transport.retry import Limited

if TYPE_CHECKING:
    from hub.transport.http import Answer, Call

LONGEST_DELAY = 86_400.0  # seconds; whoever says more is asked again after a day


class Meaning(StrEnum):
    SIGN_IN = "refused the sign-in; check the login and secret of the connection"
    FORBIDDEN = "does not allow this to the account that signed in; ask for the permission it names"
    MISSING = "knows nothing at this address; check the URL and the version in the options"
    REFUSED = "refused the request"
    ELSEWHERE = "redirects to another address; enter that one in the connection, secrets are never sent on"
    BUSY = "cannot answer now"  # certainly not carried out
    BROKEN = "failed while it answered"  # may have been carried out


_STATUS = {
    401: Meaning.SIGN_IN,
    403: Meaning.FORBIDDEN,
    404: Meaning.MISSING,
    407: Meaning.SIGN_IN,
    408: Meaning.BUSY,
    410: Meaning.MISSING,
    423: Meaning.BUSY,
    425: Meaning.BUSY,
    429: Meaning.BUSY,
    503: Meaning.BUSY,
}


def meaning_of(status: int) -> Meaning:
    """What ``status`` means; only for statuses that the connector does not interpret itself."""
    if found := _STATUS.get(status):
        return found
    return Meaning.ELSEWHERE if status < 400 else Meaning.REFUSED if status < 500 else Meaning.BROKEN


def error_of_answer(system: str, call: Call, answer: Answer, now: datetime) -> HubError:
    """The error that an answer stands for, with the vendor's own words in it."""
    meaning = meaning_of(answer.status)
    said = detail(answer.body)
    sentence = redact(
        f"{system} {meaning} (HTTP {answer.status} at {call.method} {call.path}{': ' + said if said else ''})"
    )
    if meaning is Meaning.BUSY:
        kind = Limited if answer.status == 429 else TryLater
        return kind(sentence, delay=retry_after(answer.headers.get("retry-after"), now))
    if meaning is Meaning.BROKEN:
        return unanswered(sentence, call.effect)
    return SignInRefused(sentence) if meaning is Meaning.SIGN_IN else StopRun(sentence)


def error_of_exception(system: str, call: Call, error: Exception) -> HubError:
    """The error that an exception of ``requests`` stands for: did the request leave or not?"""
    import requests
    from urllib3.exceptions import NewConnectionError

    where = f"{call.method} {call.path}"
    if isinstance(error, requests.exceptions.SSLError):
        return StopRun(redact(f"{system} shows a certificate that is not trusted ({where}): {error}"))
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | UnicodeError):
        return ConfigError(redact(f"{system}: the connection's address is not a URL ({where}): {error}"))
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError) or isinstance(
        reason, NewConnectionError
    ):
        return TryLater(f"{system} cannot be reached ({where})")
    return unanswered(f"{system} did not answer in full ({where}: {type(error).__name__})", call.effect)


def unanswered(sentence: str, effect: Effect) -> HubError:
    """A call whose answer is missing: harmless for a reading call, unknown for a writing one."""
    return TryLater(sentence) if effect is Effect.NONE else Unknown(sentence)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a ``Retry-After`` header: a number, or a date (RFC 9110 10.2.3)."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, now)
    return min(max(0.0, seconds), LONGEST_DELAY) if isfinite(seconds) else None


def _until(date: str, now: datetime) -> float:
    """Seconds until an HTTP date; no number where it is none."""
    try:
        at = parsedate_to_datetime(date)
        return (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return nan


def detail(body: bytes, longest: int = 300) -> str:
    """The vendor's own sentence in an error body, as far as one can be found; never the whole body."""
    try:
        found = _sentence(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    return redact(" ".join(found.split()))[:longest]  # masked first: a part of a secret would not be known as one


def _sentence(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_sentence, value[:3])))
    if not isinstance(value, dict):
        return ""
    for name in ("detail", "message", "error_description", "errors", "error", "title"):
        if name in value and (found := _sentence(value[name])):
            return found
    return "; ".join(f"{name}: {text}" for name, item in list(value.items())[:3] if (text := _sentence(item)))
