"""Clients and coupons in the journal: keys that nobody can read back, coupons that belong to one order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from hub.errors import ConfigError
from hub.journal import clients, coupons
from hub.journal.database import Connection

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_key_opens_what_its_client_may_do_and_is_not_kept(journal: Connection) -> None:
    key = clients.add(journal, "till-05", ["reserve", "read"], "pos", 20)
    client = clients.of_key(journal, key)
    assert client is not None
    assert (client.name, client.scopes, client.channel, client.per_second) == (
        "till-05", {"read", "reserve"}, "pos", 20.0,
    )  # fmt: skip
    row = journal.execute("SELECT client::text FROM client WHERE name = 'till-05'").fetchone()
    assert row is not None
    assert key not in row[0]
    assert key.removeprefix("ohk_") not in row[0]


def test_a_key_that_was_taken_back_opens_nothing_and_the_name_is_free_again(journal: Connection) -> None:
    old = clients.add(journal, "counter", clients.BY_DEFAULT, None, 50)
    clients.revoke(journal, "counter")
    new = clients.add(journal, "counter", clients.BY_DEFAULT, None, 50)
    assert clients.of_key(journal, old) is None
    assert clients.of_key(journal, new) is not None
    assert [row["revoked_at"] is None for row in clients.listing(journal) if row["name"] == "counter"] == [True, False]


@pytest.mark.parametrize("key", ["", "ohk_", "ohk_" + "a" * 32, "OHK_" + "a" * 32, "ohk_" + "a" * 31 + "\x00"])
def test_what_is_no_key_of_ours_opens_nothing(journal: Connection, key: str) -> None:
    assert clients.of_key(journal, key) is None


def test_a_second_client_of_one_name_is_refused_with_the_way_out(journal: Connection) -> None:
    clients.add(journal, "website", clients.BY_DEFAULT, None, 50)
    with pytest.raises(ConfigError, match="take the old one back: hub client revoke"):
        clients.add(journal, "website", clients.BY_DEFAULT, None, 50)


@pytest.mark.parametrize(
    ("name", "scopes", "says"),
    [
        ("Till 5", ["read"], "small letters"),
        ("till", ["raed"], 'no scope "raed"; there are read, reserve'),
        ("till", [], "may do nothing"),
    ],
)
def test_a_slip_is_named_before_a_key_is_made(journal: Connection, name: str, scopes: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        clients.add(journal, name, scopes, None, 50)
    assert all(row["name"] != name for row in clients.listing(journal))


def test_revoking_a_client_that_has_no_key_says_so(journal: Connection) -> None:
    with pytest.raises(ConfigError, match="there is no client nobody"):
        clients.revoke(journal, "nobody")


def an_order(journal: Connection, key: str, *, state: str, code: str | None) -> None:
    data = {"order": key, "state": state, "placed_at": NOW.isoformat()}
    if code:
        data["discounts"] = [{"amount": "5.00"}, {"amount": "5.00", "code": code}]  # type: ignore[assignment]
    journal.execute(
        """INSERT INTO source_state (system, object, key, subject, data, as_of, source_key, origin, mapping, run)
           VALUES ('shop', 'order', %s, %s, %s, %s, %s, '{}', 'm', 'r')""",
        (key, key, Jsonb(data), NOW, key),
    )


def test_the_orders_that_name_a_coupon_are_found_however_it_is_written(journal: Connection) -> None:
    an_order(journal, "SHOP-1", state="open", code="Noel-1x")
    an_order(journal, "SHOP-2", state="cancelled", code="NOEL-1X")
    an_order(journal, "SHOP-3", state="open", code=None)
    assert coupons.in_orders(journal, "noel-1X") == [("SHOP-1", NOW)]


def test_a_coupon_is_given_back_by_the_order_that_has_it_alone(journal: Connection) -> None:
    coupons.redeem(journal, "merci-7", "SHOP-9", "website", NOW)
    assert coupons.redeemed_by(journal, "MERCI-7") == ("SHOP-9", NOW)
    assert not coupons.give_back(journal, "merci-7", "SHOP-8")
    assert coupons.give_back(journal, "merci-7", "SHOP-9")
    assert coupons.redeemed_by(journal, "merci-7") is None
