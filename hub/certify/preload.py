"""Imported once by the process that forks all others; forking a process with threads is not safe, and none is here."""

from __future__ import annotations

from importlib import import_module

EVERYTHING = (
    "alembic.command", "asyncssh", "fastapi", "graphql", "jsonschema", "jsonschema_rs", "lxml.etree", "paramiko",
    "polars", "psycopg", "psycopg.rows", "pydantic", "requests", "sqlalchemy", "tenacity", "uvicorn", "yaml", "zeep",
    "uvicorn.lifespan.on", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
    "connectors.akeneo.connector", "connectors.dam.connector", "connectors.sftp_files.connector",
    "connectors.shopify.connector", "connectors.soap_erp.connector", "connectors.square.connector",
    "hub.certify.processes", "hub.config", "hub.flow.availability", "hub.flow.deliver", "hub.flow.ingest",
    "hub.flow.orders", "hub.flow.prices", "hub.flow.products", "hub.flow.reconcile", "hub.gateway.app", "hub.journal",
    "hub.local.runner", "hub.mapping", "hub.sandbox.retailer", "hub.sandbox.serve", "hub.schemas",
)  # fmt: skip

for _name in EVERYTHING:
    import_module(_name)
