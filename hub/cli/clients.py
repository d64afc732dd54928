"""``hub client``: who may ask the gateway what, and the keys for it."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.say import Json, as_json, line, table, when

app = typer.Typer(help="Programs that may ask the gateway, and their keys.", no_args_is_help=True)

PER_SECOND = 50.0

Name = Annotated[str, typer.Argument(help="The client's name, as in till-05: small letters, digits and -.")]


@app.command()
def add(
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            help="What it may do: read, reserve, orders, personal, coupons; may be given several times. "
            "By default read and reserve.",
        ),
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", help="The channel that it asks for, unless it names another.")
    ] = None,
    per_second: Annotated[
        float, typer.Option("--per-second", help="Requests that it may make in a second, twice as many at once.")
    ] = PER_SECOND,
    json: Json = False,
) -> None:
    """Make a client and print its key: this once, since the hub keeps only the key's hash.

    Example: hub client add till-05 --channel pos --scope read --scope reserve --scope coupons
    """
    from hub.cli.place import engine
    from hub.errors import ConfigError
    from hub.journal import clients

    with engine() as hub:
        channels = hub.landscape.channels
        if channel is not None and channel not in channels:
            raise ConfigError(f'no channel "{channel}"; hub.yaml has {", ".join(channels)}')
        key = clients.add(hub.journal, name, scope or clients.BY_DEFAULT, channel, per_second)
    as_json({"client": name, "key": key}) if json else line(key)


@app.command("list")
def list_(json: Json = False) -> None:
    """Every client with what it may do and when it last asked; those whose keys were taken back at the end."""
    from hub.cli.place import engine
    from hub.journal import clients

    with engine() as hub:
        found = clients.listing(hub.journal)
    if json:
        as_json({"clients": found})
        return
    rows = [
        [
            c["name"],
            ", ".join(c["scopes"]),
            c["channel"],
            f"{c['per_second']:g}",
            when(c["used_at"]),
            when(c["revoked_at"]),
        ]
        for c in found
    ]
    table("Clients", ["client", "scopes", "channel", "per second", "last asked", "taken back"], rows)


@app.command()
def revoke(name: Name, json: Json = False) -> None:
    """Take the key of a client back: from its next request on it opens nothing."""
    from hub.cli.place import engine
    from hub.journal import clients

    with engine() as hub:
        clients.revoke(hub.journal, name)
    as_json({"revoked": name}) if json else line(f"the key of {name} opens nothing any more")
