"""A real browser before a real server: what a page does wrong there fails the test in which it does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Error, Locator, Page, Request

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.oidc import Provider
from authority.services import overview
from authority.services.unit import Unit
from authority.web.oidc import ProviderClient
from tests.connected.conftest import PASSWORD, Laptop, RunningServer, serve
from tests.support.provider import RunningProvider, running_provider
from tools import browser
from tools.apt import NotHere

PHONE = {"width": 390, "height": 844}
SCREEN = {"width": 1280, "height": 900}
# A page that is busy for longer is stuck.
PATIENCE_MILLISECONDS = 60_000
# What has the focus has a line or a shine around it.
IS_MARKED = (
    "element => (({outlineStyle, boxShadow}) => outlineStyle !== 'none' || boxShadow !== 'none')(getComputedStyle(element))"
)
NUMBERS = itertools.count(1)
# Nobody presses a key more often than this to get anywhere.
MOST_TABS = 80
# A key that is pressed before a page is painted is dropped by the browser; two frames later it is.
IS_PAINTED = "() => new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)))"
# Who sees that nothing came presses the key again.
MOST_PRESSES = 12


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. Where there is none and this user may install none, the test says that it was not run."""
    try:
        with browser.browser() as launched:
            yield launched
    except NotHere as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """A provider of OpenID Connect beside the server."""
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: RunningProvider) -> Iterator[RunningServer]:
    """A server with an organization of one member of each role, named after it, who may sign in by the provider."""
    corporate = Provider("corp", "the company account", provider.issuer, "carnet", "a secret", match="preferred_username")

    def providers(url: str) -> list[ProviderClient]:
        return [ProviderClient(corporate, url, lambda: datetime.now(UTC))]

    for server in serve(tmp_path_factory.mktemp("browser") / "authority", providers):
        for role in Role:
            server.member(role.value, role=role)
        yield server


