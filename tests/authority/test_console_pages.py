"""Every page of the console, found in the application itself: who may open it, what it is made of, and that opening changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Actor, Role
from authority.services import access, endings, policies, seals
from authority.services.unit import Unit
from authority.web.console import navigation
from authority.web.console.addresses import HOME
from authority.web.console.site import HEADERS
from tests.authority.route_table import World, make_world
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser
from tests.support.connecting import started
from tests.support.database_contents import contents
from tests.support.html_pages import ConsolePage
from tools.documentation import DOCS

# Pages that fewer may open than their module: endpoint to the roles.
NARROWER: dict[str, set[Role]] = {
    "console.member.edit": {Role.ADMINISTRATOR},
    "console.offline_rules.rule": {Role.ADMINISTRATOR},
    "console.pool_rules.pool": {Role.ADMINISTRATOR},
}
OPEN_TO_STRANGERS = ("console.sign_in.", "console.oidc.")
# What is opened here of these is not there, for whoever asks.
NOT_THERE = ("console.oidc.",)
# Lists whose steps go on with the filters of the list.
WITH_FILTERS = ("members", "licenses", "activity", "offline")
MARKUP = "<script>alert(1)</script>"
QUOTES = "\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An organization with something of everything, and free text that would be markup."""
    made = make_world(tmp_path_factory.mktemp("console"))
    bench = made.web.bench
    bea, carl = bench.member("bea", full_name=MARKUP, groups=(QUOTES,)), bench.member("carl")
    issued_to(bench, bea, replace(workstation("bea-laptop"), alias=f"{MARKUP}{QUOTES}"))
    revoked = issued_to(bench, carl, replace(workstation("carl-laptop"), alias=QUOTES)).borrow
    endings.revoke(Unit(bench.authority, CONSOLE), revoked.id, f"{QUOTES}{MARKUP}")
    started(bench, bea, replace(workstation("bea-tower"), alias=QUOTES), "arcgis-desktop")
    access.create_api_key(Unit(bench.authority, CONSOLE), "bea", MARKUP)
    policies.change(Unit(bench.authority, CONSOLE), "group", QUOTES, "", allowed=None, longest_days=60, default_days=None)
    seals.seal(Unit(bench.authority, CONSOLE))
    yield made
    made.database.close()


def rules(world: World, method: str) -> list[Rule]:
    """The rules of all pages that take this method."""
    every = world.web.client.application.url_map.iter_rules()
    return [
        rule
        for rule in every
        if rule.endpoint.startswith("console.") and method in (rule.methods or ()) and rule.endpoint != "console.static"
    ]


def address(world: World, rule: Rule) -> str:
    """The address of a rule; its arguments are named as those of the routes."""
    _, path = rule.build(world.ids, append_unknown=False) or ("", "")
    assert path, f"{rule.rule}: name its arguments as one of {sorted(world.ids)}"
    return path


def may_open(world: World, rule: Rule, role: Role) -> bool:
    entry = navigation.BY_NAME.get(rule.endpoint.split(".")[1])
    return (entry is None or entry.is_open_to(world.web.actors[role])) and role in NARROWER.get(rule.endpoint, set(Role))


def leads_somewhere(world: World, path: str, method: str) -> bool:
    """True when the application has a page or a form at this path."""
    try:
        world.web.client.application.url_map.bind("localhost").match(path, method)
    except HTTPException:
        return False
    return True


def kept_to_the_rules(answer: TestResponse, world: World) -> str:
    """The text of a page, after a look at its headers, its HTML, and where it leads."""
    assert HEADERS.items() <= dict(answer.headers).items()
    if answer.mimetype != "text/html" or not answer.data:
        return str(answer.data, "utf-8", "replace")
    page = ConsolePage(answer.text)
    assert page.faults == []
    paths = {urlsplit(link).path for link in page.links if link.startswith("/")}
    assert [path for path in sorted(paths) if not leads_somewhere(world, path, "GET")] == []
    sent_to = {(method.upper(), urlsplit(action).path) for method, action in page.forms if action}
    assert [pair for pair in sorted(sent_to) if not leads_somewhere(world, pair[1], pair[0])] == []
    return page.text


@pytest.mark.parametrize("role", [None, *Role])
def test_every_page_opens_for_those_who_may_and_changes_nothing(world: World, role: Role | None) -> None:
    browser, before = Browser(world.web).be(role), contents(world.database)
    texts = []
    for rule in rules(world, "GET"):
        answer = browser.get(address(world, rule))
        text = kept_to_the_rules(answer, world)
        if rule.endpoint.startswith(OPEN_TO_STRANGERS):
            assert answer.status_code == (404 if rule.endpoint.startswith(NOT_THERE) else 200), rule.rule
        elif role is None:
            assert answer.location.startswith("/console/sign-in?next=/console/"), rule.rule
        elif may_open(world, rule, role):
            assert answer.status_code in (200, 303), (rule.rule, text)
            texts.append(text)
        elif rule.rule == HOME and answer.status_code == 303:
            assert any(
                answer.location == address(world, other) for other in rules(world, "GET") if may_open(world, other, role)
            )
        else:
            assert answer.status_code == 403, rule.rule
            assert "not-allowed" in text
    assert contents(world.database) == before
    if role is Role.ADMINISTRATOR:
        assert any(MARKUP in text and QUOTES in text for text in texts), "nobody's text was shown"


VALUES = (
    dict.fromkeys(("unused_for", "due_within", "hours"), "abc"),
    {"product": "arcgis-pro", "type": "t" * 300},
    {"product": "\0", "search": "\0"},
)


