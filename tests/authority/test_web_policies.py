"""/policies: the rules about offline use over HTTP, who may see and change them, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from authority.domain.members import Role
from authority.domain.offline_rules import MOST_DAYS
from authority.presentation.policies import EffectiveShown, RuleShown
from authority.services import policies
from authority.services.unit import Unit
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import at_once, issued_to, workstation
from tests.support.console import Console, over_http
from tests.support.database_contents import contents, log_rows
from tests.support.web import API, HOSTILE_TEXTS, Web, make_web, problem, refused_as_one_of
from verifier.workstation.carry import Wish

FIRST = {
    "level": "organization",
    "subject": "",
    "product": "",
    "allowed": True,
    "longest_days": 30,
    "default_days": 7,
    "status_max_age": None,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One for all tests that change nothing, with a rule for a group."""
    folder = tmp_path_factory.mktemp("policies")
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    made = make_web(bench)
    assert put(made, level="group", subject="crew", longest_days=60).status_code == 200
    yield made
    bench.authority.database.close()


def put(web: Web, role: Role | None = Role.ADMINISTRATOR, **body: Any) -> Any:
    return web.send("PUT", f"{API}/policies", role, json=body)


def delete(web: Web, query: str, role: Role | None = Role.ADMINISTRATOR) -> Any:
    return web.send("DELETE", f"{API}/policies?{query}", role)


def rules(web: Web) -> list[dict[str, Any]]:
    return [unversioned(row) for row in web.get("/policies?limit=1000").get_json()["items"]]


