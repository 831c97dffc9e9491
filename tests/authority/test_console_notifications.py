"""The page Notifications: channels whose addresses nobody sees again, a test message, and what became of the last notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE, Role
from authority.domain.notices import NoticeSettings
from authority.services import channels, notifying, organization_settings
from authority.services.unit import Unit
from tests.support.authorities import make_bench
from tests.support.browsing import Browser
from tests.support.database_contents import contents
from tests.support.html_pages import ConsolePage
from tests.support.receivers import REFUSE, Receiver, webhook_receiver
from tests.support.web import Web, make_web

PAGE = "/console/notifications"
SECRET = "s3cret"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    bench = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    bench.authority = replace(bench.authority, warn_before=timedelta(days=3))
    yield make_web(bench)
    bench.authority.database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


@pytest.fixture
def chief(web: Web) -> Browser:
    return Browser(web).be(Role.ADMINISTRATOR)


def shown(browser: Browser) -> str:
    page = ConsolePage(browser.last.text)
    assert page.faults == []
    assert SECRET not in browser.last.text
    return " ".join(page.text.split())


def add(chief: Browser, address: str, **more: Any) -> str:
    """The page of a channel that was added by the form."""
    fields = {"name": "desk", "type": "webhook", "address": address, "digest": "none", "kinds": ["clone-suspected", "denials"]}
    chief.send_form(f"{PAGE}/add", fields | more)
    (channel,) = channels.listed(Unit(chief.web.bench.authority, CONSOLE))
    return f"{PAGE}/channel/{channel.id}"


def suspect_a_clone(web: Web, alias: str = "laptop") -> None:
    unit = Unit(web.bench.authority, CONSOLE)
    with unit.writing():
        unit.record(
            [Event(EventKind.CLONE_SUSPECTED, "ada", member="ada", product="p", handle="h", alias=alias, reason="twice")]
        )


def test_a_channel_is_added_with_its_secret_shown_once_and_tried(web: Web, chief: Browser, receiver: Receiver) -> None:
    chief.get(PAGE)
    assert "There is no channel" in shown(chief)
    chief.get(f"{PAGE}/add")
    assert "What goes to it" in shown(chief)
    path = add(chief, receiver.url)
    match = re.search(r'id="secret" value="(whsec_[^"]+)" readonly', chief.last.text)
    assert match is not None
    receiver.secret = match[1].replace("&#43;", "+")
    chief.send_form(f"{path}/test")
    assert "The message was taken" in shown(chief)
    assert [body["type"] for body in receiver.taken.values()] == ["notice.test"]
    receiver.script = [REFUSE]
    chief.send_form(f"{path}/test")
    assert "it answered 500" in shown(chief)
    for address in (PAGE, path):
        chief.get(address)
        assert "127.0.0.1" in shown(chief)
        assert match[1] not in chief.last.text


def test_what_is_wrong_is_said_beside_the_field_and_the_address_is_not_repeated(web: Web, chief: Browser) -> None:
    before = contents(web.bench.authority.database)
    for fields, words in (
        ({"address": f"http://elsewhere.example.org/{SECRET}"}, "begins with https"),
        ({"address": f"https://h.example.org/{SECRET}", "name": ""}, 'id="name-error"'),
        ({"address": f"https://h.example.org/{SECRET}", "to_members": "true"}, "mail alone"),
        ({"address": f"nothing://{SECRET}", "type": "apprise"}, "does not know"),
    ):
        chief.send_form(f"{PAGE}/add", {"name": "typed before", "type": "webhook", "digest": "slow", **fields})
        assert chief.last.status_code == 400, words
        assert words in shown(chief) + chief.last.text
    assert contents(web.bench.authority.database) == before


def test_a_channel_is_changed_and_removed_after_a_page_that_says_what_follows(web: Web, chief: Browser) -> None:
    path = add(chief, f"https://h.example.org/{SECRET}")
    chief.get(path)
    fields = chief.fields(path) | {"paused": "true", "kinds": ["denials"], "name": "night desk"}
    before = contents(web.bench.authority.database)
    chief.send_form(path, fields)
    text = shown(chief)
    for words in (
        "Change the channel desk?",
        "paused: no, from now on yes",
        "from now on denials",
        "name: desk, from now on night desk",
    ):
        assert words in text
    assert contents(web.bench.authority.database) == before
    assert chief.agree(path, fields).status_code == 303
    chief.send_form(path, fields | {"digest": "all"})
    assert chief.last.status_code == 412
    chief.send_form(f"{path}/address", {"address": f"https://other.example.org/{SECRET}"})
    chief.get(path)
    assert "https://other.example.org/…" in shown(chief)
    assert chief.agree(f"{path}/remove", {}).status_code == 303
    chief.get(PAGE)
    assert "There is no channel" in shown(chief)
    assert chief.get(path).status_code == 404
    assert SECRET not in str(contents(web.bench.authority.database))


def test_notices_stand_there_with_what_became_of_them_and_the_overview_warns(
    web: Web, chief: Browser, receiver: Receiver
) -> None:
    add(chief, receiver.url)
    receiver.script = [REFUSE] * 9
    suspect_a_clone(web, "<script>alert(1)</script>")
    notifying.run(web.bench.authority)
    chief.get(PAGE)
    text = shown(chief)
    for words in ("fails", "it answered 500", "waiting", "tried 1 time", "clone-suspected"):
        assert words in text
    chief.get("/console/")
    assert "Notices do not arrive" in shown(chief)
    assert PAGE in chief.last.text
    web_answer = web.get("/overview").get_json()["notices"]
    assert "it answered 500" in web_answer
    assert web.get("/overview", Role.LICENSE_MANAGER).get_json()["notices"] is None
    chief.get(f"{PAGE}?state=sent")
    assert "None is as you asked for" in shown(chief)
    chief.get(f"{PAGE}?kind=clone-suspected&state=waiting")
    assert "waiting" in shown(chief)


def test_the_settings_are_changed_unless_another_administrator_was_quicker(web: Web, chief: Browser) -> None:
    chief.get(f"{PAGE}/settings")
    fields = chief.fields(f"{PAGE}/settings")
    chief.send_form(f"{PAGE}/settings", fields | {"denials": "20"})
    chief.get(PAGE)
    assert "Denials: 10 -> 20" in shown(chief)
    organization_settings.change(Unit(web.bench.authority, CONSOLE), NoticeSettings, {"denials": 30})
    chief.send_form(f"{PAGE}/settings", fields | {"denials": "25"})
    assert chief.last.status_code == 412
    chief.send_form(f"{PAGE}/settings", {"digest_hour": "24"})
    assert chief.last.status_code == 400
    assert organization_settings.show(Unit(web.bench.authority, CONSOLE), NoticeSettings).denials == 30


def test_only_who_manages_the_authority_opens_it(web: Web) -> None:
    for role in Role:
        status = Browser(web).be(role).get(PAGE).status_code
        assert status == (200 if role is Role.ADMINISTRATOR else 403), role
