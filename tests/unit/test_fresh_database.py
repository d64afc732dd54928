"""Every test that asks for a database gets an empty one of its own."""

from __future__ import annotations

import psycopg
import pytest


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_meets_an_empty_database(database: str, time: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE left_behind (n int)")
