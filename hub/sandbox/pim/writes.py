"""Akeneo's PATCH: objects are merged, anything else replaced, each line of a collection with a status of its own.

https://api.akeneo.com/documentation/update.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.pim.errors import Invalid, invalid, refused
from hub.sandbox.pim.structure import SELECTS
from hub.sandbox.pim.tables import uuid_of
from hub.sandbox.web import Note, Refusal, Reply, Request

if TYPE_CHECKING:
    from hub.sandbox.pim.pim import Pim

COLLECTION = "application/vnd.akeneo.collection+json"
MOST_LINES = 100
READ_ONLY = frozenset({"created", "updated", "_links", "associations", "quantified_associations", "uuid"})
KNOWN = {
    "product": frozenset({"identifier", "enabled", "family", "categories", "groups", "parent", "values"}),
    "model": frozenset({"code", "family", "family_variant", "categories", "parent", "values"}),
}
EMPTY: Mapping[str, Mapping[str, Any]] = {
    "product": {"enabled": True, "family": None, "categories": [], "groups": [], "values": {}},
    "model": {"family": None, "family_variant": None, "categories": [], "values": {}},
}
Keep = Callable[[dict[str, Any]], int]


def collection(request: Request, note: Note, name: str, keep: Keep) -> Reply:
    """Take a collection line by line; ``name`` is the property that identifies a resource."""
    if not request.headers.get("content-type", "").startswith(COLLECTION):
        given = request.headers.get("content-type", "")
        raise refused(415, f"‘{given}’ in ‘Content-type’ header is not valid. Only ‘{COLLECTION}’ is allowed.")
    lines = request.body.decode("utf-8", "replace").splitlines()
    if len(lines) > MOST_LINES:
        raise refused(413, f"Too many resources to process, {MOST_LINES} is the maximum allowed.")
    answers = [_line(number, line, name, keep) for number, line in enumerate(lines, 1)]
    note.summary = f"{len(answers)} lines"
    body = "\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers)
    return Reply(body=body.encode(), headers={"content-type": f"{COLLECTION}; charset=utf-8"})


def _line(number: int, line: str, name: str, keep: Keep) -> dict[str, Any]:
    try:
        resource = json.loads(line)
    except ValueError:
        return {"line": number, "status_code": 400, "message": "Invalid json message received"}
    if not isinstance(resource, dict) or not resource.get(name):
        return {"line": number, "status_code": 422, "message": f"{name.capitalize()} is missing."}
    try:
        return {"line": number, name: resource[name], "status_code": keep(resource)}
    except Invalid as error:
        return {"line": number, name: resource[name], "status_code": 422, **error.body}


def single(request: Request, name: str, code: str, keep: Keep) -> Reply:
    """Take one resource at its own address."""
    try:
        resource = request.json()
    except ValueError:
        raise refused(400, "Invalid json message received") from None
    if not isinstance(resource, dict) or resource.get(name, code) != code:
        raise refused(422, f"The {name} in the body does not match the one in the address.")
    try:
        status = keep({**resource, name: code})
    except Invalid as error:
        raise _whole(error) from None
    return Reply(status=status, headers={"location": request.url})


def _whole(error: Invalid) -> Exception:
    return Refusal(Reply(status=422, body={"code": 422, **error.body}))


class Items:
    """Writing products and models."""

    def __init__(self, pim: Pim) -> None:
        self.pim = pim

    def product(self, resource: dict[str, Any]) -> int:
        return self._keep("product", str(resource["identifier"]), resource)

    def product_uuid(self, resource: dict[str, Any]) -> int:
        """A product by UUID; one that is new brings its identifier among its values."""
        row = self.pim.state.row("SELECT code FROM pim_item WHERE uuid = ?", (resource["uuid"],))
        values = dict(resource.get("values") or {})
        sku = values.pop("sku", None)
        code = row["code"] if row else (sku or [{}])[0].get("data")
        if not code or (row is None and resource["uuid"] != uuid_of("product", code)):
            raise invalid("uuid", "This retailer's PIM gives products their UUIDs itself.")
        rest = {name: value for name, value in resource.items() if name not in ("uuid", "values")}
        return self._keep("product", code, {**rest, **({"values": values} if values else {})})

    def model(self, resource: dict[str, Any]) -> int:
        return self._keep("model", str(resource["code"]), resource)

    def _keep(self, kind: str, code: str, resource: dict[str, Any]) -> int:
        written = {name: value for name, value in resource.items() if name not in READ_ONLY}
        for name in written:
            if name not in KNOWN[kind]:
                raise Invalid(f'Property "{name}" does not exist. Check the expected format on the API documentation.')
        row = self.pim.state.row("SELECT * FROM pim_item WHERE (kind, code) = (?, ?)", (kind, code))
        body = json.loads(row["body"]) if row else dict(EMPTY[kind])
        parent = written.get("parent", row["parent"] if row else None)
        self._check(kind, code, parent, written)
        values = merged(body["values"], written.get("values") or {})
        plain = {name: value for name, value in written.items() if name in body}
        self.pim.keep(kind, code, parent, {**body, **plain, "values": values})
        return 204 if row else 201

    def _check(self, kind: str, code: str, parent: Any, written: Mapping[str, Any]) -> None:
        family = written.get("family")
        if family is not None and family not in self.pim.structure("family"):
            raise Invalid(
                f'Property "family" expects a valid family code. The family does not exist, "{family}" given.'
            )
        self._check_parent(kind, code, parent)
        known = self.pim.structure("attribute")
        for attribute, values in (written.get("values") or {}).items():
            if attribute not in known:
                raise Invalid(f"The {attribute} attribute does not exist in your PIM.")
            for value in values:
                self._check_value(known[attribute], value)

    def _check_parent(self, kind: str, code: str, parent: Any) -> None:
        seen = {code} if kind == "model" else set()
        while parent:
            if parent in seen:
                raise invalid("parent", f'The product model "{code}" cannot hang below itself.')
            seen.add(parent)
            try:
                parent = self.pim.row(parent, "model")["parent"]
            except KeyError:
                sentence = f'The parent product model does not exist, "{parent}" given.'
                raise Invalid(f'Property "parent" expects a valid parent code. {sentence}') from None

    def _check_value(self, attribute: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        code, locale, scope = attribute["code"], value.get("locale"), value.get("scope")
        where = {"attribute": code, "locale": locale, "scope": scope}
        if bool(locale) is not attribute["localizable"] or bool(scope) is not attribute["scopable"]:
            raise invalid("values", f"The {code} attribute's locale or channel does not fit its settings.", **where)
        if locale and not self.pim.structure("locale").get(locale, {}).get("enabled"):
            raise invalid(
                "values", f"The {code} attribute requires a valid locale. The {locale} locale does not exist.", **where
            )
        data = value.get("data")
        if code in SELECTS and data is not None and data not in self.pim.structure("option", code):
            raise invalid("values", f"The {data} value is not in the {code} attribute option list.", **where)


def merged(before: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """Values of other languages and channels stay; null empties one."""
    found = {name: list(values) for name, values in before.items()}
    for name, values in written.items():
        places = {(value.get("locale"), value.get("scope")) for value in values}
        others = [v for v in found.get(name, []) if (v["locale"], v["scope"]) not in places]
        new = [
            {"locale": v.get("locale"), "scope": v.get("scope"), "data": v["data"]}
            for v in values
            if v.get("data") is not None
        ]
        found[name] = [*others, *new]
    return found
