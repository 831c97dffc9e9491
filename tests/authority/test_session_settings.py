"""The settings of sessions: who may see and change them, from when they count, and what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import InvalidInput, SessionEnded, SessionLimit, StorageUnavailable
from authority.domain.sessions import BOUNDS, SessionSettings
from authority.presentation.sessions import SettingsShown
from authority.services import organization_settings, sessions
from authority.services.unit import Unit
from authority.storage.db.tables import preferences
from authority.web.api.session_settings import SettingsChange
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import at_once, claims_of, fail_inserts, workstation
from tests.support.connecting import asked, body_of, configure, started, used
from tests.support.console import Console, contents_of, over_http
from tests.support.database_contents import contents, log_rows
from tests.support.web import API, Web, problem

FIRST = {"minutes": 30, "computers": 3, "grant_minutes": 0, "save_minutes": 60}
KIND = "session-settings-changed"


def change(bench: Bench, **changes: int) -> SessionSettings:
    return organization_settings.change(Unit(bench.authority, CONSOLE), SessionSettings, changes)


def show(bench: Bench) -> SessionSettings:
    return organization_settings.show(Unit(bench.authority, CONSOLE), SessionSettings)


def words(bench: Bench) -> list[str]:
    return [row["reason"] for row in log_rows(bench.authority.database, KIND)]


# What is kept and logged.


@ON_SQLITE
def test_at_first_they_are_those_of_the_seeds(bench: Bench) -> None:
    """Seed S1: 30 minutes, three computers, 60 minutes to save."""
    assert show(bench) == SessionSettings(30, 3, 0, 60)
    assert words(bench) == []


def test_what_is_changed_is_kept_and_the_rest_stays(bench: Bench) -> None:
    assert change(bench, computers=4) == SessionSettings(computers=4)
    assert change(bench, minutes=45, save_minutes=0) == SessionSettings(45, 4, 0, 0)
    assert show(bench) == SessionSettings(45, 4, 0, 0)


def test_every_change_is_logged_with_old_and_new_values(bench: Bench) -> None:
    change(bench, computers=4)
    chief = bench.administrator()
    organization_settings.change(Unit(bench.authority, chief), SessionSettings, {"minutes": 45, "computers": 5})
    assert words(bench) == ["computers: 3, from now on 4", "minutes: 30, from now on 45; computers: 4, from now on 5"]
    assert [row["actor"] for row in log_rows(bench.authority.database, KIND)] == ["console", "chief"]


def test_a_change_to_what_is_there_changes_nothing(bench: Bench) -> None:
    change(bench, computers=4)
    before = contents(bench.authority.database)
    assert change(bench, computers=4, minutes=30) == SessionSettings(computers=4)
    assert contents(bench.authority.database) == before


def test_two_who_change_at_the_same_time_each_keep_what_the_other_changed(bench: Bench) -> None:
    wanted = {"minutes": 45, "computers": 4, "grant_minutes": 480, "save_minutes": 5}
    at_once([lambda name=name, value=value: change(bench, **{name: value}) for name, value in wanted.items()])  # type: ignore[misc]
    assert show(bench) == SessionSettings(**wanted)
    assert len(words(bench)) == 4


def test_without_its_log_row_nothing_is_changed(bench: Bench) -> None:
    restore = fail_inserts(bench.authority.database, "events", KIND)
    with pytest.raises(StorageUnavailable, match="disk full"):
        change(bench, computers=4)
    restore()
    assert show(bench) == SessionSettings()


def test_what_makes_no_sense_in_the_table_can_be_put_right(bench: Bench) -> None:
    configure(bench, minutes=0, computers=4)
    with pytest.raises(InvalidInput, match="minutes"):
        show(bench)
    with pytest.raises(InvalidInput, match="minutes"):
        change(bench, save_minutes=5)
    assert change(bench, minutes=20) == SessionSettings(minutes=20, computers=4)
    assert words(bench) == ["minutes: 0, from now on 20"]


REFUSED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "unknown": {"hours": 3},
    "unknown beside known": {"minutes": 45, "hours": 3},
    **{f"{name} below": {name: least - 1} for name, (least, _) in BOUNDS.items()},
    **{f"{name} above": {name: most + 1} for name, (_, most) in BOUNDS.items()},
    **{f"{name} huge": {name: 10**30} for name in BOUNDS},
    "a text": {"minutes": "45"},
    "a broken number": {"minutes": 45.0},
    "true": {"computers": True},
    "null": {"computers": None},
}


@ON_SQLITE
@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_a_senseless_value_changes_nothing(bench: Bench, changes: dict[str, Any]) -> None:
    change(bench, computers=5)
    before = contents(bench.authority.database)
    with pytest.raises(InvalidInput):
        organization_settings.change(Unit(bench.authority, CONSOLE), SessionSettings, changes)
    assert contents(bench.authority.database) == before


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bounds_themselves_are_taken(sqlite_bench: Bench, name: str) -> None:
    for value in BOUNDS[name]:
        assert getattr(change(sqlite_bench, **{name: value}), name) == value


# From when they count.


def active_until(bench: Bench, actor: Actor, session_id: str) -> Any:
    return sessions.show(Unit(bench.authority, actor), session_id).active_until


@ON_SQLITE
def test_the_fourth_computer_is_refused_with_three_and_allowed_with_four(bench: Bench) -> None:
    ada = bench.member("ada")
    for number in range(3):
        started(bench, ada, workstation(f"w{number}"))
    with pytest.raises(SessionLimit, match="at most 3 are allowed"):
        started(bench, ada, workstation("fourth"))
    change(bench, computers=4)
    assert started(bench, ada, workstation("fourth")).is_new
    with pytest.raises(SessionLimit, match="at most 4 are allowed"):
        started(bench, ada, workstation("fifth"))


@ON_SQLITE
def test_fewer_computers_end_no_session_and_let_no_new_one_start(bench: Bench) -> None:
    ada, laptops = bench.member("ada"), [workstation(f"w{number}") for number in range(3)]
    active = [started(bench, ada, laptop).session for laptop in laptops]
    change(bench, computers=1)
    for session in active:
        assert used(bench, ada, session.id).session.state(bench.authority.now()) == "active"
    assert not started(bench, ada, laptops[1]).is_new
    with pytest.raises(SessionLimit, match="signed in on 3 computers, at most 1"):
        started(bench, ada, workstation("fourth"))
    for session in active:
        sessions.check_in(Unit(bench.authority, ada), session.id)
    bench.clock.turn(minutes=30)
    assert started(bench, ada, workstation("fourth")).is_new


@ON_SQLITE
@pytest.mark.parametrize("minutes", [5, 120])
def test_an_active_session_keeps_its_time_until_it_is_renewed(bench: Bench, minutes: int) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    change(bench, minutes=minutes)
    assert active_until(bench, ada, session.id) == START + timedelta(minutes=30)
    now = bench.clock.turn(minutes=10)
    assert active_until(bench, ada, session.id) == START + timedelta(minutes=30)
    assert used(bench, ada, session.id).session.active_until == now + timedelta(minutes=minutes)


@ON_SQLITE
def test_a_session_ends_by_the_time_it_was_given(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    change(bench, minutes=120)
    bench.clock.turn(minutes=30)
    with pytest.raises(SessionEnded):
        used(bench, ada, session.id)


@ON_SQLITE
def test_a_new_session_lasts_as_long_as_is_set(bench: Bench) -> None:
    ada = bench.member("ada")
    change(bench, minutes=1)
    session = started(bench, ada, workstation("laptop")).session
    assert session.active_until == START + timedelta(minutes=1)


@ON_SQLITE
def test_a_grant_is_good_without_a_line_for_as_long_as_is_set(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = started(bench, ada, laptop)
    change(bench, grant_minutes=120)
    renewed = used(bench, ada, first.session.id)
    ends = [claims_of(item.grant)["exp"] - int(START.timestamp()) for item in (first, renewed)]
    assert ends == [30 * 60, 2 * 3600]


@ON_SQLITE
@pytest.mark.parametrize("minutes", [0, 5])
def test_the_time_to_save_is_as_set_when_the_session_is_ended(bench: Bench, minutes: int) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    change(bench, save_minutes=minutes)
    assert sessions.end(Unit(bench.authority, CONSOLE), session.id).save_by == START + timedelta(minutes=minutes)


# Over HTTP.


def patch(web: Web, body: Any, role: Role | None = Role.ADMINISTRATOR) -> Any:
    return web.send("PATCH", f"{API}/sessions/settings", role, json=body)


def test_they_are_shown_and_changed_over_http(web: Web) -> None:
    first = web.get("/sessions/settings").get_json()
    assert first == FIRST | {"version": first["version"]}
    answer = patch(web, {"computers": 4, "minutes": None})
    changed = FIRST | {"computers": 4, "version": answer.get_json()["version"]}
    assert (answer.status_code, answer.get_json()) == (200, changed)
    assert changed["version"] != first["version"]
    assert web.get("/sessions/settings", Role.LICENSE_MANAGER).get_json() == changed
    assert words(web.bench) == ["computers: 3, from now on 4"]
    assert [row["actor"] for row in log_rows(web.bench.authority.database, KIND)] == ["administrator"]
    assert FIRST.keys() == SettingsShown.model_fields.keys() - {"version"} == SettingsChange.model_fields.keys()


def test_the_fourth_computer_over_http(both_web: Web) -> None:
    def start(name: str) -> Any:
        return both_web.post("/sessions", body_of(asked(workstation(name))), Role.MEMBER)

    assert [start(f"w{number}").status_code for number in range(3)] == [201] * 3
    problem(start("fourth"), 409, "session-limit")
    patch(both_web, {"computers": 4})
    assert start("fourth").status_code == 201
    problem(start("fifth"), 409, "session-limit")


def test_a_session_is_still_found_by_its_id(web: Web) -> None:
    """The fixed path is no id: ids have 22 characters."""
    made = web.post("/sessions", body_of(asked(workstation("laptop"))), Role.MEMBER).get_json()["session"]
    assert web.get(f"/sessions/{made['id']}").get_json() == made
    for method, path in (("DELETE", "settings"), ("POST", "settings/end"), ("POST", "settings/renew")):
        problem(web.send(method, f"{API}/sessions/{path}"), 400, "invalid-input")
    for method in ("PUT", "POST"):
        problem(web.send(method, f"{API}/sessions/settings"), 405, "method-not-allowed")


@pytest.mark.parametrize("body", [{}, {"minutes": None}, dict.fromkeys(BOUNDS)])
def test_a_change_that_names_nothing_is_refused(still_web: Web, body: dict[str, Any]) -> None:
    refusal = problem(patch(still_web, body), 400, "invalid-input")
    assert "minutes, computers, grant_minutes, save_minutes" in refusal["detail"]


# The command.


def test_they_are_shown_and_changed_by_command(console: Console) -> None:
    first = console.good("session", "settings")
    assert first == FIRST | {"version": first["version"]}
    changed = console.good("session", "settings", "--computers", "4", "--save-minutes", "0")
    assert changed == FIRST | {"computers": 4, "save_minutes": 0, "version": changed["version"]}
    assert console.good("session", "settings") == changed
    output = console.run("session", "settings", "--minutes", "45").out
    assert [line.rsplit(maxsplit=1) for line in output.splitlines()] == [
        ["minutes", "45"],
        ["computers", "4"],
        ["grant minutes", "0"],
        ["save minutes", "0"],
    ]


def test_they_are_kept_as_one_json_object(console: Console) -> None:
    console.good("session", "settings", "--minutes", "45")
    (row,) = [row for row in contents_of(console)[preferences.name] if row[0] == SessionSettings.subject]
    assert json.loads(row[1]) == FIRST | {"minutes": 45}


def test_showing_them_writes_nothing(console: Console) -> None:
    before = contents_of(console)
    console.good("session", "settings")
    assert contents_of(console) == before


@pytest.mark.parametrize("option", ["--minutes", "--computers", "--offline-hours", "--save-minutes"])
def test_wrong_usage_exits_with_2_and_changes_nothing(console: Console, option: str) -> None:
    before = contents_of(console)
    for value in ("many", "4.5", "", "\udcff", "1e3"):
        ended = console.run("session", "settings", option, value)
        assert (ended.status, ended.out) == (2, ""), value
    assert console.run("session", "settings", option).status == 2
    assert console.run("session", "settings", "more", option, "3").status == 2
    assert contents_of(console) == before


@pytest.mark.parametrize("name", BOUNDS)
def test_a_value_out_of_bounds_is_refused_and_changes_nothing(console: Console, name: str) -> None:
    least, most = BOUNDS[name]
    before = contents_of(console)
    for value in (least - 1, most + 1, -(10**6), 10**40):
        refusal = console.refused("invalid-input", 1, "session", "settings", f"--{name.replace('_', '-')}", str(value))
        assert f"from {least} to {most}" in refusal["message"]
    assert contents_of(console) == before


def test_commands_and_routes_show_the_same(console: Console) -> None:
    console.good("session", "settings", "--computers", "4")
    with over_http(console) as get:
        assert get("/sessions/settings") == console.good("session", "settings")


def test_only_one_row_is_kept_however_often_they_change(bench: Bench) -> None:
    for minutes in (10, 20, 30):
        change(bench, minutes=minutes)
    with bench.authority.database.read() as connection:
        rows = connection.execute(select(preferences.c.name).where(preferences.c.name == SessionSettings.subject)).all()
    assert len(rows) == 1
