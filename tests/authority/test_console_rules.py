"""The page Rules: the switch, what is in effect and why, rules about offline use and concurrent seats, with what follows first."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authority.domain import list_age
from authority.domain.members import CONSOLE, Role
from authority.services import policies
from authority.services.unit import Unit
from tests.support.authorities import make_bench
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.web import Web, make_web

RULES, DESKTOP = "/console/rules", "arcgis-desktop"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """Ada is in a crew that may go for 60 days."""
    bench = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    made = make_web(bench)
    bench.member("ada", groups=("crew",))
    policies.change(Unit(bench.authority, CONSOLE), "group", "crew", "", allowed=None, longest_days=60, default_days=None)
    yield made
    bench.authority.database.close()


def rules(web: Web) -> dict[str, Any]:
    """The rules there are, by level and subject."""
    return {f"{item['level']} {item['subject']}".strip(): item for item in web.get("/policies").get_json()["items"]}


def test_the_rule_in_effect_is_shown_with_the_way_to_it(web: Web) -> None:
    manager = Browser(web).be(Role.LICENSE_MANAGER)
    manager.get(f"{RULES}?member=ADA&product=arcgis-pro")
    text = shown(manager)
    assert "ada ● may take ArcGIS Pro offline for at most 60 days, 7 where nobody says how long" in text
    assert "member none; group crew: 60 days; capped by authorization 365: 60" in text
    for words in ("Set a rule", "New rule", "Remove"):
        assert words not in text, "a license manager changes no rule"
    for query, status, words in (
        ("member=nobody&product=arcgis-pro", 404, 'There is no member "nobody"'),
        ("member=ada&product=maps", 404, "maps"),
        ("level=nothing", 400, "level"),
        ("level=member", 200, "No rule of this level"),
        ("cursor=x", 400, "Begin again"),
    ):
        manager.get(f"{RULES}?{query}")
        assert (manager.last.status_code, words in shown(manager)) == (status, True), query
    rows = list(csv.DictReader(manager.get(f"{RULES}.csv?level=group").text.splitlines()))
    assert [(row["subject"], row["longest_days"]) for row in rows] == [("crew", "60")]


def test_the_switch_says_what_it_does_and_what_it_does_not_do(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    fields = {"level": "organization", "allowed": "no", "version": rules(web)["organization"]["version"]}
    chief.send_form(f"{RULES}/rule", fields)
    for words in ("Nobody borrows or renews", "What is out stays good until it ends", "Sessions go on"):
        assert words in shown(chief)
    assert rules(web)["organization"]["allowed"] is True
    chief.agree(f"{RULES}/rule", fields)
    chief.get(chief.last.location)
    assert "may not take licenses offline, whatever other rules say" in shown(chief)
    # Who looked at it before that is told what changed meanwhile, and can go on from there.
    chief.send_form(f"{RULES}/rule", {**fields, "longest_days": "9"})
    assert (chief.last.status_code, "allowed is now no" in shown(chief)) == (412, True)
    assert rules(web)["organization"]["version"] in chief.last.text


def test_a_rule_is_set_changed_and_removed(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    chief.get(f"{RULES}/rule?level=member&subject=ada")
    assert "New rule" in shown(chief)
    chief.send_form(f"{RULES}/rule", {**chief.fields(f"{RULES}/rule"), "longest_days": "9"})
    assert (chief.last.status_code, "There is no such rule yet" in shown(chief)) == (200, True)
    fields = {"level": "member", "subject": "ada", "product": "arcgis-pro", "longest_days": "5", "status_max_age": "36h"}
    before = contents(web.bench.authority.database)
    for wrong, words in (
        ({"status_max_age": "soon"}, "write days (7d), hours (36h), or none"),
        ({"longest_days": "0"}, "greater than or equal to 1"),
        ({"default_days": "9"}, "Where nobody says how long, in days The default of 9 days is more than the longest"),
        ({"subject": ""}, "says for which"),
        ({"longest_days": "", "status_max_age": ""}, "nothing to change"),
    ):
        chief.send_form(f"{RULES}/rule", {**fields, **wrong})
        assert (chief.last.status_code, words.lower() in shown(chief).lower()) == (400, True), wrong
    chief.send_form(f"{RULES}/rule", fields)
    for words in (
        "There is no such rule yet",
        "carry a new one every 18 hours",
        "5 days, status list of at most 1 day 12 hours",
    ):
        assert words in shown(chief)
    assert contents(web.bench.authority.database) == before
    chief.agree(f"{RULES}/rule", fields)
    assert rules(web)["member ada"]["status_max_age"] == 36 * 3600
    chief.get(f"{RULES}/rule?level=member&subject=ada&product=arcgis-pro")
    assert 'value="36h"' in chief.last.text
    # A value that is emptied in the form of the rule is again as the organization's.
    seen = {**fields, "version": rules(web)["member ada"]["version"], "whole": "true"}
    chief.agree(f"{RULES}/rule", {**seen, "longest_days": "", "default_days": "3"})
    ada = rules(web)["member ada"]
    assert (ada["longest_days"], ada["default_days"], ada["status_max_age"]) == (None, 3, 36 * 3600)
    # The form of a new rule is of one that was not there: it overwrites none that was made meanwhile.
    chief.send_form(f"{RULES}/rule", {**fields, "version": "none", "whole": "true"})
    assert (chief.last.status_code, "it was not there before" in shown(chief)) == (412, True)
    assert rules(web)["member ada"] == ada
    # What was not touched in the form follows a change that came first.
    chief.get(f"{RULES}/rule?level=member&subject=ada&product=arcgis-pro")
    mine = {**chief.fields(f"{RULES}/rule"), "status_max_age": "48h"}
    web.send("PUT", "/api/v1/policies", json={"level": "member", "subject": "ada", "product": "arcgis-pro", "default_days": 2})
    chief.send_form(f"{RULES}/rule", mine)
    again = chief.fields(f"{RULES}/rule")
    assert (chief.last.status_code, again["default_days"], again["status_max_age"]) == (412, ["2"], ["48h"])
    chief.agree(f"{RULES}/remove", {**fields, "version": rules(web)["member ada"]["version"]})
    assert chief.last.status_code == 303
    assert "member ada" not in rules(web)
    chief.send_form(f"{RULES}/remove", fields)
    assert (chief.last.status_code, "There is no rule" in shown(chief)) == (404, True)


def test_rules_about_concurrent_seats_are_set_and_removed(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    seats = {"product": DESKTOP, "feature": "Advanced"}
    chief.get(f"{RULES}/pool?product={DESKTOP}&feature=Advanced")
    assert "0 of 10 in use now" in shown(chief)
    assert chief.get(f"{RULES}/pool?product=arcgis-pro&feature=Basic").status_code == 404
    chief.send_form(f"{RULES}/pool", {**seats, "low_water": "11"})
    assert (chief.last.status_code, "a number from 0 to 10" in shown(chief)) == (400, True)
    chief.agree(f"{RULES}/pool", {**seats, "low_water": "2"})
    chief.agree(f"{RULES}/pool?for=group", {**seats, "group": "crew", "reserved": "3", "maximum": "4"})
    rows = list(csv.DictReader(chief.get(f"{RULES}/pools.csv").text.splitlines()))
    assert [
        (row["group"], row["low_water"], row["reserved"], row["maximum"]) for row in rows if row["feature"] == "Advanced"
    ] == [
        ("", "2", "", ""),
        ("crew", "", "3", "4"),
    ]
    chief.get(RULES)
    assert "group crew 0 of 4" in shown(chief)
    # Who opened a form before one of these was set is told what it says now, and overwrites nothing.
    chief.get(f"{RULES}/pool?product={DESKTOP}&feature=Advanced&for=group")
    unset = chief.last.text.partition('name="version" value="')[2].partition('"')[0]
    for fields, words in (
        ({"low_water": "1"}, "low water is now 2"),
        ({"group": "crew", "reserved": "1"}, "reserved is now 3"),
    ):
        chief.send_form(f"{RULES}/pool", {**seats, **fields, "version": unset})
        assert (chief.last.status_code, words in shown(chief)) == (412, True), shown(chief)
    chief.agree(f"{RULES}/pool/remove", {**seats, "group": "crew"})
    chief.agree(f"{RULES}/pool/remove", seats)
    (state,) = [item for item in web.get("/pools").get_json()["items"] if item["feature"] == "Advanced"]
    assert (state["low_water"], state["groups"]) == (0, [])


def test_an_age_is_written_as_it_is_read() -> None:
    for text in ("none", "7d", "36h", "1h", "366d"):
        assert list_age.written(list_age.seconds_of(text)) == text
    assert list_age.written(3601) == "2h"
