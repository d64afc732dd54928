"""Commands with any words behind them: done, refused in words, or wrong usage; never a traceback."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

from hypothesis import strategies as st
from support.fuzz.target import Target
from support.fuzz.values import CANARY, TEXTS

from hub.cli import main

# Commands that look, or that change nothing but by a number or a name that does not exist.
COMMANDS = (
    ("trace", "order"), ("trace", "stock_level"), ("quarantine", "show"), ("quarantine", "list"),
    ("quarantine", "discard", "--why", "x", "--id"), ("quarantine", "fix", "--dry-run", "--cause"),
    ("quarantine", "replay", "--id"), ("held", "show"), ("held", "list"), ("held", "approve", "--why", "x"),
    ("held", "reject", "--why", "x"), ("client", "add"), ("client", "revoke"), ("mapping", "test"),
    ("mapping", "diff"), ("apply",), ("check",),
)  # fmt: skip
WORDS = st.sampled_from([text for text in TEXTS if "\x00" not in text and CANARY not in text]) | st.text(
    max_size=20
).filter(lambda t: "\0" not in t)
NUMBERS = st.integers(-(2**70), 2**70).map(str)
INPUTS = st.tuples(st.sampled_from(COMMANDS), st.lists(WORDS | NUMBERS, min_size=1, max_size=1), st.booleans())


def _take(given: tuple[tuple[str, ...], list[str], bool]) -> str:
    command, words, as_json = given
    before, out, err = sys.argv, io.StringIO(), io.StringIO()
    sys.argv = ["hub", *command, *(["--json"] if as_json else []), *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    finally:
        sys.argv = before
    assert code in (None, 0, 1, 2, 3)
    return out.getvalue() + err.getvalue()


TARGET = Target(name="command", inputs=INPUTS, take=_take)
