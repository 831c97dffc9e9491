"""The overview: its figures are those of the service, and each leads to its list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import BorrowRefused
from authority.services import endings, me, members
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
        "ArcGIS Desktop arcgis-desktop, concurrent what is not used is left out Advanced 1 of 10 0 9",
        "ArcGIS AllSource arcgis-allsource, named nothing of it is used",
        "the license is in use on another computer (already-borrowed): 1",
    ):
        assert words in text, text


def test_refusals_are_for_who_may_read_the_log(web: Web) -> None:
    text = text_of(Browser(web).be(Role.LICENSE_MANAGER).get("/console/").text)
    assert "Due this week 1" in text
    assert "Refused" not in text


def test_the_days_are_those_of_the_product_that_is_chosen(web: Web) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    for query, product, name in (
        ("", "arcgis-pro", "ArcGIS Pro"),
        ("?product=arcgis-desktop", "arcgis-desktop", "ArcGIS Desktop"),
    ):
        page = browser.get(f"/console/{query}").text
        assert f"Seats of {name} in use" in page
        assert f'<option value="{product}" selected>' in page
        assert ("<title>2026-03-02: 2</title>" in page) is (product == "arcgis-pro")
    unknown = browser.get("/console/?product=arcgis-por")
    assert (unknown.status_code, "There is arcgis-pro" in unknown.text, "<svg" in unknown.text) == (404, True, False)


def test_every_day_until_the_last_end_has_its_place(web: Web) -> None:
    page = Browser(web).be(Role.ADMINISTRATOR).get("/console/").text
    ends = page[page.index("Borrows by the day on which they end") :]
    days = re.findall(r'<th scope="row">(2026-[\d-]+)</th><td class="number">(\d+)</td>', ends)
    assert (len(days), days[0], days[1], days[-1]) == (21, ("2026-03-02", "0"), ("2026-03-03", "1"), ("2026-03-22", "1"))


def test_who_may_not_open_it_is_led_to_a_page_of_theirs(web: Web) -> None:
    answer = Browser(web).be(Role.ANALYST).get("/console/")
    assert (answer.status_code, answer.location) in {(303, "/console/my-license"), (303, "/console/log"), (403, None)}


def test_what_is_due_today_is_what_its_link_lists_at_every_hour_in_the_zone_of_the_reader(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, start = Browser(web).be(Role.ADMINISTRATOR), web.bench.clock.at
    numbers = {}
    for zone in ("", "Europe/Berlin", "nowhere/at all"):
        browser.client.set_cookie("carnet-zone", zone, path="/console/")
        for hour in range(0, 24, 3):
            monkeypatch.setattr(web.bench.clock, "at", start + timedelta(hours=hour))
            page = browser.get("/console/").text
            match = re.search(r'href="([^"]+due_before=[^"]+)">Due today</a>\s*<div>\D*>(\d+)<', page)
            assert match is not None
            html = browser.get(unescape(match[1])).text
            assert len(re.findall('name="ids"', html)) == int(match[2]), (zone, hour)
            numbers[zone, hour] = int(match[2])
    # It is 11:00 UTC at first, and the borrow ends at 09:00 on the next day.
    assert (numbers["", 12], numbers["", 15]) == (0, 1)
    assert (numbers["Europe/Berlin", 9], numbers["Europe/Berlin", 12], numbers["nowhere/at all", 12]) == (0, 1, 0)


def test_who_asks_to_download_what_is_revoked_and_what_did_not_come_back_lead_to_their_lists(tmp_path: Path) -> None:
    for web in one_web(tmp_path):
        bench, admin = web.bench, Unit(web.bench.authority, CONSOLE)
        ada = bench.member("ada", vendor_access=True)
        me.request_download(Unit(bench.authority, ada))
        bench.member("bob", vendor_access=True)
        lost = issued_to(bench, ada, workstation("laptop"), days=2).borrow
        issued_to(bench, bench.member("cyd"), workstation("tablet"), days=1)
        endings.revoke(admin, lost.id, "stolen")
        bench.clock.turn(hours=30)
        browser = Browser(web).be(Role.ADMINISTRATOR)
        page = browser.get("/console/").text
        text = text_of(page)
        for words, row in (
            ("Ask to download ▲ 1", "ada"),
            ("Revoked, seat taken 1", "ada"),
            ("Ended and not given back, in 30 days 1", "cyd"),
        ):
            assert words in text, text
            label = words.partition(" ▲")[0].rstrip(" 1")
            match = re.search(rf'href="([^"]+)">{label}</a>', page)
            assert match is not None
            names = re.findall(r'<th scope="row">\s*<a href="[^"]+">(\w+)</a>', browser.get(unescape(match[1])).text)
            assert names == [row], label
        assert "asks to download" in browser.get("/console/members").text
        assert [item["username"] for item in web.get("/members?download_permission=requested").get_json()["items"]] == ["ada"]
        assert [item["member"] for item in web.get("/offline?which=taken").get_json()["items"]] == ["ada"]
        assert web.get("/offline").get_json()["items"] == []


def test_a_refusal_leads_to_its_own_rows_of_the_last_day(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(web).be(Role.ADMINISTRATOR)
    match = re.search(
        r'href="([^"]+)">the license is in use on another computer \(already-borrowed\)</a>', browser.get("/console/").text
    )
    assert match is not None
    page = browser.get(unescape(match[1])).text
    assert page.count('<th scope="row">going offline refused</th>') == 1
    assert "already-borrowed" in page
    monkeypatch.setattr(web.bench.clock, "at", web.bench.clock.at + timedelta(hours=2))
    for other in ("reason=offline-not-allowed&kind=denial", "reason=already-borrowed&hours=1"):
        assert "<th scope" not in browser.get(f"/console/log?{other}").text.partition("<tbody>")[2], other
