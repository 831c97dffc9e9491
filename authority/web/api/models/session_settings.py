"""The settings of sessions."""

from typing import Any

from pydantic import BaseModel, Field

from authority.domain.sessions import BOUNDS
from authority.web.api.models.common import Body


def _within_bounds(name: str, description: str) -> Any:
    least, most = BOUNDS[name]
    return Field(None, ge=least, le=most, description=f"{description}; null: stays as it is")


class SettingsChange(Body):
    minutes: int | None = _within_bounds("minutes", "a session lasts so long from its last use")
    computers: int | None = _within_bounds("computers", "a member can be signed in on so many at once")
    offline_hours: int | None = _within_bounds("offline_hours", "a session goes on for so long without a line")
    save_minutes: int | None = _within_bounds("save_minutes", "the time to save after an administrator ended a session")


class SettingsShown(BaseModel):
    minutes: int
    computers: int
    offline_hours: int
    save_minutes: int
