"""Pictures of articles: small PNG files, drawn so that the same picture always has the same bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from hub.sandbox.vocabulary import Texts

WIDTH, HEIGHT = 48, 60  # pixels
INK = {
    "BLU": (36, 76, 156), "NOI": (24, 24, 28), "BLA": (246, 246, 244), "ROU": (178, 30, 44), "VER": (38, 110, 66),
    "ECR": (232, 222, 200), "GRI": (128, 132, 136), "CAM": (186, 140, 90),
}  # fmt: skip
PAPER = (250, 250, 250)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture as the DAM keeps it."""

    asset: str  # DAM-TS0001-1
    product: str
    position: int  # from 1
    colour: str  # BLU
    png: bytes = field(repr=False)
    alt: Texts
    skus: tuple[str, ...]  # the variants that it shows; none: all
    width: int = WIDTH
    height: int = HEIGHT

    @cached_property
    def sha256(self) -> str:
        return sha256(self.png).hexdigest()


def picture(product: str, position: int, colour: str, alt: Mapping[str, str], skus: tuple[str, ...]) -> Picture:
    """A striped piece of cloth in ``colour`` on white paper."""
    asset = f"DAM-{product}-{position}"
    png = draw(asset, INK[colour])
    return Picture(asset=asset, product=product, position=position, colour=colour, png=png, alt=alt, skus=skus)


def original(picture: Picture) -> bytes:
    """The photographer's file, twice as large; channels receive ``picture.png``."""
    return draw(picture.asset, INK[picture.colour], 2 * WIDTH, 2 * HEIGHT)


def draw(name: str, ink: tuple[int, int, int], width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A valid PNG whose stripes come from ``name``; two names never have the same bytes."""
    seed = zlib.crc32(name.encode())
    rows = b"".join(_row(line, seed, ink, width, height) for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    parts = ((b"IHDR", header), (b"tEXt", b"Title\0" + name.encode("latin-1")), (b"IDAT", zlib.compress(rows, 9)))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in (*parts, (b"IEND", b"")))


def _row(line: int, seed: int, ink: tuple[int, int, int], width: int, height: int) -> bytes:
    """Filter byte 0, then the pixels: paper at the edges, cloth between them, every few lines a lighter stripe."""
    edge = 6 + (seed >> 8) % 6
    if line < edge or line >= height - edge:
        return b"\0" + bytes(PAPER) * width
    stripe = (line + seed) % (3 + seed % 5) == 0
    cloth = bytes((value + 255) // 2 if stripe else value for value in ink)
    return b"\0" + bytes(PAPER) * edge + cloth * (width - 2 * edge) + bytes(PAPER) * edge


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
