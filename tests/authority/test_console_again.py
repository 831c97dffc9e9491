"""What is sent twice is done once; what was typed when a sign-in had ended is seen again; who leaves a question keeps the ticks."""

from __future__ import annotations

import io
import re
from html import unescape

from authority.domain.members import CONSOLE, Role
from authority.services import access
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, form_token, shown
from tests.support.web import Web

KEYS, ADD = "/console/api-keys", "/console/members/add"
PASSWORD = "correct horse battery"


def signed_in(web: Web, username: str) -> Browser:
    browser = Browser(web)
    browser.sign_in(username, PASSWORD)
    return browser


def chief(web: Web, username: str = "chief") -> Browser:
    web.post("/members", {"username": username, "password": PASSWORD, "role": "administrator"})
    return signed_in(web, username)


def test_an_answer_that_is_loaded_again_makes_no_second_key_and_shows_no_secret(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    fields = {"form_token": form_token(browser.get(KEYS).text), "name": "nightly", "member": "analyst"}
    before = len(web.get("/api-keys").get_json()["items"])
    made = browser.post(f"{KEYS}/create", fields)
    secret = re.search(r'id="key"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*readonly', made.text)
    assert (made.status_code, secret is not None) == (200, True), made.text
    again = browser.post(f"{KEYS}/create", fields)
    assert (again.status_code, again.location, again.text) == (303, KEYS, "")
    browser.get(again.location)
    assert "nothing was done a second time" in shown(browser)
    assert len(web.get("/api-keys").get_json()["items"]) == before + 1
    # The form of before with something else in it, and a form of a page that was opened anew, are other ones.
    assert browser.post(f"{KEYS}/create", fields | {"name": "weekly"}).status_code == 200
    assert browser.send_form(f"{KEYS}/create", {"name": "nightly", "member": "analyst"}).status_code == 200
    assert len(web.get("/api-keys").get_json()["items"]) == before + 3


def test_what_is_gone_because_it_was_done_is_said_to_be_done_where_the_answer_is_loaded_again(web: Web) -> None:
    browser, ada = Browser(web).be(Role.ADMINISTRATOR), web.bench.member("ada")
    borrow = issued_to(web.bench, ada, workstation("laptop")).borrow.id
    for address, fields, more in (
        ("/console/offline/release", {"ids": borrow}, {"reason": "lost", "accept_overlap": "true"}),
        ("/console/member/ada/remove", {}, {}),
    ):
        browser.send_form(address, fields)
        confirmed = re.search(r'name="confirmed" value="([^"]+)"', browser.last.text)
        assert confirmed, browser.last.text
        sent = {"form_token": form_token(browser.last.text), "confirmed": confirmed[1], **fields, **more}
        assert browser.post(address, sent).status_code == 303
        browser.get("/console/members")
        assert browser.post(address, sent).status_code == 303
        browser.get("/console/members")
        assert "This was done already" in shown(browser), address


def test_what_was_refused_can_be_sent_again_and_a_file_counts_by_what_is_in_it(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    fields = {"form_token": form_token(browser.get(KEYS).text), "name": "nightly", "member": "newcomer"}
    assert browser.post(f"{KEYS}/create", fields).status_code == 404
    web.post("/members", {"username": "newcomer"})
    assert browser.post(f"{KEYS}/create", fields).status_code == 200
    token = form_token(browser.get("/console/members/import").text)
    for data in (b"username\none\n", b"username\ntwo\n"):
        sent = {"form_token": token, "file": (io.BytesIO(data), "staff.csv")}
        answer = browser.post("/console/members/import", sent, content_type="multipart/form-data")
        assert answer.status_code == 200, answer.location


def end_sign_ins(web: Web, username: str) -> None:
    access.end_sign_ins(Unit(web.bench.authority, CONSOLE), username, None)


def send_too_late(web: Web, browser: Browser, username: str, address: str, fields: dict[str, str]) -> None:
    token = form_token(browser.get("/console/member/ada").text)
    end_sign_ins(web, username)
    browser.post(address, {"form_token": token, **fields})


def sign_in_again(browser: Browser, username: str) -> None:
    """By the form of the last page, with what it carries."""
    action = re.search(r'action="(/console/sign-in\?next=[^"]*)"', browser.last.text)
    assert action is not None
    fields = browser.fields("/console/sign-in") | {"username": username, "password": PASSWORD}
    browser.post(unescape(action[1]), fields | {"form_token": form_token(browser.last.text)})


def test_what_was_typed_when_the_sign_in_had_ended_is_seen_again_before_it_is_done(web: Web) -> None:
    browser = chief(web)
    fields = {
        "username": "newcomer",
        "full_name": "<b>New</b>",
        "password": "a secret of hers",
        "password_again": "a secret of hers",
    }
    fields["form_token"] = form_token(browser.get(ADD).text)
    end_sign_ins(web, "chief")
    assert browser.post(f"{ADD}?from=here", fields).status_code == 401
    for words in ("Your sign-in has ended, and nothing was done", "what you typed is kept"):
        assert words in shown(browser)
    assert "bearer" not in shown(browser).lower()
    assert "a secret of hers" not in browser.last.text
    unsent = browser.fields("/console/sign-in")["unsent"]
    # A wrong password loses nothing.
    browser.post(
        f"/console/sign-in?next={ADD}",
        {"form_token": form_token(browser.last.text), "unsent": unsent, "username": "chief", "password": "wrong"},
    )
    assert (browser.last.status_code, browser.fields("/console/sign-in")["unsent"]) == (401, unsent)
    sign_in_again(browser, "chief")
    assert browser.last.status_code == 200
    assert "You are signed in again, and nothing was done yet" in shown(browser)
    again = browser.fields(ADD)
    assert (again["username"], again["full_name"], again["password"]) == (["newcomer"], ["<b>New</b>"], [""])
    assert web.get("/members/newcomer").status_code == 404
    browser.post(ADD, again | {"form_token": form_token(browser.last.text)})
    assert (browser.last.status_code, web.get("/members/newcomer").get_json()["full_name"]) == (303, "<b>New</b>")


def test_a_question_is_asked_again_and_somebody_else_sees_nothing_of_it(web: Web) -> None:
    browser = chief(web)
    chief(web, "second")
    web.bench.member("ada")
    send_too_late(web, browser, "chief", "/console/member/ada/remove", {"confirmed": "of before"})
    sign_in_again(browser, "chief")
    assert "Remove ada?" in shown(browser)
    assert web.get("/members/ada").status_code == 200
    send_too_late(web, browser, "chief", "/console/member/ada/change", {"full_name": "Typed", "username": "ada"})
    sign_in_again(browser, "second")
    assert (browser.last.status_code, browser.last.location) == (303, "/console/member/ada/change")
    # What another site sends is not kept, and what nobody here sealed is not read.
    end_sign_ins(web, "second")
    browser.send_form(ADD, {"username": "evil"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert 'name="unsent"' not in browser.last.text
    browser.send_form("/console/sign-in", {"username": "chief", "password": PASSWORD, "unsent": sealed_by_nobody()})
    assert (browser.last.status_code, browser.last.location) == (303, "/console/")


def sealed_by_nobody() -> str:
    return "WzEsIi9jb25zb2xlL21lbWJlcnMvYWRkIixbXV0.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"


def test_who_leaves_a_question_keeps_the_ticks_and_comes_back_to_where_it_was_asked(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    ada = web.bench.member("ada")
    web.bench.member("bea")
    borrow = issued_to(web.bench, ada, workstation("laptop")).borrow
    browser.send_form("/console/members/disable?type=Creator", {"usernames": ["ada", "bea"]})
    assert 'name="leave"' in browser.last.text
    browser.send_form("/console/members/disable?search=a", {"usernames": ["ada", "bea"], "confirmed": "x", "leave": "true"})
    assert browser.last.status_code == 200
    ticked = re.findall(r'name="usernames" value="(\w+)" checked', browser.last.text)
    assert (ticked, web.get("/members/ada").get_json()["disabled"]) == (["ada", "bea"], False)
    browser.get(f"/console/offline/{borrow.id}")
    asked = browser.fields("/console/offline/release")
    browser.send_form("/console/offline/release", asked | {"leave": "true"})
    assert (browser.last.status_code, browser.last.location) == (303, f"/console/offline/{borrow.id}")
    browser.send_form("/console/offline/release", {"ids": [borrow.id], "leave": "true"})
    assert f'value="{borrow.id}" checked' in browser.last.text
    browser.send_form("/console/member/ada/change", {"username": "ada", "full_name": "Typed", "leave": "true"})
    assert (browser.last.status_code, 'value="Typed"' in browser.last.text) == (200, True)
