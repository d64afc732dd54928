"""Faults of the stores: at their SFTP server, and in what their software writes into the folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

from hub.sandbox.faults import now
from hub.sandbox.faults.kinds import Kind
from hub.sandbox.faults.lines import reset
from hub.sandbox.faults.rules import Faults, Rule
from hub.sandbox.ledger import Ledger

SYSTEM = "stores"
CALLS = frozenset({Kind.BROKEN, Kind.RESET, Kind.LOST_ANSWER, Kind.SLOW})
TRANSFER = CALLS | {Kind.TRUNCATE}
WRITING = frozenset({Kind.TRUNCATE, Kind.DUPLICATE, Kind.REORDER})
Action = Callable[[], Any]  # the call itself; what it answers may have to be awaited
PATIENCE = 20  # a file that nothing overtakes comes after so many times its delay
FILE = "file"  # what the ledger calls a file that is written into the folder


class Wire:
    """What happens to the calls of one SFTP session over ``connection``."""

    def __init__(self, ledger: Ledger, connection: Any) -> None:
        self._ledger = ledger
        self._faults = Faults.of(ledger.state)
        self._connection = connection
        self._short: dict[int, int] = {}  # where reading ends early, by file

    def signs_in(self) -> bool:
        """Whether a good key is taken this time."""
        return self._faults.strike(SYSTEM, {Kind.EXPIRED}, "SIGNIN") is None

    async def call(self, method: str, action: Action, note: Callable[[int], None]) -> Any:
        """Carry out ``action``, which writes itself down, or do not and ``note`` that, as the rules want it."""
        rule = None
        if not self._faults.quiet(SYSTEM):
            kinds = TRANSFER if method == "GET" else CALLS
            rule = await asyncio.to_thread(self._faults.strike, SYSTEM, kinds, method)
        if rule is None:
            return await _done(action)
        with now.striking(rule.kind):
            return await self._spoilt(rule, method, action, note)

    async def _spoilt(self, rule: Rule, method: str, action: Action, note: Callable[[int], None]) -> Any:
        import asyncssh

        if rule.kind is Kind.BROKEN:
            note(asyncssh.FX_FAILURE)
            raise asyncssh.SFTPFailure("the file system does not answer")
        if rule.kind is Kind.RESET:
            note(asyncssh.FX_CONNECTION_LOST)
            raise self._cut()
        found = await _done(action)
        if rule.kind is Kind.TRUNCATE:
            self._short[id(found)] = os.fstat(found.fileno()).st_size // 2
            return found
        await asyncio.sleep(rule.delay)
        if rule.kind is Kind.LOST_ANSWER:
            if method == "GET":
                found.close()  # the client, who would, never hears of it
            raise self._cut()
        return found

    def part(self, file: Any, offset: int, size: int) -> int:
        """How many of ``size`` bytes from ``offset`` are handed out; 0 is the end of the file."""
        end = self._short.get(id(file))
        return size if end is None else max(0, min(size, end - offset))

    def closed(self, file: Any) -> None:
        self._short.pop(id(file), None)

    def _cut(self) -> Exception:
        import asyncssh

        reset(self._connection)
        return asyncssh.SFTPConnectionLost("the connection is reset")


async def _done(action: Action) -> Any:
    found: Awaitable[Any] | Any = action()
    return await found if isawaitable(found) else found


class Desk:
    """What goes wrong when a store's software writes a file into ``out``; what is held back waits in ``late``."""

    def __init__(self, ledger: Ledger, out: Path, late: Path) -> None:
        self._ledger = ledger
        self._faults = Faults.of(ledger.state)
        self._out, self._late = out, late

    def write(self, store: str, name: str, content: bytes, write: Callable[[str, bytes], object]) -> None:
        """``write`` a file and its marker: whole, without its end, twice, or some time after a later one."""
        self._overtaken(store)
        rule = self._faults.strike(SYSTEM, WRITING, FILE)
        if rule is None:
            write(name, content)
            return
        self._ledger.record(SYSTEM, "WRITE", name, status=0, operation=FILE, fault=rule.kind)
        if rule.kind is Kind.TRUNCATE:
            write(name, content[: len(content) * 2 // 3])
        elif rule.kind is Kind.DUPLICATE:
            write(name, content)
            stem, dot, ending = name.rpartition(".")
            write(f"{stem}_2{dot}{ending}", content)
        else:
            self._late.mkdir(exist_ok=True)
            self._path(time.time() + PATIENCE * rule.delay, rule.delay, store, name).write_bytes(content)

    def arrive(self, *, now: bool = False) -> None:
        """Let files come in that were held back long enough, or all of them ``now``."""
        for path, due, _, _, name in self._held():
            if now or due <= time.time():
                path.replace(self._out / name)
                (self._out / f"{name}.ok").touch()

    def _overtaken(self, store: str) -> None:
        """A later file of ``store`` is there: what was held back comes soon after it."""
        for path, _, delay, of, name in self._held():
            if of == store:
                path.replace(self._path(time.time() + delay, delay, store, name))

    def _held(self) -> list[tuple[Path, float, float, str, str]]:
        """Where it lies, when it comes, its delay, its store and its name."""
        if not self._late.is_dir():
            return []
        found = [(path, path.name.split(" ", 3)) for path in sorted(self._late.iterdir())]
        return [(path, float(due), float(delay), store, name) for path, (due, delay, store, name) in found]

    def _path(self, due: float, delay: float, store: str, name: str) -> Path:
        return self._late / f"{due:.3f} {delay} {store} {name}"
