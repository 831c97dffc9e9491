"""How many seats there are, as servers and license files say it, and how many of them are needed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from checkout_log import captions, read, seats
from checkout_log.errors import SourceNotRecognized
from checkout_log.log import Log

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
    utilization = seats.utilization(log)
    assert captions.seats(utilization, seats.issued(log)) == ["`G` of `v`: 2 seats fewer from 2026-07-01 on, 4 in all."]
    assert captions.seats(utilization.assign(observed_days=30.0), seats.issued(log).head(0)) == [
        "`G` of `v`: in 30 days none of 2 seats was in use.",
        "`F` of `v`: in 30 days even the peak of 2 left 1 of 3 seats free.",
    ]
    assert captions.seats(utilization.assign(peak=9), seats.issued(log).head(0)) == [
        "`F` of `v`: 9 in use at once, with 3 seats at the fewest.",
        "`G` of `v`: 9 in use at once, with 2 seats at the fewest.",
    ]
    with pytest.raises(SourceNotRecognized, match="the log of the server"):
        read(tmp_path / "v.lic")


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
