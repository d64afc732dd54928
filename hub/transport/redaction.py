"""Secrets never reach a log line or a sentence: what is known to be one, and what looks like one, is masked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "[hidden]"

# A shorter value would mask ordinary words; no vendor issues credentials that short.
_SHORTEST = 6
_known: set[str] = set()

_WORDS = (
    r"(?:authorization|password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|signature[_-]?key|private[_-]?key|hmac)"
)
_NAME = re.compile(rf"(?i){_WORDS}")
# Every repetition that could begin at many places has an end: what stands in an address or an answer may be chosen by
# somebody who wants a line of the log to take minutes.
_PATTERNS = (
    re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(://)[^/\s:@]+:[^/\s@]+(@)"),
    re.compile(r"(?i)\b((?:bearer|basic)\s{1,20})[A-Za-z0-9+/._~=-]{6,}()"),
    re.compile(rf"(?i)({_WORDS}[\w-]{{0,64}}[\"']?\s{{0,20}}[:=]\s{{0,20}}[\"']?)(?!\[hidden)(?!\s)[^\"'\s,;&}}}}]+()"),
    re.compile(r"\b(shp(?:at|ca|pa|ss)_)[A-Za-z0-9]+()"),
)


def protect(*values: object) -> None:
    """Mask these values wherever they turn up from now on, in this process."""
    _known.update(text for value in values if isinstance(value, str) and len(text := value.strip()) >= _SHORTEST)


def protect_extra(extra: Mapping[str, Any]) -> None:
    """Mask the values of a connection's ``extra`` whose names say that they are secret."""
    protect(*(value for name, value in extra.items() if _NAME.search(name) and not name.endswith("_file")))


def redact(text: str) -> str:
    """``text`` without secrets."""
    shown, at = [], 0
    for start, end in sorted(_spans(text)):
        if start >= at:
            shown += [text[at:start], MASK]
        at = max(at, end)
    return "".join([*shown, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """What is to be masked, all of it found in the text as it came: a known value may be a word like "secret"."""
    for value in _known:
        at = text.find(value)
        while at >= 0:
            yield at, at + len(value)
            at = text.find(value, at + 1)
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            yield found.end(1), found.start(2)


def quoted(text: str, longest: int = 40) -> str:
    """The start of ``text`` as a sentence quotes it; masked before it is cut, or a part of a secret would be left."""
    return repr(redact(text)[:longest])


class Redaction(logging.Filter):
    """Masks secrets in a record's message and traceback; put it on handlers, where every logger passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True


def install(logger: logging.Logger | None = None) -> None:
    """Put the filter on every handler of ``logger`` (default: the root logger), once."""
    for handler in (logger or logging.getLogger()).handlers:
        if not any(isinstance(known, Redaction) for known in handler.filters):
            handler.addFilter(Redaction())
