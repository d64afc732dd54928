"""Writes one Python function for each object of a mapping: straight lines, no interpretation per record.

A generated function takes ``raw`` (the record or item), ``up`` (its ancestors, outermost first) and
``find`` (our key of a system's id), and works on one value ``v`` at a time; ``at`` says which rule
is being worked on, so that a refusal can name the field. ``Program.source`` shows the result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.mapping import run
from hub.mapping.arguments import Call
from hub.mapping.guarded import guarded, takes_parent, with_parent
from hub.mapping.paths import ABSENT, Route
from hub.mapping.rules import Condition, Const, First, Format, Group, Manners, Rule, Value, Whole

Find = Callable[[str, str], str | None]
Made = tuple[dict[str, Any], datetime | None, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The functions of one mapping, each called with ``(raw, up, find)``."""

    make: Callable[[Any, tuple[Any, ...], Find], Made]  # data, event time, source version
    key: Callable[[Any, tuple[Any, ...], Find], dict[str, Any]]  # the fields of the key alone
    wanted: Callable[[Any, tuple[Any, ...], Find], bool]  # the record as a whole
    item_wanted: Callable[[Any, tuple[Any, ...], Find], bool]
    source: str


def compile_rules(
    fields: Mapping[str, Rule],
    key: Sequence[str],
    event_time: Value | None,
    source_version: Value | None,
    when: Sequence[Condition],
    item_when: Sequence[Condition],
) -> Program:
    """The program of a mapping's rules."""
    writer = _Writer()
    make = writer.record(fields, event_time, source_version)
    key_of = writer.group(Group(fields={name: fields[name] for name in key}))
    wanted, item_wanted = writer.test(when), writer.test(item_when)
    source = "\n\n".join(writer.functions)
    names = dict(writer.names)
    exec(compile(source, "<mapping>", "exec"), names)  # noqa: S102  (made of our own words and quoted literals only)
    return Program(
        make=names[make], key=names[key_of], wanted=names[wanted], item_wanted=names[item_wanted], source=source
    )


