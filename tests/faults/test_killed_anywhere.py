"""Fifty kills at every point between read and confirm: nothing is lost, nothing doubled, nothing out of order."""

from __future__ import annotations

from collections import Counter

import pytest
from support.scene import ROOT

from hub.certify.flows import Certificate, certify
from hub.points import GATEWAY, WORKER

KILLS = 50
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return certify(ROOT, kills=KILLS, minutes=10, seed=11, every=KILLS)


def test_nothing_is_lost_doubled_or_out_of_order(certificate: Certificate) -> None:
    assert certificate.cases == []
    assert certificate.kills >= KILLS


def test_every_kind_of_process_was_killed_and_at_many_marked_points(certificate: Certificate) -> None:
    victims: Counter[str] = Counter()
    for place, times in certificate.places.items():
        victims[place.partition(":")[0]] += times
    assert set(victims) == {"worker", "gateway", "database"}
    points = {place.partition(": ")[2] for place in certificate.places}
    met = points & {*WORKER, *GATEWAY}
    assert len(met) >= 10, sorted({*WORKER, *GATEWAY} - met)  # on a busy machine some die before they come there


def test_the_retailer_was_busy_meanwhile_and_everything_was_compared(certificate: Certificate) -> None:
    assert certificate.happened["sales at a till"] > KILLS / 2
    assert certificate.happened["orders in the shop"] > KILLS / 10
    assert certificate.compared["stock levels"] > 19_000
    assert certificate.compared["sales"] > 340
    assert certificate.compared["generations"] > 12_000
