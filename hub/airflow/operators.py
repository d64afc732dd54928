"""The tasks of the hub: read one source, deliver to one account, compare one target. Payloads never pass through."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Asset, AssetAlias, BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from psycopg import Error as DatabaseError

from hub.airflow import names
from hub.airflow.policy import POLICY, RETRIES, one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import TaskInstanceKey

    from hub.connector import Connection
    from hub.flow import Engine, Outcome

DELIVER_SECONDS = 20.0  # then the task ends green and rings again, so that no task holds a slot for long
RING_AGAIN_AFTER = 1.0  # a pass that gave up at once is not repeated at once: the schedule comes within a minute


class RunLink(BaseOperatorLink):
    """The button that leads to the hub's own page of the run behind a task."""

    name = "Hub run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Called in the task's own process when it has ended, also when it has failed."""
        run = getattr(operator, "hub_run", None)
        return f"/hub/runs/{run}" if run else "/hub/runs"


class HubOperator(BaseOperator):
    """Opens the engine, runs one verb, reports ids and counts, rings where deliveries wait."""

    operator_extra_links = (RunLink(),)
    ui_color = "#e8f1fb"

    def __init__(self, *, system: str, **arguments: Any) -> None:
        self.bell = AssetAlias(f"hub-bell-{arguments['task_id']}-{system}")
        super().__init__(pool=names.pool(system), retry_policy=POLICY, outlets=[self.bell], **{**RETRIES, **arguments})
        self.system = system

    def verb(self, engine: Engine) -> Outcome:
        raise NotImplementedError

    def execute(self, context: Context) -> dict[str, Any]:
        from hub.flow import Engine

        with one_sentence(), Engine.open(connections=connection) as engine:
            try:
                outcome = self.verb(engine)
            except Exception as error:
                self.hub_run = self.latest_run(engine)
                self.leave_to_another(engine, context["ti"].dag_id, error)
                raise
            self.ring_for_recovered(context, engine)
        return self.report(context, outcome)

    def leave_to_another(self, engine: Engine, dag: str, error: Exception) -> None:
        """Skip where another DAG tells the same trouble of this system already."""
        from hub.airflow import trouble
        from hub.errors import HubError

        if not isinstance(error, HubError):
            return
        try:
            teller = trouble.told_by(engine, self.system, dag, str(error))
        except DatabaseError:  # then that is the trouble
            return
        if teller:
            raise AirflowSkipException(f"{error}; {teller} says so too and tries again") from None

    def latest_run(self, engine: Engine) -> str | None:
        """The run that a failed verb left behind; the link leads there too."""
        from hub.journal import runs

        found = (run["id"] for run in runs.recent(engine.journal) if run["system"] == self.system)
        return next(found, None)

    def report(self, context: Context, outcome: Outcome) -> dict[str, Any]:
        """Counts to the task's own view, the bell to those who go on, a failure where a guard holds."""
        self.hub_run = outcome.run
        self.ring(context, self.bells(outcome))
        if outcome.held:
            say_held(outcome)
        return {"run": outcome.run, **outcome.counts, "pending": outcome.pending}

    def bells(self, outcome: Outcome) -> Iterable[str]:
        return outcome.ring

    def ring(self, context: Context, systems: Iterable[str]) -> None:
        for system in systems:
            context["outlet_events"][self.bell].add(Asset(name=names.waiting(system), uri=names.waiting(system)))

    def ring_for_recovered(self, context: Context, engine: Engine) -> None:
        """Call for the comparison of systems that answer again, whoever was the first to hear them."""
        from hub.flow import recovery

        for system in recovery.to_ring(engine):
            context["outlet_events"][self.bell].add(Asset(name=names.recovered(system), uri=names.recovered(system)))


class Ingest(HubOperator):
    """Read what is new at one source of one flow, apply it, derive, and deliver at once where the account is free."""

    def __init__(self, *, flow: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.flow = flow

    def verb(self, engine: Engine) -> Outcome:
        from hub.airflow import trouble

        outcome = engine.ingest(self.flow, self.system)
        trouble.over(engine, self.system)  # a delivery says nothing of that: with nothing to send it asks nobody
        return outcome


class Deliver(HubOperator):
    """Deliver what waits for one vendor account, for at most 20 s; what is left rings again."""

    ui_color = "#e9f7ec"

    def verb(self, engine: Engine) -> Outcome:
        self.began = time.monotonic()
        return engine.deliver(self.system, DELIVER_SECONDS)

    def bells(self, outcome: Outcome) -> Iterable[str]:
        worked = time.monotonic() - self.began > RING_AGAIN_AFTER
        return {*outcome.ring, self.system} if outcome.pending and worked else outcome.ring


class Reconcile(HubOperator):
    """Read what one target of a flow really holds; what drifted is put in doubt, and its delivery is rung for."""

    ui_color = "#f6f0e2"

    def __init__(self, *, flow: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.flow = flow
        self.rung = False  # by a system that answers again, not by the clock or a person

    def execute(self, context: Context) -> dict[str, Any]:
        self.rung = context["dag_run"].run_type == "asset_triggered"
        return super().execute(context)

    def verb(self, engine: Engine) -> Outcome:
        from hub.flow import recovery
        from hub.flow.outcome import Outcome

        if self.rung and (self.flow, self.system) not in recovery.waiting(engine, self.flow):
            raise AirflowSkipException(f"{self.system} was not silent lately: it is compared once a day")
        found = recovery.compare(engine, self.flow, self.system)
        ring = (self.system,) if found.repairable else ()
        return Outcome(run=found.run, counts=found.counts, sentence=found.sentence, ring=ring)


def say_held(outcome: Outcome) -> NoReturn:
    """Red when a guard has stopped a batch in this pass; skipped while it is held on, so that a minute's
    schedule does not raise the same alarm all night."""
    sentence = f"{outcome.sentence}; a batch is held: decide under Required Actions or with `hub held list`"
    if outcome.counts.get("held"):
        raise AirflowFailException(sentence)
    raise AirflowSkipException(sentence)


def connection(id: str) -> Connection:
    """The Airflow connection ``id``; where Airflow has none, what HUB_CONN_<ID> or the hub's own file says."""
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from hub.config import project_root, resolver
    from hub.connector import Connection

    try:
        found = AirflowConnection.get(id)
    except AirflowNotFoundException:
        return resolver(project_root())(id)
    return Connection(
        id=id,
        host=found.host or "127.0.0.1",
        port=found.port,
        schema=found.schema or "http",
        login=found.login,
        password=found.password,
        extra=found.extra_dejson,
    )
