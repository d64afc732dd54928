"""Faults on demand: what goes wrong at a system, how often, for how long; repeatable, and in the ledger."""

from hub.sandbox.faults.kinds import CAN, Kind, able
from hub.sandbox.faults.rules import Faults, Rule

__all__ = ["CAN", "Faults", "Kind", "Rule", "able"]
