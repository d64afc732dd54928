"""Words: what each system says of some subjects or keys, and whose newest word was refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.journal.database import Connection


@dataclass(frozen=True, slots=True)
class Said:
    """One system's latest word on one key."""

    system: str
    key: str
    subject: str
    data: dict[str, Any]


def of_subjects(connection: Connection, object: str, subjects: Sequence[str]) -> dict[str, list[Said]]:
    """By subject, every system's words of ``object``."""
    rows = connection.execute(
        """SELECT system, key, subject, data FROM source_state
           WHERE object = %s AND subject = ANY(%s) ORDER BY subject, key, system""",
        (object, list(subjects)),
    )
    found: dict[str, list[Said]] = defaultdict(list)
    for row in rows:
        said = Said(*row)
        found[said.subject].append(said)
    return found


def of_keys(connection: Connection, object: str, systems: Sequence[str], keys: Sequence[str]) -> dict[str, list[Said]]:
    """By key, the words of ``systems``, whatever subject each of them files it under."""
    rows = connection.execute(
        """SELECT system, key, subject, data FROM source_state
           WHERE system = ANY(%s) AND object = %s AND key = ANY(%s) ORDER BY key, system""",
        (list(systems), object, list(keys)),
    )
    found: dict[str, list[Said]] = defaultdict(list)
    for row in rows:
        said = Said(*row)
        found[said.key].append(said)
    return found


def refused(connection: Connection, object: str, keys: Sequence[str]) -> dict[str, frozenset[str]]:
    """By key, the systems whose newest word on it is in quarantine."""
    rows = connection.execute(
        """SELECT key, system FROM quarantine WHERE object = %(object)s AND state = 'open' AND key = ANY(%(keys)s)
           UNION SELECT source_key, system FROM quarantine
           WHERE object = %(object)s AND state = 'open' AND source_key = ANY(%(keys)s)""",
        {"object": object, "keys": list(keys)},
    )
    found: dict[str, set[str]] = defaultdict(set)
    for key, system in rows:
        found[key].add(system)
    return {key: frozenset(systems) for key, systems in found.items()}


def known_skus(connection: Connection, systems: Sequence[str], skus: Sequence[str]) -> set[str]:
    """Those of ``skus`` that some system knows as an article, by whatever object."""
    rows = connection.execute(
        """SELECT key FROM source_state WHERE system = ANY(%(systems)s) AND object = 'variant' AND key = ANY(%(skus)s)
           UNION SELECT subject FROM source_state
           WHERE object = ANY(ARRAY['stock_level', 'price']) AND subject = ANY(%(skus)s)""",
        {"systems": list(systems), "skus": list(skus)},
    )
    return {row[0] for row in rows}
