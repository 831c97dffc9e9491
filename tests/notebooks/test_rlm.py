"""RLM's report logs in their three styles, and debug logs of ISV servers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.report import summary
from tests.notebooks.stored_rows import micros, stored, table

HEAD = """RLM Report Log Format {style}, version 14.0, authenticated
ISV: reprise, RLM version 14.2 BL3

Logfile format Copyright (C) 2006-2021 Reprise Software, Inc.

START keeper 12/31/2021 08:00
TIMEZONE 0 0 # UTC
LICENSE FILE /opt/rlm/a.lic
PRODUCT imaris 6.0 9 10 0 10 "" "" "" "" "" "" 0 0 0 0 0 0 0 0 0
"""
STANDARD = """OUT imaris 6.0 9 lab_1 pc1 "" 2 2 0 26e 26e 410 "" "" "" 12/31 10:57:52
DENY imaris 6.0 eve pc2 "" 1 -22 1 12/31 11:00
DENY imaris 6.0 eve pc2 "" 1 -22 0 12/31 11:01
12/31/2021 11:30
QUE imaris 6.0 bob pc3 "" 1 2ae "" "imaris" "6.0" 12/31 23:59:50
OUT imaris 6.0 9 "" pc3 "" 1 3 0 2ae 2ae 411 "" "" "" 01/01 00:00:10
01/01/2022 00:00
IN 4 imaris 6.0 lab_1 pc1 "" 2 1 0 26e 01/01 08:00:00
IN 1 imaris 6.0 "" pc3 "" 1 0 0 2ae 01/01 09:00:00
REREAD root keeper 01/01 09:30:00
SHUTDOWN root keeper 01/01 10:00:00
END 01/01/2022 10:00
"""
SMALL = """OUT imaris 6.0 lab_1 pc1 "" 2 26e 26e 10:57
DENY imaris 6.0 eve pc2 "" 1 -22 1 12/31 11:00
12/31/2021 23:30
OUT imaris 6.0 bob pc3 "" 1 2ae 2ae 23:59
01/01/2022 00:00
IN 1 2 26e 08:00
IN 1 1 99 08:30
"""


def test_a_standard_report_log_tells_who_took_what_and_when(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(HEAD.format(style=0) + STANDARD)
    log = read(tmp_path / "x")
    assert table(stored(log), "at", "event", "handle", "product", "feature", "member", "machine", "quantity", "reason") == [
        [micros(2021, 12, 31, 10, 57, 52), "checkout", "26e", "reprise", "imaris", "lab_1", "pc1", 2, None],
        [micros(2021, 12, 31, 11), "denial", None, "reprise", "imaris", "eve", "pc2", 1, "-22"],
        [micros(2021, 12, 31, 23, 59, 50), "denial", "2ae", "reprise", "imaris", "bob", "pc3", 1, "queued"],
        [micros(2022, 1, 1, 0, 0, 10), "checkout", "2ae", "reprise", "imaris", None, "pc3", 1, None],
        [micros(2022, 1, 1, 8), "checkin", "26e", "reprise", "imaris", "lab_1", "pc1", 2, "idle"],
        [micros(2022, 1, 1, 9), "checkin", "2ae", "reprise", "imaris", None, "pc3", 1, None],
    ]
    assert not stored(log)["ambiguous"].any()
    eras = log.stored.eras
    assert table(eras, "product", "begin", "end") == [["reprise", micros(2021, 12, 31, 8), micros(2022, 1, 1, 10)]]
    quality = log.quality().iloc[0]
    assert (quality["kind"], quality["malformed"], quality["undated"]) == ("rlm-report", 0, 0)
    assert log.sessions().sort_values("start")["ended_by"].tolist() == ["idle", "checkin"]


def test_a_small_report_log_takes_days_from_its_stamps_and_names_from_its_checkouts(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(HEAD.format(style=1) + SMALL)
    log = read(tmp_path / "x")
    assert table(stored(log), "at", "event", "handle", "feature", "member", "quantity") == [
        [micros(2021, 12, 31, 10, 57), "checkout", "26e", "imaris", "lab_1", 2],
        [micros(2021, 12, 31, 11), "denial", None, "imaris", "eve", 1],
        [micros(2021, 12, 31, 23, 59), "checkout", "2ae", "imaris", "bob", 1],
        [micros(2022, 1, 1, 8), "checkin", "26e", "imaris", "lab_1", 2],
    ]
    # A check-in of a handle that nobody took says nothing.
    assert log.quality()["malformed"].tolist() == [1]


def test_a_silent_day_in_a_small_report_log_is_flagged(tmp_path: Path) -> None:
    body = 'OUT imaris 6.0 ann pc1 "" 1 1 1 10:00\nOUT imaris 6.0 bob pc1 "" 1 2 2 11:00\n01/03/2022 12:00\nIN 1 1 1 13:00\n'
    (tmp_path / "x").write_text(HEAD.format(style=1) + body)
    log = read(tmp_path / "x")
    assert stored(log)["ambiguous"].tolist() == [True, True, False]
    assert log.quality()["disagreeing"].tolist() == [1]


def test_a_detailed_report_log_tells_fractions_and_borrows(tmp_path: Path) -> None:
    body = """OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "imaris" "6.0" 12/31 10:00:00.1234 "x64_w4 10.0" "app" 8 5f 10.0.0.1
