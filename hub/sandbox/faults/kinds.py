"""What can go wrong, and at which system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from hub.errors import ConfigError

ALL = "all"


class Kind(StrEnum):
    """One way in which a system fails its clients; the value is its name on the command line."""

    TOO_MANY = "429"  # too many calls, in the vendor's own words; nothing is carried out
    BROKEN = "500"  # the system fails before it did anything
    RESET = "reset"  # the connection is reset before anything is carried out
    LOST_ANSWER = "timeout-after-commit"  # carried out, then silence, then the connection is reset
    SLOW = "slow"  # carried out and answered, late
    TRUNCATE = "truncate"  # the answer ends in the middle; a file lacks its end, or its transfer ends early
    DUPLICATE = "duplicate"  # a webhook comes twice; a file comes again under another name
    REORDER = "reorder"  # a webhook, or a file, arrives after those that were sent later
    SOAP_FAULT = "soap-fault-200"  # a SOAP fault that travels with HTTP 200; nothing is carried out
    EXPIRED = "auth-expired"  # 401 for a secret that was good a moment ago
    LOOP = "page-loop"  # a page names itself as the next one
    STALE = "stale-cas"  # a compare-and-set is refused as if somebody had changed the value meanwhile


_LINE = (Kind.BROKEN, Kind.RESET, Kind.LOST_ANSWER, Kind.SLOW, Kind.TRUNCATE, Kind.EXPIRED)
_API = (Kind.TOO_MANY, *_LINE, Kind.LOOP)
_PUSHED = (Kind.DUPLICATE, Kind.REORDER)
CAN: Mapping[str, tuple[Kind, ...]] = {
    "erp": (*_API, Kind.SOAP_FAULT),
    "stores": (*_LINE, *_PUSHED),
    "shop": (*_API, *_PUSHED, Kind.STALE),
    "tills": (*_API, *_PUSHED, Kind.STALE),
    "pim": _API,
    "dam": _API,
}


def able(system: str, kinds: Iterable[str]) -> list[tuple[str, Kind]]:
    """Every (system, kind) that is meant, where either may be ``all``.

    A :class:`~hub.errors.ConfigError` for a name that is unknown, and for a kind that the system cannot have.
    """
    systems = list(CAN) if system == ALL else [system]
    if unknown := [name for name in systems if name not in CAN]:
        raise ConfigError(f"the sandbox has no system {unknown[0]!r}; it has {', '.join(CAN)}, or all")
    wanted = [kind for name in kinds for kind in (list(Kind) if name == ALL else [_kind(name)])]
    found = [(one, kind) for kind in dict.fromkeys(wanted) for one in systems if kind in CAN[one]]
    for kind in wanted:
        if ALL not in kinds and not any(kind is can for _, can in found):
            raise ConfigError(f"{system} cannot have {kind}; it can have {', '.join(CAN[system])}")
    return found


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError:
        raise ConfigError(f"there is no fault {name!r}; there are {', '.join(Kind)}, or all") from None
