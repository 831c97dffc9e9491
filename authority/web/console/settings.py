"""Settings: how long sessions last and on how many computers; and where everything else is set."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from flask import Blueprint, Response, url_for
from pydantic import Field

from authority.domain.sessions import BOUNDS, SessionSettings
from authority.presentation.sessions import SettingsShown
from authority.services import organization_settings
from authority.web.console.forms import Form, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.visiting import unit

pages = Blueprint("settings", __name__)

# What each is called on the page, and what it is for.
FIELDS = {
    "minutes": ("Minutes without use", "A session that is not used for so long ends by itself."),
    "computers": ("Computers at once", "On so many a member can have sessions at the same time."),
    "grant_minutes": (
        "Minutes without a line",
        "So long an application goes on when it does not reach the authority; 0: as long as the session lasts without use.",
    ),
    "save_minutes": ("Minutes to save", "So long a user can save the work after an administrator ended the session."),
}


def _bounded(name: str) -> object:
    least, most = BOUNDS[name]
    return Field(None, ge=least, le=most)


class Change(Form):
    minutes: Annotated[int | None, _bounded("minutes")] = None
    computers: Annotated[int | None, _bounded("computers")] = None
    grant_minutes: Annotated[int | None, _bounded("grant_minutes")] = None
    save_minutes: Annotated[int | None, _bounded("save_minutes")] = None
    version: Annotated[str, Field(max_length=256)] | None = None


@pages.get("/settings")
def index() -> Response:
    """The settings of sessions, and where the others are."""
    return page(
        "settings.html",
        shown=SettingsShown.of(organization_settings.show(unit(), SessionSettings)),
        fields=FIELDS,
        bounds=BOUNDS,
    )


@pages.post("/settings/sessions")
@shown_again(index, left=index)
def change() -> Response:
    """Says what a change does to sessions, then makes it."""
    form, work = read(Change), unit()
    changes = form.model_dump(exclude_none=True, exclude={"version"})
    before = organization_settings.show(work, SessionSettings)
    work.expected = None if form.version is None else [form.version]
    would = organization_settings.change(work, SessionSettings, changes, dry_run=True)
    differences = _differences(before, would)
    if not differences:
        return done(url_for("console.settings.index"), "The settings of sessions are as they were.")
    question = confirm(
        "Change the settings of sessions?",
        who="everybody who works with a line",
        what="; ".join(differences),
        until="until they are changed again",
        consequences=[
            "They are for the next start, renewal or end of a session.",
            "A session that is active keeps its time until it is used again; what is offline has nothing to do with them.",
        ],
        action="Change them",
        back=url_for("console.settings.index"),
    )
    if question:
        return question
    organization_settings.change(work, SessionSettings, changes)
    return done(url_for("console.settings.index"), f"The settings of sessions are changed: {'; '.join(differences)}.")


def _differences(before: SessionSettings, after: SessionSettings) -> list[str]:
    now = asdict(after)
    return [f"{FIELDS[name][0]}: {value} -> {now[name]}" for name, value in asdict(before).items() if value != now[name]]
