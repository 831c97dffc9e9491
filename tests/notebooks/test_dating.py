"""Dates by construction: logs are written from known times, and every event must come out at its time or be flagged."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.sources.flexnet import files
from checkout_log.sources.part import Part
from tests.notebooks.stored_rows import stored
from tests.support.server_log import Line, ServerLog

MADRID, NEW_YORK = ZoneInfo("Europe/Madrid"), ZoneInfo("America/New_York")
ZONES = ("Europe/Madrid", "America/New_York", "UTC", "Australia/Lord_Howe")
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))


def events(log: Log) -> pd.DataFrame:
    """The events with the columns that the store adds."""
    return stored(log).set_index("feature")


def wrong(log: Log, truth: dict[str, datetime]) -> list[str]:
    """What is lost, there twice, or dated wrongly without a flag."""
    rows = events(log)
    return wrong_rows([*zip(map(str, rows.index), rows["at"], rows["ambiguous"], strict=True)], truth)


def wrong_rows(rows: list[tuple[str, int, bool]], truth: dict[str, datetime]) -> list[str]:
    """What is wrong with these names, times (whole microseconds since 1970 UTC) and flags."""
    counts = Counter(name for name, _at, _is_ambiguous in rows)
    problems = [f"{name} lost" for name in truth if name not in counts]
    problems += [f"{name} twice" for name, count in counts.items() if count > 1]
    for name, micros, is_ambiguous in rows:
        at = datetime.fromtimestamp(micros / 1_000_000, UTC)
        if at != truth[name] and not is_ambiguous:
            problems.append(f"{name} at {at}, was {truth[name]}")
    return problems


def dated(paths: list[Path], zone: str) -> tuple[list[tuple[str, int, bool]], list[Part]]:
    """The rows of `wrong_rows` and what was counted, from the reader alone: what a log is made of besides takes as long as to read it."""
    with TemporaryDirectory() as folder:
        contents = files.read(paths, Path(folder), ZoneInfo(zone), 0, 1, lambda _done: None)
        table = pq.read_table(contents.files[0], columns=["feature", "at", "ambiguous"])
    return [*zip(*(table[name].to_pylist() for name in table.column_names), strict=True)], contents.parts


def test_days_go_on_past_midnight_before_the_first_stamp(tmp_path: Path) -> None:
    log = ServerLog(MADRID)
    start = datetime(2022, 5, 5, 22, 0, tzinfo=MADRID)
    log.start(start)
    for hours in range(1, 6):
        log.use(start + hours * HOUR)
    log.stamp(start + 6 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"), timezone="Europe/Madrid")
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()
    assert read_log.quality()["disagreeing"].sum() == 0


def test_what_stands_before_the_first_stamp_is_filled_backwards(tmp_path: Path) -> None:
    log = ServerLog(MADRID)
    first = datetime(2022, 12, 31, 21, 0, tzinfo=MADRID)
    for hours in range(6):
        log.use(first + hours * HOUR)
    log.stamp(first + 6 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"), timezone="Europe/Madrid")
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()


def test_a_line_written_late_is_no_midnight_but_one_across_midnight_is_of_the_day_before(tmp_path: Path) -> None:
    log = ServerLog(MADRID)
    midnight = datetime(2022, 5, 6, 0, 0, tzinfo=MADRID)
    log.start(midnight - 3 * HOUR)
    for seconds in (-7200, -7205, -10, -1, -12, 1, -2, 3, 2, -1, 5, 600):
        log.use(midnight + seconds * SECOND)
    log.stamp(midnight + 3 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"), timezone="Europe/Madrid")
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()


def test_a_silent_day_is_flagged_and_not_guessed(tmp_path: Path) -> None:
    """Between two stamps a day is missing, and nothing tells after which of the lines in between."""
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
    log.start(start)
    early = log.use(start + HOUR)
    doubtful = [log.use(start + 2 * HOUR), log.use(start + 27 * HOUR), log.use(start + 28 * HOUR)]
    log.lines.insert(-3, Line(start + HOUR + MINUTE, "lmgrd", "TIMESTAMP 5/5/2022", is_stamp=True))
    log.stamp(start + 29 * HOUR)
    late = log.use(start + 30 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    table = events(read_log)
    assert wrong(read_log, log.truth) == []
    assert table.loc[doubtful, "ambiguous"].all()
    assert not table.loc[[early, late], "ambiguous"].any()
    assert read_log.quality()["disagreeing"].tolist() == [1]
    assert read_log.quality()["ambiguous"].tolist() == [3]


def test_a_long_night_without_lines_is_a_midnight_where_stamps_say_so(tmp_path: Path) -> None:
    """From 13:00 to 02:00 the time goes back by eleven hours only."""
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 12, 0, tzinfo=UTC)
    log.start(start)
    log.use(start + HOUR)
    log.use(start + 14 * HOUR)
    log.stamp(start + 15 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()


def test_a_long_night_outside_of_the_stamps_is_a_midnight_and_flagged(tmp_path: Path) -> None:
    """A step back by eleven hours is no late line; before the first stamp and after the last nothing confirms it."""
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 13, 0, tzinfo=UTC)
    early = log.use(start)
    sure = [log.use(start + 13 * HOUR)]
    log.stamp(start + 14 * HOUR)
    sure.append(log.use(start + 24 * HOUR))
    late = log.use(start + 37 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    table = events(read_log)
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in table["at"]] == list(log.truth.values())
    assert sorted(table.index[table["ambiguous"]]) == sorted([early, late])
    assert not table.loc[sure, "ambiguous"].any()


def test_what_lies_days_beyond_the_only_stamp_is_flagged(tmp_path: Path) -> None:
    """A silent day would not show there."""
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 13, 0, tzinfo=UTC)
    log.start(start)
    names = [log.use(start + hours * HOUR) for hours in range(1, 60, 2)]
    table = events(read(log.save(tmp_path / "x.log")))
    assert table["ambiguous"].tolist() == [hours > 24 for hours in range(1, 60, 2)]
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in table["at"]] == [log.truth[name] for name in names]


def test_a_single_stamp_that_contradicts_its_neighbors_is_counted_and_not_believed(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
    log.start(start)
    for hours in range(1, 12):
        log.use(start + hours * HOUR)
        if hours == 6:
            log.say(start + hours * HOUR, "TIMESTAMP 5/9/2022")
    log.stamp(start + 12 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()
    assert read_log.quality()["disagreeing"].tolist() == [1]


def test_a_file_in_which_nothing_says_the_day_is_left_out_and_counted(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    for hours in range(5):
        log.use(datetime(2022, 5, 5, 8, 0, tzinfo=UTC) + hours * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    assert len(read_log.events()) == 0
    quality = read_log.quality().iloc[0]
    assert (quality["undated"], quality["events"], quality["lines"]) == (5, 0, 5)


@pytest.mark.parametrize("names", [("a.log.1", "a.log.2", "a.log.10"), ("a.log.10", "a.log.2", "a.log.1")])
def test_a_file_without_stamps_is_dated_by_its_neighbors_and_flagged(tmp_path: Path, names: tuple[str, ...]) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    start = datetime(2022, 5, 5, 20, 0, tzinfo=UTC)
    log.start(start)
    for hours in range(1, 13):
        log.use(start + hours * HOUR)
    log.stamp(start + 13 * HOUR)
    lines = log.lines
    first = next(at for at, line in enumerate(lines) if line.name == "F4")
    second = next(at for at, line in enumerate(lines) if line.name == "F8")
    for name, part in zip(names, (lines[:first], lines[first:second], lines[second:]), strict=True):
        log.save(tmp_path / name, part)
    read_log = read(tmp_path)
    table = events(read_log)
    assert wrong(read_log, log.truth) == []
    assert sorted(table.index[table["ambiguous"]]) == ["F4", "F5", "F6", "F7"]
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in table.loc["F4":"F7", "at"]] == [
        log.truth[name] for name in ("F4", "F5", "F6", "F7")
    ]


def test_the_hour_that_comes_twice_is_told_apart_by_the_order_of_lines(tmp_path: Path) -> None:
    log = ServerLog(MADRID)
    turn = datetime(2022, 10, 30, 1, 0, tzinfo=UTC)
    log.start(turn - 2 * HOUR)
    for minutes in (-70, -50, -30, -1, 2, 20, 59, 61):
        log.use(turn + minutes * MINUTE)
    log.stamp(turn + 2 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"), timezone="Europe/Madrid")
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()


def test_the_hour_that_comes_twice_is_flagged_where_no_line_tells(tmp_path: Path) -> None:
    log = ServerLog(NEW_YORK)
    turn = datetime(2022, 11, 6, 6, 0, tzinfo=UTC)
    log.start(turn - 2 * HOUR)
    log.use(turn - 90 * MINUTE)
    doubtful = [log.use(turn + minutes * MINUTE) for minutes in (5, 30)]
    log.use(turn + 70 * MINUTE)
    log.stamp(turn + 2 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"), timezone="America/New_York")
    table = events(read_log)
    assert wrong(read_log, log.truth) == []
    assert sorted(table.index[table["ambiguous"]]) == sorted(doubtful)


def test_times_that_never_came_are_flagged_as_if_the_clock_had_not_been_set(tmp_path: Path) -> None:
    """The server's clock is not set for summer, and the reader was told that it is."""
    log = ServerLog(ZoneInfo("Etc/GMT-1"))
    log.start(datetime(2022, 3, 27, 0, 0, tzinfo=UTC))
    never = log.use(datetime(2022, 3, 27, 1, 30, tzinfo=UTC))
    log.stamp(datetime(2022, 3, 27, 1, 59, tzinfo=UTC))
    table = events(read(log.save(tmp_path / "x.log"), timezone="Europe/Madrid"))
    assert table.loc[never, "ambiguous"]
    assert table.loc[never, "at"] == datetime(2022, 3, 27, 1, 30, tzinfo=UTC).timestamp() * 1_000_000


