"""A page that names itself as the next one, in the manner of each vendor."""

from __future__ import annotations

import json
from typing import Any

from hub.sandbox.faults.heard import Heard

Headers = list[tuple[bytes, bytes]]


def looped(heard: Heard, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """The answer to ``heard``, leading back to where it came from; an answer without pages stays as it is."""
    if heard.system == "erp":
        return headers, _bookmark(heard, body)
    if heard.system == "shop" and not heard.graphql:
        link = f'<{heard.url}>; rel="next"'.encode("latin-1")
        return [*(pair for pair in headers if pair[0].lower() != b"link"), (b"link", link)], body
    try:
        found = json.loads(body)
    except ValueError:
        return headers, body
    return headers, json.dumps(_document(heard, found), ensure_ascii=False).encode()


def _document(heard: Heard, found: Any) -> Any:
    match heard.system:
        case "tills":
            return {**found, "cursor": heard.cursor}
        case "dam":
            return {**found, "next_cursor": heard.cursor}
        case "pim" if "_links" in found:
            return {**found, "_links": {**found["_links"], "next": {"href": heard.url}}}
    if info := _page_info(found.get("data")):
        info |= {"hasNextPage": True, "endCursor": heard.cursor}
    return found


def _page_info(data: Any) -> dict[str, Any] | None:
    """The outermost one: inner lists of the nodes have pages of their own."""
    level: list[Any] = [data]
    while level:
        for one in level:
            if isinstance(one, dict) and isinstance(one.get("pageInfo"), dict):
                info: dict[str, Any] = one["pageInfo"]
                return info
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [item for items in inner for item in items]
    return None


def _bookmark(heard: Heard, body: bytes) -> bytes:
    from lxml import etree

    from hub.sandbox.erp.description import NAMESPACE, parser

    envelope = etree.fromstring(body, parser())
    as_of = envelope.find(f".//{{{NAMESPACE}}}asOf")
    if as_of is None:
        return body
    parent = as_of.getparent()
    following = envelope.find(f".//{{{NAMESPACE}}}nextBookmark")
    if following is None and parent is not None:
        following = etree.Element(f"{{{NAMESPACE}}}nextBookmark")
        parent.insert(parent.index(as_of), following)
    if following is not None:
        following.text = heard.cursor
    return bytes(etree.tostring(envelope, encoding="UTF-8", xml_declaration=True))
