"""The console's frame: signing in, cookies, forms of other sites, and what goes wrong as a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from authority.domain.members import Role
from tests.support.browsing import Browser, form_token
from tests.support.web import Web, one_web

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    for web in one_web(tmp_path_factory.mktemp("console")):
        web.bench.member("ada", password=PASSWORD)
        yield web


@pytest.fixture
def browser(web: Web) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(web)


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(browser: Browser) -> None:
    answer = browser.get("/console/members?role=analyst")
    assert (answer.status_code, answer.location) == (303, "/console/sign-in?next=/console/members?role%3Danalyst")
    token = form_token(browser.get(answer.location).text)
    body = {"form_token": token, "username": "ada", "password": PASSWORD}
    answer = browser.post(answer.location, body)
    assert (answer.status_code, answer.location) == (303, "/console/members?role=analyst")


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
    headers = {"X-Forwarded-Proto": "https"} if https else {}
    browser.sign_in("ada", PASSWORD, remember=remember, headers=headers)
    [cookie] = [line for line in browser.last.headers.getlist("Set-Cookie") if "carnet_si_" in line]
    words = cookie.split("; ")
    assert words[0].startswith("__Host-carnet=" if https else "carnet=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(words)
    assert ("Secure" in words) is https
    assert any(word.startswith("Max-Age=") for word in words) is remember


def test_over_https_a_cookie_that_another_host_could_have_set_is_not_taken(browser: Browser) -> None:
    browser.sign_in("ada", PASSWORD)
    assert browser.get("/console/sign-in").status_code == 200
    assert browser.get("/console/", headers={"X-Forwarded-Proto": "https"}).location.startswith("/console/sign-in")


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
