"""The page Offline: who is out and what looks stuck, ending one and many, and the file again."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import borrow, member_changes
from authority.services.member_changes import Change
from authority.services.unit import Unit
from tests.support.authorities import make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.filling import Filling, now_out, room_for
from tests.support.html_pages import ConsolePage
from tests.support.web import Web, make_web
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.identity import OsUser

OFFLINE = "/console/offline"


def made(folder: Path) -> Iterator[Web]:
    """Three who are offline: ada for a short while, bea and cyd for longer; bea is disabled since."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    web = make_web(bench)
    for name, days in (("ada", 2), ("bea", 20), ("cyd", 30)):
        actor = bench.member(name, groups=("crew",) if name == "ada" else ())
        issued_to(bench, actor, workstation(f"{name}-laptop"), days=days)
    member_changes.change(Unit(bench.authority, CONSOLE), "bea", Change(disabled=True))
    yield web
    bench.authority.database.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """For tests that change nothing."""
    yield from made(tmp_path_factory.mktemp("offline"))


@pytest.fixture
def chief(web: Web) -> Browser:
    return Browser(web).be(Role.ADMINISTRATOR)


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Web]:
    """For a test that changes something."""
    yield from made(tmp_path)


def ids(web: Web) -> dict[str, str]:
    """The borrow of each member."""
    return {item["member"]: item["id"] for item in web.get("/borrows").get_json()["items"]}


def states(web: Web) -> dict[str, str]:
    return {item["member"]: item["state"] for item in web.get("/borrows").get_json()["items"]}


def test_the_list_says_who_until_when_the_last_sign_and_why_it_looks_stuck(chief: Browser) -> None:
    chief.get(OFFLINE)
    text = shown(chief)
    assert text.index("ada") < text.index("bea") < text.index("cyd")
    assert "ada-laptop" in text
    assert "2026-03-04 09:00 UTC" in text
    assert text.count("look into it") == 1
    assert "its member is disabled" in text


def test_filters_are_in_the_address_and_the_table_has_the_same(web: Web, chief: Browser) -> None:
    for query, expected in (
        ("member=ada", {"ada"}),
        ("group=crew", {"ada"}),
        ("machine=CYD-", {"cyd"}),
        ("due_within=21", {"ada", "bea"}),
        ("stuck=true", {"bea"}),
        ("clones=true", set()),
        ("type=Creator", set()),
        ("search=EA", {"bea"}),
        ("search=cre", {"ada"}),
        ("due_before=2026-03-22T09:00:01Z", {"ada", "bea"}),
        ("which=revoked", set()),
        ("product=arcgis-pro&sort=newest", {"ada", "bea", "cyd"}),
    ):
        chief.get(f"{OFFLINE}?{query}")
        text = shown(chief)
        assert {name for name in ("ada", "bea", "cyd") if f"{name}-laptop" in text} == expected, query
        assert ("Nothing fits these filters" in text) is (expected == set()), query
        rows = list(csv.DictReader(chief.get(f"{OFFLINE}.csv?{query}").text.splitlines()))
        assert {row["member"] for row in rows} == expected, query
    assert chief.last.headers["Content-Disposition"] == 'attachment; filename="offline.csv"'
    assert {row["member"]: row["stuck_because"] for row in rows}["bea"] == "its member is disabled"


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [("member=nobody", 404, 'There is no member "nobody"'), ("due_within=soon", 400, "whole number")],
)
def test_a_filter_that_is_wrong_is_said_beside_its_field_and_stays(chief: Browser, query: str, status: int, words: str) -> None:
    assert chief.get(f"{OFFLINE}?{query}").status_code == status
    assert words in shown(chief)
    assert 'value="{}"'.format(query.partition("=")[2]) in chief.last.text
    assert 'aria-invalid="true"' in chief.last.text


def test_nobody_offline_teaches_how_a_borrow_begins(web: Web, chief: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.bench.clock, "at", web.bench.clock.at + timedelta(days=60))
    chief.get(OFFLINE)
    assert "Nobody is offline" in shown(chief)
    assert "carnet request PRODUCT -o FILE" in shown(chief)


