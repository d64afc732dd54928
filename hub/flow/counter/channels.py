"""Which channel a question is about: the one it names, else the client's own, else the retailer's only one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.flow.counter.refusal import Refusal

if TYPE_CHECKING:
    from hub.flow.engine import Engine


def selling(engine: Engine, named: str | None, own: str | None) -> str:
    """A channel that sells from somewhere."""
    channels = engine.landscape.channels
    sell = [name for name, channel in channels.items() if channel.sells_from]
    if named is None:
        named = own if own in sell else sell[0] if len(sell) == 1 else None
    return _one_of(named, sell, "sells from no location")


def pricing(engine: Engine, named: str | None, own: str | None) -> str:
    """A channel that has prices."""
    channels = list(engine.landscape.channels)
    return _one_of(named or own or (channels[0] if len(channels) == 1 else None), channels, "is unknown")


def _one_of(name: str | None, channels: list[str], otherwise: str) -> str:
    there = f"there are {', '.join(channels)}" if channels else "hub.yaml names none that does"
    if name is None:
        raise Refusal("unknown", f"name a channel with channel=; {there}")
    if name not in channels:
        raise Refusal("unknown", f"the channel {name} {otherwise}; {there}")
    return name
