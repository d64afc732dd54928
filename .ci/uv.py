"""Runs uv for the Makefile, in ``.venv``, with the settings that this machine gives to pip.

A mirror, a folder of wheels or a certificate of the company's own is usually told to pip alone (pip.conf,
PIP_INDEX_URL, PIP_CERT); uv does not read those. What uv was told itself (UV_INDEX_URL, uv.toml) counts first.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
}
OLDER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def settings_of_pip() -> dict[str, str]:
    """Option -> value; pip prints the weakest place first (``global.cert='…'``, then ``:env:.cert='…'``)."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    found: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        place, _, written = line.partition("=")
        section, _, option = place.rpartition(".")
        if section in ("global", "install", ":env:"):
            found[option.replace("default-timeout", "timeout")] = " ".join(str(ast.literal_eval(written)).split())
    return found


def environment() -> dict[str, str]:
    env = {**os.environ, "VIRTUAL_ENV": str(BIN.parent)}
    settings = settings_of_pip()
    for option, variable in VARIABLES.items():
        told = variable in env or OLDER_NAMES.get(variable, "") in env
        if option in settings and not told:
            env[variable] = settings[option]
    # As pip does: the pinned version may be on any of the indexes. Safe, since every hash is pinned too.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


if __name__ == "__main__":
    uv = BIN / "uv"
    os.execve(uv, [str(uv), *sys.argv[1:]], environment())  # noqa: S606 - no shell is wanted
