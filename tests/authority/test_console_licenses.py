"""The page Licenses: seats and what blocks a product, who holds what, and giving and taking it with what follows first."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import authorizations, licenses
from authority.services.licenses import Wish
from authority.services.unit import Unit
from tests.support.authorities import authorization_text, make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.web import Web, make_web

LICENSES, PRO = "/console/licenses", "arcgis-pro"
NAMES = ("ada", "bea", "cyd")


def made(folder: Path) -> Iterator[Web]:
    """Ada is offline with what her type brought; bea, a creator, holds nothing; cyd holds Basic."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    web = make_web(bench)
    issued_to(bench, bench.member("ada"), workstation("field"), days=9)
    bench.member("bea", user_type="Creator")
    bench.member("cyd", user_type="Creator")
    licenses.assign(Unit(bench.authority, CONSOLE), "cyd", PRO, "Basic", ("3DAnalyst",))
    yield web
    bench.authority.database.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """For tests that change nothing."""
    yield from made(tmp_path_factory.mktemp("licenses"))


@pytest.fixture
def own_web(tmp_path: Path) -> Iterator[Web]:
    """For a test that changes something."""
    yield from made(tmp_path)


def held(web: Web) -> dict[str, list[str]]:
    """What the three hold of the product."""
    rows = web.get(f"/assignments?product={PRO}").get_json()["items"]
    return {row["member"]: [row["level"], *row["extensions"]] for row in rows if row["member"] in NAMES}


