"""One installation on one machine: its folder, its ports, its secrets; and the checks before it starts."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hub.errors import ConfigError
from hub.local.place import make_home

DEFAULT_PORT = 18080
PORTS = ("airflow", "gateway", "erp", "stores", "shop", "tills", "pim", "dam", "sandbox")  # HUB_PORT, HUB_PORT + 1, ...
SANDBOX = PORTS[2:]
LEAST_DISK = 500 * 2**20
ADMIN, GATEWAY = "admin", "gateway"


@dataclass(frozen=True, kw_only=True)
class Site:
    """``home`` holds everything that is kept; ``project`` holds hub.yaml, dags/ and connectors/."""

    home: Path
    project: Path
    port: int = DEFAULT_PORT

    @classmethod
    def of_environment(cls, project: Path | None = None) -> Site:
        """The site that HUB_HOME and HUB_PORT name; by default ``.hub/`` in the project and 18080."""
        root = (project or Path.cwd()).absolute()
        home = Path(os.environ.get("HUB_HOME") or root / ".hub").absolute()
        return cls(home=home, project=root, port=_port(os.environ.get("HUB_PORT")))

    @cached_property
    def ports(self) -> dict[str, int]:
        return {name: self.port + offset for offset, name in enumerate(PORTS)}

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def airflow_home(self) -> Path:
        return self.home / "airflow"

    @property
    def passwords_file(self) -> Path:
        return self.airflow_home / "passwords.json"

    def passwords(self) -> dict[str, str]:
        """The sign-ins of Airflow: a person's and the gateway's own, made once."""
        return self._kept(self.passwords_file, {ADMIN: secrets.token_urlsafe(12), GATEWAY: secrets.token_urlsafe(24)})

    def keys(self) -> dict[str, str]:
        """The secrets that Airflow's processes share, made once."""
        fernet = base64.urlsafe_b64encode(os.urandom(32)).decode()
        fresh = {"jwt": secrets.token_urlsafe(48), "session": secrets.token_urlsafe(32), "fernet": fernet}
        return self._kept(self.airflow_home / "keys.json", fresh)

    def check(self, names: tuple[str, ...] = PORTS) -> None:
        """Raise one sentence where the folder cannot be written, the disk is full or a port is taken."""
        make_home(self.home)
        free = shutil.disk_usage(self.home).free
        if free < LEAST_DISK:
            raise ConfigError(
                f"{self.home} has {free // 2**20} MB left and the hub needs {LEAST_DISK // 2**20} MB: "
                "free some space, or set HUB_HOME to a folder on another disk"
            )
        for name in names:
            _check_port(name, self.ports[name])

    @staticmethod
    def _kept(path: Path, fresh: Mapping[str, str]) -> dict[str, str]:
        """The values in ``path`` (mode 600), with those of ``fresh`` added that are not there yet."""
        path.parent.mkdir(exist_ok=True)
        try:
            found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            found = {}
        except ValueError:
            raise ConfigError(f"{path} is damaged: remove it and new secrets are made") from None
        kept = {**fresh, **found}
        if kept != found:
            write_private(path, json.dumps(kept) + "\n")
        return kept


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by a file that only this user may read."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def _port(text: str | None) -> int:
    if not text:
        return DEFAULT_PORT
    if not text.isdigit() or not 1024 <= int(text) <= 65535 - len(PORTS):
        raise ConfigError(f'HUB_PORT is "{text}": give a number from 1024 to {65535 - len(PORTS)}')
    return int(text)


def _check_port(name: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what ended a moment ago is not in the way
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigError(
                f"port {port} ({name}) is taken by another program: end it, or set HUB_PORT to the first of "
                f"{len(PORTS)} free ports"
            ) from None