ROAM_EXTEND imaris 6.0 9 ann pc1 "" 4 26e 410 01/02 10:00:00
OUT imaris 6.0 9 bob pc2 "" 1 2 0 27e 27e 411 "" "imaris" "6.0" 12/31 11:00:00.0000 "x64_w4 10.0" "app" 0 0
IN 1 imaris 6.0 ann pc1 "" 1 1 0 26e 01/05 10:00:00.0000
"""
    (tmp_path / "x").write_text(HEAD.format(style=2) + body)
    rows = stored(read(tmp_path / "x"))
    begin = micros(2021, 12, 31, 10) + 123_400
    week, more = (int(timedelta(days=days).total_seconds()) * 1_000_000 for days in (7, 4))
    assert table(rows, "event", "mode", "at", "until") == [
        ["checkout", "borrow", begin, begin + week],
        ["renewal", "borrow", micros(2022, 1, 2, 10), begin + week + more],
        ["checkout", "session", micros(2021, 12, 31, 11), None],
        ["checkin", "borrow", micros(2022, 1, 5, 10), None],
    ]


def test_a_log_that_was_switched_goes_on_with_the_run_and_with_what_is_out(tmp_path: Path) -> None:
    in_use = 'INUSE imaris 6.0 9 ann pc1 "" 1 26e 410 01/01 00:00:00\n'
    first = HEAD.format(style=0) + 'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 10:57:52\n' + in_use
    second = HEAD.format(style=0).replace("12/31/2021 08:00", "01/01/2022 00:00")
    (tmp_path / "b").write_text(first + "END 01/01/2022 00:00\n")
    (tmp_path / "a").write_text(second + in_use + 'IN 1 imaris 6.0 ann pc1 "" 1 0 0 26e 01/01 08:00:00\n')
    log = read(tmp_path)
    assert table(stored(log), "event", "era") == [["checkout", 1], ["checkin", 1]]
    assert len(log.stored.eras) == 1


def test_a_license_in_use_whose_checkout_was_not_seen_is_one_of_uncertain_time(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(HEAD.format(style=0) + 'INUSE imaris 6.0 9 ann pc1 "" 3 26e 410 12/31 08:00:00\n')
    assert table(stored(read(tmp_path / "x")), "event", "quantity", "ambiguous") == [["checkout", 3, True]]


def test_a_restart_cuts_what_is_out_and_uses_handles_anew(tmp_path: Path) -> None:
    body = 'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 10:57:52\n'
    again = HEAD.format(style=0).replace("12/31/2021 08:00", "01/01/2022 09:00")
    second = 'OUT imaris 6.0 9 bob pc2 "" 1 1 0 26e 26e 410 "" "" "" 01/01 10:57:52\n'
    (tmp_path / "x").write_text(HEAD.format(style=0) + body + again + second)
    log = read(tmp_path / "x")
    assert log.sessions().sort_values("start")["ended_by"].tolist() == ["restart", "open"]


def test_two_copies_of_a_log_are_counted_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(HEAD.format(style=0) + STANDARD)
    log = read(tmp_path)
    assert len(stored(log)) == 6
    assert log.quality()["overlapping"].sum() == 6


def test_a_report_log_without_any_year_is_left_out_and_counted(tmp_path: Path) -> None:
    text = "RLM Report Log Format 0, version 14.0\nISV: reprise, RLM version 14.2 BL3\n"
    (tmp_path / "x").write_text(text + 'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 10:57:52\n')
    log = read(tmp_path / "x")
    assert len(stored(log)) == 0
    assert log.quality()["undated"].tolist() == [1]


@pytest.mark.parametrize(
    "line",
    [
        "OUT imaris",
        'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 13/45 10:57:52',
        'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 30:57:52',
        'OUT imaris 6.0 9 ann pc1 "" 0 1 0 26e 26e 410 "" "" "" 12/31 10:57:52',
        'IN 1 imaris 6.0 ann pc1 "" 1 1 0 xyz 12/31 10:57:52',
        "START keeper 99/99/9999 99:99",
    ],
)
def test_a_damaged_record_is_counted(tmp_path: Path, line: str) -> None:
    (tmp_path / "x").write_text(HEAD.format(style=0) + line + "\n")
    assert read(tmp_path / "x").quality()["malformed"].tolist() == [1]


def test_a_debug_log_takes_its_year_from_the_file_and_flags_every_event(tmp_path: Path) -> None:
    text = """12/30 08:00 (rlm) License server started on keeper
