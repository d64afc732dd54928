"""``python -m hub.gateway --port 18081``: the gateway as a process of its own."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

KEPT_OPEN = 75  # seconds: a till keeps its connection from one customer to the next


def main() -> int:
    parser = argparse.ArgumentParser(prog="hub.gateway", description="Takes webhooks and watches for files.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--project", type=Path, default=Path.cwd(), help="the folder of hub.yaml")
    options = parser.parse_args()

    import uvicorn

    from hub.gateway.app import application
    from hub.gateway.bell import Airflow, Notice

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    dsn = os.environ.get("HUB_DATABASE_URL")
    ringer = Airflow.of_environment() or (Notice(dsn) if dsn else None)
    app = application(options.project, ringer=ringer)
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEPT_OPEN,
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
