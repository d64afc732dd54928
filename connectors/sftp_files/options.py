"""What a folder of files looks like, as hub.yaml says it."""

from __future__ import annotations

import codecs
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.model import Extent
from hub.transport.options import Duration, Size, ZoneName

# What a header or trailer field may mean; "=TEXT" stands for a literal.
HEADER_ROLES = {"extent", "series", "as_of", "tickets"}
TRAILER_ROLES = {"rows"}


class Options(BaseModel):
    """The options of one system that leaves files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str = Field(description="Folder on the server in which files arrive.")
    archive: str = Field(description="Folder to which a file goes once it is in the journal; made when missing.")
    pattern: str = Field("*.csv", description="Which names are files of ours, with * and ?.")
    done: str | None = Field(
        ".ok", description="Ending of the marker that is written after a file; null where none is written."
    )
    settled: Duration = Field(
        timedelta(seconds=10), description="Without markers: how long a file must rest before it counts as complete."
    )
    limit: Size = Field(2 * 2**30, description="A larger file is refused, unread.")
    encoding: str = Field("cp1252", description="Character encoding of the files.")
    delimiter: str = Field(";", min_length=1, max_length=1, description="Character between two fields.")
    columns: tuple[str, ...] = Field(
        ("MAGASIN", "ARTICLE", "EAN", "LIBELLE", "QTE", "INDISPO", "PVP"),
        min_length=1,
        description="The columns that line 2 names, in any order.",
    )
    key: tuple[str, ...] = Field(
        ("MAGASIN", "ARTICLE"), min_length=1, description="The columns that identify a line, compared without case."
    )
    volatile: tuple[str, ...] = Field((), description="Columns that change on every export and mean no change.")
    series_column: str | None = Field(
        "MAGASIN", description="Column that repeats the header's series; a line of another one is refused."
    )
    header: tuple[str, ...] = Field(
        ("=H", "=STOCK", "extent", "series", "as_of", "tickets"),
        description="Fields of line 1: extent, series, as_of, tickets, or =TEXT for a literal.",
    )
    trailer: tuple[str, ...] = Field(("=T", "rows"), description="Fields of the last line: rows, or =TEXT.")
    extents: dict[str, Extent] = Field(
        {"C": Extent.COMPLETE, "P": Extent.PARTIAL}, description="What the header's extent means."
    )
    as_of_format: str = Field("%Y%m%d%H%M%S", description="How the header writes its time (strptime).")
    as_of_in_name: str = Field(
        r"(\d{14})", description="Regular expression whose first group orders names by time; else the file's own time."
    )
    zone: ZoneName = Field("Europe/Paris", description="Time zone of times without an offset.")

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f'there is no encoding "{value}"') from None

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        named = {*self.key, *self.volatile, *([self.series_column] if self.series_column else [])}
        if unknown := sorted(named - set(self.columns)):
            raise ValueError(f"{', '.join(unknown)} is not among the columns")
        for fields, roles in ((self.header, HEADER_ROLES), (self.trailer, TRAILER_ROLES)):
            for field in fields:
                if not field.startswith("=") and field not in roles:
                    raise ValueError(f'"{field}" is neither {", ".join(sorted(roles))} nor =TEXT')
        if missing := sorted({"extent", "as_of"} - set(self.header)):
            raise ValueError(f"the header must hold {', '.join(missing)}")
        return self
