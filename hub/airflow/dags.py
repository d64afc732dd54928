"""DAGs built from hub.yaml: one ingest DAG per source of a flow, one delivery DAG per vendor account, one
reconciliation per flow.

So a source that is down never blocks another, and one account's budget has one place. An asset event
is a doorbell: a run takes what waits and never reads the event, and beside every bell there is a
schedule, for a bell that nobody heard.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Asset, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, DeltaTriggerTimetable

from hub.airflow import names
from hub.airflow.approval import Approve
from hub.airflow.operators import Deliver, Ingest, Reconcile

if TYPE_CHECKING:
    from hub.config import Landscape, SourceSettings

# Beside the bell for held batches, which the gateway repeats until somebody asks; not when the DAG is first seen.
ASK_EVERY, ASKED_AT_ONCE = "*/30 * * * *", 16
LOOK_EVERY = timedelta(minutes=1)  # beside a bell, where hub.yaml says nothing
# A task that hangs is ended; the engine's leases and attempts make that harmless.
LONGEST = timedelta(minutes=15)
# Once a day, when the nightly files are in and before the stores open; one flow after the other.
RECONCILE_HOUR, RECONCILE_APART = 6, 10  # local hour, minutes


def landscape() -> Landscape:
    """The project's hub.yaml."""
    from hub.config import load, project_root

    return load(project_root() / "hub.yaml")


def ingest_dags(flow: str) -> dict[str, DAG]:
    """By id, one DAG for each source of ``flow``; none where hub.yaml does not have that flow."""
    from hub.flow.objects import objects_of

    objects_of(flow)  # a name that the engine does not know is a mistake
    known = landscape()
    if flow not in known.flows:
        return {}
    return {names.ingest_dag_id(flow, system): _ingest(known, flow, system) for system in known.flows[flow].sources}


def delivery_dags() -> dict[str, DAG]:
    """By id, one DAG for each system that any flow delivers to."""
    flows: dict[str, list[str]] = {}
    for name, flow in landscape().flows.items():
        for system in flow.targets:
            flows.setdefault(system, []).append(name)
    return {names.deliver_dag_id(system): _deliver(system, of) for system, of in flows.items()}


def reconcile_dags() -> dict[str, DAG]:
    """By id, one DAG for each flow that has targets."""
    known = landscape()
    flows = [name for name, flow in known.flows.items() if flow.targets]
    return {names.reconcile_dag_id(flow): _reconcile(known, flow, number) for number, flow in enumerate(flows)}


def approval_dags() -> dict[str, DAG]:
    """By id, one DAG for each flow with guards."""
    known = landscape()
    flows = [name for name, flow in known.flows.items() if flow.guards.hold]
    return {names.approve_dag_id(flow): _approve(flow) for flow in flows}


def _ingest(known: Landscape, flow: str, system: str) -> DAG:
    settings = known.flows[flow].sources[system]
    every = f"at {settings.schedule}" if settings.schedule else f"every {_pace(settings.every or LOOK_EVERY)}"
    with DAG(
        dag_id=names.ingest_dag_id(flow, system),
        dag_display_name=f"{flow} from {system}",
        description=f"Reads {flow} from {system}, keeps it, and delivers what changed",
        doc_md=INGEST_DOC.format(flow=flow, system=system, every=every, opening=_opening(known, system)),
        schedule=_doorbell(names.arrived(system), _timetable(settings, known.retailer.zone)),
        catchup=False,
        max_active_runs=1,
        tags=[flow, system, "ingest"],
        default_args={"owner": system, "execution_timeout": LONGEST},
    ) as dag:
        Ingest(task_id=f"read_{system}", flow=flow, system=system)
    return dag


def _deliver(system: str, flows: list[str]) -> DAG:
    with DAG(
        dag_id=names.deliver_dag_id(system),
        dag_display_name=f"deliver to {system}",
        description=f"Sends to {system} what it should hold and was not confirmed to hold",
        doc_md=DELIVER_DOC.format(system=system, flows=", ".join(flows)),
        schedule=_doorbell(names.waiting(system), DeltaTriggerTimetable(LOOK_EVERY)),
        catchup=False,
        max_active_runs=1,
        tags=[*flows, system, "delivery"],
        default_args={"owner": system, "execution_timeout": LONGEST},
    ) as dag:
        Deliver(task_id=f"deliver_{system}", system=system)
    return dag


