"""The leaky bucket behind every limit."""

from __future__ import annotations

import pytest

from hub.sandbox.limits import Bucket


class Seconds:
    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_a_full_bucket_refuses_and_says_how_long_to_wait(seconds):
    bucket = Bucket(40, 2, seconds)
    assert [bucket.take() for _ in range(40)] == [0.0] * 40
    assert bucket.take() == pytest.approx(0.5)
    assert bucket.take(10) == pytest.approx(5.0)


def test_a_refused_call_takes_nothing(seconds):
    bucket = Bucket(1, 1, seconds)
    bucket.take()
    for _ in range(5):
        assert bucket.take() == pytest.approx(1.0)


def test_it_leaks_at_a_steady_rate_and_never_below_empty(seconds):
    bucket = Bucket(40, 2, seconds)
    bucket.take(40)
    seconds.value = 5
    assert bucket.used == pytest.approx(30)
    seconds.value = 500
    assert bucket.used == 0
    assert bucket.available == 40


def test_a_call_that_cost_less_gives_the_rest_back(seconds):
    bucket = Bucket(1000, 50, seconds)
    bucket.take(900)
    bucket.give_back(800)
    assert bucket.available == 900
