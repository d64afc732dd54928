"""docker/ says what the project is: its files, commands, options, variables, ports and secrets."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.cli.docs.environment import VARIABLES
from hub.config import load
from hub.local.airflow_settings import environment, programs
from hub.local.site import Site

PROJECT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "omnihub"}
AIRFLOW = {name: s for name, s in OURS.items() if "AIRFLOW__CORE__EXECUTOR" in s["environment"]}
ENTRYPOINT = (DOCKER / "entrypoint.sh").read_text(encoding="utf-8")
HANDED_ON = dict(re.findall(r"^  (\w+):(\w+)[ ;\\]*", ENTRYPOINT, re.MULTILINE))

# Where several machines need another value than one; everything else is as `hub up` sets it.
ANOTHER_VALUE = {
    "AIRFLOW__CORE__EXECUTOR": "workers instead of children of the scheduler",
    "AIRFLOW__CORE__PARALLELISM": "over all workers",
    "AIRFLOW__API__HOST": "other containers call it; the published port is loopback's",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "clocks of several machines differ",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "the network lies between",
}
OF_THE_PLACE = {  # addresses and folders of this very installation
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__API__PORT",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    "AIRFLOW__SECRETS__BACKEND_KWARGS",
}


def copied() -> list[str]:
    """What the Dockerfile takes from the clone."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def options_of_airflow() -> set[str]:
    """Every option that this version of Airflow and its Celery provider know, as variables."""
    airflow = Path(find_spec("airflow").submodule_search_locations[0])  # type: ignore[union-attr,index]
    core = yaml.safe_load((airflow / "config_templates" / "config.yml").read_text(encoding="utf-8"))
    known = {f"AIRFLOW__{s}__{o}".upper() for s, section in core.items() for o in section["options"]}
    provider = (airflow / "providers" / "celery" / "get_provider_info.py").read_text(encoding="utf-8")
    returned = next(node for node in ast.walk(ast.parse(provider)) if isinstance(node, ast.Return))
    celery = ast.literal_eval(returned.value)["config"]  # type: ignore[arg-type]
    return known | {f"AIRFLOW__{s}__{o}".upper() for s, section in celery.items() for o in section["options"]}


def on_one_machine(tmp_path: Path) -> dict[str, str]:
    """The variables of `hub up` that this version of Airflow reads."""
    made = environment(Site(home=tmp_path, project=PROJECT), "postgresql://a/omnihub", "postgresql://a/airflow")
    known = options_of_airflow()
    return {name: value for name, value in made.items() if name in known}


def test_the_image_is_made_of_files_that_are_there_and_let_through() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert set(copied()) == let_through
    assert all((PROJECT / name).exists() for name in copied())


def test_the_image_holds_what_the_project_needs_at_run_time() -> None:
    assert {"hub", "connectors", "dags", "mappings", "canonical_schemas", "hub.yaml", "pyproject.toml"} <= set(copied())


def test_the_image_is_installed_from_the_runtime_lock_with_hashes() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert "requirements-dev" not in DOCKERFILE
    locked = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
    assert {"apache-airflow-providers-celery", "celery", "redis", "psycopg2-binary"} <= set(
        re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE)
    )


def test_the_python_of_the_image_is_one_that_the_project_supports() -> None:
    versions = set(re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE))
    assert len(versions) == 1
    assert 11 <= int(versions.pop()) <= 13


def test_nothing_runs_as_root() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\w+)$", last, re.MULTILINE)
    assert user
    assert f"useradd --uid 50000 --create-home --home-dir /home/{user[1]} {user[1]}" in last
    assert not [name for name, service in OURS.items() if service.get("user") or service.get("privileged")]
    assert all(service["cap_drop"] == ["ALL"] for service in OURS.values())


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_module_of_the_project_or_of_airflow(name: str) -> None:
    python, dash, module, *_ = OURS[name]["command"]
    assert (python, dash) == ("python", "-m")
    spec = find_spec(module)
    assert spec
    if spec.submodule_search_locations:
        assert find_spec(f"{module}.__main__")
    else:
        assert '__name__ == "__main__"' in Path(str(spec.origin)).read_text(encoding="utf-8")


def test_airflows_parts_run_as_they_do_on_one_machine() -> None:
    ours = {program.name: list(program.command[1:]) for program in programs({}, None)}
    assert {name: AIRFLOW[name]["command"][1:] for name in ours} == ours


def test_the_worker_is_started_with_options_that_celerys_provider_knows() -> None:
    airflow = Path(find_spec("airflow").submodule_search_locations[0])  # type: ignore[union-attr,index]
    commands = (airflow / "providers" / "celery" / "cli" / "definition.py").read_text(encoding="utf-8")
    assert SERVICES["worker"]["command"][3:] == ["celery", "worker", "--skip-serve-logs"]
    assert re.search(r'name="worker".*?ARG_SKIP_SERVE_LOGS', commands, re.DOTALL)


def test_the_gateway_is_started_with_options_that_it_has() -> None:
    shown = subprocess.run([sys.executable, "-m", "hub.gateway", "--help"], capture_output=True, text=True, check=True)
    options = [word for word in SERVICES["gateway"]["command"] if word.startswith("--")]
    assert options == ["--host", "--port", "--project"]
    assert all(option in shown.stdout for option in options)


