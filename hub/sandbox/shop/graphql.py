"""``POST graphql.json``: parse, weigh, throttle, execute, and say what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.limits import Bucket
from hub.sandbox.shop.cost import Meter
from hub.sandbox.shop.resolvers import Roots, schema
from hub.sandbox.web import Note, Refusal, Reply, Request

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLResolveInfo, OperationDefinitionNode

    from hub.sandbox.shop.shop import Shop

# https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits: standard plan
BUCKET, RESTORED_PER_SECOND = 2000, 100
DEAREST = 1000  # points of a single query
LIMITS_PAGE = "https://shopify.dev/api/usage/rate-limits"


class GraphQL:
    """One endpoint with the bucket of its one access token."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.bucket = Bucket(BUCKET, RESTORED_PER_SECOND * shop.state.haste)

    def post(self, request: Request, note: Note) -> Reply:
        """Answer one document; GraphQL's own errors come with HTTP 200."""
        text, variables, name = _body(request)
        document, operation = _operation(text, name)
        note.operation = _fields(operation)
        note.write = operation.operation.value == "mutation"
        note.detail = {"operation": name, "variables": variables}
        meter = Meter(schema(), document, variables)
        root = schema().type_map["Mutation" if note.write else "QueryRoot"]
        requested = meter.operation(root, operation.selection_set)
        self._let_in(requested)
        answer = self._execute(document, variables, name, note, request.url.partition("/admin/")[0])
        actual = meter.operation(root, operation.selection_set, answer.get("data") or {})
        self.bucket.give_back(max(0, requested - actual))
        return Reply(body={**answer, "extensions": {"cost": self._cost(requested, actual)}})

    def _let_in(self, requested: int) -> None:
        if requested > DEAREST:
            raise Refusal(_too_dear(requested))
        if self.bucket.take(requested) > 0:
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": LIMITS_PAGE}}
            # HTTP says 200, so that only the ledger would hide that a limit was overrun.
            raise Refusal(
                Reply(body={"errors": [error], "extensions": {"cost": self._cost(requested, None)}}, recorded=429)
            )

    def _cost(self, requested: int, actual: int | None) -> dict[str, Any]:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": float(BUCKET),
                "currentlyAvailable": int(self.bucket.available),
                "restoreRate": float(self.bucket.per_second),
            },
        }

    def _execute(
        self, document: DocumentNode, variables: Mapping[str, Any], name: str | None, note: Note, base: str
    ) -> dict[str, Any]:
        from graphql import execute_sync

        result = execute_sync(
            schema(),
            document,
            root_value=Roots(self.shop, note, base),
            variable_values=dict(variables),
            operation_name=name,
            field_resolver=_resolve,
        )
        if result.errors:
            note.summary = "; ".join(error.message for error in result.errors)[:300]
        return dict(result.formatted)


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    value = source[info.field_name]
    return value(info, **arguments) if callable(value) else value


def _body(request: Request) -> tuple[str, dict[str, Any], str | None]:
    try:
        body = request.json()
    except ValueError:
        body = None
    text = body.get("query") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise Refusal(Reply(status=400, body={"errors": {"query": "Required parameter missing or invalid"}}))
    variables, name = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict):
        raise Refusal(Reply(status=400, body={"errors": {"variables": "Must be an object"}}))
    return text, variables, name


def _operation(text: str, name: str | None) -> tuple[DocumentNode, OperationDefinitionNode]:
    from graphql import GraphQLError, get_operation_ast, parse, validate

    try:
        document = parse(text)
    except GraphQLError as error:
        raise _refused([error]) from None
    errors = validate(schema(), document)
    if errors:
        raise _refused(errors)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise _refused([GraphQLError("An operation name is required")])
    return document, operation


def _refused(errors: list[Any]) -> Refusal:
    return Refusal(Reply(body={"errors": [error.formatted for error in errors]}, recorded=400))


def _too_dear(requested: int) -> Reply:
    message = (
        f"Query cost is {requested}, which exceeds the single query max cost limit ({DEAREST}).\n\n"
        f"See {LIMITS_PAGE} for more information on how the cost of a query is calculated."
    )
    detail = {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": DEAREST, "documentation": LIMITS_PAGE}
    return Reply(body={"errors": [{"message": message, "extensions": detail}]}, recorded=400)


def _fields(operation: OperationDefinitionNode) -> str:
    """The root fields, as the ledger names a GraphQL call."""
    names = [getattr(node, "name", None) for node in operation.selection_set.selections]
    return ",".join(name.value for name in names if name is not None)
