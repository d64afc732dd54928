"""``hub trace``: the story of one key, as a person reads it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.say import Json, as_json, line, when
from hub.flow.wording import brief, changes, short


def add_to(app: typer.Typer) -> None:
    app.command()(trace)


def trace(
    object: Annotated[
        str,
        typer.Argument(
            help="A canonical object: stock_level, stock_movement, reservation, location, price, product, variant, "
            "media, order, order_status, fulfilment, order_return."
        ),
    ],
    key: Annotated[
        str, typer.Argument(help="Its business key: SKU@LOCATION for stock, else a SKU, a product or an order.")
    ],
    json: Json = False,
) -> None:
    """The whole story of one key over all systems.

    Who says what and where it was read, what each target should hold and why, what it was confirmed to
    hold, what it waits for, and every step in between. A price is told of a SKU, a product by its own code
    or that of any variant, an order with all that happened to it.

    Example: hub trace stock_level TS0001-M-BLU@ST01

    Example: hub trace order SHOP-1001
    """
    from hub.cli.place import engine
    from hub.flow.trace import trace as trace_key

    with engine() as hub:
        found = trace_key(hub, object, key)
    if json:
        as_json(found)
        return
    _story(found)


def _story(found: dict[str, Any]) -> None:
    line(f"[bold]{found['object']} {found['key']}[/bold]")
    _section("What is known", [_known(row, found["key"]) for row in found["known"]])
    _section("Events", [_event(row) for row in found["events"]])
    _section("What each target should hold, and holds", [_target(row) for row in found["targets"]])
    _section("What it waits for", [_waits(row) for row in found["waiting"]])
    _section("Prices that were confirmed", [_price(target, one) for target, one in _confirmed(found)])
    _section("What the systems call it", [_bound(row) for row in found.get("bound", ())])
    _section("Quarantine", [_refused(row) for row in found["quarantine"]])
    _section("Step by step", [_step(row, found["key"]) for row in found["timeline"]])


def _section(title: str, entries: list[list[str]]) -> None:
    """A title and its entries: a first line each, and what belongs to it indented below."""
    from rich.markup import escape

    if entries:
        line(f"\n[bold]{title}[/bold]")
    for first, *rest in entries:
        line(f"  {escape(first)}")
        for more in filter(None, rest):
            line(f"      [dim]{escape(more)}[/dim]")


def _known(row: dict[str, Any], key: str) -> list[str]:
    counts = "" if row["counts"] else "  (another system has the authority here)"
    detached = "  (its latest snapshot did not speak for it)" if row["detached"] else ""
    named = "" if row["key"] == key else f"{row['object']} {row['key']}: "
    return [
        f"{row['system']:8} {named}{brief(row['data'])}{counts}{detached}",
        f"not used, another system owns it: {', '.join(row['not_used'])}" if row["not_used"] else "",
        f"vouched for until {when(row['vouched_until'])}",
        f"read from {_origin(row['origin'])} by {row['mapping']}",
    ]


def _event(row: dict[str, Any]) -> list[str]:
    data = row["data"]
    ticket = data.get("ticket")
    details = [data["order"]] if "order" in data else []
    details += [f"till {ticket['till']}, ticket {ticket['business_day']}/{ticket['sequence']}"] if ticket else []
    details += ["in the authority's numbers already"] if row["contained"] else []
    return [
        f"{when(row['event_time'])}  {row['system']:8} {_happened(data)}",
        "; ".join(details),
        f"read from {_origin(row['origin'])} by {row['mapping']}",
    ]


def _happened(data: dict[str, Any]) -> str:
    """What an event was, in a few words."""
    kind = data.get("kind", "return")
    place = f" at {data['location']}" if data.get("location") else ""
    if "delta" in data:
        return f"{kind} {data['delta']:+d} of {data['sku']}{place}"
    if "quantity" in data:
        return f"{kind} {data['quantity']} of {data['sku']}{place}"
    return f"{kind} {data['id']}: {data['amount']} {data['currency']} for {brief(data['lines']) or 'money alone'}"


def _target(row: dict[str, Any]) -> list[str]:
    holds = f"confirmed {_holds(row)} at {when(row['confirmed_at'])}" if row["remote"] else "never confirmed"
    doubt = ", in doubt" if row["suspect"] else ""
    cause = f"{row['cause']}: {row['detail']}" if row.get("cause") else ""
    return [
        f"{row['target']:8} should hold {brief(row['value'])} (generation {row['generation']}), {holds}{doubt}",
        cause,
        f"because {_because(row['why'])}",
    ]


def _because(why: dict[str, Any]) -> str:
    """The reasons; who owns which field is said by owner."""
    owned: dict[str, list[str]] = {}
    for name, system in why.get("owners", {}).items():
        owned.setdefault(system, []).append(name.replace("_", " "))
    said = [f"{system} owns {', '.join(names)}" for system, names in owned.items()]
    return "; ".join(filter(None, [short({k: v for k, v in why.items() if k != "owners"}), *said]))


def _holds(row: dict[str, Any]) -> str:
    """Beside a long value it is enough to say where the other one differs."""
    if row["remote"] == row["value"]:
        return "just that" if len(row["value"]) > 3 else brief(row["value"])
    return changes(row["value"], row["remote"])


def _waits(row: dict[str, Any]) -> list[str]:
    return [f"{row['target']:8} {'; '.join(row['reasons'])}", f"since {when(row['since'])}"]


def _confirmed(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(target, one) for target, prices in found.get("prices", {}).items() for one in prices]


def _price(target: str, one: dict[str, Any]) -> list[str]:
    return [f"{target:8} {one['amount']} since {when(one['since'])}"]


def _bound(row: dict[str, Any]) -> list[str]:
    by = f", matched by {row['matched']}" if row["matched"] else ""
    return [f"{row['system']:8} {row['object']} {row['key']} is {row['external_id']}{by}"]


def _refused(row: dict[str, Any]) -> list[str]:
    return [f"{row['system']:8} {row['state']}: {row['path']}: {row['reason']}", f"read from {_origin(row['origin'])}"]


def _step(row: dict[str, Any], key: str) -> list[str]:
    after = {k: v for k, v in (row["after"] or {}).items() if k not in ("because", "as_of")}
    answer = f"  {row['answer']}" if row["answer"] else ""
    origin = f"read from {_origin(row['origin'])} by {row['mapping']}" if row["origin"] else ""
    named = "" if row["key"] == key else f"{row['object']} {row['key']}: "
    change = named + ("" if row["step"] == "not owner" else changes(row["before"], after))
    return [f"{when(row['at'])}  {row['step']:11} {row['system']:8} {change}{answer}", origin, f"run {row['run']}"]


def _origin(origin: dict[str, Any]) -> str:
    return f"{origin['source']}:{origin['line']}" if origin.get("line") else str(origin["source"])
