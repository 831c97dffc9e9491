"""FlexNet debug logs: what each line means, the runs of a server, and real logs counted in another way."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from checkout_log.reading import read
from checkout_log.sources import flexnet_lines as grammar
from checkout_log.sources.flexnet_lines import Malformed, Mark, Use
from tests.support.server_log import DAEMON, ServerLog
from tests.support.stored import stored

START = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CORPUS = os.environ.get("CARNET_LOG_CORPUS")
needs_corpus = pytest.mark.skipif(CORPUS is None, reason="CARNET_LOG_CORPUS names no folder of real logs")


LINES = {
    "a checkout": ('OUT: "F1" ann@pc1  ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "without the blanks at its end": ('OUT: "F1" ann@pc1', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "without quotes": ("OUT: F1 ann@pc1  ", Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "several licenses": ('OUT: "F1" ann@pc1  (3 licenses) ', Use("checkout", "v", "F1", "ann", "pc1", 3, None)),
    "one license, counted": ('OUT: "F1" ann@pc1  (1 license) ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "one blank before the bracket": ('OUT: "F1" ann@pc1 (3 licenses)', Use("checkout", "v", "F1", "ann", "pc1", 3, None)),
    "checkout data": ('OUT: "F1" ann@pc1  [job @ 7] (2 licenses) ', Use("checkout", "v", "F1", "ann", "pc1", 2, None)),
    "a key": ('OUT: "F1" (00B0 EF6E AFC6 B280 ) ann@pc1  ', Use("checkout", "v", "F1", "ann", "pc1", 1, None)),
    "a user with blanks": ('OUT: "F1" Ana Mª de la O@pc1  ', Use("checkout", "v", "F1", "Ana Mª de la O", "pc1", 1, None)),
    "a user with two blanks": ('OUT: "F1" Ana  O@pc1  ', Use("checkout", "v", "F1", "Ana  O", "pc1", 1, None)),
    "a user with an @": ('OUT: "F1" ann@corp.com@pc1  ', Use("checkout", "v", "F1", "ann@corp.com", "pc1", 1, None)),
    "a user with an @ and a blank": ('OUT: "F1" a@b c@pc1  ', Use("checkout", "v", "F1", "a@b c", "pc1", 1, None)),
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
        "(lmgrd) FLEXnet Licensing (v11.7.0.0 build 1) started on keeper (IBM PC) (5/5/2022)",
    ):
        stamp = grammar.read(text)
        assert isinstance(stamp, Mark)
        assert str(stamp.day) == "2022-05-05"


def test_only_vendor_daemons_give_licenses() -> None:
    assert grammar.read('(lmgrd) OUT: "F1" ann@pc1  ') is None


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path: Path, ends: str, mark: bytes) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR, tail="(2 licenses) ")
    found = stored(read(log.save(tmp_path / "x", ends=ends, mark=mark)))
    assert found[["member", "machine", "quantity"]].to_numpy().tolist() == [["ann", "pc1", 2]]


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
    found = read(path)
    quality = found.quality().iloc[0]
    assert quality["lines"] == text.count("\n")
    assert quality["malformed"] == 3
    assert quality["events"] + quality["other"] + quality["malformed"] == quality["lines"]
    assert stored(found)["line"].tolist() == [text[: text.index("OUT")].count("\n") + 1]


def test_times_that_lost_their_blanks_are_read_too(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    path = tmp_path / "x"
    path.write_text("".join(f"    {line.lstrip()}\n" for line in log.text().splitlines()))
    assert stored(read(path))["at"].tolist() == [int((START + HOUR).timestamp()) * 1_000_000]


def test_reading_the_license_file_again_is_no_start(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.use(START + HOUR)
    log.reread(START + 2 * HOUR)
    log.use(START + 3 * HOUR, "IN")
    found = read(log.save(tmp_path / "x"))
    assert len(found.stored.eras) == 1
    assert set(stored(found)["era"]) == {1}


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
    found = read(log.save(tmp_path / "x"))
    eras = found.stored.eras.sort_values("begin")
    expected = [(START, START + 2 * HOUR), (START + 3 * HOUR, START + 5 * HOUR), (START + 5 * HOUR, None)]
    times = [(begin.timestamp() * 1e6, None if end is None else end.timestamp() * 1e6) for begin, end in expected]
    assert [(begin, None if pd.isna(end) else end) for begin, end in zip(eras["begin"], eras["end"], strict=True)] == times
    of = stored(found).set_index("feature")["era"]
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
    found = read(log.save(tmp_path / "x"))
    assert found.stored.eras["end"].isna().tolist() == [True]


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
    found = read(tmp_path)
    assert set(stored(found)["era"]) == {1}
    assert len(found.stored.eras) == 1
    assert len(found.stored.spans) == 1
    assert found.events()["feature"].tolist() == [f"F{number}" for number in range(1, 40)]


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
    found = read(tmp_path / "a", tmp_path / "b")
    assert stored(found)["feature"].value_counts().to_dict() == {"F1": 5, "F2": 1}
    assert found.quality()["overlapping"].sum() == 4
    assert found.quality()["events"].sum() == 6


def test_two_servers_at_a_time_keep_their_own_runs_and_lines(tmp_path: Path) -> None:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    log.say(START + HOUR, 'OUT: "F1" ann@pc1  ')
    log.say(START + 5 * HOUR, 'IN: "F1" ann@pc1  ')
    log.save(tmp_path / "a")
    (tmp_path / "b").write_text(log.text().replace("keeper", "other"))
    found = read(tmp_path)
    assert len(stored(found)) == 4
    assert stored(found)["era"].nunique() == 2


REAL = {
    "adskflex_2022.log": (8402, 8400, 2),
    "adskflex_borrow_options_2016.log": (1918, 1918, 0),
    "maplelmg_2022.log": (262, 262, 0),
    "mlm_2022.log": (10007, 9953, 9),
}


def grepped(path: Path, verb: str) -> int:
    """How many lines have this verb, as grep counts them."""
    found = subprocess.run(["grep", "-a", "-c", f') {verb}: "', str(path)], capture_output=True, text=True, check=False)
    return int(found.stdout)


@needs_corpus
@pytest.mark.parametrize("name", REAL)
def test_real_logs_have_as_many_events_as_grep_finds(name: str) -> None:
    path = Path(CORPUS or "") / name
    log = read(path, timezone="Europe/Madrid")
    found = stored(log)
    outs, ins, probes = REAL[name]
    counts = found["event"].value_counts()
    unsupported = (found["reason"] == "unsupported").sum()
    assert (counts["checkout"], counts["checkin"], unsupported) == (outs, ins, probes)
    assert [grepped(path, verb) for verb in ("OUT", "IN", "UNSUPPORTED", "DENIED")] == [outs, ins, probes, 0]
    assert counts.get("denial", 0) == probes
    assert (found["reason"] == "idle").sum() == len(re.findall(r"\(INACTIVE\)", path.read_text()))
    assert (found["reason"] == "shutdown").sum() == len(re.findall(r"\(SHUTDOWN\)", path.read_text()))


@needs_corpus
@pytest.mark.parametrize("name", REAL)
def test_every_event_of_real_logs_has_a_certain_date(name: str) -> None:
    quality = read(Path(CORPUS or "") / name, timezone="Europe/Madrid").quality().iloc[0]
    assert quality[["undated", "ambiguous", "malformed", "disagreeing", "overlapping"]].tolist() == [0] * 5
    assert quality["lines"] == len((Path(CORPUS or "") / name).read_bytes().removesuffix(b"\n").split(b"\n"))


@needs_corpus
@pytest.mark.parametrize("name", REAL)
def test_dates_of_real_logs_are_those_of_the_nearest_summary(name: str) -> None:
    """Summaries name their time in full every four hours: each event lies between the two around it."""
    path = Path(CORPUS or "") / name
    table = stored(read(path))
    lines = path.read_text().splitlines()
    full = {
        number: datetime.strptime(found[1], "%b %d %Y %H:%M:%S").replace(tzinfo=UTC).timestamp() * 1e6
        for number, line in enumerate(lines, 1)
        if (found := re.search(r"-SLOG@\) Time: \w{3} (\w{3} \d\d \d{4} \d\d:\d\d:\d\d)", line))
    }
    stamps = pd.Series(full).sort_index()
    before = stamps.reindex(table["line"], method="ffill").to_numpy()
    after = stamps.reindex(table["line"], method="bfill").to_numpy()
    at = table["at"].to_numpy()
    assert (pd.isna(before) | (at >= before - 60e6)).all()
    assert (pd.isna(after) | (at <= after + 60e6)).all()


@needs_corpus
def test_real_logs_together_are_those_of_each_alone() -> None:
    log = read(*(Path(CORPUS or "") / name for name in REAL), timezone="Europe/Madrid")
    assert log.quality()["events"].sum() == sum(sum(counts) for counts in REAL.values())
    assert len(log.stored.eras) == 4
    assert log.stored.eras["end"].notna().sum() == 1


@needs_corpus
@pytest.mark.parametrize("files", [2, 5])
def test_a_real_log_in_pieces_that_overlap_is_the_log(tmp_path: Path, files: int) -> None:
    path = Path(CORPUS or "") / "mlm_2022.log"
    lines = path.read_bytes().splitlines(keepends=True)
    size = len(lines) // files + 1
    for number in range(files):
        piece = lines[max(0, number * size - 700) : (number + 1) * size]
        (tmp_path / f"{(number * 7) % files}.log").write_bytes(b"".join(piece))
    whole, parts = stored(read(path)), stored(read(tmp_path))
    told = ["at", "event", "feature", "member", "machine", "quantity", "reason"]
    assert parts[told].value_counts(dropna=False).sort_index().equals(whole[told].value_counts(dropna=False).sort_index())
    assert set(parts["era"]) == {1}
