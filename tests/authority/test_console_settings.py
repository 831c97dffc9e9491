"""The page Settings: those of sessions, changed with what follows first and never over somebody else's change."""

from __future__ import annotations

from authority.domain.members import CONSOLE, Role
from authority.domain.sessions import SessionSettings
from authority.services import organization_settings
from authority.services.unit import Unit
from tests.support.browsing import Browser, shown
from tests.support.web import Web

SETTINGS, SESSIONS = "/console/settings", "/console/settings/sessions"


def test_sessions_are_set_after_what_follows_was_seen_and_nothing_is_overwritten(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    chief.get(SETTINGS)
    for words in ("Minutes without use", "authority.toml", "Rules"):
        assert words in shown(chief)
    version = web.get("/sessions/settings").get_json()["version"]
    fields = {"minutes": "45", "computers": "3", "grant_minutes": "0", "save_minutes": "30", "version": version}
    chief.send_form(SESSIONS, {**fields, "computers": "0"})
    assert (chief.last.status_code, "greater than or equal to 1" in shown(chief)) == (400, True)
    assert 'value="45"' in chief.last.text
    chief.send_form(SESSIONS, fields)
    assert "Minutes without use: 30 -> 45; Minutes to save: 60 -> 30" in shown(chief)
    assert web.get("/sessions/settings").get_json()["version"] == version
    chief.agree(SESSIONS, fields)
    chief.get(chief.last.location)
    assert "The settings of sessions are changed" in shown(chief)
    assert web.get("/sessions/settings").get_json()["minutes"] == 45
    # Another administrator had the page open since before that.
    chief.send_form(SESSIONS, {**fields, "minutes": "60"})
    assert (chief.last.status_code, "minutes is now 45" in shown(chief)) == (412, True)
    # The page follows in what was not touched there, and says so at what both changed.
    chief.get(SETTINGS)
    mine = {**chief.fields(SESSIONS), "minutes": "50", "computers": "4"}
    organization_settings.change(Unit(web.bench.authority, CONSOLE), SessionSettings, {"minutes": 40, "save_minutes": 20})
    chief.send_form(SESSIONS, mine)
    again = chief.fields(SESSIONS)
    assert [again[name] for name in ("minutes", "computers", "save_minutes")] == [["50"], ["4"], ["20"]]
    assert ['id="minutes-error"' in chief.last.text, 'id="computers-error"' in chief.last.text] == [True, False]
    organization_settings.change(Unit(web.bench.authority, CONSOLE), SessionSettings, {"computers": 2})
    chief.get(SETTINGS)
    assert chief.send_form(SESSIONS, chief.fields(SESSIONS)).status_code == 303
    chief.get(chief.last.location)
    assert "as they were" in shown(chief)
