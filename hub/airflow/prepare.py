"""Bring Airflow's database to this version and make the pools; run once before its processes start.

``python -m hub.airflow.prepare`` does nothing, and quickly, where version, address and pools are as before.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from hub.airflow import names

ACCOUNT_SLOTS = 2  # one task reads from the account while another writes to it


def main() -> int:
    systems = sys.argv[1:]
    stamp = Path(os.environ["AIRFLOW_HOME"]) / "prepared.json"
    wanted = json.dumps([version("apache-airflow-core"), _address(), sorted(systems)])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _migrate()
        _make_pools(systems)
        stamp.write_text(wanted, encoding="utf-8")
    return 0


def _address() -> str:
    return hashlib.sha256(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].encode()).hexdigest()


def _migrate() -> None:
    from airflow.utils import db

    db.upgradedb()


def _make_pools(systems: list[str]) -> None:
    from airflow.models.pool import Pool

    for system in systems:
        Pool.create_or_update_pool(names.pool(system), ACCOUNT_SLOTS, f"the account {system}", include_deferred=False)


if __name__ == "__main__":
    sys.exit(main())
