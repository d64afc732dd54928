"""The options of one ERP."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from hub.transport.options import Duration, ZoneName

STAMP = "%Y%m%d%H%M%S"  # the ERP's naive times


class Options(BaseModel):
    """How one ERP is read and written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wsdl: str = Field(description="The service's description: a path on the connection's host, or file: and a path.")
    page_size: int = Field(100, ge=1, le=100, description="Rows per page; the service allows 100.")
    overlap: Duration = Field(
        timedelta(minutes=2), description="How far each read reaches back behind the last one, for late bookings."
    )
    zone: ZoneName = Field("Europe/Paris", description="Time zone of the ERP's naive times.")
    strict: bool = Field(True, description="false also reads answers whose fields stand in a wrong order.")
