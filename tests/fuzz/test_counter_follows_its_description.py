"""The counter against its own OpenAPI description: schemathesis asks what the description allows, and what it does not.

A real uvicorn over a real journal. Whatever is asked, the answer is one that the description names, in the form that it
names, and never a mistake of ours.
"""

from __future__ import annotations

import json
import os

import pytest
import requests
import schemathesis
from fuzz.conftest import LONG
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
from support.fuzz.gateway import Door
from support.fuzz.values import SHOWN

EXAMPLES = int(os.environ.get("OMNIHUB_FUZZ_COUNTER", "600" if LONG else "5"))
OPERATIONS = ("availability", "price", "order", "reserve", "reservation", "release", "redeem", "give_back")
CHECKS = [not_a_server_error, content_type_conformance, response_headers_conformance, response_schema_conformance]
OPTIONS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not LONG,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def description(gateway: Door) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{gateway.url}/v1/openapi.json")


def test_every_operation_is_tried(description: schemathesis.BaseSchema) -> None:
    found = {one.ok().definition.raw["operationId"] for one in description.get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.timeout(3600 if LONG else 300)
@pytest.mark.parametrize("wrong", [False, True], ids=["as described", "otherwise"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_is_described(
    gateway: Door, description: schemathesis.BaseSchema, name: str, wrong: bool
) -> None:
    operation = next(
        o for one in description.get_all_operations() if (o := one.ok()).definition.raw["operationId"] == name
    )
    mode = schemathesis.GenerationMode.NEGATIVE if wrong else schemathesis.GenerationMode.POSITIVE
    statuses = set()

    @OPTIONS
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: schemathesis.Case) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {gateway.key}"})
        case.validate_response(answer, checks=CHECKS)
        statuses.add(answer.status_code)
        described(operation.definition.raw, answer)

    each()
    assert statuses <= {200, 201, 204, 404, 405, 409, 422, *([401] if wrong else [])}  # also with another key


def described(operation: dict[str, object], answer: schemathesis.Response) -> None:
    """Never a mistake of ours, always one of the answers that are named, and no secret in it."""
    assert answer.status_code < 500, answer.text
    assert answer.status_code == 405 or str(answer.status_code) in operation["responses"]  # type: ignore[operator]
    assert SHOWN not in answer.text


def test_an_address_with_a_line_end_is_a_problem_like_any_other(gateway: Door) -> None:
    answer = requests.get(f"{gateway.url}/v1/orders/SHOP%0A1", timeout=20)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


ODD = st.sampled_from(["\x00", "\ud800", "é", "\u202e", "a" * 200, "'", "%00", "../..", "\r\nX-Evil: 1"])


@OPTIONS
@given(name=ODD, value=ODD | st.none() | st.lists(st.none(), max_size=2))
def test_names_that_no_text_holds_are_a_mistake_of_the_sender(gateway: Door, name: str, value: object) -> None:
    body = json.dumps({"sku": "A1", name: value})
    headers = {
        "Authorization": f"Bearer {gateway.key}",
        "Idempotency-Key": "key-00001",
        "Content-Type": "application/json",
    }
    answer = requests.post(f"{gateway.url}/v1/reservations", data=body, headers=headers, timeout=20)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "body",
    ["[" * 15_000, '{"quantity": 1e999}', '{"quantity": ' + "9" * 5000 + "}", "NaN", "\xff", '{"sku": "\\ud800"}'],
)
def test_a_body_that_is_no_reservation_is_refused(gateway: Door, body: str) -> None:
    headers = {
        "Authorization": f"Bearer {gateway.key}",
        "Idempotency-Key": "key-00001",
        "Content-Type": "application/json",
    }
    answer = requests.post(f"{gateway.url}/v1/reservations", data=body.encode("latin-1"), headers=headers, timeout=20)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "query", ["group=%00", "group=%ED%A0%80", "group=%ff", "channel=%00", "quantity=1e999", "country=%00%00", "sku=%00"]
)
def test_a_question_that_the_journal_could_not_even_be_asked_is_refused(gateway: Door, query: str) -> None:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    answer = requests.get(f"{gateway.url}/v1/prices?sku=TS0001-M-BLU&{query}", headers=headers, timeout=20)
    assert answer.status_code in (404, 422), answer.text
