"""Reading with a cache gives what reading without one gives: however a log grew, and whatever became of the cache."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checkout_log import read
from checkout_log.errors import CacheUnusable, NothingLeft
from checkout_log.log import Log
from checkout_log.report import command_line, making
from checkout_log.sources import text
from checkout_log.sources.cache import Cache
from checkout_log.sources.flexnet import files, resuming
from checkout_log.sources.part import Contents
from checkout_log.sources.text import Block
from tests.notebooks.stored_rows import stored

FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
HEAD = "------\n 8:00:00 (lmgrd) FlexNet Licensing (v11.16.2.1 build 1 x64_lsb) started on lic1 (linux) (3/2/2026)\n"
# Lines of all kinds that a scan notes something of, in any order: with steps to and fro, days that lines say themselves, and damage.
LINES = (
    *(f'{hour:2}:{minute}:00 (v) OUT: "F" ann@pc{minute}  [{minute}] \n' for hour in (1, 9, 23) for minute in (10, 59)),
    *(f'{hour:2}:{minute}:30 (v) IN: "F" ann@pc{minute}  [{minute}] \r\n' for hour in (2, 10, 23) for minute in (10, 59)),
    *(f"{hour:2}:00:00 (lmgrd) TIMESTAMP 3/{day}/2026\n" for hour in (3, 9, 15) for day in (2, 3, 9)),
    *(f'2026-03-{day:02} 4:00:00+01:00 (v) OUT: "G" bob@pc1  \n' for day in (2, 3, 9)),
    ' 5:00:00 (v) DENIED: "F" cat@pc2  (Licensed number of users already reached. (-4,342))\n',
    ' 5:00:01 (v) OUT: "F" dan@pc3 (1) ^^^ 1.0 dan 127.0.0.1 29865 0x12CE 2 5 N/A 11 19 2-3-2026 5:00:01 NO ^^^\n',
    " 6:00:00 (v) RESERVING 2 F/145D 7797  licenses for USER_GROUP staff\n",
    " 6:00:00 (v) (@v-SLOG@) Time: Mon Mar 02 2026 06:00:00 CET\n",
    ' 7:00:00 (v_1) OUT: "F" eve@pc4  \n',
    " 7:00:00 (v) EXITING DUE TO SIGNAL 15\n",
    " 8:00:00 (v) Server started on lic1 for:\tF\n",
    "a line without a time\n",
    "\n",
    ' 9:00:00 (v) OUT: "F" broken\n',
    '\0\0 9:30:00 (v) OUT: "F" \udce9va@pc5  \n',
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(LINES), max_size=20).map(
    lambda lines: (HEAD + "".join(lines)).encode("latin-1", "surrogateescape")
)


def said(paths: list[Path], cache: Cache | None, zone: str = "Europe/Berlin") -> list[object]:
    """All that reading leaves."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        contents = files.read(paths, folder, ZoneInfo(zone), 0, 1, lambda _done: None, cache)
        assert [path.name for path in folder.iterdir()] == ["flexnet.parquet"] or cache is not None
        return plain(contents)


def plain(contents: Contents) -> list[object]:
    rows = [pq.read_table(path).to_pylist() for path in contents.files]
    return [rows, contents.parts, contents.eras, contents.spans, contents.seats, contents.options]


@given(log=TEXTS, cuts=st.lists(st.integers(0, 1_000), max_size=4))
# Zeros behind the last line; and a clock that goes back between what was read before and what is new.
@example(log=HEAD.encode() + b"\0", cuts=[len(HEAD) + 1])
@example(log=HEAD.encode() + b' 9:30:00 (v) OUT: "F" eva@pc5  \n 9:10:00 (v) OUT: "F" ann@pc10  \n', cuts=[len(HEAD) + 34])
@FEW
def test_a_log_that_grew_in_any_steps_is_read_as_at_once(log: bytes, cuts: list[int]) -> None:
    with TemporaryDirectory() as name:
        path, cache = Path(name) / "debug.log", Cache(Path(name) / "cache")
        for cut in [*sorted(min(cut, len(log)) for cut in cuts), len(log)]:
            path.write_bytes(log[:cut])
            assert said([path], cache) == said([path], None)
        assert said([path], cache, "Asia/Kathmandu") == said([path], None, "Asia/Kathmandu")


@given(log=TEXTS, other=TEXTS, cut=st.integers(0, 1_000), at=st.integers(0, 1_000))
@FEW
def test_a_log_that_changed_in_its_past_is_read_anew(log: bytes, other: bytes, cut: int, at: int) -> None:
    with TemporaryDirectory() as name:
        path, cache = Path(name) / "debug.log", Cache(Path(name) / "cache")
        changed = log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :] if at < len(log) else b""
        for now in (log, log[:cut], changed, other):
            path.write_bytes(now or HEAD.encode())
            assert said([path], cache) == said([path], None)


def small(folder: Path, lines: int = 8) -> Path:
    path = folder / "debug.log"
    path.write_bytes((HEAD + "".join(LINES[:lines])).encode())
    return path


def entries(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix == ".json")


def body_of(entry: Path) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(entry.read_bytes().partition(b"\n")[2])
    return body


def test_only_what_is_new_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = small(tmp_path), Cache(tmp_path / "cache")
    said([path], cache)
    taken: list[int] = []
    before = text.block

    def block(piece: bytes, number: int, *, is_first: bool) -> Block:
        taken.append(len(piece))
        return before(piece, number, is_first=is_first)

    monkeypatch.setattr(text, "block", block)
    said([path], cache)
    assert taken == []
    with path.open("ab") as stream:
        stream.write(LINES[0].encode())
    said([path], cache)
    assert taken == [len(LINES[0])]
    # A line that is not yet whole is read, and read again when it is.
    for part, read_again in ((LINES[1][:20], 20), (LINES[1][20:], len(LINES[1]))):
        with path.open("ab") as stream:
            stream.write(part.encode())
        said([path], cache)
        assert taken.pop() == read_again