def test_a_stamp_at_midnight_may_be_of_the_day_before(tmp_path: Path) -> None:
    """The date was taken a moment before the line got its time."""
    log = ServerLog(ZoneInfo("UTC"))
    midnight = datetime(2022, 5, 6, tzinfo=UTC)
    log.start(midnight - 6 * HOUR)
    log.use(midnight - 5 * SECOND)
    log.say(midnight, "TIMESTAMP 5/5/2022", "lmgrd")
    log.use(midnight + HOUR)
    log.stamp(midnight + 6 * HOUR)
    read_log = read(log.save(tmp_path / "x.log"))
    assert wrong(read_log, log.truth) == []
    assert not events(read_log)["ambiguous"].any()
    assert read_log.quality()["disagreeing"].tolist() == [1]


@dataclass(frozen=True)
class Story:
    """A server's life, drawn by hypothesis: gaps in seconds before each happening, and how the log was kept."""

    zone: str
    begin: datetime
    incidents: tuple[tuple[str, int], ...]
    late: tuple[int, ...]
    missing: frozenset[int]
    cuts: tuple[float, ...]
    overlap: int
    order: int
    ends: str
    mark: bytes


GAPS = st.one_of(
    st.integers(0, 90),
    st.integers(0, 1_800),
    st.integers(0, 7_200),
    st.integers(0, 86_400),
    st.sampled_from([3_599, 3_600, 43_200, 46_800, 82_000, 86_390, 86_400, 90_000, 180_000, 400_000]),
)
KINDS = ["use"] * 6 + ["burst"] * 4 + ["summary", "reread", "restart", "crash"]
INCIDENTS = st.lists(st.tuples(st.sampled_from(KINDS), GAPS), min_size=8, max_size=40)
# The turns of the clock in summer and winter, the end of a year, a leap day, and a plain midnight, in UTC.
BEGINS = st.sampled_from(
    [
        datetime(2022, 10, 30, 1, tzinfo=UTC),
        datetime(2022, 3, 27, 1, tzinfo=UTC),
        datetime(2022, 11, 6, 6, tzinfo=UTC),
        datetime(2023, 3, 12, 7, tzinfo=UTC),
        datetime(2022, 4, 2, 15, tzinfo=UTC),
        datetime(2022, 12, 31, 23, tzinfo=UTC),
        datetime(2024, 2, 28, 23, tzinfo=UTC),
        datetime(2022, 6, 1, 0, tzinfo=UTC),
    ]
)
STORIES = st.builds(
    Story,
    zone=st.sampled_from(ZONES),
    begin=st.builds(lambda turn, seconds: turn - seconds * SECOND, BEGINS, st.integers(0, 12_000)),
    incidents=INCIDENTS.map(tuple),
    late=st.lists(st.integers(0, 200), max_size=12).map(tuple),
    missing=st.frozensets(st.integers(0, 80), max_size=60),
    cuts=st.lists(st.floats(0, 1), max_size=3).map(tuple),
    overlap=st.integers(0, 12),
    order=st.integers(0, 1_000),
    ends=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)


