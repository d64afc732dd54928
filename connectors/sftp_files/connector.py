"""Snapshots as files on an SFTP server: taken when complete, oldest first, archived after the commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import ClassVar
from zoneinfo import ZoneInfo

from connectors.sftp_files.layout import Broken, identity, open_file
from connectors.sftp_files.lines import OBJECT
from connectors.sftp_files.options import Options
from hub.connector import Connector, Context
from hub.errors import HubError, StopRun
from hub.model import Batch, Checkpoint, Health, Origin, Refused, Scope
from hub.transport.files import Entry, archived_name, complete, safe_name
from hub.transport.sftp import Changed, Sftp

NOTHING = Checkpoint(value={})


class SftpFiles(Connector):
    """A folder of snapshot files."""

    config: ClassVar[type[Options]] = Options
    options: Options

    def __init__(self, config: Options, context: Context, *, sftp: Sftp | None = None) -> None:
        super().__init__(config, context)
        self.sftp = sftp or Sftp(context.connection, budget=context.budget)

    def check(self) -> Health:
        """Sign in and look into both folders."""
        try:
            waiting = len(self._waiting())
            archive = self.sftp.stat(self.options.archive)
        except HubError as error:
            return Health(ok=False, detail=str(error))
        note = "" if archive else f"{self.options.archive} is not there yet; it will be made"
        return Health(ok=True, detail=note, facts={"waiting": waiting, "folder": self.options.folder})

    def arrived(self) -> Sequence[str]:
        """Complete files that wait: one listing of the folder."""
        return [entry.name for entry in self._waiting()]

    def read(self, object: str, since: Checkpoint | None) -> Iterator[Batch]:
        """One batch per complete file, oldest as-of first.

        ``since`` is not needed: a file that was read lies in the archive, and one that could not be
        moved there is known by its identity. A file that is still written to, or that another
        process took, is passed over.
        """
        if object != OBJECT:
            raise StopRun(f"sftp_files reads {OBJECT}, not {object}")
        waiting = self._waiting()
        for number, entry in enumerate(waiting, 1):
            try:
                batch = self._taken(entry)
            except Changed:
                continue
            yield replace(batch, more=number < len(waiting))

    def reopen(self, raw: bytes, name: str) -> Batch:
        """The batch that ``raw`` once was; ``name`` may be a path, of which the last part counts."""
        return self._batch(name.rsplit("/", 1)[-1], raw, NOTHING)

    def release(self, checkpoint: Checkpoint) -> None:
        """Archive the file under a name that its content makes unique; doing it again is harmless.

        A newer file under the same name stays. The marker goes first: were it left behind, the next
        file of that name would look complete while it is written.
        """
        value = checkpoint.value
        if not value.get("name"):
            return
        name = safe_name(str(value["name"]))
        present = self.sftp.stat(self._path(name))
        if present is None or (present.size, present.modified) != (value["size"], value["modified"]):
            return
        kept = archived_name(name, str(value["sha256"]))
        if self.options.done:
            self.sftp.move(self._path(name + self.options.done), self._archived(kept + self.options.done))
        self.sftp.move(self._path(name), self._archived(kept))

    def _taken(self, entry: Entry) -> Batch:
        if entry.size > self.options.limit:
            return self._too_large(entry)
        raw = self.sftp.read(self._path(entry.name), limit=self.options.limit)
        return self._batch(entry.name, raw, _checkpoint(entry, sha256(raw).hexdigest()))

    def _batch(self, name: str, raw: bytes, checkpoint: Checkpoint) -> Batch:
        try:
            opened = open_file(self.options, name, raw)
        except Broken as broken:
            return _refused(name, broken, identity(name, "", sha256(raw).hexdigest()), checkpoint, raw)
        return Batch(records=opened.lines, checkpoint=checkpoint, scope=opened.scope, raw=raw)

    def _too_large(self, entry: Entry) -> Batch:
        """Refused unread; its size and time stand for its content."""
        digest = sha256(f"{entry.size}|{entry.modified}".encode()).hexdigest()
        reason = f"the file has {entry.size} bytes, more than the limit of {self.options.limit}"
        return _refused(
            entry.name, Broken(1, "", reason), identity(entry.name, "", digest), _checkpoint(entry, digest), None
        )

    def _waiting(self) -> list[Entry]:
        """Complete files, oldest as-of first, by name where the times are equal."""
        found = complete(
            self.sftp.list(self.options.folder),
            self.options.pattern,
            done=self.options.done,
            settled=self.options.settled,
            now=self.context.clock.now(),
        )
        return sorted(found, key=lambda entry: (self._time_of(entry), entry.name))

    def _time_of(self, entry: Entry) -> str:
        if match := re.search(self.options.as_of_in_name, entry.name):
            return match[1] if match.groups() else match[0]
        return datetime.fromtimestamp(entry.modified, ZoneInfo(self.options.zone)).strftime("%Y%m%d%H%M%S")

    def _path(self, name: str) -> str:
        return f"{self.options.folder.rstrip('/')}/{safe_name(name)}"

    def _archived(self, name: str) -> str:
        return f"{self.options.archive.rstrip('/')}/{safe_name(name)}"


def _checkpoint(entry: Entry, digest: str) -> Checkpoint:
    value = {"name": entry.name, "sha256": digest, "size": entry.size, "modified": entry.modified}
    return Checkpoint(value=value)


def _refused(name: str, broken: Broken, known_as: str, checkpoint: Checkpoint, raw: bytes | None) -> Batch:
    """The whole file in quarantine: a scope that replaces nothing, but knows the file again."""
    refused = Refused(
        object=OBJECT,
        key=None,
        data={"file": name},
        path=broken.path,
        reason=f"{name} line {broken.line}: {broken.reason}; the whole file is refused",
        origin=Origin(source=name, line=broken.line),
    )
    return Batch(records=[refused], checkpoint=checkpoint, scope=Scope(identity=known_as), raw=raw)
