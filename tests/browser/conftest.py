"""A real browser before a real server: what a page does wrong there fails the test in which it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from authority.domain.members import Role
from tests.connected.conftest import PASSWORD, Served, serve
from tools import browser
from tools.apt import NotHere

PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1280, "height": 900}
# A page that is busy for longer is stuck.
PATIENCE_MILLISECONDS = 20_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Where there is none and this user may install none, the test says that it was not run."""
    try:
        with browser.browser() as launched:
            yield launched
    except NotHere as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with an organization of one member of each role, named after it."""
    for server in serve(tmp_path_factory.mktemp("browser") / "authority"):
        for role in Role:
            server.member(role.value, role=role)
        yield server


@dataclass
class Person:
    """Somebody with a browser of their own; `faults` are what its console said, and what was asked of other hosts."""

    served: Served
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Goes to a page of the console."""
        self.page.goto(f"{self.served.url}{path}")

    def sign_in(self, username: str) -> None:
        """By name and password, as everybody."""
        self.open("/console/sign-in")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def press(self, name: str) -> None:
        """Presses the button with this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def download(self, name: str, path: Path) -> Path:
        """Presses the button or link with this name, and keeps the file that comes."""
        with self.page.expect_download() as coming:
            self.page.get_by_text(name, exact=True).click()
        coming.value.save_as(path)
        return path

    def reads(self, text: str) -> None:
        """The page has this text."""
        self.page.get_by_text(text).first.wait_for()


@dataclass
class Visitors:
    """Whoever comes to the console, each with a browser of their own."""

    served: Served
    chromium: Browser
    people: list[Person] = field(default_factory=list)

    def come(self, username: str | None = None, *, phone: bool = False, scripts: bool = True, dark: bool = False) -> Person:
        """Somebody new, signed in unless they are nobody."""
        context = self.chromium.new_context(
            viewport=PHONE if phone else SCREEN,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            locale="en-US",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        person = Person(self.served, context, context.new_page())
        self.people.append(person)
        host = urlsplit(self.served.url).netloc

        def note(request: Request) -> None:
            if urlsplit(request.url).netloc not in (host, ""):
                person.faults.append(f"asked {request.url}")

        context.on("request", note)
        # An answer that refuses is told to the console as well; that is no fault of a page.
        person.page.on(
            "console",
            lambda line: (
                person.faults.append(line.text)
                if line.type in ("error", "warning") and "Failed to load resource" not in line.text
                else None
            ),
        )
        person.page.on("pageerror", lambda error: person.faults.append(str(error)))
        if username is not None:
            person.sign_in(username)
        return person


@pytest.fixture
def visitors(served: Served, chromium: Browser) -> Iterator[Visitors]:
    """Nobody yet. At the end no page has said an error to the console or asked anything of another host."""
    visitors = Visitors(served, chromium)
    yield visitors
    for person in visitors.people:
        person.context.close()
    assert [fault for person in visitors.people for fault in person.faults] == []
