"""What a reconciliation found: per target, over all of a flow, in a sentence and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.flow.causes import Cause, Difference
from hub.flow.channels import Apart
from hub.flow.claims import Claim
from hub.flow.explained import Explained


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """One target of a flow after the comparison."""

    target: str
    run: str
    counts: Mapping[str, int]  # compared, equal, different; fixed: values that were sent because of it
    differences: Sequence[Difference]
    sentence: str
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def agrees(self) -> bool:
        """Nothing differs but what is known and waits for somebody or something."""
        return all(one.cause.settled for one in self.differences)

    @property
    def repairable(self) -> bool:
        return any(one.cause.repairable for one in self.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A flow reconciled: its targets, what was refused or is held on the way in, who contradicts whom, prices that
    differ, and the rules by which a target is to hold something else than its source says."""

    flow: str
    targets: Sequence[Reconciled]
    refused: Sequence[Difference]
    claims: Sequence[Claim]
    apart: Sequence[Apart]
    held: Sequence[Difference] = ()
    explained: Sequence[Explained] = ()

    @property
    def exit_code(self) -> int:
        explained = all(one.cause.settled for one in self.apart)
        return 0 if explained and all(target.agrees for target in self.targets) else 1


def sentence(flow: str, target: str, counts: Mapping[str, int], differences: Sequence[Difference]) -> str:
    """What the comparison found, for a person."""
    why = Counter(one.cause.value for one in differences).most_common()
    named = ", ".join(f"{count:,} {cause}" for cause, count in why)
    fixed = f"; {counts['fixed']:,} sent again" if counts["fixed"] else ""
    return (
        f"{flow} at {target}: {counts['equal']:,} of {counts['compared']:,} agree{f'; {named}' if named else ''}{fixed}"
    )


def as_data(report: Report) -> dict[str, Any]:
    """The report as a program reads it."""
    return {
        "flow": report.flow,
        "agrees": report.exit_code == 0,
        "targets": {
            one.target: {**one.counts, "causes": dict(Counter(d.cause.value for d in one.differences)), "run": one.run}
            for one in report.targets
        },
        "differences": [plain(d) for one in report.targets for d in one.differences],
        "refused": [plain(d) for d in report.refused],
        "claims": [
            {
                "object": c.object,
                "key": c.key,
                "system": c.system,
                "owner": c.owner,
                "fields": dict(c.fields),
                "cause": Cause.OWNERSHIP.value,
            }
            for c in report.claims
        ],
        "apart": [
            {"sku": one.sku, "asked": dict(one.asked), "cause": one.cause.value, "detail": one.detail}
            for one in report.apart
        ],
        "held": [plain(d) for d in report.held],
        "explained": [{**asdict(one), "cause": one.cause.value} for one in report.explained],
    }


def plain(one: Difference) -> dict[str, Any]:
    return {
        "system": one.system,
        "object": one.object,
        "key": one.key,
        "cause": one.cause.value,
        "detail": one.detail,
        "fields": dict(one.fields),
    }
