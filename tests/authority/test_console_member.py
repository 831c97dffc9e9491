"""The page of a member: what is seen of them, and what is changed, given, taken, ended and removed there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.domain.oidc import Identity
from authority.services import access, licenses, policies
from authority.services.unit import Unit
from authority.storage import identities, members
from tests.authority.route_table import PASSWORD, PRO, World, make_world
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents

ADA = "/console/member/ada"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("member"))
    made.web.bench.member("bob", user_type="Creator", groups=("crew", "a; b"))
    yield made
    made.database.close()


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """Ada, who has something of everything, and bob; a copy for each test."""
    copied = template.copy(tmp_path)
    yield copied
    copied.database.close()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.web).be(Role.ADMINISTRATOR)


def fields_of(browser: Browser, **changes: str) -> dict[str, Any]:
    """What the form of a member sends when nothing but this is changed; None takes a box's tick away."""
    browser.get(f"{ADA}/change")
    return {**browser.fields(f"{ADA}/change"), "vendor_access": "true", **changes}


def member(world: World) -> dict[str, object]:
    answer: dict[str, object] = world.web.get("/members/ada").get_json()
    return answer


def test_the_page_has_who_it_is_what_they_hold_and_why_what_they_use_and_what_the_log_has(browser: Browser) -> None:
    browser.get(ADA)
    text = shown(browser)
    for words in (
        "GIS Professional",
        "crew",
        "ArcGIS Pro arcgis-pro",
        "comes with the type",
        "up to 60 days",
        "group crew",
        "concurrent: seats are taken as they come",
        "laptop",
        "offline",
        "tower",
        "member added",
    ):
        assert words in text, words
    assert text.count("by the rule of the group crew") == 3


def test_a_manager_of_licenses_sees_it_and_may_assign_alone(world: World) -> None:
    browser, before = Browser(world.web).be(Role.LICENSE_MANAGER), contents(world.database)
    browser.get(ADA)
    assert "/ada/licenses/arcgis-pro" in browser.last.text
    assert "member added" not in shown(browser)
    for words in ("Remove", "End …", "Change</a> <a", "Look at it"):
        assert words not in browser.last.text
    for path in ("change", "remove", "sign-ins/end", "sign-ins/password", "sessions/end"):
        answer = browser.send_form(f"{ADA}/{path}", fields_of(Browser(world.web).be(Role.ADMINISTRATOR)))
        assert answer.status_code in (400, 403), path
    assert contents(world.database) == before


def test_what_nobody_feels_is_done_at_once_and_the_rest_asks_with_what_follows(world: World, browser: Browser) -> None:
    answer = browser.send_form(f"{ADA}/change", fields_of(browser, full_name="Ada Lovelace", email="ada@example.org"))
    assert answer.location == ADA
    browser.get(ADA)
    assert "full name: none, from now on Ada Lovelace; e-mail address: none, from now on ada@example.org" in shown(browser)
    fields = fields_of(browser, user_type="Viewer", groups="crew; night", disabled="true")
    before = contents(world.database)
    browser.send_form(f"{ADA}/change", fields)
    text = shown(browser)
    for words in (
        "Change ada?",
        "user type: GIS Professional, from now on Viewer",
        "groups: crew, from now on crew; night",
        "License taken: ArcGIS Pro Advanced",
        "What is out offline stays good",
    ):
        assert words in text, (words, text)
    assert contents(world.database) == before
    assert browser.agree(f"{ADA}/change", fields).status_code == 303
    after = member(world)
    assert (after["user_type"], after["groups"], after["disabled"]) == ("Viewer", ["crew", "night"], True)
    assert after["licenses"] == []


def test_a_rename_leads_to_the_page_under_the_new_name(world: World, browser: Browser) -> None:
    answer = browser.agree(f"{ADA}/change", fields_of(browser, username="ada.king"))
    assert answer.location == "/console/member/ada.king"
    assert browser.get(answer.location).status_code == 200
    assert browser.get(ADA).status_code == 404


def test_the_second_of_two_is_told_what_the_first_changed_and_keeps_what_was_typed(world: World, browser: Browser) -> None:
    fields = fields_of(browser, full_name="Typed Slowly")
    assert world.web.send("PATCH", "/api/v1/members/ada", json={"role": "analyst"}).status_code == 200
    answer = browser.send_form(f"{ADA}/change", fields)
    assert answer.status_code == 412
    assert "role is now analyst" in shown(browser)
    assert 'value="Typed Slowly"' in answer.text
    assert member(world)["full_name"] == ""


