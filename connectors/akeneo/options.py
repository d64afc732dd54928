"""What hub.yaml says about one Akeneo PIM."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from hub.transport.options import Duration


class Options(BaseModel):
    """The options of one PIM."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: str = Field(
        "ecommerce", min_length=1, description="The PIM's channel whose values and languages are read."
    )
    page_size: int = Field(100, ge=1, le=100, description="Products per page; Akeneo allows 100.")
    overlap: Duration = Field(
        timedelta(minutes=5),
        description="How far each read reaches back behind the last one; longer than a read takes.",
    )
    watch_options: tuple[str, ...] = Field(
        (),
        description="Attributes whose options' labels channels show; a renamed option has all products read again.",
    )
