"""The page Activity: the marks, the sessions of each, and ending them with time to save."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority.domain.members import Role
from tests.support.authorities import make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.connecting import started
from tests.support.database_contents import contents
from tests.support.web import Web, make_web

ACTIVITY = "/console/activity"
NAMES = ("ada", "bea", "cyd")


def made(folder: Path) -> Iterator[Web]:
    """Ada is at two computers, bea is offline, and cyd was at work an hour ago."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    web = make_web(bench)
    ada, bea, cyd = (bench.member(name, groups=("crew",) if name == "bea" else ()) for name in NAMES)
    started(bench, cyd, workstation("shed"))
    bench.clock.turn(hours=1)
    issued_to(bench, bea, workstation("field"), days=9)
    started(bench, ada, workstation("tower"))
    started(bench, ada, workstation("tent"))
    yield web
    bench.authority.database.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """For tests that change nothing."""
    yield from made(tmp_path_factory.mktemp("activity"))


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Web]:
    """For a test that changes something."""
    yield from made(tmp_path)


def ids(web: Web) -> dict[str, str]:
    """The sessions that are active, by computer."""
    return {item["machine"]["alias"]: item["id"] for item in web.get("/sessions").get_json()["items"]}


def table(browser: Browser) -> str:
    return browser.last.text.partition("<tbody>")[2]


def test_the_marks_have_words_and_each_session_its_computer_and_times(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    browser.get(ACTIVITY)
    shown(browser)
    rows = {name: table(browser).split(f">{name}")[1].partition("</tbody>")[0] for name in NAMES}
    assert "in use" in rows["ada"]
    assert "tower" in rows["ada"]
    assert "tent" in rows["ada"]
    assert rows["ada"].count('name="ids"') == 2
    assert "2026-03-02 10:30 UTC" in rows["ada"]
    assert "offline" in rows["bea"]
    assert "field" in rows["bea"]
    assert "in use" not in rows["cyd"]
    assert "2026-03-02 09:00 UTC" in rows["cyd"]


def test_filters_are_in_the_address_and_the_table_has_the_same(web: Web) -> None:
    browser = Browser(web).be(Role.LICENSE_MANAGER)
    for query, expected in (
        ("search=ADA", {"ada"}),
        ("state=red", {"bea"}),
        ("state=green&product=arcgis-pro", {"ada"}),
        ("group=crew", {"bea"}),
        ("product=arcgis-desktop", set()),
        ("unused_for=9", set()),
    ):
        browser.get(f"{ACTIVITY}?{query}")
        shown(browser)
        assert {name for name in NAMES if f">{name}" in table(browser)} == expected, query
        rows = list(csv.DictReader(browser.get(f"{ACTIVITY}.csv?{query}").text.splitlines()))
        assert {row["member"] for row in rows} & set(NAMES) == expected, query
    assert browser.get(f"{ACTIVITY}?group=none").status_code == 404
    assert 'value="none"' in browser.last.text
    shown(browser)


def test_ending_says_the_minutes_to_save_and_then_until_when(own_web: Web) -> None:
    browser, before = Browser(own_web).be(Role.ADMINISTRATOR), contents(own_web.bench.authority.database)
    fields = {"ids": ids(own_web)["tower"]}
    browser.send_form(f"{ACTIVITY}/end?state=green", fields)
    text = shown(browser)
    assert "End 1 session?" in text
    assert "ArcGIS Pro on tower" in text
    assert "has 60 minutes to save" in text
    assert "to save: 2026-03-02 11:00 UTC, 60 minutes from now. The license ends when" in text
    assert "10:30 UTC" in text
    assert contents(own_web.bench.authority.database) == before
    answer = browser.agree(f"{ACTIVITY}/end?state=green", fields)
    assert answer.location == f"{ACTIVITY}?state=green"
    browser.get(answer.location)
    assert "The session of ada, ArcGIS Pro on tower, is ended. ada has until 2026-03-02 11:00 UTC to save" in shown(browser)
    assert "tower</td>" not in browser.last.text
    assert browser.send_form(f"{ACTIVITY}/end", fields).status_code == 409


def test_several_end_each_with_its_outcome(own_web: Web) -> None:
    browser = Browser(own_web).be(Role.ADMINISTRATOR)
    fields = {"ids": [ids(own_web)["tower"], ids(own_web)["tent"], "x" * 22]}
    assert browser.agree(f"{ACTIVITY}/end", fields).status_code == 200
    text = shown(browser)
    assert "2 of 3 sessions ended" in text
    assert "not-found" in text


def test_without_a_tick_or_the_right_nothing_ends(web: Web) -> None:
    before = contents(web.bench.authority.database)
    browser = Browser(web).be(Role.ADMINISTRATOR)
    assert browser.send_form(f"{ACTIVITY}/end").status_code == 400
    assert "Tick at least one session" in shown(browser)
    manager = Browser(web).be(Role.LICENSE_MANAGER)
    manager.get(ACTIVITY)
    assert 'name="ids"' not in manager.last.text
    assert manager.send_form(f"{ACTIVITY}/end", {"ids": ids(web)["tower"]}).status_code == 403
    assert contents(web.bench.authority.database) == before
