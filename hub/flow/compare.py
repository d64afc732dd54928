"""Two complete snapshots as raw lines: only what differs is mapped.

Measured on 2 cores for 1,000,000 lines of which 2% changed: comparing raw lines 0.55 s, mapping them all minutes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.model import Lines

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Positions to map in the new snapshot, and keys that the new snapshot lacks."""

    to_map: list[int]
    unchanged: int
    repeated: int  # earlier lines of a key that a later line of the same file replaces
    keys: frozenset[str]


def compare(new: Lines, previous: Lines | None, touched: Collection[str]) -> Difference:
    """What of ``new`` must be mapped: lines that ``previous`` did not have, and keys touched since.

    Of several lines with one key the last one counts; earlier ones are answered by ``repeated`` only
    where the key is mapped at all.
    """
    import polars as pl

    frame = pl.DataFrame({"key": list(new.keys()), "text": list(new.texts())}).with_row_index("n")
    keys = frozenset(frame["key"].to_list())
    if previous is None:
        wanted = pl.repeat(True, frame.height, eager=True)
    else:
        before = pl.DataFrame({"key": list(previous.keys()), "text": list(previous.texts()), "known": True})
        before, counts = before.unique("key", keep="last"), frame["n"].is_in(last_of_each(frame))
        same = frame.join(before, on=["key", "text"], how="left", maintain_order="left")["known"].is_not_null()
        wanted = counts & ~same | frame["key"].is_in(list(touched))
    # A key whose last line differs is mapped with all its lines, so that the earlier ones are reported.
    keys_wanted = frame.filter(wanted)["key"].unique()
    chosen = frame.filter(pl.col("key").is_in(keys_wanted.to_list()))
    return Difference(
        to_map=chosen["n"].to_list(),
        unchanged=frame.height - chosen.height,
        repeated=chosen.height - chosen["key"].n_unique(),
        keys=keys,
    )


def last_of_each(frame: pl.DataFrame) -> pl.Series:
    """The position of the line that counts, of each key."""
    return frame.unique("key", keep="last")["n"]
