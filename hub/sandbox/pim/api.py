"""Akeneo's addresses, who may come in, and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.limits import Bucket
from hub.sandbox.pim import search, tokens
from hub.sandbox.pim.errors import NOT_FOUND, Invalid, refused
from hub.sandbox.pim.paging import page
from hub.sandbox.pim.shapes import Shapes, Wish
from hub.sandbox.pim.writes import Items, collection, single
from hub.sandbox.web import Handler, Note, Reply, Request, Route, Web

if TYPE_CHECKING:
    from hub.sandbox.pim.pim import Pim

# https://api.akeneo.com/documentation/overview.html: 100 requests a second for a PIM; bursts are allowed.
BUCKET, PER_SECOND = 100, 100
ROOT = "/api/rest/v1"


def web(pim: Pim) -> Web:
    """The API; each call makes one with a full budget of its own."""
    gate = Gate(pim)
    products, models, structure = ProductApi(pim), ModelApi(pim), StructureApi(pim)
    routes = [_route("POST", "/api/oauth/v1/token", "token", lambda r, n: tokens.token(pim, r, n), gate.limited)]
    found: list[tuple[str, str, Handler]] = [
        ("GET", "products", products.listed),
        ("PATCH", "products", products.patch),
        ("GET", "products/{code}", products.one),
        ("PATCH", "products/{code}", products.patch_one),
        ("GET", "products-uuid", products.listed_by_uuid),
        ("PATCH", "products-uuid", products.patch_by_uuid),
        ("GET", "products-uuid/{uuid}", products.one_by_uuid),
        ("GET", "product-models", models.listed),
        ("PATCH", "product-models", models.patch),
        ("GET", "product-models/{code}", models.one),
        ("PATCH", "product-models/{code}", models.patch_one),
        ("PATCH", "attributes/{owner}/options", structure.patch_options),
        *structure.reading(),
    ]
    routes += [_route(method, f"{ROOT}/{path}", path, handler, gate.let_in) for method, path, handler in found]
    return Web("pim", pim.ledger, routes, NOT_FOUND)


def _route(method: str, path: str, operation: str, handler: Handler, gate: Any) -> Route:
    return Route(method=method, path=path, operation=operation, handler=handler, gate=gate, write=method == "PATCH")


class Gate:
    """Access tokens, and the bucket of the one PIM."""

    def __init__(self, pim: Pim) -> None:
        self.pim = pim
        self.bucket = Bucket(BUCKET, PER_SECOND * pim.state.haste)

    def limited(self, request: Request) -> Mapping[str, str]:
        if self.bucket.take() > 0:
            raise refused(429, "API Quota exceeded", **{"retry-after": "1"})
        return {}

    def let_in(self, request: Request) -> Mapping[str, str]:
        self.limited(request)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise refused(401, "Authentication is required")
        if why := self.pim.tokens.judge(token):
            raise refused(401, why)
        return {}


class _ItemApi:
    """What products and models have in common."""

    kind: str

    def __init__(self, pim: Pim) -> None:
        self.pim = pim
        self.items = Items(pim)

    def found(self, request: Request, order: str = "code") -> list[Any]:
        """The rows that pass the search, by ``order``."""
        wanted = search.tests(request.query.get("search"), self.pim.clock.now())
        rows = self.pim.state.rows(f"SELECT * FROM pim_item ORDER BY {order}")  # noqa: S608 - ours
        models = {row["code"]: row for row in rows if row["kind"] == "model"}
        return [row for row in rows if row["kind"] == self.kind and all(test(row, models) for test in wanted)]

    def shapes(self, request: Request) -> Shapes:
        return Shapes(self.pim, Wish.of(request, self.pim))

    def row(self, request: Request, sentence: str) -> Any:
        code = request.params["code"]
        try:
            return self.pim.row(code, self.kind)
        except KeyError:
            raise refused(404, sentence.format(code)) from None


class ProductApi(_ItemApi):
    """Products, by identifier and by UUID."""

    kind = "product"

    def listed(self, request: Request, note: Note) -> Reply:
        shapes = self.shapes(request)
        return page(request, self.found(request), lambda row: str(row["code"]), shapes.product)

    def listed_by_uuid(self, request: Request, note: Note) -> Reply:
        shapes = self.shapes(request)
        return page(request, self.found(request, "uuid"), lambda row: str(row["uuid"]), shapes.product_uuid)

    def one(self, request: Request, note: Note) -> Reply:
        row = self.row(request, "Product {} does not exist or you do not have permission to access it.")
        return Reply(body=self.shapes(request).product(row))

    def one_by_uuid(self, request: Request, note: Note) -> Reply:
        uuid = request.params["uuid"]
        row = self.pim.state.row("SELECT * FROM pim_item WHERE kind = 'product' AND uuid = ?", (uuid,))
        if row is None:
            raise refused(404, f"Product {uuid} does not exist or you do not have permission to access it.")
        return Reply(body=self.shapes(request).product_uuid(row))

    def patch(self, request: Request, note: Note) -> Reply:
        return collection(request, note, "identifier", self.items.product)

    def patch_by_uuid(self, request: Request, note: Note) -> Reply:
        return collection(request, note, "uuid", self.items.product_uuid)

    def patch_one(self, request: Request, note: Note) -> Reply:
        return single(request, "identifier", request.params["code"], self.items.product)


class ModelApi(_ItemApi):
    """Product models."""

    kind = "model"

    def listed(self, request: Request, note: Note) -> Reply:
        return page(request, self.found(request), lambda row: str(row["code"]), self.shapes(request).model)

    def one(self, request: Request, note: Note) -> Reply:
        return Reply(body=self.shapes(request).model(self.row(request, "Product model {} does not exist.")))

    def patch(self, request: Request, note: Note) -> Reply:
        return collection(request, note, "code", self.items.model)

    def patch_one(self, request: Request, note: Note) -> Reply:
        return single(request, "code", request.params["code"], self.items.model)


class StructureApi:
    """Everything that products are made of."""

    def __init__(self, pim: Pim) -> None:
        self.pim = pim

    def reading(self) -> list[tuple[str, str, Handler]]:
        """A list and a single resource of each kind."""
        paths = {
            "channels": "channel",
            "locales": "locale",
            "categories": "category",
            "attributes": "attribute",
            "attributes/{owner}/options": "option",
            "families": "family",
            "families/{owner}/variants": "family_variant",
        }
        return [
            ("GET", place, handler)
            for path, kind in paths.items()
            for place, handler in ((path, self._list(kind)), (f"{path}/{{code}}", self._single(kind)))
        ]

    def patch_options(self, request: Request, note: Note) -> Reply:
        return collection(request, note, "code", self._option(request.params["owner"]))

    def _option(self, attribute: str) -> Callable[[dict[str, Any]], int]:
        def keep(resource: dict[str, Any]) -> int:
            if attribute not in self.pim.structure("attribute"):
                raise Invalid(f'The attribute "{attribute}" does not exist.')
            code = str(resource["code"])
            before = self.pim.structure("option", attribute).get(code)
            base = before or {"code": code, "attribute": attribute, "sort_order": 0, "labels": {}}
            labels = {**base["labels"], **(resource.get("labels") or {})}
            self.pim.keep_structure("option", attribute, code, {**base, "labels": labels})
            return 204 if before else 201

        return keep

    def _list(self, kind: str) -> Handler:
        def listed(request: Request, note: Note) -> Reply:
            found = self.pim.structure(kind, request.params.get("owner", ""))
            return page(request, list(found.values()), lambda body: str(body["code"]), dict)

        return listed

    def _single(self, kind: str) -> Handler:
        def one(request: Request, note: Note) -> Reply:
            code = request.params["code"]
            found = self.pim.structure(kind, request.params.get("owner", "")).get(code)
            if found is None:
                raise refused(404, f"{kind.replace('_', ' ').capitalize()} {code} does not exist.")
            return Reply(body=found)

        return one