def test_seats_and_who_holds_what_with_filters_and_as_csv(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    chief.get(LICENSES)
    text = shown(chief)
    assert "Seats" in text
    assert "Nothing is licensed" not in text
    for query, expected in (
        ("", set(NAMES)),
        ("search=be", {"bea"}),
        (f"product={PRO}", {"ada", "cyd"}),
        (f"product={PRO}&type=Creator", {"cyd"}),
        ("product=arcgis-allsource", set()),
    ):
        chief.get(f"{LICENSES}?{query}")
        assert {name for name in NAMES if f'value="{name}"' in chief.last.text} == expected, query
        assert ("Nobody fits these filters" in shown(chief)) is (expected == set()), query
        rows = list(csv.DictReader(chief.get(f"{LICENSES}.csv?{query}").text.splitlines()))
        assert {row["username"] for row in rows} & set(NAMES) == expected, query
        assert all(row[PRO] == "Basic; 3DAnalyst" for row in rows if row["username"] == "cyd" and PRO in row), query
    seats = list(csv.DictReader(chief.get(f"{LICENSES}/availability.csv").text.splitlines()))
    assert [row["used"] for row in seats if (row["product"], row["feature"]) == (PRO, "Basic")] == ["1"]


def test_what_is_wrong_with_a_filter_or_a_choice_is_said_and_nothing_is_lost(web: Web) -> None:
    chief = Browser(web).be(Role.LICENSE_MANAGER)
    assert chief.get(f"{LICENSES}?product=maps").status_code == 404
    assert "maps" in shown(chief)
    before = contents(web.bench.authority.database)
    for fields, status, words in (
        ({"product": PRO}, 400, "Tick at least one member"),
        ({"product": PRO, "usernames": "bea"}, 400, "Say which level"),
        ({"product": "arcgis-desktop", "usernames": "bea"}, 400, "concurrent-use"),
        ({"product": PRO, "usernames": "nobody", f"level.{PRO}": "Basic"}, 404, "There is no member"),
    ):
        answer = chief.send_form(f"{LICENSES}/assign?search=b", fields)
        assert (answer.status_code, words in shown(chief)) == (status, True), fields
    assert 'value="bea"' in answer.text
    assert chief.send_form(f"{LICENSES}/unassign", {"product": PRO, "usernames": "bea"}).status_code == 404
    assert contents(web.bench.authority.database) == before


def test_licenses_are_given_and_taken_after_what_follows_was_seen(own_web: Web) -> None:
    chief = Browser(own_web).be(Role.LICENSE_MANAGER)
    wish: dict[str, Any] = {
        "usernames": ["bea", "cyd", "ada", "nobody"],
        "product": PRO,
        f"level.{PRO}": "Standard",
        "level.arcgis-allsource": "Basic",
        f"extensions.{PRO}": ["NetworkAnalyst"],
        f"how.{PRO}": "exactly",
    }
    before = held(own_web)
    chief.send_form(f"{LICENSES}/assign", wish)
    text = shown(chief)
    assert "Assign a license to 3 members?" in text
    assert "cyd: given: NetworkAnalyst, Standard; taken: 3DAnalyst, Basic" in text
    assert 'Left out: nobody: there is no member "nobody"' in text
    assert held(own_web) == before
    chief.agree(f"{LICENSES}/assign", wish)
    assert "3 of 4 given the license" in shown(chief)
    assert held(own_web) == {name: ["Standard", "NetworkAnalyst"] for name in NAMES}
    # Names that are ticked are added to what is held, or taken from it.
    add = {"usernames": "cyd", "product": PRO, f"extensions.{PRO}": "3DAnalyst"}
    assert chief.agree(f"{LICENSES}/assign", add).status_code == 303
    chief.get(chief.last.location)
    assert "cyd is given the license. Given: 3DAnalyst." in shown(chief)
    chief.agree(f"{LICENSES}/assign", {**add, f"how.{PRO}": "remove"})
    assert held(own_web)["cyd"] == ["Standard", "NetworkAnalyst"]

    loss = {"usernames": ["ada", "bea"], "product": PRO}
    chief.send_form(f"{LICENSES}/unassign", loss)
    assert "a borrow is out until 2026-03-11 09:00 UTC and stays good" in shown(chief)
    # Somebody else is quicker with one of them: the page asks again.
    confirmed = chief.last.text.partition('name="confirmed" value="')[2].partition('"')[0]
    licenses.unassign(Unit(own_web.bench.authority, CONSOLE), ["bea"], PRO)
    chief.send_form(f"{LICENSES}/unassign", {**loss, "confirmed": confirmed})
    assert "Look again" in shown(chief)
    assert held(own_web).keys() == {"ada", "cyd"}
    chief.agree(f"{LICENSES}/unassign", loss)
    assert "1 of 2 without the license" in shown(chief)
    assert held(own_web).keys() == {"cyd"}


def test_a_product_of_which_more_is_used_than_licensed_stands_on_top_with_what_mends_it(own_web: Web) -> None:
    bench = own_web.bench

    def fewer(specification: dict[str, Any]) -> None:
        specification["products"][0]["seats"] = {"Basic": 1, "Standard": 0, "Advanced": 50}

    licenses.assign_many(Unit(bench.authority, CONSOLE), [Wish("bea", PRO, "Basic", ()), Wish("ada", PRO, "Basic", ())])
    text = authorization_text(bench.authority, bench.root, bench.clock(), seq=2, change=fewer)
    file = f'{{"carnet": "authorization", "version": 1, "authorization": "{text}"}}'
    authorizations.install(Unit(bench.authority, CONSOLE), file.encode())
    chief = Browser(own_web).be(Role.ADMINISTRATOR)
    chief.get(LICENSES)
    assert "nobody can start or borrow ArcGIS Pro until it is corrected: Basic 3 of 1 (2 too many)" in shown(chief)
    assert f'href="{LICENSES}?product={PRO}&amp;feature=Basic#usernames"' in chief.last.text
    # It leads to exactly those who hold it.
    chief.get(f"{LICENSES}?product={PRO}&feature=Basic")
    rows = re.findall(r'name="usernames" value="([^"]+)"', chief.last.text)
    assert (rows, "3 members" in shown(chief)) == (["ada", "bea", "cyd"], True)
    assert '?product=arcgis-pro&amp;feature=Basic">Look who holds them' in chief.get("/console/").text
    chief.agree(f"{LICENSES}/unassign", {"usernames": ["bea", "cyd"], "product": PRO})
    chief.get(LICENSES)
    assert "nobody can start" not in shown(chief)
