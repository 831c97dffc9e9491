"""Seed S1, sessions: half an hour from the last use, three computers, what is shown of them, and ending one from afar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import NotAllowed, SessionEnded, SessionLimit
from authority.domain.sessions import Session, SessionSettings
from authority.services import organization_settings, sessions
from authority.services.unit import Unit
from authority.storage.sessions import Filter
from tests.support.authorities import START, Bench
from tests.support.borrowing import workstation
from tests.support.connecting import asked, body_of, started, used
from tests.support.web import Web, make_web, problem

HALF_AN_HOUR = timedelta(minutes=30)


def shown(bench: Bench, username: str = "ada") -> list[Session]:
    """The member's sessions as an administrator sees them, oldest first."""
    page, _ = sessions.listed(Unit(bench.authority, CONSOLE), Filter(member=username))
    return page[::-1]


def on_computers(bench: Bench, member: Actor, count: int) -> list[Session]:
    """The member's sessions on so many computers."""
    return [started(bench, member, workstation(f"w{number}")).session for number in range(count)]


@pytest.fixture
def web(sqlite_bench: Bench) -> Web:
    return make_web(sqlite_bench)


def test_a_member_is_on_three_computers_at_once_and_not_on_a_fourth(bench: Bench) -> None:
    """Three computers at the same time is the most that one member can be signed in on (seed S1)."""
    ada = bench.member("ada")
    on_computers(bench, ada, 3)
    with pytest.raises(SessionLimit, match="on 3 computers, at most 3"):
        started(bench, ada, workstation("fourth"))


def test_an_administrator_ends_a_session_and_the_member_goes_on_elsewhere(bench: Bench) -> None:
    """Where the member cannot sign out because they are not there, an administrator ends the session: a place is free (seed S1).

    It is when what was given for the session has ended, for a copy may run until then.
    """
    ada, chief = bench.member("ada"), bench.administrator()
    far_away, near, other = on_computers(bench, ada, 3)
    bench.clock.turn(minutes=20)
    for session in (near, other):
        used(bench, ada, session.id)
    sessions.end(Unit(bench.authority, chief), far_away.id)
    bench.clock.turn(minutes=10)
    assert started(bench, ada, workstation("fourth")).is_new
    with pytest.raises(SessionLimit):
        started(bench, ada, workstation("fifth"))


def test_the_member_ends_a_session_and_goes_on_elsewhere(sqlite_bench: Bench) -> None:
    """Signing out on one computer makes a place for another one (seed S1), when the last grant given there has ended."""
    ada = sqlite_bench.member("ada")
    organization_settings.change(Unit(sqlite_bench.authority, CONSOLE), SessionSettings, {"grant_minutes": 5})
    first, *_ = on_computers(sqlite_bench, ada, 3)
    sessions.check_in(Unit(sqlite_bench.authority, ada), first.id)
    sqlite_bench.clock.turn(minutes=5)
    assert started(sqlite_bench, ada, workstation("fourth")).is_new


@pytest.mark.parametrize("role", [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER])
def test_nobody_else_ends_a_members_session(sqlite_bench: Bench, role: Role) -> None:
    """It is the administrator who ends another's session (seed S1)."""
    ada, someone = sqlite_bench.member("ada"), sqlite_bench.member("someone", role=role)
    (session,) = on_computers(sqlite_bench, ada, 1)
    with pytest.raises(NotAllowed):
        sessions.end(Unit(sqlite_bench.authority, someone), session.id)
    assert shown(sqlite_bench) == [session]


def test_every_active_session_of_a_member_is_shown(sqlite_bench: Bench) -> None:
    """When a member has several active sessions, all of them are shown (seed S1)."""
    assert [session.machine.alias for session in on_computers(sqlite_bench, sqlite_bench.member("ada"), 3)] == [
        "w0",
        "w1",
        "w2",
    ]
    assert {session.machine.alias for session in shown(sqlite_bench)} == {"w0", "w1", "w2"}


WAYS_OUT: dict[str, Callable[[Bench, Actor, Session], object]] = {
    "signed out": lambda bench, ada, session: sessions.check_in(Unit(bench.authority, ada), session.id),
    "left the application": lambda bench, ada, session: bench.clock.turn(minutes=30),
}


@pytest.mark.parametrize("leave", WAYS_OUT.values(), ids=WAYS_OUT)
def test_nothing_is_shown_of_a_member_who_signed_out_or_left(
    sqlite_bench: Bench, leave: Callable[[Bench, Actor, Session], object]
) -> None:
    """No session is shown of a member who has signed out of the application or left it (seed S1)."""
    ada = sqlite_bench.member("ada")
    (session,) = on_computers(sqlite_bench, ada, 1)
    leave(sqlite_bench, ada, session)
    assert shown(sqlite_bench) == []


def test_a_session_lasts_half_an_hour(bench: Bench) -> None:
    """A session is for 30 minutes: it is there until the last second of them, and then it is not (seed S1)."""
    on_computers(bench, bench.member("ada"), 1)
    bench.clock.turn(minutes=29, seconds=59)
    assert len(shown(bench)) == 1
    bench.clock.turn(seconds=1)
    assert shown(bench) == []


