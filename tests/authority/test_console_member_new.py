"""Adding one member on a page, and what new members get."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import ANYBODY, Role
from authority.services import access
from authority.services.unit import Unit
from tests.support.browsing import Browser, shown
from tests.support.web import one_web

ADD, DEFAULTS = "/console/members/add", "/console/members/defaults"
LONG = "correct horse battery staple"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    for web in one_web(tmp_path):
        yield Browser(web).be(Role.ADMINISTRATOR)


def get(browser: Browser, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = browser.web.get(path).get_json()
    return answer


def test_a_member_is_added_with_what_was_typed_and_the_page_leads_to_them(browser: Browser) -> None:
    fields = {
        "username": "ada",
        "full_name": "Ada Lovelace",
        "email": "ada@example.org",
        "user_type": "GIS Professional",
        "role": "analyst",
    }
    fields |= {"groups": 'crew; "night; day"', "vendor_access": "true", "password": LONG, "password_again": LONG}
    answer = browser.send_form(ADD, fields)
    assert answer.location == "/console/member/ada"
    browser.get(answer.location)
    assert "ada is a member now." in shown(browser)
    member = get(browser, "/members/ada")
    assert member["email"] == "ada@example.org"
    assert (member["full_name"], member["role"], member["groups"]) == ("Ada Lovelace", "analyst", ["crew", "night; day"])
    assert (member["vendor_access"], len(member["licenses"])) == (True, 1)
    access.sign_in(Unit(browser.web.bench.authority, ANYBODY), "ada", LONG)


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(browser: Browser) -> None:
    for fields, name, words in (
        ({}, "username", "It has to be filled in"),
        ({"username": "defaults"}, "username", "it has another meaning"),
        ({"username": "ada", "password": LONG, "password_again": ""}, "password_again", "typed in two ways"),
        ({"username": "ada", "email": "nowhere"}, "email", "is no e-mail address"),
        ({"username": "ada", "groups": '"crew'}, "groups", "Put ; between groups"),
    ):
        answer = browser.send_form(ADD, {"full_name": "Typed Before", **fields})
        assert answer.status_code == 400
        assert words in shown(browser)
        assert f'id="{name}-error"' in answer.text
        assert 'value="Typed Before"' in answer.text
    assert browser.send_form(ADD, {"username": "analyst", "password": "short", "password_again": "short"}).status_code == 400
    assert ['id="username-error"' in browser.last.text, 'id="password-error"' in browser.last.text] == [True, True]
    assert browser.send_form(ADD, {"username": "analyst"}).status_code == 409
    assert ["already-exists" in shown(browser), 'id="username-error"' in browser.last.text] == [True, True]


def test_defaults_are_shown_set_and_used(browser: Browser) -> None:
    def version() -> str:
        match = re.search(r'name="version" value="([^"]+)"', browser.get(DEFAULTS).text)
        assert match is not None
        return match[1]

    seen = version()
    assert "selected>Standard" not in browser.last.text
    fields = {"version": seen, "user_type": "Creator", "role": "analyst", "groups": "new; night"}
    fields |= {"add_ons": "arcgis-pro=Standard", "vendor_access": "true"}
    assert browser.send_form(DEFAULTS, fields).location == DEFAULTS
    browser.get(DEFAULTS)
    assert "Those who are there stay as they are" in shown(browser)
    assert '<option value="arcgis-pro=Standard" selected>' in browser.last.text
    browser.get(ADD)
    assert "as usual: analyst" in shown(browser)
    browser.send_form(ADD, {"username": "ada"})
    ada = get(browser, "/members/ada")
    assert (ada["role"], ada["groups"], ada["vendor_access"]) == ("analyst", ["new", "night"], True)
    assert [(item["product"], item["level"]) for item in ada["licenses"]] == [("arcgis-pro", "Standard")]
    browser.send_form(ADD, {"username": "bob", "no_groups": "true"})
    assert get(browser, "/members/bob")["groups"] == []
    assert browser.send_form(DEFAULTS, fields).status_code == 412
    assert "add ons is now arcgis-pro Standard" in shown(browser)
    assert browser.send_form(DEFAULTS, {**fields, "version": version(), "add_ons": "arcgis-pro=Gold"}).status_code == 404
    assert "it has Basic, Standard, Advanced" in shown(browser)


def test_a_manager_of_licenses_adds_nobody(browser: Browser) -> None:
    manager = Browser(browser.web).be(Role.LICENSE_MANAGER)
    assert "Add a member" not in manager.get("/console/members").text
    for path in (ADD, DEFAULTS):
        assert manager.get(path).status_code == 403
        assert manager.send_form(path, {"username": "ada"}).status_code == 403
