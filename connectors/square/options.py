"""What hub.yaml says about one Square account."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from hub.transport.options import Duration


class Options(BaseModel):
    """The options of one account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field("2026-01-22", pattern=r"^\d{4}-\d{2}-\d{2}$", description="The Square-Version header.")
    page_size: int = Field(500, ge=1, le=1000, description="Orders per page.")
    overlap: Duration = Field(
        timedelta(minutes=2), description="How far each read reaches back behind the newest change seen."
    )
    history: Duration = Field(timedelta(days=7), description="How far the very first read of orders reaches back.")
    states: tuple[str, ...] = Field(
        ("OPEN", "COMPLETED", "CANCELED"), min_length=1, description="Which states of orders are read."
    )
    language: str = Field(
        "fr", pattern=r"^[a-z]{2}(_[A-Z]{2})?$", description="The language of names and descriptions at the tills."
    )
    window: Duration = Field(
        timedelta(hours=25), description="How old a webhook may be; Square repeats one for a day with its first time."
    )
