"""/sessions/settings: what administrators set about sessions."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering
from authority.services import session_settings
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.session_settings import SettingsChange, SettingsShown

api = APIBlueprint(
    "session_settings", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


@api.get("/sessions/settings", summary="The settings of sessions", responses={200: SettingsShown})
def show() -> dict[str, Any]:
    """For administrators and license managers."""
    return rendering.session_settings(session_settings.show_settings(authority(), actor()))


@api.patch("/sessions/settings", summary="Change the settings of sessions", responses={200: SettingsShown})
def change(body: SettingsChange) -> dict[str, Any]:
    """What is left out stays as it is. A session that is active keeps its time until it is used again."""
    changes = body.model_dump(exclude_none=True)
    return rendering.session_settings(session_settings.change_settings(authority(), actor(), changes))
