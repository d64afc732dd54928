"""Finding our keys among what a target holds already: by SKU, GTIN or name, as people typed them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from hub.model import Reference, Remote

log = logging.getLogger(__name__)


def folded(text: str) -> str:
    """Trimmed, single spaces, without case."""
    return " ".join(text.split()).casefold()


def gtin14(text: str) -> str:
    """EAN-8, UPC-A, EAN-13 and GTIN-14 as 14 digits; empty for anything else."""
    digits = text.strip()
    fits = digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14) and int(digits) > 0
    return digits.zfill(14) if fits else ""


NORMAL: Mapping[str, Callable[[str], str]] = {"sku": folded, "gtin": gtin14, "name": folded}


def match(references: Sequence[Reference], held: Iterable[Remote], *, system: str) -> dict[Reference, Remote]:
    """The held object behind each reference, by the first of its identifiers that finds exactly one.

    ``held`` carries the identifiers in its value; a reference names its own in order of preference.
    An object that one reference found is no longer there for a weaker identifier of another. Where
    several objects share an identifier none is taken: a wrong binding writes one article's stock to
    another.
    """
    found: dict[Reference, Remote] = {}
    left = list(held)
    for name in _in_order(references):
        index = _index(left, name)
        for reference in references:
            if reference in found or not (wanted := NORMAL[name](reference.by.get(name) or "")):
                continue
            candidates = index.get(wanted, [])
            if len(candidates) == 1:
                found[reference] = replace(candidates[0], matched=name)
            elif candidates:
                log.warning("%s holds %d objects with %s %s; none is bound", system, len(candidates), name, wanted)
        taken = {remote.binding.external_id for remote in found.values() if remote.binding}
        left = [remote for remote in left if not remote.binding or remote.binding.external_id not in taken]
    return found


def _in_order(references: Sequence[Reference]) -> list[str]:
    """The identifiers to try; the reference that has most of them shows the order."""
    most = max(references, key=lambda reference: len(reference.by), default=None)
    names = dict.fromkeys([*(most.by if most else ()), *(name for one in references for name in one.by)])
    return [name for name in names if name in NORMAL]


def _index(held: Iterable[Remote], name: str) -> dict[str, list[Remote]]:
    index: dict[str, list[Remote]] = defaultdict(list)
    for remote in held:
        if key := NORMAL[name](str(remote.value.get(name) or "")):
            index[key].append(remote)
    return index
