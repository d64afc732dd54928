"""Every command with its arguments and options, as the command line itself knows them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from hub.cli.docs.page import code, described, table

INTRODUCTION = """\
# Commands

Each command explains itself with `--help`. Exit codes: 0 done (records in quarantine included), 1 failed or something
pending, 2 wrong usage or configuration, 3 a batch is held for a person. With `--json` the last line of the output is
one JSON object. `hub --install-completion` teaches your shell the names.
"""


def page() -> str:
    lines = [INTRODUCTION.strip()]
    for name, command in commands():
        lines += ["", f"## {name}", "", _help(name, command)]
        if rows := list(_parameters(name, command)):
            lines += ["", *table(["argument or option", "what it says", "by default"], rows)]
    return "\n".join([*lines, ""])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command and group below ``hub``, in the order of ``hub --help``."""
    import typer

    from hub.cli import app

    yield from _below("hub", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    for word, found in getattr(command, "commands", {}).items():
        if not found.hidden:
            yield f"{name} {word}", found
            yield from _below(f"{name} {word}", found)


def _help(name: str, command: Any) -> str:
    described(name, command.help)
    paragraphs = inspect.cleandoc(command.help).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _parameters(name: str, command: Any) -> Iterator[list[str]]:
    for found in command.params:
        argument = found.param_type_name == "argument"
        shown = found.name.upper() if argument else ", ".join([*found.opts, *found.secondary_opts])
        default = None if argument or found.default in (None, False, (), []) else found.default
        yield [f"`{shown}`", described(f"{name} {shown}", found.help), code(default)]
