"""Who is at this shell: what the journal keeps beside each decision of a person."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """Behind sudo the person, not root; in a container whose user has no name, its number."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
