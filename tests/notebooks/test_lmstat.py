"""Outputs of lmstat: rows of users, and what several snapshots of one server say together."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import seats, stuck, usage
from checkout_log.errors import SourceNotRecognized
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.sources.lmstat import rows as grammar
from tests.notebooks.stored_rows import micros, stored, table

NOW = datetime(2017, 10, 20, 17, 2)  # noqa: DTZ001 - the clock on the server's wall
CORPUS = os.environ.get("CARNET_LOG_CORPUS")
needs_corpus = pytest.mark.skipif(CORPUS is None, reason="CARNET_LOG_CORPUS names no folder of real logs")

HEAD = """lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved.
Flexible License Manager status on {at:%a} {at.month}/{at.day}/{at.year} {at:%H:%M}

License server status: 27000@keeper
    License file(s) on keeper: /opt/license.dat:

    keeper: license server UP (MASTER) v11.19.6

Vendor daemon status (on keeper):

   vendord: UP v11.19.6

Feature usage info:

Users of F1:  (Total of 10 licenses issued;  Total of {in_use} licenses in use)

  "F1" v1.0, vendor: vendord, expiry: 30-dec-2025
  floating license

"""


def snapshot(at: datetime, *rows: str) -> str:
    counted = [row for row in rows if "start" in row or "RESERVATION" in row]
    numbers = (re.search(r", (\d+) licenses|^(\d+) RESERVATION", row) for row in counted)
    in_use = sum(1 if match is None else int(match[1] or match[2]) for match in numbers)
    return HEAD.format(at=at, in_use=in_use) + "".join(f"    {row}\n" for row in rows) + "\n"


def user(name: str, start: datetime, handle: int, more: str = "", host: str = "pc1") -> str:
    return f"{name} {host} {host} (v1.0) (keeper/27000 {handle}), start {start:%a} {start.month}/{start.day} {start.hour}:{start:%M}{more}"


def in_time(log: Log) -> pd.DataFrame:
    """The events as the log keeps them, in order of time."""
    return stored(log).sort_values(["at", "line"], ignore_index=True)


ROWS = {
    "a user": ("    ann pc1 /dev/tty (v61.9) (keeper/27002 7086), start Fri 10/20 16:44", ("ann", "pc1", 1)),
    "several licenses": (
        "    ann pc1 /dev/tty (v61.9) (keeper/27002 7086), start Fri 10/20 16:44, 5 licenses",
        ("ann", "pc1", 5),
    ),
    "a process": ("    ann pc1 /dev/tty (v61.9) (keeper/27002 7086), start Fri 10/20 16:44, PID: 2924522 ", ("ann", "pc1", 1)),
    "seconds": ("    ann pc1 /dev/tty (v61.9) (keeper/27002 7086), start Fri 10/20 16:44:07", ("ann", "pc1", 1)),
    "a user with blanks": (
        "    Jane Doe Jr. jane icc&f3rU7|<7R/oW/r`?Fj_K5 (v10.1) (k/1 3), start Fri 10/20 11:55",
        ("Jane Doe Jr.", "jane", 1),
    ),
    "a display of signs": (
        r"    Adm Srv1 |)8<fZ)=Y[<7L$lY-p\<6nn^Y (v61.4) (k/1 3), start Fri 10/20 11:01",
        ("Adm", "Srv1", 1),
    ),
    "a display with blanks": (
        """    John Doe John_D "U,K$`Ct`0'"C iQwgGsne<&! (v61.4) (k/1 4), start Fri 10/20 15:17""",
        ("John Doe", "John_D", 1),
    ),
    "a user with blanks and a plain display": (
        "    Jane Doe pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55",
        ("Jane Doe", "pc1", 1),
    ),
    "no display": ("    ann pc1 (v55) (keeper/27002 9323), start Fri 10/20 9:50", ("ann", "pc1", 1)),
    "a display in brackets": ("    ann pc1 (v2) (v55) (keeper/27002 9323), start Fri 10/20 9:50", ("ann", "pc1", 1)),
    "a user whose host comes twice": (
        "    Jane Doe pc1 pc1 lc80a280_1 (v2022.09) (k/1 3), start Fri 10/20 11:55, PID: 2593569 ",
        ("Jane Doe", "pc1", 1),
    ),
    "a host with its screen": ("    ann pc1 pc1:0.0 lc80a280_1 (v2022.09) (k/1 3), start Fri 10/20 11:55", ("ann", "pc1", 1)),
    "a host in another case": ("    ann PC-1 pc-1 job7 (v1) (k/1 3), start Fri 10/20 11:55", ("ann", "PC-1", 1)),
    "a user of a domain": (
        r"    CORP\ann.lee pc1.corp pts/1 (v1) (k/1 3), start Fri 10/20 11:55",
        (r"CORP\ann.lee", "pc1.corp", 1),
    ),
    "a user that is no ASCII": ("    Ana Mª Núñez pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55", ("Ana Mª Núñez", "pc1", 1)),
    "a user with an @": ("    ann@corp.com pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55", ("ann@corp.com", "pc1", 1)),
    "another language": ("    ann pc1 pc1 (v1) (k/1 3), start пт. 10/20 11:55", ("ann", "pc1", 1)),
    "a tab before it": ("\tann pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55", ("ann", "pc1", 1)),
    "what a vendor has told": ("    ann pc1 pc9 F1:View_2 (v1) (k/1 3), start Fri 10/20 11:55, 5 licenses", ("ann", "pc1", 5)),
    "a user of words with two blanks": ("    ann  lee pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55", ("ann  lee", "pc1", 1)),
    "blanks and another display": ("    a  b  c pc1 display1 (v1) (k/1 3), start Fri 10/20 11:55", ("a  b  c", "pc1", 1)),
    "waiting": ("    ann pc1 tty 2017.06 (v2017.06) (keeper/27002 15480) queued for 2 licenses", ("ann", "pc1", 2)),
}


@pytest.mark.parametrize(("line", "expected"), ROWS.values(), ids=ROWS)
def test_a_row_tells_user_host_and_licenses(line: str, expected: tuple[str, str, int]) -> None:
    row = grammar.row(line, NOW)
    assert row is not None
    assert (row.member, row.machine, row.quantity) == expected


@pytest.mark.parametrize(
    "line",
    [
        "    ann (v1) (k/1 3), start Fri 10/20 11:55",
        "    ann pc1 pc1 (v1) (k/1 3), start Fri 13/45 11:55",
        "    ann pc1 pc1 (v1) (k/1 3), start Fri 10/20 31:55",
        "    ann pc1 pc1 (v1), start Fri 10/20 11:55",
        "    ann pc1 pc1 (v1) (k/1 3), start Fri 10/20 11:55, 99999999 licenses",
    ],
)
def test_a_damaged_row_is_malformed(line: str) -> None:
    assert grammar.row(line, NOW) is None


YEARS = {
    "the minute of the look": ("Fri 10/20 17:02", 2017, False),
    "a minute later": ("Fri 10/20 17:03", 2017, False),
    "two clocks, minutes apart": ("Fri 10/20 17:06", 2017, True),
    "two clocks, a day apart": ("Sat 10/21 9:00", 2017, True),
    "the clock of the look set wrong": ("Wed 11/15 9:00", 2017, True),
    "a year ago, less minutes": ("Thu 10/20 17:06", 2016, False),
    "last year": ("Sat 12/31 23:59", 2016, False),
    "more than a year ago": ("Thu 10/20 16:00", 2016, True),
    "five years ago": ("Mon 6/11 11:01", 2012, True),
    "on this weekday in no year": ("Fri 2/29 11:55", 2016, True),
    "another language": ("пт. 10/20 16:00", 2017, False),
    "another language, two clocks": ("пт. 10/20 17:06", 2017, True),
    "another language, another zone": ("сб. 10/21 19:00", 2017, True),
    "another language, last year": ("сб. 10/22 9:00", 2016, False),
}


@pytest.mark.parametrize("case", YEARS)
def test_the_weekday_says_which_year_a_start_is_of(case: str) -> None:
    start, year, is_doubtful = YEARS[case]
    row = grammar.row(f"    ann pc1 pc1 (v1) (k/1 3), start {start}", NOW)
    assert row is not None
    assert row.start is not None
    assert (row.start.year, row.is_doubtful, row.is_ahead) == (year, is_doubtful, row.start > NOW + timedelta(minutes=1))


def test_a_start_on_new_year_of_another_clock_is_of_the_year_to_come() -> None:
    now = datetime(2017, 12, 31, 23, 58)  # noqa: DTZ001
    row = grammar.row("    ann pc1 pc1 (v1) (k/1 3), start Mon 1/1 0:01", now)
    assert row is not None
    assert row.start == datetime(2018, 1, 1, 0, 1)  # noqa: DTZ001


def test_a_weekday_of_another_year_flags_the_date(tmp_path: Path) -> None:
    path = tmp_path / "x"
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    path.write_text(snapshot(NOW, user("ann", start, 1), user("bob", start, 2).replace("Fri", "Mon")))
    assert in_time(read(path)).set_index("member")["ambiguous"].to_dict() == {"ann": False, "bob": True}


@pytest.mark.parametrize(
    ("behind", "begin"),
    [
        (timedelta(minutes=4), "2026-06-11T07:44:00+00:00"),
        (timedelta(hours=9), "2026-06-10T22:44:00+00:00"),
        (timedelta(days=12), "2026-05-30T07:44:00+00:00"),
    ],
    ids=["minutes", "hours", "days"],
)
def test_looks_by_another_clock_show_one_session(tmp_path: Path, behind: timedelta, begin: str) -> None:
    start = datetime(2026, 6, 11, 7, 44)  # noqa: DTZ001
    looks = [start - behind + timedelta(minutes=10 * number) for number in range(12)]
    rows = [[user("mira", start, 3478)] if number < 10 else [] for number in range(12)]
    (tmp_path / "x").write_text("".join(snapshot(at, *own) for at, own in zip(looks, rows, strict=True)))
    log = read(tmp_path / "x")
    session = log.sessions().iloc[0]
    assert (len(log.sessions()), session["start"].isoformat(), session["ended_by"]) == (1, begin, "checkin")
    assert session["end"] == pd.Timestamp(looks[10], tz="UTC")
    assert session["ambiguous"]
    assert usage.peaks(log)["peak"].tolist() == [1]
    assert log.quality()[["ambiguous", "disagreeing"]].to_numpy().tolist() == [[2, 1]]


def test_what_is_added_or_given_back_is_no_earlier_than_the_use_began(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 17, 12)  # noqa: DTZ001
    rows = [[user("ann", start, 1, f", {count} licenses")] for count in (2, 5, 1)]
    text = "".join(snapshot(NOW + timedelta(minutes=at), *own) for at, own in enumerate([*rows, []]))
    (tmp_path / "x").write_text(text)
    assert in_time(read(tmp_path / "x"))["at"].tolist() == [micros(2017, 10, 20, 17, 12)] * 4


def test_a_start_on_leap_day_is_of_a_leap_year() -> None:
    row = grammar.row("    ann pc1 pc1 (v1) (k/1 3), start Mon 2/29 11:55", NOW)
    assert row is not None
    assert row.start == datetime(2016, 2, 29, 11, 55)  # noqa: DTZ001


def test_a_snapshot_is_checkouts_at_their_starts_and_denials_of_who_waits(tmp_path: Path) -> None:
    path = tmp_path / "x"
    waiting = "eve pc9 pc9 1.0 (v1.0) (keeper/27000 77) queued for 1 license"
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    path.write_text(snapshot(NOW, user("ann", start, 1, ", 4 licenses"), "1 RESERVATION for GROUP G (keeper/27000)", waiting))
    log = read(path)
    rows = in_time(log)
    cells = rows[["at", "event", "mode", "handle", "product", "feature", "member", "machine", "quantity", "reason"]]
    assert cells.astype(object).where(cells.notna(), None).to_numpy().tolist() == [
        [micros(2017, 10, 20, 9), "checkout", "session", "keeper/27000/1", "vendord", "F1", "ann", "pc1", 4, None],
        [micros(2017, 10, 20, 17, 2), "denial", "session", "keeper/27000/77", "vendord", "F1", "eve", "pc9", 1, "queued"],
    ]
    # A single look covers the shortest time that there is.
    at = micros(2017, 10, 20, 17, 2)
    assert table(log.stored.spans, "begin", "end") == [[at, at + 1]]


def test_snapshots_of_one_server_become_checkouts_and_returns_in_any_order_of_files(tmp_path: Path) -> None:
    start, day = datetime(2017, 10, 20, 9, 0), timedelta(hours=1)  # noqa: DTZ001
    ann, bob = user("ann", start, 1), user("bob", start + 1.5 * day, 2)
    (tmp_path / "b").write_text(snapshot(start + day, ann) + snapshot(start + 2 * day, ann, bob))
    (tmp_path / "a").write_text(snapshot(start + 3 * day, bob))
    log = read(tmp_path)
    rows = in_time(log)
    assert rows[["event", "member", "at", "ambiguous"]].to_numpy().tolist() == [
        ["checkout", "ann", micros(2017, 10, 20, 9), False],
        ["checkout", "bob", micros(2017, 10, 20, 10, 30), False],
        ["checkin", "ann", micros(2017, 10, 20, 12), True],
    ]
    assert log.stored.spans.shape[0] == 1
    sessions = log.sessions().set_index("member")
    assert sessions["ended_by"].to_dict() == {"ann": "checkin", "bob": "open"}


def test_a_handle_that_is_used_again_is_another_use(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    later = start + timedelta(hours=2)
    (tmp_path / "x").write_text(
        snapshot(start + timedelta(hours=1), user("ann", start, 1))
        + snapshot(later + timedelta(hours=1), user("ann", later, 1))
    )
    assert in_time(read(tmp_path / "x"))["event"].tolist() == ["checkout", "checkout", "checkin"]


def test_more_or_fewer_licenses_of_one_use_move_seats(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    counts = (2, 5, 1)
    text = "".join(
        snapshot(start + timedelta(hours=1 + at), user("ann", start, 1, f", {count} licenses"))
        for at, count in enumerate(counts)
    )
    (tmp_path / "x").write_text(text)
    rows = in_time(read(tmp_path / "x"))
    assert rows[["event", "quantity"]].to_numpy().tolist() == [["checkout", 2], ["upgrade", 3], ["checkin", 4]]


def test_a_copy_of_a_snapshot_changes_nothing(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    for name in ("a", "b"):
        (tmp_path / name).write_text(snapshot(start + timedelta(hours=1), user("ann", start, 1)))
    assert len(stored(read(tmp_path))) == 1


def test_a_single_look_shows_no_silence_and_looks_far_apart_do(tmp_path: Path) -> None:
    """Who is shown to hold a license for months may work with it: nothing before the first look was seen."""
    start = datetime(2017, 6, 11, 11, 1)  # noqa: DTZ001
    (tmp_path / "x").write_text(snapshot(NOW, user("ann", start, 1)))
    assert stuck.find(read(tmp_path / "x")).empty
    (tmp_path / "y").write_text(snapshot(NOW - timedelta(days=40), user("ann", start, 1)))
    stuck_uses = stuck.find(read(tmp_path))
    assert table(stuck_uses, "cause", "evidence") == [["holder-inactive", "no sign of the member or the machine for 40 days."]]


@pytest.mark.parametrize(
    ("linger", "mode", "due"),
    [
        ("0 / 86400", "session", None),
        ("3600 / 86400", "borrow", datetime(2017, 10, 20, 18, 2, tzinfo=UTC)),
        ("3600 / 8640000", "borrow", datetime(2017, 10, 20, 18, 2, tzinfo=UTC)),
        ("8640000", "borrow", datetime(2017, 10, 23, 18, 0, tzinfo=UTC)),
    ],
    ids=["it lingers after its use", "all of it is past", "the server counts from elsewhere", "it counts from its start"],
)
def test_linger_of_two_numbers_is_what_is_left_and_all(tmp_path: Path, linger: str, mode: str, due: datetime | None) -> None:
    start = datetime(2017, 7, 15, 18, 0)  # noqa: DTZ001
    (tmp_path / "x").write_text(snapshot(NOW, user("ann", start, 1, f" (linger: {linger})")))
    (session,) = read(tmp_path / "x").sessions().to_dict("records")
    assert (session["mode"], session["ended_by"]) == (mode, "open")
    assert pd.isna(session["until"]) if due is None else session["until"] == due


def test_linger_is_a_borrow_that_is_due_so_many_seconds_after_its_start(tmp_path: Path) -> None:
    start = datetime(2017, 10, 16, 5, 59)  # noqa: DTZ001
    rows = [user("ann", start, 1, "  (linger: 885098 / 1340160)"), user("bob", start, 2, ", 16 licenses (linger: 3600)")]
    (tmp_path / "x").write_text(snapshot(NOW, *rows))
    frame = in_time(read(tmp_path / "x"))
    assert frame["mode"].tolist() == ["borrow", "borrow"]
    assert (frame["until"] - frame["at"]).tolist() == [(NOW - start).total_seconds() * 1e6 + 885_098e6, 3_600e6]
    assert frame["quantity"].tolist() == [1, 16]


def test_a_borrow_that_is_gone_when_it_was_due_ran_out(tmp_path: Path) -> None:
    start = datetime(2017, 10, 16, 5, 59)  # noqa: DTZ001
    borrow = user("ann", start, 1, "  (linger: 86400)")
    (tmp_path / "x").write_text(snapshot(start + timedelta(hours=1), borrow) + snapshot(start + timedelta(days=2)))
    log = read(tmp_path / "x")
    assert in_time(log)["event"].tolist() == ["checkout"]
    assert log.sessions()["ended_by"].tolist() == ["expiry"]


def test_a_restart_of_the_server_sets_starts_anew_and_leaves_the_due_time_of_other_borrows_unknown(tmp_path: Path) -> None:
    start, restart = datetime(2017, 10, 16, 5, 59), datetime(2017, 10, 17, 3, 0)  # noqa: DTZ001
    (tmp_path / "x").write_text(
        snapshot(start + timedelta(hours=1), user("ann", start, 1, "  (linger: 1340160)"))
        + snapshot(
            restart + timedelta(hours=1),
            user("ann", restart, 5, "  (linger: 1340160)"),
            user("bob", restart, 6, "  (linger: 1340160)"),
        )
    )
    rows = in_time(read(tmp_path / "x"))
    assert rows[["event", "member"]].to_numpy().tolist() == [["checkout", "ann"], ["checkout", "bob"]]
    assert rows["until"].isna().tolist() == [False, True]


def test_two_vendor_daemons_with_a_feature_of_one_name_have_each_their_own_seats(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    first = snapshot(start, user("ann", start, 1), user("bob", start, 2))
    second = snapshot(start, user("ann", start, 3)).partition("Feature usage info:")[2]
    unused = "Users of G1:  (Total of 3 licenses issued;  Total of 0 licenses in use)\n"
    other = second.replace("vendord", "otherd").replace("10 licenses issued", "4 licenses issued")
    (tmp_path / "x").write_text(f"{first}     otherd: UP v10.8\nFeature usage info:\n{other}{unused}")
    log = read(tmp_path / "x")
    assert table(seats.utilization(log), "product", "feature", "seats", "peak") == [
        ["otherd", "F1", 4, 1],
        ["otherd", "G1", 3, 0],
        ["vendord", "F1", 10, 2],
    ]
    assert (len(in_time(log)), log.quality()["disagreeing"].tolist()) == (3, [0])


SILENT = {
    "no answer": (
        'Error getting status: Cannot connect to license server (-15,570:111 "refused")',
        "features: Error getting status",
    ),
    "the list of a license file": ("NOTE: lmstat -i does not give information from the server,", "lists no features"),
}


@pytest.mark.parametrize(("line", "said"), SILENT.values(), ids=SILENT)
def test_an_output_that_lists_nothing_is_no_proof_that_nothing_is_in_use(tmp_path: Path, line: str, said: str) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    head = HEAD.format(at=start, in_use=0).partition("\n\n")[0]
    (tmp_path / "x").write_text(f"{head}\n\n{line}\n")
    with pytest.raises(SourceNotRecognized, match=r"lmstat -a that was made while") as caught:
        read(tmp_path / "x")
    assert said in caught.value.message
    (tmp_path / "y").write_text(snapshot(start, user("ann", start, 1)))
    assert read(tmp_path / "x", tmp_path / "y").quality()["begin"].isna().tolist() == [True, False]


DOWN = """Vendor daemon status (on keeper):

   vendord: The desired vendor daemon is down. (-97,121)

