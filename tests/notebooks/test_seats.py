"""How many seats there are, as servers and license files say it, and how many of them are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from checkout_log import read, seats
from checkout_log.errors import SourceNotRecognized
from checkout_log.log import Log
from checkout_log.store import Seats, frame_of_seats
from tests.notebooks.random_logs import BEGIN, event, open_log, raw_log
from tests.notebooks.reference import Event

LICENSE = """\
SERVER keeper 0123 27000
VENDOR v
FEATURE F v 1.0 permanent 3 \\
\tSIGN=1
FEATURE F v 2.0 permanent 9 SIGN=2
INCREMENT G v 1.0 30-jun-2026 2 SIGN=3
INCREMENT G v 1.0 1-jan-0 4 SIGN=4 START=10-mar-2026
INCREMENT U v 1.0 permanent uncounted SIGN=5
"""
DEBUG = """\
 0:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:00:00 (v) OUT: "F" ann@pc1  (2 licenses) 
20:00:00 (v) IN: "F" ann@pc1  (2 licenses) 
23:00:00 (lmgrd) TIMESTAMP 3/2/2026
 0:00:00 (lmgrd) TIMESTAMP 3/3/2026
"""  # noqa: W291 - as the server writes them
OPTIONS = """\
# who may have what
GROUP staff ann bob \\
  "cat lee"
GROUP staff dan
RESERVE 2 F GROUP staff
reserve 1 F:VERSION=2.0 USER eve
MAX 1 F HOST_GROUP lab
MAX_BORROW_HOURS F 72
BORROW_LOWWATER F 9
INCLUDE_BORROW F GROUP staff
EXCLUDE F USER "fay lee"
INCLUDEALL INTERNET 10.0.*.*
LINGER F 600
TIMEOUTALL 3600
NOLOG QUEUED
RESERVE many F GROUP staff
MAX 1 F
TIMEOUT F 99999999999999
"an open quote
"""
LMSTAT = """\
Flexible License Manager status on Tue {day} 08:00

License server status: 27000@lic1
Vendor daemon status (on lic1):
  v: UP v11.13
Users of F:  (Total of {issued} licenses issued;  Total of 0 licenses in use)

