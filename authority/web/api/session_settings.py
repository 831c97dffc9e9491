"""/sessions/settings: what administrators set about sessions."""

from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.domain.sessions import BOUNDS, SessionSettings
from authority.presentation.sessions import SettingsShown
from authority.services import organization_settings
from authority.web.access import unit
from authority.web.answers import json_of, tagged
from authority.web.api.forms import Body, DryRunQuery, Problem

api = APIBlueprint(
    "session_settings", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


def _within_bounds(name: str) -> Any:
    least, most = BOUNDS[name]
    meaning = SettingsShown.model_fields[name].description
    return Field(None, ge=least, le=most, description=f"{meaning}; null: stays as it is")


class SettingsChange(Body):
    minutes: int | None = _within_bounds("minutes")
    computers: int | None = _within_bounds("computers")
    grant_minutes: int | None = _within_bounds("grant_minutes")
    save_minutes: int | None = _within_bounds("save_minutes")


@api.get("/sessions/settings", summary="The settings of sessions", responses={200: SettingsShown, 304: None})
def show() -> Response:
    """For administrators and license managers."""
    shown = SettingsShown.of(organization_settings.show(unit(), SessionSettings))
    return tagged(shown, shown.version)


@api.patch("/sessions/settings", summary="Change the settings of sessions", responses={200: SettingsShown, 412: Problem})
def change(query: DryRunQuery, body: SettingsChange) -> Response:
    """What is left out stays as it is. A session that is active keeps its time until it is used again."""
    changes = body.model_dump(exclude_none=True)
    return json_of(SettingsShown.of(organization_settings.change(unit(), SessionSettings, changes, dry_run=query.dry_run)))
