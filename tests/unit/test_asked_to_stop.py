"""Signals come in bursts: from a person's second Ctrl-C, from make, from a supervisor that also kills the group."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

WAITING = """
import sys
from hub.local.ground import _signals
with _signals(polls=True) as stop:
    print("ready", flush=True)
    while not stop.is_set():
        stop.wait(0.2)
    for _ in range(20):
        stop.wait(0.01)  # on the way out more of them arrive
"""


def test_a_burst_of_signals_is_one_wish_to_stop() -> None:
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) * 30:
            process.send_signal(number)
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode in (0, -signal.SIGHUP, -signal.SIGTERM, -signal.SIGINT, 1)


def test_waiting_ends_when_asked_and_not_before() -> None:
    from hub.local.asked import Asked

    asked, began = Asked(), time.monotonic()
    assert asked.wait(0.1) is False
    assert time.monotonic() - began >= 0.1
    asked.set()
    assert asked.wait(60) is True
    assert time.monotonic() - began < 30
