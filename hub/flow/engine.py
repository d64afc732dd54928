"""The engine: one hub over one landscape, opened for a pass and closed after it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from hub.connector import Budget, Connection, Connector, Listener, Target, Watched
from hub.errors import ConfigError, Held, HubError, Reject
from hub.flow import clocks, room
from hub.flow.breakers import Breakers
from hub.flow.leash import Leash, Leashed
from hub.flow.objects import FLOW_OF, FLOWS, delivered_by
from hub.flow.outcome import Outcome, Pass, sentence
from hub.flow.systems import Systems
from hub.journal import attempts, connect, held, inbox, migrate, outbox, recompute, runs
from hub.journal.budgets import AccountBudget, Unlimited
from hub.journal.vault import Vault
from hub.model import Clock, Content, Pushed
from hub.points import reached
from hub.transport import redaction

if TYPE_CHECKING:
    from hub.mapping import Mapping as CompiledMapping

log = logging.getLogger("hub.flow")

# Headers that a vendor signs or names a message with; cookies and credentials are not kept.
KEPT_HEADERS = ("x-", "content-type", "user-agent")
LONGEST_IDENTITY = 255  # of a pushed message; some vendors do not sign the header that it stands in


# Whoever asks a person looks once a minute whether the batch is still held; one that has not for so long is gone.
ASKED = timedelta(minutes=10)


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Engine:
    """Everything a pass needs: the landscape, the journal, connectors, mappings, schemas.

    Made by :meth:`open`. Not for use by several threads at once; several processes are fine.
    """

    log = log

    def __init__(self, project: Path, dsn: str, connections: Callable[[str], Connection], clock: Clock) -> None:
        from hub.config import home_of, load
        from hub.schemas import Schemas

        self.project = project
        self.clock = clock
        self.landscape = load(project / "hub.yaml")
        self.schemas = Schemas(project / "canonical_schemas")
        self._stack = ExitStack()
        migrate(dsn)
        self.journal = self._stack.enter_context(connect(dsn))
        self._counter = self._stack.enter_context(connect(dsn))
        self.leash = Leash(self._counter)
        self.vault = Vault(home_of(project) / "vault")
        self.breakers = Breakers(self._counter, self.landscape, clock, self.flows_into)
        self.systems = Systems(self.landscape, connections, self._budget, clock, self.content, self.breakers.guard)
        self._mappings: dict[str, list[CompiledMapping]] = {}

    @classmethod
    @contextmanager
    def open(
        cls,
        project: Path | None = None,
        *,
        connections: Callable[[str], Connection] | None = None,
        clock: Clock | None = None,
        dsn: str | None = None,
    ) -> Iterator[Engine]:
        """The engine of ``project`` (the folder of hub.yaml), its journal migrated and its rules noticed.

        ``connections`` resolves a connection id, ``dsn`` names the journal (default: HUB_DATABASE_URL).
        """
        from hub.config import project_root, resolver
        from hub.flow import housekeeping, rules

        root = project or project_root()
        dsn = dsn or os.environ.get("HUB_DATABASE_URL")
        if not dsn:
            raise ConfigError("no journal: set HUB_DATABASE_URL, or start the hub with: hub up")
        engine = cls(root, dsn, connections or resolver(root), clock or SystemClock())
        try:
            redaction.install()
            rules.notice(engine)
            housekeeping.keep_house(engine)
            yield engine
        finally:
            engine._stack.close()

    # --- verbs ------------------------------------------------------------------------------------

    def ingest(self, flow: str, system: str) -> Outcome:
        """Read what ``system`` has for ``flow``, derive, and deliver at once what can be delivered at once."""
        from hub.flow.ingest import ingest

        return ingest(self, flow, system)

    def deliver(self, system: str, seconds: float = 20.0) -> Outcome:
        """Send what waits for ``system``, for at most ``seconds``."""
        from hub.flow.deliver import deliver

        return deliver(self, system, seconds)

    def once(
        self, flows: Sequence[str] | None = None, *, report: Callable[[str], None] = lambda _: None
    ) -> dict[str, Outcome]:
        """One pass of every flow (or of ``flows``) over all its sources and targets, and on until they agree.

        What one flow brings about may be another's to send: a product that is created there can get its price.
        """
        from hub.flow.once import once_all

        return once_all(self, flows or list(self.landscape.flows), report)

    def pass_of(
        self,
        flow: str,
        *,
        system: str | None = None,
        since: str | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> Outcome:
        """One pass of ``flow``, of one source alone with ``system``, read again from the moment ``since``."""
        from hub.flow.once import once, rewind

        self.check_names(flow, system)
        if since is not None:
            rewind(self, flow, system, since)
        return once(self, flow, report=report, system=system)

    def receive(self, request: Pushed) -> bool:
        """Verify and store what a system pushed; False when it had pushed it before.

        Raises :class:`~hub.errors.Reject` for a wrong signature and :class:`ConfigError` for a system that cannot push.
        """
        connector = self.systems[request.system]
        if not isinstance(connector, Listener):
            raise ConfigError(f"{request.system} does not push")
        connector.verify(request)
        reached("push verified")
        identity = connector.identity(request)
        if len(identity) > LONGEST_IDENTITY or not identity.isprintable():
            raise Reject("identity", f"the message's own id is longer than {LONGEST_IDENTITY} characters or no text")
        headers = {k: v for k, v in request.headers.items() if k.startswith(KEPT_HEADERS)}
        new = inbox.store(self.journal, self.vault, identity, request, headers)
        reached("push stored")
        return new

    def watched(self) -> list[tuple[str, str, Connector]]:
        """(flow, system, connector) of every source that can say whether something has arrived."""
        return [
            (name, system, self.systems[system])
            for name, flow in self.landscape.flows.items()
            for system in flow.sources
            if isinstance(self.systems[system], Watched)
        ]

    def run(self, run_id: str) -> dict[str, Any]:
        """A run with its audit rows and what it put into quarantine, for the run's page."""
        from hub.journal import audit, quarantine

        row = runs.show(self.journal, run_id)
        if row is None:
            raise ConfigError(f'no run "{run_id}"')
        return {
            **row,
            "audit": audit.of_run(self.journal, run_id),
            "quarantine": quarantine.of_run(self.journal, run_id),
        }

    def check_names(self, flow: str, system: str | None = None) -> None:
        """Raise :class:`ConfigError` saying what there is, where hub.yaml lacks the flow or the flow the source."""
        flows = self.landscape.flows
        if flow not in flows:
            raise ConfigError(f'no flow "{flow}"; hub.yaml has {", ".join(flows)}')
        if system is not None and system not in flows[flow].sources:
            raise ConfigError(f'"{system}" is not a source of {flow}; its sources are {", ".join(flows[flow].sources)}')

    def due(self, since: timedelta) -> list[str]:
        """Targets for which something has been due for ``since`` and nobody has derived it yet."""
        moment = self.clock.now() - since
        flows = [f for d, f in FLOW_OF.items() if f in self.landscape.flows and recompute.due(self.journal, d, moment)]
        return sorted({target for flow in flows for target in self.landscape.flows[flow].targets})

    def unasked(self) -> list[str]:
        """Flows of which a batch is held, and nobody asks a person about it."""
        return held.unasked(self.journal, self.clock.now() - ASKED)

    def content(self, hash: str) -> Content:
        """The picture with this hash, from the system that has it; kept in the vault for the next target."""
        from hub.flow.content import content

        return content(self, hash)

    # --- what the verbs share -----------------------------------------------------------------------

    def mappings(self, system: str) -> list[CompiledMapping]:
        """The newest version of each mapping of a system's vendor, with the entries that its lookups were given."""
        if system not in self._mappings:
            self._mappings[system] = self.fresh_mappings(system)
        return self._mappings[system]

    def fresh_mappings(
        self, system: str, more: Mapping[str, Mapping[str, str | int]] | None = None
    ) -> list[CompiledMapping]:
        """As :meth:`mappings`, read again; with ``more`` as if these entries had been given to its lookups too."""
        from hub.mapping import load_folder

        folder = self.project / "mappings" / self.landscape.systems[system].mappings
        return load_folder(folder, self._added(system, more or {}))

    def mappings_of_version(
        self, system: str, version: int, more: Mapping[str, Mapping[str, str | int]]
    ) -> list[CompiledMapping]:
        """As :meth:`fresh_mappings`, of those that have a file of this version, whether it is the newest or not."""
        from hub.mapping import load

        latest = self.fresh_mappings(system, more)
        named = {one.path.with_name(f"{one.path.name.partition('.')[0]}.v{version}.yaml") for one in latest}
        return [load(path, added=self._added(system, more)) for path in sorted(named) if path.is_file()]

    def _added(self, system: str, more: Mapping[str, Mapping[str, str | int]]) -> dict[str, dict[str, Any]]:
        from hub.journal import corrections

        added = corrections.entries(self.journal, system)
        for table, entries in more.items():
            added[table] = {**added.get(table, {}), **entries}
        return added

    def forget_mappings(self) -> None:
        """Read mappings again when they are next needed: a lookup was given an entry."""
        self._mappings.clear()

    def target(self, name: str) -> Target:
        """System ``name`` as a target."""
        connector = self.systems[name]
        if not isinstance(connector, Target):
            raise ConfigError(f"{name} cannot be written", self.landscape.place("systems", name))
        return connector

    def lookups(self, system: str) -> Callable[[str, str], str | None]:
        """Answers ``("binding.location", external id)`` with our key; reads each table of bindings once a pass."""
        from hub.journal import bindings

        tables: dict[str, dict[str, str]] = {}

        def look(name: str, value: str) -> str | None:
            object = name.removeprefix("binding.")
            if object not in tables:
                tables[object] = bindings.by_external_id(self.journal, system, object)
            return tables[object].get(value)

        return look

    def flows_into(self, target: str) -> list[str]:
        """The flows that deliver to ``target``."""
        return [name for name, flow in self.landscape.flows.items() if target in flow.targets and name in FLOWS]

    @contextmanager
    def running(self, kind: str, flow: str, system: str | None, targets: Sequence[str] = ()) -> Iterator[Pass]:
        """A run around a pass; its row tells how it ended, also when it fails.

        What waits for ``targets`` already counts as enqueued, so that the pass's counts add up.
        """
        with room.standing():
            clocks.watch(self)
            run = runs.start(self.journal, kind, flow, system)
            current = Pass(run=run, flow=flow, targets=targets, beside_others=kind in ("ingest", "deliver"))
            current.counts["enqueued"] += outbox.open_count(self.journal, targets, delivered_by(flow))
        try:
            with room.standing():
                yield current
        except HubError as error:
            state = "held" if isinstance(error, Held) else "failed"
            self._close_run(run, state, current, str(error))
            raise
        except BaseException as error:
            self._close_run(run, "failed", current, f"{type(error).__name__}: {error}")
            raise

    def _close_run(self, run: str, state: str, current: Pass, said: str) -> None:
        """How a run ended badly; where the database cannot take even that, the error itself says it."""
        with suppress(psycopg.OperationalError):
            runs.finish(self.journal, run, state, current.counts.named(), redaction.redact(said))

    def ended(self, current: Pass, subject: str, *, ring: tuple[str, ...] = (), held: bool = False) -> Outcome:
        """Close a run that went well; it is held where a batch is, or where what was sent waits for a person."""
        held = held or bool(attempts.open_ones(self.journal, targets=current.targets, for_person=True))
        current.counts["pending"] = outbox.open_count(self.journal, current.targets, delivered_by(current.flow))
        if current.beside_others:
            current.counts.leave_to_others()
        counts = current.counts.named()
        said = sentence(counts, subject)
        runs.finish(self.journal, current.run, "held" if held else "done", counts, said)
        log.info("%s", said)
        return Outcome(run=current.run, counts=counts, sentence=said, ring=ring, held=held)

    def _budget(self, system: str) -> Budget:
        budget = self.landscape.systems[system].budget
        if budget is None:
            return Leashed(Unlimited(), self.leash)
        account = AccountBudget(self._counter, system, budget.capacity, budget.per_second)
        return Leashed(account, self.leash)
