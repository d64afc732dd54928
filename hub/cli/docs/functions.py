"""The language of mappings: rules, what happens where nothing is there, and every function with its examples."""

from __future__ import annotations

import inspect
from typing import Any

from hub.cli.docs.page import code, described, table, written
from hub.mapping import FUNCTIONS, Function
from hub.mapping.load import KEYS
from hub.mapping.registry import Example, Unfit
from hub.mapping.rules import HEADS, MANNERS
from hub.mapping.text import Lookup

INTRODUCTION = """\
# Mappings

`mappings/<folder>/<object>.v<version>.yaml` says how one vendor object becomes a canonical one; cases stand beside it
in `<object>.v<version>.cases.yaml` and run with `hub mapping test`. A rule is a pipe of functions
(`sku: ITMREF | trim | upper`) or an object with one head, then functions in the order in which they are written, their
options, and what happens where nothing is there:

```yaml
gtin: {from: EAN | trim | gtin, absent: [blank, null], optional: true}
event_time: {from: UPDDATTIM | trim, datetime: "%Y%m%d%H%M%S", zone: Europe/Paris}
```

A field of the record is named by its path (`location.id`); inside `each`, `^` leads out of the item (`^created_at`).
`lookup: binding.location` asks for our own key of what the system calls by that id.
"""
KEY_MEANS = {
    "mapping": "its name: folder and object, as in `sftp_files.stock_level`",
    "version": "its version, as in the file's name; a change of meaning is a new file",
    "from": "the vendor's object that it reads, in the connector's words",
    "to": "the canonical object and version that it makes, as in `stock_level/1`",
    "key": "the fields that make the business key, joined with `@`",
    "fields": "a rule for each canonical field",
    "each": "a list in the record, or the `{python: function}` that makes it: one canonical record for each item",
    "when": "conditions that a record or item must meet to become one at all",
    "event_time": "when it happened at the source; otherwise the connector's own time counts",
    "source_version": "what orders two records of one key from one system",
    "lookups": "tables by name, written here or in `{file: stores.yaml}` beside the mapping",
}
CONDITIONS = {
    "present": "there, not null and not blank",
    "absent": "not there, null or blank",
    "{equals: PAID}": "this very value",
    "{not_equals: PAID}": "any other value",
    "{in: [SALE, RETURN]}": "one of these",
    "{not_in: [SALE, RETURN]}": "none of these",
}
HEAD_MEANS = {
    "from": "a field of the record, functions may follow in a pipe",
    "const": "a value written here",
    "format": 'text with fields in braces: `"{order_id}:{id \\| text}"`',
    "first": "a list of rules, of which the first counts that finds something",
    "fields": "an object made of rules; with `each` a list of them, one for each item there that `when` lets through",
    "python": "a function of the Python file beside the mapping, which gets the whole record; "
    "with two parameters an item and what holds it",
}
MANNER_MEANS = {
    "optional": "`true`: the field is left out where its value is absent; otherwise the record is refused",
    "default": "this value stands where the value is absent",
    "absent": "what counts as absent beside a missing field: `blank`, `null`, or texts such as `N/A`",
    "else": "what becomes of a value that does not fit: `reject` (unless this is written), `absent` or `null`",
    "when": "conditions under which the rule counts at all; otherwise its value is absent",
}


def page() -> str:
    lines = [INTRODUCTION.strip(), "", "## What a mapping says", ""]
    lines += table(["key", "means"], [[code(n), described(n, KEY_MEANS.get(n))] for n in KEYS])
    lines += ["", "## Where a value comes from", ""]
    lines += table(["head", "means"], [[code(n), described(n, HEAD_MEANS.get(n))] for n in HEADS])
    lines += ["", "## Where nothing is there, or nothing that fits", ""]
    lines += table(["word", "means"], [[code(n), described(n, MANNER_MEANS.get(n))] for n in MANNERS])
    lines += [
        "",
        "## Conditions",
        "",
        "`when` holds a pipe and its condition, as in `when: {state: {equals: PAID}}`.",
        "",
    ]
    lines += table(["condition", "is met by a value that is"], [[code(n), text] for n, text in CONDITIONS.items()])
    lines += ["", "## Functions"]
    for name, function in sorted(FUNCTIONS.items()):
        lines += ["", *_function(name, function)]
    return "\n".join([*lines, ""]).replace("\\\\|", "\\|")


def _function(name: str, function: Function) -> list[str]:
    described(name, function.summary)
    examples = [[code(e.given), code(_call(function, e)), _answer(e.gives)] for e in function.examples]
    described(f"{name}'s example", "".join(cell for row in examples for cell in row))
    head = [f"### {name}", "", f"Takes {function.takes}, gives {function.gives}.{_arguments(function)}", ""]
    return [*head, function.summary.replace("``", "`"), "", *table(["given", "written", "gives"], examples)]


def _arguments(function: Function) -> str:
    said = [f"`{function.argument}` directly behind the name"] if function.argument else []
    said += [_option(parameter) for parameter in function.options.values()]
    return f" Arguments: {', '.join(said)}." if said else ""


def _option(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return f"`{parameter.name}`"
    return f"`{parameter.name}` (may be left out)"


def _call(function: Function, example: Example) -> str:
    """As it stands in a mapping."""
    arguments = {name: value.name if isinstance(value, Lookup) else value for name, value in example.arguments.items()}
    direct = arguments.pop(function.argument, None) if function.argument else None
    if not arguments:
        return f"{function.name} {written(direct)}" if direct is not None else function.name
    rest = "".join(f", {name}: {written(value)}" for name, value in arguments.items())
    return f"{function.name}: {'true' if direct is None else written(direct)}{rest}"


def _answer(gives: Any) -> str:
    if isinstance(gives, Unfit):
        return f"refused: {gives}" if str(gives) else "refused"
    return code(str(gives) if not isinstance(gives, str | int | float | list | dict | bool) else gives)
