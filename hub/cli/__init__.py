"""The command ``hub``. Every command has ``--json`` and the same exit codes:

0 done, 1 failed or something pending, 2 wrong usage or configuration, 3 held for a person.
"""

from __future__ import annotations

import sys

import typer

from hub.cli import (
    attempts,
    bench,
    certify,
    clients,
    flows,
    held,
    local,
    look,
    mappings,
    plans,
    quarantine,
    reconcile,
    sandbox,
    trace,
)

app = typer.Typer(
    name="hub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Omnihub: one stock, one price, one product, one order history across every system of a retailer.\n\n"
    "Start with **hub up**, look with **hub systems** and **hub trace stock_level SKU@LOCATION**. "
    "Exit codes: 0 done, 1 failed or something pending, 2 wrong usage or configuration, 3 held for a person.",
)
local.add_to(app)
look.add_to(app)
trace.add_to(app)
flows.add_to(app)
plans.add_to(app)
reconcile.add_to(app)
bench.add_to(app)
certify.add_to(app)
app.add_typer(held.app, name="held")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(attempts.app, name="attempt")
app.add_typer(clients.app, name="client")
app.add_typer(mappings.app, name="mapping")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run a command; what goes wrong becomes one sentence and an exit code."""
    from hub.cli.say import complain
    from hub.errors import HubError

    try:
        app()
    except HubError as error:
        complain(str(error), as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except Exception as error:
        if not _no_such_value(error):
            raise
        complain(f"nothing has such a name or number: {_first_line(error)}", as_json="--json" in sys.argv)
        sys.exit(2)
    except KeyboardInterrupt:
        complain("stopped", as_json="--json" in sys.argv)
        sys.exit(130)


def _no_such_value(error: Exception) -> bool:
    """Whether somebody asked for what no database holds: half a character, or a number of thirty digits."""
    from psycopg import DataError

    return isinstance(error, UnicodeEncodeError | DataError)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
