"""What a real authority logs of some weeks is read as it was lived: by those who took, kept and gave back the licenses."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from authority.domain.members import CONSOLE
from authority.services import borrow as borrow_service
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from checkout_log import borrows, denials, read, stuck, usage
from checkout_log.columns import BORROW, OUTLIER, SESSION
from checkout_log.log import Log
from checkout_log.report import release_table
from tests.conftest import new_postgres_database
from tests.notebooks.replay import organization
from tests.notebooks.replay.home import FORMS, Home, export
from tests.notebooks.replay.parts import Replay
from tests.support.authorities import Bench, TestClock
from tests.support.borrowing import issued_to, seats_held, workstation
from tests.support.connecting import started
from tests.support.console import Console

# What a row of a session says, beside when it ended.
SAME = ["handle", "product", "feature", "mode", "member", "machine", "alias", "quantity", "start", "until"]
Session = tuple[object, ...]


@pytest.fixture(scope="module")
def log(home: Home) -> Log:
    return read(home.exports["jsonl"])


def lived_sessions(replay: Replay, ends_at: datetime) -> list[Session]:
    """The uses as rows of sessions, in order; what goes on when the log ends is open then."""
    rows = []
    for use in replay.uses:
        is_over = use.end is not None and use.end <= ends_at
        end, ended_by = (use.end, use.ended_by) if is_over else (ends_at, "open")
        for feature in use.features:
            same = (use.handle, use.product, feature, use.mode, use.member, use.machine, use.alias, 1, use.start, use.until)
            rows.append((*same, end, ended_by, not is_over))
    return sorted(rows, key=str)


def read_sessions(log: Log) -> list[Session]:
    """The sessions that were read, in the same form and order."""
    frame = log.sessions()[[*SAME, "end", "ended_by", "censored"]].astype(object)
    rows = frame.where(frame.notna(), None).itertuples(index=False, name=None)
    return sorted((tuple(map(plain, row)) for row in rows), key=str)


def plain(value: Any) -> object:
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def ends_at(log: Log) -> datetime:
    """The time of the last event."""
    return log.events()["at"].max().to_pydatetime()  # type: ignore[no-any-return]


def lived_denials(replay: Replay) -> Counter[Session]:
    return Counter(
        (one.at, one.mode, one.product, feature, one.member, one.machine, one.reason)
        for one in replay.refused
        for feature in one.features
    )


def read_denials(log: Log) -> Counter[Session]:
    events = log.events()
    rows = events.loc[events["event"] == "denial", ["at", "mode", "product", "feature", "member", "machine", "reason"]]
    return Counter(tuple(map(plain, row)) for row in rows.itertuples(index=False, name=None))


@pytest.mark.parametrize("source", [*FORMS, "database"])
def test_sessions_are_read_as_they_were_lived_from_every_export_and_from_the_database(home: Home, source: str) -> None:
    read_log = read(home.exports.get(source, home.address))
    assert read_sessions(read_log) == lived_sessions(home.replay, ends_at(read_log))
    assert read_log.quality()[["malformed", "undated", "ambiguous", "disagreeing"]].to_numpy().sum() == 0


def test_an_authority_on_postgresql_is_read_as_it_lived(postgres: str, tmp_path: Path) -> None:
    url = new_postgres_database(postgres)
    replay, _ = organization.replay(url, tmp_path / "home", days=10, with_stories=False)
    try:
        path = export(tmp_path / "home", "parquet", replay.bench.clock, tmp_path / "log.parquet", url)
        for source in (path, url):
            log = read(source)
            assert read_sessions(log) == lived_sessions(replay, ends_at(log))
            assert read_denials(log) == lived_denials(replay)
        assert len(replay.uses) > 50
    finally:
        replay.bench.authority.database.close()


def test_every_way_to_begin_and_to_end_was_lived(home: Home) -> None:
    """Else the tests here would show less than they say."""
    ways = {(use.mode, use.ended_by) for use in home.replay.uses}
    assert ways == {
        *((SESSION, ended_by) for ended_by in ("checkin", "end", "open")),
        *((BORROW, ended_by) for ended_by in ("checkin", "expiry", "revocation", "release", "open")),
    }
    assert {one.reason for one in home.replay.refused} == {
        "already-borrowed",
        "duration-too-long",
        "extension-not-assigned",
        "level-not-assigned",
        "member-disabled",
        "pool-exhausted",
    }


def test_denials_are_the_requests_that_were_refused(home: Home, log: Log) -> None:
    assert read_denials(log) == lived_denials(home.replay)
    counts = denials.counts(log)
    refused = Counter(one.reason == "pool-exhausted" for one in home.replay.refused for _ in one.features)
    assert (counts["raw"].sum(), counts["other"].sum()) == (refused[True], refused[False])
    assert counts[["unexplained", "unsupported"]].to_numpy().sum() == 0


def test_peaks_are_the_most_that_were_in_use_at_once(home: Home, log: Log) -> None:
    peaks = usage.peaks(log)
    highest = {(row.product, row.feature): (row.peak, row.peak_at) for row in peaks.itertuples()}
    assert highest == most_at_once(home.replay)
    # Of a concurrent product the authority counted the seats itself.
    counted = {key: most for key, (most, _) in highest.items() if key[0] == organization.DESKTOP.name}
    assert counted == home.replay.most_seats
    assert counted == {(organization.DESKTOP.name, one.name): one.seats for one in organization.DESKTOP.features}


def most_at_once(replay: Replay) -> dict[tuple[str, str], tuple[int, datetime]]:
    """Of each feature the most uses at one moment and when that was first reached, counted by hand."""
    moves = [(use.start, 1, use) for use in replay.uses] + [(use.end, -1, use) for use in replay.uses if use.end is not None]
    in_use: Counter[tuple[str, str]] = Counter()
    most: dict[tuple[str, str], tuple[int, datetime]] = {}
    for at, step, use in sorted(moves, key=lambda move: move[:2]):
        for key in ((use.product, feature) for feature in use.features):
            in_use[key] += step
            if in_use[key] > most.get(key, (0, at))[0]:
                most[key] = in_use[key], at
    return most


def test_a_session_beside_a_borrow_on_one_machine_is_one_seat_and_two_handles(sqlite_bench: Bench) -> None:
    """The authority gives the two together one seat; only who counts by machine or member sees that in the log."""
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    issued_to(sqlite_bench, ada, laptop, "arcgis-desktop", level="Advanced")
    sqlite_bench.clock.turn(minutes=1)
    started(sqlite_bench, ada, laptop, "arcgis-desktop", level="Advanced")
    assert seats_held(sqlite_bench, "arcgis-desktop", "Advanced") == 1
    log = read(sqlite_bench.authority.database.url.render_as_string())
    peaks = [usage.peaks(log, license=what)["peak"].tolist() for what in ("handle", "machine", "member")]
    assert peaks == [[2], [1], [1]]


def planted(home: Home) -> dict[str, str]:
    return {home.replay.of_case(case).handle: cause for case, cause in home.stories.stuck.items()}


@pytest.mark.parametrize("is_later", [False, True], ids=["when the log ends", "at the last look"])
def test_exactly_what_got_stuck_is_found_and_by_its_cause(home: Home, log: Log, is_later: bool) -> None:
    stuck_uses = stuck.find(log, home.replay.now if is_later else None)
    assert dict(zip(stuck_uses["handle"], stuck_uses["cause"], strict=True)) == planted(home)
    assert set(stuck_uses["cause"]) == {"holder-inactive", "machine-gone", "over-long-borrow", "outlier"}


def test_what_time_frees_at_an_authority_is_not_overdue_when_the_log_is_old(home: Home, log: Log) -> None:
    """The log ended before many borrows were due; weeks later nothing of them is held any more."""
    later = home.replay.now + timedelta(days=21)
    stuck_uses = stuck.find(log, later)
    due = {use.handle: use.until for use in home.replay.uses if use.until is not None}
    assert "overdue" not in set(stuck_uses["cause"])
    assert all(due[handle] > later for handle in stuck_uses["handle"] if handle in due)
    lapsed = {handle for handle in planted(home) if handle in due and due[handle] <= later}
    assert lapsed
    assert not lapsed & set(stuck_uses["handle"])


def test_what_is_out_is_what_the_authority_itself_lists(home: Home, log: Log) -> None:
    authority = home.replay.bench.authority
    ageing = borrows.ageing(log, home.replay.now)
    out = ageing[ageing["is_out"]]
    for state, is_revoked in (("active", False), ("revoked", True)):
        borrows_out = borrow_service.every(Unit(authority, CONSOLE), Filter(state=state))
        expected = {
            (item.id, item.member, item.machine.id, item.machine.alias, item.expires_at)
            for item in borrows_out
            if item.holds_seat(home.replay.now)
        }
        mine = out[out["revoked_at"].notna() == is_revoked]
        rows = mine[["handle", "member", "machine", "alias", "due"]].itertuples(index=False, name=None)
        assert {tuple(map(plain, row)) for row in rows} == expected
        assert expected
    assert not out["is_overdue"].any()
    renewed = {use.handle for use in map(home.replay.of_case, home.stories.fine) if use.ended_by == "open"}
    assert set(ageing.loc[ageing["renewals"] > 0, "handle"]) & renewed


def test_a_database_that_was_not_exported_lacks_the_ends_that_nobody_was_there_for(home: Home, log: Log) -> None:
    """Time ends sessions; their rows are written when the log is exported, or the member starts again."""
    before, after = ({row[0]: row[-2] for row in read_sessions(one)} for one in (home.before_export, log))
    assert before.keys() == after.keys()
    differing = {handle for handle in before if before[handle] != after[handle]}
    assert {(before[handle], after[handle]) for handle in differing} == {("open", "end")}
    died = next(home.replay.of_case(case).handle for case, kind in home.stories.fine.items() if kind == "died")
    assert died in differing
    # What is open for so long looks stuck.
    assert died in set(stuck.find(home.before_export)["handle"])
    assert died not in set(stuck.find(log)["handle"])


@pytest.fixture
def later(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """Commands for a copy of the home, some minutes after the last look."""
    shutil.copytree(home.replay.bench.home, tmp_path / "home")
    monkeypatch.setattr("authority.wiring.app.system_clock", TestClock(home.replay.now + timedelta(minutes=10)))
    return Console(tmp_path / "home", capsys)


def test_what_is_found_stuck_is_released_by_the_table_and_is_found_no_more(
    home: Home, log: Log, later: Console, tmp_path: Path
) -> None:
    ready = release_table.releasable(log, stuck.find(log))
    table = str(release_table.write_csv(ready, tmp_path / "stuck.csv"))
    release = ("borrow", "release", "--from", table, "--reason", "stuck", "--accept-overlap")
    borrowed = {handle for handle, cause in planted(home).items() if cause != OUTLIER}

    answer = later.good(*release, "--dry-run")
    assert {row["id"] for row in answer if row["ok"]} == borrowed
    assert held(later) >= borrowed
    before = seats_taken(later)

    answer = later.good(*release)
    assert {row["id"]: row["borrow"]["state"] for row in answer} == dict.fromkeys(borrowed, "released")
    assert not held(later) & borrowed
    of_pool = [use for use in home.replay.uses if use.handle in borrowed and use.product == organization.DESKTOP.name]
    assert of_pool
    assert before - seats_taken(later) == len(of_pool)

    assert later.good("log", "export", "-o", str(tmp_path / "again.jsonl"))
    again = read(tmp_path / "again.jsonl")
    events = again.events()
    assert set(events.loc[(events["event"] == "release") & (events["reason"] == "stuck"), "handle"]) == borrowed
    sessions = again.sessions().set_index("handle")
    assert set(sessions.loc[sorted(borrowed), "ended_by"]) == {"release"}
    stuck_uses = stuck.find(again)
    assert dict(zip(stuck_uses["handle"], stuck_uses["cause"], strict=True)) == {
        handle: cause for handle, cause in planted(home).items() if cause == OUTLIER
    }


def held(console: Console) -> set[str]:
    return {row["id"] for row in console.good("borrow", "list", "--state", "active")}


def seats_taken(console: Console) -> int:
    """The seats in use of the pool."""
    rows = console.good("license", "availability")
    return sum(row["used"] for row in rows if (row["product"], row["feature"]) == (organization.DESKTOP.name, "Advanced"))
