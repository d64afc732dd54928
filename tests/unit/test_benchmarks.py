"""The ways that ``hub bench`` compares do the same; how fast they are is never a matter of a test."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.loopback import Heard, Say, serving
from typer.testing import CliRunner

from benchmarks import counter, journal, mapping, unbound, validation
from benchmarks.counter_world import Asked
from benchmarks.race import Comparison, Way, race
from benchmarks.snapshot_compare import CHANGED, Night
from hub.journal import connect, migrate
from hub.mapping import load


def test_comparing_raw_lines_finds_what_mapping_every_line_finds() -> None:
    night = Night(lines=400)
    found = night.by_lines()
    assert found == night.by_mapping()
    assert len(found) == 400 * CHANGED


def test_the_function_written_by_hand_makes_the_same_records_and_refuses_the_same_fields() -> None:
    compiled, hand = load(mapping.FOLDER / "stock_level.v1.yaml"), mapping.by_hand()
    rows = mapping.records(200)
    assert [compiled.map(row) for row in rows] == [[hand(row)] for row in rows]
    for field, value in (("QTE", "1,5"), ("EAN", "3760000000001"), ("MAGASIN", "0099")):
        wrong = rows[0].become(data={**rows[0].data, field: value})
        assert compiled.map(wrong)[0].path == hand(wrong).path == field  # type: ignore[union-attr]


def test_both_validators_agree_on_the_levels_they_are_timed_with() -> None:
    assert len(validation.levels(50)) == 50


@pytest.mark.parametrize("way", journal.WAYS)
def test_every_way_into_the_journal_keeps_the_newer_levels(database: str, way: str) -> None:
    migrate(database)
    with connect(database) as connection:
        for night in (2, 3, 1):  # the last one is older than what is known
            with connection.transaction():
                journal.WAYS[way](connection, "bench", journal.levels(night, count=20))
        kept = connection.execute("SELECT (data ->> 'on_hand')::int FROM source_state ORDER BY key").fetchall()
    assert [row[0] for row in kept] == [number + 3 for number in range(20)]


def test_both_ways_find_the_articles_without_an_id(database: str) -> None:
    migrate(database)
    with connect(database) as connection:
        unbound.fill(connection, articles=20, places=3)
        assert unbound.by_articles(connection) == unbound.by_levels(connection) == ["TS1", "TS2", "TS3"]


def test_a_race_runs_every_way_in_turn_and_keeps_its_best_round() -> None:
    turns: list[str] = []
    found = race("letters", {"a": (10, lambda: turns.append("a")), "b": (10, lambda: turns.append("b"))}, rounds=2)
    assert turns == ["a", "b", "a", "b"]
    assert [way.name for way in found.ways] == ["a", "b"]


def test_a_ratio_says_how_many_times_as_fast_the_first_way_is() -> None:
    ours, peer = Way(name="ours", records=100, seconds=1), Way(name="peer", records=50, seconds=2)
    assert Comparison(title="", ways=(ours, peer)).ratio(peer) == 4


def test_what_the_counter_is_asked_is_answered_and_timed_from_when_it_should_have_been_asked() -> None:
    def slow(heard: Heard) -> Say:
        time.sleep(0.05)
        return Say(201 if heard.method == "POST" else 200, {})

    with serving(slow) as server:
        asked = Asked(dsn="", project=Path(), port=server.connection.port or 0, key="ohk_x")
        found = counter.measure(asked, count=30, per_second=1000, seed=1)
    assert len(found) == 30
    assert max(a.seconds for a in found) > 0.2  # 30 questions at once over 6 connections wait for each other
    (whole, *kinds) = counter.ways("alone", found)
    assert whole.records == sum(way.records for way in kinds) == 30
    assert whole.note.startswith("p50 ")


def test_a_question_that_is_refused_spoils_the_measurement() -> None:
    with serving(Say(503, {})) as server, pytest.raises(AssertionError, match="503"):
        counter.measure(Asked(dsn="", project=Path(), port=server.connection.port or 0, key=""), 3, 100, seed=1)


def test_percentiles_are_milliseconds_of_answers_that_there_were() -> None:
    seconds = [n / 1000 for n in range(1, 101)]
    assert [counter.percentile(seconds, share) for share in (0.5, 0.99, 1)] == [51, 100, 100]


def test_an_unknown_benchmark_is_named_with_those_that_there_are() -> None:
    from hub.cli import app

    answer = CliRunner().invoke(app, ["bench", "--only", "speed"])
    assert "snapshot_compare" in str(answer.exception)
