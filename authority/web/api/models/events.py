"""The log."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.common import Text


class EventQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, le=2**63 - 1, description="number of the last event known")
    kind: Text | None = Field(None, max_length=32)
    limit: int = Field(100, ge=1, le=1000)


class Events(BaseModel):
    items: list[dict[str, Any]]
    next: str | None
