"""Where a command works: the project, its HUB_HOME, and an engine over its journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.flow import Engine
    from hub.local.site import Site


def site() -> Site:
    """The site of the project that this command was called in."""
    from hub.config import project_root
    from hub.local.site import Site

    return Site.of_environment(project_root())


@contextmanager
def engine() -> Iterator[Engine]:
    """An engine over this site's journal: the one that ``hub up`` runs, or one started for this command."""
    from hub.flow import Engine
    from hub.local.postgres import embedded

    here = site()
    with embedded(here.home) as dsn, Engine.open(here.project, dsn=dsn) as found:
        yield found
