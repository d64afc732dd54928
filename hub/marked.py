"""YAML that remembers where every value was written, so that a mistake is reported with its line.

Stricter than YAML 1.1 where that one damages data: ``0001`` and ``19.90`` stay text, ``NO`` is not
false, ``05:00`` is not 300, a key that stands twice is refused, and there are no anchors or tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hub.errors import ConfigError

Where = tuple[str | int, ...]
_WORDS: Mapping[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}
# What YAML 1.1 makes of a value that carries no tag; the value itself is read by the rules here.
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)
# The same language by libyaml, where PyYAML was built with it: ten times as fast, at every start of every process.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 50  # levels of a file; hub.yaml has 5
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")  # a leading zero says: a code, not a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML file as plain values, with the place of each."""

    value: Any
    places: Mapping[Where, str] = field(repr=False)  # path of a value -> "hub.yaml:14"

    def place(self, *path: str | int) -> str:
        """``hub.yaml:14 flows.stock``; where nothing stands at ``path``, the line of what should hold it."""
        at = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in self.places)
        words = dotted(path)
        return f"{self.places[at]} {words}" if words else self.places[at]


def dotted(path: Where) -> str:
    """``("lines", 2, "sku")`` as ``lines[2].sku``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def read(path: Path, label: str | None = None) -> Document:
    """The document in ``path``; ``label`` is what places call the file (its name unless given)."""
    label = label or path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", label) from None
    return parse(text, label)


def parse(text: str, label: str) -> Document:
    """As :func:`read`, of ``text``."""
    try:
        if (line := _too_deep(text)) is not None:
            raise ConfigError("is nested too deeply to be read", f"{label}:{line}")
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"is not YAML: {error.problem or error.context}", f"{label}:{line}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {error}", f"{label}:1") from None
    places: dict[Where, str] = {(): f"{label}:1"}
    value = _Reader(label, places).value(node, ()) if node is not None else None
    return Document(value=value, places=places)


def _too_deep(text: str) -> int | None:
    """The line at which ``text`` is nested deeper than anybody writes; composing it would need a stack as deep."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                return event.start_mark.line + 1 if event.start_mark else 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


class _Reader:
    """Turns nodes into values and notes their lines."""

    def __init__(self, label: str, places: dict[Where, str]) -> None:
        self.label = label
        self.places = places
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, path: Where) -> Any:
        place = f"{self.label}:{node.start_mark.line + 1}"
        if id(node) in self.seen:
            raise ConfigError("an anchor stands here; write the value out", place)
        self.seen.add(id(node))
        if node.tag not in _TAGS:
            raise ConfigError(f"the tag {node.tag} means nothing here", place)
        self.places.setdefault(path, place)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Where) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = f"{self.label}:{key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError("a key must be a word", place)
            key = str(key_node.value)
            if key in found:
                raise ConfigError(f'"{key}" stands here twice', f"{place} {dotted(path)}".strip())
            self.places[(*path, key)] = place
            found[key] = self.value(value_node, (*path, key))
        return found


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):  # quoted: text, whatever it looks like
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _INTEGER.fullmatch(text) else text
