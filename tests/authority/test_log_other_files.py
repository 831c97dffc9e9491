"""`log verify --file` of what is no export of a sealed log: it is said what the file is, which line is wrong, and what to do."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from authority.domain.refusals import CheckpointUnusable
from authority.services import log, log_files, log_verification, other_files, seals
from authority.signing import checkpoints
from authority.signing.checkpoints import Signature
from authority.storage import organization
from authority.storage import seals as stored
from tests.support.authorities import Bench
from tests.support.sealed_logs import unit
from verifier.core import jose
from verifier.core.keys import PublicKey


def refusal_of(data: bytes) -> CheckpointUnusable:
    with pytest.raises(CheckpointUnusable) as caught:
        log_files.verify_file(io.BytesIO(data), None)
    assert "Expecting value" not in caught.value.message.partition("no JSON")[0]
    return caught.value


def test_another_file_is_told_by_what_it_is(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada")
    seals.seal(unit(sqlite_bench))
    row = json.dumps(dict.fromkeys(log.COLUMNS)).encode()
    checkpoint = checkpoints.file_of(seals.state(unit(sqlite_bench)).file or {})
    files = {
        b"": "an empty file",
        b"\n\n": "whose first line is empty",
        b"PK\x03\x04\x00": "as a backup is",
        b"PAR1\x15": "as Parquet, which has no seals",
        b"SQLite format 3\x00": "without --file",
        gzip.compress(b"{}"): "unpack it first",
        '{"carnet"'.encode("utf-16"): "UTF-16",
        b"\x89PNG\r\n\x1a\n": "no UTF-8",
        b"\x00\x00\x00\n": "no text",
        b"-----BEGIN PRIVATE KEY-----\n": "PEM",
        row + b"\n" + row: "as JSON lines, which has no seals",
        (",".join(log.COLUMNS) + "\r\n").encode(): "as CSV, which has no seals",
        checkpoint: "log verify --checkpoint FILE",
        b'{\n "carnet": "trust",\n "version": 1\n}\n': 'a file of the kind "trust"',
        b"[1, 2]\n": "another text",
        b"hello\n": "another text",
        b'{"a": 1}\n': "a JSON object of something else",
    }
    for data, words in files.items():
        error = refusal_of(data)
        assert error.message.startswith("this is not the file of a sealed log, but "), (data, error)
        assert words in error.message, (data, error)
        assert error.hint == other_files.HINT
    assert "version 2, this program reads 1" in refusal_of(b'{"carnet": "sealed-log", "version": 2}\n').message


def test_a_wrong_line_is_told_by_its_number(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada")
    seals.seal(unit(sqlite_bench))
    whole = "".join(log_files.lines(unit(sqlite_bench))).encode()
    assert log_files.verify_file(io.BytesIO(whole), None).is_intact
    lines = whole.splitlines(keepends=True)
    wrong = {
        whole[: len(lines[0]) // 2]: "line 1 of the file is no JSON: the file ends in the middle of it",
        whole[:-9]: f"line {len(lines)} of the file is no JSON: the file ends in the middle of it",
        whole.replace(lines[1], b"nonsense\n"): "line 2 of the file is no JSON (Expecting value",
        whole.replace(lines[1], b'{"a":1}\n'): "line 2 of the file is neither a checkpoint nor a row",
        whole.replace(lines[2], b'{"row":{"id":1},"seal":null}\n'): "line 3 of the file is no row of the log",
        whole.replace(lines[2], b"7\n"): "line 3 of the file is no JSON object",
    }
    for data, words in wrong.items():
        assert words in refusal_of(data).message, (words, refusal_of(data))


def test_of_checkpoints_that_follow_each_other_one_signature_is_verified(
    sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of one that was put in their place its own, so that it is called forged."""
    for name in ("ada", "bea", "carl"):
        sqlite_bench.member(name)
        seals.seal(unit(sqlite_bench))
    verified: list[bytes] = []
    check = jose.check_signature

    def counted(key: PublicKey, signature: bytes, data: bytes) -> None:
        verified.append(data)
        check(key, signature, data)

    monkeypatch.setattr(jose, "check_signature", counted)
    with sqlite_bench.authority.database.read() as connection:
        texts = [item.compact for item in stored.checkpoints_as_stored(connection)]
        known = checkpoints.KnownKeys.installed([organization.authorization_texts(connection, 1)])
    verified.clear()
    read, faults = log_verification.read_all(texts, known)
    assert (len(read), [item.problem for item in read], faults, len(verified)) == (3, [None] * 3, [], 1)
    other = jose.compact({"alg": "EdDSA"}, "{}", lambda _: bytes(64)).rpartition(".")[2]
    forged = f"{texts[1].rpartition('.')[0]}.{other}"
    read, _ = log_verification.read_all([texts[0], forged, texts[2]], known)
    assert [item.signature for item in read] == [Signature.GOOD, Signature.FORGED, Signature.GOOD]