def test_a_page_refuses_what_it_does_not_know_and_fails_whatever_its_own_parameters_say(world: World) -> None:
    browser = Browser(world.web).be(Role.ADMINISTRATOR)
    number = 0
    for rule in rules(world, "GET"):
        if rule.endpoint.startswith(NOT_THERE):
            continue
        path = address(world, rule)
        answer = browser.get(f"{path}?serach=ada")
        assert (answer.status_code, 'no parameter "serach"' in kept_to_the_rules(answer, world)) == (400, True), path
        named = re.search(r"It knows ([a-z_, ]+)\.", answer.text)
        names = named[1].split(", ") if named else []
        number += len(names)
        for values in VALUES if names else ():
            query = urlencode({name: values.get(name, "x") for name in names})
            assert browser.get(f"{path}?{query}").status_code < 500, (path, query)
    assert number > 60


def test_no_page_leads_to_parameters_that_are_not_known(world: World) -> None:
    browser = Browser(world.web).be(Role.ADMINISTRATOR)
    pages = [ConsolePage(browser.get(address(world, rule)).text) for rule in rules(world, "GET") if "." not in rule.rule]
    links = {link.partition("#")[0] for page in pages for link in page.links if "?" in link}
    refused = {link: answer.text for link in links if (answer := browser.get(link)).status_code == 400}
    assert refused == {}
    assert len(links) > 20


@pytest.mark.parametrize("role", [None, *Role])
def test_no_form_is_taken_without_its_token_or_from_another_site(world: World, role: Role | None) -> None:
    browser, before = Browser(world.web).be(role), contents(world.database)
    for rule in rules(world, "POST"):
        path = address(world, rule)
        is_open = rule.endpoint.startswith(OPEN_TO_STRANGERS)
        forged = [
            browser.post(path, {"reason": MARKUP}),
            browser.post(path, {"form_token": "x" * 43}),
            browser.send_form(path, headers={"Sec-Fetch-Site": "cross-site"}),
            browser.send_form(path, headers={"Origin": "https://evil.example"}),
            browser.send_form(path, headers={"Origin": "null"}),
        ]
        for answer in forged:
            text = kept_to_the_rules(answer, world)
            if role is None and not is_open:
                assert answer.status_code == 401, rule.rule
            elif is_open or may_open(world, rule, role or Role.MEMBER):
                assert (answer.status_code, "form-not-trusted" in text) == (400, True), rule.rule
            else:
                assert answer.status_code == 403, rule.rule
    assert contents(world.database) == before


@pytest.mark.parametrize("role", [None, Role.ADMINISTRATOR])
def test_an_address_that_only_takes_a_form_leads_to_the_page_that_it_belongs_to(world: World, role: Role | None) -> None:
    browser = Browser(world.web).be(role)
    steps = [rule for rule in rules(world, "POST") if not leads_somewhere(world, address(world, rule), "GET")]
    assert len(steps) > 30
    for rule in [*steps, *(rule for rule in rules(world, "POST") if rule.rule.startswith("/console/offline/"))]:
        path = address(world, rule)
        query = "type=Viewer" if rule.endpoint.split(".")[1] in WITH_FILTERS else ""
        answer = browser.get(f"{path}?{query}")
        assert answer.status_code == 303, path
        if answer.location.startswith("/console/sign-in"):
            # What could be a page is one only for who is signed in.
            continue
        above, _, sent = answer.location.partition("?")
        assert path.startswith(above.rstrip("/")), path
        assert sent == query or above == HOME, path
        answer = browser.get(answer.location)
        if role is None:
            assert answer.location.startswith("/console/sign-in"), path
        else:
            text = kept_to_the_rules(answer, world)
            assert (answer.status_code in (200, 303), "Nothing was changed; begin here" in text or not text) == (True, True), (
                path
            )


def test_what_is_not_there_or_not_done_that_way_is_a_page(world: World) -> None:
    browser = Browser(world.web).be(Role.MEMBER)
    for answer, status, code in (
        (browser.get("/console/nothing"), 404, "not-found"),
        (browser.send_form("/console/sign-in/x"), 404, "not-found"),
        (browser.post("/console/members", {}), 405, "method-not-allowed"),
        (browser.client.post("/console/sign-in", json={}), 415, "unsupported-media-type"),
        (browser.post("/console/sign-in", {"x": "x" * 300_000}), 413, "too-large"),
    ):
        assert answer.status_code == status
        assert code in kept_to_the_rules(answer, world)


def test_every_entry_of_the_menu_is_for_a_module_of_its_own() -> None:
    assert len(navigation.BY_NAME) == len(navigation.ENTRIES)
    nobody = Actor(1, "nobody", Role.MEMBER)
    assert [entry.name for entry in navigation.ENTRIES if entry.is_open_to(nobody)] == ["my_license"]
    begins = {role: navigation.first(Actor(1, "somebody", role)).name for role in Role}
    assert begins == {
        Role.ADMINISTRATOR: "overview",
        Role.LICENSE_MANAGER: "overview",
        Role.ANALYST: "log",
        Role.MEMBER: "my_license",
    }


DOCUMENT = (DOCS / "console.md").read_text(encoding="utf-8")


def test_the_documentation_says_who_sees_what() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in DOCUMENT.splitlines() if line.startswith("|")]
    expected = [
        [entry.title, *("yes" if entry.is_open_to(Actor(1, "somebody", role)) else "" for role in Role)]
        for entry in navigation.ENTRIES
        if entry.in_menu
    ]
    assert rows[0] == ["page", *(str(role).replace("-", " ") for role in Role)]
    assert rows[2:] == expected


def test_every_page_of_the_menu_has_a_section_in_the_documentation(world: World) -> None:
    with world.web.client.application.test_request_context():
        menu = navigation.menu(world.web.actors[Role.ADMINISTRATOR])
    assert len(menu) > 1
    assert [entry.title for entry in menu if f"\n## {entry.title}\n" not in DOCUMENT] == []
