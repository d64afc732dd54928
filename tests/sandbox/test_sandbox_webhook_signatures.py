"""Webhooks of shop and tills: their headers, and signatures that the vendors' own ways of checking accept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from square.utils.webhooks_helper import verify_signature
from support.vendor_specs import SquareApi

GATEWAY = "http://127.0.0.1:18081"


@pytest.fixture
def sent(retailer):
    """What waits in the outbox, as it would be sent: (system, path, headers, body)."""

    def sent():
        systems = {"shop": retailer.shop, "tills": retailer.tills}
        found = []
        for message in retailer.webhooks.due():
            url = message.path if message.path.startswith("http") else GATEWAY + message.path
            signed = {**message.headers, **systems[message.system].sign(url, message.body)}
            found.append((message.system, url, {name.lower(): value for name, value in signed.items()}, message.body))
        return found

    return sent


def test_the_backlog_is_not_pushed(retailer, sent):
    assert sent() == []


def test_an_order_is_pushed_as_rest_shows_it(retailer, sent):
    order = retailer.shop.order([(retailer.world.skus[0].code, 1)])
    [(system, url, headers, body)] = sent()
    assert (system, url) == ("shop", f"{GATEWAY}/hooks/shop")
    assert json.loads(body) == order
    assert headers["x-shopify-topic"] == "orders/create"
    assert headers["x-shopify-shop-domain"] == "maison-omni.myshopify.com"
    assert headers["x-shopify-api-version"] == "2026-04"
    assert headers["x-shopify-webhook-id"]
    assert headers["x-shopify-event-id"]
    assert headers["x-shopify-triggered-at"].startswith("2026-11-22T10:00:00")


def test_shopifys_signature_is_the_hmac_of_the_raw_body(retailer, sent):
    """The algorithm of https://shopify.dev/docs/apps/build/webhooks/subscribe/https, step 2."""
    retailer.shop.order([(retailer.world.skus[0].code, 1)])
    [(_, _, headers, body)] = sent()
    digest = hmac.new(retailer.shop.webhook_secret.encode("utf-8"), body, digestmod=hashlib.sha256).digest()
    assert hmac.compare_digest(base64.b64encode(digest), headers["x-shopify-hmac-sha256"].encode("utf-8"))
    forged = hmac.new(b"another secret", body, digestmod=hashlib.sha256).digest()
    assert base64.b64encode(forged).decode() != headers["x-shopify-hmac-sha256"]


def test_a_cancellation_is_pushed_once(retailer, sent):
    order = retailer.shop.order([(retailer.world.skus[0].code, 1)])
    retailer.shop.cancel(order["id"])
    retailer.shop.cancel(order["id"])
    topics = [headers["x-shopify-topic"] for _, _, headers, _ in sent()]
    cancelled = json.loads(sent()[1][3])
    assert topics == ["orders/create", "orders/cancelled"]
    assert cancelled["cancelled_at"] is not None


def test_each_subscriber_gets_a_delivery_of_its_own_of_one_event(retailer, sent):
    retailer.shop.notices.subscribe("orders/create", "http://127.0.0.1:9/mine")
    retailer.shop.order([(retailer.world.skus[0].code, 1)])
    first, second = (headers for _, _, headers, _ in sent())
    assert [url for _, url, _, _ in sent()] == [f"{GATEWAY}/hooks/shop", "http://127.0.0.1:9/mine"]
    assert first["x-shopify-event-id"] == second["x-shopify-event-id"]
    assert first["x-shopify-webhook-id"] != second["x-shopify-webhook-id"]


def test_squares_helper_accepts_the_signature_over_address_and_body(retailer, sent):
    retailer.tills.sell("ST01", [(retailer.world.skus[0].code, 1)])
    [(system, url, headers, body)] = sent()
    signed = {
        "request_body": body.decode(),
        "signature_header": headers["x-square-hmacsha256-signature"],
        "signature_key": retailer.tills.signature_key,
    }
    assert (system, url) == ("tills", f"{GATEWAY}/hooks/tills")
    assert verify_signature(**signed, notification_url=url)
    assert not verify_signature(**signed, notification_url=url + "/")
    assert not verify_signature(**{**signed, "request_body": body.decode() + " "}, notification_url=url)


def test_a_sale_is_pushed_as_square_describes_it(retailer, sent):
    order = retailer.tills.sell("ST01", [(retailer.world.skus[0].code, 1)])
    [(_, _, _, body)] = sent()
    event = json.loads(body)
    SquareApi().check_value("OrderUpdatedEvent", event)
    assert event["type"] == "order.updated"
    assert event["data"]["object"]["order_updated"]["order_id"] == event["data"]["id"] == order["id"]
    assert event["data"]["object"]["order_updated"]["updated_at"] == order["updated_at"]


def test_an_edit_of_the_catalog_is_pushed_as_square_describes_it(retailer, sent):
    retailer.tills.rename("TS0001", "T-shirt du gérant")
    [(_, _, headers, body)] = sent()
    event = json.loads(body)
    SquareApi().check_value("CatalogVersionUpdatedEvent", event)
    changed = retailer.tills.catalog.item("TS0001")["updated_at"]
    assert event["data"]["object"]["catalog_version"]["updated_at"] == changed
    assert headers["x-square-hmacsha256-signature"]
