"""The files that people carry: one kind, one version, exact members, bounded size, and nothing but regular files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import make_chain, refused
from tests.support.systems import ON_POSIX, ON_WINDOWS, make_link
from verifier.core import files
from verifier.core.succession import MOST_ROOTS
from verifier.core.trust import TrustStore
from verifier.errors import Malformed
from verifier.workstation import disk

CHAIN = make_chain()
GOOD = CHAIN.borrow_file()
MEMBERS: dict[str, Any] = json.loads(GOOD)


def rendered(**changes: Any) -> bytes:
    return json.dumps(MEMBERS | changes).encode()


BAD: dict[str, tuple[bytes | str, str]] = {
    "empty": (b"", "malformed"),
    "random": (bytes(range(256)), "malformed"),
    "cut short": (GOOD[:-5], "malformed"),
    "twice": (GOOD + GOOD, "malformed"),
    "array": (b"[" + GOOD + b"]", "malformed"),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + GOOD, "malformed"),
    "byte order mark alone": (b"\xef\xbb\xbf", "malformed"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "malformed"),
    "surrogate in a text": ('{"carnet":"\ud800"}', "malformed"),
    "deep": (b"[" * 200_000, "malformed"),
    "duplicate member": (GOOD.replace(b'"version": 1', b'"version": 1, "version": 1'), "malformed"),
    "no kind": (json.dumps({"version": 1}).encode(), "malformed"),
    "kind of another type": (rendered(carnet=["borrow"]), "malformed"),
    "unknown kind": (rendered(carnet="license"), "malformed"),
    "another kind": (rendered(carnet="status"), "malformed"),
    "unknown member": (rendered(more=1), "malformed"),
    "missing member": (json.dumps({"carnet": "borrow", "version": 1}).encode(), "malformed"),
    "version 2": (rendered(version=2), "unsupported-version"),
    "version 0": (rendered(version=0), "unsupported-version"),
    "version true": (rendered(version=True), "unsupported-version"),
    "version text": (rendered(version="1"), "unsupported-version"),
    "no version": (json.dumps({"carnet": "borrow"}).encode(), "unsupported-version"),
    "one byte too large": (GOOD + b" " * (files.LARGEST_FILE + 1 - len(GOOD)), "malformed"),
    "3 MB": (GOOD + b" " * 3_000_000, "malformed"),
}


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused(data: bytes | str, code: str) -> None:
    with refused(code):
        files.parse(data, "borrow")


def test_a_byte_order_mark_is_passed_over() -> None:
    """What is signed is within the text; Notepad puts the mark before it."""
    assert files.parse(b"\xef\xbb\xbf" + GOOD, "borrow") == files.parse(GOOD, "borrow")
    assert files.parse("\ufeff" + GOOD.decode(), "borrow") == files.parse(GOOD, "borrow")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_utf_16_is_named_as_such(encoding: str) -> None:
    with pytest.raises(Malformed, match="UTF-16") as caught:
        files.parse(GOOD.decode().encode(encoding))
    assert "save it again as UTF-8" in caught.value.hint


def test_an_empty_file_is_named_as_such() -> None:
    with pytest.raises(Malformed, match="the file is empty"):
        files.parse(b"")


def test_a_file_is_read_up_to_its_largest_size() -> None:
    assert files.parse(GOOD + b" " * (files.LARGEST_FILE - len(GOOD)))[0] == "borrow"
    status = CHAIN.status_file()
    assert files.parse(status + b" " * (files.LARGEST_STATUS_FILE - len(status)))[0] == "status"
    with refused("malformed"):
        files.parse(status + b" " * (files.LARGEST_STATUS_FILE + 1 - len(status)))


@pytest.mark.parametrize("kind", files.MEMBERS)
def test_a_file_says_its_kind_first_and_reads_back(kind: str) -> None:
    data = files.render(kind, dict.fromkeys(files.MEMBERS[kind], "ünchanged"))
    assert data.startswith(b'{\n  "carnet": ')
    assert files.parse(data) == (kind, dict.fromkeys(files.MEMBERS[kind], "ünchanged"))


def trust(**changes: Any) -> bytes:
    return json.dumps(json.loads(CHAIN.trust_file()) | changes).encode()


ROOT = CHAIN.root.public.as_jwk()
BAD_TRUST: dict[str, bytes] = {
    "no root": trust(roots=[]),
    "roots as an object": trust(roots=ROOT),
    "roots as null": trust(roots=None),
    "root as a text": trust(roots=["root"]),
    "private root": trust(roots=[ROOT | {"d": "A" * 43}]),
    "low-order root": trust(roots=[ROOT | {"x": "AQ" + "A" * 41}]),
    "one bad root among good": trust(roots=[ROOT, ROOT | {"crv": "Ed448"}]),
    "too many roots": trust(roots=[ROOT] * (MOST_ROOTS + 1)),
    "organization as a list": trust(organization=["field-survey"]),
    "organization with an escape": trust(organization="field\x1b[31m"),
    "no organization": trust(organization=""),
    "updates as an object": trust(updates={}),
    "borrow file": GOOD,
}


@pytest.mark.parametrize("data", BAD_TRUST.values(), ids=BAD_TRUST)
def test_a_bad_trust_file_is_malformed(data: bytes) -> None:
    with refused("malformed"):
        TrustStore.read(data)


def test_every_root_of_a_trust_file_is_trusted_by_its_thumbprint() -> None:
    store = TrustStore.read(CHAIN.trust_file(CHAIN.root, CHAIN.borrow_key))
    assert store.roots == {CHAIN.root.kid: CHAIN.root.public, CHAIN.borrow_key.kid: CHAIN.borrow_key.public}


def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    make_link(tmp_path / "link", tmp_path / "file")
    assert disk.read_bytes(tmp_path / "file") == b"x"
    with pytest.raises(Malformed):
        disk.read_bytes(tmp_path / "link")


@ON_POSIX
def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "/dev/null", "/dev/zero"):
        with pytest.raises(Malformed):
            disk.read_bytes(tmp_path / name)


@ON_WINDOWS
@pytest.mark.parametrize("name", ["NUL", "nul", "NUL.trust", "folder/NUL"])
def test_the_null_device_is_not_read_whatever_folder_it_is_named_in(tmp_path: Path, name: str) -> None:
    """Windows has its devices in every folder; no other name of them can be opened by mistake without a console or a port."""
    (tmp_path / "folder").mkdir()
    with pytest.raises((Malformed, FileNotFoundError)):
        disk.read_bytes(tmp_path / name)


@pytest.mark.parametrize(("name", "error"), [("", OSError), ("missing", FileNotFoundError)])
def test_a_folder_and_what_is_missing_cannot_be_read(tmp_path: Path, name: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        disk.read_bytes(tmp_path / name)


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files where Linux lists them")
def test_reading_what_is_no_file_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(5):
        with pytest.raises(OSError, match="directory"):
            disk.read_bytes(tmp_path)
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_at_most_2_mib_of_an_endless_file_are_read(tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as stream:
        stream.truncate(10 * 1024**3)
    assert len(disk.read_bytes(tmp_path / "sparse")) == files.LARGEST_STATUS_FILE + 1


def test_writing_replaces_a_file_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "file"
    disk.write_atomically(target, b"old")
    disk.write_atomically(target, b"new")
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


@ON_POSIX
def test_a_written_file_is_for_its_user_alone(tmp_path: Path) -> None:
    disk.write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_bytes(b"x")
    with pytest.raises((IsADirectoryError, PermissionError)):
        disk.write_atomically(tmp_path / "folder", b"new")
    assert os.listdir(tmp_path) == ["folder"]
