"""Answers that a connector does not understand: a sentence with the place instead of a crash, so that others go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb
from typing import TYPE_CHECKING

from hub.errors import StopRun, Unknown

if TYPE_CHECKING:
    from hub.connector import Source
    from hub.model import Batch, Checkpoint

log = logging.getLogger("hub.flow")

# What code raises that meets a field which is not there, or is of another kind than the vendor's description says.
MISREAD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@contextmanager
def understood(system: str, *, wrote: bool = False) -> Iterator[None]:
    """What is misread becomes :class:`StopRun`, or :class:`Unknown` where something may have been carried out."""
    try:
        yield
    except MISREAD as error:
        raise (Unknown if wrote else StopRun)(misread(system, error)) from error


def misread(system: str, error: Exception) -> str:
    """The sentence for a person; the traceback is for the log."""
    log.info("%s was misread", system, exc_info=error)
    return (
        f"{system} answered in a way that its connector does not understand "
        f"({type(error).__name__} in {_place(error)}); its API may have changed, or something else answered"
    )


def _place(error: Exception) -> str:
    """Folder, file and line where it was raised, without the path of this machine."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno}"


def batches(source: Source, system: str, name: str, since: Checkpoint | None) -> Iterator[Batch]:
    """What ``source`` reads; only its own mistakes are turned into sentences, not those of who takes the batches."""
    with understood(system):
        yield from source.read(name, since)
