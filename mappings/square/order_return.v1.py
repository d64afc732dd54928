"""The parts of a ticket's key."""

import re


def compact(day: str) -> str:
    """``2026-11-21`` as ``20261121``."""
    return day.replace("-", "")


def word(text: str) -> str:
    """Capital letters, digits and dashes, as a key takes them."""
    return re.sub(r"[^A-Z0-9._]+", "-", str(text).strip().upper()).strip("-")
