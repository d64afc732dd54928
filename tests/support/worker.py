"""A delivering or synchronising process of its own: run by path, so that a test can kill it.

Arguments: a JSON object with project, dsn, home, connections, and what to do (``once`` or a target to deliver to);
``now`` where its clock stands still.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Standing:
    """A clock that stands still."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def main(given: dict[str, object]) -> None:
    os.environ["HUB_HOME"] = str(given["home"])
    from hub.connector import Connection
    from hub.flow import Engine

    found: dict[str, dict[str, object]] = given["connections"]  # type: ignore[assignment]

    def connection(id: str) -> Connection:
        return Connection(id=id, **{k: v for k, v in found[id].items() if k != "conn_type"})  # type: ignore[arg-type]

    clock = Standing(datetime.fromisoformat(str(given["now"]))) if given.get("now") else None
    project = Path(str(given["project"]))
    with Engine.open(project, connections=connection, dsn=str(given["dsn"]), clock=clock) as engine:
        if given["do"] == "once":
            outcome = engine.once(["stock"])["stock"]
        else:
            outcome = engine.deliver(str(given["do"]), seconds=120)
    sys.stdout.write(json.dumps(dict(outcome.counts)))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
