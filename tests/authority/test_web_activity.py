"""License activity as the route and the command show it."""

from __future__ import annotations

from authority.domain.members import Role
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started
from tests.support.console import Console
from tests.support.database_contents import unchanged
from tests.support.web import Web, problem

PRO, DESKTOP = "arcgis-pro", "arcgis-desktop"
SHOWN = {
    "member",
    "full_name",
    "user_type",
    "product",
    "last_used_at",
    "days_since_last_used",
    "assigned_at",
    "state",
    "computer",
    "since",
    "until",
    "borrows",
    "sessions",
}


def test_the_route_shows_it_all(both_web: Web) -> None:
    member, analyst = both_web.actors[Role.MEMBER], both_web.actors[Role.ANALYST]
    out = issued_to(both_web.bench, member, workstation("laptop"), days=3).borrow
    both_web.bench.clock.turn(minutes=5)
    session = started(both_web.bench, analyst, workstation("tower")).session
    both_web.bench.clock.turn(minutes=5)
    page = both_web.get(f"/license-activity?product={PRO}", Role.LICENSE_MANAGER).get_json()
    assert (page.keys(), page["next"]) == ({"items", "next"}, None)
    items = {item["member"]: item for item in page["items"]}
    assert all(item.keys() == SHOWN for item in items.values())
    assert list(items) == ["administrator", "analyst", "license-manager", "member"]
    assert items["member"] == {
        "member": "member",
        "full_name": "",
        "user_type": "GIS Professional",
        "product": PRO,
        "last_used_at": "2026-03-02T09:00:00Z",
        "days_since_last_used": 0,
        "assigned_at": "2026-03-02T09:00:00Z",
        "state": "red",
        "computer": "laptop",
        "since": "2026-03-02T09:00:00Z",
        "until": "2026-03-05T09:00:00Z",
        "borrows": [{"id": out.id, "computer": "laptop", "since": "2026-03-02T09:00:00Z", "until": "2026-03-05T09:00:00Z"}],
        "sessions": [],
    }
    at_it = items["analyst"]
    assert (at_it["state"], at_it["computer"], at_it["since"], at_it["until"]) == (
        "green",
        "tower",
        "2026-03-02T09:05:00Z",
        None,
    )
    assert at_it["sessions"] == [
        {
            "id": session.id,
            "computer": "tower",
            "created_at": "2026-03-02T09:05:00Z",
            "last_used_at": "2026-03-02T09:05:00Z",
            "active_until": "2026-03-02T09:35:00Z",
        }
    ]
    idle = items["administrator"]
    assert (idle["state"], idle["last_used_at"], idle["days_since_last_used"]) == ("none", None, None)


def test_pages_of_the_route_follow_each_other(web: Web) -> None:
    first = web.get(f"/license-activity?product={PRO}&limit=3").get_json()
    second = web.get(f"/license-activity?product={PRO}&limit=3&cursor={first['next']}").get_json()
    assert [len(page["items"]) for page in (first, second)] == [3, 1]
    assert second["next"] is None


def test_a_product_that_nobody_licensed_has_no_activity(web: Web) -> None:
    with unchanged(web.bench.authority.database):
        problem(web.get("/license-activity?product=arcgis-mars"), 404, "no-such-product")


def test_the_command_shows_the_same(console: Console) -> None:
    laptop = workstation("field-laptop")
    issued = console.borrow(laptop, "ada", days=3)
    (row,) = console.good("license", "activity", PRO)
    assert row.keys() == SHOWN
    assert (row["member"], row["state"], row["computer"]) == ("ada", "red", "field-laptop")
    assert (row["since"], row["until"]) == (issued["issued_at"], issued["expires_at"])
    ended = console.run("license", "activity", PRO)
    assert ended.status == 0
    assert all(text in ended.out for text in ("ada", "red", "field-laptop", issued["expires_at"]))
    assert console.good("license", "activity", DESKTOP) == []
    console.refused("no-such-product", 1, "license", "activity", "arcgis-mars")
    assert console.run("license", "activity").status == 2


def test_the_command_says_when_there_are_more(console: Console) -> None:
    console.good("member", "add", "bob", "--type", "GIS Professional")
    ended = console.run("license", "activity", PRO, "--limit", "1")
    assert (ended.status, "there are more than 1" in ended.err, "bob" in ended.out) == (0, True, False)
    assert "there are more" not in console.run("license", "activity", PRO, "--limit", "2").err


def test_the_list_of_members_says_how_many_there_are_and_may_be(console: Console) -> None:
    """Administrators see current and licensed membership (seed S2)."""
    ended = console.run("member", "list")
    assert "2 of 50 members (Creator 0, GIS Professional 1, Viewer 1)" in ended.err
    assert "of 50" not in ended.out
    assert console.run("--json", "member", "list").err == ""
