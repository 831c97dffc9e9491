"""Starting, using and ending sessions, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import AlreadyBorrowed, NotAllowed, NotFound, SessionEnded, SessionLimit
from authority.services import sessions
from authority.services.unit import Unit
from authority.storage.sessions import Filter
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import seats_held, workstation
from tests.support.connecting import asked, assign, configure, last_used, own_seats, started, used
from tests.support.database_contents import contents, log_rows
from verifier.workstation.identity import OsUser


def test_a_session_lasts_thirty_minutes_from_its_last_use(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = started(bench, ada, laptop)
    assert first.is_new
    assert (first.session.level, first.session.extensions) == ("Advanced", ())
    assert (first.session.created_at, first.session.active_until) == (START, START + timedelta(minutes=30))
    bench.clock.turn(minutes=29, seconds=59)
    again = used(bench, ada, first.session.id)
    assert (again.session.id, again.is_new, again.session.created_at) == (first.session.id, False, START)
    assert again.session.last_used_at == bench.clock()
    assert again.session.active_until == bench.clock() + timedelta(minutes=30)
    assert again.grant != first.grant
    assert sessions.show(Unit(bench.authority, ada), first.session.id) == again.session


def test_after_exactly_thirty_minutes_without_use_the_session_has_ended_and_a_new_one_is_started(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = started(bench, ada, laptop)
    bench.clock.turn(minutes=30)
    with pytest.raises(SessionEnded, match="by time at 2026-03-02 09:30 UTC") as caught:
        used(bench, ada, first.session.id)
    at = (START + timedelta(minutes=30)).isoformat()
    assert caught.value.evidence == {"state": "expired", "ended_at": at, "seat_free_at": at}
    assert "save" not in caught.value.hint.lower()
    second = started(bench, ada, laptop)
    assert second.is_new
    assert second.session.id != first.session.id


def test_the_seat_is_free_from_the_moment_the_session_ends_by_time(bench: Bench) -> None:
    ada = bench.member("ada")
    first = started(bench, ada, workstation("laptop"), "arcgis-desktop")
    bench.clock.turn(minutes=10)
    used(bench, ada, first.session.id)
    bench.clock.turn(minutes=29, seconds=59)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    bench.clock.turn(seconds=1)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 0


def test_starting_again_on_the_same_computer_is_the_same_session_and_no_second_seat(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = started(bench, ada, laptop, "arcgis-desktop")
    bench.clock.turn(minutes=20)
    laptop.user = OsUser("uid:1001", "other login")
    again = started(bench, ada, laptop, "arcgis-desktop")
    assert (again.session.id, again.is_new, again.session.user.id) == (first.session.id, False, "uid:1001")
    assert again.session.active_until == bench.clock() + timedelta(minutes=30)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    assert len(log_rows(bench.authority.database, "checkout")) == 1


@ON_SQLITE
def test_the_same_computer_with_another_key_is_another_session(bench: Bench) -> None:
    ada = bench.member("ada")
    first, second = (started(bench, ada, workstation("laptop"), "arcgis-desktop") for _ in range(2))
    assert first.session.id != second.session.id
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 2


@ON_SQLITE
def test_another_member_on_the_same_computer_has_a_session_of_their_own(bench: Bench) -> None:
    laptop = workstation("laptop")
    first = started(bench, bench.member("ada"), laptop, "arcgis-desktop")
    second = started(bench, bench.member("eve"), laptop, "arcgis-desktop")
    assert first.session.id != second.session.id


@ON_SQLITE
def test_starting_again_for_less_is_the_same_session_and_for_more_is_refused(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    assign(bench, "ada", "Advanced", ("3DAnalyst", "SpatialAnalyst"))
    first = started(bench, ada, laptop, level="Standard", extensions=("3DAnalyst",))
    less = started(bench, ada, laptop, level="Basic")
    assert (less.session.id, less.session.level, less.session.extensions) == (first.session.id, "Standard", ("3DAnalyst",))
    assert started(bench, ada, laptop).session.id == first.session.id
    wishes: list[dict[str, Any]] = [{"level": "Advanced"}, {"extensions": ("SpatialAnalyst",)}]
    for wish in wishes:
        with pytest.raises(AlreadyBorrowed, match="Standard, 3DAnalyst") as caught:
            started(bench, ada, laptop, **wish)
        assert "new one" in caught.value.hint
    sessions.check_in(Unit(bench.authority, ada), first.session.id)
    assert started(bench, ada, laptop, level="Advanced").is_new


def three_computers(bench: Bench, ada: Actor) -> list[str]:
    """Sessions on three computers, ten minutes apart, all still active."""
    ids = []
    for number in range(3):
        ids.append(started(bench, ada, workstation(f"w{number}")).session.id)
        bench.clock.turn(minutes=9)
    return ids


@ON_SQLITE
def test_a_fourth_computer_is_refused_and_told_which_three(bench: Bench) -> None:
    ada = bench.member("ada")
    three_computers(bench, ada)
    with pytest.raises(SessionLimit) as caught:
        started(bench, ada, workstation("fourth"))
    assert caught.value.evidence == {
        "limit": 3,
        "computers": [
            {
                "computer": f"w{number}",
                "since": (START + timedelta(minutes=9 * number)).isoformat(),
                "taken_until": (START + timedelta(minutes=9 * number + 30)).isoformat(),
            }
            for number in range(3)
        ],
    }
    assert "w0 (since 2026-03-02 09:00 UTC, taken until 2026-03-02 09:30 UTC)" in caught.value.message
    assert "w2" in caught.value.message
    (row,) = log_rows(bench.authority.database, "denial")
    assert (row["reason"], row["mode"], row["feature"], row["alias"]) == ("session-limit", "session", "Advanced", "fourth")


@ON_SQLITE
def test_computers_without_an_alias_are_named_by_their_id(bench: Bench) -> None:
    ada = bench.member("ada")
    for number in range(3):
        laptop = workstation(f"w{number}")
        laptop.name = ""
        started(bench, ada, laptop)
        bench.clock.turn(minutes=1)
    configure(bench, computers=1)
    with pytest.raises(SessionLimit, match="machine-") as caught:
        started(bench, ada, workstation("fourth"))
    assert caught.value.evidence["computers"][0]["computer"].startswith("machine-")


def test_a_second_product_on_one_of_the_three_computers_is_no_fourth(bench: Bench) -> None:
    ada = bench.member("ada")
    machines = [workstation(f"w{number}") for number in range(3)]
    for machine in machines:
        started(bench, ada, machine)
    assert started(bench, ada, machines[0], "arcgis-desktop").is_new
    with pytest.raises(SessionLimit):
        started(bench, ada, workstation("fourth"), "arcgis-desktop")


def test_the_limit_is_of_each_member(bench: Bench) -> None:
    three_computers(bench, bench.member("ada"))
    assert started(bench, bench.member("eve"), workstation("w0")).is_new


@pytest.mark.parametrize("way", ["time", "holder", "administrator"])
def test_a_session_that_ended_makes_room_for_the_fourth_computer_when_its_last_grant_has_ended(bench: Bench, way: str) -> None:
    ada = bench.member("ada")
    first = three_computers(bench, ada)[0]
    if way == "holder":
        sessions.check_in(Unit(bench.authority, ada), first)
    elif way == "administrator":
        sessions.end(Unit(bench.authority, CONSOLE), first)
    with pytest.raises(SessionLimit, match=r"w0 .since 2026-03-02 09:00 UTC, taken until 2026-03-02 09:30 UTC"):
        started(bench, ada, workstation("fourth"))
    bench.clock.turn(minutes=3)
    assert started(bench, ada, workstation("fourth")).is_new
    with pytest.raises(SessionLimit):
        started(bench, ada, workstation("fifth"))


@ON_SQLITE
def test_the_settings_are_an_administrators(bench: Bench) -> None:
    ada = bench.member("ada")
    configure(bench, minutes=5, computers=1, save_minutes=10)
    first = started(bench, ada, workstation("laptop")).session
    assert first.active_until == START + timedelta(minutes=5)
    with pytest.raises(SessionLimit, match="at most 1 "):
        started(bench, ada, workstation("tower"))
    assert sessions.end(Unit(bench.authority, CONSOLE), first.id).save_by == START + timedelta(minutes=10)


def test_its_holder_ends_a_session_and_the_seat_is_free_when_the_last_grant_has_ended(bench: Bench) -> None:
    ada = bench.member("ada")
    first = started(bench, ada, workstation("laptop"), "arcgis-desktop").session
    bench.clock.turn(minutes=1)
    ended = sessions.check_in(Unit(bench.authority, ada), first.id)
    assert (ended.state(bench.clock()), ended.ended_at, ended.save_by) == ("checked-in", bench.clock(), None)
    assert ended.seat_free_at == START + timedelta(minutes=30)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    before = contents(bench.authority.database)
    assert sessions.check_in(Unit(bench.authority, ada), first.id) == ended
    assert contents(bench.authority.database) == before
    with pytest.raises(SessionEnded, match="by its holder"):
        used(bench, ada, first.id)
    bench.clock.turn(minutes=29)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 0


def test_a_session_ended_by_time_cannot_be_ended_again(bench: Bench) -> None:
    ada = bench.member("ada")
    first = started(bench, ada, workstation("laptop")).session
    bench.clock.turn(minutes=30)
    acts: list[Callable[[], object]] = [
        lambda: sessions.check_in(Unit(bench.authority, ada), first.id),
        lambda: sessions.end(Unit(bench.authority, CONSOLE), first.id),
    ]
    for act in acts:
        with pytest.raises(SessionEnded, match="by time"):
            act()


def test_an_administrator_ends_a_session_and_its_user_has_sixty_minutes_to_save(bench: Bench) -> None:
    ada = bench.member("ada")
    first = started(bench, ada, workstation("laptop"), "arcgis-desktop").session
    bench.clock.turn(minutes=5)
    ended = sessions.end(Unit(bench.authority, bench.administrator()), first.id)
    save_by = bench.clock() + timedelta(minutes=60)
    assert (ended.state(bench.clock()), ended.save_by) == ("ended", save_by)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    bench.clock.turn(minutes=1)
    with pytest.raises(
        SessionEnded, match="by an administrator at 2026-03-02 09:05 UTC; save your work by 2026-03-02 10:05"
    ) as caught:
        used(bench, ada, first.id)
    assert caught.value.evidence["save_by"] == save_by.isoformat()
    assert "Save your work" in caught.value.hint
    assert started(bench, ada, workstation("laptop"), "arcgis-desktop").is_new


def test_a_session_is_its_members_own(bench: Bench) -> None:
    ada, eve, chief = bench.member("ada"), bench.member("eve"), bench.administrator()
    first = started(bench, ada, workstation("laptop")).session
    request = asked(workstation("laptop"))
    acts: list[Callable[[Unit, str], object]] = [lambda unit, number: sessions.renew(unit, number, request), sessions.check_in]
    for act in acts:
        with pytest.raises(NotFound):
            act(Unit(bench.authority, eve), first.id)
        with pytest.raises(NotAllowed, match="ada's own"):
            act(Unit(bench.authority, chief), first.id)
        with pytest.raises(NotFound):
            act(Unit(bench.authority, ada), "A" * 22)
    with pytest.raises(NotFound):
        sessions.show(Unit(bench.authority, eve), first.id)
    with pytest.raises(NotFound):
        sessions.end(Unit(bench.authority, CONSOLE), "A" * 22)
    with pytest.raises(NotAllowed, match="no member"):
        started(bench, CONSOLE, workstation("laptop"))


@ON_SQLITE
@pytest.mark.parametrize("role", [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER])
def test_only_an_administrator_ends_the_session_of_another(bench: Bench, role: Role) -> None:
    first = started(bench, bench.member("ada"), workstation("laptop")).session
    with pytest.raises(NotAllowed):
        sessions.end(Unit(bench.authority, bench.member("other", role=role)), first.id)
    assert sessions.show(Unit(bench.authority, CONSOLE), first.id).state(bench.clock()) == "active"


def test_every_use_is_kept_as_the_members_last(bench: Bench) -> None:
    ada = bench.member("ada")
    assert last_used(bench, "ada") is None
    first = started(bench, ada, workstation("laptop")).session
    assert last_used(bench, "ada") == START
    bench.clock.turn(minutes=7)
    used(bench, ada, first.id)
    assert last_used(bench, "ada") == bench.clock()


def test_active_sessions_are_listed_newest_first_in_pages_and_all_when_asked(bench: Bench) -> None:
    for number in range(5):
        started(bench, bench.member(f"m{number}"), workstation(f"w{number}"))
        bench.clock.turn(minutes=number % 2)
    first = sessions.listed(Unit(bench.authority, CONSOLE), Filter(member="m0"))[0][0]
    sessions.end(Unit(bench.authority, CONSOLE), first.id)
    items, cursor = [], None
    while True:
        page, cursor = sessions.listed(Unit(bench.authority, CONSOLE), Filter(after=cursor, limit=2))
        items += page
        if cursor is None:
            break
    assert sorted(item.member for item in items) == ["m1", "m2", "m3", "m4"]
    assert [item.created_at for item in items] == sorted((item.created_at for item in items), reverse=True)
    bench.clock.turn(minutes=31)
    assert sessions.listed(Unit(bench.authority, CONSOLE), Filter())[0] == []
    assert len(sessions.listed(Unit(bench.authority, CONSOLE), Filter(ended=True))[0]) == 5


def test_sessions_are_found_by_member_and_product_and_a_member_sees_their_own(bench: Bench) -> None:
    ada, eve = bench.member("ada"), bench.member("eve")
    mine = started(bench, ada, workstation("laptop"), "arcgis-desktop").session
    other = started(bench, eve, workstation("tower")).session

    def ids(actor: Actor, wanted: Filter) -> list[str]:
        return [item.id for item in sessions.listed(Unit(bench.authority, actor), wanted)[0]]

    assert ids(CONSOLE, Filter(member="ADA")) == ids(CONSOLE, Filter(product="arcgis-desktop")) == [mine.id]
    assert sorted(ids(CONSOLE, Filter())) == sorted([mine.id, other.id])
    assert ids(ada, Filter(member="eve")) == ids(ada, Filter()) == [mine.id]


def test_extensions_take_seats_of_their_own(bench: Bench) -> None:
    ada = bench.member("ada")
    assign(bench, "ada", "Advanced", ("3DAnalyst", "SpatialAnalyst"))
    first = started(bench, ada, workstation("laptop"), extensions=("3DAnalyst",)).session
    assert own_seats(bench, first) == ["3DAnalyst", "Advanced"]
    bench.clock.turn(minutes=20)
    used(bench, ada, first.id)
    bench.clock.turn(minutes=20)
    assert own_seats(bench, first) == ["3DAnalyst", "Advanced"]