def written_log(story: Story) -> ServerLog:
    """The log of this life, with the stamps of a running server every six hours, but for those that are missing."""
    log = ServerLog(ZoneInfo(story.zone))
    now = story.begin
    log.start(now)
    next_stamp, number = now + 6 * HOUR, 0
    for what, gap in story.incidents:
        then = now + gap * SECOND
        while next_stamp <= then:
            if number not in story.missing:
                log.stamp(next_stamp, ("lmgrd", "vendord")[number % 2])
            number, next_stamp = number + 1, next_stamp + 6 * HOUR
        now = then
        if what in ("use", "burst"):
            for _ in range(5 if what == "burst" else 1):
                log.use(now)
                now += (gap % 4) * SECOND
        elif what == "summary":
            log.summary(now)
        elif what == "reread":
            log.reread(now)
        else:
            if what == "restart":
                log.stop(now)
            log.start(now + 2 * SECOND, full=gap % 2 == 0)
            now, next_stamp = now + 2 * SECOND, now + 6 * HOUR
    log.stamp(now + SECOND)
    return log


def with_late_lines(log: ServerLog, late: tuple[int, ...]) -> None:
    """Some uses are written a few seconds late, after other uses of those seconds."""
    for number in late:
        soon = [at for at, (line, after) in enumerate(pairwise(log.lines)) if is_soon(line, after)]
        if not soon:
            return
        at = soon[number % len(soon)]
        line, after = log.lines[at], at + 1
        while after + 1 < len(log.lines) and is_soon(line, log.lines[after + 1]):
            after += 1
        log.lines.insert(after, log.lines.pop(at))


