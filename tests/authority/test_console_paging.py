"""Long lists of the console: forwards and backwards by the same addresses, each page with its place among all."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority.domain.members import Role
from authority.services import log
from authority.web.console import activity, licenses, members, offline
from authority.web.console import log as log_page
from tests.support.authorities import make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser
from tests.support.web import make_web

ON_A_PAGE, CREW = 3, 8


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """An administrator's, where eight are offline, two of them since the same second, on pages of three rows."""
    folder: Path = tmp_path_factory.mktemp("paging")
    bench = make_bench(f"sqlite:///{folder / 'paging.db'}", folder / "home")
    for number in range(CREW):
        issued_to(bench, bench.member(f"crew{number}", full_name=f"Crew {number % 3}"), workstation(f"laptop-{number}"))
        bench.clock.turn(hours=number % 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "LONGEST_PAGE", ON_A_PAGE)
        for module in (licenses, offline, activity, log_page):
            patch.setattr(module, "ON_A_PAGE", ON_A_PAGE)
        yield Browser(make_web(bench)).be(Role.ADMINISTRATOR)
    bench.authority.database.close()


def step(page: str, rel: str) -> str | None:
    link = re.search(rf'<a rel="{rel}" href="([^"]+)">', page)
    return None if link is None else html.unescape(link[1])


def rows_of(page: str) -> list[str]:
    return re.findall(r"<tr>.*?</tr>", page[page.rindex("<caption") :], re.DOTALL)[1:]


@pytest.mark.parametrize(
    ("address", "noun"),
    [
        ("/console/members?sort=-full_name", "members"),
        ("/console/members?search=crew", "members"),
        ("/console/licenses?product=arcgis-pro", "members"),
        ("/console/activity?product=arcgis-pro", "members"),
        ("/console/activity?product=arcgis-pro&state=red&search=crew", "members"),
        ("/console/offline?", "licenses"),
        ("/console/offline?sort=newest&search=crew", "licenses"),
        ("/console/log?kind=member-added", "events"),
        ("/console/log?kind=checkout&oldest=true", "events"),
    ],
)
def test_a_list_is_gone_through_forwards_and_backwards_by_the_same_addresses(browser: Browser, address: str, noun: str) -> None:
    there: list[tuple[str, list[str]]] = []
    totals = set()
    following: str | None = address
    while following is not None:
        page = browser.get(following).text
        there.append((following, rows_of(page)))
        first, last = ON_A_PAGE * (len(there) - 1) + 1, ON_A_PAGE * (len(there) - 1) + len(there[-1][1])
        place = re.search(rf"{first} to {last} of (\d+) {noun}", page)
        assert place is not None, (following, page)
        totals.add(int(place[1]))
        following = step(page, "next")
    number = sum(len(rows) for _, rows in there)
    assert (totals, len({row for _, rows in there for row in rows})) == ({number}, number)
    assert number >= CREW
    back = [there[-1]]
    while (before := step(page, "prev")) is not None:
        page = browser.get(before).text
        back.append((before, rows_of(page)))
    assert [rows for _, rows in back] == [rows for _, rows in reversed(there)]
    # But for the first page they have the addresses that they had on the way there.
    assert [sent for sent, _ in back][:-1] == [sent for sent, _ in reversed(there)][:-1]


def test_of_a_log_that_is_too_long_to_count_it_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_COUNTED", 9)
    page = browser.get("/console/log").text
    assert "3 of at least 9 events" in page
    assert step(browser.get(step(page, "next") or "").text, "prev") == "/console/log"
