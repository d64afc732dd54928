"""One line of a stock file becomes canonical: the compiled mapping against a function written by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.race import Comparison, race
from benchmarks.stock_files import COLUMNS, stock_lines
from hub.mapping import load
from hub.marked import read
from hub.model import Origin, Record, Refused

RECORDS = 50_000
FOLDER = Path(__file__).resolve().parents[1] / "mappings" / "sftp_files"
WHOLE = re.compile(r"([+-]?)([0-9]{1,18})(?:[.,]0+)?")


def records(count: int = RECORDS) -> list[Record]:
    """Raw records as the connector hands them out."""
    names = COLUMNS.split(";")
    rows = (dict(zip(names, text.split(";"), strict=True)) for text in stock_lines(count))
    return [
        Record(object="stock_file", key=str(n), data=row, origin=Origin(source="STOCK_0001.csv", line=n))
        for n, row in enumerate(rows, 3)
    ]


def by_hand() -> Callable[[Record], Record | Refused]:
    """What an engineer in a hurry would write for this one file, with the same checks and the same answers."""
    stores: dict[str, str] = read(FOLDER / "stores.yaml", "stores.yaml").value

    def make(record: Record) -> Record | Refused:
        row, path = record.data, ""
        try:
            path = "ARTICLE"
            data: dict[str, Any] = {"sku": row["ARTICLE"].strip().upper()}
            path = "EAN"
            if row["EAN"].strip():
                data["gtin"] = gtin(row["EAN"].strip())
            path = "MAGASIN"
            data["location"] = stores[row["MAGASIN"].strip().rjust(4, "0")]
            path = "QTE"
            data["on_hand"] = whole(row["QTE"])
            path = "INDISPO"
            if row["INDISPO"].strip():
                data["unavailable"] = whole(row["INDISPO"])
        except (KeyError, ValueError, AttributeError) as error:
            return Refused(object=record.object, key=None, data=row, path=path, reason=str(error), origin=record.origin)
        data["unit"] = "C62"
        return Record(
            object="stock_level",
            key=f"{data['sku']}@{data['location']}",
            data=data,
            event_time=record.event_time,
            source_version=record.source_version,
            origin=record.origin,
        )

    return make


def whole(text: str) -> int:
    found = WHOLE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text} is not a whole number")
    return -int(found[2]) if found[1] == "-" else int(found[2])


def gtin(code: str) -> str:
    if not (code.isascii() and code.isdigit()) or len(code) not in (8, 12, 13, 14):
        raise ValueError(f"{code} is not a GTIN")
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(code[:-1])))
    if -weighed % 10 != int(code[-1]):
        raise ValueError(f"{code} has a wrong check digit")
    return code.rjust(14, "0")


def compare() -> Comparison:
    mapping, hand, rows = load(FOLDER / "stock_level.v1.yaml"), by_hand(), records()
    if [mapping.map(row) for row in rows] != [[hand(row)] for row in rows]:
        raise AssertionError("the two ways do not make the same records")
    ways = {
        "compiled mapping": (RECORDS, lambda: [mapping.map(row) for row in rows]),
        "function written by hand": (RECORDS, lambda: [hand(row) for row in rows]),
    }
    return race(f"Mapping {RECORDS:,} lines of a stock file", ways)