Feature usage info:

Users of F1: Cannot get users of F1: No such feature exists. (-5,222)

"""


@pytest.mark.parametrize("down", [DOWN, "Error getting status: Cannot connect to license server system. (-15,578:10061)\n"])
def test_of_a_server_that_does_not_answer_a_snapshot_says_nothing(tmp_path: Path, down: str) -> None:
    start, hour = datetime(2017, 10, 20, 9, 0), timedelta(hours=1)  # noqa: DTZ001
    ann, bob = user("ann", start, 1), user("bob", start, 2)
    silent = HEAD.format(at=start + 2 * hour, in_use=0).partition("Vendor daemon status")[0] + down
    (tmp_path / "x").write_text(snapshot(start + hour, ann, bob) + silent + snapshot(start + 3 * hour, ann))
    log = read(tmp_path / "x")
    assert table(in_time(log), "event", "member", "at") == [
        ["checkout", "ann", micros(2017, 10, 20, 9)],
        ["checkout", "bob", micros(2017, 10, 20, 9)],
        ["checkin", "bob", micros(2017, 10, 20, 12)],
    ]
    assert log.quality()["malformed"].tolist() == [0]


def test_a_vendor_daemon_that_is_down_takes_nobody_of_the_others_along(tmp_path: Path) -> None:
    start, hour = datetime(2017, 10, 20, 9, 0), timedelta(hours=1)  # noqa: DTZ001
    other = (
        snapshot(start + hour, user("bob", start, 2)).partition("Users of")[2].replace("F1", "G1").replace("vendord", "otherd")
    )
    both = snapshot(start + hour, user("ann", start, 1)).replace("   vendord: UP", "   otherd: UP v11.4\n   vendord: UP")
    gone = snapshot(start + 2 * hour).replace(
        "vendord: UP v11.19.6", "otherd: UP v11.4\n   vendord: Cannot read data (-16,287)"
    )
    (tmp_path / "x").write_text(f"{both}Users of{other}{gone}")
    assert table(in_time(read(tmp_path / "x")), "event", "product") == [
        ["checkout", "vendord"],
        ["checkout", "otherd"],
        ["checkin", "otherd"],
    ]


def test_an_output_that_is_indented_is_read_too(tmp_path: Path) -> None:
    """As it stands in a mail or a ticket."""
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    text = snapshot(NOW, user("ann", start, 1))
    (tmp_path / "x").write_text("".join(f"   {line}\n" for line in text.splitlines()))
    (tmp_path / "y").write_text(text)
    columns = ["at", "event", "product", "feature", "member", "machine"]
    assert table(stored(read(tmp_path / "x")), *columns) == table(stored(read(tmp_path / "y")), *columns)


def test_servers_are_told_apart(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    (tmp_path / "a").write_text(snapshot(start + timedelta(hours=1), user("ann", start, 1)))
    (tmp_path / "b").write_text(
        snapshot(start + timedelta(hours=2), user("bob", start, 1)).replace("27000@keeper", "27000@other")
    )
    assert in_time(read(tmp_path))["event"].tolist() == ["checkout", "checkout"]


def test_the_clock_of_a_snapshot_is_that_of_the_zone(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    (tmp_path / "x").write_text(snapshot(NOW, user("ann", start, 1)))
    assert in_time(read(tmp_path / "x", timezone="Europe/Madrid"))["at"].tolist() == [micros(2017, 10, 20, 7)]


def test_damaged_rows_are_counted(tmp_path: Path) -> None:
    start = datetime(2017, 10, 20, 9, 0)  # noqa: DTZ001
    (tmp_path / "x").write_text(snapshot(NOW, user("ann", start, 1), user("bob", start, 2).replace("27000 2)", "27000")))
    quality = read(tmp_path / "x").quality().iloc[0]
    # The row that cannot be read is somebody's all the same: the server counts it.
    assert (quality["events"], quality["malformed"], quality["disagreeing"]) == (2, 1, 1)


@needs_corpus
@pytest.mark.parametrize("number", range(1, 7))
def test_real_outputs_have_as_many_users_as_grep_finds(number: int) -> None:
    path = Path(CORPUS or "") / f"lmstat_{number}.txt"
    text = path.read_text()
    rows = in_time(read(path)).dropna(subset=["member"])
    assert (rows["event"] == "checkout").sum() == len(re.findall(r", start \w{3} \d", text))
    assert (rows["event"] == "denial").sum() == text.count("queued for")
    assert (rows["mode"] == "borrow").sum() == text.count("(linger")
    assert rows["quantity"].sum() == sum(int(count) for count in re.findall(r", (\d+) licenses", text)) + len(
        [
            line
            for line in text.splitlines()
            if re.search(r", start |queued for", line) and not re.search(r", \d+ licenses", line)
        ]
    )
    starts = pd.to_datetime(rows.loc[rows["event"] == "checkout"].sort_values("line")["at"], unit="us")
    assert starts.dt.strftime("%a").tolist() == re.findall(r", start (\w{3}) \d", text)
    quality = read(path).quality().iloc[0]
    assert quality["malformed"] == 0
    assert quality["lines"] == len(text.removesuffix("\n").split("\n"))