@dataclass
class Person:
    """Somebody with a browser of their own, who clicks; `faults` are what its console said, and what was asked of other hosts."""

    server: RunningServer
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Goes to a page of the console."""
        self.page.goto(f"{self.server.url}{path}")

    def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """By name and password, as everybody."""
        self.open("/console/sign-in")
        self.fill("User name", username)
        self.fill("Password", password)
        self.press("Sign in")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def visit(self, title: str) -> None:
        """Goes to a page by the menu, which is folded on a phone."""
        menu = self.page.get_by_text("Menu", exact=True)
        if menu.is_visible():
            self.click(menu)
        self.click(self.page.get_by_role("navigation").get_by_role("link", name=title, exact=True))
        self.page.get_by_role("heading", level=1, name=title).wait_for()

    def press(self, name: str) -> None:
        """Presses the button with this name."""
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        """Follows the link with this name."""
        self.click(self.page.get_by_role("main").get_by_role("link", name=name, exact=True))

    def unfold(self, text: str) -> None:
        """Opens what is folded under this text."""
        self.click(self.page.locator("summary").get_by_text(text, exact=True))

    def fill(self, label: str, text: str) -> None:
        """Types into the field with this label, in place of what is there."""
        self.type_into(self.labelled(label), text)

    def download(self, name: str, path: Path) -> Path:
        """Presses the first button or link with this name, and keeps the file that comes."""
        with self.page.expect_download() as coming:
            self.click(self.page.get_by_text(name, exact=True).first)
        coming.value.save_as(path)
        return path

    def reads(self, text: str) -> None:
        """The page has this text, and is no wider than the screen."""
        self.page.get_by_text(text).first.wait_for()
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{self.page.url} is too wide"

    def labelled(self, label: str) -> Locator:
        """The field with this label that can be seen."""
        return self.page.get_by_label(label, exact=True).filter(visible=True)

    # What the hands do.

    def click(self, target: Locator) -> None:
        """Presses a button, follows a link, or opens what is folded."""
        target.click()

    def type_into(self, target: Locator, text: str) -> None:
        """Types a text into a field, in place of what is there."""
        target.fill(text)

    def tick(self, label: str) -> None:
        """Ticks the box with this label."""
        self.labelled(label).check()

    def choose(self, label: str, option: str) -> None:
        """Chooses the option with this text."""
        self.labelled(label).select_option(label=option)

    def give(self, label: str, *files: Path) -> None:
        """Gives files in, in the field with this label."""
        self.labelled(label).set_input_files(files)


class Typist(Person):
    """Somebody who has a keyboard alone."""

    def reach(self, target: Locator) -> None:
        """Moves the focus by Tab until it is on the target, and sees that it can be seen there."""
        try:
            self._reach(target)
        except Error:
            # The page went while it was looked at: the next one has the target.
            self.page.wait_for_load_state()
            self._reach(target)

    def _reach(self, target: Locator) -> None:
        target.wait_for()
        # A key that is pressed while a page is still coming is lost.
        self.page.wait_for_load_state("networkidle")
        self.page.evaluate(IS_PAINTED)
        for _ in range(MOST_TABS):
            if target.evaluate("element => element === document.activeElement"):
                assert target.evaluate(IS_MARKED), f"the focus on {target} cannot be seen"
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"{target} is not reached by Tab")

    def click(self, target: Locator) -> None:
        self.reach(target)
        self.page.keyboard.press("Enter")

    def type_into(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def tick(self, label: str) -> None:
        self.reach(self.labelled(label))
        self.page.keyboard.press("Space")

    def choose(self, label: str, option: str) -> None:
        self.reach(self.labelled(label))
        self.page.keyboard.type(option)

    def give(self, label: str, *files: Path) -> None:
        for patience in itertools.repeat(PATIENCE_MILLISECONDS / MOST_PRESSES, MOST_PRESSES):
            self.reach(self.labelled(label))
            with suppress(Error), self.page.expect_file_chooser(timeout=patience) as coming:
                self.page.keyboard.press("Space")
                coming.value.set_files(files)
                return
        pytest.fail(f"no file can be chosen for {label} by the keyboard")


@dataclass
class Visitors:
    """Whoever comes to the console, each with a browser of their own."""

    server: RunningServer
    provider: RunningProvider
    chromium: Browser
    people: list[Person] = field(default_factory=list)

    def come(
        self,
        username: str | None = None,
        *,
        phone: bool = False,
        scripts: bool = True,
        dark: bool = False,
        keyboard: bool = False,
    ) -> Person:
        """Somebody new, signed in unless they are nobody."""
        context = self.chromium.new_context(
            viewport=PHONE if phone else SCREEN,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            locale="en-US",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        person = (Typist if keyboard else Person)(self.server, context, context.new_page())
        self.people.append(person)
        self._watch(person)
        if username is not None:
            person.sign_in(username)
        return person

    def _watch(self, person: Person) -> None:
        """Notes what the console says, what comes up by itself, and what is asked of other hosts."""
        own, providers = urlsplit(self.server.url).netloc, urlsplit(self.provider.issuer).netloc

        def asked(request: Request) -> None:
            # What the pages of the provider ask for is not ours.
            is_ours = urlsplit(request.frame.url).netloc != providers
            if is_ours and urlsplit(request.url).netloc not in (own, providers, ""):
                person.faults.append(f"asked {request.url}")

        def said(line: ConsoleMessage) -> None:
            # An answer that refuses is told to the console as well; that is no fault of a page.
            if line.type in ("error", "warning") and "Failed to load resource" not in line.text:
                person.faults.append(line.text)

        def came_up(dialog: Dialog) -> None:
            person.faults.append(f"said {dialog.message}")
            dialog.dismiss()

        person.context.on("request", asked)
        person.page.on("console", said)
        person.page.on("pageerror", lambda error: person.faults.append(str(error)))
        person.page.on("dialog", came_up)


# How each task is done: as most people do it, and where there is least of everything.
WAYS: dict[str, dict[str, bool]] = {"screen": {}, "phone without scripts": {"phone": True, "scripts": False}}
KEYBOARD: dict[str, bool] = {"keyboard": True}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def way(request: pytest.FixtureRequest) -> dict[str, bool]:
    """A way to do a task, for `Visitors.come`."""
    way: dict[str, bool] = request.param
    return way


@pytest.fixture
def member(server: RunningServer) -> Actor:
    """A member of whom nobody knew before, with a license of ArcGIS Pro."""
    return server.member(f"member-{next(NUMBERS)}")


@pytest.fixture
def laptop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> Laptop:
    """This machine without a line, which trusts the authority."""
    monkeypatch.delenv("CARNET_ROOTS", raising=False)
    laptop = Laptop(tmp_path / "laptop", capsys)
    trust = tmp_path / "organization.trust"
    trust.write_bytes(overview.trust_file(Unit(server.bench.authority, CONSOLE)))
    laptop.answer("install", str(trust))
    return laptop


@pytest.fixture
def visitors(server: RunningServer, provider: RunningProvider, chromium: Browser) -> Iterator[Visitors]:
    """Nobody yet. At the end no page has said an error to the console or asked anything of another host."""
    visitors = Visitors(server, provider, chromium)
    yield visitors
    for person in visitors.people:
        person.context.close()
    assert [fault for person in visitors.people for fault in person.faults] == []
