"""Settlement: the receipts of one attempt, gathered by what they mean and written as sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.flow import derive, learned
from hub.flow.outcome import Pass
from hub.journal import attempts, audit, outbox, quarantine, remotes
from hub.model import Accepted, Conflict, Done, Doubtful, Postponed, Receipt, Rejected, Remote

if TYPE_CHECKING:
    from hub.flow.engine import Engine

CONTRADICTED_AGAIN = timedelta(seconds=60)  # before a value is sent again that the target confirmed otherwise
UNANSWERED_AGAIN = timedelta(seconds=60)  # before one is that had no answer twice, and was not carried out


class Settlement:
    """What became of each member of one attempt; ``add`` all receipts, then ``write`` once."""

    def __init__(self, engine: Engine, current: Pass, target: str, object: str) -> None:
        self.engine, self.current, self.target, self.object = engine, current, target, object
        self.done: list[int] = []
        self.again: list[int] = []
        self.behind: list[int] = []  # in doubt, and not the first that go out again
        self.held: dict[str, tuple[Mapping[str, Any], int]] = {}
        self.confirmed: dict[str, Remote] = {}
        self.parts: dict[str, Mapping[str, Any]] = {}
        self.doubted: list[str] = []
        self.unsure: list[int] = []  # in doubt at a target that cannot be read back: they stay out
        self.accepted: dict[int, Accepted] = {}  # answered later: they stay out as well
        self.can_read = engine.target(target).capability(object).read_back is not None
        self.otherwise: dict[str, str] = {}  # key -> subject
        self.refused: list[tuple[dict[str, Any], Rejected]] = []
        self.entries: list[audit.Entry] = []
        self.delay = 0.0

    def add(self, member: dict[str, Any], receipt: Receipt) -> bool:
        """True when the target must be read before more is sent."""
        match receipt:
            case Done():
                self.done.append(member["id"])
                holds = {**(member["previous"] or {}), **receipt.remote.value}
                self.held[member["key"]] = (holds, member["generation"])
                self.confirmed[member["key"]] = receipt.remote
                self.parts[member["key"]] = member["parts"]
                self.tell(member, "confirmed", dict(receipt.remote.value), None)
                if any(holds.get(name) != value for name, value in member["value"].items()):
                    self.otherwise[member["key"]] = member["subject"]
            case Conflict():
                self.again.append(member["id"])
                self.doubted.append(member["key"])
                self.tell(member, "conflict", dict(receipt.remote.value) if receipt.remote else None, "changed there")
                return True
            case Postponed():
                self.again.append(member["id"])
                self.delay = max(self.delay, receipt.delay)
            case Rejected():
                self.refused.append((member, receipt))
                self.tell(member, "refused", None, f"{receipt.path}: {receipt.reason}")
            case Doubtful():
                self.doubt(member, receipt)
                return True
            case Accepted():
                if attempts.HANDLE not in member:
                    self.tell(member, "accepted", None, f"answers not before {receipt.not_before:%Y-%m-%d %H:%M %Z}")
                self.accepted[member["id"]] = receipt
        return False

    def doubt(self, member: Mapping[str, Any], receipt: Doubtful) -> None:
        """What can be read back is, and waits for that; anything else stays with the attempt that sent it."""
        self.tell(member, "unknown", None, receipt.reason)
        if self.can_read:
            self.behind.append(member["id"])
            self.doubted.append(member["key"])
        else:
            self.unsure.append(member["id"])

    def tell(self, member: Mapping[str, Any], step: str, after: Any, answer: str | None) -> None:
        self.entries.append(entry_of(self.target, self.object, member, step, after, answer))

    def write(self, sent_at: datetime) -> None:
        """All of it, in the caller's transaction; the outbox then follows what is now known."""
        journal, counts = self.engine.journal, self.current.counts
        counts["delivered"] += outbox.settle(journal, self.done, "delivered", self.current.run)
        quarantine.lift(journal, self.target, self.object, [], list(self.confirmed), side="sent")
        remotes.confirm(journal, self.target, self.object, self.held, sent_at=sent_at)
        learned.keep(self.engine, self.current, self.target, self.object, self.parts, self.confirmed, self.held)
        not_before = self.engine.clock.now() + timedelta(seconds=self.delay) if self.delay else None
        counts["coalesced"] += outbox.put_back(journal, self.again, not_before, self.current.run)
        now = self.engine.clock.now()
        counts["coalesced"] += outbox.put_behind(journal, self.behind, now, UNANSWERED_AGAIN, self.current.run)
        remotes.suspect(journal, self.target, self.object, keys=self.doubted)
        outbox.doubt(journal, self.unsure)
        self.put_away()
        self.follow_up()
        audit.write(journal, self.current.run, self.current.flow, self.entries)

    def follow_up(self) -> None:
        """What the target confirmed otherwise than it was sent is sent again, but not in a circle."""
        if self.otherwise:
            subjects = sorted(set(self.otherwise.values()))
            derive.enqueue_for(self.engine, self.current, self.current.flow, self.target, subjects, urgent=False)
            later = self.engine.clock.now() + CONTRADICTED_AGAIN
            outbox.hold_back(self.engine.journal, self.target, self.object, list(self.otherwise), later)

    def put_away(self) -> None:
        """What the target refuses goes to quarantine and is not sent again until its value changes."""
        journal, run = self.engine.journal, self.current.run
        if self.refused:
            keys = [(member["key"], member["generation"]) for member, _ in self.refused]
            outbox.mark_refused(journal, self.target, self.object, keys)
        for member, receipt in self.refused:
            raw = self.engine.vault.keep(journal, "refused", json.dumps(member, sort_keys=True, default=str).encode())
            cause = quarantine.cause_of(receipt.path, receipt.reason)
            entry = quarantine.Entry(
                object=self.object, key=member["key"], source_key=None, path=receipt.path, reason=receipt.reason,
                cause=cause, fingerprint=quarantine.fingerprint(self.target, cause),
                origin={"source": f"delivery to {self.target}", "raw": raw}, raw=raw, mapping=None, side="sent",
                record={"generation": member["generation"], "subject": member["subject"]},
            )  # fmt: skip
            quarantine.put(journal, self.current.flow, self.target, [entry], run)
            self.current.counts["refused"] += outbox.settle(journal, [member["id"]], "refused", run, receipt.reason)


def entry_of(
    target: str, object: str, member: Mapping[str, Any], step: str, after: Any, answer: str | None
) -> audit.Entry:
    return audit.Entry(
        step=step,
        system=target,
        object=object,
        key=member["key"],
        subject=member["subject"],
        before=member["previous"],
        after={"sent": member["value"], "generation": member["generation"], "as_of": member["as_of"], "holds": after},
        answer=answer,
    )
