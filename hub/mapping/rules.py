"""What a mapping file says, read into a small tree; every mistake is reported with its line.

A rule is a pipe (``ITMREF | trim | upper``) or an object: one head that says where the value comes
from (``from``, ``const``, ``format``, ``first``, ``python``, ``fields``), then functions in the order
in which they are written, their options, and what happens when nothing is there (``optional``,
``default``, ``absent``, ``else``), or under which conditions it counts at all (``when``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

from hub.errors import ConfigError
from hub.mapping.arguments import Call, Toolbox, close
from hub.mapping.paths import ABSENT, Route, route
from hub.mapping.registry import FUNCTIONS, Kind, fits
from hub.marked import Document

Where = tuple[str | int, ...]
HEADS = ("from", "const", "format", "first", "fields", "python")
MANNERS = ("optional", "default", "absent", "else", "when")
_BRACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What to do where there is nothing, or nothing that fits."""

    optional: bool = False
    default: Any = ABSENT
    blank: bool = False  # a text of white space counts as absent
    null: bool = False  # null counts as absent
    words: frozenset[str] = frozenset()  # these texts count as absent
    otherwise: Literal["reject", "absent", "null"] = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value: a head and what is done to it. Where ``when`` does not hold it is absent."""

    head: Route | Const | Format | First | Whole
    when: tuple[Condition, ...] = ()
    calls: tuple[Call, ...] = ()
    manners: Manners = Manners()

    @property
    def gives(self) -> Kind:
        """The kind of value at the end of the pipe."""
        return self.calls[-1].gives if self.calls else "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Const:
    """A value written in the mapping."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Text with values in braces."""

    parts: tuple[str | Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first choice that is there and not null."""

    choices: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A Python function of the whole record; inside ``each`` of the item and, with two parameters, of what holds it."""

    function: Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A Python function of the whole record that answers the list which ``each`` goes through."""

    function: Callable[[Any], Any]

    def __str__(self) -> str:
        return self.function.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One line of ``when``."""

    value: Value
    test: Literal["present", "absent", "in", "not_in"]
    among: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An object made of rules; with ``each``, a list of them, one for each item there.

    Where ``when`` does not hold the object, or the item, is left out.
    """

    fields: Mapping[str, Value | Group]
    each: Route | None = None
    when: tuple[Condition, ...] = ()
    optional: bool = False  # the list of ``each`` may be missing


Rule = Value | Group


class Reader:
    """Reads rules out of a document; ``toolbox`` knows the lookups and Python functions beside it."""

    def __init__(self, document: Document, toolbox: Toolbox) -> None:
        self.document = document
        self.toolbox = toolbox

    def error(self, message: str, at: Where) -> ConfigError:
        return ConfigError(message, self.document.place(*at))

    # --- objects ------------------------------------------------------------------------------

    def fields(self, written: Any, at: Where, depth: int) -> dict[str, Rule]:
        if not isinstance(written, dict) or not written:
            raise self.error("fields holds a rule for each field", at)
        return {name: self.rule(rule, (*at, name), depth) for name, rule in written.items()}

    def rule(self, written: Any, at: Where, depth: int) -> Rule:
        if isinstance(written, dict) and "fields" in written:
            return self.group(written, at, depth)
        return self.value(written, at, depth)

    def group(self, written: dict[str, Any], at: Where, depth: int) -> Group:
        self.known(written, ("fields", "each", "when"), at)
        each, optional = self.each(written.get("each"), (*at, "each"), depth)
        if isinstance(each, Listed):
            raise self.error("a function makes the list of records; a list inside one is named", (*at, "each"))
        inside = depth + (each is not None)
        return Group(
            fields=self.fields(written["fields"], (*at, "fields"), inside),
            each=each,
            when=self.conditions(written.get("when"), (*at, "when"), inside),
            optional=optional,
        )

    def each(self, written: Any, at: Where, depth: int) -> tuple[Route | Listed | None, bool]:
        """The list that is gone through, and whether it may be missing."""
        if written is None:
            return None, False
        named = written if isinstance(written, dict) else {"from": written}
        if set(named) == {"python"}:
            return Listed(function=self.toolbox.function(named["python"], self.document.place(*at))), False
        self.known(named, ("from", "optional"), at)
        if not isinstance(named.get("from"), str) or named["from"].startswith("^"):
            raise self.error("each names a list of the record, as in each: line_items", at)
        optional = self.truth(named.get("optional", False), (*at, "optional"))
        return self.route(named["from"], at, depth), optional

    def conditions(self, written: Any, at: Where, depth: int) -> tuple[Condition, ...]:
        if written is None:
            return ()
        if not isinstance(written, dict):
            raise self.error("when holds a condition for each field, as in when: {state: {equals: PAID}}", at)
        return tuple(self.condition(name, test, (*at, name), depth) for name, test in written.items())

    def condition(self, name: str, test: Any, at: Where, depth: int) -> Condition:
        value = self.pipe(name, at, depth, Manners(), {})
        if test in ("present", "absent"):
            return Condition(value=value, test=test)
        if isinstance(test, dict) and len(test) == 1:
            word, operand = next(iter(test.items()))
            if word in ("in", "not_in") and isinstance(operand, list):
                return Condition(value=value, test=word, among=tuple(operand))
            if word in ("equals", "not_equals"):
                return Condition(value=value, test="in" if word == "equals" else "not_in", among=(operand,))
        raise self.error("a condition is present, absent, {equals: …}, {not_equals: …}, {in: […]} or {not_in: […]}", at)

    # --- values -------------------------------------------------------------------------------

    def value(self, written: Any, at: Where, depth: int) -> Value:
        if isinstance(written, str):
            return self.pipe(written, at, depth, Manners(), {})
        if not isinstance(written, dict):
            raise self.error("a rule is the name of a field, or an object with from, const, format or first", at)
        head = next((name for name in HEADS if name in written), None)
        if head is None:
            raise self.error(f"a rule needs one of {', '.join(HEADS)}", at)
        words = {name: argument for name, argument in written.items() if name != head}
        manners = self.manners(words, at)
        when = self.conditions(words.get("when"), (*at, "when"), depth)
        rest = {name: argument for name, argument in words.items() if name not in MANNERS}
        if head == "from":
            return replace(self.pipe(written[head], (*at, head), depth, manners, rest), when=when)
        made = self.head(head, written[head], (*at, head), depth)
        return Value(head=made, when=when, calls=self.calls([], at, rest, at), manners=manners)

    def head(self, head: str, written: Any, at: Where, depth: int) -> Const | Format | First | Whole:
        if head == "const":
            return Const(value=self.plain(written, at))
        if head == "python":
            return Whole(function=self.toolbox.function(written, self.document.place(*at)))
        if head == "first":
            if not isinstance(written, list) or not written:
                raise self.error("first holds a list of rules", at)
            return First(choices=tuple(self.value(rule, (*at, n), depth) for n, rule in enumerate(written)))
        return Format(parts=tuple(self.format(written, at, depth)))

    def format(self, written: Any, at: Where, depth: int) -> list[str | Value]:
        if not isinstance(written, str):
            raise self.error('format is text with fields in braces, as in "{id}:{line}"', at)
        parts: list[str | Value] = []
        end = 0
        for found in _BRACE.finditer(written):
            if found[0] in ("{", "}"):
                raise self.error(f"a brace stands alone in {written}; write it twice to mean itself", at)
            parts.append(written[end : found.start()])
            end = found.end()
            parts.append(found[0][0] if found[1] is None else self.pipe(found[1], at, depth, Manners(), {}))
        return [part for part in (*parts, written[end:]) if part != ""]

    def pipe(self, written: Any, at: Where, depth: int, manners: Manners, rest: dict[str, Any]) -> Value:
        if not isinstance(written, str):
            raise self.error("the name of a field is text", at)
        path, *names = written.split("|")
        beside = at[:-1] if rest else at
        return Value(head=self.route(path, at, depth), calls=self.calls(names, at, rest, beside), manners=manners)

    def calls(self, names: list[str], at: Where, rest: dict[str, Any], beside: Where) -> tuple[Call, ...]:
        """The functions of the pipe at ``at``, then those that stand as keys ``beside`` it, with their options."""
        pipe = self.document.place(*at)
        written = [(*self.toolbox.split(name, pipe), pipe) for name in names]
        written += [(n, rest[n], self.document.place(*beside, n)) for n in rest if self.toolbox.knows(n)]
        options = {name: argument for name, argument in rest.items() if not self.toolbox.knows(name)}
        taken = {option for name, *_ in written if name in FUNCTIONS for option in FUNCTIONS[name].options}
        for name in options:
            if name not in taken:
                close_to = close(name, [*FUNCTIONS, *MANNERS, *taken])
                raise self.error(f'there is no function or option "{name}"{close_to}', (*beside, name))
        calls = tuple(self.toolbox.call(name, argument, options, place) for name, argument, place in written)
        for before, after in pairwise(calls):
            if not fits(before.gives, after.takes):
                raise self.error(f"{after.name} works on {after.takes}, and {before.name} gives {before.gives}", at)
        return calls

    def manners(self, words: dict[str, Any], at: Where) -> Manners:
        otherwise = words.get("else", "reject")
        if otherwise is None:
            otherwise = "null"
        if otherwise not in ("reject", "absent", "null"):
            raise self.error("else is reject, absent or null", (*at, "else"))
        written = words.get("absent", [])
        counts = written if isinstance(written, list) else [written]
        if not all(item is None or isinstance(item, str) for item in counts):
            raise self.error("absent lists blank, null, or texts that stand for nothing", (*at, "absent"))
        default = self.plain(words["default"], (*at, "default")) if "default" in words else ABSENT
        return Manners(
            optional=self.truth(words.get("optional", False), (*at, "optional")),
            default=default,
            blank="blank" in counts,
            null=None in counts or "null" in counts,
            words=frozenset(item for item in counts if item not in (None, "blank", "null")),
            otherwise=otherwise,
        )

    # --- small things -------------------------------------------------------------------------

    def route(self, written: str, at: Where, depth: int) -> Route:
        try:
            found = route(written)
        except ValueError as error:
            raise self.error(str(error), at) from None
        if found.up > depth:
            raise self.error(f"{written.strip()} looks above the record; ^ is the parent of an item of each", at)
        return found

    def plain(self, written: Any, at: Where) -> Any:
        if isinstance(written, dict | list):
            raise self.error("a text, a whole number, true, false or null belongs here", at)
        return written

    def truth(self, written: Any, at: Where) -> bool:
        if isinstance(written, bool):
            return written
        raise self.error("true or false belongs here", at)

    def known(self, written: Mapping[str, Any], names: tuple[str, ...], at: Where) -> None:
        for name in written:
            if name not in names:
                raise self.error(f'"{name}" means nothing here{close(name, names)}', (*at, name))