def test_a_release_asks_says_until_when_a_copy_runs_and_wants_a_reason_and_a_tick(own_web: Web) -> None:
    web, chief = own_web, Browser(own_web).be(Role.ADMINISTRATOR)
    fields, before = {"ids": ids(web)["ada"]}, contents(web.bench.authority.database)
    chief.send_form(f"{OFFLINE}/release", fields)
    text = shown(chief)
    assert "Release 1 borrow?" in text
    assert "ada, ArcGIS Pro Advanced on ada-laptop: a copy may run until 2026-03-04 09:00 UTC" in text
    for more, code, field in (
        ({}, "invalid-input", "reason"),
        ({"reason": "lost on a train"}, "overlap-not-accepted", "accept_overlap"),
    ):
        answer = chief.agree(f"{OFFLINE}/release", fields, more)
        assert (answer.status_code >= 400, code in shown(chief)) == (True, True)
        assert f'id="{field}-error"' in answer.text
    assert 'value="lost on a train"' in chief.last.text
    assert contents(web.bench.authority.database) == before
    answer = chief.agree(f"{OFFLINE}/release", fields, {"reason": "lost on a train", "accept_overlap": "true"})
    assert answer.status_code == 303
    chief.get(answer.location)
    text = shown(chief)
    assert "ada, ArcGIS Pro Advanced on ada-laptop is released. Its seat is free." in text
    assert "lost on a train" in text
    assert states(web)["ada"] == "released"


def test_many_are_ended_at_once_and_each_has_its_outcome(own_web: Web) -> None:
    web, chief = own_web, Browser(own_web).be(Role.ADMINISTRATOR)
    borrows = ids(web)
    fields = {"ids": [borrows["ada"], borrows["bea"], "x" * 22], "reason": "audit"}
    chief.send_form(f"{OFFLINE}/revoke?sort=newest", fields)
    text = shown(chief)
    assert "Revoke 2 borrows?" in text
    assert "Left out: there is no borrow" in text
    assert chief.last.text.count('name="ids"') == 3
    assert chief.agree(f"{OFFLINE}/revoke?sort=newest", fields).status_code == 200
    text = shown(chief)
    assert "2 of 3 revoked" in text
    assert "not-found" in text
    assert f'{OFFLINE}?sort=newest"' in chief.last.text
    assert states(web) == {"ada": "revoked", "bea": "revoked", "cyd": "active"}
    # They stay in the list while their seats are taken.
    assert "revoked, seat taken" in chief.get(OFFLINE).text
    assert "3 licenses" in shown(chief)
    assert f'href="{OFFLINE}/{borrows["cyd"]}"' not in chief.get(f"{OFFLINE}?which=revoked").text
    assert "2 licenses" in shown(chief)
    # A revoked borrow holds its seat, which can still be freed.
    chief.get(f"{OFFLINE}/{borrows['ada']}")
    assert "Release …" in shown(chief)
    assert chief.send_form(f"{OFFLINE}/revoke", {"ids": borrows["ada"]}).status_code == 409


def test_the_button_of_a_row_ends_that_row_alone_whatever_is_ticked(own_web: Web) -> None:
    web, chief = own_web, Browser(own_web).be(Role.ADMINISTRATOR)
    borrows = ids(web)
    fields = {"ids": [borrows["ada"], borrows["bea"]], "only": borrows["cyd"], "reason": "lost", "accept_overlap": "true"}
    assert chief.agree(f"{OFFLINE}/release", fields).status_code == 303
    assert states(web) == {"ada": "active", "bea": "active", "cyd": "released"}


def test_after_a_revocation_the_list_to_carry_is_the_next_step(own_web: Web) -> None:
    web, chief = own_web, Browser(own_web).be(Role.ADMINISTRATOR)
    answer = chief.agree(f"{OFFLINE}/revoke", {"ids": ids(web)["ada"], "reason": "audit"})
    chief.get(answer.location)
    text = shown(chief)
    assert "Carry a new status list to that machine" in text
    file = chief.send_form("/console/exchange/status", chief.fields("/console/exchange/status"))
    assert file.headers["Content-Disposition"].endswith('.status"')


