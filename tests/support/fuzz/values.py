"""What attackers and broken software send: values that look harmless alone, and valid answers with some in them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

CANARY = "canary0f3e9b7c5d21secret"  # stands for every secret of ours; a part of it must not be seen either
SHOWN = CANARY[:12]

TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufffd", "\u202e", "\u2028", "\x1b[2J", "\r\nX-Evil: 1",
    "0", "-1", "1e999999", "1E-999999", "NaN", "Infinity", "-Infinity", "sNaN123", "9" * 5000, "0." + "9" * 5000, "٣",
    "0x10", "1_000", "null", "true", "../../etc/passwd", "..\\..\\x", "/etc/passwd", "file:///etc/passwd",
    "http://169.254.169.254/", "//evil.example/x", "%00", "%2e%2e%2f", "' OR 1=1 --", "{{7*7}}", "${jndi:ldap://x}",
    "<script>alert(1)</script>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "2026-11-22T10:00:60Z", "20261131101500", "99991231235959",
    "00010101000000", "a" * 5000, "é" * 300, "🦊", "[[[[", CANARY, f"Authorization: Bearer {CANARY}",
    f"password={CANARY}", f"{'x' * 290}{CANARY}", "gid://shopify/Product/", "gid://", "@", "|", ";", "a@b@c",
)  # fmt: skip
# JSON that Python cannot say: numbers beyond every type, halves of characters, depth.
TOKENS = (
    "1e999999", "-1e999999", "1E-999999", "9" * 5000, "-" + "9" * 5000, "1" + "0" * 400, "0.1" + "0" * 5000, "1e400",
    "NaN", "Infinity", '"\\ud800"', '"\\u0000"', '{"\\u0000": 1}', '{"\\ud800": 1}', "[" * 300 + "]" * 300,
    "[" * 5000 + "]" * 5000, "[" * 200_000, '{"a":' * 300 + "1" + "}" * 300, "{}", "[]", "[[]]", "[null]", "-0",
    "1.0", "true",
)  # fmt: skip
_MARK = "\x01"
_MARKED = re.compile(r'"\\u0001([0-9]+)\\u0001"')


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of JSON by its number in :data:`TOKENS`."""

    number: int


PLAIN: st.SearchStrategy[Any] = (
    st.sampled_from(TEXTS)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.lists(st.none() | st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.none() | st.integers(), max_size=2)
)
HOSTILE: st.SearchStrategy[Any] = PLAIN | st.builds(Token, st.integers(0, len(TOKENS) - 1))
# Of those, what an answer may hold and still be JSON of a reasonable depth.
VALID = [
    n for n, token in enumerate(TOKENS) if token not in ("NaN", "Infinity") and max(token.count(b) for b in "[{") < 50
]
RECORDED: st.SearchStrategy[Any] = PLAIN | st.builds(Token, st.sampled_from(VALID))
PLACE = st.integers(0, 10_000)
# Where, what is done there, and with what; "swap" takes another part of the same answer.
EDITS = st.lists(st.tuples(PLACE, st.sampled_from(("set", "set", "drop", "swap", "twice")), HOSTILE), max_size=4)


def mutated(sample: Any, edits: Sequence[tuple[int, str, Any]]) -> Any:
    """``sample`` with each edit at the place that its number falls on."""
    found = [copy.deepcopy(sample)]
    for number, what, value in edits:
        places = list(_places(found))
        holder, at = places[number % len(places)]
        if what == "drop" and holder is not found:
            del holder[at]
        elif what == "twice" and isinstance(holder, list) and holder is not found:
            holder.insert(at, copy.deepcopy(holder[at]))
        elif what == "swap":
            other, there = places[(number * 7 + 3) % len(places)]
            holder[at] = copy.deepcopy(other[there])
        else:
            holder[at] = copy.deepcopy(value)
    return found[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def as_json(value: Any) -> bytes:
    """``value`` as the bytes of an answer, its tokens written out."""
    text = json.dumps(value, default=lambda one: f"{_MARK}{one.number}{_MARK}" if isinstance(one, Token) else str(one))
    return _MARKED.sub(lambda found: TOKENS[int(found[1])], text).encode()


PIECE = st.sampled_from(TEXTS).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20)
CUTS = st.lists(st.tuples(PLACE, st.integers(0, 60), PIECE), max_size=4)


def cut(sample: bytes, cuts: Sequence[tuple[int, int, bytes]]) -> bytes:
    """``sample`` with some stretches replaced; places are spread over its whole length."""
    for place, length, piece in cuts:
        start = place * (len(sample) + 1) // 10_001
        sample = sample[:start] + piece + sample[start + length :]
    return sample
