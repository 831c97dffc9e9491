"""The vendor's commands: making a root key, authorizing with it, and what they refuse without a traceback or a trace."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authority.domain.refusals import SpecificationInvalid, StorageUnavailable
from authority.signing.sample_keys import sample_key
from authority.signing.vendor import root_folder
from tests.support.authorities import Bench
from tests.support.console import Console
from tests.support.vendors import RealVendor, documented_specification, sample_toml
from verifier.core.files import parse
from verifier.core.jose import strict_object
from verifier.core.keys import decode
from verifier.core.trust import TrustStore

PASSPHRASE = "a-passphrase-of-many-random-characters"


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def folder(console: Console, tmp_path: Path) -> Path:
    """A vendor's folder with a root key, and beside it a specification and the public keys of an authority."""
    console.good("root", "init", str(tmp_path / "vendor"))
    console.good("key", "list", "--public", "-o", str(tmp_path / "keys.json"))
    (tmp_path / "spec.toml").write_bytes(sample_toml())
    return tmp_path / "vendor"


def authorize(folder: Path, output: str | None = "new.authorization", *more: str) -> tuple[str, ...]:
    beside = folder.parent
    named = () if output is None else ("-o", str(beside / output))
    files = ("--spec", str(beside / "spec.toml"), "--keys", str(beside / "keys.json"))
    return ("root", "authorize", str(folder), *files, *named, *more)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file beside and within the vendor's folder, but the authority's home."""
    files = [path for path in folder.parent.rglob("*") if path.is_file() and "home" not in path.parts]
    return {str(path): path.read_bytes() for path in files}


def claims_in(path: Path) -> dict[str, Any]:
    compact = parse(path.read_bytes(), "authorization")[1]["authorization"]
    return strict_object(decode(compact.split(".")[1]))


def test_the_root_key_is_made_private_and_encrypted(empty: Console, tmp_path: Path, passphrase: str) -> None:
    made = empty.good("root", "init", str(tmp_path / "vendor"), "--passphrase-file", passphrase)
    (path,) = (tmp_path / "vendor").iterdir()
    assert made == {
        "folder": str(tmp_path / "vendor"),
        "file": str(path),
        "root_thumbprint": path.stem.removeprefix("root-"),
        "encrypted": True,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert b"ENCRYPTED" in path.read_bytes()
    assert not empty.home.exists()


def test_a_root_key_without_a_passphrase_is_told_to_be_unprotected(empty: Console, tmp_path: Path) -> None:
    ended = empty.run("root", "init", str(tmp_path / "vendor"))
    assert ended.status == 0
    assert "not encrypted" in ended.out


def test_a_folder_with_a_root_key_gets_no_other(empty: Console, tmp_path: Path) -> None:
    empty.good("root", "init", str(tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.pem")}
    empty.refused("already-exists", 1, "root", "init", str(tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.glob("*.pem")} == before


def test_a_folder_that_cannot_be_made_is_wrong_usage(empty: Console, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert empty.run("root", "init", str(tmp_path / "file")).status == 2
    assert empty.run("root", "init", str(tmp_path / "file" / "below")).status == 2


@pytest.mark.parametrize("text", ["", "short"])
def test_a_passphrase_that_is_too_short_makes_no_key(empty: Console, tmp_path: Path, passphrase: str, text: str) -> None:
    Path(passphrase).write_text(text)
    empty.refused("key-unusable", 3, "root", "init", str(tmp_path / "vendor"), "--passphrase-file", passphrase)
    assert not (tmp_path / "vendor").exists()


def test_both_files_are_written_and_fit_together(console: Console, folder: Path) -> None:
    made = console.good(*authorize(folder))
    trust = TrustStore.read((folder.parent / "new.trust").read_bytes())
    authorization = parse((folder.parent / "new.authorization").read_bytes(), "authorization")[1]["authorization"]
    assert list(trust.roots) == [made["root_thumbprint"]]
    authorized = trust.authorize(authorization)
    assert (authorized.organization, authorized.seq, authorized.vendor) == ("field-survey", 2, "maker")
    assert {key.use for key in authorized.keys.values()} == {"borrow", "status"}
    assert made["file"].endswith("new.authorization")
    assert made["trust_file"].endswith("new.trust")


def test_the_trust_file_goes_where_it_is_told(console: Console, folder: Path, tmp_path: Path) -> None:
    console.good(*authorize(folder, "a.authorization", "--trust-file", str(tmp_path / "b.trust")))
    assert (tmp_path / "b.trust").exists()
    assert not (tmp_path / "a.trust").exists()


def test_the_documented_specification_is_authorized(console: Console, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(documented_specification(), encoding="utf-8")
    console.good(*authorize(folder))
    claims = claims_in(tmp_path / "new.authorization")
    assert claims["members"] == {"total": 40, "types": {"GIS Professional": 10}}
    assert claims["products"][0]["until"] is None
    assert claims["exp"] == int(datetime(2099, 1, 1, tzinfo=UTC).timestamp())


def test_numbers_grow_for_each_organization_by_itself(console: Console, folder: Path, tmp_path: Path) -> None:
    # The organization itself has 1 in force.
    for expected in (2, 3, 4):
        assert console.good(*authorize(folder))["seq"] == expected
    (tmp_path / "spec.toml").write_bytes(sample_toml(seq=17))
    assert console.good(*authorize(folder))["seq"] == 17
    (tmp_path / "spec.toml").write_bytes(sample_toml())
    assert console.good(*authorize(folder))["seq"] == 18
    keys = json.loads((tmp_path / "keys.json").read_bytes())
    (tmp_path / "keys.json").write_text(json.dumps({"organization": "other", "keys": keys["keys"]}))
    (tmp_path / "spec.toml").write_bytes(sample_toml(sub="other"))
    assert console.good(*authorize(folder))["seq"] == 1


def test_numbers_go_on_from_the_one_that_is_in_force_at_the_organization(
    console: Console, folder: Path, tmp_path: Path
) -> None:
    keys = json.loads((tmp_path / "keys.json").read_bytes())
    assert keys["seq"] == 1
    (tmp_path / "keys.json").write_text(json.dumps(keys | {"seq": 41}))
    assert console.good(*authorize(folder))["seq"] == 42
    (tmp_path / "keys.json").write_text(json.dumps(keys | {"seq": 7}))
    assert console.good(*authorize(folder))["seq"] == 43
    (tmp_path / "keys.json").write_text(json.dumps(keys | {"seq": 60}))
    (tmp_path / "spec.toml").write_bytes(sample_toml(seq=50))
    error = console.refused("specification-invalid", 1, *authorize(folder, "second.authorization"))
    assert '60 is in force at "field-survey" already' in error["message"]


@pytest.mark.parametrize("seq", [1, 4, 5])
def test_a_number_that_is_not_above_the_last_is_refused(console: Console, folder: Path, tmp_path: Path, seq: int) -> None:
    (tmp_path / "spec.toml").write_bytes(sample_toml(seq=5))
    console.good(*authorize(folder))
    (tmp_path / "spec.toml").write_bytes(sample_toml(seq=seq))
    before = snapshot(folder)
    console.refused("specification-invalid", 1, *authorize(folder, "second.authorization"))
    assert snapshot(folder) == before


def test_a_dry_run_prints_the_claims_and_writes_nothing(console: Console, folder: Path) -> None:
    before = snapshot(folder)
    answer = console.good(*authorize(folder, None, "--dry-run"))
    assert answer["claims"]["seq"] == 2
    assert answer["claims"]["products"][2]["id"] == "arcgis-desktop"
    ended = console.run(*authorize(folder, "x.authorization", "--dry-run"))
    assert ended.status == 0
    assert '"arcgis-desktop"' in ended.out
    assert snapshot(folder) == before
    assert console.good(*authorize(folder))["seq"] == 2


def test_a_key_begins_when_it_was_first_authorized(bench: Bench, tmp_path: Path) -> None:
    """Borrows that are out were signed since then; a later beginning would make workstations refuse them."""
    maker = RealVendor.make(tmp_path / "vendor")
    first = maker.authorize(bench.authority, sample_toml())
    bench.clock.turn(days=200)
    second = maker.authorize(bench.authority, sample_toml())
    assert second.claims["nbf"] > first.claims["nbf"]
    assert [key["nbf"] for key in second.claims["keys"]] == [first.claims["nbf"]] * 2
    third = maker.authorize(bench.authority, sample_toml(nbf="2020-01-01"))
    assert {key["nbf"] for key in third.claims["keys"]} == {third.claims["nbf"]}


def test_what_was_issued_otherwise_can_be_remembered(bench: Bench, tmp_path: Path) -> None:
    with bench.authority.database.read() as connection:
        known = bench.authority.terms(connection).authorization
    maker = RealVendor.make(tmp_path / "vendor")
    root_folder.remember(maker.folder, known)
    made = maker.authorize(bench.authority, sample_toml(), bench.clock() + timedelta(days=100))
    assert made.authorization.seq == 2
    assert {key["nbf"] for key in made.claims["keys"]} == {int(known.begins_at.timestamp())}


def test_many_at_once_get_different_numbers(sqlite_bench: Bench, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "vendor")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: maker.authorize(sqlite_bench.authority, sample_toml()), range(24)))
    assert sorted(item.authorization.seq for item in made) == list(range(2, 26))


DAMAGED = {
    "no JSON": b"x",
    "array": b"[]",
    "entry a number": b'{"field-survey": 7}',
    "no keys": b'{"field-survey": {"seq": 1}}',
    "seq text": b'{"field-survey": {"seq": "1", "keys": {}}}',
    "seq negative": b'{"field-survey": {"seq": -1, "keys": {}}}',
    "keys an array": b'{"field-survey": {"seq": 1, "keys": []}}',
    "key no thumbprint": b'{"field-survey": {"seq": 1, "keys": {"x": 1}}}',
    "time text": b'{"field-survey": {"seq": 1, "keys": {"%s": "1"}}}' % (b"K" * 43),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_told_and_nothing_is_signed(bench_folder: Path, sqlite_bench: Bench, data: bytes) -> None:
    maker = RealVendor.make(bench_folder)
    (bench_folder / "issued.json").write_bytes(data)
    with pytest.raises(StorageUnavailable, match="issued") as caught:
        maker.authorize(sqlite_bench.authority, sample_toml())
    assert "seq" in caught.value.hint
    assert (bench_folder / "issued.json").read_bytes() == data


@pytest.fixture
def bench_folder(tmp_path: Path) -> Path:
    return tmp_path / "vendor"


def test_a_specification_for_another_organization_than_the_keys_is_refused(
    console: Console, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "spec.toml").write_bytes(sample_toml(sub="other"))
    error = console.refused("specification-invalid", 1, *authorize(folder))
    assert '"field-survey"' in error["message"]
    assert '"other"' in error["message"]


def link(path: Path) -> None:
    path.rename(path.with_suffix(".target"))
    path.symlink_to(path.with_suffix(".target"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def large(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * (3 * 1024 * 1024))


@pytest.mark.parametrize("name", ["spec.toml", "keys.json"])
@pytest.mark.parametrize(
    "change", [link, pipe, large, lambda path: path.write_bytes(b"")], ids=["link", "pipe", "large", "empty"]
)
@pytest.mark.timeout(30)
def test_an_input_that_is_not_good_is_refused(
    console: Console, folder: Path, tmp_path: Path, name: str, change: Callable[[Path], object]
) -> None:
    change(tmp_path / name)
    console.refused("specification-invalid", 1, *authorize(folder))
    assert not (folder / "issued.json").exists()
    assert not (tmp_path / "new.authorization").exists()


@pytest.mark.parametrize("name", ["spec.toml", "keys.json"])
def test_an_input_that_is_missing_is_wrong_usage(console: Console, folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).unlink()
    assert console.run(*authorize(folder)).status == 2
    (tmp_path / name).mkdir()
    assert console.run(*authorize(folder)).status == 2


def test_outputs_that_cannot_be_written_use_no_number_up(console: Console, folder: Path, tmp_path: Path) -> None:
    assert console.run(*authorize(folder, None)).status == 2
    assert console.run(*authorize(folder, "missing/x.authorization")).status == 2
    assert console.run(*authorize(folder, "x.trust")).status == 2
    assert console.run(*authorize(folder, "x.authorization", "--trust-file", str(tmp_path))).status == 2
    assert not (folder / "issued.json").exists()


def test_the_passphrase_of_the_root_key_is_needed(console: Console, tmp_path: Path, folder: Path, passphrase: str) -> None:
    encrypted = tmp_path / "encrypted"
    console.good("root", "init", str(encrypted), "--passphrase-file", passphrase)
    console.refused("key-unusable", 3, *authorize(encrypted))
    assert console.good(*authorize(encrypted, "new.authorization", "--passphrase-file", passphrase))["seq"] == 2
    Path(passphrase).write_text("another-passphrase-of-many-characters")
    error = console.refused("key-unusable", 3, *authorize(encrypted, "new.authorization", "--passphrase-file", passphrase))
    assert PASSPHRASE not in json.dumps(error)


def no_key(folder: Path) -> None:
    next(folder.glob("root-*.pem")).unlink()


def two_keys(folder: Path) -> None:
    (folder / "root-other.pem").write_bytes(next(folder.glob("root-*.pem")).read_bytes())


def open_to_others(folder: Path) -> None:
    next(folder.glob("root-*.pem")).chmod(0o644)


def no_pem(folder: Path) -> None:
    next(folder.glob("root-*.pem")).write_text("nothing")


@pytest.mark.parametrize("change", [no_key, two_keys, open_to_others, no_pem])
def test_a_root_key_that_is_not_good_is_told(console: Console, folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    console.refused("key-unusable", 3, *authorize(folder))


def test_the_published_sample_root_signs_nothing(console: Console, folder: Path) -> None:
    pem = sample_key("root").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    next(folder.glob("root-*.pem")).write_bytes(pem)
    console.refused("demonstration-only", 3, *authorize(folder))


def test_no_private_key_is_printed(console: Console, folder: Path) -> None:
    secret = next(folder.glob("root-*.pem")).read_text().splitlines()[1]
    for arguments in (authorize(folder), authorize(folder, None, "--dry-run")):
        ended = console.run(*arguments)
        assert secret not in ended.out + ended.err


def test_an_authorization_that_no_file_can_carry_is_not_signed(sqlite_bench: Bench, tmp_path: Path) -> None:
    def many(members: dict[str, Any]) -> None:
        for number in range(3000):
            members["user_types"][f"type {number}"] = {"includes": {}, "may_hold": ["arcgis-pro", "arcgis-allsource"]}

    maker = RealVendor.make(tmp_path / "vendor")
    with pytest.raises(Exception, match=r"characters|larger|bytes") as caught:
        maker.authorize(sqlite_bench.authority, sample_toml(many))
    assert caught.value.__class__.__name__ in ("AuthorizationUnusable", SpecificationInvalid.__name__)
    assert not (tmp_path / "vendor" / "issued.json").exists()
