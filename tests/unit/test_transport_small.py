"""The small parts of the transports: paging, redaction, options, file names, completeness."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from hub.errors import Reject, StopRun
from hub.transport import redaction
from hub.transport.files import Entry, archived_name, complete, is_safe, safe_name
from hub.transport.options import Duration, Size, ZoneName
from hub.transport.outcomes import retry_after
from hub.transport.paging import Trail, next_params
from hub.transport.redaction import Redaction, install, protect, redact

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Options(BaseModel):
    overlap: Duration = timedelta(0)
    limit: Size = 0
    zone: ZoneName = "Europe/Paris"


def test_the_next_page_is_the_query_of_the_link_and_never_its_host():
    back, on = "https://elsewhere/x?limit=2&page_info=a", "https://elsewhere/x?limit=2&page_info=b%3D"
    link = f'<{back}>; rel="previous", <{on}>; rel="next"'
    assert next_params({"link": link}) == {"limit": "2", "page_info": "b="}


def test_the_last_page_has_no_next_one():
    assert next_params({"link": '<https://x/y?page_info=a>; rel="previous"'}) is None
    assert next_params({}) is None


def test_a_cursor_that_leads_back_stops_the_reading():
    trail = Trail("erp ReadStock")
    trail.step("a")
    trail.step("b")
    with pytest.raises(StopRun, match="erp ReadStock: page 3 leads back"):
        trail.step("a")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer EAAAl1234567890",
        "{'X-Shopify-Access-Token': 'shpat_0123456789abcdef'}",
        "https://hub:s3cret-word@erp.example/stock",
        '{"password": "s3cret-word"}',
        "webhook_secret=s3cret-word&x=1",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret-word\n-----END OPENSSH PRIVATE KEY-----",
        "Authorization: Basic aHViOnMzY3JldA==",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str):
    masked = redact(text)
    assert "[hidden]" in masked
    for secret in ("EAAAl", "0123456789abcdef", "s3cret-word", "aHViOn"):
        assert secret not in masked


def test_a_known_secret_that_is_an_ordinary_word_hides_no_other_from_being_masked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redaction, "_known", {"secret", "with, comma"})
    assert redact("webhook_secret=s3cret-word&x=1") == "webhook_[hidden]=[hidden]&x=1"
    assert redact("password=with, comma; end") == "password=[hidden]; end"


def test_plain_sentences_stay_as_they_are():
    text = "shop answered 422 at POST /admin/api: the location is closed, ask at 10:30"
    assert redact(text) == text


def test_a_known_secret_is_masked_in_log_lines_and_tracebacks():
    protect("correct-horse-battery")
    out = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(out))
    install(logger)
    install(logger)
    try:
        raise ValueError("correct-horse-battery")
    except ValueError:
        logger.exception("with %s", "correct-horse-battery")
    assert "correct-horse" not in out.getvalue()
    assert sum(isinstance(known, Redaction) for known in logger.handlers[0].filters) == 1


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("2m", 120), ("4h30m", 16200), ("60d", 5184000), (5, 5)])
def test_durations_are_written_as_people_write_them(text: object, seconds: int):
    assert Options.model_validate({"overlap": text}).overlap == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "wrong", [{"overlap": "soon"}, {"overlap": "2x"}, {"overlap": -1}, {"limit": "2 houses"}, {"zone": "Paris"}]
)
def test_a_wrong_option_is_refused_with_an_example(wrong: dict[str, object]):
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_sizes_know_their_units():
    assert Options.model_validate({"limit": "2GiB"}).limit == 2**31


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2.5", 2.5), ("Sun, 22 Nov 2026 12:00:30 GMT", 30), ("Sun, 22 Nov 2026 11:00:00 GMT", 0), ("soon", None)],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None):
    assert retry_after(value, NOON) == seconds


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "C:x", "a\x00b", "a\nb", ".hidden", "~root", "x" * 256, "a\u202eb"]
)
def test_a_name_that_could_be_a_path_is_refused(name: str):
    with pytest.raises(Reject):
        safe_name(name)


@given(st.text(max_size=300))
def test_an_accepted_name_stays_inside_its_folder(name: str):
    if is_safe(name):
        assert "/" not in name
        assert "\\" not in name
        assert name not in ("", ".", "..")


def test_an_archived_name_is_unique_by_content():
    assert archived_name("STOCK_0001_C.csv", "abcdef0123456789") == "STOCK_0001_C.abcdef012345.csv"
    assert archived_name("STOCK", "abcdef0123456789") == "STOCK.abcdef012345"


def entry(name: str, seconds_ago: float = 60) -> Entry:
    return Entry(name=name, size=1, modified=int(NOON.timestamp() - seconds_ago))


def test_a_file_is_complete_when_its_marker_lies_beside_it():
    entries = [entry("A.csv"), entry("A.csv.ok"), entry("B.csv"), entry("C.csv.ok"), entry("note.txt")]
    found = complete(entries, "*.csv", done=".ok", settled=timedelta(0), now=NOON)
    assert [one.name for one in found] == ["A.csv"]


def test_without_markers_a_file_is_complete_when_it_has_rested():
    entries = [entry("A.csv", 60), entry("B.csv", 2)]
    found = complete(entries, "*.csv", done=None, settled=timedelta(seconds=5), now=NOON)
    assert [one.name for one in found] == ["A.csv"]
