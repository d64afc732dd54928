"""The gateway's answers while nothing else happens, and beside a flow that keeps and derives without a pause.

Requests leave at a fixed pace whatever becomes of those before them, and a request that had to wait for its turn
counts from the moment at which it should have left: so a stall shows in every request that it delayed.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.counter_world import SKUS, Asked, child, flow, retailer
from benchmarks.race import Comparison, Way

PER_SECOND = 60.0
SECONDS = 12.0
CALLERS = 6  # connections that are kept open, as tills keep theirs
WARM = 60


class Answered(NamedTuple):
    """A question and the seconds until its answer."""

    kind: str
    seconds: float


Question = tuple[str, str, str, bytes | None]  # kind, method, path, body


def questions(count: int, seed: int) -> list[Question]:
    """What a counter asks: mostly availability, some prices and orders, now and then a reservation."""
    chance = random.Random(seed)
    return [_question(chance.choices("apor", (60, 20, 10, 10))[0], chance) for _ in range(count)]


def _question(kind: str, chance: random.Random) -> Question:
    sku = chance.choice(SKUS)
    if kind == "a":
        return "availability", "GET", f"/v1/availability?sku={sku}&near=48.85,2.35", None
    if kind == "p":
        return "price", "GET", f"/v1/prices?sku={sku}", None
    if kind == "o":
        return "order", "GET", f"/v1/orders/SHOP-{chance.randrange(len(SKUS))}", None
    return "reservation", "POST", "/v1/reservations", json.dumps({"sku": sku, "minutes": 1}).encode()


class Caller:
    """One kept connection."""

    def __init__(self, asked: Asked) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", asked.port, timeout=30)
        self.headers = {"Authorization": f"Bearer {asked.key}", "Content-Type": "application/json"}

    def ask(self, question: Question) -> None:
        kind, method, path, body = question
        headers = {**self.headers, "Idempotency-Key": random.randbytes(8).hex()} if body else self.headers
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status not in (200, 201):
            raise AssertionError(f"{kind}: {answer.status} {said.decode()}")


def measure(asked: Asked, count: int, per_second: float, seed: int) -> list[Answered]:
    """``count`` questions at a pace, over all callers."""
    waiting = iter(list(enumerate(questions(count, seed))))
    lock, found, failed = threading.Lock(), list[Answered](), list[BaseException]()
    began = time.perf_counter() + 0.1

    def work() -> None:
        caller = Caller(asked)
        try:
            while True:
                with lock:
                    number, question = next(waiting)
                leaves = began + number / per_second
                time.sleep(max(0.0, leaves - time.perf_counter()))
                caller.ask(question)
                found.append(Answered(question[0], time.perf_counter() - leaves))
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised by whoever started the threads
            failed.append(error)
        finally:
            caller.connection.close()

    in_threads(work, CALLERS)
    if failed:
        raise failed[0]
    return found


def in_threads(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def percentile(seconds: Sequence[float], share: float) -> float:
    """Milliseconds within which ``share`` of the answers came."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ways(name: str, found: Sequence[Answered]) -> list[Way]:
    """A line for all questions and one for each kind."""
    kinds = ["all questions", *sorted({answered.kind for answered in found})]
    made = []
    for kind in kinds:
        took = [a.seconds for a in found if kind in ("all questions", a.kind)]
        note = ", ".join(f"p{share * 100:g} {percentile(took, share):.1f} ms" for share in (0.5, 0.99))
        made.append(Way(name=f"{name}: {kind}", records=len(took), seconds=len(found) / PER_SECOND, note=note))
    return made


def compare() -> Comparison:
    count = int(PER_SECOND * SECONDS)
    with retailer() as asked:
        measure(asked, WARM, PER_SECOND, seed=1)
        alone = measure(asked, count, PER_SECOND, seed=2)
        with child(flow, asked.dsn, asked.project):
            measure(asked, WARM, PER_SECOND, seed=3)
            beside = measure(asked, count, PER_SECOND, seed=4)
    return Comparison(
        title=f"The counter at {PER_SECOND:g} questions a second",
        ways=(*ways("beside a running flow", beside), *ways("alone", alone)),
    )
