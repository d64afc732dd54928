"""What hub.yaml says about one shop."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.transport.options import Duration


class Options(BaseModel):
    """The options of one shop."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field("2026-04", pattern=r"^\d{4}-\d{2}$", description="Version of the Admin API.")
    api: Literal["graphql", "rest", "auto"] = Field(
        "graphql",
        description=(
            "How stock is written: graphql 250 levels a call with compare-and-set, rest one level a call without, "
            "auto rest for a few levels whose present value is not known, else graphql."
        ),
    )
    rest_up_to: int = Field(3, ge=1, le=40, description="With api auto: the most levels that go by REST.")
    page_size: int = Field(250, ge=1, le=250, description="Orders per page.")
    overlap: Duration = Field(
        timedelta(minutes=5), description="How far each read of orders reaches back behind the newest one seen."
    )
    history: Duration = Field(timedelta(days=60), description="How far the very first read of orders reaches back.")
    window: Duration = Field(
        timedelta(hours=4, minutes=30),
        description="How old a webhook may be; the shop repeats one for four hours with the original time.",
    )
    axes: dict[str, dict[str, str]] = Field(
        {
            "size": {"fr": "Taille", "en": "Size", "de": "Größe"},
            "colour": {"fr": "Couleur", "en": "Colour", "de": "Farbe"},
        },
        description="What customers read for the axes of variants, by axis and language.",
    )
    reason: str = Field("correction", description="Why stock changes, as the shop's history shows it.")