def is_soon(line: Line, after: Line) -> bool:
    return line.name is not None and after.name is not None and timedelta(0) <= after.at - line.at <= 20 * SECOND


def pieces(log: ServerLog, story: Story) -> list[list[Line]]:
    """The lines as the files of a rotation, each with some lines of the one before.

    Where a file has no stamp on one side of a silent day, one is added: nothing in the file could tell of such a day.
    """
    cuts = sorted({round(cut * len(log.lines)) for cut in story.cuts} - {0, len(log.lines)})
    lines = log.lines
    if cuts and story.overlap:
        lines = stamped_silences(log)
        cuts = sorted({round(cut * len(lines)) for cut in story.cuts} - {0, len(lines)})
    borders = [0, *cuts, len(lines)]
    parts = [lines[max(0, begin - story.overlap) if begin else 0 : end] for begin, end in pairwise(borders)]
    return [whole(log, part) for part in parts if part]


def stamped_silences(log: ServerLog) -> list[Line]:
    """The lines with a stamp before and after every silent day: lines in two files must have one date in both."""
    stamped: list[Line] = []
    for before, line in pairwise([log.lines[0], *log.lines]):
        if line.at - before.at >= 11 * HOUR:
            stamped += [stamp(log, before.at), stamp(log, line.at)]
        stamped.append(line)
    return stamped


def whole(log: ServerLog, part: list[Line]) -> list[Line]:
    stamps = [at for at, line in enumerate(part) if line.is_stamp]
    first, last = (stamps[0], stamps[-1]) if stamps else (len(part), -1)
    head, tail = part[: first + 1], part[max(last, 0) :]
    if not stamps or has_silent_day(head):
        part = [stamp(log, part[0].at), *part]
    if has_silent_day(tail):
        part = [*part, stamp(log, part[-1].at)]
    return part


def has_silent_day(lines: list[Line]) -> bool:
    return any(after.at - before.at >= 23 * HOUR for before, after in pairwise(lines))


def stamp(log: ServerLog, at: datetime) -> Line:
    other = ServerLog(log.zone)
    other.stamp(at)
    return other.lines[0]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STORIES)
def test_every_event_comes_out_once_at_its_time_or_flagged(story: Story) -> None:
    log = written_log(story)
    with_late_lines(log, story.late)
    parts = pieces(log, story)
    order = list(range(len(parts)))
    random.Random(story.order).shuffle(order)
    with TemporaryDirectory() as folder:
        for number, place in enumerate(order):
            log.save(Path(folder) / f"{number}.log", parts[place], ends=story.ends, mark=story.mark)
        rows, counted = dated(sorted(Path(folder).iterdir()), story.zone)
    assert wrong_rows(rows, log.truth) == []
    assert sum(part.undated + part.malformed for part in counted) == 0


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_a_server_that_writes_its_stamps_leaves_nothing_uncertain_but_the_double_hour(story: Story) -> None:
    log = written_log(replace(story, missing=frozenset()))
    with_late_lines(log, story.late)
    with TemporaryDirectory() as folder:
        rows, _counted = dated([log.save(Path(folder) / "x.log")], story.zone)
    assert wrong_rows(rows, log.truth) == []
    for name in (name for name, _at, is_ambiguous in rows if is_ambiguous):
        local = log.truth[name].astimezone(ZoneInfo(story.zone))
        assert local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