def test_what_was_not_touched_follows_another_change_and_what_both_changed_is_marked(world: World, browser: Browser) -> None:
    mine = fields_of(browser, email="mine@example.org", role="analyst")
    theirs = {"full_name": "Theirs", "email": "theirs@example.org", "vendor_access": False}
    assert world.web.send("PATCH", "/api/v1/members/ada", json=theirs).status_code == 200
    answer = browser.send_form(f"{ADA}/change", mine)
    assert (answer.status_code, "full name is now Theirs" in shown(browser)) == (412, True)
    assert "send your change with its new version" not in answer.text
    assert "E-mail address: the other change made it: theirs@example.org" in shown(browser)
    assert ['id="email-error"' in answer.text, 'id="role-error"' in answer.text] == [True, False]
    # Pressed again it does what was touched, and nothing else.
    again = browser.fields(f"{ADA}/change")
    assert (again["full_name"], again["email"], again["role"]) == (["Theirs"], ["mine@example.org"], ["analyst"])
    assert browser.agree(f"{ADA}/change", again).status_code == 303
    ada = member(world)
    assert [ada[name] for name in ("full_name", "email", "role")] == ["Theirs", "mine@example.org", "analyst"]


def test_another_mistake_hides_no_change_that_came_first(world: World, browser: Browser) -> None:
    mine = fields_of(browser, username="-ada", full_name="Mine")
    assert world.web.send("PATCH", "/api/v1/members/ada", json={"role": "analyst"}).status_code == 200
    assert browser.send_form(f"{ADA}/change", mine).status_code == 400
    mended = browser.fields(f"{ADA}/change") | {"username": "ada"}
    assert mended["role"] == ["member"]
    assert browser.send_form(f"{ADA}/change", mended).status_code == 412
    assert browser.fields(f"{ADA}/change")["role"] == ["analyst"]


def test_what_is_wrong_with_a_field_is_said_beside_it(browser: Browser) -> None:
    for name, value, words in (
        ("username", "-ada", "begins with a letter or digit"),
        ("groups", '"crew', "quotes do not match"),
        ("role", "queen", "administrator"),
        ("user_type", "", "It has to be filled in"),
    ):
        answer = browser.send_form(f"{ADA}/change", fields_of(browser, **{name: value}))
        assert answer.status_code == 400
        assert words in shown(browser)
        assert f'id="{name}-error"' in answer.text


def test_levels_and_extensions_are_given_at_once_and_taken_after_a_question(world: World, browser: Browser) -> None:
    address = f"{ADA}/licenses/{PRO}"
    browser.get(address)
    assert "free)" in shown(browser)
    extensions = re.findall(r'name="extensions" value="([^"]+)"', browser.last.text)
    browser.send_form(address, {"level": "Advanced", "extensions": extensions[:2]})
    assert browser.last.status_code == 303, shown(browser)
    assert member(world)["licenses"] == [
        {"product": PRO, "level": "Advanced", "extensions": sorted(extensions[:2]), "included": True}
    ]
    browser.send_form(address, {"level": "Advanced", "extensions": extensions[:1]})
    assert f"Taken: {extensions[1]}" in shown(browser)
    browser.agree(address, {"level": "Advanced", "extensions": extensions[:1]})
    assert browser.last.status_code == 303
    browser.send_form(f"{address}/unassign")
    assert "a borrow is out until" in shown(browser)
    assert browser.agree(f"{address}/unassign", {}).location == ADA
    assert member(world)["licenses"] == []
    assert browser.send_form(address, {"level": "Gold"}).status_code == 404
    assert "it has Basic, Standard, Advanced" in shown(browser)


def test_a_session_ends_with_time_to_save(world: World, browser: Browser) -> None:
    fields = {"session": world.ids["session_id"]}
    browser.send_form(f"{ADA}/sessions/end", fields)
    assert "has 60 minutes to save" in shown(browser)
    assert browser.agree(f"{ADA}/sessions/end", fields).location == ADA
    browser.get(ADA)
    assert "ada has until" in shown(browser)


def test_a_new_password_says_what_it_ends_and_which_keys_go_on(world: World, browser: Browser) -> None:
    browser.get(f"{ADA}/sign-ins")
    text = shown(browser)
    assert "It ends the sign-ins above" in text
    assert "These API keys go on unless you say so: hers" in text
    wrong = browser.send_form(f"{ADA}/sign-ins/password", {"new_password": "x" * 12, "new_password_again": "y" * 12})
    assert wrong.status_code == 400
    assert "typed in two ways" in shown(browser)
    new = "another long password"
    browser.send_form(f"{ADA}/sign-ins/password", {"new_password": new, "new_password_again": new, "revoke_keys": "true"})
    browser.get(browser.last.location)
    assert "1 sign-in ended. These API keys are revoked: hers." in shown(browser)
    access.sign_in(Unit(world.web.bench.authority, ANYBODY), "ada", new)


def test_sign_ins_are_ended_one_or_all(world: World, browser: Browser) -> None:
    access.sign_in(Unit(world.web.bench.authority, ANYBODY), "ada", PASSWORD)
    one = {"id": world.ids["sign_in_id"]}
    browser.send_form(f"{ADA}/sign-ins/end", one)
    assert "End 1 sign-in of ada?" in shown(browser)
    browser.agree(f"{ADA}/sign-ins/end", one)
    assert browser.agree(f"{ADA}/sign-ins/end", {}).status_code == 303
    assert access.sign_ins_of(Unit(world.web.bench.authority, CONSOLE), "ada") == ([], None)
    wrong = browser.send_form(f"{ADA}/sign-ins/end", {"id": "short"})
    assert wrong.status_code == 400
    assert "those have 22 letters, digits, hyphens and underscores" in shown(browser)


