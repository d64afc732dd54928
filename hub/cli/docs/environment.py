"""The variables that the hub reads; a test holds this list against the code."""

from __future__ import annotations

from hub.cli.docs.page import table

INTRODUCTION = """\
# Environment

Settings of one machine or one start; what belongs to the landscape stands in [hub.yaml](settings.md). A variable that
is empty counts as not set.
"""
VARIABLES = {
    "HUB_HOME": "Folder of all data: journal, raw files, sandbox, logs, passwords. By default `.hub/` in the clone.",
    "HUB_PORT": "The first of nine ports in a row: Airflow, gateway, then the sandbox's ERP, SFTP, shop, tills, PIM, "
    "DAM and its own page. By default 18080; another one lets two clones run side by side.",
    "HUB_PROJECT": "Folder of hub.yaml. By default the nearest one from the working folder upwards, then the clone.",
    "HUB_ENV": "Environment whose `hub.<environment>.yaml` is laid over hub.yaml.",
    "HUB_DATABASE_URL": "libpq URL of the journal's PostgreSQL, instead of the embedded one.",
    "HUB_AIRFLOW_DATABASE_URL": "libpq URL of Airflow's own database, instead of a second one on the embedded server.",
    "HUB_CONN_<ID>": "Connection ID (capital letters, `_` for anything else) as Airflow writes it: JSON or URI. Comes "
    "before `connections.json` in HUB_HOME. Inside Airflow, Airflow's own connections come first.",
    "HUB_AIRFLOW_URL": "Where the gateway rings Airflow; without it the gateway only stores, and schedules find it.",
    "HUB_AIRFLOW_USER": "Airflow user of the gateway. By default `gateway`.",
    "HUB_CERTIFY_KILL": "Set by `hub certify` for its own processes: the marked point at which they are killed, as in "
    "`attempt committed:3`. Never set it for a hub that works.",
    "HUB_AIRFLOW_PASSWORD_FILE": "JSON file that holds the password under that user's name (mode 600).",
}


def page() -> str:
    rows = [[f"`{name}`", text] for name, text in VARIABLES.items()]
    return "\n".join([INTRODUCTION.strip(), "", *table(["variable", "what it says"], rows), ""])
