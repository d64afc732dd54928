"""A partner with a letterbox: a target of stock that keeps no key of a call and cannot be read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.loopback import Heard, Say, serving
from support.scene import Scene

PLACE = "ST20"


@dataclass
class Partner:
    """What lies in its letterbox, and how it answers."""

    letters: list[dict[str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # jobs, each time that somebody asks
    dead: int = 0  # letters that are carried out and never answered
    job: str | None = None  # accepted under this name ...
    ready: str = ""  # ... and answered not before
    knows: bool = False  # what became of the job
    refuses: set[str] = field(default_factory=set)  # keys

    @property
    def holds(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for letter in self.letters:
            found |= letter
        return found

    def play(self, heard: Heard) -> Say:
        if heard.method == "GET":
            self.asked.append(heard.path)
            done = {key: None if key in self.refuses else pieces for key, pieces in self.holds.items()}
            return Say(200, done if self.knows else {})
        self.letters.append(heard.json)
        if self.dead:
            self.dead -= 1
            return Say(hang_up=True)
        return Say(200, {"job": self.job, "ready": self.ready} if self.job else {})


@contextmanager
def partner_of(settled: Scene) -> Iterator[Partner]:
    """The partner as a target of the stock of one store, and what it was told of that store already."""
    import connectors

    vendors = str(Path(__file__).with_name("vendors"))
    partner = Partner()
    with serving(partner.play) as server:
        settled.connections["partner"] = {"conn_type": "http", "host": "127.0.0.1", "port": server.connection.port}
        entry = "  partner: {connector: letterbox, connection: partner}\n"
        settled.rewrite("  tills:\n    connector", entry + "  tills:\n    connector")
        settled.rewrite(
            '      tills: {grain: location, value: on_hand, locations: ["ST*"]}\n',
            '      tills: {grain: location, value: on_hand, locations: ["ST*"]}\n'
            f"      partner: {{grain: location, value: on_hand, locations: [{PLACE}]}}\n",
        )
        connectors.__path__.append(vendors)
        try:
            settled.synchronise()
            yield partner
        finally:
            connectors.__path__.remove(vendors)