def test_pools_are_made_for_every_system_of_the_landscape() -> None:
    assert SERVICES["prepare"]["command"][3:] == sorted(load(PROJECT / "hub.yaml", {}).systems)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_something_reads(name: str) -> None:
    known = options_of_airflow() | set(VARIABLES)
    assert set(OURS[name]["environment"]) <= known


def test_variables_of_the_image_are_ones_that_the_hub_or_airflow_reads() -> None:
    named = set(re.findall(r"\b((?:HUB|AIRFLOW)_[A-Z_]+)=", DOCKERFILE))
    assert named == {"HUB_PROJECT", "HUB_HOME", "AIRFLOW_HOME"}


def test_secrets_are_handed_on_under_names_that_something_reads() -> None:
    assert set(HANDED_ON) <= options_of_airflow() | set(VARIABLES)
    assert len(HANDED_ON) == 7


def test_settings_are_those_of_one_machine_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    there, here = on_one_machine(tmp_path), AIRFLOW["scheduler"]["environment"]
    assert set(there) <= set(here) | set(HANDED_ON)
    other = {name for name in set(there) & set(here) if there[name] != here[name]}
    assert other - OF_THE_PLACE == set(ANOTHER_VALUE)


def test_all_parts_of_airflow_have_the_same_settings_and_secrets() -> None:
    assert {json.dumps([s["environment"], s["secrets"]]) for s in AIRFLOW.values()} == {
        json.dumps([AIRFLOW["worker"]["environment"], AIRFLOW["worker"]["secrets"]])
    }


def test_only_loopback_of_the_host_is_opened_and_the_ports_fit_what_listens() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "api-server": ["127.0.0.1:${HUB_PORT:-18080}:8080"],
        "gateway": ["127.0.0.1:${HUB_GATEWAY_PORT:-18081}:8081"],
    }
    command = SERVICES["gateway"]["command"]
    assert command[command.index("--port") + 1] == "8081"
    settings = AIRFLOW["api-server"]["environment"]
    assert settings["AIRFLOW__API__PORT"] == "8080"
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://api-server:8080/execution/"
    assert SERVICES["gateway"]["environment"]["HUB_AIRFLOW_URL"] == "http://api-server:8080"


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "prepare"])
def test_every_service_that_stays_says_whether_it_is_well(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    assert test[0] in ("CMD", "CMD-SHELL")
    for path in re.findall(r"http://127\.0\.0\.1:\d+(/[\w/]+)", " ".join(test)):
        assert path in ("/health", "/api/v2/monitor/health")


def test_services_wait_for_others_that_are_there() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            well = "healthcheck" in SERVICES[other]
            assert how["condition"] == ("service_healthy" if well else "service_completed_successfully")


def test_no_secret_stands_in_the_files() -> None:
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8") + DOCKERFILE
    assert not re.search(r"(PASSWORD|SECRET|KEY|TOKEN)\w*: *(?!/run/secrets/)[\"']?\w{8,}", text)
    assert "docker/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What secrets.sh makes, in a folder of this test."""
    shutil.copy(DOCKER / "secrets.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "secrets.sh"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_every_secret_that_compose_mounts_is_made_once(secrets: Path) -> None:
    mounted = {Path(entry["file"]).name for entry in COMPOSE["secrets"].values()}
    made = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert mounted <= set(made)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    subprocess.run(["sh", secrets.parent / "secrets.sh"], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == made
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])


def test_the_entrypoint_hands_secrets_on_in_the_form_that_is_read(secrets: Path, tmp_path: Path) -> None:
    homes = {"HUB_HOME": tmp_path / "home", "AIRFLOW_HOME": tmp_path / "airflow"}
    for folder in homes.values():
        folder.mkdir()
    env = {"PATH": os.environ["PATH"], "SECRETS_FOLDER": str(secrets), **{n: str(p) for n, p in homes.items()}}
    command = ["sh", str(DOCKER / "entrypoint.sh"), sys.executable, "-c"]
    said = subprocess.run(
        [*command, "import json, os; print(json.dumps(dict(os.environ)))"], env=env, capture_output=True, check=True
    )
    found = json.loads(said.stdout)
    assert {name: found[name] for name in HANDED_ON} == {
        name: (secrets / file).read_text().strip() for name, file in HANDED_ON.items()
    }
    assert set(json.loads((homes["AIRFLOW_HOME"] / "passwords.json").read_text())) == {"admin", "gateway"}
    assert stat.S_IMODE((homes["HUB_HOME"] / "connections.json").stat().st_mode) == 0o600


def test_secrets_are_of_the_form_that_their_readers_want(secrets: Path) -> None:
    from cryptography.fernet import Fernet

    Fernet((secrets / "airflow_fernet_key").read_text().strip())
    users = AIRFLOW["api-server"]["environment"]["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
    passwords = json.loads((secrets / "airflow_passwords").read_text())
    assert {user.partition(":")[0] for user in users.split(",")} == set(passwords)
    assert (secrets / "airflow_database_url").read_text().startswith("postgresql+psycopg2://omnihub:")
    assert SERVICES["postgres"]["environment"]["POSTGRES_USER"] == "omnihub"
