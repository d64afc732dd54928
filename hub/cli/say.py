"""What a command prints: JSON for programs as the last line, tables and sentences for people."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.errors import HubError

EVERY = 30.0  # seconds between two lines of progress in a log

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line, for programs.")]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def as_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False) + "\n")


def line(text: str = "") -> None:
    """A line for a person, styled where the terminal can."""
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(text)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows for a person; says so where there are none."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(*columns, title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        drawn.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    Console().print(drawn if drawn.row_count else f"{title}: none")


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """How far long work is, on standard error: one moving line on a terminal, a line now and then in a log."""
    from rich.console import Console

    console = Console(stderr=True, quiet=quiet, soft_wrap=True, highlight=False)
    if console.is_terminal:
        with console.status("starting") as status:
            yield status.update
        return
    last = time.monotonic()

    def report(text: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= EVERY:
            last = now
            console.print(f"{datetime.now().astimezone():%H:%M:%S} {text}", markup=False)

    yield report


def complain(sentence: str, *, as_json: bool) -> None:
    """One sentence on standard error, and as JSON on standard output where that was asked for."""
    from rich.console import Console
    from rich.markup import escape

    from hub.transport.redaction import redact

    sentence = redact(sentence)
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]hub:[/red] {escape(sentence)}")
    if as_json:
        sys.stdout.write(json.dumps({"error": sentence}, ensure_ascii=False) + "\n")


def sure(question: str) -> None:
    """Go on only after a yes; asked on standard error, so that what a program reads stays JSON."""
    if not typer.confirm(question, err=True):
        raise HubError("nothing was removed")


def when(moment: Any) -> str:
    """A moment in the reader's own zone, to the second, with the zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}" if isinstance(moment, datetime) else str(moment or "")
