"""The page as HTML; whatever comes from a client is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from hub.sandbox.faults import CAN, Kind, Rule
from hub.sandbox.faults.kinds import ALL
from hub.sandbox.ledger import Call

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1rem; max-width: 75rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8886; }
td form { margin: 0; } .trouble { font-weight: 600; }
label { display: inline-block; margin: 0 1rem .5rem 0; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
"""
RATES = ("1", "5", "20", "50", "100")


def page(
    ports: Mapping[str, int],
    calls: Mapping[str, int],
    rules: Sequence[Rule],
    struck: Mapping[str, Mapping[str, int]],
    latest: Iterable[Call],
    proof: str,
    trouble: str = "",
) -> str:
    """The whole page; ``calls`` counts what each system was asked, ``trouble`` says why a form was not taken."""
    said = f'<p class="trouble" role="alert">{escape(trouble)}</p>' if trouble else ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Sandbox – Omnihub</title><style>{STYLE}</style></head>"
        f"<body><main><h1>The simulated retailer</h1>{said}"
        f"<h2>Systems</h2>{_systems(ports, calls, struck)}"
        f"<h2>Faults in force</h2>{_rules(rules, proof)}"
        f"<h2>Let a system fail</h2>{_form(proof)}"
        f"<h2>Latest calls</h2>{_calls(latest)}</main></body></html>"
    )


def _systems(ports: Mapping[str, int], calls: Mapping[str, int], struck: Mapping[str, Mapping[str, int]]) -> str:
    rows = []
    for name in CAN:
        faults = ", ".join(f"{kind} {n:,}" for kind, n in struck.get(name, {}).items())
        rows.append((name, f"127.0.0.1:{ports.get(name, '')}", f"{calls.get(name, 0):,}", faults or "none"))
    return _table(
        ("system", "address", "calls", "struck so far"), [[escape(str(cell)) for cell in row] for row in rows]
    )


def _rules(rules: Sequence[Rule], proof: str) -> str:
    rows = [
        [
            escape(rule.system),
            escape(rule.kind),
            f"{rule.rate * 100:g}%",
            escape(rule.operation or "every call"),
            f"{rule.struck:,}",
            _ends(rule),
            _end(rule, proof),
        ]
        for rule in rules
    ]
    return _table(("system", "fault", "rate", "operations", "struck", "ends", ""), rows) if rows else "<p>None.</p>"


def _end(rule: Rule, proof: str) -> str:
    """The button that ends it."""
    return (
        f'<form method="post" action="/faults/end">{_hidden(proof)}<input type="hidden" name="id" value="{rule.id}">'
        f'<button aria-label="End {escape(rule.kind)} at {escape(rule.system)}">End</button></form>'
    )


def _ends(rule: Rule) -> str:
    ends = [f"in {rule.lasts:,.0f} s"] if rule.lasts is not None else []
    ends += [f"after {rule.remaining:,} more calls"] if rule.remaining is not None else []
    return " or ".join(ends) or "when somebody ends it"


def _form(proof: str) -> str:
    rates = "".join(f'<option value="{rate}"{" selected" * (rate == "5")}>{rate}%</option>' for rate in RATES)
    return (
        f'<form method="post" action="/faults">{_hidden(proof)}'
        f"<label>System {_select('system', [*CAN, ALL])}</label>"
        f"<label>Fault {_select('kind', [*Kind, ALL])}</label>"
        f'<label>Share of calls <select name="rate">{rates}</select></label>'
        '<label>Minutes <input name="minutes" type="number" min="1" max="1440" value="10" required></label>'
        '<label>Operations <input name="only" placeholder="every call" maxlength="100"></label>'
        "<button>Let it fail</button></form>"
    )


def _select(name: str, values: Iterable[str]) -> str:
    return f'<select name="{name}">{"".join(f"<option>{escape(value)}</option>" for value in values)}</select>'


def _hidden(proof: str) -> str:
    return f'<input type="hidden" name="proof" value="{proof}">'


def _calls(latest: Iterable[Call]) -> str:
    heads = ("time", "system", "call", "operation", "status", "fault", "")
    rows = [
        (f"{c.at:%H:%M:%S}", c.system, f"{c.method} {c.path}", c.operation, c.status, c.fault or "", c.summary)
        for c in latest
    ]
    return _table(heads, [[escape(str(cell)[:200]) for cell in row] for row in rows])


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Cells are HTML already."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
