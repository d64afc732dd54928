"""The documents say what the code does: the reference is fresh, links lead somewhere, named commands exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from hub.cli.docs import Undocumented, pages
from hub.cli.docs.commands import commands
from hub.cli.docs.environment import VARIABLES
from hub.cli.docs.functions import CONDITIONS
from hub.cli.docs.page import described
from hub.cli.docs.settings import fields, sections
from hub.mapping import FUNCTIONS

PROJECT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")


def documents() -> list[Path]:
    folders = (PROJECT / "docs").rglob("*.md"), (PROJECT / "connectors").glob("*/README.md")
    return [PROJECT / "README.md", *(path for folder in folders for path in sorted(folder))]


def reads(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_reference_is_what_the_code_says_now() -> None:
    folder = PROJECT / "docs" / "reference"
    stale = [name for name, text in pages(PROJECT).items() if not _same(folder / name, text)]
    assert not stale, f"{', '.join(stale)} of docs/reference is stale: run make docs"
    assert {path.name for path in folder.iterdir()} == set(pages(PROJECT))


def _same(path: Path, text: str) -> bool:
    return path.is_file() and reads(path) == text


def test_every_command_and_every_mapping_function_has_its_heading() -> None:
    made = pages(PROJECT)
    assert all(f"\n## {name}\n" in made["commands.md"] for name, _ in commands())
    assert all(f"\n### {name}\n" in made["mapping.md"] for name in FUNCTIONS)


def test_what_has_no_description_is_named() -> None:
    class Options(BaseModel):
        colour: str = Field("red", description="Of the button.")
        size: int = 3

    with pytest.raises(Undocumented, match=r"probe\.size has no description"):
        fields(Options, "probe")
    with pytest.raises(Undocumented, match="hub up --twice"):
        described("hub up --twice", " ")


def test_every_setting_is_reached_by_its_place_in_the_file() -> None:
    from hub.config.settings import LandscapeFile

    places = [place for place, _ in sections("", LandscapeFile)]
    assert {"retailer", "systems.NAME.budget", "flows.NAME.sources.NAME", "flows.NAME.guards"} <= set(places)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_documented_condition_is_one_that_mappings_know(condition: str, tmp_path: Path) -> None:
    from hub.mapping import load

    folder = tmp_path / "mappings" / "probe"
    folder.mkdir(parents=True)
    path = folder / "thing.v1.yaml"
    head = "mapping: probe.thing\nversion: 1\nfrom: things\nto: thing/1\nkey: [id]\n"
    path.write_text(f"{head}when: {{state: {condition}}}\nfields: {{id: id}}\n", encoding="utf-8")
    assert load(path).name == "probe.thing"


def test_every_variable_that_the_code_reads_is_in_the_reference() -> None:
    sources = [reads(p) for folder in ("hub", "connectors", "dags") for p in (PROJECT / folder).rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"\bHUB_[A-Z][A-Z_]*", text)}
    documented = {name.replace("<ID>", "") for name in VARIABLES}
    assert named == documented


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCE.sub("", reads(document))):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (document.parent / path) if path else document
        assert target.exists(), f"{document.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{document.name}: {link}"


def anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", reads(document)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_commands_in_documents_exist_with_their_options(document: Path) -> None:
    known = dict(commands())
    for line in typed(reads(document)):
        words = line.split()
        name = next((n for n in (" ".join(words[:3]), " ".join(words[:2])) if n in known), None)
        assert name, f"{document.name}: there is no command {line}"
        options = {opt for p in known[name].params for opt in [*p.opts, *p.secondary_opts]} | {"--help"}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options, f"{document.name}: {line}"


def typed(text: str) -> Iterator[str]:
    """What a reader would type: lines of shell blocks and code in sentences that begin with ``hub`` and a word."""
    for block in re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from (c for c in (_command(line) for line in block.splitlines()) if c)
    yield from (c for c in map(_command, CODE.findall(FENCE.sub("", text))) if c)


def _command(written: str) -> str | None:
    """``HUB_PORT=1 .venv/bin/hub up  # comment`` as ``hub up``."""
    found = re.fullmatch(
        r"(?:\$ )?(?:\w+=\S+ )*(?:\.venv/bin/)?(hub(?: +[^\s#|>&;]+)+)(?:\s.*)?", written.partition(" #")[0].strip()
    )
    return found[1] if found and re.match(r"hub +[a-z]+(\s|$)", found[1]) else None


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_make_targets_in_documents_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", reads(PROJECT / "Makefile"), re.MULTILINE))
    text = reads(document)
    named = {name for code in CODE.findall(FENCE.sub("", text)) for name in re.findall(r"^make ([a-z]+)", code)}
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    named |= {name for block in blocks for name in re.findall(r"^(?:\$ )?make ([a-z]+)", block, re.MULTILINE)}
    assert named <= targets


RUNBOOK = PROJECT / "docs" / "runbook.md"
SENTENCE = re.compile(r"^\| (`[^|]*?) \| ", re.MULTILINE)
PLACEHOLDER = re.compile(
    r"\.\.\.+|'[^']*'|\"[^\"]*\"|\b(?:shop|stores|erp|tills|pim|dam|pos|title|api-server|connection \w+)\b|"
    r"[A-Z]{2}\d{4}(?:-\w+)*|\d+(?::\d+)?|[/()]"
)


def sentences() -> list[str]:
    """What the runbook says that the hub says: code in the first column of its tables that is more than a word."""
    cells = [cell for row in SENTENCE.findall(reads(RUNBOOK)) for cell in CODE.findall(row)]
    return sorted({cell for cell in cells if cell.count(" ") > 2 and not cell.startswith("hub ")})


@pytest.fixture(scope="module")
def spoken() -> str:
    """All text of the code, strings that go on in the next line put together."""
    paths = [path for folder in ("hub", "connectors") for path in (PROJECT / folder).rglob("*.py")]
    return "\n".join(re.sub(r"['\"]\s*\n\s*f?['\"]", "", reads(path)) for path in paths)


@pytest.mark.parametrize("sentence", sentences())
def test_sentences_of_the_runbook_are_ones_that_the_hub_says(sentence: str, spoken: str) -> None:
    parts = [part.strip(" :;,()") for part in PLACEHOLDER.split(sentence)]
    missing = [part for part in parts if len(part) > 5 and part not in spoken]
    assert not missing, f"nothing in the code says {missing}"


def test_the_runbook_has_sentences() -> None:
    assert len(sentences()) > 25
