"""A person decides in Airflow: one waiting task for each held batch, with what it would do in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Asset, AssetAlias, Param
from airflow.sdk.exceptions import AirflowSkipException, TaskAwaitingInput

from hub.airflow import names
from hub.airflow.operators import RunLink, connection
from hub.airflow.policy import POLICY, RETRIES, one_sentence

if TYPE_CHECKING:
    from airflow.sdk import Context

    from hub.flow import Engine

LOOK = timedelta(minutes=1)  # how soon a task ends whose batch was decided elsewhere, or superseded
IN_AIRFLOW = " in Airflow"  # behind the name of whoever decided there

BODY = """\
**What it would do:** {plan}

**Held because** {reason}

{source}, as of {as_of}, number {id} of `hub held list`.

*Approve* applies exactly this batch. *Reject* applies nothing of it, now or later. A newer one supersedes it by itself.
Both want a reason: an answer without one is not carried out, and the question stays.
"""


class Approve(ApprovalOperator):
    """Claims one held batch of a flow, asks a person, and does what was decided.

    It waits in Airflow without a worker. Once a minute the scheduler lets it look whether the batch is still held;
    decided by ``hub held`` or superseded by a newer one, it ends by itself. Airflow keeps an answer that could not be
    carried out yet; the next try takes it up, and nobody is asked twice.
    """

    operator_extra_links = (RunLink(),)
    ui_color = "#fbeedd"

    def __init__(self, *, flow: str, **arguments: Any) -> None:
        self.bell = AssetAlias(f"hub-bell-{arguments['task_id']}-{flow}")
        why = Param(
            "", type="string", title="Why", description="The reason, for whoever looks at it later. It is needed."
        )
        super().__init__(
            subject=f"A batch of {flow} is held",
            body="",
            params={"why": why},
            response_timeout=LOOK,
            retry_policy=POLICY,
            outlets=[self.bell],
            **{**RETRIES, **arguments},
        )
        self.flow = flow

    def execute(self, context: Context) -> Any:
        """Ask; ends skipped where nothing waits that nobody asks about already.

        A task that is tried again, or cleared, has asked already. It waits on without putting the question once more,
        which would take the answer off it; where there is one, Airflow resumes the task with it at once.
        """
        from hub.flow import Engine

        with one_sentence(), Engine.open(connections=connection) as engine:
            row = self.claim(engine, context)
            if row is None:
                raise AirflowSkipException(f"nothing of {self.flow} waits for a person whom nobody has asked")
            if row["state"] != "held":
                return self.decided(engine, context, row)
            if row["put"]:
                raise self.waits()
            return self.ask(engine, context, row)

    def ask(self, engine: Engine, context: Context, row: Mapping[str, Any]) -> None:
        """Put the question, and wait; an answer that was given before is taken off it."""
        from hub.journal import held

        self.subject = f"{row['flow']} from {row['system']}: {row['source']} is held"
        self.body = BODY.format(
            plan=plain(row["plan"]), reason=plain(row["reason"]), source=plain(row["source"]), id=row["id"],
            as_of=f"{row['as_of']:%Y-%m-%d %H:%M:%S} UTC" if row["as_of"] else "its reading",
        )  # fmt: skip
        try:
            super().execute(context)
        except TaskAwaitingInput:
            held.put(engine.journal, row["id"])
            raise

    def waits(self) -> TaskAwaitingInput:
        return TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)

    def decided(self, engine: Engine, context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
        """The end of a task whose batch is decided: here, by its earlier try, or by somebody else."""
        from hub.flow import deciding

        if deciding.left_over(engine, row):  # that try was killed while it applied the batch
            return self.approve(engine, context, row["id"], row["decided_by"], row["why"])
        if (row["decided_by"] or "").endswith(IN_AIRFLOW):
            return {"number": row["id"], "decided": row["state"]}
        raise AirflowSkipException(ended(row))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """The answer, or the minute's look: wait on, end, or do what was decided.

        Airflow's form asks for the reason, and its API takes an answer without one: then it is asked again.
        """
        from hub.flow import Engine

        with one_sentence(), Engine.open(connections=connection) as engine:
            row = self.claim(engine, context)
            if row is None:
                raise AirflowSkipException(ended(row))
            if row["state"] != "held":
                return self.decided(engine, context, row)
            if event.get("error_type") == "timeout":
                raise self.waits()
            if "error" not in event and not why_of(event):
                self.log.warning("number %d: an answer without a reason is not carried out; asked again", row["id"])
                self.ask(engine, context, row)
            chosen = super().execute_complete(context, event)
            return self.carry_out(engine, context, row["id"], chosen)

    def carry_out(self, engine: Engine, context: Context, number: int, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Approve or reject in the name of Airflow's user."""
        from hub.flow import deciding

        who, why = who_of(chosen), why_of(chosen)
        if chosen["chosen_options"] != [self.APPROVE]:
            deciding.reject(engine, number, who=who, why=why)
            return {"number": number, "decided": "rejected"}
        return self.approve(engine, context, number, who, why)

    def approve(self, engine: Engine, context: Context, number: int, who: str, why: str) -> dict[str, Any]:
        from hub.flow import deciding

        outcome = deciding.approve(engine, number, who=who, why=why)
        self.hub_run = outcome.run
        self.ring(context, outcome.ring)
        return {"number": number, "decided": "approved", "run": outcome.run, **outcome.counts}

    def claim(self, engine: Engine, context: Context) -> dict[str, Any] | None:
        """The batch of this run, which from now on is asked about here."""
        from hub.flow.engine import ASKED
        from hub.journal import held

        now = engine.clock.now()
        return held.ask(engine.journal, self.flow, context["run_id"], now, now - ASKED)

    def ring(self, context: Context, systems: Iterable[str]) -> None:
        for system in systems:
            context["outlet_events"][self.bell].add(Asset(name=names.waiting(system), uri=names.waiting(system)))


def who_of(chosen: Mapping[str, Any]) -> str:
    user = chosen.get("responded_by_user") or {}
    return f"{user.get('name') or user.get('id') or 'somebody'}{IN_AIRFLOW}"


def why_of(chosen: Mapping[str, Any]) -> str:
    """The reason of an answer; empty where it has none."""
    found = (chosen.get("params_input") or {}).get("why")
    return "" if found is None else str(found).strip()


def ended(row: Mapping[str, Any] | None) -> str:
    """Why there is nothing to ask any more."""
    from hub.flow.deciding import already

    return already(row["id"], dict(row)) if row else "the batch of this run is gone"


def plain(text: str) -> str:
    """``text`` without what Markdown would make of a name that came from outside."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~])", r"\\\1", text)
