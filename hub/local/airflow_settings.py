"""The environment that Airflow's four processes run in; why each value is what it is was measured on two cores."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path

from hub.local.site import ADMIN, GATEWAY, Site
from hub.local.supervisor import Program

PARALLELISM = 4


def base_environment(site: Site, dsn: str) -> dict[str, str]:
    """What every process of the hub gets: where its folder, its project and its journal are."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTHONDONT"))}
    return {
        **inherited,
        "HUB_HOME": str(site.home),
        "HUB_PORT": str(site.port),
        "HUB_PROJECT": str(site.project),
        "HUB_DATABASE_URL": dsn,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(site.project), inherited.get("PYTHONPATH")])),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", "")]),
    }


def environment(site: Site, dsn: str, airflow_url: str) -> dict[str, str]:
    """``dsn`` is the journal, ``airflow_url`` Airflow's own database, both as libpq URLs."""
    settings = {
        **_where(site, airflow_url),
        **_sign_in(site),
        **_speed(),
        **_recovery(),
    }
    return {**base_environment(site, dsn), **settings}


def _where(site: Site, airflow_url: str) -> dict[str, str]:
    connections = {"connections_file_path": str(site.home / "connections.json")}
    return {
        "AIRFLOW_HOME": str(site.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(site.project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",  # a paused DAG drops its asset events
        "AIRFLOW__CORE__EXECUTOR": "hub.airflow.executor.InTurn",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "utc",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sqlalchemy_url(airflow_url),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{site.url('airflow')}/execution/",
        "AIRFLOW__API__BASE_URL": site.url("airflow"),
        "AIRFLOW__API__HOST": "127.0.0.1",  # the default is every interface
        "AIRFLOW__API__PORT": str(site.ports["airflow"]),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(site.home / "logs" / "airflow"),
        # Connections come from the file that the sandbox writes, or from whatever backend operations set.
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(connections),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",  # nothing leaves the machine
    }


def _sign_in(site: Site) -> dict[str, str]:
    site.passwords()
    keys = site.keys()
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{GATEWAY}:op",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(site.passwords_file),
        "AIRFLOW__CORE__FERNET_KEY": keys["fernet"],
        "AIRFLOW__API__SECRET_KEY": keys["session"],
        "AIRFLOW__API_AUTH__JWT_SECRET": keys["jwt"],
    }


def _speed() -> dict[str, str]:
    """One task 0.8 s and two chained 0.9 s instead of 3.1 and 5.2."""
    return {
        "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        # Within it a process that has ended is heard to end, and frees its slot; 5 s would keep an answer waiting.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",  # the first call after a start takes 6 s
        "AIRFLOW__API__WORKERS": "1",
    }


def _recovery() -> dict[str, str]:
    """How soon Airflow believes that a scheduler or a task is dead.

    A busy machine delays heartbeats: at 10 s a living scheduler declared itself dead and ended its own tasks.
    After a kill nothing waits for these: the next start tells Airflow (:func:`forget_schedulers`).
    """
    return {
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "90",
    }


def forget_schedulers(airflow_url: str) -> None:
    """Tell Airflow that no scheduler runs, so that the next one takes over its tasks at once.

    For the embedded database alone: there the supervisor knows that it is true.
    """
    import psycopg

    with psycopg.connect(airflow_url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('job')").fetchone() != (None,):
            connection.execute("UPDATE job SET state = 'failed' WHERE job_type = 'SchedulerJob' AND state = 'running'")


def sqlalchemy_url(url: str) -> str:
    """A libpq URL as SQLAlchemy wants it, with the driver that Airflow ships."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return f"postgresql+psycopg2://{url.removeprefix(prefix)}"
    return url


def programs(env: dict[str, str], own_database: str | None) -> list[Program]:
    """Airflow's four processes; their log servers, which cannot be kept off the network, stay off.

    ``own_database`` is Airflow's database where nobody else uses it.
    """
    airflow = [sys.executable, "-m", "airflow"]
    forget = partial(forget_schedulers, own_database) if own_database else lambda: None
    return [
        Program(name="api-server", command=[*airflow, "api-server"], env=env, last=True),
        Program(
            name="scheduler", command=[*airflow, "scheduler", "--skip-serve-logs"], env=env, tasks=True, before=forget
        ),
        Program(name="dag-processor", command=[*airflow, "dag-processor"], env=env),
        Program(name="triggerer", command=[*airflow, "triggerer", "--skip-serve-logs"], env=env),
    ]
