"""The console's frame: signing in, cookies, forms of other sites, and what goes wrong as a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from sqlalchemy import delete

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.services import access, authorizations, members
from authority.services.unit import Unit
from authority.storage.db import tables
from authority.web.application import create_app
from authority.web.console import cookies
from authority.web.console.formats import with_codes
from authority.web.console.frame import confirm, done
from authority.web.gateway import BODY_IS_LATE
from tests.support.authorities import authorization_text, make_bench
from tests.support.browsing import Browser, form_token
from tests.support.database_contents import unchanged
from tests.support.vendors import authorization_file
from tests.support.web import Web, make_web, one_web

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    for web in one_web(tmp_path_factory.mktemp("console")):
        web.bench.member("ada", password=PASSWORD)
        yield web


@pytest.fixture
def browser(web: Web) -> Browser:
    """A browser in which nobody is signed in; how often ada signed in before is forgotten, as after a minute."""
    with web.bench.authority.database.write() as connection:
        connection.execute(delete(tables.sign_in_tries))
    return Browser(web)


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(browser: Browser) -> None:
    answer = browser.get("/console/members?role=analyst")
    assert (answer.status_code, answer.location) == (303, "/console/sign-in?next=/console/members?role%3Danalyst")
    token = form_token(browser.get(answer.location).text)
    body = {"form_token": token, "username": "ada", "password": PASSWORD}
    answer = browser.post(answer.location, body)
    assert (answer.status_code, answer.location) == (303, "/console/members?role=analyst")


@pytest.mark.parametrize("path", ["/console/member/m%C3%BCller", "/console/member/CORP%5Cada"])
def test_the_way_back_may_have_any_letters(browser: Browser, path: str) -> None:
    asked = browser.get(f"{path}?search=%C3%BC").location
    browser.send_form(asked, {"username": "ada", "password": PASSWORD})
    assert (browser.last.status_code, browser.last.location) == (303, f"{path}?search=%C3%BC")


def test_what_turns_text_around_is_shown_by_its_code(browser: Browser) -> None:
    browser.be(Role.ADMINISTRATOR)
    file = (io.BytesIO(b"x"), "\u202egnp.exe")
    texts = [browser.get("/console/member/%E2%80%AEabc").text, browser.send_form("/console/exchange", {"files": file}).text]
    for text in texts:
        assert "\\u202e" in text
        assert "\u202e" not in re.sub("<[^>]*>", "", text)
    assert with_codes('<a title="\u202e">\u202ex</a><textarea>\u202e</textarea>') == (
        '<a title="\u202e">\\u202ex</a><textarea>\u202e</textarea>'
    )


def test_t34_a_stranger_is_told_of_the_sign_in_whatever_else_is_wrong(browser: Browser) -> None:
    rules = [rule for rule in browser.client.application.url_map.iter_rules() if rule.rule.startswith("/console/")]
    closed = [rule for rule in rules if not rule.endpoint.startswith(("console.sign_in", "console.oidc", "console.static"))]
    assert len(closed) > 40
    for rule in closed:
        path = re.sub("<[^>]*>", "1", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule))
        if "GET" in (rule.methods or ()):
            answer = browser.get(f"{path}?a=1&a=2")
            assert (answer.status_code, (answer.location or "").partition("?")[0]) == (303, "/console/sign-in"), path
        if "POST" in (rule.methods or ()):
            for more in ({}, {"query_string": "a=1&a=2"}, {"environ_overrides": {BODY_IS_LATE: True}}):
                assert browser.client.post(path, data="<x/>", content_type="text/xml", **more).status_code == 401, path


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example/console/", "/\\evil", "/api/v1/me", "/console/a b"]
)
def test_the_sign_in_leads_to_no_address_but_ours(browser: Browser, address: str) -> None:
    browser.sign_in("ada", PASSWORD, next=address)
    assert browser.last.location == "/console/"


@pytest.mark.parametrize(("https", "remember"), [(False, False), (False, True), (True, False), (True, True)])
def test_the_cookie_is_for_the_server_alone_and_ends_with_the_browser_unless_remembered(
    browser: Browser, https: bool, remember: bool
) -> None:
    browser.sign_in("ada", PASSWORD, remember=remember, base_url=f"{'https' if https else 'http'}://localhost")
    [cookie] = [line for line in browser.last.headers.getlist("Set-Cookie") if "carnet_si_" in line]
    words = cookie.split("; ")
    assert words[0].startswith("__Host-carnet=" if https else "carnet=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(words)
    assert ("Secure" in words) is https
    assert any(word.startswith("Max-Age=") for word in words) is remember


def test_over_https_a_cookie_that_another_host_could_have_set_is_not_taken(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    assert browser.get("/console/sign-in").status_code == 200
    assert browser.get("/console/", base_url="https://localhost").location.startswith("/console/sign-in")


@pytest.mark.parametrize(("trusted", "name"), [((), "carnet"), (("10.9.9.9",), "carnet"), (("127.0.0.1",), "__Host-carnet")])
def test_that_https_ends_before_the_server_is_believed_of_a_trusted_proxy_alone(
    web: Web, trusted: tuple[str, ...], name: str
) -> None:
    behind = Browser(replace(web, client=create_app(web.bench.authority, trusted).test_client()))
    behind.sign_in("ada", PASSWORD, headers={"X-Forwarded-Proto": "https"})
    [cookie] = [line for line in behind.last.headers.getlist("Set-Cookie") if "carnet_si_" in line]
    assert cookie.partition("=")[0] == name


def test_behind_a_proxy_that_is_not_named_the_first_form_is_taken_too(browser: Browser) -> None:
    """The browser speaks https there, and its forms alone say so: the page of a form could set a plain cookie only."""
    token = form_token(browser.get("/console/sign-in").text)
    fields = {"form_token": token, "username": "ada", "password": PASSWORD}
    answer = browser.post("/console/sign-in", fields, headers={"Origin": "https://localhost"})
    assert (answer.status_code, answer.location) == (303, "/console/")
    assert answer.headers["Set-Cookie"].startswith("__Host-carnet=")
    assert browser.get("/console/my-license").status_code == 200


def test_behind_a_proxy_that_is_not_named_who_came_by_a_provider_sends_forms(browser: Browser, web: Web) -> None:
    """An answer of a provider is no form; its cookie is the plain one, unless the browser has shown that it speaks https."""
    browser.be(Role.ADMINISTRATOR)
    token = form_token(browser.get("/console/settings").text)
    fields = {"form_token": token, "minutes": "30"}
    answer = browser.post("/console/settings/sessions", fields, headers={"Origin": "https://localhost"})
    assert (answer.status_code, answer.location) == (303, "/console/settings")
    with web.client.application.test_request_context(headers={"Cookie": "__Host-carnet=ended"}):
        response = Response()
        cookies.write(response, cookies.SIGN_IN, "new")
    assert response.headers["Set-Cookie"].startswith("__Host-carnet=new; Secure")


def test_t30_an_api_key_in_the_cookie_of_a_browser_opens_nothing(browser: Browser) -> None:
    """A page that is open by a key could not be signed out, and no list of sign-ins would name it."""
    for role in (Role.ADMINISTRATOR, Role.MEMBER):
        browser.be(role)
        assert browser.get("/console/my-license").status_code == 200
        browser.client.set_cookie("carnet", browser.web.secrets[role])
        with unchanged(browser.web.bench.authority.database):
            answer = browser.get("/console/my-license")
            assert (answer.status_code, answer.location) == (303, "/console/sign-in?next=/console/my-license")
            assert browser.send_form("/console/my-license/sign-ins/end").status_code == 401


def test_signing_in_anew_ends_the_earlier_sign_in_of_this_browser(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    earlier = browser.cookie("carnet")
    browser.sign_in("ada", PASSWORD)
    assert browser.cookie("carnet") != earlier
    assert browser.web.get("/me", None, headers={"Authorization": f"Bearer {earlier}"}).status_code == 401


def test_signing_out_ends_the_sign_in_itself(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    secret = browser.cookie("carnet")
    assert browser.web.get("/me", None, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    answer = browser.send_form("/console/sign-out")
    assert (answer.status_code, answer.location) == (303, "/console/sign-in")
    assert browser.cookie("carnet") is None
    assert browser.web.get("/me", None, headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_routes_of_programs_read_no_cookie_and_pages_no_bearer_token(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    assert browser.get("/api/v1/me").status_code == 401
    stranger, bearer = Browser(browser.web), {"Authorization": f"Bearer {browser.web.secrets[Role.ADMINISTRATOR]}"}
    assert stranger.get("/console/members", headers=bearer).status_code == 303


def test_a_wrong_password_and_an_unknown_name_are_one_page_that_keeps_the_name_and_not_the_password(browser: Browser) -> None:
    texts = []
    for username in ("ada", "nobody"):
        answer = browser.send_form("/console/sign-in", {"username": username, "password": "not this one"})
        assert answer.status_code == 401
        assert f'value="{username}"' in answer.text
        assert "not this one" not in answer.text
        assert "not-authenticated" in answer.text
        texts.append(answer.text.replace(username, "NAME"))
    assert texts[0] == texts[1]


def test_a_sign_in_that_ended_leads_to_the_sign_in(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    secret = browser.cookie("carnet")
    assert secret is not None
    access.sign_out(Unit(browser.web.bench.authority, ANYBODY), secret)
    assert browser.get("/console/").location.startswith("/console/sign-in")
    browser.sign_in("ada", PASSWORD)
    assert browser.cookie("carnet") not in (None, secret)


def test_a_form_of_an_earlier_sign_in_is_shown_to_be_sent_once_more(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    fields = {"form_token": "of-an-earlier-one", "username": "<b>", "password": "secret"}
    answer = browser.post("/console/sign-in", fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    assert "&lt;b&gt;" in answer.text
    assert "secret" not in answer.text
    assert form_token(answer.text) != "of-an-earlier-one"


def test_a_notice_is_shown_once_and_only_to_the_sign_in_that_did_it(browser: Browser) -> None:
    app = browser.web.client.application
    cookie = {"Cookie": f"carnet={browser.web.sign_ins[Role.ADMINISTRATOR]}"}
    with app.test_request_context("/console/members", headers=cookie):
        notice = done("/console/members", "<b>ada</b> was added", [("Add another", "/console/members/new")]).headers[
            "Set-Cookie"
        ]
    value = notice.split(";")[0].removeprefix("carnet-notice=")
    browser.be(Role.ADMINISTRATOR).client.set_cookie("carnet-notice", value)
    first, second = browser.get("/console/members").text, browser.get("/console/members").text
    assert "&lt;b&gt;ada&lt;/b&gt; was added" in first
    assert 'href="/console/members/new"' in first
    assert "was added" not in second
    browser.be(Role.LICENSE_MANAGER).client.set_cookie("carnet-notice", value)
    assert "was added" not in browser.get("/console/members").text


def test_a_change_is_asked_for_until_exactly_what_was_shown_is_agreed_to(web: Web) -> None:
    """Who saw one thing and would get another is asked again."""

    def asked(who: str, sent: dict[str, str]) -> str | None:
        with web.client.application.test_request_context("/console/members", method="POST", data=sent):
            answer = confirm("Remove?", who=who, what="all", action="Remove", back="/console/", asked={"reason": "Why"})
            return None if answer is None else answer.get_data(as_text=True)

    first = asked("ada", {"form_token": "x", "usernames": "ada"})
    assert first is not None
    assert "Look again" not in first
    seen = re.search(r'name="confirmed" value="(\w+)"', first)
    assert seen is not None
    assert '<input type="hidden" name="usernames" value="ada">' in first
    assert 'name="reason"' in first
    sent = {"usernames": "ada", "confirmed": seen[1], "reason": "left"}
    assert asked("ada", sent) is None
    again = asked("ada and bob", sent)
    assert again is not None
    assert "Look again" in again


def test_over_the_limit_administrators_are_told_on_every_page_and_members_are_kept_out(tmp_path: Path) -> None:
    """Seed S2."""
    bench = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    web = make_web(bench)
    bench.member("ada", password=PASSWORD)
    current = members.membership(Unit(bench.authority, CONSOLE)).current

    def smaller(specification: dict[str, Any]) -> None:
        specification["members"] = {"total": current - 1, "types": {}}

    compact = authorization_text(bench.authority, bench.root, bench.clock(), seq=2, change=smaller)
    authorizations.install(Unit(bench.authority, CONSOLE), authorization_file(compact))
    for path in ("/console/", "/console/members", "/console/nothing"):
        page = Browser(web).be(Role.ADMINISTRATOR).get(path).text
        assert "Software authorization error" in page
        assert f"{current} members, {current - 1} are allowed" in page
    answer = Browser(web).be(Role.MEMBER).get("/console/")
    assert (answer.status_code, "software authorization error" in answer.text) == (403, True)
    browser = Browser(web)
    answer = browser.send_form("/console/sign-in", {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, "software authorization error" in answer.text) == (403, True)
    assert browser.cookie("carnet") is None
    bench.authority.database.close()


def test_the_first_page_leads_browsers_to_the_console_and_tells_programs_what_they_can_do(web: Web) -> None:
    client = web.client.application.test_client()
    browser = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert (browser.status_code, browser.location) == (303, "/console/")
    for accept in ("*/*", "text/plain", ""):
        program = client.get("/", headers={"Accept": accept})
        assert (program.status_code, program.mimetype) == (200, "text/plain")
        assert "/openapi.json" in program.text
    assert client.get("/console").location == "/console/"


def test_files_of_the_console_stay_in_the_cache_under_their_digest(browser: Browser) -> None:
    address = re.search(r'href="(/console/static/console\.css\?v=\w+)"', browser.get("/console/sign-in").text)
    assert address is not None
    with browser.get(address[1]) as answer:
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000"
    assert browser.get("/console/static/none.css").headers["Cache-Control"] == "no-store"
    assert browser.get("/console/static/../site.py").status_code == 404
