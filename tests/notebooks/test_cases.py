"""Small logs that were read wrongly once, each for its whole kind; what they say is short enough to be counted by hand."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from checkout_log import denials, usage
from checkout_log.reading import read
from checkout_log.sources.flexnet import lines as flexnet
from checkout_log.sources.lmstat import rows as lmstat
from checkout_log.sources.rlm import lines as rlm

# What stands in brackets before the user, and whether it is part of the name: it never is.
IN_BRACKETS = ("", "(00B0 EF6E AFC6 B280 ) ", "(PORT_AT_HOST_PLUS   ) ", "(no key)  ", "() ")
WHO = {
    "ann n630 n630.site.net 1238925": ("ann", "n630"),
    "cat ws19.site.net ws19.site.net 3068": ("cat", "ws19.site.net"),
    "cat ws19.site.net ws19 3068": ("cat", "ws19.site.net"),
    "Jane Doe n630 N630.site.net:0.0 7": ("Jane Doe", "n630"),
    "dan pc7 :519": ("dan", "pc7"),
    "eve pc8 :6838 MultiCPU": ("eve", "pc8"),
    "fay pc9 disp.site.net:8.0 Xcelium Single Core Engine": ("fay", "pc9"),
    "hal pc10 /dev/tty feature=solver": ("hal", "pc10"),
    "ian pc11 tty 4711": ("ian", "pc11"),
    "Jane Doe pc1 4711": ("Jane Doe", "pc1"),
}
NOW = datetime(2026, 3, 9, 8)  # noqa: DTZ001 - the clock on the server's wall


def test_text_in_brackets_before_the_user_is_no_part_of_the_name() -> None:
    for text in IN_BRACKETS:
        for verb, tail in (("OUT", " "), ("DENIED", " (Licensed number of users already reached. (-4,342))")):
            use = flexnet.read(f'(ARCGIS) {verb}: "ARC/INFO" {text}Ann Lee@pc-1 {tail}')
            assert isinstance(use, flexnet.Use)
            assert (use.member, use.machine) == ("Ann Lee", "pc-1"), text


def test_a_number_of_a_process_is_neither_of_the_user_nor_of_the_host() -> None:
    assert {who: lmstat.people(who, "v1.0")[:2] for who in WHO} == WHO


PIECE = """\
 8:00:00 (lmgrd) FlexNet Licensing (v11.16.2.1 build 1 x64_lsb) started on lic1 (linux) (3/{day}/2026)
 8:00:01 (acmelmd) Server started on lic1 for:\tsolver
 8:10:00 (acmelmd) OUT: "solver" ann@pc-1  {more}
 9:10:00 (acmelmd) IN: "solver" ann@pc-1  {more}
