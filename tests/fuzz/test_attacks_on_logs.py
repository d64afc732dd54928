"""A line of the log is made from what others send: it takes no longer for that, and shows no secret of ours."""

from __future__ import annotations

import time

import pytest

from hub.transport.redaction import MASK, protect, protect_extra, redact

LONG = 60_000


@pytest.mark.parametrize(
    "word",
    ["a", "token", "hmac-", "secret   ", "bearer ", "://a:", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "'\""],
)
def test_no_address_or_answer_makes_a_line_of_the_log_take_long(word: str) -> None:
    started = time.process_time()
    redact(word * LONG)
    assert time.process_time() - started < 10  # it took 7 minutes for a word of 60,000 letters


@pytest.mark.parametrize(
    "text",
    [
        "access_token=canary-6e1f", "my-secret-key : canary-6e1f", 'X-Shopify-Access-Token": "canary-6e1f',
        "APIKEY=canary-6e1f", "Authorization: Basic canary-6e1f", "https://hub:canary-6e1f@shop.example.org/x",
        "hmac_of_this='canary-6e1f'",
    ],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_masked(text: str) -> None:
    assert "canary-6e1f" not in redact(text)
    assert MASK in redact(text)


def test_secrets_of_a_connection_are_masked_wherever_they_turn_up() -> None:
    protect("canary-of-a-password")
    protect_extra({"webhook_secret": "canary-of-a-webhook", "private_key_file": "/home/hub/canary.pem"})
    said = redact("the shop echoes canary-of-a-password and canary-of-a-webhook; see /home/hub/canary.pem")
    assert said == f"the shop echoes {MASK} and {MASK}; see /home/hub/canary.pem"
