"""What signs the hub in is found in no log line, no run, no audit row and no file of raw payloads."""

from __future__ import annotations

import logging

import pytest
from support.scene import Scene


def test_a_password_in_a_sentence_is_masked_wherever_it_would_be_kept(
    settled: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    secret = settled.connections["shop"]["password"]
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    try:
        with settled.engine() as engine:
            engine.systems["shop"]
            assert any(type(f).__name__ == "Redaction" for f in handler.filters)
            with pytest.raises(RuntimeError), engine.running("once", "stock", None):
                raise RuntimeError(f"could not sign in with {secret}")
    finally:
        logging.getLogger().removeHandler(handler)
    sentence = settled.query("SELECT sentence FROM run WHERE state = 'failed' ORDER BY started_at DESC LIMIT 1")[0][0]
    assert sentence == "RuntimeError: could not sign in with [hidden]"


def test_no_table_of_the_journal_holds_a_secret(settled: Scene) -> None:
    secrets = [c["password"] for c in settled.connections.values() if c.get("password")]
    secrets += [
        v
        for c in settled.connections.values()
        for k, v in c.get("extra", {}).items()
        if "secret" in k or k.endswith("_key")
    ]
    assert len(secrets) >= 4
    tables = [row[0] for row in settled.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        for secret in secrets:
            found = settled.query(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", f"%{secret}%")
            assert found == [(0,)], table