"""
RLM = """\
RLM Report Log Format 0, version 14.0, authenticated
ISV: v, RLM version 14.2 BL3
START keeper 03/02/2026 08:00
PRODUCT F 6.0 1 4 1 10 "" "" "" "" "" "" 0 0 0 0 0 0 0 0 0
PRODUCT F 7.0 2 2 0 10 "" "" "" "" "" "" 0 0 0 0 0 0 0 0 0
REREAD root keeper 03/03 09:00:00
PRODUCT F 6.0 1 4 0 10 "" "" "" "" "" "" 0 0 0 0 0 0 0 0 0
03/03/2026 10:00
"""


def changes(log: Log) -> list[tuple[str, str, int, int, str]]:
    frame = seats.issued(log)
    since = ["" if pd.isna(at) else f"{at:%Y-%m-%d %H}" for at in frame["since"]]
    return [*zip(frame["feature"], since, frame["seats"], frame["change"], frame["source"], strict=True)]


def test_a_license_file_beside_a_log_says_how_many_seats_there_are(tmp_path: Path) -> None:
    (tmp_path / "v.lic").write_text(LICENSE)
    (tmp_path / "debug.log").write_text(DEBUG)
    log = read(tmp_path)
    assert log.quality()["kind"].tolist() == ["flexnet", "license-file"]
    assert changes(log) == [
        ("F", "", 3, 0, "license-file"),
        ("G", "", 2, 0, "license-file"),
        ("G", "2026-03-10 00", 6, 4, "license-file"),
        ("G", "2026-07-01 00", 4, -2, "license-file"),
    ]
    rows = seats.utilization(log).set_index("feature")[["seats", "fewest", "peak", "average", "utilization", "never_used"]]
    assert rows.loc["F"].tolist() == [3, 3, 2, 1.0, pytest.approx(1 / 3), 1]
    assert rows.loc["G"].tolist() == [2, 2, 0, 0, 0, 2]
    (tmp_path / "debug.log").unlink()
    (tmp_path / "v.opt").write_text(OPTIONS)
    for alone in (tmp_path / "v.lic", tmp_path / "v.opt", tmp_path):
        with pytest.raises(SourceNotRecognized, match="the log of the server"):
            read(alone)


def test_lmstat_says_when_a_seat_was_lost_and_counts_more_than_a_license_file(tmp_path: Path) -> None:
    text = "".join(
        LMSTAT.format(day=day, issued=issued) for day, issued in (("6/23/2026", 5), ("6/30/2026", 5), ("7/7/2026", 4))
    )
    (tmp_path / "looks.txt").write_text(text)
    (tmp_path / "v.lic").write_text(LICENSE)
    log = read(tmp_path)
    assert [row for row in changes(log) if row[0] == "F"] == [
        ("F", "2026-06-23 08", 5, 0, "lmstat"),
        ("F", "2026-07-07 08", 4, -1, "lmstat"),
    ]
    assert seats.utilization(log).set_index("feature").loc["F", ["seats", "fewest"]].tolist() == [4, 4]


def test_a_report_log_of_rlm_says_its_pools(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(RLM)
    assert changes(read(tmp_path / "x")) == [("F", "2026-03-02 08", 7, 0, "rlm"), ("F", "2026-03-03 09", 4, -3, "rlm")]


def test_where_nobody_says_it_no_seats_are_known(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_text(DEBUG)
    log = read(tmp_path)
    assert seats.issued(log).empty
    assert seats.utilization(log).empty


def test_a_verbose_log_says_of_how_many_seats_it_gives(tmp_path: Path) -> None:
    """The largest number of a day counts: another line of it is about a smaller pool."""
    line = '{:2}:00:00 (v) OUT: "F" ann@pc1 (1) ^^^ 1.0 ann 127.0.0.1 7 0x{} 1 {} N/A 11 19 2-3-2026 8:00:00 NO ^^^\n'
    text = "".join(
        f" 1:00:00 (lmgrd) TIMESTAMP 3/{day}/2026\n"
        + "".join(line.format(hour, f"{day}{hour}", issued) for hour, issued in numbers)
        for day, numbers in ((2, ((8, 2), (9, 5))), (3, ((8, 5),)), (4, ((8, 4), (9, 4))))
    )
    (tmp_path / "debug.log").write_text(text)
    log = read(tmp_path)
    assert changes(log) == [("F", "2026-03-02 09", 5, 0, "flexnet"), ("F", "2026-03-04 08", 4, -1, "flexnet")]
    assert seats.utilization(log)[["seats", "fewest", "peak"]].to_numpy().tolist() == [[4, 4, 5]]


def said(log: Log, *columns: str) -> list[tuple[object, ...]]:
    frame = seats.options(log)[list(columns)].astype(object)
    return [*frame.where(frame.notna(), None).itertuples(index=False, name=None)]


def test_an_options_file_beside_a_log_says_who_may_have_which_seats(tmp_path: Path) -> None:
    (tmp_path / "v.lic").write_text(LICENSE.replace("permanent 3", "permanent 3 BORROW=48 DUP_GROUP=UH"))
    (tmp_path / "debug.log").write_text(DEBUG.replace("(2 licenses)", ""))
    columns = ("product", "feature", "option", "number", "kind", "name", "members")
    expected = [
        ("v", "F", "dup-group", None, None, "UH", None),
        ("v", "F", "borrow", 48, None, None, None),
        ("v", "F", "reserve", 2, "group", "staff", 4),
        ("v", "F", "reserve", 1, "user", "eve", None),
        ("v", "F", "max", 1, "host-group", "lab", None),
        ("v", "F", "max-borrow-hours", 72, None, None, None),
        ("v", "F", "borrow-lowwater", 9, None, None, None),
        ("v", "F", "include-borrow", None, "group", "staff", 4),
        ("v", "F", "exclude", None, "user", "fay lee", None),
        ("v", None, "include", None, "internet", "10.0.*.*", None),
        ("v", "F", "linger", 600, None, None, None),
        ("v", None, "timeout", 3600, None, None, None),
    ]
    for name in ("V.opt", "site.opt"):
        (tmp_path / name).write_text(OPTIONS)
        log = read(tmp_path)
        # A file that is called otherwise is of whoever has its features; what is true of all is then of nobody in particular.
        assert said(log, *columns) == [(row[0] if row[1] or name == "V.opt" else None, *row[1:]) for row in expected], name
        assert set(said(log, "option")) <= {(kind,) for kind in seats.OPTION_KINDS}
        quality = log.quality().set_index("kind")
        assert quality.loc["options-file", ["events", "malformed"]].tolist() == [0, 1]
        row = seats.utilization(log).set_index("feature").loc["F", ["license", "seats", "reserved", "not_borrowed", "peak"]]
        assert row.tolist() == ["member-machine", 3, 3, 3, 1]
        (tmp_path / name).unlink()


def test_a_debug_log_repeats_its_options(tmp_path: Path) -> None:
    lines = (
        "Max borrow interval for feature, F, set to 2160 hours",
        "ALL FEATURES: INACTIVITY TIMEOUT set to 3600 seconds",
        "RESERVING 10 F/145D 7797 905A 1252  licenses for USER_GROUP GROUP01",
        "INCLUDE_BORROW USER_GROUP GROUP01 in F",
        "MAX 1 USER ann lee for F",
        "MAX is no option",
    )
    again = (lines[0], lines[2].replace("10", "12"))
    text = "".join(f" 7:{minute:02}:00 (v) {line}\n" for minute, line in enumerate((*lines, *again)))
    (tmp_path / "debug.log").write_text(DEBUG.replace(" 8:00:00", text + " 8:00:00"))
    log = read(tmp_path)
    assert said(log, "product", "feature", "option", "number", "kind", "name", "source") == [
        ("v", "F", "max-borrow-hours", 2160, None, None, "flexnet"),
        ("v", None, "timeout", 3600, None, None, "flexnet"),
        ("v", "F", "include-borrow", None, "group", "GROUP01", "flexnet"),
        ("v", "F", "max", 1, "user", "ann lee", "flexnet"),
        ("v", "F", "reserve", 12, "group", "GROUP01", "flexnet"),
    ]
    assert log.quality()["malformed"].tolist() == [0]


def denied(product: str, in_use: list[int], checkouts: int = 1, **fields: Any) -> Iterator[Event]:
    """Each day so many users have so many checkouts each, but for the first who has one, when somebody is denied."""
    for day, users in enumerate(in_use):
        begin = day * 86_400
        for user in range(users):
            who = {"product": product, "member": f"u{user}", "machine": f"m{user}"}
            for _number in range(1 + (checkouts - 1) * min(user, day)):
                yield event(begin + user, **who)
                yield event(begin + 3_600, "checkin", **who)
        yield event(begin + 60, "denial", product=product, member="late", reason="-4,342 full", **fields)


def test_denials_at_a_constant_level_tell_how_many_seats_there_are() -> None:
    """Product, seats, change and certainty of each row."""
    others = [{"product": "exceeded", "member": f"x{number}", "machine": f"x{number}"} for number in range(9)]
    crowd = [event(500_000 + at, kind, **who) for who in others for at, kind in ((0, "checkout"), (100, "checkin"))]
    events = [
        *denied("constant", [5] * 8),
        *denied("nearly", [5] * 9 + [3]),
        *denied("lost", [5] * 20 + [4] * 20),
        *denied("shared", [6] * 9, checkouts=2),
        # Too few, no number that holds, one that was exceeded, and requests for several.
        *denied("few", [5] * 4),
        *denied("any", [5, 3, 4, 2, 5, 1, 4, 3]),
        *denied("exceeded", [5] * 8),
        *crowd,
        *denied("several", [5] * 8, quantity=2),
        *denied("known", [5] * 8),
    ]
    log = open_log(raw_log(sorted(events, key=lambda one: one.at), 40 * 86_400))
    known = frame_of_seats([Seats("lic", "known", "F", BEGIN, 7, None, "lmstat")])
    log = Log(replace(log.stored, seats=known), log.engine)
    frame = seats.issued(log)
    from_denials = frame[frame["source"] == "denials"]
    assert [*from_denials[["product", "seats", "change", "certainty"]].itertuples(index=False, name=None)] == [
        ("constant", 5, 0, 0.68),
        ("lost", 5, 0, 0.84),
        ("lost", 4, -1, 0.84),
        ("nearly", 5, 0, 0.6),
        # Its users have one license each, however many checkouts: users are as many each day, and checkouts are not.
        ("shared", 6, 0, 0.7),
    ]
    assert from_denials["since"].dropna().tolist() == [
        pd.Timestamp(BEGIN, unit="us", tz="UTC") + pd.Timedelta(days=20, minutes=1)
    ]
    assert frame.loc[frame["source"] == "lmstat", ["product", "seats", "certainty"]].to_numpy().tolist() == [["known", 7, 1.0]]
    rows = seats.utilization(log).set_index("product")[["license", "seats", "peak", "episodes", "missing"]]
    assert rows.loc["shared"].tolist() == ["member-machine", 6, 6, 9, 1]
    assert rows.loc["constant"].tolist() == ["handle", 5, 5, 8, 1]
    assert rows.loc["known"].tolist() == ["handle", 7, 5, 8, 0]
