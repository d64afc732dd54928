"""Where the project is (hub.yaml, connectors, mappings) and where its data live."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hub.errors import ConfigError

PAGE = "hub.yaml"


def project_root(environ: Mapping[str, str] = os.environ, cwd: Path | None = None) -> Path:
    """The folder of hub.yaml: HUB_PROJECT, else the nearest one from ``cwd`` upwards, else this package's clone."""
    if named := environ.get("HUB_PROJECT"):
        root = Path(named).expanduser().resolve()
        if not (root / PAGE).is_file():
            raise ConfigError(f"HUB_PROJECT is {named}, and there is no {PAGE} in it")
        return root
    here = (cwd or Path.cwd()).resolve()
    clone = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, clone):
        if (folder / PAGE).is_file():
            return folder
    raise ConfigError(f"there is no {PAGE} in {here} or above it; go into a project, or set HUB_PROJECT to its folder")


def home_of(project: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the data of ``project`` live: HUB_HOME, else ``.hub`` in it. Not made here."""
    named = environ.get("HUB_HOME")
    return Path(named).expanduser().absolute() if named else project.absolute() / ".hub"
