"""Named: every article and place that any system has told of, and which of them another system has no id for yet.

A table of its own, because a pass with nothing new asks for it of every target: levels are many, articles are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.journal.database import Connection

# What is named, and the states that name it.
NAMED_IN: Mapping[str, tuple[str, ...]] = {"sku": ("stock_level", "variant", "price"), "location": ("location",)}


def learn(connection: Connection, object: str, told: Iterable[Mapping[str, Any]]) -> None:
    """Remember what these records of ``object`` name.

    Two processes that learn the same at once both write it: nobody waits for anybody, and readers take it once.
    """
    names = [name for name, objects in NAMED_IN.items() if object in objects]
    keys = {name: {str(data[name]) for data in told if data.get(name)} for name in names}
    for name, found in keys.items():
        connection.execute(
            """INSERT INTO named (name, key) SELECT %(name)s, k FROM unnest(%(keys)s::text[]) k
               WHERE NOT EXISTS (SELECT 1 FROM named n WHERE n.name = %(name)s AND n.key = k)""",
            {"name": name, "keys": sorted(found)},
        )


def unbound(connection: Connection, system: str, name: str) -> list[str]:
    """The keys of everything so named that has no id at ``system``, in their order."""
    rows = connection.execute(
        """SELECT DISTINCT n.key FROM named n WHERE n.name = %(name)s AND NOT EXISTS (
               SELECT 1 FROM binding b WHERE b.system = %(system)s AND b.object = %(name)s AND b.key = n.key)
           ORDER BY n.key""",
        {"name": name, "system": system},
    )
    return [row[0] for row in rows]


def described(connection: Connection, name: str, keys: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Those of ``keys`` that a system still tells of, with the record that says most of it (a GTIN, a name)."""
    rows = connection.execute(
        """SELECT DISTINCT ON (data ->> %(name)s) data ->> %(name)s, data FROM source_state
           WHERE object = ANY(%(objects)s) AND data ->> %(name)s = ANY(%(keys)s)
           ORDER BY data ->> %(name)s, (data ? 'gtin') DESC, (data ? 'name') DESC, as_of DESC""",
        {"name": name, "objects": list(NAMED_IN[name]), "keys": list(keys)},
    )
    return rows.fetchall()