def test_use_keeps_a_session_alive(sqlite_bench: Bench) -> None:
    """As long as the member goes on working the session is renewed, for a whole day if need be (seed S1)."""
    ada = sqlite_bench.member("ada")
    (first,) = on_computers(sqlite_bench, ada, 1)
    for _ in range(25):
        sqlite_bench.clock.turn(minutes=20)
        assert used(sqlite_bench, ada, first.id).session.id == first.id
    assert [(session.id, session.created_at) for session in shown(sqlite_bench)] == [(first.id, START)]


def test_a_session_ends_half_an_hour_after_the_last_use(sqlite_bench: Bench) -> None:
    """When the member stops working the session goes on for 30 minutes and ends (seed S1)."""
    ada = sqlite_bench.member("ada")
    (first,) = on_computers(sqlite_bench, ada, 1)
    sqlite_bench.clock.turn(minutes=20)
    used(sqlite_bench, ada, first.id)
    sqlite_bench.clock.turn(minutes=30)
    with pytest.raises(SessionEnded, match="by time at 2026-03-02 09:50 UTC"):
        used(sqlite_bench, ada, first.id)


def test_after_half_an_hour_of_inactivity_there_is_a_new_session(bench: Bench) -> None:
    """Who comes back after 30 minutes without use gets another session, not the old one (seed S1)."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = started(bench, ada, laptop)
    bench.clock.turn(minutes=30)
    second = started(bench, ada, laptop)
    assert second.is_new
    assert (second.session.id != first.session.id, second.session.created_at) == (True, START + HALF_AN_HOUR)
    assert shown(bench) == [second.session]


def test_a_session_names_its_computer_and_three_times(web: Web) -> None:
    """An active session is listed with the computer's name and with when it began, was last used and will end (seed S1)."""
    laptop = workstation("field-laptop")
    body = body_of(asked(laptop))
    session_id = web.post("/sessions", body, Role.MEMBER).get_json()["session"]["id"]
    web.bench.clock.turn(minutes=10)
    web.post(f"/sessions/{session_id}/renew", body, Role.MEMBER)
    web.bench.clock.turn(minutes=5)
    (session,) = web.get("/sessions?member=member").get_json()["items"]
    assert session["machine"]["alias"] == "field-laptop"
    assert session["created_at"] == "2026-03-02T09:00:00Z"
    assert session["last_used_at"] == "2026-03-02T09:10:00Z"
    assert session["active_until"] == "2026-03-02T09:40:00Z"


GAPS = ([5, 29, 30, 12], [31, 1, 29], [29, 29, 29], [30, 30])


@pytest.mark.parametrize("gaps", GAPS, ids=str)
def test_created_is_since_when_the_member_has_worked_without_a_longer_pause(sqlite_bench: Bench, gaps: list[int]) -> None:
    """Since a session was created its member has been active at least once in every 30 minutes (seed S1)."""
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    started(sqlite_bench, ada, laptop)
    without_pause = sqlite_bench.clock()
    for minutes in gaps:
        now = sqlite_bench.clock.turn(minutes=minutes)
        without_pause = without_pause if minutes < 30 else now
        started(sqlite_bench, ada, laptop)
        assert [session.created_at for session in shown(sqlite_bench)] == [without_pause]


def test_last_used_is_never_longer_ago_than_half_an_hour(sqlite_bench: Bench) -> None:
    """Of a session that is shown as active, the last use is at most 30 minutes in the past (seed S1)."""
    ada = sqlite_bench.member("ada")
    (session,) = on_computers(sqlite_bench, ada, 1)
    sqlite_bench.clock.turn(minutes=17)
    last = used(sqlite_bench, ada, session.id).session.last_used_at
    ages = []
    for _ in range(40):
        ages += [sqlite_bench.clock() - item.last_used_at for item in shown(sqlite_bench)]
        sqlite_bench.clock.turn(minutes=1)
    assert last == START + timedelta(minutes=17)
    assert (len(ages), max(ages)) == (30, timedelta(minutes=29))


def test_active_until_is_half_an_hour_after_the_last_use(sqlite_bench: Bench) -> None:
    """A session that is not used again ends 30 minutes after its last use, and says so at every use (seed S1)."""
    ada = sqlite_bench.member("ada")
    (session,) = on_computers(sqlite_bench, ada, 1)
    assert session.active_until == session.last_used_at + HALF_AN_HOUR
    for minutes in (1, 15, 29):
        sqlite_bench.clock.turn(minutes=minutes)
        session = used(sqlite_bench, ada, session.id).session
        assert (session.last_used_at, session.active_until) == (sqlite_bench.clock(), sqlite_bench.clock() + HALF_AN_HOUR)
        assert shown(sqlite_bench) == [session]


def test_the_user_of_an_ended_session_is_told_and_has_an_hour_to_save(web: Web) -> None:
    """When a session was ended its user soon hears that the license is gone, and has 60 minutes to save work (seed S1)."""
    body = body_of(asked(workstation("laptop")))
    session = web.post("/sessions", body, Role.MEMBER).get_json()["session"]
    ended = web.post(f"/sessions/{session['id']}/end").get_json()["session"]
    assert (ended["state"], ended["save_by"]) == ("ended", "2026-03-02T10:00:00Z")
    web.bench.clock.turn(minutes=5)
    refusal = problem(web.post(f"/sessions/{session['id']}/renew", body, Role.MEMBER), 409, "session-ended")
    assert "ended by an administrator at 2026-03-02 09:00 UTC; save your work by 2026-03-02 10:00 UTC" in refusal["detail"]
    assert "Save your work" in refusal["hint"]