12/30 08:00 (reprise) Server started on keeper (hostid: ANY) for:
12/30 08:00 (reprise) \timaris
12/31 10:57 (reprise) OUT: imaris v6.0 by lab user@pc1 (2 licenses)
12/31 11:00 (reprise) DENIED: (3) imaris v6.0 to eve@pc2
        All licenses in use
01/01 08:00 (reprise) IN: (client exit) imaris v6.0 by lab user@pc1 (2 licenses)
01/01 09:00 (reprise) OUT: imaris
01/01 10:00 (reprise) Shutdown request by root@keeper
"""
    path = tmp_path / "x"
    path.write_text(text)
    changed = datetime(2022, 3, 1, tzinfo=UTC).timestamp()
    os.utime(path, (changed, changed))
    log = read(path)
    assert table(stored(log), "at", "event", "member", "machine", "quantity", "reason", "ambiguous") == [
        [micros(2021, 12, 31, 10, 57), "checkout", "lab user", "pc1", 2, None, True],
        [micros(2021, 12, 31, 11), "denial", "eve", "pc2", 3, "-22 All licenses in use", True],
        [micros(2022, 1, 1, 8), "checkin", "lab user", "pc1", 2, "client exit", True],
    ]
    assert log.quality()["malformed"].tolist() == [1]
    assert table(log.stored.eras, "begin", "end") == [[micros(2021, 12, 30, 8), micros(2022, 1, 1, 10)]]
    assert "3 events of RLM's debug logs may be of another year" in said(log)
    # The server's own file, which it goes on writing.
    changed = datetime(2022, 1, 4, tzinfo=UTC).timestamp()
    os.utime(path, (changed, changed))
    own = read(path)
    assert (own.events()["at"].tolist(), own.quality()["ambiguous"].tolist()) == (log.events()["at"].tolist(), [0])
    assert "another year" not in said(own)


def said(log: Log) -> str:
    """What the page says on what the log does not tell."""
    return " ".join(action.sentence for action in summary.of(log).actions)
