"""Raw payloads by reference: small ones in the table, large ones as compressed files beside the database.

A reference is ``kind/sha256``: the same bytes are kept once. Nothing else in the journal holds a
payload, so that what is personal can later be encrypted and forgotten in one place.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from hub.errors import StopRun
from hub.journal.database import Connection

IN_TABLE = 64 * 1024  # larger payloads go to a file


def reference(kind: str, payload: bytes) -> str:
    """What a payload is referred to by, wherever it is kept."""
    return f"{kind}/{hashlib.sha256(payload).hexdigest()}"


class Vault:
    """Keeps payloads under ``folder`` and in the journal; writes belong to the caller's transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, connection: Connection, kind: str, payload: bytes) -> str:
        """Store ``payload`` and answer its reference; stored again, its time to keep begins anew."""
        digest = hashlib.sha256(payload).hexdigest()
        ref = f"{kind}/{digest}"
        known = connection.execute(
            "UPDATE vault SET created_at = clock_timestamp() WHERE ref = %s RETURNING path", (ref,)
        ).fetchone()
        if known is not None:
            if known[0] is not None and not self._has(known[0]):  # who was forgetting it died before the commit
                self._write(kind, digest, payload)
            return ref
        content, path = (payload, None) if len(payload) <= IN_TABLE else (None, self._write(kind, digest, payload))
        connection.execute(
            "INSERT INTO vault (ref, kind, size, content, path) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (ref, kind, len(payload), content, path),
        )
        return ref

    def keep_many(self, connection: Connection, kind: str, payloads: Sequence[bytes]) -> list[str]:
        """References of many small payloads, in their order."""
        refs = [reference(kind, payload) for payload in payloads]
        with connection.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO vault (ref, kind, size, content) VALUES (%s, %s, %s, %s)
                   ON CONFLICT (ref) DO UPDATE SET created_at = clock_timestamp()""",
                [(ref, kind, len(p), p) for ref, p in zip(refs, payloads, strict=True)],
            )
        return refs

    def open(self, connection: Connection, ref: str) -> bytes:
        """The payload behind ``ref``; a :class:`StopRun` where its time to keep is over."""
        row = connection.execute("SELECT content, path FROM vault WHERE ref = %s", (ref,)).fetchone()
        if row is None:
            raise StopRun(f"the raw payload {ref} is no longer kept")
        if row[0] is not None:
            return bytes(row[0])
        try:
            return self._read(str(row[1]))
        except FileNotFoundError:
            raise StopRun(f"the raw payload {ref} is no longer kept: {self.folder / row[1]} is gone") from None

    def forget_older_than(self, connection: Connection, age: timedelta) -> int:
        """Remove payloads past their time unless something open still needs them; answers how many.

        What is personal belongs to a person's orders and goes with them, not by its age.
        """
        rows = connection.execute(
            """DELETE FROM vault v WHERE created_at < clock_timestamp() - %s AND kind <> 'personal'
               AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.raw = v.ref)
               AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.raw = v.ref)
               AND NOT EXISTS (SELECT 1 FROM inbox i WHERE i.raw = v.ref)
               AND NOT EXISTS (SELECT 1 FROM held_page p JOIN held h ON h.id = p.held WHERE p.payload = v.ref
                               AND NOT p.taken AND h.state IN ('gathering', 'passed', 'held', 'approved'))
               AND NOT EXISTS (SELECT 1 FROM series s JOIN snapshot n ON n.id = s.snapshot WHERE n.raw = v.ref)
               RETURNING path""",
            (age,),
        ).fetchall()
        for (path,) in rows:
            if path:
                (self.folder / path).unlink(missing_ok=True)
        return len(rows)

    def _has(self, relative: str) -> bool:
        return (self.folder / relative).is_file()

    def _read(self, relative: str) -> bytes:
        return gzip.decompress((self.folder / relative).read_bytes())

    def _write(self, kind: str, digest: str, payload: bytes) -> str:
        """A file under its own hash, complete or not there: written aside, flushed, renamed, and its name flushed too.

        What refers to it is committed after that, and a power cut may take what only the operating system has.
        """
        relative = Path(kind) / digest[:2] / f"{digest}.gz"
        target = self.folder / relative
        new = [folder for folder in relative.parents if not (self.folder / folder).is_dir()]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = target.with_suffix(f".{os.getpid()}.part")
        try:
            with aside.open("wb") as file:
                file.write(gzip.compress(payload, compresslevel=3, mtime=0))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
            for folder in (target.parent, *((self.folder / one).parent for one in new)):
                flush(folder)
        except OSError as error:  # a full disk shall not be fuller for it
            aside.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(target)) from error
        return str(relative)


def flush(folder: Path) -> None:
    """The names in ``folder``, to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Draft(Vault):
    """A vault for a transaction that may be rolled back: what would become a file waits until ``publish``."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(vault.folder)
        self._waiting: dict[str, tuple[str, str, bytes]] = {}

    def publish(self) -> None:
        """The files, before the commit that refers to them."""
        for kind, digest, payload in self._waiting.values():
            super()._write(kind, digest, payload)

    def _has(self, relative: str) -> bool:
        return relative in self._waiting or super()._has(relative)

    def _read(self, relative: str) -> bytes:
        return self._waiting[relative][2] if relative in self._waiting else super()._read(relative)

    def _write(self, kind: str, digest: str, payload: bytes) -> str:
        relative = str(Path(kind) / digest[:2] / f"{digest}.gz")
        self._waiting[relative] = (kind, digest, payload)
        return relative