def test_a_thousand_are_all_named_before_they_are_ended_and_weigh_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = make_web(make_bench(f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "home", change=room_for(1001)))
    with web.bench.authority.database.write() as connection:
        filling = Filling(web.bench.authority, connection, 1001)
        filling.add_members()
        filling.add_borrows(range(1000), now_out)
    chief = Browser(web).be(Role.ADMINISTRATOR)
    borrows = [item["id"] for item in web.get("/borrows?limit=1000").get_json()["items"]]
    chief.client.set_cookie("carnet-zone", "Europe/Berlin", path="/console/")
    fields = {"ids": borrows, "reason": "audit", "accept_overlap": "true"}
    page = chief.send_form(f"{OFFLINE}/release", fields).text
    assert all(f"member{number}, ArcGIS" in page for number in range(1000))
    assert len(page.encode()) < 150_000, len(page)
    assert ConsolePage(page).faults == []
    # What this page sends is what was ticked, and when the last of them is another by now it is seen.
    sent = chief.fields("")
    assert sent["packed.ids"][0].splitlines() == borrows
    web.post(f"/borrows/{borrows[-1]}/release", {"reason": "x", "accept_overlap": True})
    assert "Look again" in chief.send_form(f"{OFFLINE}/release", {**sent, "reason": "audit", "accept_overlap": "true"}).text
    web.bench.authority.database.close()


def test_without_a_tick_the_list_says_so(chief: Browser) -> None:
    assert chief.send_form(f"{OFFLINE}/revoke?member=ada").status_code == 400
    text = shown(chief)
    assert "Tick at least one of the rows" in text
    assert "ada-laptop" in text
    assert "cyd-laptop" not in text


def test_the_file_comes_again_byte_for_byte(web: Web, chief: Browser) -> None:
    borrow_id = ids(web)["ada"]
    chief.get(f"{OFFLINE}/{borrow_id}/file")
    assert chief.last.data == borrow.newest_file(Unit(web.bench.authority, CONSOLE), borrow_id)
    assert chief.last.headers["Content-Disposition"] == 'attachment; filename="ada-arcgis-pro.borrow"'


def test_a_license_manager_sees_and_ends_nothing(web: Web) -> None:
    browser, borrow_id = Browser(web).be(Role.LICENSE_MANAGER), ids(web)["ada"]
    browser.get(OFFLINE)
    assert "Release" not in shown(browser)
    browser.get(f"{OFFLINE}/{borrow_id}")
    assert "Release" not in shown(browser)
    fields = {"ids": borrow_id, "reason": "x", "accept_overlap": "true"}
    assert browser.send_form(f"{OFFLINE}/release", fields).status_code == 403
    assert states(web)["ada"] == "active"


def test_a_machine_that_may_be_two_is_flagged(own_web: Web) -> None:
    web, chief = own_web, Browser(own_web).be(Role.ADMINISTRATOR)
    laptop = workstation("twin")
    actor = web.bench.member("eve")
    issued_to(web.bench, actor, laptop)
    laptop.requests = 0
    issued_to(web.bench, actor, laptop)
    chief.get(f"{OFFLINE}?clones=true")
    assert "there may be two of the machine" in shown(chief)
    chief.get(f"{OFFLINE}/{ids(web)['eve']}")
    assert "There may be two of this machine" in shown(chief)
    # The same machine with another key: its sentence has a time, which is that of the reader.
    fay = web.bench.member("fay")
    issued_to(web.bench, fay, workstation("anew"))
    web.bench.clock.turn(hours=1)
    issued_to(web.bench, fay, SimulatedWorkstation("anew", OsUser("uid:1000", "anew")), "arcgis-desktop", days=3)
    chief.client.set_cookie("carnet-zone", "Europe/Berlin", path="/console/")
    chief.get(f"{OFFLINE}?stuck=true")
    assert re.search(r"with another machine key at [-0-9]+ 11:00: it was set up anew", shown(chief)), shown(chief)
