"""A browser without scripts: it keeps cookies, and sends the forms of pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from authority.domain.members import Role
from tests.support.html_pages import ConsolePage
from tests.support.web import Web

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


def form_token(html: str) -> str:
    """The token in the forms of a page."""
    match = TOKEN.search(html)
    assert match is not None, "there is no form on this page"
    return match[1]


def shown(browser: Browser) -> str:
    """The text of the last page, which keeps to the rules of pages."""
    page = ConsolePage(browser.last.text)
    assert page.faults == []
    return " ".join(page.text.split())


class _Form(HTMLParser):
    """The fields of the form of a page that goes to a path, by name, as a browser sends them."""

    def __init__(self, html: str, action: str) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, list[str]] = {}
        self._action, self._is_inside, self._select = action, False, ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = urlsplit(values.get("action", "")).path == self._action
        if not self._is_inside:
            return
        if tag == "select":
            self._select = values["name"]
        if tag == "option" and (self._select not in self.values or "selected" in values):
            # Without a selected one the first is.
            self.values[self._select] = [values.get("value", "")]
        is_box = values.get("type") in ("checkbox", "radio")
        if tag == "input" and values.get("name") and values.get("type") != "file" and (not is_box or "checked" in values):
            self.values.setdefault(values["name"], []).append(values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False


class Browser:
    """One browser with its own cookies."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.client = web.client.application.test_client()
        self.last: TestResponse

    def get(self, address: str, **more: Any) -> TestResponse:
        """Opens a page."""
        self.last = self.client.get(address, **more)
        return self.last

    def post(self, address: str, fields: dict[str, Any], **more: Any) -> TestResponse:
        """Sends these fields as they are."""
        self.last = self.client.post(address, data=fields, **more)
        return self.last

    def send_form(self, address: str, fields: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Sends a form with the token that the pages of this browser have."""
        same = {name: value for name, value in more.items() if name in ("headers", "base_url")}
        token = form_token(self.client.get("/console/sign-in", **same).text)
        return self.post(address, {"form_token": token, **(fields or {})}, **more)

    def fields(self, action: str) -> dict[str, list[str]]:
        """What the form of the last page that goes to this path sends when nothing in it is changed, but for its token."""
        form = _Form(self.last.text, action).values
        assert form, f"no form goes to {action}"
        return {name: values for name, values in form.items() if name != "form_token"}

    def agree(self, address: str, fields: dict[str, Any], answers: dict[str, Any] | None = None) -> TestResponse:
        """Sends a form, sees the page that asks, and presses its button with what is asked for there."""
        self.send_form(address, fields)
        match = re.search(r'name="confirmed" value="([^"]+)"', self.last.text)
        assert match is not None, self.last.text
        return self.send_form(address, {**fields, **(answers or {}), "confirmed": match[1]})

    def sign_in(self, username: str, password: str, *, remember: bool = False, next: str = "", **more: Any) -> None:  # noqa: A002
        """Signs in by the form."""
        fields = {"username": username, "password": password, **({"remember": "true"} if remember else {})}
        self.send_form(f"/console/sign-in?next={next}", fields, **more)
        assert self.last.status_code == 303, self.last.text

    def be(self, role: Role | None) -> Browser:
        """Signed in as the member of the role, without the form and its slow digest; None is nobody."""
        self.client.delete_cookie("carnet")
        if role is not None:
            self.client.set_cookie("carnet", self.web.sign_ins[role])
        return self

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, None when there is none."""
        cookie = self.client.get_cookie(name)
        return None if cookie is None else cookie.value
