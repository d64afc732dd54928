"""A hub with a history is brought to this version, and knows afterwards what it would have learnt in it."""

from __future__ import annotations

from hub.journal import connect, migrate, named

STATE = """
INSERT INTO source_state (system, object, key, subject, data, as_of, source_key, origin, mapping, run)
VALUES ('s', %(object)s, %(key)s, %(key)s, %(data)s, clock_timestamp(), %(key)s, '{}', 'm/1', 'r')
"""


def test_what_was_named_before_there_was_a_table_for_it_is_still_looked_for_at_targets(database: str) -> None:
    migrate(database)
    told = [
        ("stock_level", "A@1", '{"sku": "A", "location": "1", "on_hand": 3}'),
        ("stock_level", "A@2", '{"sku": "A", "location": "2", "on_hand": 4}'),
        ("price", "B@L1", '{"sku": "B", "entry": "L1", "amount": "9.90"}'),
        ("location", "1", '{"location": "1", "name": "Lyon"}'),
        ("location", "", "{}"),
        ("order", "1001", '{"order": "1001", "sku": "C"}'),
    ]
    with connect(database) as connection:
        connection.execute("DROP TABLE named")
        connection.execute("UPDATE alembic_version SET version_num = '0010'")
        for object, key, data in told:
            connection.execute(STATE, {"object": object, "key": key, "data": data})
    migrate(database)
    with connect(database) as connection:
        assert named.unbound(connection, "shop", "sku") == ["A", "B"]
        assert named.unbound(connection, "shop", "location") == ["1"]
        assert [key for key, _ in named.described(connection, "sku", ["A", "B", "C"])] == ["A", "B"]
