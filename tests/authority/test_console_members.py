"""The page of members: what is looked for stands in the address, and in the file that can be downloaded."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import Actor, Role
from authority.web.console.forms import Form
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.web import Web, one_web


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    for web in one_web(tmp_path_factory.mktemp("members")):
        crowd(web)
        yield Browser(web).be(Role.LICENSE_MANAGER)


def crowd(web: Web) -> None:
    """More members than a page has are too many for a test: four, and those of each role."""
    web.bench.member("ada", full_name="Ada Lovelace", groups=("survey",))
    web.bench.member("bob", full_name="Bob Berg", user_type="Creator")
    web.bench.member("zoe", full_name="Zoë Zander", groups=("survey", "night & day"))


def usernames(html: str) -> list[str]:
    """The user names in the table, from top to bottom."""
    return re.findall(r'<th scope="row"><a href="/console/member/[^"]+">([\w-]+)', html)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?search=lovel", ["ada"]),
        ("?search=SURVEY", ["ada", "zoe"]),
        ("?group=night+%26+day", ["zoe"]),
        ("?type=Creator", ["bob"]),
        ("?search=survey&sort=-username", ["zoe", "ada"]),
        ("?search=&type=&role=analyst&group=&unused_for=", ["analyst"]),
        ("?offline=true", []),
        ("?disabled=true", []),
    ],
)
def test_the_table_and_its_file_have_whom_the_address_names(browser: Browser, query: str, expected: list[str]) -> None:
    page = browser.get(f"/console/members{query}").text
    assert usernames(page) == expected
    assert f"{len(expected)} member" in page
    assert ("Nobody fits these filters" in page) is (expected == [])
    if expected:
        address = re.search(r'href="([^"]*members\.csv[^"]*)"', page)
        assert address is not None
        rows = list(csv.DictReader(io.StringIO(browser.get(address[1].replace("&amp;", "&")).text)))
        assert [row["username"] for row in rows] == expected


def test_a_filter_that_makes_no_sense_is_said_and_not_ignored(browser: Browser) -> None:
    for query, word in (
        ("?sort=shoe_size", "sort"),
        ("?unused_for=ever", "Unused for so many days</a>: It should be a whole number"),
        ("?group=nobody", "nobody"),
        ("?cursor=x", "cursor"),
    ):
        answer = browser.get(f"/console/members{query}")
        assert answer.status_code in (400, 404)
        assert word in answer.text
    browser.get("/console/members?sort=shoe_size")
    assert "sort: It is one of username, full_name, user_type, role, last_used_at, or one of them" in shown(browser)


def test_the_head_of_a_column_sorts_and_says_so(browser: Browser) -> None:
    page = browser.get("/console/members?search=survey&sort=username").text
    assert 'aria-sort="ascending"' in page
    assert "/console/members?search=survey&amp;sort=-username" in page


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Browser]:
    """An administrator over an organization of their own, for a test that changes something."""
    for web in one_web(tmp_path):
        crowd(web)
        yield Browser(web).be(Role.ADMINISTRATOR)


def members_of(browser: Browser) -> dict[str, dict[str, Any]]:
    return {member["username"]: member for member in browser.web.get("/members").get_json()["items"]}


def licenses_of(browser: Browser, username: str) -> list[str]:
    return [f"{item['product']} {item['level']}" for item in members_of(browser)[username]["licenses"]]


def test_those_ticked_get_another_type_with_the_licenses_that_follow_first(own: Browser) -> None:
    fields = {"usernames": ["ada", "zoe"], "user_type": "Viewer"}
    before = contents(own.web.bench.authority.database)
    own.send_form("/console/members/type?search=survey", fields)
    text = shown(own)
    assert "Change the type of 2 members?" in text
    assert "ada: user type: GIS Professional, from now on Viewer; taken: ArcGIS Pro" in text
    assert contents(own.web.bench.authority.database) == before
    own.agree("/console/members/type?search=survey", {**fields, "usernames": ["ada", "zoe", "nobody"]})
    assert "2 of 3 changed" in shown(own)
    assert "not-found" in own.last.text
    assert [members_of(own)[name]["user_type"] for name in ("ada", "bob", "zoe")] == ["Viewer", "Creator", "Viewer"]


def test_those_ticked_are_given_and_taken_levels_and_extensions(own: Browser) -> None:
    names = {"usernames": ["ada", "bob"]}
    own.get("/console/members")
    extension = re.findall(r'value="(arcgis-pro\+[^"]+)"', own.last.text)[0]
    for action, license_, words in (
        ("assign", "arcgis-pro=Basic", "given: Basic"),
        ("assign", extension, f"given: {extension.partition('+')[2]}"),
        ("unassign", extension, f"taken: {extension.partition('+')[2]}"),
        ("unassign", "arcgis-pro=Basic", "taken: ArcGIS Pro Basic"),
    ):
        fields = {**names, "license": license_}
        own.send_form(f"/console/members/{action}", fields)
        assert words in shown(own), shown(own)
        own.agree(f"/console/members/{action}", fields)
        assert "2 of 2" in shown(own), shown(own)
        assert licenses_of(own, "bob") == (
            [] if license_ == "arcgis-pro=Basic" and action == "unassign" else ["arcgis-pro Basic"]
        )


def test_those_ticked_are_disabled_enabled_and_removed(own: Browser) -> None:
    web = own.web
    issued_to(web.bench, Actor(members_of(own)["ada"]["id"], "ada", Role.MEMBER), workstation("laptop"))
    both = {"usernames": ["ada", "bob"]}
    for action, is_disabled in (("disable", True), ("enable", False)):
        own.agree(f"/console/members/{action}", both)
        assert "2 of 2" in shown(own)
        assert members_of(own)["ada"]["disabled"] is is_disabled
    own.send_form("/console/members/disable", {"usernames": ["ada", "administrator"]})
    assert "Left out: administrator: nobody disables themself" in shown(own)
    assert "signed out at once" not in shown(own)
    three = {"usernames": ["ada", "bob", "administrator"]}
    own.send_form("/console/members/remove", three)
    text = shown(own)
    assert "Released: ada, ArcGIS Pro on laptop; its copy may run until" in text
    assert "Left out: administrator: nobody removes themself" in text
    own.agree("/console/members/remove", three)
    assert "member-has-borrow" in shown(own)
    assert "ada" in members_of(own)
    assert "bob" not in members_of(own)
    answer = own.agree("/console/members/remove?search=ada", {"usernames": "ada"}, {"release": "true"})
    assert answer.location == "/console/members?search=ada"
    assert "ada" not in members_of(own)


def test_without_a_tick_or_the_right_nothing_is_done_and_the_list_stays_a_list(own: Browser) -> None:
    before = contents(own.web.bench.authority.database)
    assert own.send_form("/console/members/disable?search=survey").status_code == 400
    assert ["Tick at least one member" in shown(own), "Not understood" in shown(own)] == [True, False]
    assert 'href="/console/members?search=survey&amp;sort=role"' in own.last.text
    assert usernames(own.last.text) == ["ada", "zoe"]
    assert own.send_form("/console/members/assign", {"usernames": "ada", "license": "arcgis-pro"}).status_code == 400
    assert "a product with = and a level" in shown(own)
    assert re.search(r'value="ada" checked', own.last.text)
    manager = Browser(own.web).be(Role.LICENSE_MANAGER)
    assert "Remove …" not in manager.get("/console/members").text
    for action, more in (("disable", {}), ("enable", {}), ("remove", {}), ("type", {"user_type": "Viewer"})):
        assert manager.send_form(f"/console/members/{action}", {"usernames": "ada", **more}).status_code == 403
    assert contents(own.web.bench.authority.database) == before


def test_no_form_of_the_console_says_a_pattern_where_it_could_say_what_is_allowed() -> None:
    """What is wrong with a field is said to people: a pattern would be told in the words of programs."""
    forms = list(Form.__subclasses__())
    for form in forms:
        forms.extend(form.__subclasses__())
    assert len(forms) > 20
    assert [form for form in forms if '"pattern"' in json.dumps(form.model_json_schema(), default=str)] == []
