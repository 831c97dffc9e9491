"""Seed S1, license activity: who used the product when, who is at it now, and who is offline with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authority.domain.members import Role
from authority.services import sessions
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started, used
from tests.support.console import Console
from tests.support.web import Web, make_web


@pytest.fixture
def web(sqlite_bench: Bench) -> Web:
    return make_web(sqlite_bench)


def listed(web: Web, product: str = "arcgis-pro") -> dict[str, dict[str, Any]]:
    """What an administrator sees of each member."""
    items = web.get(f"/license-activity?product={product}").get_json()["items"]
    return {item["member"]: item for item in items}


def of_ada(web: Web) -> dict[str, Any]:
    return listed(web)["ada"]


def test_the_list_has_those_who_hold_the_product(web: Web) -> None:
    """License activity lists the members who have a license of the product, and no others (seed S1)."""
    web.bench.member("ada")
    web.bench.member("eve", user_type="Creator")
    web.bench.member("bob", user_type="Viewer")
    assert listed(web).keys() == {"ada", *(str(role) for role in Role)}


def test_beside_each_member_is_when_they_last_used_the_product(web: Web) -> None:
    """Beside each name stands when that member last used the product, and nothing for who never did (seed S1)."""
    ada = web.bench.member("ada")
    assert of_ada(web)["last_used_at"] is None
    session = started(web.bench, ada, workstation("laptop")).session
    web.bench.clock.turn(minutes=10)
    used(web.bench, ada, session.id)
    web.bench.clock.turn(days=3)
    assert (of_ada(web)["last_used_at"], of_ada(web)["days_since_last_used"]) == ("2026-03-02T09:10:00Z", 3)


@pytest.mark.parametrize(("minutes", "state"), [(0, "green"), (29, "green"), (30, "none"), (31, "none")])
def test_green_is_a_use_in_the_last_half_hour(web: Web, minutes: int, state: str) -> None:
    """Green are those who used the product in the last 30 minutes (seed S1)."""
    started(web.bench, web.bench.member("ada"), workstation("laptop"))
    web.bench.clock.turn(minutes=minutes)
    assert of_ada(web)["state"] == state


def test_green_usually_means_an_active_session(web: Web) -> None:
    """Who is green has an active session, as a rule: not so who signed out a moment ago (seed S1)."""
    ada = web.bench.member("ada")
    session = started(web.bench, ada, workstation("laptop")).session
    assert [item["id"] for item in of_ada(web)["sessions"]] == [session.id]
    sessions.check_in(Unit(web.bench.authority, ada), session.id)
    assert (of_ada(web)["state"], of_ada(web)["sessions"]) == ("green", [])


def test_red_is_a_license_that_is_offline(web: Web) -> None:
    """Red are those who took the product offline: here with the computer, since when and until when (seed S1)."""
    issued_to(web.bench, web.bench.member("ada"), workstation("laptop"), days=7)
    for hours in (0, 1, 6 * 24):
        web.bench.clock.turn(hours=hours)
        row = of_ada(web)
        assert (row["state"], row["computer"]) == ("red", "laptop")
        assert (row["since"], row["until"]) == ("2026-03-02T09:00:00Z", "2026-03-09T09:00:00Z")
    web.bench.clock.turn(days=1)
    assert of_ada(web)["state"] == "none"


def test_all_active_sessions_of_a_member_are_there_to_be_ended(web: Web) -> None:
    """The active sessions of a member are all shown there, each with computer and times, and each can be ended (seed S1)."""
    ada = web.bench.member("ada")
    for name in ("laptop", "tower"):
        started(web.bench, ada, workstation(name))
    sessions_of_ada = of_ada(web)["sessions"]
    assert {item["computer"] for item in sessions_of_ada} == {"laptop", "tower"}
    for item in sessions_of_ada:
        times = (item["created_at"], item["last_used_at"], item["active_until"])
        assert times == ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z")
        assert web.post(f"/sessions/{item['id']}/end").status_code == 200
    assert of_ada(web)["sessions"] == []


LEAVING: dict[str, Callable[[Web, str], object]] = {
    "signed out": lambda web, session_id: sessions.check_in(Unit(web.bench.authority, web.actors[Role.MEMBER]), session_id),
    "left": lambda web, _: web.bench.clock.turn(minutes=30),
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_who_signed_out_or_left_has_no_session_to_show(web: Web, leave: Callable[[Web, str], object]) -> None:
    """Where there is nothing to show, the member has signed out of the application or left it (seed S1)."""
    session = started(web.bench, web.actors[Role.MEMBER], workstation("laptop")).session
    leave(web, session.id)
    assert listed(web)["member"]["sessions"] == []


def test_license_activity_is_one_command(console: Console) -> None:
    """An administrator looks up the activity of one product, and finds who is offline with it (seed S1)."""
    console.borrow(workstation("laptop"), "ada")
    (row,) = console.good("license", "activity", "arcgis-pro")
    assert (row["member"], row["state"], row["computer"]) == ("ada", "red", "laptop")