14:00:00 (lmgrd) TIMESTAMP 3/{day}/2026
20:00:00 (lmgrd) TIMESTAMP 3/{day}/2026
"""


def pieces(folder: Path, *days: int, more: str = "") -> pd.DataFrame:
    (folder / "x").write_text("".join(PIECE.format(day=day, more=more) for day in days))
    log = read(folder / "x")
    quality = log.quality().iloc[0]
    peaks = usage.peaks(log).iloc[0]
    return pd.Series(
        [*quality[["lines", "events", "overlapping", "ambiguous"]], *peaks[["lower", "peak", "upper"]], len(log.sessions())]
    ).tolist()


def test_a_piece_that_stands_twice_in_a_file_counts_once(tmp_path: Path) -> None:
    """Lines, events, events that stand twice, uncertain ones; bounds of the peak; sessions."""
    assert pieces(tmp_path, 2) == [6, 2, 0, 0, 1, 1, 1, 1]
    assert pieces(tmp_path, 2, 2) == [12, 2, 2, 0, 1, 1, 1, 1]
    assert pieces(tmp_path, 2, 2, 2) == [18, 2, 4, 0, 1, 1, 1, 1]
    # In another order, and with a piece of another day between.
    assert pieces(tmp_path, 3, 2) == [12, 4, 0, 0, 1, 1, 1, 2]
    assert pieces(tmp_path, 2, 3, 2) == [18, 4, 2, 0, 1, 1, 1, 2]
    assert pieces(tmp_path, 3, 2, 3, more="(2 licenses) ") == [18, 4, 2, 0, 2, 2, 2, 2]


def test_gaps_within_a_file_are_not_observed(tmp_path: Path) -> None:
    def observed(text: str) -> float:
        (tmp_path / "x").write_text(text)
        return float(usage.peaks(read(tmp_path / "x"))["observed_days"].iloc[0])

    stamps = [f"{hour:2d}:00:00 (lmgrd) TIMESTAMP 3/{day}/2026\n" for day in range(2, 12) for hour in (2, 8, 14, 20)]
    stamps.insert(2, ' 8:30:00 (acmelmd) OUT: "solver" ann@pc-1  \n 9:30:00 (acmelmd) IN: "solver" ann@pc-1  \n')
    assert observed("".join(stamps)) == 9.75
    # Five days are missing: nobody knows what happened then.
    assert observed("".join(stamps[:9] + stamps[29:])) == 4.5
    # The server was down for so long, and it said so.
    stopped = "21:00:00 (lmgrd) SHUTDOWN request from root at node lic1\n21:00:01 (lmgrd) EXITING DUE TO SIGNAL 15\n"
    assert observed("".join([*stamps[:9], stopped, *stamps[29:]])) == 9.75
    # A server that writes a stamp once a day is silent for a day.
    assert observed("".join([*stamps[:4], *stamps[5::4]])) == 9


DEBUG = """\
3/2 8:00 (acme) Server started on lic1 (hostid: 0123456789ab) for:
03/02 08:00 (acme) \tsolver
3/2 8:10 (acme) OUT: solver v2.0 by ann@pc-1
3/2 8:20 (acme) DENIED: (1) solver v2.0 to bob@pc-2
{reason}
3/2 8:30 (acme) IN: solver v2.0 by ann@pc-1
"""
REASONS = {
    "3/2 8:20 (acme)         All licenses in use": ("-22 All licenses in use", 1),
    "03/02 08:20 (acme) \tAll licenses in use (-22)": ("-22 All licenses in use", 1),
    "        All licenses in use": ("-22 All licenses in use", 1),
    "3/2 8:20 (acme)         License expired (-3)": ("-3 License expired", 0),
    "3/2 8:20 (other)         All licenses in use": (None, 0),
    "3/2 8:20 (acme) Something else": (None, 0),
}


def test_a_debug_log_of_rlm_says_why_in_the_next_line(tmp_path: Path) -> None:
    for number, (line, (reason, raw)) in enumerate(REASONS.items()):
        path = tmp_path / str(number)
        path.write_text(DEBUG.format(reason=line))
        os.utime(path, (datetime(2026, 3, 3, tzinfo=UTC).timestamp(),) * 2)
        log = read(path)
        events = log.events()
        assert events["event"].tolist() == ["checkout", "denial", "checkin"], line
        assert events["reason"].fillna("").tolist() == ["", reason or "", ""], line
        assert events["at"].iloc[0] == datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
        assert denials.counts(log)["raw"].tolist() == [raw]
        assert log.quality()["malformed"].tolist() == [0]


def test_hours_and_dates_of_one_digit_in_a_report_log_of_rlm() -> None:
    record = rlm.report("SHUTDOWN root keeper 3/2 8:05:07")
    assert record is not None
    assert (record.month, record.day, record.second) == (3, 2, 8 * 3600 + 5 * 60 + 7)


LMSTAT = """\
Flexible License Manager status on Mon 3/9/2026 08:00

License server status: 27000@lic1
Vendor daemon status (on lic1):
  acmelmd: UP v11.13
Feature usage info:

