"""The reference, made from the code: ``python -m hub.cli.docs`` (``make docs``) writes docs/reference/.

A test makes the pages again and fails where they differ, or where something has no description.
"""

from __future__ import annotations

from pathlib import Path

from hub.cli.docs import commands, connectors, counter, environment, functions, schemas, settings
from hub.cli.docs.page import Undocumented


def pages(project: Path) -> dict[str, str]:
    """File name -> content of docs/reference; raises :class:`Undocumented` for what has no description."""
    made = {
        "commands.md": commands.page(),
        "settings.md": settings.page(),
        "mapping.md": functions.page(),
        "connectors.md": connectors.page(),
        "counter.md": counter.page(),
        "objects.md": schemas.page(project / "canonical_schemas"),
        "environment.md": environment.page(),
    }
    return {"README.md": _index(made), **made}


def _index(made: dict[str, str]) -> str:
    titles = {name: text.partition("\n")[0].removeprefix("# ") for name, text in made.items()}
    lines = ["# Reference", "", "Made from the code by `make docs`; do not edit.", ""]
    return "\n".join([*lines, *(f"- [{title}]({name})" for name, title in titles.items()), ""])


__all__ = ["Undocumented", "pages"]
