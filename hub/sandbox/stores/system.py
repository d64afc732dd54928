"""The stores' back offices: what they write into the outgoing folder, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from hub.sandbox.baskets import Baskets
from hub.sandbox.clock import Clock
from hub.sandbox.faults.files import Desk
from hub.sandbox.floor import Floor, TicketNumber
from hub.sandbox.ledger import Ledger
from hub.sandbox.state import State
from hub.sandbox.stores import keys
from hub.sandbox.stores.stockfile import ENCODING, StockFile
from hub.sandbox.world import World

LOGIN = "omnihub"
OUT, ARCHIVE = "out/stock", "archive/stock"
UNKNOWN_STORE = "0099"  # sends a file that no system can place
UNKNOWN_STORE_LINES = 15
HALF_PIECE_STORE = "ST03"  # one line of its night file says 1,5 pieces
MORNING_STORES = ("ST02", "ST07", "ST12")  # have sent a partial file since
PARTIAL_LINES = 60


class Stores:
    """Writes stock files; ``keys`` and ``server`` let a client sign in and fetch them."""

    def __init__(self, state: State, world: World, ledger: Ledger, clock: Clock) -> None:
        self.state = state
        self.world = world
        self.ledger = ledger
        self.clock = clock
        self.floor = Floor(state, world)
        self.folder = state.home / "sftp"  # what a client sees as /
        self.out = self.folder / OUT
        self.archive = self.folder / ARCHIVE
        for folder in (self.out, self.archive):
            folder.mkdir(parents=True, exist_ok=True)
        self.desk = Desk(ledger, self.out, state.home / "late")

    @property
    def private_key_file(self) -> Path:
        """The client's key, the only way to sign in."""
        keys.private(self.state, keys.CLIENT)
        return self.state.secret_path(keys.CLIENT)

    @property
    def host_key(self) -> str:
        """What the server proves itself with, as a line of known_hosts has it: ``ssh-ed25519 AAAA...``."""
        return keys.public(self.state, keys.HOST)

    def populate(self, baskets: Baskets) -> None:
        """Last night's complete files, this morning's partial ones, and one from a store that nobody knows."""
        for left in self.out.iterdir():  # by a creation that was killed half way
            left.unlink()
        night = self.world.night
        for store in self.world.stores:
            levels: dict[str, int | str] = dict(self.floor.levels(store.code, night))
            if store.code == HALF_PIECE_STORE:
                levels[self.world.random("half").choice(self.world.skus).code] = "1,5"
            self.drop(store.code, as_of=night, levels=levels)
        morning = (night + (self.world.start - night) * 0.75).replace(microsecond=0)
        for code in MORNING_STORES:
            self.drop(code, as_of=morning, complete=False)
        strange = self.world.random(UNKNOWN_STORE).sample(self.world.skus, UNKNOWN_STORE_LINES)
        self.drop(UNKNOWN_STORE, as_of=night, levels={sku.code: 3 for sku in strange})

    def drop(
        self,
        store: str,
        *,
        as_of: datetime | None = None,
        complete: bool = True,
        levels: Mapping[str, int | str] | None = None,
        unavailable: Mapping[str, int] | None = None,
        tickets: Mapping[int, TicketNumber | tuple[str, int]] | None = None,
        marker: bool = True,
        raw: str | bytes | None = None,
        dirty: bool = True,
    ) -> str:
        """Write one file and, unless ``marker`` is off, its done-marker after it; answers its name.

        ``store`` is our code or that in files (``0099``). Levels and last tickets are the floor's at
        ``as_of`` (now) unless given; tickets as (business day, sequence) by till. A partial file
        holds the articles that moved since the night. ``raw`` is written instead of all that,
        under the name that the other arguments make.
        """
        as_of = as_of or self.clock.now()
        file = StockFile(
            store=self._file_code(store),
            as_of=as_of,
            complete=complete,
            tickets=self._tickets(store, as_of) if tickets is None else _numbers(tickets),
            levels=self._levels(store, as_of, complete) if levels is None else levels,
            unavailable=self._unavailable(store) if unavailable is None else unavailable,
            dirty=dirty,
        )
        if raw is None and marker:  # what a caller spoils himself is not spoilt again
            self.desk.write(file.store, file.name, file.content(self.world), self.put)
        else:
            self.put(file.name, file.content(self.world) if raw is None else raw, marker=marker)
        return file.name

    def put(self, name: str, content: str | bytes, *, marker: bool = True) -> Path:
        """Write any file into the outgoing folder, in place as the stores' software does."""
        path = self.out / Path(name).name
        path.write_bytes(content.encode(ENCODING) if isinstance(content, str) else content)
        if marker:
            self.mark(name)
        return path

    def mark(self, name: str) -> None:
        """Write the done-marker of ``name``."""
        (self.out / f"{Path(name).name}.ok").touch()

    def waiting(self) -> list[str]:
        """Names in the outgoing folder, without markers."""
        return sorted(path.name for path in self.out.iterdir() if path.suffix != ".ok")

    def archived(self) -> list[str]:
        """Names in the archive, without markers."""
        return sorted(path.name for path in self.archive.rglob("*") if path.is_file() and path.suffix != ".ok")

    # --- what a file says unless told otherwise ---------------------------------------------------

    def _file_code(self, store: str) -> str:
        return self.world.location(store).file if store.startswith("ST") else store

    def _known(self, store: str) -> str | None:
        """Our code of a store, None for one that is not ours."""
        return next((place.code for place in self.world.stores if store in (place.code, place.file)), None)

    def _tickets(self, store: str, as_of: datetime) -> Mapping[int, TicketNumber]:
        code = self._known(store)
        if code is None:
            return {1: TicketNumber(business_day=self.world.night_day, sequence=12)}
        return self.floor.tickets(code, as_of)

    def _levels(self, store: str, as_of: datetime, complete: bool) -> Mapping[str, int | str]:
        code = self._known(store)
        if code is None:
            raise KeyError(f"store {store} has no floor: give the levels")
        levels = self.floor.levels(code, as_of)
        if complete:
            return dict(levels)
        moved = [sku for sku, pieces in levels.items() if pieces != self.world.on_hand[sku, code]]
        others = self.world.random("partial", code).sample(self.world.skus, 5)
        chosen = [*moved[:PARTIAL_LINES], *(sku.code for sku in others if sku.code not in moved)]
        return {sku: levels[sku] for sku in chosen}

    def _unavailable(self, store: str) -> Mapping[str, int]:
        code = self._known(store)
        return {sku: pieces for (sku, place), pieces in self.world.unavailable.items() if place == code}


def _numbers(tickets: Mapping[int, TicketNumber | tuple[str, int]]) -> dict[int, TicketNumber]:
    return {
        till: t if isinstance(t, TicketNumber) else TicketNumber(business_day=t[0], sequence=t[1])
        for till, t in tickets.items()
    }
