"""Runs uv for the Makefile, in ``.venv``, with the settings that this machine gives to pip.

A mirror, a folder of wheels or a certificate of the company's own is usually told to pip alone (pip.conf,
PIP_INDEX_URL, PIP_CERT); uv does not read those. What uv was told itself (UV_INDEX_URL, uv.toml) counts first.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BIN = Path(sys.executable).parent
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
}
OLDER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
PLACES = ("global", "install", ":env:")
YES = ("1", "true", "yes", "on")


def settings_of_pip() -> dict[str, str]:
    """Option -> value; pip lists them by place (``global.cert='…'``), of which the last of PLACES is the strongest."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    found: dict[str, dict[str, str]] = {place: {} for place in PLACES}
    for line in listed.stdout.splitlines():
        name, _, written = line.partition("=")
        place, _, option = name.rpartition(".")
        if place in found:
            value = " ".join(str(ast.literal_eval(written)).split())
            found[place][option.replace("default-timeout", "timeout")] = value
    return {option: value for place in PLACES for option, value in found[place].items()}


def environment(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """``given`` with what pip was told, where uv was not told otherwise."""
    env = {**given, "VIRTUAL_ENV": str(BIN.parent)}
    for option, variable in VARIABLES.items():
        told = variable in env or OLDER_NAMES.get(variable, "") in env
        if option in settings and not told:
            value = settings[option]
            env[variable] = value.replace(" ", ",") if option == "find-links" else value
    # As pip does: the pinned version may be on any of the indexes. Safe, since every hash is pinned too.
    env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def arguments(settings: Mapping[str, str], given: list[str]) -> list[str]:
    """``given``, without the network where pip does without it: uv has no variable for that."""
    alone = settings.get("no-index", "").lower() in YES and given[:2] == ["pip", "install"]
    return [*given, "--no-index"] if alone else given


if __name__ == "__main__":
    uv, told = BIN / "uv", settings_of_pip()
    command = [str(uv), *arguments(told, sys.argv[1:])]
    os.execve(uv, command, environment(told, os.environ))  # noqa: S606 - no shell is wanted
