"""Every connector: what it can do, and what its options say."""

from __future__ import annotations

import inspect

from hub.cli.docs import settings
from hub.cli.docs.page import described
from hub.connector import Connector, Library, Listener, Source, Target, Watched, connector_class, connector_names

INTRODUCTION = """\
# Connectors

What stands under `systems.NAME.options` in hub.yaml, by connector. What each promises when a process is killed or a
system does not answer is in [the delivery promise](../delivery-promise.md); how to write one is in
[the tutorial](../tutorial.md).
"""
ROLES = {
    Source: "is read",
    Library: "gives out content",
    Watched: "says when something has arrived",
    Target: "is written",
    Listener: "pushes",
}


def page() -> str:
    lines = [INTRODUCTION.strip()]
    for name in connector_names():
        found = connector_class(name)
        lines += ["", f"## {name}", "", described(name, inspect.getdoc(found))]
        lines += [
            "",
            f"A system of this kind {', '.join(roles(found))}. [Its own page](../../connectors/{name}/README.md).",
        ]
        lines += ["", *settings.fields(found.config, f"{name} options")]
    return "\n".join([*lines, ""])


def roles(found: type[Connector]) -> list[str]:
    """What the engine may ask of such a connector, by the methods that its class has."""
    return [role for protocol, role in ROLES.items() if issubclass(found, protocol)]
