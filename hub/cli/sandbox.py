"""``hub sandbox``: the simulated retailer, to develop against."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.say import Json, as_json, line, sure

app = typer.Typer(
    help="The simulated retailer: an ERP, stores, a shop and tills over their real protocols.", no_args_is_help=True
)


@app.command()
def up(
    live: Annotated[bool, typer.Option("--live", help="With shoppers who buy all the time.")] = False,
) -> None:
    """Run the simulated retailer alone, until Ctrl-C; how to reach it is written to HUB_HOME/connections.json."""
    from hub.cli.place import site
    from hub.local.place import make_home
    from hub.local.reset import in_use
    from hub.local.site import SANDBOX
    from hub.sandbox.serve import main

    here = site()
    make_home(here.home)
    here.check(SANDBOX)
    ports = {name: here.ports[name] for name in SANDBOX}
    for name, port in ports.items():
        line(f"{name:7} 127.0.0.1:{port}")
    with in_use(here.home / "sandbox"):
        main(here.home / "sandbox", ports, here.url("gateway"), live, connections_file=here.home / "connections.json")


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Start the simulated retailer's life anew at the next start; the hub's own journal stays."""
    from hub.cli.place import site
    from hub.local.reset import remove

    folder = site().home / "sandbox"
    if not yes:
        sure(f"Remove the simulated retailer in {folder}?")
    removed = remove(folder)
    as_json({"removed": [str(path) for path in removed]}) if json else line(f"{folder} is empty")
