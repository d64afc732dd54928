"""Reads hub.yaml and what an environment lays over it; every mistake is reported with its place, all at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.config.checks import Mistake, mistakes
from hub.config.landscape import Landscape, landscape
from hub.config.mistakes import mistake
from hub.config.settings import LandscapeFile
from hub.errors import ConfigError
from hub.marked import Document, Where, read


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Landscape:
    """The landscape in ``path``, with ``hub.<HUB_ENV>.yaml`` beside it laid over it where HUB_ENV is set."""
    document = _overlaid(read(path), path, environ.get("HUB_ENV"))
    if not isinstance(document.value, dict):
        raise ConfigError("is empty; it holds retailer, systems and flows", document.place())
    try:
        written = LandscapeFile.model_validate(document.value)
    except ValidationError as error:
        raise _refused(document, (mistake(e) for e in error.errors())) from None
    found = list(mistakes(written, path.parent))
    if found:
        raise _refused(document, found)
    return landscape(written, document)


def _refused(document: Document, found: Iterable[Mistake]) -> ConfigError:
    """One error for all of ``found``: the first leads, the others follow on lines of their own."""
    lines = [(document.place(*path), said) for path, said in found]
    (place, said), rest = lines[0], lines[1:]
    return ConfigError("\n".join([said, *(f"{place}: {said}" for place, said in rest)]), place)


def _overlaid(base: Document, path: Path, environment: str | None) -> Document:
    if not environment:
        return base
    name = f"{path.stem}.{environment}{path.suffix}"
    if not environment.replace("-", "_").isidentifier() or not path.with_name(name).is_file():
        raise ConfigError(f'HUB_ENV is "{environment}", and there is no {name} beside {path.name}')
    over = read(path.with_name(name))
    places = dict(base.places)
    value = _laid(base.value, over.value, over, places, ())
    return Document(value=value, places=places)


def _laid(under: Any, above: Any, over: Document, places: dict[Where, str], at: Where) -> Any:
    """``above`` over ``under``: keys are merged, anything else is replaced, and null takes a key away."""
    if isinstance(under, dict) and isinstance(above, dict):
        merged = dict(under)
        for name, value in above.items():
            if value is None:
                merged.pop(name, None)
            else:
                merged[name] = _laid(under.get(name), value, over, places, (*at, name))
        return merged
    for path in [path for path in places if path[: len(at)] == at]:
        del places[path]
    places.update({path: place for path, place in over.places.items() if path[: len(at)] == at})
    return above
