"""`carnet-authority session`: list and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from authority.domain.sessions import SessionEnding
from authority.services.context import Authority
from authority.storage import sessions as stored
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.connecting import connected
from tests.support.console import Console


@pytest.fixture
def authority(console: Console) -> Iterator[Authority]:
    """The authority of the console's home."""
    opened = open_authority(load({}, str(console.home)))
    yield opened
    opened.database.close()


def test_sessions_are_listed_with_computer_and_times(console: Console, authority: Authority) -> None:
    first, second = connected(authority, "laptop"), connected(authority, "tower", "arcgis-desktop")
    rows = console.good("session", "list")
    assert {row["id"] for row in rows} == {first.id, second.id}
    assert rows[0].keys() >= {"id", "member", "machine", "created_at", "last_used_at", "active_until", "state"}
    ended = console.run("session", "list")
    assert ended.status == 0
    for text in ("computer", "active until", "laptop", "tower", "arcgis-desktop Advanced", first.id):
        assert text in ended.out


def test_sessions_are_filtered_and_those_that_ended_are_listed_with_all(console: Console, authority: Authority) -> None:
    first, second = connected(authority, "laptop"), connected(authority, "tower", "arcgis-desktop")

    def ids(*arguments: str) -> set[str]:
        return {row["id"] for row in console.good("session", "list", *arguments)}

    assert ids("--product", "arcgis-pro") == {first.id}
    assert ids("--member", "ADA") == {first.id, second.id}
    assert ids("--member", "admin") == set()
    console.good("session", "end", first.id)
    assert ids() == {first.id, second.id}  # its seat is still taken
    with authority.database.write() as connection:
        past = first.created_at
        over = replace(first, ended_at=past, ended_by=SessionEnding.ADMINISTRATOR, granted_until=past)
        stored.update_session(connection, over)
    assert ids() == {second.id}
    assert ids("--all") == {first.id, second.id}


def test_a_command_that_shows_the_log_writes_what_time_ended(console: Console, authority: Authority) -> None:
    """No server may be running that does it."""
    session = connected(authority, "laptop")
    with authority.database.write() as connection:
        stored.update_session(connection, replace(session, active_until=session.created_at))
    [end] = console.good("log", "list", "--kind", "end")
    assert (end["handle"], end["actor"]) == (session.id, "time")
    said = console.run("log", "show", str(end["id"])).out
    assert "session ended (end)" in said
    assert "time (the time was over)" in said
    assert "not used for too long" in said


def test_more_than_the_limit_is_said(console: Console, authority: Authority) -> None:
    connected(authority, "laptop")
    connected(authority, "tower")
    ended = console.run("--json", "session", "list", "--limit", "1")
    assert len(ended.json) == 1
    assert "more than 1" in ended.err


def test_one_session_is_ended_and_the_time_to_save_is_told(console: Console, authority: Authority) -> None:
    session = connected(authority, "laptop")
    ended = console.run("session", "end", session.id)
    assert ended.status == 0
    assert f"{session.id}: arcgis-pro Advanced for ada on laptop, ended; the user can save until " in ended.out
    assert "the seat is free at " in ended.out
    shown = console.good("session", "list", "--all")[0]
    assert (shown["state"], shown["id"]) == ("ended", session.id)
    assert shown["save_by"] > shown["ended_at"]
    assert console.refused("session-ended", 1, "session", "end", session.id)["evidence"]["state"] == "ended"


def test_several_are_ended_in_one(console: Console, authority: Authority) -> None:
    first, second = (connected(authority, name) for name in ("laptop", "tower"))
    assert [row["id"] for row in console.good("session", "end", first.id, second.id)] == [first.id, second.id]


def test_wrong_usage_is_told(console: Console) -> None:
    assert console.run("session", "end").status == 2
    assert console.run("session", "list", "--limit", "0").status == 2
    console.refused("not-found", 1, "session", "end", "A" * 22)
    assert "list" in console.run("session", "--help").out
