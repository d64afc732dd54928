"""The sandbox's library of pictures."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
import requests

from hub.sandbox.pictures import draw


@pytest.fixture
def api(sandbox: Any) -> Any:
    headers = {"Authorization": f"Bearer {sandbox.retailer.dam.token}"}

    def get(path: str, **query: Any) -> requests.Response:
        return requests.get(f"{sandbox.urls['dam']}/api/v1/{path}", params=query, headers=headers, timeout=10)

    return get


def every(api: Any, **query: Any) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = api("assets", limit=100, cursor=cursor, **query).json()
        found += page["assets"]
        if not (cursor := page["next_cursor"]):
            return found


def test_every_picture_of_a_style_lies_in_it(api, retailer):
    found = {asset["id"].upper(): asset for asset in every(api)}
    for style in retailer.assortment.products:
        for picture in retailer.assortment.pictures(style):
            asset = found[picture.asset]
            assert asset["product_code"].strip().upper() == style.code
            assert asset["renditions"]["web"]["sha256"] == picture.sha256
            assert asset["renditions"]["original"]["width"] == 96
    assert not retailer.dam.hashes("NV0123")


def test_a_rendition_is_given_out_as_it_is(api, retailer):
    (asset, *_) = every(api)
    answer = api(f"assets/{asset['id']}/renditions/web")
    assert answer.headers["content-type"] == "image/png"
    assert sha256(answer.content).hexdigest() == asset["renditions"]["web"]["sha256"]
    assert len(answer.content) == asset["renditions"]["web"]["bytes"]


def test_one_is_no_image_and_one_is_not_what_its_checksum_says(api):
    html = api("assets/DAM-CH0019-9").json()["renditions"]["web"]
    assert html["mime_type"] == "image/png"
    assert "width" not in html
    assert api("assets/dam-ch0019-9/renditions/web").content.startswith(b"<!DOCTYPE html>")
    swapped = api("assets/dam-pu0021-9").json()["renditions"]["web"]["sha256"]
    assert sha256(api("assets/dam-pu0021-9/renditions/web").content).hexdigest() != swapped


def test_changes_are_told_since_a_moment_oldest_first(api, retailer, clock):
    since = clock.now().isoformat()
    clock.forward(minutes=1)
    retailer.dam.withdraw("DAM-TS0001-2")
    clock.forward(minutes=1)
    hash = retailer.dam.replace("DAM-TS0001-1", draw("new", (9, 9, 9)))
    clock.forward(minutes=1)
    added = retailer.dam.add("NV0123", 1, draw("photo", (1, 1, 1)), {"fr": "Chemise"})
    found = every(api, updated_since=since)
    assert [(asset["id"], asset["status"], asset["version"]) for asset in found] == [
        ("dam-ts0001-2", "archived", 2),
        ("dam-ts0001-1", "active", 2),
        (added.lower(), "active", 1),
    ]
    assert hash in retailer.dam.hashes("TS0001")
    assert retailer.dam.hashes("NV0123") == [found[-1]["renditions"]["web"]["sha256"]]


def test_an_asset_that_is_not_there_cannot_be_changed(retailer):
    with pytest.raises(KeyError):
        retailer.dam.withdraw("DAM-NOBODY-1")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": 101}, "limit is a number from 1 to 100"),
        ({"updated_since": "today"}, "updated_since is an RFC 3339 time"),
        ({"updated_since": "2026-11-22T10:00:00"}, "updated_since is an RFC 3339 time"),
        ({"cursor": "x"}, "The cursor is none of ours"),
    ],
)
def test_a_query_that_cannot_be_is_refused(api, query, sentence):
    answer = api("assets", **query)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["message"]


def test_nobody_gets_in_without_the_token_or_finds_what_is_not_there(sandbox, api):
    assert requests.get(f"{sandbox.urls['dam']}/api/v1/account", timeout=10).status_code == 401
    assert api("account").json()["assets"] == 348
    assert [api(path).status_code for path in ("assets/x", "assets/dam-ts0001-1/renditions/huge", "x")] == [404] * 3


def test_too_many_calls_are_refused_for_a_second(retailer):
    from hub.sandbox.dam.api import Gate
    from hub.sandbox.web import Refusal, Request

    gate = Gate(retailer.dam)
    headers = {"authorization": f"Bearer {retailer.dam.token}"}
    request = Request(method="GET", url="", path="", params={}, query={}, headers=headers, body=b"")
    with pytest.raises(Refusal) as refusal:
        [gate.let_in(request) for _ in range(50)]
    assert (refusal.value.reply.status, refusal.value.reply.headers["retry-after"]) == (429, "1")
