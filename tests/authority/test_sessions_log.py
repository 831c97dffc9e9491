"""What the log says about sessions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import sessions
from authority.services.log import checkout_log
from authority.services.unit import Unit
from authority.web.access import publisher_of
from tests.support.authorities import START, Bench, make_bench
from tests.support.borrowing import workstation
from tests.support.browsing import Browser
from tests.support.connecting import assign, configure, started, used
from tests.support.database_contents import log_rows, unchanged
from tests.support.web import make_web

HALF_AN_HOUR = timedelta(minutes=30)


def kinds(bench: Bench) -> list[tuple[str, str, str | None]]:
    """Event, feature and reason of the whole checkout log, in its order."""
    sessions.log_ended_by_time(Unit(bench.authority, CONSOLE))
    return [(row["event"], row["feature"], row["reason"]) for row in checkout_log(Unit(bench.authority, CONSOLE))]


def test_a_start_has_a_row_for_each_feature_and_a_use_has_none(bench: Bench) -> None:
    ada, laptop = bench.member("ada", groups=("survey", "field")), workstation("laptop")
    assign(bench, "ada", "Advanced", ("3DAnalyst",))
    session = started(bench, ada, laptop, extensions=("3DAnalyst",)).session
    bench.clock.turn(minutes=10)
    used(bench, ada, session.id)
    started(bench, ada, laptop)
    rows = list(checkout_log(Unit(bench.authority, CONSOLE)))
    assert [row["feature"] for row in rows] == ["Advanced", "3DAnalyst"]
    for row in rows:
        assert (row["event"], row["mode"], row["handle"], row["at"]) == ("checkout", "session", session.id, START)
        assert (row["member"], row["group"], row["machine"]) == ("ada", "field; survey", "machine-laptop")
        assert (row["alias"], row["os_user"], row["quantity"], row["until"]) == ("laptop", "laptop", 1, None)


@pytest.mark.parametrize(
    ("way", "kind", "reason"), [("holder", "checkin", "checked-in"), ("administrator", "end", "administrator")]
)
def test_who_ends_a_session_is_in_the_log_with_the_reason(bench: Bench, way: str, kind: str, reason: str) -> None:
    ada, chief = bench.member("ada"), bench.administrator()
    session = started(bench, ada, workstation("laptop")).session
    bench.clock.turn(minutes=3)
    if way == "holder":
        sessions.check_in(Unit(bench.authority, ada), session.id)
    else:
        sessions.end(Unit(bench.authority, chief), session.id)
    (row,) = log_rows(bench.authority.database, kind)
    assert (row["handle"], row["reason"], row["at"], row["mode"]) == (session.id, reason, bench.clock(), "session")
    assert row["actor"] == ("ada" if way == "holder" else "chief")
    bench.clock.turn(hours=1)
    assert sessions.log_ended_by_time(Unit(bench.authority, CONSOLE)) == 0


def test_an_end_by_time_is_written_once_and_has_the_time_of_the_end(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    bench.clock.turn(minutes=29, seconds=59)
    assert sessions.log_ended_by_time(Unit(bench.authority, CONSOLE)) == 0
    bench.clock.turn(seconds=1)
    assert log_rows(bench.authority.database, "end") == []
    bench.clock.turn(days=2)
    assert sessions.log_ended_by_time(Unit(bench.authority, CONSOLE)) == 1
    assert sessions.log_ended_by_time(Unit(bench.authority, CONSOLE)) == 0
    (row,) = log_rows(bench.authority.database, "end")
    assert (row["handle"], row["reason"], row["at"], row["actor"]) == (session.id, "time", START + HALF_AN_HOUR, "time")


def test_t30_who_reads_the_log_writes_nothing_and_the_server_writes_what_time_ended(tmp_path: Path) -> None:
    bench = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    web = make_web(bench)
    started(bench, bench.member("ada"), workstation("laptop"))
    bench.clock.turn(days=2)
    analyst = Browser(web).be(Role.ANALYST)
    # When a sign-in and a key were used last is kept now and then, whatever they ask for.
    for answer in (analyst.get("/console/"), web.get("/me", Role.ANALYST)):
        assert answer.status_code in (200, 303)
    with unchanged(bench.authority.database):
        for path in ("/events", "/events?kind=end", "/checkout-log", "/events/1"):
            assert web.get(path, Role.ANALYST).status_code == 200, path
        for path in ("/console/log", "/console/log/1", "/console/log/listed.csv", "/console/log/checkouts.jsonl"):
            assert analyst.get(path).status_code == 200, path
    publisher_of(web.client.application).log_ended()
    [end] = web.get("/events?kind=end", Role.ANALYST).get_json()["items"]
    assert (end["actor"], end["reason"]) == ("time", "time")
    bench.authority.database.close()


def test_a_member_who_starts_again_leaves_no_open_session_in_the_log(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    assign(bench, "ada", "Advanced", ("3DAnalyst",))
    started(bench, ada, laptop, extensions=("3DAnalyst",))
    started(bench, bench.member("eve"), workstation("tower"))
    bench.clock.turn(hours=2)
    started(bench, ada, laptop, level="Basic", extensions=())
    assert kinds(bench) == [
        ("checkout", "Advanced", None),
        ("checkout", "3DAnalyst", None),
        ("checkout", "Advanced", None),
        ("end", "Advanced", "time"),
        ("end", "3DAnalyst", "time"),
        ("checkout", "Basic", None),
        # That of the other member, which nobody had looked for yet.
        ("end", "Advanced", "time"),
    ]


def test_the_end_by_time_is_written_beside_a_denial_too(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    started(bench, ada, laptop)
    bench.clock.turn(hours=2)
    configure(bench, computers=1)
    started(bench, ada, workstation("tower"))
    with pytest.raises(Exception, match="at most 1 ") as caught:
        started(bench, ada, laptop)
    assert getattr(caught.value, "code", "") == "session-limit"
    assert [kind for kind, _, _ in kinds(bench)] == ["checkout", "end", "checkout", "denial"]


def test_ends_are_written_in_portions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_LOGGED_AT_ONCE", 2)
    for number in range(5):
        started(bench, bench.member(f"m{number}"), workstation(f"w{number}"))
    bench.clock.turn(minutes=30)
    assert sessions.log_ended_by_time(Unit(bench.authority, CONSOLE)) == 5
    rows: list[dict[str, Any]] = log_rows(bench.authority.database, "end")
    assert len({row["handle"] for row in rows}) == 5
