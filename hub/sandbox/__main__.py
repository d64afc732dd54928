"""``python -m hub.sandbox``: the simulated retailer as a process of its own, for a supervisor."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hub.errors import HubError
from hub.sandbox.serve import PAGE, SYSTEMS, main


def _run() -> int:
    parser = argparse.ArgumentParser(prog="hub.sandbox", description="Runs the simulated retailer until it is stopped.")
    parser.add_argument("--home", type=Path, required=True, help="the folder of its state")
    parser.add_argument("--connections", type=Path, help="where to write how to reach it (mode 600)")
    parser.add_argument("--gateway", help="the URL that its webhooks go to; without it they wait")
    parser.add_argument("--live", action="store_true", help="let shoppers buy while it runs")
    parser.add_argument("--seed", type=int, default=7)
    for name in SYSTEMS:
        parser.add_argument(f"--{name}", type=int, default=0, metavar="PORT", help=f"the port of the {name}")
    parser.add_argument(f"--{PAGE}", type=int, default=0, metavar="PORT", help="the port of its own page")
    options = parser.parse_args()
    ports = {name: getattr(options, name) for name in (*SYSTEMS, PAGE)}
    try:
        main(options.home, ports, options.gateway, options.live, options.seed, connections_file=options.connections)
    except HubError as error:
        print(error, file=sys.stderr)  # noqa: T201 - its log is this stream
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_run())
