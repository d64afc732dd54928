"""Files of stores: valid ones with stretches of bytes replaced, to the last line and its mapping."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from support.fuzz.records import mapped
from support.fuzz.target import Target
from support.fuzz.values import CANARY, CUTS, TEXTS, cut

from connectors.sftp_files.layout import open_file
from connectors.sftp_files.options import Options
from hub.errors import Reject
from hub.transport.files import Entry, archived_name, is_safe

OPTIONS = Options(folder="/out", archive="/archive")
NAME = "STOCK_0001_20261121223000_C.csv"
FILE = "\r\n".join(
    [
        "H;STOCK;C;0001;20261121223000;1:20261121:345,2:20261121:120",
        "MAGASIN;ARTICLE;EAN;LIBELLE;QTE;INDISPO;PVP",
        "0001;  ts0001-m-blu ;0376012345678;T-shirt été M bleu;5,000;0,000;19,90",
        "0001;TS0002-S-NOI;3760123456789;Écharpe…;-2,000;1,000;9,90",
        "0001;TS0003-L-VER;3760123456796;Pull;12;;29,90",
        "T;3",
        "",
    ]
).encode("cp1252")


def _file(given: tuple[Any, str]) -> None:
    cuts, name = given
    opened = open_file(OPTIONS, name, cut(FILE, cuts))
    lines = opened.lines
    assert len(lines.keys()) == len(lines.texts()) == len(lines)
    mapped("sftp_files", [lines[n] for n in range(len(lines))])


def _name(name: str) -> None:
    """A name that is accepted stays what it is, in its folder and in the archive."""
    entry = Entry(name=name, size=1, modified=1)
    if is_safe(entry.name):
        kept = archived_name(entry.name, "ab" * 32)
        assert "/" not in kept
        assert kept not in (".", "..")
    else:
        try:
            archived_name(entry.name, "ab" * 32)
        except Reject:
            return
        raise AssertionError(f"{name!r} was refused and archived")


NAMES = st.sampled_from(TEXTS) | st.text(max_size=30)
# A secret that an input itself has cut in two is known to nobody.
SAID = CUTS.filter(lambda cuts: not any(CANARY.encode() in piece for _, _, piece in cuts))
TARGETS = [
    Target(name="store file", inputs=st.tuples(SAID, st.just(NAME) | NAMES.filter(is_safe)), take=_file, share=16),
    Target(name="file name", inputs=NAMES, take=_name, share=2),
]
