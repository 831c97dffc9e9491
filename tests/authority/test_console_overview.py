"""The overview: its figures are those of the service, and each leads to its list."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import BorrowRefused
from authority.services import members
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser
from tests.support.connecting import started
from tests.support.html_pages import ConsolePage
from tests.support.web import Web, one_web


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Two are offline, one of them until tomorrow, one is connected, and one was refused."""
    for web in one_web(tmp_path_factory.mktemp("overview")):
        ada = web.bench.member("ada")
        issued_to(web.bench, ada, workstation("laptop"), days=1)
        issued_to(web.bench, web.bench.member("bob"), workstation("tablet"), days=20)
        # Days are counted at full hours.
        web.bench.clock.turn(hours=2)
        started(web.bench, ada, workstation("tower"), "arcgis-desktop")
        with pytest.raises(BorrowRefused):
            issued_to(web.bench, ada, workstation("another"))
        yield web


def text_of(html: str) -> str:
    return " ".join(ConsolePage(html).text.split())


def test_its_numbers_are_those_of_the_organization(web: Web) -> None:
    text = text_of(Browser(web).be(Role.ADMINISTRATOR).get("/console/").text)
    there = members.membership(Unit(web.bench.authority, CONSOLE))
    for words in (
        f"Members {there.current} of {there.maximum}",
        "Offline 2",
        "Due today 0",
        "Due this week 1",
        "Look stuck 0",
        "arcgis-desktop concurrent what is not used is left out Advanced 1 of 10 0 9",
        "arcgis-allsource named nothing of it is used",
        "already-borrowed: 1",
    ):
        assert words in text, text


def test_refusals_are_for_who_may_read_the_log(web: Web) -> None:
    text = text_of(Browser(web).be(Role.LICENSE_MANAGER).get("/console/").text)
    assert "Due this week 1" in text
    assert "Refused" not in text


def test_the_days_are_those_of_the_product_that_is_chosen(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    for query, product in (("", "arcgis-pro"), ("?product=arcgis-desktop", "arcgis-desktop"), ("?product=x", "arcgis-pro")):
        page = browser.get(f"/console/{query}").text
        assert f"Seats of {product} in use" in page
        assert f'<option value="{product}" selected>' in page
        assert ("<title>2026-03-02: 2</title>" in page) is (product == "arcgis-pro")


def test_every_day_until_the_last_end_has_its_place(web: Web) -> None:
    page = Browser(web).be(Role.ADMINISTRATOR).get("/console/").text
    ends = page[page.index("Borrows by the day on which they end") :]
    days = re.findall(r'<th scope="row">(2026-[\d-]+)</th><td class="number">(\d+)</td>', ends)
    assert (len(days), days[0], days[1], days[-1]) == (21, ("2026-03-02", "0"), ("2026-03-03", "1"), ("2026-03-22", "1"))


def test_who_may_not_open_it_is_led_to_a_page_of_theirs(web: Web) -> None:
    answer = Browser(web).be(Role.ANALYST).get("/console/")
    assert (answer.status_code, answer.location) in {(303, "/console/my-license"), (303, "/console/log"), (403, None)}