def unversioned(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule but for its version, which it has."""
    assert rule["version"]
    return {name: value for name, value in rule.items() if name != "version"}


def test_the_organization_begins_with_one_rule(web: Web) -> None:
    page = web.get("/policies").get_json()
    assert (list(map(unversioned, page["items"])), page["next"]) == ([FIRST], None)


def test_a_rule_is_made_changed_and_removed(web: Web) -> None:
    made = put(web, level="group", subject="crew", product="arcgis-pro", longest_days=60)
    expected = FIRST | {"level": "group", "subject": "crew", "product": "arcgis-pro"}
    expected |= {"allowed": None, "longest_days": 60, "default_days": None}
    assert (made.status_code, unversioned(made.get_json())) == (200, expected | {"note": 'nobody is in the group "crew" yet'})
    web.bench.member("ada", groups=("crew",))
    changed = put(web, level="group", subject="crew", product="arcgis-pro", default_days=9).get_json()
    assert unversioned(changed) == expected | {"default_days": 9, "note": None}
    assert changed["version"] != made.get_json()["version"]
    assert rules(web) == [expected | {"default_days": 9}, FIRST]
    gone = delete(web, "level=group&subject=crew&product=arcgis-pro")
    assert (gone.status_code, unversioned(gone.get_json())) == (200, expected | {"default_days": 9})
    assert rules(web) == [FIRST]
    words = [row["reason"] for row in log_rows(web.bench.authority.database, "policy-changed")]
    assert words == [
        "group crew, arcgis-pro: 60 days",
        "group crew, arcgis-pro: 60 days, default 9",
        "group crew, arcgis-pro: removed",
    ]


@pytest.mark.parametrize(
    ("level", "subject", "kept_as"),
    [
        ("member", "MEMBER", "member"),
        ("group", "night shift", "night shift"),
        ("type", "Creator", "Creator"),
        ("product", "arcgis-pro", "arcgis-pro"),
    ],
)
def test_a_rule_is_for_any_level(web: Web, level: str, subject: str, kept_as: str) -> None:
    assert put(web, level=level, subject=subject, allowed=False).get_json()["subject"] == kept_as
    assert delete(web, f"level={level}&subject={quote(subject)}").status_code == 200
    problem(delete(web, f"level={level}&subject={quote(subject)}"), 404, "not-found")


def test_null_leaves_a_value_as_it_is(web: Web) -> None:
    changed = put(web, level="organization", allowed=None, longest_days=20, default_days=None).get_json()
    assert unversioned(changed) == {**FIRST, "longest_days": 20, "note": None}


def test_one_value_of_a_rule_is_put_back_to_what_the_organizations_says(web: Web) -> None:
    web.bench.member("ada", groups=("survey",))
    put(web, level="group", subject="survey", longest_days=60, default_days=20, status_max_age=86400)
    back = put(web, level="group", subject="survey", default_days=30, inherit=["longest_days", "status_max_age"]).get_json()
    assert (back["longest_days"], back["default_days"], back["status_max_age"]) == (None, 30, None)
    effective = web.get("/policies/effective?member=ada&product=arcgis-pro").get_json()
    assert (effective["longest_days"], effective["status_max_age"]) == (30, None)
    before = contents(web.bench.authority.database)
    for body, words in (
        ({"level": "group", "subject": "survey", "inherit": ["default_days"]}, "would say nothing"),
        ({"level": "group", "subject": "survey", "default_days": 3, "inherit": ["default_days"]}, "say one of both"),
        ({"level": "organization", "inherit": ["status_max_age"]}, "inherits nothing"),
        ({"level": "group", "subject": "survey", "inherit": ["subject"]}, ""),
    ):
        assert words in problem(put(web, **body), 400, "invalid-input")["detail"]
    assert contents(web.bench.authority.database) == before


def test_the_switch_turns_offline_use_off_and_on_for_everybody(web: Web) -> None:
    laptop, clock = workstation("laptop"), web.bench.clock
    issued = issued_to(web.bench, web.actors[Role.ANALYST], workstation("tower"))
    assert put(web, level="organization", allowed=False).get_json()["allowed"] is False
    asked = {"request": laptop.request(Wish("arcgis-pro"), clock())}
    problem(web.post("/borrows", asked, Role.MEMBER), 409, "offline-not-allowed")
    assert web.get(f"/borrows/{issued.borrow.id}").get_json()["state"] == "active"
    put(web, level="organization", allowed=True)
    assert web.post("/borrows", asked, Role.MEMBER).status_code == 201


def test_the_rule_in_effect_is_explained(web: Web) -> None:
    put(web, level="member", subject="member", longest_days=3)
    effective = web.get("/policies/effective?member=MEMBER&product=arcgis-pro", Role.MEMBER).get_json()
    assert effective == {
        "member": "member",
        "product": "arcgis-pro",
        "allowed": True,
        "longest_days": 3,
        "default_days": 3,
        "status_max_age": None,
        "decided_by": "member member",
        "path": ["member member: 3 days"],
        "explanation": "member member: 3 days; capped by authorization 365: 3",
    }


def test_answers_have_the_members_that_are_documented(web: Web) -> None:
    assert {*FIRST, "version"} == set(RuleShown.model_fields)
    effective = web.get("/policies/effective?member=member&product=arcgis-pro").get_json()
    assert effective.keys() == EffectiveShown.model_fields.keys()


def test_pages_of_rules_follow_each_other_and_end(both_web: Web) -> None:
    names = ["a/b", "a b", "/", "ü & ö", "a", "b", "%2F", "crew+night"]
    for name in names:
        put(both_web, level="group", subject=name, longest_days=5)
        put(both_web, level="group", subject=name, product="arcgis-pro", longest_days=4)
    put(both_web, level="type", subject="GIS Professional", longest_days=6)
    rows: list[dict[str, Any]] = []
    path = "/policies?limit=3"
    while path:
        page = both_web.get(path).get_json()
        assert len(page["items"]) <= 3
        rows += map(unversioned, page["items"])
        path = f"/policies?limit=3&cursor={page['next']}" if page["next"] else ""
    assert rows == rules(both_web)
    assert len(rows) == 2 * len(names) + 2
    assert {item["subject"] for item in rows if item["level"] == "group"} == set(names)


def test_a_page_begins_after_its_cursor_even_when_that_rule_is_gone(both_web: Web) -> None:
    for name in "abc":
        put(both_web, level="group", subject=name, longest_days=5)
    cursor = both_web.get("/policies?limit=2").get_json()["next"]
    delete(both_web, "level=group&subject=b")
    page = both_web.get(f"/policies?limit=2&cursor={cursor}").get_json()
    assert [item["subject"] for item in page["items"]] == ["c", ""]
    assert page["next"] is None


def test_two_who_change_one_rule_at_the_same_time_keep_what_the_other_changed(bench: Bench) -> None:
    chief = bench.administrator()

    def change(**fields: Any) -> object:
        values = {"allowed": None, "longest_days": None, "default_days": None} | fields
        return policies.change(Unit(bench.authority, chief), "group", "crew", "", **values)

    at_once([lambda: change(allowed=True), lambda: change(longest_days=60), lambda: change(default_days=9)])
    (changed,) = [rule for rule in policies.listed(Unit(bench.authority, chief))[0] if rule.level == "group"]
    assert (changed.allowed, changed.longest_days, changed.default_days) == (True, 60, 9)


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing to change": ({"level": "group", "subject": "crew"}, 400, "invalid-input"),
    "only nulls": ({"level": "group", "subject": "crew", "allowed": None}, 400, "invalid-input"),
    "no subject": ({"level": "group", "allowed": False}, 400, "invalid-input"),
    "a blank subject": ({"level": "group", "subject": " ", "allowed": False}, 400, "invalid-input"),
    "an organization with a subject": ({"level": "organization", "subject": "crew", "allowed": False}, 400, "invalid-input"),
    "an organization with a product": (
        {"level": "organization", "product": "arcgis-pro", "allowed": False},
        400,
        "invalid-input",
    ),
    "a product twice": (
        {"level": "product", "subject": "arcgis-pro", "product": "arcgis-pro", "allowed": False},
        400,
        "invalid-input",
    ),
    "a product left out": ({"level": "product", "product": "arcgis-pro", "allowed": False}, 400, "invalid-input"),
    "default beyond longest": (
        {"level": "group", "subject": "crew", "longest_days": 3, "default_days": 4},
        400,
        "invalid-input",
    ),
    "default beyond the longest that is there": (
        {"level": "group", "subject": "crew", "default_days": 61},
        400,
        "invalid-input",
    ),
    "unknown member": ({"level": "member", "subject": "nobody", "allowed": False}, 404, "not-found"),
    "unknown type": ({"level": "type", "subject": "Guest", "allowed": False}, 404, "no-such-product"),
    "unknown product": ({"level": "product", "subject": "arcgis-mars", "allowed": False}, 404, "no-such-product"),
    "a group of an unknown product": (
        {"level": "group", "subject": "crew", "product": "arcgis-mars", "allowed": False},
        404,
        "no-such-product",
    ),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_a_senseless_rule_is_refused_and_changes_nothing(shared: Web, body: dict[str, Any], status: int, code: str) -> None:
    before = contents(shared.bench.authority.database)
    problem(put(shared, **body), status, code)
    assert contents(shared.bench.authority.database) == before


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("level=organization", 400, "invalid-input"),
        ("level=group", 400, "invalid-input"),
        ("level=group&subject=crew&product=arcgis-pro", 404, "not-found"),
        ("level=group&subject=crews", 404, "not-found"),
        ("level=member&subject=crew", 404, "not-found"),
        ("level=group&subject=%ED%B2%80", 404, "not-found"),
    ],
)
def test_what_is_no_rule_is_not_removed(shared: Web, query: str, status: int, code: str) -> None:
    before = contents(shared.bench.authority.database)
    problem(delete(shared, query), status, code)
    assert contents(shared.bench.authority.database) == before


def test_an_effective_rule_of_an_unknown_product_is_404(shared: Web) -> None:
    problem(shared.get("/policies/effective?member=member&product=arcgis-mars"), 404, "no-such-product")


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_hostile_group_is_refused_or_kept_as_the_text_it_is(both_web: Web, text: str) -> None:
    before = contents(both_web.bench.authority.database)
    answer = put(both_web, level="group", subject=text, longest_days=5)
    if answer.status_code == 200:
        assert text.isprintable()
        assert answer.content_type == "application/json"
        assert [item["subject"] for item in rules(both_web)] == [text, ""]
        assert delete(both_web, f"level=group&subject={quote(text)}").get_json()["subject"] == text
    else:
        problem(answer, 400, "invalid-input")
        assert contents(both_web.bench.authority.database) == before
    for level in ("member", "type", "product"):
        answer = put(both_web, level=level, subject=text, longest_days=5)
        refused_as_one_of(answer, "invalid-input", "not-found", "no-such-product")


def test_the_longest_days_of_all_can_be_borrowed_by(web: Web) -> None:
    """A rule with the greatest number does no harm: the authorization caps it."""
    put(web, level="organization", longest_days=MOST_DAYS, default_days=MOST_DAYS)
    effective = web.get("/policies/effective?member=member&product=arcgis-pro").get_json()
    assert effective["explanation"].endswith("capped by authorization: 365 days: 365")
    asked = {"request": workstation("laptop").request(Wish("arcgis-pro"), web.bench.clock())}
    assert web.post("/borrows", asked, Role.MEMBER).get_json()["borrow"]["expires_at"] == "2027-03-02T09:00:00Z"


def test_commands_and_routes_show_the_same(console: Console) -> None:
    console.good("policy", "set", "--group", "survey", "--product", "arcgis-pro", "--longest-days", "60")
    console.good("policy", "set", "--member", "ada", "--deny")
    with over_http(console) as get:
        assert get("/policies")["items"] == console.good("policy", "show")
        explained = console.good("policy", "explain", "ada", "arcgis-pro")
        assert get("/policies/effective?member=ada&product=arcgis-pro") == explained
