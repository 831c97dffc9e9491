"""Members are found by a part of a name or group and by what they do, on both databases; many are changed at once."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.presentation import member_sheet
from authority.services import member_changes, removal
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage.member_lists import Order
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import disable, issued_to, workstation
from tests.support.connecting import started
from tests.support.web import Web, make_web, problem


@pytest.fixture
def web(bench: Bench) -> Web:
    """Ada is offline, bob at work, eve has used nothing for long and zoe is disabled."""
    web = make_web(bench)
    bench.clock.turn(days=-100)
    bench.member("eve", full_name="Eve 100%_Straße", groups=("Night shift",))
    bench.clock.turn(days=100)
    issued_to(bench, bench.member("ada", full_name="Ada Lovelace", groups=("survey",)), workstation("laptop"), days=9)
    started(bench, bench.member("bob", groups=("survey",)), workstation("tower"), "arcgis-desktop")
    bench.member("zoe", full_name="Zoë O\u2019Brien")
    disable(bench, "zoe")
    return web


def names(web: Web, query: str) -> list[str]:
    answer = web.get(f"/members?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    page = answer.get_json()
    assert page["total"] == len(page["items"])
    return [item["username"] for item in page["items"]]


FOUND = {
    "search=lovel": ["ada"],
    "search=OVELACE": ["ada"],
    "search=strasse": ["eve"],
    "search=ZOE": ["zoe"],
    "search=Zo%C3%AB": ["zoe"],
    "search=%25_s": ["eve"],
    "search=zoe": ["zoe"],
    "search=o'brien": ["zoe"],
    "search=night": ["eve"],
    "search=nobody": [],
    "search=survey&type=GIS%20Professional": ["ada", "bob"],
    "disabled=true": ["zoe"],
    "offline=true": ["ada"],
    "offline=false&search=survey": ["bob"],
    "unused_for=90": ["eve"],
    "unused_for=0&type=GIS%20Professional&disabled=false": [*map(str, sorted(Role)), "eve"],
}


def test_members_are_found(web: Web) -> None:
    assert {query: sorted(names(web, query)) for query in FOUND} == {query: sorted(wanted) for query, wanted in FOUND.items()}


def test_a_member_in_a_list_has_licenses_and_a_mark_and_a_new_name_is_found(web: Web) -> None:
    rows = {row["username"]: row for row in web.get("/members").get_json()["items"]}
    assert [rows[name]["state"] for name in ("ada", "bob", "eve")] == ["red", "green", "none"]
    assert [item["product"] for item in rows["ada"]["licenses"]] == ["arcgis-pro"]
    member_changes.change(Unit(web.bench.authority, CONSOLE), "ada", Change(username="ada.king", full_name="Ada King"))
    assert (names(web, "search=lovelace"), names(web, "search=king")) == ([], ["ada.king"])
    text = web.get("/members?format=csv&search=survey").get_data(as_text=True)
    sheet = list(csv.DictReader(io.StringIO(text, newline="")))
    assert ([row["username"] for row in sheet], tuple(sheet[0])) == (["ada.king", "bob"], member_sheet.COLUMNS)


def outcomes(web: Web, path: str, body: dict[str, Any]) -> list[bool]:
    answer = web.post(path, body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [item["ok"] for item in answer.get_json()["items"]]


@ON_SQLITE
def test_many_are_changed_all_or_none_or_one_by_one_and_a_dry_run_changes_nothing(web: Web) -> None:
    change = {"usernames": ["ada", "nobody", "bob"], "change": {"user_type": "Viewer"}}
    refused = problem(web.post("/members/change", change), 404, "not-found")
    assert [(item["name"], item["code"]) for item in refused["errors"][-1]["value"]] == [
        ("ada", None),
        ("nobody", "not-found"),
        ("bob", None),
    ]
    assert outcomes(web, "/members/change", change | {"one_by_one": True, "dry_run": True}) == [True, False, True]
    assert names(web, "type=Viewer") == ["admin"]
    assert outcomes(web, "/members/change", change | {"one_by_one": True}) == [True, False, True]
    assert names(web, "type=Viewer") == ["ada", "admin", "bob"]


@ON_SQLITE
def test_many_are_unassigned_and_removed_and_the_dry_run_says_what_is_out(web: Web) -> None:
    keys = [{"username": name, "product": "arcgis-pro"} for name in ("ada", "eve")]
    shown = web.post("/assignments/remove", {"licenses": keys, "dry_run": True}).get_json()
    assert [item["license"]["borrow"] is not None for item in shown["items"]] == [True, False]
    removal = {"usernames": ["ada", "eve"]}
    dry = web.post("/members/remove", removal | {"dry_run": True, "release": True}).get_json()
    assert [len(item["removal"]["borrows"]) for item in dry["items"]] == [1, 0]
    for dry_run in (True, False):
        problem(web.post("/members/remove", removal | {"dry_run": dry_run}), 409, "member-has-borrow")
    assert outcomes(web, "/members/remove", removal | {"one_by_one": True}) == [False, True]
    assert outcomes(web, "/members/remove", {"usernames": ["ada"], "release": True}) == [True]
    assert names(web, "search=e") == [name for name in names(web, "search=e") if name not in ("ada", "eve")]


@ON_SQLITE
def test_a_table_is_tried_and_taken_and_may_be_larger_than_other_bodies(web: Web) -> None:
    table = "username,full_name,user_type\r\nada,Ada K,\r\nnew,,Nothing\r\n" + f"long,{'x' * 100},Viewer\r\n"
    tried = web.post("/members/import", {"csv": table, "dry_run": True, "go_on": True}).get_json()
    assert [(row["username"], row["action"]) for row in tried["rows"]] == [
        ("ada", "change"),
        ("new", "refused"),
        ("long", "add"),
    ]
    assert (tried["applied"], tried["file"], names(web, "search=ada%20k")) == (False, None, [])
    assert not web.post("/members/import", {"csv": table}).get_json()["applied"]
    assert web.post("/members/import", {"csv": table, "go_on": True}).get_json()["applied"]
    assert names(web, "search=ada%20k") == ["ada"]
    padded = table + "\r\n" * 200_000
    assert web.post("/members/import", {"csv": padded, "dry_run": True}).status_code == 200
    problem(web.post("/members/import", {"csv": "x" * (5 << 20)}), 413, "too-large")


def test_pages_in_any_order_have_everybody_once(web: Web) -> None:
    for order, descending in itertools.product(Order, ("false", "true")):
        query = f"sort={order}&descending={descending}"
        whole, paged, cursor = names(web, query), [], ""
        while cursor is not None:
            page = web.get(f"/members?{query}&limit=3{cursor}").get_json()
            paged += [item["username"] for item in page["items"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert paged == whole, query
        assert len(set(whole)) == len(whole) > 6
    assert names(web, "search=survey&sort=username&descending=true") == ["bob", "ada"]
    assert names(web, "search=survey&sort=full_name") == ["bob", "ada"]
    assert names(web, "sort=last_used_at&descending=true")[:2] == ["bob", "ada"]


@ON_SQLITE
def test_a_page_after_somebody_who_is_gone_begins_anew_unless_the_name_alone_says_where(web: Web) -> None:
    pages = {sort: web.get(f"/members?limit=1&sort={sort}").get_json() for sort in ("username", "full_name")}
    for page in pages.values():
        removal.remove(Unit(web.bench.authority, CONSOLE), [page["items"][0]["username"]], release=True)
    assert web.get(f"/members?cursor={pages['username']['next']}").status_code == 200
    problem(web.get(f"/members?sort=full_name&cursor={pages['full_name']['next']}"), 400, "invalid-input")
