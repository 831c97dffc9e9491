"""What went out, kept outside the database: raised before it leaves, shared by the processes of a node, never lower by itself."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authority.domain.disk import DiskFailed
from authority.domain.tokens import Token
from authority.signing import floors, issued_log
from authority.signing.floors import Floor, Floors, Numbered
from authority.signing.issued_log import IssuedLog

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
TOKEN = Token("jti-1", "bid-1", "request-1", "digest-1", '{"sub":"uid:1000"}', "kid-1", 7, 3, 1, NOW, None, 2)
DAMAGED = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a member is missing": b'{"organization": null, "retired": []}',
    "a number is text": b'{"organization":null,"retired":[],"status_list":{"number":"9","text":""},"authorization":null,"checkpoint":null}',
    "a number twice": b'{"organization":null,"organization":"x","retired":[]}',
    "retired is a number": b'{"organization":null,"retired":3,"status_list":null,"authorization":null,"checkpoint":null}',
    "a key is a number": b'{"organization":null,"retired":[3],"status_list":null,"authorization":null,"checkpoint":null}',
}


def test_a_floor_rises_in_each_kind_and_never_falls(tmp_path: Path) -> None:
    record = Floors(tmp_path / floors.FILE)
    record.raise_to(Floor("field-survey", Numbered(9, "nine"), Numbered(2, "two"), retired=frozenset({"key"})))
    floor = record.raise_to(Floor(status_list=Numbered(8, "eight"), checkpoint=Numbered(40, "forty")))
    assert floor == Floor("field-survey", Numbered(9, "nine"), Numbered(2, "two"), Numbered(40, "forty"), frozenset({"key"}))
    assert record.raise_to(Floor(status_list=Numbered(9, "another nine"))).status_list == Numbered(9, "nine")
    assert Floors(record.path).known == floor
    record.lower_to(replace(floor, checkpoint=None))
    assert Floors(record.path).known.checkpoint is None


def test_two_processes_share_one_floor(tmp_path: Path) -> None:
    one, other = Floors(tmp_path / floors.FILE), Floors(tmp_path / floors.FILE)
    assert one.known == other.known == Floor()
    one.raise_to(Floor(status_list=Numbered(9, "nine")))
    assert other.known == Floor()
    assert other.raise_to(Floor(status_list=Numbered(5, "five"))).status_list == Numbered(9, "nine")
    assert other.known == one.read()


def test_a_floor_without_a_path_is_kept_by_itself() -> None:
    record = Floors()
    record.raise_to(Floor(status_list=Numbered(9, "nine")))
    assert record.read().status_list == Numbered(9, "nine")


def test_what_does_not_rise_writes_nothing(tmp_path: Path) -> None:
    record = Floors(tmp_path / floors.FILE)
    record.raise_to(Floor(status_list=Numbered(9, "nine")))
    (tmp_path / floors.FILE).unlink()
    record.raise_to(Floor(status_list=Numbered(9, "nine"), retired=frozenset()))
    assert not (tmp_path / floors.FILE).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_nobody_else_reads_what_went_out(tmp_path: Path) -> None:
    Floors(tmp_path / floors.FILE).raise_to(Floor(status_list=Numbered(9, "nine")))
    log = IssuedLog(tmp_path / issued_log.FOLDER)
    log.append(TOKEN)
    log.close()
    paths = [tmp_path / floors.FILE, tmp_path / floors.LOCK, *log.paths()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * 3
    assert stat.S_IMODE((tmp_path / issued_log.FOLDER).stat().st_mode) == 0o700


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_floor_is_told_and_not_taken_for_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / floors.FILE).write_bytes(data)
    with pytest.raises(DiskFailed, match=r"floors\.json, cannot be read"):
        Floors(tmp_path / floors.FILE).raise_to(Floor(status_list=Numbered(9, "nine")))
    assert (tmp_path / floors.FILE).read_bytes() == data


def test_a_log_of_tokens_has_each_once_and_drops_those_that_expired_long_ago(tmp_path: Path) -> None:
    log = IssuedLog(tmp_path / issued_log.FOLDER)
    assert log.paths() == []
    late = replace(TOKEN, jti="jti-2", expires_at=NOW + timedelta(days=30), request_number=4)
    for token in (TOKEN, late, TOKEN):
        log.append(token)
    assert issued_log.read(log.paths()) == ([TOKEN, late], 0)
    for name in ("2026-13-45.jsonl", "9999-12-31.jsonl"):
        (tmp_path / issued_log.FOLDER / name).touch()
    log.drop_expired(NOW + timedelta(days=2))
    assert issued_log.read(log.paths()) == ([TOKEN, late], 0)
    log.drop_expired(NOW + timedelta(days=3))
    assert issued_log.read(log.paths()) == ([late], 0)
    log.close()


def test_many_days_of_expiry_are_not_all_kept_open(tmp_path: Path) -> None:
    log = IssuedLog(tmp_path / issued_log.FOLDER)
    tokens = [
        replace(TOKEN, jti=f"jti-{days}", expires_at=NOW + timedelta(days=days)) for days in range(2 * issued_log.MOST_OPEN)
    ]
    for token in tokens:
        log.append(token)
    assert len(log._open) <= issued_log.MOST_OPEN
    assert issued_log.read(log.paths()) == (tokens, 0)
    log.close()


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path) -> None:
    log = IssuedLog(tmp_path / issued_log.FOLDER)
    log.append(TOKEN)
    log.close()
    (path,) = log.paths()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40] + b"\n" + json.dumps({"jti": 3}).encode() + b"\n" + whole[:70])
    other = replace(TOKEN, jti="jti-2")
    log.append(other)
    log.close()
    assert issued_log.read([path]) == ([TOKEN, other], 3)


def test_without_a_folder_nothing_is_kept() -> None:
    log = IssuedLog()
    log.append(TOKEN)
    assert log.paths() == []
