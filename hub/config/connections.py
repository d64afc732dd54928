"""Where a system is and how to sign in, by reference: from the environment, or a file that nobody else can read."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from hub.config.home import home_of
from hub.connector import Connection
from hub.errors import ConfigError

FILE = "connections.json"
EXAMPLE = '{"host": "…", "port": 443, "schema": "https", "login": "…", "password": "…", "extra": {}}'
KEYS = ("conn_type", "description", "host", "port", "schema", "login", "password", "extra")


def variable(id: str) -> str:
    """The name of the variable that holds connection ``id``."""
    return "HUB_CONN_" + re.sub(r"[^A-Z0-9]", "_", id.upper())


def resolver(project: Path, environ: Mapping[str, str] = os.environ) -> Callable[[str], Connection]:
    """Finds the connections of ``project`` outside Airflow, each when it is asked for."""
    return lambda id: resolve(id, environ, home_of(project, environ))


def resolve(id: str, environ: Mapping[str, str], home: Path) -> Connection:
    """Connection ``id`` from HUB_CONN_<ID> (JSON or URI, as Airflow writes them), else from ``home``.

    Whatever is wrong is said without the value, which is a secret.
    """
    name = variable(id)
    if written := environ.get(name):
        found = _json(written, name) if written.lstrip().startswith("{") else _uri(written, name)
        return _connection(id, found, name)
    file = home / FILE
    entries = _file(file)
    if id not in entries:
        raise ConfigError(
            f'connection "{id}" is not known: set {name} to {EXAMPLE}, '
            f'or add "{id}" with such a value to {file} (mode 600)'
        )
    return _connection(id, entries[id], f'{file} "{id}"')


def _file(path: Path) -> dict[str, Any]:
    """The entries of the file; none where there is no file. Refused while others may read it."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return {}
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} holds passwords and other users may read it; run: chmod 600 {path}")
    try:
        return _json(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from None


def _json(written: str, place: str) -> dict[str, Any]:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        raise ConfigError("is not JSON", place) from None
    if not isinstance(found, dict):
        raise ConfigError(f"is not an object like {EXAMPLE}", place)
    return found


def _uri(written: str, place: str) -> dict[str, Any]:
    """``https://login:password@host:port/schema?extra=…`` as Airflow writes a connection."""
    try:
        parts = urlsplit(written)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"is neither JSON like {EXAMPLE} nor a URI", place) from None
    if not parts.scheme or not host:
        raise ConfigError(f"is neither JSON like {EXAMPLE} nor a URI like https://login:password@host:443", place)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = _json(query["__extra__"], place) if "__extra__" in query else query
    return {
        "host": unquote(host),
        "port": port,
        "schema": unquote(parts.path.strip("/")) or parts.scheme,
        "login": unquote(parts.username) if parts.username is not None else None,
        "password": unquote(parts.password) if parts.password is not None else None,
        "extra": extra,
    }


def _connection(id: str, written: Any, place: str) -> Connection:
    if not isinstance(written, dict):
        raise ConfigError(f"is not an object like {EXAMPLE}", place)
    for name in written:
        if name not in KEYS:
            raise ConfigError(f'unknown key "{name}"; there are {", ".join(KEYS)}', place)
    extra = written.get("extra") or {}
    return Connection(
        id=id,
        host=_text(written, "host", place) or "127.0.0.1",
        port=_port(written.get("port"), place),
        schema=_text(written, "schema", place) or "http",
        login=_text(written, "login", place),
        password=_text(written, "password", place),
        extra=_json(extra, f"{place} extra") if isinstance(extra, str) else extra,
    )


def _text(written: Mapping[str, Any], name: str, place: str) -> str | None:
    found = written.get(name)
    if found is None or isinstance(found, str):
        return found
    raise ConfigError(f"{name} is not text", place)


def _port(written: Any, place: str) -> int | None:
    if written is None or written == "":
        return None
    if str(written).isdecimal() and 0 < int(written) < 65536:
        return int(written)
    raise ConfigError("port is not a number from 1 to 65535", place)
