"""What people write: hub.yaml, mappings, connections; a mistake is a sentence with its place."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from support.fuzz.records import ROOT
from support.fuzz.target import Target
from support.fuzz.values import CANARY, CUTS, EDITS, TEXTS, as_json, cut, mutated

from hub.config import load, resolve
from hub.config.values import cron, duration, pattern, share
from hub.mapping import load as load_mapping
from hub.transport.options import _duration, _size

PIECES = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(("drop", "twice", "deeper", "put")), st.sampled_from(TEXTS)),
    max_size=4,
)
DEEP = (
    "[" * 3000, "{a: " * 3000, "- " * 3000, "&a [*a]", "!!python/object:os.system x", "*b", "<<: {a: 1}", "? [a]",
    "%YAML 9.9\n---", "\t",
)  # fmt: skip


@cache
def project() -> Path:
    """A copy of what the project's own files need beside them; gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="omnihub-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(ROOT / "canonical_schemas", folder / "canonical_schemas")
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    return folder


def rewritten(text: str, pieces: Any) -> str:
    """``text`` with lines dropped, repeated, indented, or something else in their place."""
    for number, what, word in pieces:
        lines = text.split("\n")
        at = number % len(lines)
        match what:
            case "drop":
                del lines[at]
            case "twice":
                lines.insert(at, lines[at])
            case "deeper":
                lines[at] = "  " + lines[at]
            case _:
                piece = (*DEEP, word)[number % (len(DEEP) + 1)]
                lines[at] = lines[at].partition(":")[0] + ": " + piece if number % 2 else piece
        text = "\n".join(lines)
    return text


def _landscape(given: tuple[Any, Any]) -> None:
    page = rewritten((ROOT / "hub.yaml").read_text(encoding="utf-8"), given[0])
    file = project() / "hub.yaml"
    file.write_bytes(cut(page.encode("utf-8", "surrogatepass"), given[1]))
    load(file, {})


MAPPINGS = sorted(f for f in (ROOT / "mappings").glob("*/*.v1.yaml") if not f.with_suffix(".py").exists())


def _mapping(given: tuple[int, Any, Any]) -> None:
    number, pieces, cuts = given
    source = MAPPINGS[number % len(MAPPINGS)]
    file = project() / "mappings" / source.parent.name / source.name
    page = rewritten(source.read_text(encoding="utf-8"), pieces)
    file.write_bytes(cut(page.encode("utf-8", "surrogatepass"), cuts))
    load_mapping(file)


CONNECTION = {
    "host": "erp.example.org", "port": 443, "schema": "https", "login": "hub", "password": CANARY,
    "extra": {"webhook_secret": CANARY, "host_key": "ssh-ed25519 AAAA"},
}  # fmt: skip


def _connection(given: tuple[bool, Any, Any]) -> None:
    """By JSON or URI; what is wrong is said without the value, and a connection never shows its secrets."""
    by_uri, edits, cuts = given
    written = f"https://hub:{CANARY}@erp.example.org:443/?webhook_secret={CANARY}".encode()
    text = cut(written if by_uri else as_json(mutated(CONNECTION, edits)), cuts).decode("utf-8", "replace")
    repr(resolve("erp", {"HUB_CONN_ERP": text}, project()))


def _value(text: str) -> None:
    for reader in (_duration, _size, duration, share, cron, pattern):
        try:
            reader(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017  (either outcome is right)
    json.dumps(text)


VALUES = st.sampled_from(TEXTS) | st.from_regex(r"[0-9]{1,30}[smhdwKMGiB%]{0,4}", fullmatch=True)
TARGETS = [
    Target(name="hub.yaml", inputs=st.tuples(PIECES, CUTS), take=_landscape, share=2),
    Target(name="mapping file", inputs=st.tuples(st.integers(0, 100), PIECES, CUTS), take=_mapping, share=2),
    Target(name="connection", inputs=st.tuples(st.booleans(), EDITS, CUTS), take=_connection, share=4),
    Target(name="option value", inputs=VALUES, take=_value, share=1),
]
