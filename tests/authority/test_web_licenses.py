"""/assignments and /availability: what each route answers, to whom, and how it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import endings, licenses
from authority.services.unit import Unit
from tests.support.authorities import START
from tests.support.borrowing import issued_to, workstation
from tests.support.database_contents import contents, log_rows
from tests.support.organizations import authorize, seats
from tests.support.web import API, Web, problem

PRO, ALLSOURCE, DESKTOP = "arcgis-pro", "arcgis-allsource", "arcgis-desktop"


def wish(username: str, product: str = PRO, level: str | None = "Basic", *extensions: str) -> dict[str, Any]:
    return {"username": username, "product": product, "level": level, "extensions": list(extensions)}


def assign(web: Web, *wishes: dict[str, Any], role: Role = Role.ADMINISTRATOR, **more: Any) -> Any:
    return web.post("/assignments", {"assignments": list(wishes), **more}, role)


def unassign(web: Web, username: str, product: str = PRO) -> Any:
    return web.send("DELETE", f"{API}/assignments?username={username}&product={product}")


def held(web: Web, query: str = "") -> list[tuple[str, str, str, list[str]]]:
    items = web.get(f"/assignments{query}").get_json()["items"]
    return [(item["member"], item["product"], item["level"], item["extensions"]) for item in items]


def test_many_members_are_assigned_many_products_in_one_go(web: Web) -> None:
    for name in ("eve", "bob"):
        web.bench.member(name, user_type="Creator")
    answer = assign(web, wish("eve", PRO, "Standard", "SpatialAnalyst", "3DAnalyst"), wish("BOB", ALLSOURCE))
    assert answer.status_code == 200
    made = answer.get_json()
    assert all(row.pop("version") for row in made["assignments"])
    assert made == {
        "assignments": [
            {
                "member": "eve",
                "product": PRO,
                "ok": True,
                "level": "Standard",
                "extensions": ["3DAnalyst", "SpatialAnalyst"],
                "taken": [],
                "given": ["3DAnalyst", "SpatialAnalyst", "Standard"],
            },
            {
                "member": "BOB",
                "product": ALLSOURCE,
                "ok": True,
                "level": "Basic",
                "extensions": [],
                "taken": [],
                "given": ["Basic"],
            },
        ]
    }
    assert held(web, "?username=eve") == [("eve", PRO, "Standard", ["3DAnalyst", "SpatialAnalyst"])]
    assert held(web, f"?product={ALLSOURCE}") == [("bob", ALLSOURCE, "Basic", [])]


def test_what_is_left_out_of_an_assignment(web: Web) -> None:
    """Without a level the one held is kept; extensions that are not named are taken."""
    assign(web, wish("member", PRO, "Advanced", "3DAnalyst"))
    rows = web.post("/assignments", {"assignments": [{"username": "member", "product": PRO}]}).get_json()["assignments"]
    assert (rows[0]["level"], rows[0]["extensions"]) == ("Advanced", [])


def test_one_that_cannot_be_assigned_takes_the_others_with_it(both_web: Web) -> None:
    both_web.bench.member("eve", user_type="Creator")
    before = contents(both_web.bench.authority.database)
    problem(assign(both_web, wish("eve"), wish("nobody"), wish("member")), 404, "not-found")
    problem(assign(both_web, wish("eve"), wish("nobody"), row_by_row=False), 404, "not-found")
    assert contents(both_web.bench.authority.database) == before


def test_row_by_row_each_is_told(both_web: Web) -> None:
    both_web.bench.member("eve", user_type="Creator")
    both_web.bench.member("vera", user_type="Viewer")
    authorize(both_web.bench, seats("3DAnalyst", 0))
    wishes = [
        wish("eve"),
        wish("nobody"),
        wish("a b"),
        wish("vera"),
        wish("eve", DESKTOP),
        wish("eve", "arcgis-mars"),
        wish("eve", PRO, "Ultimate"),
        wish("eve", ALLSOURCE, None),
        wish("eve", PRO, "Basic", "3DAnalyst"),
        wish("member", PRO, None, "SpatialAnalyst"),
    ]
    answer = assign(both_web, *wishes, row_by_row=True)
    rows = answer.get_json()["assignments"]
    assert answer.status_code == 200
    assert [(row["member"], row["product"]) for row in rows] == [(item["username"], item["product"]) for item in wishes]
    assert [row.get("code") for row in rows] == [
        None,
        "not-found",
        "not-found",
        "type-not-compatible",
        "invalid-input",
        "no-such-product",
        "no-such-product",
        "invalid-input",
        "pool-exhausted",
        None,
    ]
    for row in rows:
        assert row["ok"] is ("code" not in row)
        assert row["ok"] or (row["message"] and row["hint"] and "level" not in row)
    assert held(both_web, "?username=eve") == [("eve", PRO, "Basic", [])]
    assert held(both_web, "?username=member") == [("member", PRO, "Advanced", ["SpatialAnalyst"])]


def test_a_license_is_taken_from_a_member(web: Web) -> None:
    answer = unassign(web, "MEMBER")
    assert answer.get_json() == {
        "member": "member",
        "taken": {"product": PRO, "level": "Advanced", "extensions": [], "included": True},
        "borrow": None,
        "note": None,
    }
    assert (answer.status_code, held(web, "?username=member")) == (200, [])
    assert [row["actor"] for row in log_rows(web.bench.authority.database, "license-unassigned")] == ["administrator"]
    problem(unassign(web, "member"), 404, "not-found")


def test_taking_a_license_says_what_the_borrow_that_is_out_does(web: Web) -> None:
    out = issued_to(web.bench, web.actors[Role.MEMBER], workstation("laptop"), days=3).borrow
    body = unassign(web, "member").get_json()
    assert (body["borrow"]["id"], body["borrow"]["state"]) == (out.id, "active")
    assert body["note"] == ("a borrow is out until 2026-03-05T09:00:00Z and stays good; revoke or release it if it must not")
    assert web.get(f"/borrows/{out.id}").get_json()["state"] == "active"


def test_taking_a_license_does_not_call_a_revoked_borrow_good(web: Web) -> None:
    out = issued_to(web.bench, web.actors[Role.MEMBER], workstation("laptop"), days=3).borrow
    endings.revoke(Unit(web.bench.authority, CONSOLE), out.id, "stolen")
    body = unassign(web, "member").get_json()
    assert (body["borrow"]["id"], body["borrow"]["state"]) == (out.id, "revoked")
    assert body["note"] == (
        "a borrow was revoked; its copy may still run, and its seat stays taken, until 2026-03-05T09:00:00Z"
    )


def test_pages_of_assignments_follow_each_other_by_name_and_product(both_web: Web) -> None:
    for name in ("Eve+1@x.org", "bob"):
        both_web.bench.member(name)
        assign(both_web, wish(name, ALLSOURCE, "Basic", "3DAnalyst"))
    rows: list[tuple[str, str]] = []
    path = "/assignments?limit=1"
    while path:
        page = both_web.get(path).get_json()
        assert page.keys() == {"items", "next"}
        assert all(item.keys() == {"member", "product", "level", "extensions", "included", "version"} for item in page["items"])
        rows += [(item["member"], item["product"]) for item in page["items"]]
        path = f"/assignments?limit=1&cursor={page['next']}" if page["next"] else ""
    assert len(rows) == len(set(rows)) == 4 + 4
    assert rows == [row[:2] for row in held(both_web, "?limit=1000")]
    assert [product for name, product in rows if name == "bob"] == [ALLSOURCE, PRO]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 5),
        ("?username=MEMBER", 2),
        (f"?username=member&product={ALLSOURCE}", 1),
        (f"?product={PRO}", 4),
        ("?username=admin", 0),
    ],
)
def test_assignments_are_filtered(web: Web, query: str, count: int) -> None:
    assign(web, wish("member", ALLSOURCE))
    assert len(held(web, query)) == count


def test_what_is_available_is_also_negative(web: Web) -> None:
    """It can be negative, and is then shown as such (seed S1)."""
    authorize(web.bench, seats("Advanced", 3))
    answer = web.get(f"/availability?product={PRO}", Role.LICENSE_MANAGER).get_json()
    assert (answer.keys(), answer["next"]) == ({"items", "next"}, None)
    by_feature = {item["feature"]: item for item in answer["items"]}
    assert by_feature["Advanced"] == {
        "product": PRO,
        "feature": "Advanced",
        "licensed": 3,
        "used": 4,
        "available": -1,
        "ends_at": f"{START + timedelta(days=1000):%Y-%m-%dT%H:%M:%SZ}",
    }
    assert by_feature["3DAnalyst"]["available"] == 50
    products = {item["product"] for item in web.get("/availability").get_json()["items"]}
    assert products == {PRO, ALLSOURCE, DESKTOP}
    problem(web.get("/availability?product=arcgis-mars"), 404, "no-such-product")


def test_the_form_of_a_row_is_no_matter_of_one_row(still_web: Web) -> None:
    """A row that no program could mean stops all of them, also row by row."""
    before = contents(still_web.bench.authority.database)
    problem(assign(still_web, wish("member"), wish("member", "Upper"), row_by_row=True), 400, "invalid-input")
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize(
    ("username", "product", "code"),
    [("nobody", PRO, "not-found"), ("member", ALLSOURCE, "not-found"), ("member", "arcgis-mars", "no-such-product")],
)
def test_what_nobody_holds_cannot_be_taken(still_web: Web, username: str, product: str, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    problem(unassign(still_web, username, product), 404, code)
    assert contents(still_web.bench.authority.database) == before


def test_an_assignment_made_elsewhere_is_listed(web: Web) -> None:
    licenses.assign(Unit(web.bench.authority, CONSOLE), "member", ALLSOURCE, "Standard", ())
    assert held(web, f"?username=member&product={ALLSOURCE}") == [("member", ALLSOURCE, "Standard", [])]
