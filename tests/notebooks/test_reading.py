"""Finding and recognizing what is to be read, and what is said when it cannot be."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from checkout_log import borrows, read, sizing, stuck, usage
from checkout_log.columns import EVENTS, checked
from checkout_log.errors import LogError, QuestionInvalid, SourceNotFound, SourceNotRecognized, SourceUnreadable
from checkout_log.quality import QUALITY
from tests.support.server_log import ServerLog

START = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def flexnet(path: Path, begin: datetime = START) -> Path:
    log = ServerLog(ZoneInfo("UTC"))
    log.start(begin)
    log.use(begin + HOUR)
    return log.save(path)


def lmstat(path: Path) -> Path:
    path.write_text(
        "Flexible License Manager status on Fri 10/20/2017 17:02\nUsers of F1:  (Total of 1 license issued;  Total of 1 license in use)\n"
        "    ann pc1 pc1 (v1.0) (keeper/27000 1), start Fri 10/20 9:00\n"
    )
    return path


def rlm(path: Path) -> Path:
    path.write_text(
        "RLM Report Log Format 0, version 14.0\nISV: reprise, RLM version 14.2 BL3\nSTART keeper 12/31/2021 08:00\n"
        'OUT imaris 6.0 9 ann pc1 "" 1 1 0 26e 26e 410 "" "" "" 12/31 10:57:52\n'
    )
    return path


def export(path: Path) -> Path:
    path.write_text(
        '{"at":"2025-01-01T00:00:00Z","event":"checkout","mode":"session","handle":"h","product":"p","feature":"f","member":"ann",'
        '"group":null,"machine":"m","alias":null,"os_user":null,"quantity":1,"until":null,"reason":null,"source":"authority","line":1}\n'
    )
    return path


def database(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute(
            'create table events (id integer, at, kind, mode, handle, product, feature, member, "group", machine, alias, os_user, '
            "quantity, until, reason, actor)"
        )
        connection.execute(
            "insert into events values (1, 0, 'checkout', 'session', 'h', 'p', 'f', 'ann', null, 'm', '', '', 1, null, null, '')"
        )
    connection.close()
    return f"sqlite:///{path}"


def test_any_mix_of_kinds_and_places_makes_one_log(tmp_path: Path) -> None:
    flexnet(tmp_path / "some.txt")
    lmstat(tmp_path / "b.log")
    (tmp_path / "below").mkdir()
    rlm(tmp_path / "below" / "c")
    export(tmp_path / "d.csv")
    log = read(tmp_path / "*.txt", str(tmp_path / "b.log"), tmp_path / "below", tmp_path / "d.csv", database(tmp_path / "e"))
    assert sorted(log.quality()["kind"]) == ["database", "export", "flexnet", "lmstat", "rlm-report"]
    events = checked(log.events(), EVENTS)
    assert len(events) == 5
    assert sorted(events["source"]) == ["authority", "authority", "flexnet", "lmstat", "rlm"]
    assert list(log.quality().columns) == [column.name for column in QUALITY]
    assert log.quality()["begin"].dtype == log.quality()["end"].dtype == "datetime64[us, UTC]"


def test_a_file_that_is_asked_for_twice_is_read_once(tmp_path: Path) -> None:
    path = flexnet(tmp_path / "a.log")
    assert len(read(path, tmp_path, str(tmp_path / "*.log")).quality()) == 1


def test_a_pattern_goes_down_into_folders(tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    flexnet(tmp_path / "x" / "y" / "a.log")
    assert len(read(tmp_path / "**" / "*.log").quality()) == 1


def test_hidden_files_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    flexnet(tmp_path / "a.log")
    flexnet(tmp_path / ".a.log.swp")
    assert len(read(tmp_path).quality()) == 1


def test_what_a_folder_brings_along_and_is_no_log_is_shown(tmp_path: Path) -> None:
    flexnet(tmp_path / "a.log")
    (tmp_path / "README.md").write_text("Where the logs are from.")
    quality = read(tmp_path).quality().set_index("kind")
    assert quality.loc["unknown", "file"] == str(tmp_path / "README.md")
    assert quality.loc["unknown", "events"] == 0


@pytest.mark.parametrize("name", ["missing.log", "*.log", "missing/", "\0"])
def test_what_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceNotFound, match=r"\[source-not-found\]"):
        read(str(tmp_path / name))


def test_a_folder_without_files_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="no file in the folder"):
        read(tmp_path)


def test_nothing_to_read_is_said() -> None:
    with pytest.raises(SourceNotFound):
        read()


STRANGERS = {
    "empty": b"",
    "blank": b" \n\n",
    "prose": b"Dear Sir or Madam,\nthe log is attached.\n",
    "bytes": bytes(range(256)) * 40,
    "another CSV": b"name,age\nann,3\n",
    "another JSON": b'{"name": "ann"}\n',
    "JSON in lines of lists": b"[1]\n[2]\n",
    "deep JSON": b"[" * 100_000,
    "deep JSON object": b'{"a":' * 100_000,
    "the log of a web server": b'127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326\n',
}


@pytest.mark.parametrize("data", STRANGERS.values(), ids=STRANGERS)
def test_a_named_file_that_is_no_log_is_refused_with_what_to_do(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(data)
    with pytest.raises(SourceNotRecognized, match=r"\[source-not-recognized\]. Known are") as caught:
        read(path)
    assert str(path) in caught.value.message


MISTAKEN = {
    "nothing": (b"\n\n", "is empty"),
    "zeros": (bytes(100_000), "is empty"),
    "an archive": (b"PK\x03\x04" + bytes(100), "Unpack it first"),
    "a report log of FlexNet": (bytes(range(256)) * 40, "give the debug log of the same server"),
    "a license file": (
        b"SERVER keeper 0123 27000\nVENDOR vendord\nINCREMENT F1 vendord 1.0 permanent 5 SIGN=1\n",
        "the log of the server",
    ),
    "lmstat without its head": (b"Users of F1:  (Total of 1 license issued;  Total of 0 licenses in use)\n", "status on"),
    "many blank lines": (b" \n" * 120_000, "is empty"),
    "DSLS": (b"2016/02/01 10:00:00:123 I LICENSESERV CPW granted to ann\n", "of DSLS"),
    "a list of DSLS": (b"Editor,EditorId,Feature,Model,Commercial Type,Count,Inuse\n", "of DSLS"),
    "the tool of DSLS": (b"License Administration Tool Version 6.421.0 Copyright (C) 2009-2021\n", "of DSLS"),
    "rlmstat": (
        b"Setting license file path to 5053@srv\nrlmutil v15.2\n\n\trlm status on srv (port 5053), up 5d\n",
        "of rlmstat",
    ),
    "LS-DYNA": (b"LICENSE INFORMATION\n\nPROGRAM          EXPIRATION CPUS  USED   FREE    MAX | QUEUE\n", "of LS-DYNA"),
    "MathLM": (b"MathLM Version 12.0\nMathLM Server srv\n", "of MathLM"),
    "Docker": (b'{"log":" 4:30:00 (MLM) OUT: \\"F1\\" ann@pc1\\n","stream":"stdout"}\n', "docker logs"),
    "Sentinel RMS": (b" [Contacting Sentinel RMS Development Kit server on host]\n |- Feature Information\n", "Sentinel RMS"),
    "LM-X": (b"[2021-05-26 13:38:30] LM-X License Server v4.9.23 build 74220bf8 on srv (Linux_x64)\n", "lmxendutil -licstat"),
    "LUM": (b"i4lmd: License Use Management Runtime\n", "of LUM"),
    "StarDrop": (b"StarDrop license server 6.5 started\n", "of StarDrop"),
    "an options file": (b"RESERVE 1 F1 USER ann\nMAX 2 F1 GROUP g\n", "is an options file"),
}


@pytest.mark.parametrize(("data", "said"), MISTAKEN.values(), ids=MISTAKEN)
def test_what_people_give_in_the_place_of_a_log_is_refused_with_what_to_give_instead(
    tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(SourceNotRecognized) as caught:
        read(tmp_path / "x")
    assert said in str(caught.value)


def many(path: Path) -> str:
    """A log with a name in it that is no ASCII; gives its text."""
    log = ServerLog(ZoneInfo("UTC"))
    log.start(START)
    for number in range(3000):
        log.use(START + number * timedelta(seconds=10), who="Ana Mª Núñez@pc1")
    path.write_text(log.text(), encoding="utf-8")
    return log.text()


WRITTEN = {
    "gzip": lambda text: gzip.compress(text.encode()),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "UTF-16 with a mark": lambda text: text.encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "UTF-16 the other way round": lambda text: text.encode("utf-16-be"),
    "UTF-16, packed": lambda text: gzip.compress(text.encode("utf-16")),
    "Latin-1": lambda text: text.encode("latin-1"),
    "Latin-1, packed": lambda text: gzip.compress(text.encode("latin-1")),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "zeros before it, as after it was emptied while the server wrote": lambda text: bytes(700_000) + text.encode(),
    "zeros in it": lambda text: text.encode().replace(b"F17", b"\0\0F17\0"),
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_the_same_log_in_any_form_says_the_same(tmp_path: Path, written: Callable[[str], bytes]) -> None:
    text = many(tmp_path / "plain.txt")
    (tmp_path / "x").write_bytes(written(text))
    plain, packed = read(tmp_path / "plain.txt"), read(tmp_path / "x")
    assert packed.events().equals(plain.events())
    assert len(packed.events()) == 3000
    assert packed.quality()["lines"].tolist() == [text.count("\n")]


def test_a_packed_file_that_is_damaged_is_unreadable(tmp_path: Path) -> None:
    for name, packed in (("b", bz2.compress(b"text" * 9999)), ("x", lzma.compress(b"text" * 9999))):
        (tmp_path / name).write_bytes(packed[:-20])
        with pytest.raises(SourceUnreadable, match="whole"):
            read(tmp_path / name)


def test_a_line_longer_than_any_costs_nothing_but_itself(tmp_path: Path) -> None:
    text = many(tmp_path / "plain.txt")
    begin, _, rest = text.partition("\n")
    (tmp_path / "x").write_text(f"{begin}\n{'x' * 20_000_000}\n{rest}")
    read_log = read(tmp_path / "x").events().drop(columns="line")
    assert read_log.equals(read(tmp_path / "plain.txt").events().drop(columns="line"))


def test_a_last_line_that_is_cut_off_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    text = many(tmp_path / "plain.txt")
    (tmp_path / "x").write_text(f'{text}16:30:00 (vendord) OUT: "F99" an')
    quality = read(tmp_path / "x").quality().iloc[0]
    assert (quality["events"], quality["malformed"]) == (3000, 1)


def test_a_log_of_a_single_moment_shows_what_is_in_use_in_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('2022-05-05T10:00:00Z (v) OUT: "F1" ann@pc1  (3 licenses) \n')
    for log in (read(tmp_path / "x"), read(lmstat(tmp_path / "y")), read(export(tmp_path / "z"))):
        seats = log.events()["quantity"].sum()
        peak = usage.peaks(log).iloc[0]
        assert peak[["peak", "p95", "p99"]].tolist() == [seats] * 3
        assert usage.time_at_level(log)[["level", "share"]].to_numpy().tolist() == [[seats, 1.0]]
        assert usage.exceedance(log)["share"].tolist() == usage.efficiency(log)["share"].tolist() == [1.0] * seats
        assert usage.heat_map(log)["average"].tolist() == [seats]
        assert sizing.enough(log, seats=[seats - 1, seats])["exceeded"].tolist() == [1.0, 0.0]
        assert usage.needed(log)["seats"].tolist() == [seats]
        assert len(borrows.ageing(log)) == len(stuck.find(log)) == 0


def test_a_folder_without_any_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Nothing here.")
    with pytest.raises(SourceNotRecognized):
        read(tmp_path)


def test_kinds_are_recognized_below_a_head_of_other_lines(tmp_path: Path) -> None:
    path = flexnet(tmp_path / "a")
    path.write_text("collected by cron\n\n" * 1000 + path.read_text())
    assert read(path).quality()["kind"].tolist() == ["flexnet"]


@pytest.mark.parametrize("cut", [20, 60, 100])
def test_a_packed_file_that_is_cut_short_is_unreadable(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.gz"
    packed = gzip.compress(flexnet(tmp_path / "a").read_bytes())
    path.write_bytes(packed[:-cut])
    with pytest.raises(SourceUnreadable):
        read(path)


def test_a_damaged_parquet_file_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(SourceUnreadable):
        read(path)


@pytest.mark.parametrize("name", ["Atlantis/Capital", "", "../etc", "Europe"])
def test_a_zone_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(QuestionInvalid, match="time zone"):
        read(flexnet(tmp_path / "a"), timezone=name)


def test_the_zone_is_that_of_the_server(tmp_path: Path) -> None:
    path = flexnet(tmp_path / "a")
    utc, madrid = read(path), read(path, timezone="Europe/Madrid")
    assert (utc.events()["at"] - madrid.events()["at"]).tolist() == [pd.Timedelta(hours=2)]
    assert madrid.timezone == "Europe/Madrid"


def test_nothing_is_written_to_what_is_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(flexnet(tmp_path / "a"))
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    """A terminal that keeps what it is shown."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_told_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    read(flexnet(tmp_path / "a"))
    assert "Reading" in terminal.getvalue()


def test_what_was_kept_goes_away_with_the_log(tmp_path: Path) -> None:
    log = read(flexnet(tmp_path / "a"))
    folder = log.stored.files[0].parent
    assert folder.is_dir()
    del log
    gc.collect()
    assert not folder.exists()


def test_every_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LogError) as caught:
        read(tmp_path / "missing")
    assert caught.value.code
    assert caught.value.hint.endswith(".")
    assert str(caught.value).startswith(caught.value.message)