def test_a_removal_says_what_goes_on_running_and_needs_the_box(world: World, browser: Browser) -> None:
    browser.send_form(f"{ADA}/remove")
    text = shown(browser)
    assert "Free again: ArcGIS Pro Advanced" in text
    assert "Released: ArcGIS Pro on laptop; its copy may run until" in text
    assert browser.agree(f"{ADA}/remove", {}).status_code == 409
    assert "member-has-borrow" in shown(browser)
    assert browser.agree(f"{ADA}/remove", {}, {"release": "true"}).location == "/console/members"
    assert world.web.get("/members/ada").status_code == 404
    assert browser.send_form("/console/member/administrator/remove").status_code == 403
    assert "Nobody removes themself" in shown(browser)
    assert "Licenses and offline rules" in browser.last.text


def test_a_page_of_borrows_or_of_the_log_is_in_the_address(world: World, browser: Browser) -> None:
    for number in range(21):
        policies.change(
            Unit(world.web.bench.authority, CONSOLE),
            "member",
            "bob",
            "",
            allowed=None,
            longest_days=60 + number,
            default_days=None,
        )
        world.web.send("PATCH", "/api/v1/members/bob", json={"full_name": f"Bob {number}"})
    browser.get("/console/member/bob")
    match = re.search(r'href="(/console/member/bob\?before=\d+)"', browser.last.text)
    assert match is not None
    browser.get(match[1])
    assert "Bob 0" in shown(browser)
    for query, words in (("before=x", "before: It should be a whole number"), ("after=1", "after: It is no id")):
        assert browser.get(f"/console/member/bob?{query}").status_code == 400
        assert words in shown(browser)


def test_who_a_member_is_at_a_provider_is_shown_and_forgotten_after_a_question(world: World, browser: Browser) -> None:
    ada = world.web.bench.authority
    with ada.database.write() as connection:
        member = members.by_username(connection, "ada")
        assert member is not None
        identities.add(connection, Identity("https://id.example.org", "s-1"), member.id, ada.now())
    browser.get(f"{ADA}/sign-ins")
    assert "https://id.example.org, since" in shown(browser)
    browser.agree(f"{ADA}/sign-ins/forget", {})
    browser.get(browser.last.location)
    assert "ada is known at no provider any more" in shown(browser)
    assert "id.example.org" not in shown(browser)
    browser.send_form(f"{ADA}/sign-ins/forget")
    browser.get(browser.last.location)
    assert "Nothing was forgotten" in shown(browser)


def test_what_another_administrator_gave_meanwhile_is_not_taken_without_a_word(world: World, browser: Browser) -> None:
    address = f"{ADA}/licenses/{PRO}"
    browser.agree(address, {"level": "Basic", "extensions": "3DAnalyst"})
    # Somebody gives another extension after this form was opened: what the form says would take it, and is asked first.
    licenses.assign(Unit(world.web.bench.authority, CONSOLE), "ada", PRO, "Basic", ("3DAnalyst", "NetworkAnalyst"))
    browser.send_form(address, {"level": "Basic", "extensions": "3DAnalyst"})
    assert "Taken: NetworkAnalyst" in shown(browser)


def test_what_is_too_long_for_a_notice_is_said_whole_and_at_once(browser: Browser) -> None:
    # Cookies are packed: of names that are like each other many more fit.
    groups = [hashlib.sha256(bytes([number])).hexdigest()[:24] for number in range(150)]
    answer = browser.agree(f"{ADA}/change", fields_of(browser, groups="; ".join(groups)))
    assert answer.status_code == 200
    text = shown(browser)
    assert "Done: ada is changed" in text
    assert all(group in text for group in groups)
    assert f'href="{ADA}"' in answer.text
    assert all(len(line) < 2500 for line in answer.headers.getlist("Set-Cookie"))


def test_a_license_that_another_took_meanwhile_is_not_given_back_unseen(world: World, browser: Browser) -> None:
    address = f"{ADA}/licenses/{PRO}"
    browser.get(address)
    sent = browser.fields(address)
    licenses.unassign(Unit(world.web.bench.authority, CONSOLE), ["ada"], PRO)
    answer = browser.send_form(address, {**sent, "extensions": ["3DAnalyst"]})
    assert (answer.status_code, "changed-meanwhile" in shown(browser)) == (412, True)
    assert "Holds no license of it" in shown(browser)
    assert world.web.get(f"/assignments?username=ada&product={PRO}").get_json()["items"] == []
    # Whoever presses again has seen it.
    assert browser.send_form(address, browser.fields(address)).status_code == 303
