"""FlexNet debug logs: what each line means, and the runs of a server."""

from __future__ import annotations

import gzip
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from checkout_log.reading import read
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.lines import Malformed, Mark, Use
from tests.notebooks.stored_rows import stored
from tests.support.server_log import DAEMON, ServerLog

START = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


LINES = {
    "a checkout": ('OUT: "F1" ann@pc1  ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "without the blanks at its end": ('OUT: "F1" ann@pc1', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "without quotes": ("OUT: F1 ann@pc1  ", Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "several licenses": ('OUT: "F1" ann@pc1  (3 licenses) ', Use("checkout", "v", "F1", "ann", "pc1", 3, None)),
    "one license, counted": ('OUT: "F1" ann@pc1  (1 license) ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "one blank before the bracket": ('OUT: "F1" ann@pc1 (3 licenses)', Use("checkout", "v", "F1", "ann", "pc1", 3, None)),
    "checkout data": (
        'OUT: "F1" ann@pc1  [job @ 7] (2 licenses) ',
        Use("checkout", "v", "F1", "ann", "pc1", 2, None, "job @ 7"),
    ),
    "the number of a process, and more told": (
        'OUT: "F1" ann@pc1 [18272] ^^^ 1.0 ann 127.0.0.1 18272 0x65 1 3 N/A 11 19 27-2-2026 8:41:56 NO ^^^',
        Use("checkout", "v", "F1", "ann", "pc1", 1, None, "18272/0x65", 3),
    ),
    "a key": ('OUT: "F1" (00B0 EF6E AFC6 B280 ) ann@pc1  ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "a user with blanks": ('OUT: "F1" Ana Mª de la O@pc1  ', Use("checkout", "v", "F1", "Ana Mª de la O", "pc1", 1, None)),
    "a user with two blanks": ('OUT: "F1" Ana  O@pc1  ', Use("checkout", "v", "F1", "Ana  O", "pc1", 1, None)),
    "a user with an @": ('OUT: "F1" ann@corp.com@pc1  ', Use("checkout", "v", "F1", "ann@corp.com", "pc1", 1, None)),
    "a user with an @ and a blank": ('OUT: "F1" a@b c@pc1  ', Use("checkout", "v", "F1", "a@b c", "pc1", 1, None)),
    "a user of a domain": (
        r'OUT: "F1" CORP\ann.lee@pc1.corp.com  ',
        Use("checkout", "v", "F1", r"CORP\ann.lee", "pc1.corp.com", 1, None),
    ),
    "a display after the host": ('OUT: "F1" ann@pc1:0.0', Use("checkout", "v", "F1", "ann", "pc1:0.0", 1, None)),
    "blanks that an editor doubled": ('OUT:  "F1"  ann@pc1  ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "a remark after one blank": ('OUT: "F1" ann lee@pc1 by hand', Use("checkout", "v", "F1", "ann lee", "pc1", 1, None)),
    "a denial with its reason as a remark": (
        'DENIED: "F1" ann@pc1 Licensed number of users already reached.',
        Use("denial", "v", "F1", "ann", "pc1", 1, "Licensed number of users already reached."),
    ),
    "what a vendor has told more": (
        'OUT: "F1" ann@pc1 (3) ^^^ 1.0 ann 127.0.0.1 29865 0x12CE 1 3 N/A 11 19 8-8-2023 8:41:56 NO ^^^',
        Use("checkout", "v", "F1", "ann", "pc1", 3, None, "29865/0x12CE", 3),
    ),
    "more told without a count": (
        'IN: "F1" ann@pc1 ^^^ 1.0 ann 127.0.0.1 29865 0x12CE 1 3 a project 11 19 8-8-2023 8:41:56 NO ^^^',
        Use("checkin", "v", "F1", "ann", "pc1", 1, None, "29865/0x12CE", 3),
    ),
    "more told, and the user only there": (
        'IN: "F1" @pc1  (INACTIVE) ^^^ 1.0 Ana Lee fe80::1 29865 0x12CE 1 3 N/A 11 19 8-8-2023 8:41:56 NO ^^^',
        Use("checkin", "v", "F1", "Ana Lee", "pc1", 1, "idle", "29865/0x12CE", 3),
    ),
    "a denial with more told": (
        'DENIED: "F1" ann@pc1 (Licensed number of users already reached. (-4,342)) ^^^ 1.0 ann 127.0.0.1 1 0x1 3 3 N/A 11 19 8-8-2023 8:41:56 NO ^^^',
        Use("denial", "v", "F1", "ann", "pc1", 1, "-4,342 Licensed number of users already reached", None, 3),
    ),
    "a checkout of an old server": ("OUT: F1 by ann@pc1 (2 licenses)", Use("checkout", "v", "F1", "ann", "pc1", 2, None)),
    "a denial of an old server": ("DENIED: 4 F1 to ann@pc1", Use("denial", "v", "F1", "ann", "pc1", 4, None)),
    "a feature called by": ('OUT: "by" to@pc1  ', Use("checkout", "v", "by", "to", "pc1", 1, None)),
    "no user": ('OUT: "F1" @pc1  ', Use("checkout", "v", "F1", None, "pc1", 1, None)),
    "a feature with blanks": ('OUT: "F 1" ann@pc1  ', Use("checkout", "v", "F 1", "ann", "pc1", 1, None)),
    "a return": ('IN: "F1" ann@pc1  ', Use("checkin", "v", "F1", "ann", "pc1", 1, None)),
    "a return of several": ('IN: "F1" ann@pc1  (2 licenses) ', Use("checkin", "v", "F1", "ann", "pc1", 2, None)),
    "an idle reclaim": ('IN: "F1" ann@pc1  (INACTIVE)', Use("checkin", "v", "F1", "ann", "pc1", 1, "idle")),
    "an idle reclaim of several": (
        'IN: "F1" ann@pc1  (2 licenses) (INACTIVE)',
        Use("checkin", "v", "F1", "ann", "pc1", 2, "idle"),
    ),
    "a return at a shutdown": ('IN: "F1" ann@pc1  (SHUTDOWN)', Use("checkin", "v", "F1", "ann", "pc1", 1, "shutdown")),
    "a return for another reason": ('IN: "F1" ann@pc1  (USER_EXITED)', Use("checkin", "v", "F1", "ann", "pc1", 1, None)),
    "more in place": ('UPGRADE: "F1" ann@pc1  (2->5 licenses) ', Use("upgrade", "v", "F1", "ann", "pc1", 3, None)),
    "no seat": (
        'DENIED: "F1" ann@pc1  (Licensed number of users already reached. (-4,342))',
        Use("denial", "v", "F1", "ann", "pc1", 1, "-4,342 Licensed number of users already reached"),
    ),
    "no seat, and what the network said": (
        'DENIED: "F1" ann@pc1  (Licensed number of users already reached. (-4,342:104 "Connection reset by peer"))',
        Use("denial", "v", "F1", "ann", "pc1", 1, "-4,342 Licensed number of users already reached"),
    ),
    "a queue": (
        'DENIED: "F1" ann@pc1  (2 licenses) (Users are queued for this feature. (-24,332))',
        Use("denial", "v", "F1", "ann", "pc1", 2, "-24,332 Users are queued for this feature"),
    ),
    "a return when a server was lost": (
        "IN server died: F1 by ann@pc1 (2 licenses) (used: 0:00:01:50)",
        Use("checkin", "v", "F1", "ann", "pc1", 2, None),
    ),
    "a denial with a time and no reason": (
        "DENIED: 1 F1 to ann@pc1 (03/17/98 10:05)",
        Use("denial", "v", "F1", "ann", "pc1", 1, None),
    ),
    "a denial that says what was asked for and no reason": (
        'DENIED: "F1" ann@pc1  [F1:SOLVER] (13 licenses)',
        Use("denial", "v", "F1", "ann", "pc1", 13, None),
    ),
    "a denial without a code": ('DENIED: "F1" ann@pc1  (no)', Use("denial", "v", "F1", "ann", "pc1", 1, "no")),
    "a denial without a reason": ('DENIED: "F1" ann@pc1  ', Use("denial", "v", "F1", "ann", "pc1", 1, None)),
    "a probe": (
        'UNSUPPORTED: "F1" (BF04C1B183DD400E147F) ann@pc1  (No such feature exists. (-5,346))',
        Use("denial", "v", "F1", "ann", "pc1", 1, "unsupported"),
    ),
    "a wait": ('QUEUED: "F1" ann@pc1  ', Use("denial", "v", "F1", "ann", "pc1", 1, "queued")),
    "the end of a wait": ('DEQUEUED: "F1" ann@pc1  ', None),
    "an expired feature": ('EXPIRED: "F1"', None),
    "a failed return": ('Checkin failed feature "F1": ann pc1 pc1', None),
    "a use without a host": ('OUT: "F1" ann', Malformed("v")),
    "a use without a feature": ("OUT: ann@pc1", Malformed("v")),
    "growth without numbers": ('UPGRADE: "F1" ann@pc1  ', Malformed("v")),
    "growth that shrinks": ('UPGRADE: "F1" ann@pc1  (5->2 licenses)', Malformed("v")),
    "no licenses at all": ('OUT: "F1" ann@pc1  (0 licenses)', Malformed("v")),
    "more licenses than there are": ('OUT: "F1" ann@pc1  (99999999999 licenses)', Malformed("v")),
    "a day that never was": ("TIMESTAMP 13/45/2022", Malformed("v")),
    "a year before licensing": ("TIMESTAMP 1/1/1901", Malformed("v")),
    "statistics of the past": ("(@v-SLOG@) 00000016 ms at Thu Jun 09 2022 10:34:59 Z,#63", None),
    "a peak of the past": ("(@v-SLOG@) Peak private bytes 9968K attempted at Mon Jun 27 2022 14:49:48 Z", None),
    "a date in another language": ("(@v-SLOG@) Time: jue may 05 2022 12:42:25", None),
    "a list of features": ("662003DSMAX_F (consisting of:\t\t876933DSMAX_2023_0F ", None),
}


@pytest.mark.parametrize(("body", "meaning"), LINES.values(), ids=LINES)
def test_a_line_means(body: str, meaning: Use | Malformed | None) -> None:
    assert grammar.read(f"(v) {body}") == meaning


def test_stamps_name_the_day() -> None:
    stamp = grammar.read("(lmgrd) Server's System Date and Time: Thu May 05 2022 08:42:20 Hora de verano romance")
    assert isinstance(stamp, Mark)
    assert (str(stamp.day), stamp.second) == ("2022-05-05", 8 * 3600 + 42 * 60 + 20)
    for text in (
        "(v) TIMESTAMP 5/5/2022",
        "(v) TIMESTAMP 5/5/22",
        "(v) TIMESTAMP 05/05/2022",
        "(lmgrd) FLEXnet Licensing (v11.7.0.0 build 1) started on keeper (IBM PC) (5/5/2022)",
    ):
        stamp = grammar.read(text)
        assert isinstance(stamp, Mark)
        assert str(stamp.day) == "2022-05-05"


def test_a_year_of_two_digits_is_of_the_time_since_there_are_license_servers() -> None:
    days = [grammar.read(f"(v) TIMESTAMP 2/17/{year}") for year in ("88", "99", "00", "87")]
    assert [mark.day.year for mark in days if isinstance(mark, Mark) and mark.day] == [1988, 1999, 2000, 2087]


def test_only_vendor_daemons_give_licenses() -> None:
    assert grammar.read('(lmgrd) OUT: "F1" ann@pc1  ') is None


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path: Path, ends: str, mark: bytes) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR, tail="(2 licenses) ")
    rows = stored(read(log.save(tmp_path / "x", ends=ends, mark=mark)))
    assert rows[["member", "machine", "quantity"]].to_numpy().tolist() == [["ann", "pc1", 2]]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_names_are_read_in_the_encoding_that_windows_writes(tmp_path: Path, encoding: str) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR, who="Ana Mª Núñez@pc1")
    path = tmp_path / "x"
    path.write_bytes(log.text().encode(encoding))
    assert stored(read(path))["member"].tolist() == ["Ana Mª Núñez"]


def test_a_packed_log_is_read_as_it_is(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(log.text().encode()))
    assert len(stored(read(path))) == 1


def test_lines_are_numbered_as_in_the_file_and_counted_once_each(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    text = (
        log.text()
        + '\n\t" (0,353:10054 "")"\n25:61:00 (vendord) OUT: "F9" ann@pc1  \n 9:30:00 (vendord) OUT: "F9" ann\n\x00\x01\n'
    )
    path = tmp_path / "x"
    path.write_text(text)
    read_log = read(path)
    quality = read_log.quality().iloc[0]
    assert quality["lines"] == text.count("\n")
    assert quality["malformed"] == 3
    assert quality["events"] + quality["other"] + quality["malformed"] == quality["lines"]
    assert stored(read_log)["line"].tolist() == [text[: text.index("OUT")].count("\n") + 1]


def test_times_that_lost_their_blanks_are_read_too(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    path = tmp_path / "x"
    path.write_text("".join(f"    {line.lstrip()}\n" for line in log.text().splitlines()))
    assert stored(read(path))["at"].tolist() == [int((START + HOUR).timestamp()) * 1_000_000]


DATED = {
    "with its zone, as lmgrd writes it": ("2022-05-05T{h:02d}:30:00+0200", 0),
    "with a colon in the zone": ("2022-05-05T{h:02d}:30:00+02:00", 0),
    "in UTC": ("2022-05-05T{h:02d}:30:00Z", 2),
    "with fractions of seconds": ("2022-05-05T{h:02d}:30:00.123456+02:00", 0),
    "without a zone": ("2022-05-05 {h:02d}:30:00", 0),
    "with slashes": ("2022/05/05 {h:02d}:30:00", 0),
    "as FlexNet writes dates": ("5/5/2022 {h:02d}:30:00", 0),
    "on a clock of twelve hours": ("5/5/2022 {twelve}:30:00 {half}", 0),
}


@pytest.mark.parametrize(("form", "later"), DATED.values(), ids=DATED)
def test_a_line_that_says_its_date_needs_no_stamp(tmp_path: Path, form: str, later: int) -> None:
    hours = (0, 9, 12, 15)
    times = [form.format(h=hour, twelve=(hour - 1) % 12 + 1, half="PM" if hour > 11 else "AM") for hour in hours]
    (tmp_path / "x").write_text("".join(f'{time} (v) OUT: "F1" ann@pc1  \n' for time in times))
    log = read(tmp_path / "x", timezone="Europe/Madrid")
    expected = [datetime(2022, 5, 5, hour, 30, tzinfo=UTC) + (later - 2) * HOUR for hour in hours]
    assert stored(log)["at"].tolist() == [at.timestamp() * 1e6 for at in expected]
    quality = log.quality().iloc[0]
    assert quality[["undated", "ambiguous", "malformed", "disagreeing"]].tolist() == [0] * 4
    assert quality["events"] == 4


def test_dates_of_lines_go_over_silent_days_and_the_hour_that_comes_twice(tmp_path: Path) -> None:
    times = ["2022-10-30T02:30:00+02:00", "2022-10-30T02:30:00+01:00", "2022-11-04T02:00:00+01:00"]
    (tmp_path / "x").write_text("".join(f'{time} (v) OUT: "F1" ann@pc1  \n' for time in times))
    log = read(tmp_path / "x", timezone="America/New_York")
    assert stored(log)["at"].tolist() == [datetime.fromisoformat(time).timestamp() * 1e6 for time in times]
    assert not stored(log)["ambiguous"].any()
    assert log.quality()["disagreeing"].tolist() == [0]


def test_lines_without_a_date_go_on_from_the_last_one_with_a_date(tmp_path: Path) -> None:
    """An older vendor daemon under a newer lmgrd."""
    lines = [
        '23:50:00 (v) OUT: "F1" ann@pc1  ',
        "2022-05-05T23:58:00+02:00 (lmgrd) TIMESTAMP 5/5/2022",
        '23:59:00 (v) OUT: "F2" ann@pc1  ',
        ' 0:01:00 (v) OUT: "F3" ann@pc1  ',
        "2022-05-09T00:30:00+02:00 (lmgrd) lmgrd tcp-port 27000",
        ' 0:31:00 (v) OUT: "F4" ann@pc1  ',
    ]
    (tmp_path / "x").write_text("\n".join(lines))
    log = read(tmp_path / "x", timezone="America/New_York")
    days = ((5, 21, 50), (5, 21, 59), (5, 22, 1), (8, 22, 31))
    expected = [datetime(2022, 5, day, hour, minute, tzinfo=UTC).timestamp() * 1e6 for day, hour, minute in days]
    assert stored(log)["at"].tolist() == expected


def test_a_stamp_that_contradicts_the_dates_of_its_lines_is_counted_and_not_believed(tmp_path: Path) -> None:
    lines = [f'2022-05-{day:02d}T10:00:00Z (v) OUT: "F1" ann@pc1  ' for day in range(5, 15)]
    lines.insert(5, "2022-05-09T10:00:00Z (lmgrd) TIMESTAMP 1/1/1999")
    (tmp_path / "x").write_text("\n".join(lines))
    log = read(tmp_path / "x")
    assert log.events()["at"].dt.day.tolist() == list(range(5, 15))
    assert log.quality()["disagreeing"].tolist() == [1]
    assert log.quality()["ambiguous"].tolist() == [0]


@pytest.mark.parametrize("date", ["2022-13-45", "1901-01-01", "13/45/2022"])
def test_a_date_that_never_was_is_malformed(tmp_path: Path, date: str) -> None:
    good = '2022-05-05 10:00:00 (v) OUT: "F1" ann@pc1  \n'
    (tmp_path / "x").write_text(good + good.replace("2022-05-05", date))
    quality = read(tmp_path / "x").quality().iloc[0]
    assert (quality["events"], quality["malformed"]) == (1, 1)


@pytest.mark.parametrize(
    "before",
    [
        "May 05 10:03:36 keeper lmgrd[1234]: ",
        "2022-05-05T10:03:36+0200 keeper lmgrd[1234]: ",
        "2022-05-05T10:03:36.123456789Z ",
        "2022-05-05T10:03:36.123456789+02:00 stdout F ",
        "Thu 2022-05-05 10:03:36 UTC keeper lmgrd[1234]: ",
        "lmgrd-1  | ",
    ],
)
def test_what_a_system_log_or_a_container_puts_before_a_line_is_left_out(tmp_path: Path, before: str) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.use(START + 20 * HOUR, "IN")
    (tmp_path / "x").write_text("".join(f"{before}{line}\n" for line in log.text().splitlines()))
    read_log = read(tmp_path / "x")
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in stored(read_log)["at"]] == list(log.truth.values())
    assert read_log.quality()["malformed"].tolist() == [0]


def test_a_vendor_daemon_that_exits_with_a_code_ends_its_run(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.say(START + 2 * HOUR, "EXITING WITH CODE 17")
    assert read(log.save(tmp_path / "x")).stored.eras["end"].tolist() == [(START + 2 * HOUR).timestamp() * 1e6]


@pytest.mark.parametrize("verb", ["OUT", "IN", "DENIED", "UNSUPPORTED", "QUEUED"])
@pytest.mark.parametrize("daemon", ["ARCGIS", "MLM", "ansyslmd", "cdslmd", "SW_D", "lmgrd2"])
def test_lines_of_any_vendor_are_counted_as_grep_counts_them(tmp_path: Path, verb: str, daemon: str) -> None:
    path = tmp_path / "x"
    people = ["ann@pc1", r"CORP\ann.lee@pc-2.corp.com", "Ana Mª de la O@PC3", "ann@corp.com@pc1"]
    features = ['"ARC/INFO"', '"PrimeTime"', '"87252IDSP_2020_0F"', "unquoted", '"two words"']
    lines = [f"{hour:2d}:00:00 ({daemon}) {verb}: {what} {who}  " for hour in range(24) for what in features for who in people]
    path.write_text(" 0:00:00 (lmgrd) TIMESTAMP 5/5/2022\n" + "\n".join(lines))
    rows = stored(read(path))
    assert len(rows) == int(subprocess.run(["grep", "-c", f"{verb}:", str(path)], capture_output=True, check=True).stdout)
    assert set(rows["member"]) == {who.rpartition("@")[0] for who in people}
    assert set(rows["product"]) == {daemon}


def test_reading_the_license_file_again_is_no_start(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.reread(START + 2 * HOUR)
    log.use(START + 3 * HOUR, "IN")
    read_log = read(log.save(tmp_path / "x"))
    assert len(read_log.stored.eras) == 1
    assert set(stored(read_log)["era"]) == {1}


def test_a_license_file_that_the_manager_alone_says_to_read_again_is_no_start(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.say(START + 2 * HOUR, "Rereading license file... Requested from root@keeper", "lmgrd")
    log.say(START + 2 * HOUR, "Server started on keeper for:\tF1")
    assert len(read(log.save(tmp_path / "x")).stored.eras) == 1


def test_a_vendor_daemon_that_is_started_anew_after_that_begins_a_run(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.say(START + 2 * HOUR, "Rereading license file...", "lmgrd")
    log.say(START + 2 * HOUR + MINUTE, "REStarted vendord (internet tcp_port 38679 pid 1870)", "lmgrd")
    log.say(START + 2 * HOUR + MINUTE, "Server started on keeper for:\tF1")
    log.use(START + 3 * HOUR)
    read_log = read(log.save(tmp_path / "x"))
    assert len(read_log.stored.eras) == 2
    assert read_log.sessions()["ended_by"].tolist() == ["restart", "open"]


def test_each_start_is_a_run_that_ends_at_its_stop_or_at_the_next_start(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    first = log.use(START + HOUR)
    log.stop(START + 2 * HOUR)
    shut = log.use(START + 2 * HOUR, "IN", tail="(SHUTDOWN)")
    log.start(START + 3 * HOUR)
    second = log.use(START + 4 * HOUR)
    log.start(START + 5 * HOUR)
    third = log.use(START + 6 * HOUR)
    read_log = read(log.save(tmp_path / "x"))
    eras = read_log.stored.eras.sort_values("begin")
    expected = [(START, START + 2 * HOUR), (START + 3 * HOUR, START + 5 * HOUR), (START + 5 * HOUR, None)]
    times = [(begin.timestamp() * 1e6, None if end is None else end.timestamp() * 1e6) for begin, end in expected]
    assert [(begin, None if pd.isna(end) else end) for begin, end in zip(eras["begin"], eras["end"], strict=True)] == times
    of = stored(read_log).set_index("feature")["era"]
    assert of[first] == of[shut] != of[second] != of[third]


def test_returns_of_a_shutdown_that_come_after_the_next_start_belong_to_the_run_before(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    first = log.use(START + HOUR)
    log.start(START + 2 * HOUR)
    shut = log.use(START + 2 * HOUR + timedelta(seconds=3), "IN", tail="(SHUTDOWN)")
    second = log.use(START + 3 * HOUR)
    of = stored(read(log.save(tmp_path / "x"))).set_index("feature")["era"]
    assert of[first] == of[shut] != of[second]


def test_a_stop_that_checkouts_follow_was_none(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.say(START + HOUR, "SHUTDOWN request from guest at node pc9", "lmgrd")
    log.use(START + 2 * HOUR)
    read_log = read(log.save(tmp_path / "x"))
    assert read_log.stored.eras["end"].isna().tolist() == [True]


@pytest.mark.parametrize(
    "sign",
    [
        "daemon shutdown requested - shutting down",
        "Shutdown requested.",
        "EXITING DUE TO SIGNAL 15",
        "Lost connection to lmgrd, heartbeat timeout expired, exiting.",
    ],
)
def test_a_vendor_daemon_that_stops_ends_its_own_run_only(tmp_path: Path, sign: str) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.say(START, "Server started on keeper for:\tG1", "otherd")
    log.use(START + HOUR)
    log.say(START + 2 * HOUR, sign)
    log.say(START + 3 * HOUR, 'OUT: "G1" ann@pc1  ', "otherd")
    eras = read(log.save(tmp_path / "x")).stored.eras.set_index("product")["end"]
    assert eras[DAEMON] == (START + 2 * HOUR).timestamp() * 1e6
    assert pd.isna(eras["otherd"])


def test_rotated_files_go_on_with_the_run_and_the_span_of_the_file_before(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    for hours in range(1, 40):
        log.use(START + hours * HOUR)
        if hours % 6 == 0:
            log.stamp(START + hours * HOUR)
    log.save(tmp_path / "b", log.lines[:20])
    log.save(tmp_path / "a", log.lines[20:])
    read_log = read(tmp_path)
    assert set(stored(read_log)["era"]) == {1}
    assert len(read_log.stored.eras) == 1
    assert len(read_log.stored.spans) == 1
    assert read_log.events()["feature"].tolist() == [f"F{number}" for number in range(1, 40)]


def test_a_gap_between_files_is_a_gap_in_what_is_covered(tmp_path: Path) -> None:
    for name, begin in (("a", START), ("b", START + 3 * DAY)):
        log = ServerLog(ZoneInfo("UTC"))
        log.start(begin)
        log.use(begin + HOUR)
        log.save(tmp_path / name)
    spans = read(tmp_path).stored.spans
    assert (spans["end"] - spans["begin"]).tolist() == [3_600_000_000] * 2


def test_equal_lines_of_one_second_are_all_counted_and_of_two_files_once(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    for _ in range(5):
        log.say(START + HOUR, 'OUT: "F1" ann@pc1  ')
    log.say(START + 2 * HOUR, 'OUT: "F2" ann@pc1  ')
    log.save(tmp_path / "a")
    log.save(tmp_path / "b", [*log.lines[:-3], *log.lines[-1:]])
    read_log = read(tmp_path / "a", tmp_path / "b")
    assert stored(read_log)["feature"].value_counts().to_dict() == {"F1": 5, "F2": 1}
    assert read_log.quality()["overlapping"].sum() == 4
    assert read_log.quality()["events"].sum() == 6


def test_two_servers_at_a_time_keep_their_own_runs_and_lines(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.say(START + HOUR, 'OUT: "F1" ann@pc1  ')
    log.say(START + 5 * HOUR, 'IN: "F1" ann@pc1  ')
    log.save(tmp_path / "a")
    (tmp_path / "b").write_text(log.text().replace("keeper", "other"))
    read_log = read(tmp_path)
    assert len(stored(read_log)) == 4
    assert stored(read_log)["era"].nunique() == 2