def _reconcile(known: Landscape, flow: str, number: int) -> DAG:
    hours, minutes = divmod(RECONCILE_APART * (number + 1), 60)
    cron = f"{minutes} {RECONCILE_HOUR + hours} * * *"
    recovered = [names.recovered(system) for system in known.flows[flow].targets]
    with DAG(
        dag_id=names.reconcile_dag_id(flow),
        dag_display_name=f"reconcile {flow}",
        description=f"Reads what every target of {flow} really holds and compares it with what it should hold",
        doc_md=RECONCILE_DOC.format(flow=flow, at=f"{RECONCILE_HOUR + hours:02}:{minutes:02}"),
        # Without it Airflow starts a cron DAG that it sees for the first time up to two hours late: beside the first
        # synchronisation of all.
        schedule=AssetOrTimeSchedule(
            timetable=CronTriggerTimetable(cron, timezone=known.retailer.zone, run_immediately=timedelta()),
            assets=AssetAny(*(Asset(name=uri, uri=uri) for uri in recovered)),
        ),
        catchup=False,
        max_active_runs=1,
        tags=[flow, "reconcile"],
        default_args={"owner": flow, "execution_timeout": LONGEST},
    ) as dag:
        for target in known.flows[flow].targets:
            Reconcile(task_id=f"compare_{target}", flow=flow, system=target)
    return dag


def _approve(flow: str) -> DAG:
    timetable = CronTriggerTimetable(ASK_EVERY, timezone="UTC", run_immediately=timedelta())
    with DAG(
        dag_id=names.approve_dag_id(flow),
        dag_display_name=f"approve {flow}",
        description=f"Asks a person about a batch of {flow} that a guard holds, and does what was decided",
        doc_md=APPROVE_DOC.format(flow=flow),
        schedule=_doorbell(names.held(flow), timetable),
        catchup=False,
        max_active_runs=ASKED_AT_ONCE,
        tags=[flow, "approval"],
        default_args={"owner": flow},
    ) as dag:
        Approve(task_id=f"ask_about_{flow}", flow=flow)
    return dag


def _timetable(settings: SourceSettings, zone: str) -> DeltaTriggerTimetable | CronTriggerTimetable:
    if settings.schedule:
        return CronTriggerTimetable(settings.schedule, timezone=zone)
    return DeltaTriggerTimetable(settings.every or LOOK_EVERY)


def _doorbell(uri: str, timetable: DeltaTriggerTimetable | CronTriggerTimetable) -> AssetOrTimeSchedule:
    return AssetOrTimeSchedule(timetable=timetable, assets=[Asset(name=uri, uri=uri)])


def _pace(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    if seconds == 60:
        return "minute"
    return f"{seconds // 60} minutes" if seconds % 60 == 0 else f"{seconds} seconds"


def _opening(known: Landscape, system: str) -> str:
    hours = known.systems[system].open
    if hours is None:
        return ""
    windows = ", ".join(f"{start:%H:%M} to {end:%H:%M}" for start, end in hours.windows)
    return f"It is called from {windows} only; at other times a run ends at once and says so."


INGEST_DOC = """\
### {flow} from {system}

Runs when something arrives from **{system}**, and {every} in any case. {opening}

A run takes whatever waits; it never depends on its time. Clearing it and running it again is harmless.

| what you see | what it means | what to do |
|---|---|---|
| green | done; the counts are in the task's XCom, the steps behind **Hub run** | nothing |
| yellow, retrying | the system does not answer; it is tried again after some minutes | nothing, unless it lasts |
| red | a person must act; the last line of the log says what to do | do it, then clear the task |
| pink, skipped | a batch that looks wrong is still held, the rest went on | send a newer snapshot |
| pink, skipped | another task tells that **{system}** is in trouble; its name is in the log | look at that one |
| pink, skipped | the circuit of **{system}** is open: one task asks it now and then | *Browse, Hub systems* says more |
"""

DELIVER_DOC = """\
### Deliver to {system}

Sends what **{system}** should hold for {flows}, whenever something waits, and every minute in any case.

A run works for 20 seconds at most, ends green with the number that is still pending, and starts again.
It sends a difference, so running it once more sends nothing twice.
"""

APPROVE_DOC = """\
### Approve {flow}

Runs when a guard of hub.yaml holds a batch of {flow}, and every half hour in any case. Each run asks about one batch
and waits, without keeping a worker: it is found under **Required Actions**, with what the batch would do in words.

| what you see | what it means | what to do |
|---|---|---|
| awaiting input | a batch is held | read it, write why, then approve or reject |
| green | it was decided here; the audit keeps who and why | nothing |
| pink, skipped | nothing was held, or it was decided by `hub held`, or a newer batch superseded it | nothing |
"""

RECONCILE_DOC = """\
### Reconcile {flow}

Every day at {at}, when a target answers again after its circuit was open (then that target alone), and whenever you
trigger it: reads afresh what each target really holds and compares it with what it
should hold. One task for each target, so that one that is down does not keep the others from being compared.

A task ends green with its counts. What drifted is in doubt from then on: the delivery of that target, which is rung,
reads it back and follows `on_foreign_edit`. The causes are behind **Hub run**; `hub reconcile {flow}` tells them all.
"""
