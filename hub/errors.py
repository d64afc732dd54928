"""Errors named by what happens next.

    HubError                 the message is a sentence a person can act on
    ├── StopRun              fail now, tell a person: sign-in refused, contract broken, no such endpoint
    │   ├── SignInRefused    login or secret are wrong; asking on and on would lock the account
    │   └── ConfigError      hub.yaml, a mapping, a schema or a connection is wrong; names the place (exit 2)
    ├── TryLater             nothing was changed; the same call may work after ``delay``
    ├── Unknown              the request may have been carried out; read back before sending anything again
    ├── Reject               this one record is refused, with a path into it; the others go on
    └── Held                 a guard waits for a person (exit 3)

Transports turn status codes and exceptions into these by one table each; the engine
turns these into a retry, a quarantine entry or a failed run.
"""

from __future__ import annotations


class HubError(Exception):
    """Base of every error whose text is meant for a person."""

    exit_code = 1


class StopRun(HubError):
    """The run cannot go on and repeating it does not help."""


class SignInRefused(StopRun):
    """The system does not know us: a wrong login or secret, or one that has run out."""


class ConfigError(StopRun):
    """Configuration is wrong; ``place`` is ``file:line path`` and leads the message."""

    exit_code = 2

    def __init__(self, message: str, place: str | None = None) -> None:
        self.place = place
        super().__init__(f"{place}: {message}" if place else message)


class TryLater(HubError):
    """The system cannot answer now and nothing was carried out; ``delay`` is in seconds, None when unknown."""

    def __init__(self, message: str, delay: float | None = None) -> None:
        self.delay = delay
        super().__init__(message)


class Unknown(HubError):
    """The request left and no answer came back: it may or may not have been carried out."""


class Reject(HubError):
    """One record is refused: ``path`` leads to the field, ``reason`` says what a person should change."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}" if path else reason)


class Held(HubError):
    """A guard holds a batch until a person decides or a newer one supersedes it."""

    exit_code = 3
