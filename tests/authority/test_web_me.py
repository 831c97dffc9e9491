"""/me: what members see of their own license (seed S3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, DownloadPermission, Role
from authority.domain.refusals import NotAllowed
from authority.services import access, endings, licenses, me, member_changes, members, policies, sessions
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage import borrows
from tests.support.authorities import START, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import assign, change_type, started
from tests.support.database_contents import contents
from tests.support.organizations import authorize, ends, seats
from tests.support.web import Web, problem

PRO, ALLSOURCE, DESKTOP = "arcgis-pro", "arcgis-allsource", "arcgis-desktop"
EXTENSIONS = ["3DAnalyst", "SpatialAnalyst", "NetworkAnalyst", "GeostatAnalyst", "DataReviewer", "WorkflowMgr"]
PRODUCT = {
    "id",
    "name",
    "mode",
    "levels",
    "extensions",
    "until",
    "offline_allowed",
    "longest_days",
    "default_days",
    "borrow",
    "sessions",
    "problem",
}


def shown(web: Web, role: Role = Role.MEMBER) -> Any:
    return web.get("/me", role).get_json()


def product(web: Web, name: str = PRO, role: Role = Role.MEMBER) -> Any:
    return next(item for item in shown(web, role)["products"] if item["id"] == name)


@pytest.mark.parametrize("role", list(Role))
def test_everyone_sees_who_they_are(web: Web, role: Role) -> None:
    change = Change(
        full_name="Ada",
        email="ada@example.org",
        groups=("survey", "field"),
        vendor_access=True,
        download_permission=DownloadPermission.GRANTED,
    )
    member_changes.change(Unit(web.bench.authority, CONSOLE), role, change)
    account = shown(web, role)
    assert {name: value for name, value in account.items() if name != "products"} == {
        "username": role,
        "full_name": "Ada",
        "email": "ada@example.org",
        "user_type": "GIS Professional",
        "role": role,
        "groups": ["field", "survey"],
        "vendor_access": True,
        "download_permission": "granted",
        "last_used_at": None,
    }


def test_the_level_is_the_one_with_the_yes(web: Web) -> None:
    """The three levels are shown; the license level is the one with the yes (seed S3)."""
    for level in ("Basic", "Standard", "Advanced"):
        assign(web.bench, "member", level, ("3DAnalyst", "DataReviewer"))
        row = product(web)
        assert row.keys() == PRODUCT
        assert list(row["levels"]) == ["Basic", "Standard", "Advanced"]
        assert [name for name, yes in row["levels"].items() if yes] == [level]
        assert list(row["extensions"]) == EXTENSIONS
        assert [name for name, yes in row["extensions"].items() if yes] == ["3DAnalyst", "DataReviewer"]
    assert (row["name"], row["mode"], row["problem"]) == ("ArcGIS Pro", "named", None)


def test_of_a_concurrent_product_levels_and_extensions_with_seats_are_yes(web: Web) -> None:
    authorize(web.bench, seats("Basic", 2, DESKTOP))
    row = product(web, DESKTOP)
    assert row["mode"] == "concurrent"
    assert row["levels"] == {"Basic": True, "Standard": False, "Advanced": True}
    assert not any(row["extensions"].values())


@pytest.mark.parametrize(
    ("user_type", "products"),
    [("Viewer", []), ("Creator", []), ("GIS Professional", [PRO, DESKTOP])],
)
def test_only_products_that_the_member_may_use_are_shown(sqlite_bench: Bench, user_type: str, products: list[str]) -> None:
    account = me.show(Unit(sqlite_bench.authority, sqlite_bench.member("ada", user_type=user_type)))
    assert [item.product.id for item in account.licenses] == products


def test_an_add_on_is_shown_once_it_is_assigned(sqlite_bench: Bench) -> None:
    ada = sqlite_bench.member("ada", user_type="Creator")
    assign(sqlite_bench, "ada", "Basic", (), ALLSOURCE)
    assert [item.product.id for item in me.show(Unit(sqlite_bench.authority, ada)).licenses] == [ALLSOURCE]
    licenses.unassign(Unit(sqlite_bench.authority, CONSOLE), ["ada"], ALLSOURCE)
    assert me.show(Unit(sqlite_bench.authority, ada)).licenses == ()


def test_what_is_out_is_shown_although_it_is_held_no_more(web: Web) -> None:
    """Who has a borrow out has to see it to check it in."""
    out = issued_to(web.bench, web.actors[Role.MEMBER], workstation("laptop")).borrow
    licenses.unassign(Unit(web.bench.authority, CONSOLE), ["member"], PRO)
    row = product(web)
    assert row["borrow"]["id"] == out.id
    assert not any(row["levels"].values())


def test_the_end_and_the_days_offline_are_what_a_borrow_made_now_gets(web: Web) -> None:
    row = product(web)
    assert (row["offline_allowed"], row["longest_days"], row["default_days"]) == (True, 30, 7)
    assert row["until"] == f"{START + timedelta(days=1000):%Y-%m-%dT%H:%M:%SZ}"
    authorize(web.bench, ends(PRO, START + timedelta(days=5, hours=6)))
    row = product(web)
    assert (row["longest_days"], row["default_days"], row["until"]) == (5, 5, "2026-03-07T15:00:00Z")
    assert product(web, DESKTOP)["longest_days"] == 30


@pytest.mark.parametrize(
    ("rule", "allowed", "longest", "default"),
    [
        (("organization", "", "", False, None, None), False, None, None),
        (("member", "member", PRO, False, None, None), False, None, None),
        (("group", "field", "", True, 60, 20), True, 60, 20),
        (("type", "GIS Professional", PRO, None, 3, None), True, 3, 3),
        (("product", PRO, "", None, 9999, 999), True, 365, 365),
        (("product", DESKTOP, "", False, None, None), True, 30, 7),
    ],
)
def test_the_days_offline_follow_the_rule_in_effect(
    web: Web, rule: tuple[Any, ...], allowed: bool, longest: int | None, default: int | None
) -> None:
    member_changes.change(Unit(web.bench.authority, CONSOLE), "member", Change(groups=("field",)))
    level, subject, of, *values = rule
    names = ("allowed", "longest_days", "default_days")
    policies.change(Unit(web.bench.authority, CONSOLE), level, subject, of, **dict(zip(names, values, strict=True)))
    row = product(web)
    assert (row["offline_allowed"], row["longest_days"], row["default_days"]) == (allowed, longest, default)


def test_the_borrow_that_is_out_is_shown_until_its_seat_is_free(both_web: Web) -> None:
    member = both_web.actors[Role.MEMBER]
    assert product(both_web)["borrow"] is None
    out = issued_to(both_web.bench, member, workstation("laptop"), days=3).borrow
    assert product(both_web)["borrow"] == both_web.get(f"/borrows/{out.id}", Role.MEMBER).get_json()
    assert product(both_web, DESKTOP)["borrow"] is None
    endings.revoke(Unit(both_web.bench.authority, CONSOLE), out.id, "stolen")
    assert product(both_web)["borrow"]["state"] == "revoked"
    both_web.bench.clock.turn(days=3)
    assert product(both_web)["borrow"] is None


def test_of_several_borrows_the_newest_active_one_is_shown(web: Web) -> None:
    """A concurrent product can be out on several machines."""
    member, out = web.actors[Role.MEMBER], []
    for name in ("first", "second", "third"):
        out.append(issued_to(web.bench, member, workstation(name), DESKTOP).borrow.id)
        web.bench.clock.turn(minutes=1)
    endings.revoke(Unit(web.bench.authority, CONSOLE), out[2], "stolen")
    assert product(web, DESKTOP)["borrow"]["id"] == out[1]


def test_active_sessions_are_shown_with_their_product(web: Web) -> None:
    member = web.actors[Role.MEMBER]
    first = started(web.bench, member, workstation("tower")).session
    web.bench.clock.turn(minutes=20)
    second = started(web.bench, member, workstation("laptop")).session
    started(web.bench, web.actors[Role.ANALYST], workstation("other"))
    assert [item["id"] for item in product(web)["sessions"]] == [second.id, first.id]
    assert product(web)["sessions"][0] == web.get(f"/sessions/{second.id}", Role.MEMBER).get_json()
    assert product(web, DESKTOP)["sessions"] == []
    assert shown(web)["last_used_at"] == "2026-03-02T09:20:00Z"
    web.bench.clock.turn(minutes=10)
    sessions.end(Unit(web.bench.authority, CONSOLE), second.id)
    assert product(web)["sessions"] == []


def too_many(bench: Bench) -> None:
    authorize(bench, seats("Advanced", 1))


def over(bench: Bench) -> None:
    authorize(bench, ends(PRO, START + timedelta(days=1)))
    bench.clock.turn(days=1)


PROBLEMS: dict[str, Callable[[Bench], None]] = {
    "product-overallocated": too_many,
    "product-expired": over,
    "type-not-compatible": lambda bench: change_type(bench, "member", "Viewer"),
    "no-such-product": lambda bench: change_type(bench, "member", "Wizard"),
}


@pytest.mark.parametrize("code", PROBLEMS)
def test_why_a_license_cannot_be_used_now_is_said_with_it(web: Web, code: str) -> None:
    """While too many licenses are assigned, or one has ended, nobody gets in (seed S1): the yes alone would mislead."""
    PROBLEMS[code](web.bench)
    row = product(web)
    assert row["problem"].keys() == {"code", "message", "hint"}
    assert row["problem"]["code"] == code
    assert row["levels"]["Advanced"] is True


def test_an_ended_product_is_offline_for_no_day(web: Web) -> None:
    over(web.bench)
    row = product(web)
    assert (row["offline_allowed"], row["longest_days"], row["default_days"]) == (True, 0, 0)


def test_looking_locks_and_changes_nothing(both_web: Web) -> None:
    issued_to(both_web.bench, both_web.actors[Role.MEMBER], workstation("laptop"))
    before = contents(both_web.bench.authority.database)
    with both_web.bench.authority.database.write() as connection:
        member = members.existing(connection, "member", lock=True)
        assert borrows.held_by(connection, member.id, both_web.bench.authority.now())
        assert product(both_web)["borrow"] is not None
    assert contents(both_web.bench.authority.database) == before


def test_the_console_has_no_license_of_its_own(sqlite_bench: Bench) -> None:
    for act in (me.show, me.request_download):
        with pytest.raises(NotAllowed, match="console is no member"):
            act(Unit(sqlite_bench.authority, CONSOLE))


def test_a_disabled_member_sees_nothing_more(web: Web) -> None:
    secret, _ = access.create_api_key(Unit(web.bench.authority, CONSOLE), "member", "mine")
    member_changes.change(Unit(web.bench.authority, CONSOLE), "member", Change(disabled=True))
    problem(web.get("/me", None, headers={"Authorization": f"Bearer {secret}"}), 401, "not-authenticated")