class _Writer:
    """Collects generated functions, and the objects that they name."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.names: dict[str, Any] = dict(run.NAMES)
        self.numbers = itertools.count(1)

    def name(self, word: str, thing: Any = None) -> str:
        """A fresh name for ``thing``."""
        name = f"{word}_{next(self.numbers)}"
        if thing is not None:
            self.names[name] = thing
        return name

    def define(self, word: str, body: Sequence[str], places: Sequence[tuple[int, str]]) -> str:
        """A function around ``body`` whose refusals carry the place of the rule at work."""
        name = self.name(word)
        table = self.name("places", tuple(places) or ((0, ""),))
        lines = [f"def {name}(raw, up, find):", "    at = 0", "    try:"]
        lines += [f"        {line}" for line in body]
        lines += ["    except Unfit as reason:", f"        raise misfit({table}[at], reason) from None"]
        self.functions.append("\n".join(lines))
        return name

    # --- objects ------------------------------------------------------------------------------

    def record(self, fields: Mapping[str, Rule], event_time: Value | None, source_version: Value | None) -> str:
        """The function for the whole: data, event time and source version at once."""
        places: list[tuple[int, str]] = []
        body = ["out = {}", "time = version = None", *self.stores(fields, places)]
        for variable, rule in (("time", event_time), ("version", source_version)):
            if rule is not None:
                body += self.block(rule, f"the {variable} of the record", places, finish=f"as_{variable}")
                body += self.leave(rule, f"{variable} = v")
        return self.define("record", [*body, "return out, time, version"], places)

    def group(self, group: Group) -> str:
        """The function for one nested object (or item): a dict, or absent where ``when`` does not hold."""
        places: list[tuple[int, str]] = []
        body = []
        if group.when:
            body += [f"if not {self.test(group.when)}(raw, up, find):", "    return ABSENT"]
        body += ["out = {}", *self.stores(group.fields, places), "return out"]
        return self.define("object", body, places)

    def stores(self, fields: Mapping[str, Rule], places: list[tuple[int, str]]) -> list[str]:
        lines: list[str] = []
        for field, rule in fields.items():
            if isinstance(rule, Group):
                lines += self.nested(rule, field, places)
            else:
                lines += self.block(rule, field, places, finish="finished")
                lines += self.leave(rule, f"out[{field!r}] = v")
        return lines

    def leave(self, rule: Value, store: str) -> list[str]:
        """``store`` unless an optional value is absent."""
        if (rule.manners.optional or rule.manners.otherwise == "absent") and rule.manners.default is ABSENT:
            return ["if v is not ABSENT:", f"    {store}"]
        return [store]

    def nested(self, rule: Group, field: str, places: list[tuple[int, str]]) -> list[str]:
        if rule.each is None:
            return [f"v = {self.group(rule)}(raw, up, find)", "if v is not ABSENT:", f"    out[{field!r}] = v"]
        places.append((rule.each.up, str(rule.each)))
        lines = [f"at = {len(places) - 1}", f"v = {self.fetch(rule.each)}"]
        if not rule.optional:
            lines += ["if v is ABSENT:", f"    raise Unfit({_missing(rule.each, Manners(), field)!r})"]
        item = self.group(Group(fields=rule.fields, when=rule.when))
        gather = f"out[{field!r}] = gather(v, {str(rule.each)!r}, {item}, (*up, raw), find)"
        return [*lines, "if v is not ABSENT and v is not None:", f"    {gather}"] if rule.optional else [*lines, gather]

    # --- conditions ---------------------------------------------------------------------------

    def test(self, conditions: Sequence[Condition]) -> str:
        """The function that says whether all ``conditions`` hold."""
        checks = []
        for condition in conditions:
            check = self.name(condition.test, run.TESTS[condition.test](condition.among))
            checks.append(f"{check}({self.value(condition.value, required=False)}(raw, up, find))")
        return self.define("when", [f"return {' and '.join(checks) or 'True'}"], [])

    # --- values -------------------------------------------------------------------------------

    def value(self, rule: Value, *, required: bool) -> str:
        """The function for one value that stands inside another; absent unless ``required``."""
        places: list[tuple[int, str]] = []
        lines = self.block(rule, "" if required else None, places, finish="finished")
        return self.define("value", [*lines, "return v"], places)

    def block(self, rule: Value, field: str | None, places: list[tuple[int, str]], finish: str) -> list[str]:
        """Lines that leave the value in ``v``; ``field`` is what needs it, None where absent is fine."""
        head, manners = rule.head, rule.manners
        places.append((head.up, str(head)) if isinstance(head, Route) else (0, ""))
        lines = [f"at = {len(places) - 1}"]
        work = [*self.begin(head), *self.clear(manners), *self.pipe(rule, finish)]
        if rule.when:
            holds = f"if {self.test(rule.when)}(raw, up, find):"
            work = [holds, *(f"    {line}" for line in work), "else:", "    v = ABSENT"]
        if manners.otherwise != "reject":
            answer = "ABSENT" if manners.otherwise == "absent" else "None"
            work = ["try:", *(f"    {line}" for line in work), "except (Unfit, Misfit):", f"    v = {answer}"]
        lines += work
        if manners.default is not ABSENT:
            lines += ["if v is ABSENT:", f"    v = {manners.default!r}"]
        elif _may_lack(rule) and field is not None and not manners.optional and manners.otherwise != "absent":
            lines += ["if v is ABSENT:", f"    raise Unfit({_missing(head, manners, field)!r})"]
        return lines

    def begin(self, head: Route | Const | Format | First | Whole) -> list[str]:
        """The lines that fetch the value."""
        if isinstance(head, Route):
            return [f"v = {self.fetch(head)}"]
        if isinstance(head, Const):
            return [f"v = {head.value!r}"]
        if isinstance(head, Whole):
            if takes_parent(head.function):
                return [
                    f"v = {self.name('python', guarded(with_parent(head.function)))}((raw, up[-1] if up else None))"
                ]
            return [f"v = {self.name('python', guarded(head.function))}(raw)"]
        if isinstance(head, Format):
            parts = [
                repr(p) if isinstance(p, str) else f"spelled({self.value(p, required=True)}(raw, up, find))"
                for p in head.parts
            ]
            return [f"v = {' + '.join(parts) or repr('')}"]
        lines = ["v = ABSENT"]
        for choice in head.choices:
            lines += ["if v is ABSENT or v is None:", f"    v = {self.value(choice, required=False)}(raw, up, find)"]
        return lines

    def fetch(self, path: Route) -> str:
        start = "raw" if path.up == 0 else f"up[-{path.up}]"
        if len(path.parts) == 1 and isinstance(path.parts[0], str):
            return f"{start}.get({path.parts[0]!r}, ABSENT)"
        return f"walk({start}, {path.parts!r})"

    def clear(self, manners: Manners) -> list[str]:
        """What counts as absent becomes absent."""
        tests = ["v is None"] if manners.null else []
        if manners.blank or manners.words:
            words = manners.words | ({""} if manners.blank else set())
            tests.append(f"v.__class__ is str and v.strip() in {self.name('words', words)}")
        return [f"if {' or '.join(tests)}:", "    v = ABSENT"] if tests else []

    def pipe(self, rule: Value, finish: str) -> list[str]:
        """The functions, innermost first; null and absent pass by."""
        made = "v"
        for call in rule.calls:
            made = self.step(call, made)
        made = _finished(rule, finish, made)
        return [] if made == "v" else ["if v is not ABSENT and v is not None:", f"    v = {made}"]

    def step(self, call: Call, inner: str) -> str:
        if call.binding is not None:
            return f"bound({inner}, find, {call.binding!r})"
        return f"{self.name(call.name, call.step)}({inner})"


def _finished(rule: Value, finish: str, made: str) -> str:
    """``made`` as it leaves: canonical data hold moments as text, the record itself holds them as such."""
    own = isinstance(rule.head, Whole) or any(call.name == "python" for call in rule.calls[-1:])
    if finish == "finished":
        return f"moment_text({made})" if rule.gives == "time" else f"finished({made})" if own else made
    return f"{finish}({made})"


def _may_lack(rule: Value) -> bool:
    """Whether the head can come out absent: a constant and a format cannot, unless something counts as absent."""
    manners = rule.manners
    counts = manners.blank or manners.null or bool(manners.words) or bool(rule.when)
    return counts or not isinstance(rule.head, Const | Format)


def _missing(head: object, manners: Manners, field: str) -> str:
    name = f'"{head}"' if isinstance(head, Route) and head.parts else "the value"
    needs = f", which {field} needs" if field else ""
    if manners.null or manners.blank or manners.words:
        return f"{name} is missing or empty{needs}" if name != "the value" else f"nothing is there{needs}"
    return f"there is no field {name}{needs}" if name != "the value" else f"nothing is there{needs}"
