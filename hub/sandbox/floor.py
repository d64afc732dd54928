"""The shop floor: what really lies in each store and which tickets its back office has seen.

A till sells from it, a store file is a photograph of it: levels and last tickets of the same moment,
so that a ticket up to the header's last one is in the numbers and a later one is not. A ticket
counts from the moment the back office learns of it (``known_at``), which for a till without network
is later than the sale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hub.sandbox.baskets import Line
from hub.sandbox.state import State
from hub.sandbox.world import World

TABLES = (
    """CREATE TABLE IF NOT EXISTS floor_change (
        store TEXT NOT NULL, sku TEXT NOT NULL, pieces INTEGER NOT NULL, known_at TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS floor_change_by_store ON floor_change (store, known_at)",
    """CREATE TABLE IF NOT EXISTS floor_ticket (
        store TEXT NOT NULL, till INTEGER NOT NULL, business_day TEXT NOT NULL, sequence INTEGER NOT NULL,
        known_at TEXT NOT NULL, PRIMARY KEY (store, till, business_day, sequence)) WITHOUT ROWID""",
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class TicketNumber:
    """How a till counts its tickets: the sequence starts again every business day."""

    business_day: str  # 2026-11-21
    sequence: int


class Floor:
    """Stateless over :class:`State`: any number of instances show the same floor."""

    def __init__(self, state: State, world: World) -> None:
        self.state = state
        self.world = world
        state.declare(*TABLES)

    def next_ticket(self, store: str, till: int, day: str) -> TicketNumber:
        """The number that the till prints next on business day ``day``; call it in the sale's transaction."""
        row = self.state.row(
            "SELECT max(sequence) AS last FROM floor_ticket WHERE store = ? AND till = ? AND business_day = ?",
            (store, till, day),
        )
        night = self.world.night_sequence[store, till] if day == self.world.night_day else 0
        return TicketNumber(business_day=day, sequence=max(night, (row and row["last"]) or 0) + 1)

    def sell(self, store: str, till: int, ticket: TicketNumber, lines: Iterable[Line], known_at: datetime) -> None:
        """Book a ticket: its pieces leave the floor as the back office sees it at ``known_at``."""
        with self.state.transaction() as connection:
            connection.execute(
                "INSERT INTO floor_ticket VALUES (?, ?, ?, ?, ?)",
                (store, till, ticket.business_day, ticket.sequence, _utc(known_at)),
            )
            self.change(store, {line.sku: -line.quantity for line in lines}, known_at)

    def change(self, store: str, pieces: Mapping[str, int], at: datetime) -> None:
        """Signed pieces that no ticket explains as well: goods received, theft, a count."""
        rows = [(store, sku, n, _utc(at)) for sku, n in pieces.items()]
        self.state.insert("INSERT INTO floor_change VALUES (?, ?, ?, ?)", rows)

    def levels(self, store: str, at: datetime) -> dict[str, int]:
        """Pieces on hand of every SKU as the back office knew them at ``at``."""
        rows = self.state.rows(
            "SELECT sku, sum(pieces) AS pieces FROM floor_change"
            " WHERE store = ? AND known_at > ? AND known_at <= ? GROUP BY sku",
            (store, _utc(self.world.night), _utc(at)),  # what was known at night is in the world's numbers
        )
        changed = {row["sku"]: row["pieces"] for row in rows}
        return {sku.code: self.world.on_hand[sku.code, store] + changed.get(sku.code, 0) for sku in self.world.skus}

    def tickets(self, store: str, at: datetime) -> dict[int, TicketNumber]:
        """The last ticket of each till that the back office knew at ``at``."""
        last = {
            till: TicketNumber(business_day=self.world.night_day, sequence=self.world.night_sequence[store, till])
            for till in self.world.location(store).tills
        }
        rows = self.state.rows(
            "SELECT till, business_day, sequence FROM floor_ticket WHERE store = ? AND known_at <= ?"
            " ORDER BY business_day, sequence",
            (store, _utc(at)),
        )
        for row in rows:
            ticket = TicketNumber(business_day=row["business_day"], sequence=row["sequence"])
            last[row["till"]] = max(last[row["till"]], ticket)
        return last


def _utc(moment: datetime) -> str:
    """Fixed width, so that text compares as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
