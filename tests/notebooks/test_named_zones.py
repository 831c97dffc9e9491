"""What a log calls its time zone is taken, or counted as disagreeing with the one that was given."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checkout_log.reading import read
from checkout_log.sources.named_zones import NamedAt, taken

WINTER, SUMMER = datetime(2026, 3, 2, 6), datetime(2026, 7, 2, 6)  # noqa: DTZ001 - the clock on the server's wall
# What stamps say, the zone that was given; hours ahead of UTC in winter and summer, how many names disagree, and whether the zone
# is uncertain.
NAMES = {
    "as given": ([("CET", WINTER)], "Europe/Berlin", (1, 2, 0, False)),
    "as given, in summer too": ([("CET", WINTER), ("CEST", SUMMER)], "Europe/Madrid", (1, 2, 0, False)),
    "another zone with this name": ([("CET", WINTER)], "Africa/Algiers", (1, 1, 0, False)),
    "another name for the same clock": ([("GMT", WINTER)], "UTC", (0, 0, 0, False)),
    "a fixed zone with the same clock": ([("CET", WINTER)], "Etc/GMT-1", (1, 1, 0, False)),
    "CET, and nothing given": ([("CET", WINTER)], "UTC", (1, 2, 1, False)),
    "CEST, and nothing given": ([("CEST", SUMMER)], "UTC", (1, 2, 1, False)),
    "EST, and nothing given": ([("EST", WINTER)], "UTC", (-5, -4, 1, False)),
    "EST in summer": ([("EST", SUMMER)], "UTC", (-5, -5, 1, False)),
    "PDT": ([("PDT", SUMMER)], "UTC", (-8, -7, 1, False)),
    "UTC, and another given": ([("UTC", WINTER)], "Europe/Berlin", (0, 0, 1, False)),
    "GMT, and BST in summer": ([("GMT", WINTER), ("BST", SUMMER)], "Europe/Berlin", (0, 1, 2, False)),
    "JST": ([("JST", WINTER)], "UTC", (9, 9, 1, False)),
    "a number for a name": ([("+03", WINTER)], "UTC", (3, 3, 1, False)),
    "Windows, summer": ([("Pacific Daylight Time", SUMMER)], "UTC", (-8, -7, 1, False)),
    "Windows, winter": ([("W. Europe Standard Time", WINTER)], "UTC", (1, 2, 1, False)),
    "Windows, as given": ([("Romance Daylight Time", SUMMER)], "Europe/Berlin", (1, 2, 0, False)),
    "Windows in UTC": ([("Coordinated Universal Time", WINTER)], "Europe/Berlin", (0, 0, 1, False)),
    "Windows in another language": ([("Hora de verano romance", SUMMER)], "UTC", (0, 0, 0, False)),
    "no zone at all": ([("Some Daylight Time", SUMMER), ("XYZ", WINTER)], "Asia/Tokyo", (9, 9, 0, False)),
    "one of several, as given": ([("CST", WINTER)], "Asia/Shanghai", (8, 8, 0, False)),
    "one of several, another one given": ([("CST", WINTER)], "America/Chicago", (-6, -5, 0, False)),
    "one of several, and nothing given": ([("CST", WINTER)], "UTC", (0, 0, 1, True)),
    "IST, and nothing given": ([("IST", WINTER)], "UTC", (0, 0, 1, True)),
    "names that no zone has together": ([("EST", WINTER), ("CEST", SUMMER)], "UTC", (0, 0, 2, True)),
}


@pytest.mark.parametrize("case", NAMES)
def test_the_zone_that_stamps_name(case: str) -> None:
    stamps, usual, expected = NAMES[case]
    zone = taken([NamedAt(*stamp) for stamp in stamps], ZoneInfo(usual))
    hours = [(zone.where.utcoffset(at) or at.min - at.min).total_seconds() / 3600 for at in (WINTER, SUMMER)]
    assert (*hours, zone.disagreeing, zone.is_uncertain) == expected


def log_text(name: str | None, day: str = "Mon Mar 02 2026", date: str = "3/2/2026", hour: int = 9) -> str:
    head = "" if name is None else f" 6:00:01 (lmgrd) Server's System Date and Time: {day} 06:00:01 {name}\n"
    return (
        f" 6:00:01 (lmgrd) FlexNet Licensing (v11.18.0.0 build 271021 x64_lsb) started on lic-a (linux) ({date})\n{head}"
        " 6:00:02 (geod) Server started on lic-a for:\tterrain\n"
        f' {hour}:00:00 (geod) OUT: "terrain" mira@ws-11  \n {hour}:30:00 (geod) IN: "terrain" mira@ws-11  \n'
        f"12:00:03 (lmgrd) TIMESTAMP {date}\n"
    )


@pytest.mark.parametrize(
    ("name", "usual", "begin", "is_ambiguous", "disagreeing"),
    [
        ("CET", "UTC", "2026-03-02T08:00:00+00:00", False, 1),
        ("CET", "Europe/Berlin", "2026-03-02T08:00:00+00:00", False, 0),
        ("EST", "Europe/Berlin", "2026-03-02T14:00:00+00:00", False, 1),
        ("CST", "UTC", "2026-03-02T09:00:00+00:00", True, 1),
        ("CST", "America/Chicago", "2026-03-02T15:00:00+00:00", False, 0),
        (None, "America/Chicago", "2026-03-02T15:00:00+00:00", False, 0),
    ],
)
def test_a_log_is_read_in_the_zone_that_it_names(
    tmp_path: Path, name: str | None, usual: str, begin: str, *, is_ambiguous: bool, disagreeing: int
) -> None:
    (tmp_path / "x").write_text(log_text(name))
    log = read(tmp_path / "x", timezone=usual)
    session = log.sessions().iloc[0]
    assert (session["start"].isoformat(), session["ambiguous"]) == (begin, is_ambiguous)
    quality = log.quality().iloc[0]
    assert (quality["ambiguous"], quality["disagreeing"]) == (2 * is_ambiguous, disagreeing)


@pytest.mark.parametrize(
    ("names", "zone", "disagreeing"),
    [
        (["CET"], "Europe/Berlin", [0]),
        (["EST", "EST"], "America/New_York", [0, 0]),
        (["Korea Standard Time", None], "Asia/Seoul", [0, 0]),
        (["CET", "EST"], "UTC", [0, 0]),
        (["CST"], "UTC", [1]),
        ([None], "UTC", [0]),
    ],
)
def test_where_no_zone_is_given_hours_are_those_of_the_one_that_the_logs_name(
    tmp_path: Path, names: list[str | None], zone: str, disagreeing: list[int]
) -> None:
    for number, name in enumerate(names):
        server = log_text(name, date=f"3/{number + 2}/2026", day=f"Mon Mar {number + 2:02} 2026").replace(
            "lic-a", f"lic-{number}"
        )
        (tmp_path / f"{number}.log").write_text(server.replace("geod", f"geod{number}"))
    log = read(tmp_path, timezone=None)
    assert log.timezone == zone
    assert log.quality()["disagreeing"].tolist() == disagreeing
    assert read(tmp_path, timezone="Asia/Tokyo").timezone == "Asia/Tokyo"


def test_what_names_no_zone_is_read_in_the_one_that_the_logs_beside_it_name(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text(log_text("CET"))
    (tmp_path / "y.txt").write_text(
        "Flexible License Manager status on Mon 3/2/2026 10:00\nUsers of F1:  (Total of 1 license issued;  Total of 0 licenses in use)\n"
    )
    assert [at.isoformat() for at in read(tmp_path, timezone=None).quality()["begin"]] == [
        "2026-03-02T05:00:01+00:00",
        "2026-03-02T09:00:00+00:00",
    ]


def test_summaries_of_a_daemon_name_the_zone_too(tmp_path: Path) -> None:
    summary = " 7:00:00 (geod) (@geod-SLOG@) Time: Mon Mar 02 2026 07:00:00 CET\n"
    (tmp_path / "x").write_text(log_text(None).replace(" 9:00:00", f"{summary} 9:00:00", 1))
    assert read(tmp_path / "x", timezone=None).sessions()["start"].iloc[0].isoformat() == "2026-03-02T08:00:00+00:00"


def test_a_file_that_names_no_zone_is_read_in_that_of_the_other_files_of_its_server(tmp_path: Path) -> None:
    (tmp_path / "log.1").write_text(log_text("CET"))
    (tmp_path / "log.2").write_text(log_text(None, date="3/3/2026"))
    log = read(tmp_path, timezone="UTC")
    assert [at.isoformat() for at in log.sessions()["start"]] == ["2026-03-02T08:00:00+00:00", "2026-03-03T08:00:00+00:00"]
    assert log.quality()["disagreeing"].tolist() == [1, 0]


def test_where_lines_say_how_far_they_are_from_utc_names_of_zones_do_not_matter(tmp_path: Path) -> None:
    lines = [f"2026-03-02 {line.strip().rjust(8, '0')}" for line in log_text("CST").splitlines()]
    text = "\n".join(line.replace(" (", " +05:00 (", 1) for line in lines)
    (tmp_path / "x").write_text(text.replace(" 6:", " 06:").replace(" 9:", " 09:"))
    log = read(tmp_path / "x", timezone="Europe/Berlin")
    assert log.sessions()["start"].iloc[0].isoformat() == "2026-03-02T04:00:00+00:00"
    assert log.quality()["disagreeing"].tolist() == [0]


@pytest.mark.parametrize(
    ("minutes", "usual", "disagreeing"),
    [(0, "UTC", 0), (-60, "UTC", 1), (-60, "Europe/Berlin", 0), (-120, "Europe/Berlin", 0), (300, "Europe/Berlin", 1)],
)
def test_a_report_log_of_rlm_that_says_another_zone_disagrees(
    tmp_path: Path, minutes: int, usual: str, disagreeing: int
) -> None:
    (tmp_path / "x").write_text(
        "RLM Report Log Format 0, version 14.0, authenticated\nISV: reprise, RLM version 14.2 BL3\n\n"
        f"START keeper 12/31/2021 08:00\nTIMEZONE {minutes} 0 # here\n"
        'OUT imaris 6.0 9 ann pc1 "" 2 2 0 26e 26e 410 "" "" "" 12/31 10:57:52\n12/31/2021 11:30\n'
    )
    assert read(tmp_path / "x", timezone=usual).quality()["disagreeing"].tolist() == [disagreeing]