def test_many_small_steps_leave_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "MOST_FILES", 2)
    path, cache = small(tmp_path), Cache(tmp_path / "cache")
    for number in range(7):
        with path.open("ab") as stream:
            stream.write(LINES[number % 12].encode())
        said([path], cache)
    (entry,) = entries(tmp_path / "cache")
    assert len(body_of(entry)["data"]) <= resuming.MOST_FILES
    assert said([path], cache) == said([path], None)


def test_a_cache_that_is_damaged_or_of_another_version_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = small(tmp_path), tmp_path / "cache"
    cache, expected = Cache(folder), said([path], None)
    said([path], cache)
    for file in list(folder.iterdir()):
        whole = file.read_bytes()
        for damaged in (
            b"",
            whole[:-20],
            whole[: len(whole) // 2] + b"?" + whole[len(whole) // 2 + 1 :],
            b"[]",
            b'0\n{"data": 1}',
        ):
            file.write_bytes(damaged)
            assert said([path], cache) == expected
            assert said([path], cache) == expected
        file.unlink()
        assert said([path], cache) == expected
    (entry,) = entries(folder)
    wrong = body_of(entry)
    wrong["scan"]["lines"] += 1
    entry.write_bytes(entry.read_bytes().partition(b"\n")[0] + b"\n" + json.dumps(wrong).encode())
    assert said([path], cache) == expected
    monkeypatch.setattr("checkout_log.sources.cache.version", lambda: "another")
    before = entry.read_bytes()
    assert said([path], cache) == expected
    assert entry.read_bytes() != before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    said([small(tmp_path)], Cache(tmp_path / "a" / "cache"))
    folder = tmp_path / "a" / "cache"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_who_read_at_once_do_not_disturb_one_another(tmp_path: Path) -> None:
    path, folder = small(tmp_path), tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        for number in range(3):
            expected = said([path], None)
            results = list(pool.map(lambda _number: said([path], Cache(folder)), range(4)))
            assert all(result == expected for result in results)
            with path.open("ab") as stream:
                stream.write(LINES[number].encode())


def test_what_nobody_asks_for_goes_away(tmp_path: Path) -> None:
    path, folder = small(tmp_path), tmp_path / "cache"
    said([path], Cache(folder))
    long_ago = (folder / "nobody.data", folder / "left.draft", folder / "old.json")
    for old in long_ago:
        old.write_text("{}")
        os.utime(old, (0, 0))
    (folder / "new.data").write_text("")
    path.write_bytes(path.read_bytes() + LINES[0].encode())
    said([path], Cache(folder))
    assert not any(old.exists() for old in long_ago)
    # Somebody may just be about to write its entry.
    assert (folder / "new.data").exists()


LMSTAT = """\
Flexible License Manager status on Mon 3/9/2026 08:0{minute}

License server status: 27000@lic1
Vendor daemon status (on lic1):
  v: UP v11.13
Users of F:  (Total of 5 licenses issued;  Total of 1 license in use)

  "F" v1.0, vendor: v

    ann pc-1 pc-1 (v1.0) (lic1/27000 101), start Mon 3/9 7:25

"""
RLM = """\
RLM Report Log Format 0, version 14.0, authenticated
ISV: v, RLM version 14.2 BL3
START keeper 03/02/2026 08:00
PRODUCT F 6.0 1 4 1 10 "" "" "" "" "" "" 0 0 0 0 0 0 0 0 0
03/03/2026 10:00
"""


def test_all_kinds_of_logs_are_read_with_a_cache_as_without(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    small(logs)
    (logs / "looks.txt").write_text(LMSTAT.format(minute=0))
    (logs / "x.rlog").write_text(RLM)
    (logs / "v.lic").write_text("FEATURE F v 1.0 permanent 3 DUP_GROUP=U SIGN=1\n")
    read(logs, fold_case=False).events().to_csv(logs / "export.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")

    def compared() -> None:
        logs_read = read(logs), read(logs, cache=tmp_path / "cache"), read(logs, cache=tmp_path / "cache")
        frames = [
            (stored(log), log.quality(), log.stored.eras, log.stored.spans, log.stored.seats, log.stored.options)
            for log in logs_read
        ]
        for others in frames[1:]:
            for left, right in zip(frames[0], others, strict=True):
                pd.testing.assert_frame_equal(left, right)

    compared()
    with (logs / "looks.txt").open("a") as stream:
        stream.write(LMSTAT.format(minute=5).replace("ann", "bob"))
    compared()
    small(logs, 3)
    compared()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheUnusable, match="file"):
        read(small(tmp_path), cache=tmp_path / "file" / "cache")


def test_the_command_keeps_what_it_read_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page is another matter: it stops when the log was read."""

    def until_it_is_read(*sources: str, **options: Any) -> Log:
        read(*sources, **options)
        raise NothingLeft("it was read", hint="")

    monkeypatch.setattr(making, "read", until_it_is_read)
    log, folder = small(tmp_path), tmp_path / "cache"
    arguments = [str(log), "-o", str(tmp_path / "page.html"), "--cache"]
    assert command_line.main([*arguments, str(folder)]) == 1
    assert "it was read" in capsys.readouterr().err
    (entry,) = entries(folder)
    assert body_of(entry)["size"] == log.stat().st_size
    assert command_line.main([*arguments, str(log)]) == 1
    assert "cache-unusable" in capsys.readouterr().err
