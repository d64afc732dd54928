"""No call that reaches a system goes past its breaker, whatever the contract of a connector gains."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

from hub import connector
from hub.flow.breakers import Breakers

# What a connector answers by itself, from its options and from what it was given.
BY_ITSELF = {"capability", "reopen", "rewind", "verify", "identity", "unpack"}
NOT_A_CONNECTOR = {"Budget", "Context"}


def contract() -> set[str]:
    """Every method that a connector may have."""
    kinds = [
        kind
        for name, kind in inspect.getmembers(connector, inspect.isclass)
        if (getattr(kind, "_is_protocol", False) or name == "Connector")
        and kind is not Protocol
        and kind.__module__ == connector.__name__
        and name not in NOT_A_CONNECTOR
    ]
    return {name for kind in kinds for name in vars(kind) if not name.startswith("_") and callable(vars(kind)[name])}


def test_every_method_that_reaches_the_system_is_guarded() -> None:
    class Everything:
        """A connector of all kinds at once."""

    def method(self: Any) -> None:
        """Of no importance."""

    for name in contract():
        setattr(Everything, name, method)
    one: Any = Everything()
    nobody: Any = None
    Breakers(nobody, nobody, nobody, lambda system: ()).guard(one, "shop")
    assert set(vars(one)) == contract() - BY_ITSELF
    assert contract() >= {"read", "write", "find", "settle", "fetch", "release", "arrived", "check"} | BY_ITSELF