"""


def feature(name: str, issued: int, in_use: int, *rows: str) -> str:
    head = f"Users of {name}:  (Total of {issued} licenses issued;  Total of {in_use} licenses in use)\n\n"
    own = f'  "{name}" v1.0, vendor: acmelmd\n\n' if rows else ""
    return head + own + "".join(f"    {row}\n" for row in rows) + "\n"


def test_totals_that_lmstat_states_bound_the_peak(tmp_path: Path) -> None:
    """Lower bound, peak and upper bound of each feature; a total that is not what is listed disagrees."""
    ann = "ann pc-1 pc-1 (v1.0) (lic1/27000 101), start Mon 3/9 7:25, 2 licenses"
    text = (
        feature("equal", 5, 2, ann)
        + feature("fewer", 20, 1, ann)
        + feature("more", 20, 12, ann)
        + feature("reserved", 20, 12, ann, "10 RESERVATIONs for GROUP G (lic1/27000)")
        + feature("unlisted", 10, 10)
        + feature("unused", 10, 0)
    )
    (tmp_path / "x").write_text(LMSTAT + text)
    log = read(tmp_path / "x")
    peaks = usage.peaks(log).set_index("feature")[["lower", "peak", "upper"]]
    assert peaks.T.to_dict("list") == {
        "equal": [2, 2, 2],
        "fewer": [1, 2, 2],
        "more": [12, 12, 12],
        "reserved": [2, 2, 2],
        "unlisted": [10, 10, 10],
    }
    assert log.quality()["disagreeing"].tolist() == [3]
    # What is counted and not listed is a use of nobody: it has no length.
    assert usage.lengths(log)["feature"].tolist() == ["equal", "fewer", "more", "reserved"]


def test_borrows_that_began_with_a_restart_are_due_when_their_rows_say_it(tmp_path: Path) -> None:
    def dues(*starts: str, linger: str = "2592000") -> list[object]:
        rows = [
            f"user{at} pc-{at} pc-{at} (v1.0) (lic1/27000 {at}), start {start} (linger: {linger})"
            for at, start in enumerate(starts)
        ]
        (tmp_path / "x").write_text(LMSTAT + feature("solver", 40, len(starts), *rows))
        events = read(tmp_path / "x").events().sort_values("member")
        return [None if pd.isna(until) else until.isoformat() for until in events["until"]]

    monday, tuesday = "Mon 3/2 7:25", "Tue 3/3 9:00"
    assert dues(monday, monday, monday, tuesday) == [None, None, None, "2026-04-02T09:00:00+00:00"]
    # The first of all are of two users: that may be chance.
    assert dues(monday, monday, tuesday)[0] == "2026-04-01T07:25:00+00:00"
    # Many began together, and another before them: no restart.
    assert dues(tuesday, tuesday, tuesday, monday)[0] == "2026-04-02T09:00:00+00:00"
    # What is left tells, whatever the start is.
    assert dues(monday, monday, monday, linger="86400 / 2592000") == ["2026-03-10T08:00:00+00:00"] * 3


def test_a_license_that_lingers_after_its_use_is_no_borrow(tmp_path: Path) -> None:
    rows = [
        "ann pc-1 /dev/tty (v1) (lic1/7188 901), start Fri 2/27 12:46  (linger: 0 / 86400)",
        "bob pc-2 :1 (v1) (lic1/7188 902), start Mon 3/9 07:00",
    ]
    (tmp_path / "x").write_text(LMSTAT + feature("solver", 20, 2, *rows))
    log = read(tmp_path / "x")
    assert log.events()["mode"].tolist() == ["session", "session"]
    assert log.sessions()["until"].isna().all()
    assert usage.peaks(log)["peak"].tolist() == [2]


def sessions_of(folder: Path, *lines: str) -> list[tuple[str, str | None, int, str, bool]]:
    """Daemon, handle, minutes, how it ended and whether that is doubtful, of each session of a log of one morning."""
    stamps = ["6:00:00 (lmgrd) TIMESTAMP 3/2/2026", "12:00:00 (lmgrd) TIMESTAMP 3/2/2026"]
    texts = [stamps[0], *(f" 8:{minute:02}:00 {line}" for minute, line in enumerate(lines)), stamps[1]]
    (folder / "x").write_text("\n".join(texts) + "\n")
    rows = read(folder / "x").sessions().sort_values(["start", "end"])
    minutes = ((rows["end"] - rows["start"]).dt.total_seconds() // 60).astype(int)
    handles = [None if pd.isna(handle) else handle for handle in rows["handle"]]
    return [*zip(rows["product"], handles, minutes, rows["ended_by"], rows["ambiguous"], strict=True)]


ANSYS = '(ansyslmd) {}: "cfd_base" ann@pc-1  [{}] '
MSC = '(MSC) {}: "MSCONE" ann@pc-1  [MSCONE:{}] (2 licenses)'
VERBOSE = '(demo) {}: "f1" ann@pc-1 (1) ^^^ 1.0 ann 127.0.0.1 {} {} 2 5 N/A 11 19 2-3-2026 8:00:00 NO ^^^'


def test_what_a_vendor_tells_of_a_checkout_pairs_it_with_its_return(tmp_path: Path) -> None:
    """The first out is the last in: by the order of lines alone 2 and 2 minutes, and both doubtful."""
    for line, first, second in (
        (ANSYS, "32206", "10711"),
        (MSC, "NASTRAN", "PATRAN"),
        (VERBOSE, "29865 0x12CE", "29865 0x12CF"),
        (VERBOSE, "29865 0x12CE", "4711 0x12CE"),
    ):
        moves = [("OUT", first), ("OUT", second), ("IN", second), ("IN", first)]
        texts = [line.format(verb, *who.split()) for verb, who in moves]
        (_, handle, *long), (_, _, *short) = sessions_of(tmp_path, *texts)
        assert (long, short) == ([3, "checkin", False], [1, "checkin", False]), line
        assert handle is not None
        assert all(part in handle for part in first.split())


def test_handles_that_do_not_pair_change_nothing(tmp_path: Path) -> None:
    """Of a daemon whose returns have other numbers, and of somebody whose returns have none."""
    others = [ANSYS.format(*move) for move in (("OUT", 1), ("OUT", 2), ("IN", 3), ("IN", 4))]
    none = ANSYS.replace("[{}]", "")
    some = [ANSYS.format("OUT", 1), ANSYS.format("OUT", 2), ANSYS.format("IN", 2), none.format("IN")]
    for texts in (others, some):
        assert sessions_of(tmp_path, *texts) == [
            ("ansyslmd", None, 2, "checkin", True),
            ("ansyslmd", None, 2, "checkin", False),
        ]


def test_a_forked_daemon_is_its_parent(tmp_path: Path) -> None:
    forked = ANSYS.replace("ansyslmd", "ansyslmd_1")
    texts = [
        "(ansyslmd) Server started on lic1 for:\tcfd_base",
        ANSYS.format("OUT", 1),
        forked.format("OUT", 2),
        "(ansyslmd_1) EXITING DUE TO SIGNAL 15",
        "(lmgrd) ansyslmd_1 exited with status 15",
        forked.format("IN", 1),
        ANSYS.format("IN", 2),
    ]
    assert sessions_of(tmp_path, *texts) == [
        ("ansyslmd", "1", 4, "checkin", False),
        ("ansyslmd", "2", 4, "checkin", False),
    ]
    # What is called so and has no parent in the log is a daemon of its own.
    assert sessions_of(tmp_path, forked.format("OUT", 1), forked.format("IN", 1))[0][0] == "ansyslmd_1"
