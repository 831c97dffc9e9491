"""T29: the vendor replaces its root key; organizations and workstations follow, and what was given stays good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import AuthorizationUnusable, SpecificationInvalid, StorageUnavailable
from authority.services import authorizations, overview
from authority.services.authorizations import Installation, NewTrust
from authority.services.unit import Unit
from authority.signing import keyring
from authority.signing.vendor import root_folder, rotation
from authority.signing.vendor.rotation import Rotated
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.vendors import RealVendor, sample_toml
from verifier.core.steps import verify
from verifier.core.trust import TrustStore
from verifier.errors import UnknownKey


def rotate(bench: Bench, vendor: RealVendor) -> Rotated:
    """Another root key for the vendor, who uses it from now on."""
    rotated = root_folder.rotate(vendor.folder, None, bench.clock())
    vendor.root = root_folder.load(vendor.folder, None)
    assert vendor.thumbprint == rotated.root
    return rotated


def install(bench: Bench, file: bytes, trust: bytes | None = None) -> Installation:
    new_trust = None if trust is None else NewTrust(trust, frozenset())
    return authorizations.install(Unit(bench.authority, CONSOLE), file, new_trust)


def trust_file(bench: Bench) -> bytes:
    return overview.trust_file(Unit(bench.authority, CONSOLE))


@pytest.mark.parametrize("by", ["trust update", "trust file"])
def test_t29_an_organization_follows_its_vendor_to_a_new_root_and_borrows_stay_good(
    sqlite_bench: Bench, vendor: RealVendor, by: str
) -> None:
    bench = sqlite_bench
    ada, laptop, old_trust = bench.member("ada"), workstation("laptop"), trust_file(bench)
    before = issued_to(bench, ada, laptop).file
    rotated = rotate(bench, vendor)
    made = vendor.authorize(bench.authority, sample_toml())
    with pytest.raises(AuthorizationUnusable, match="signed by the root key"):
        install(bench, made.file)
    installation = install(bench, made.file, rotated.file if by == "trust update" else made.trust_file)
    assert (installation.changes[0], installation.consequences) == (f"root key: {rotated.former} -> {rotated.root}", ())
    after = issued_to(bench, bench.member("eve"), workstation("tower"), "arcgis-pro").file
    new_trust = TrustStore.read(trust_file(bench))
    assert list(new_trust.roots) == [rotated.root]
    assert TrustStore.read(old_trust).is_continued_in(new_trust)
    for file, here in ((before, laptop.identity), (after, workstation("tower").identity._replace(machine_key=None))):
        verify(file, trust=new_trust, workstation=here, now=bench.clock())
    with pytest.raises(UnknownKey, match="root key"):
        verify(after, trust=old_trust, workstation=laptop.identity, now=bench.clock())


def test_a_second_replacement_goes_on_from_the_first_and_one_file_carries_both(sqlite_bench: Bench, vendor: RealVendor) -> None:
    old_trust = TrustStore.read(trust_file(sqlite_bench))
    rotate(sqlite_bench, vendor)
    second = rotate(sqlite_bench, vendor)
    made = vendor.authorize(sqlite_bench.authority, sample_toml())
    install(sqlite_bench, made.file, second.file)
    trust = TrustStore.read(trust_file(sqlite_bench))
    assert (list(trust.roots), trust.succession.seq) == ([second.root], 2)
    assert old_trust.is_continued_in(trust)
    # What ended needs nobody's word any more.
    sqlite_bench.clock.turn(days=1001)
    rotate(sqlite_bench, vendor)
    claims = rotation.of(vendor.folder, vendor.root.public).succession
    assert len(claims.known) == 1


def test_borrows_that_the_new_root_key_does_not_know_are_told_before_it_counts(sqlite_bench: Bench, vendor: RealVendor) -> None:
    """A vendor who lost the record of what was issued."""
    issued_to(sqlite_bench, sqlite_bench.member("ada"), workstation("laptop"))
    (vendor.folder / root_folder.ISSUED).unlink()
    rotated = rotate(sqlite_bench, vendor)
    made = vendor.authorize(sqlite_bench.authority, sample_toml())
    (sentence,) = install(sqlite_bench, made.file, rotated.file).consequences
    assert sentence.startswith(
        "1 borrow token is out that came with what was authorized before (seq 1) and the vendor's trust update does not"
    )


def test_a_trust_update_that_does_not_follow_changes_nothing(sqlite_bench: Bench, vendor: RealVendor, tmp_path: Path) -> None:
    stranger = RealVendor.make(tmp_path / "stranger")
    strange = rotate(sqlite_bench, stranger)
    made = stranger.authorize(sqlite_bench.authority, sample_toml(seq=9))
    before = trust_file(sqlite_bench)
    for trust in (strange.file, made.trust_file, b'{"carnet":"trust-update","version":1,"updates":7}', made.file):
        with pytest.raises(AuthorizationUnusable):
            install(sqlite_bench, made.file, trust)
    assert trust_file(sqlite_bench) == before


def test_a_replacement_that_is_cut_short_leaves_the_key_in_force_and_can_be_done_again(
    sqlite_bench: Bench, vendor: RealVendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the three things that it writes."""
    write, written = rotation._write, []
    for cut in range(2):

        def fail(folder: Path, roots: rotation.Roots, *, cut: int = cut) -> None:
            written.append(roots)
            if len(written) > cut:
                raise OSError("no power")
            write(folder, roots)

        written.clear()
        monkeypatch.setattr(rotation, "_write", fail)
        with pytest.raises(OSError, match="no power"):
            root_folder.rotate(vendor.folder, None, sqlite_bench.clock())
        assert root_folder.load(vendor.folder, None).public.kid == vendor.thumbprint
    monkeypatch.setattr(rotation, "_write", write)
    monkeypatch.setattr(keyring, "write", lambda *_: (_ for _ in ()).throw(OSError("no power")))
    with pytest.raises(OSError, match="no power"):
        root_folder.rotate(vendor.folder, None, sqlite_bench.clock())
    assert root_folder.load(vendor.folder, None).public.kid == vendor.thumbprint
    monkeypatch.undo()
    assert rotate(sqlite_bench, vendor).seq == 1


def test_a_damaged_record_of_root_keys_is_told_and_nothing_is_signed(sqlite_bench: Bench, vendor: RealVendor) -> None:
    rotate(sqlite_bench, vendor)
    record = vendor.folder / rotation.RECORD
    good = json.loads(record.read_bytes())
    for bad in (
        "",
        "{}",
        json.dumps(good | {"first": {}}),
        json.dumps(good | {"updates": good["updates"][:1]}),
        json.dumps(good | {"updates": 7}),
    ):
        record.write_text(bad)
        with pytest.raises(StorageUnavailable, match="record of the root keys"):
            root_folder.load(vendor.folder, None)


def test_more_authorizations_than_a_file_has_room_for_are_told(sqlite_bench: Bench, vendor: RealVendor) -> None:
    known = [keyring.FileSigner.fresh().public.kid for _ in range(3000)]
    with pytest.raises(SpecificationInvalid, match="would name 3000 authorizations"):
        rotation.rotate(vendor.folder, vendor.root, known, None, sqlite_bench.clock())
    assert root_folder.load(vendor.folder, None).public.kid == vendor.thumbprint


def test_root_rotate_by_command(console: Console, tmp_path: Path) -> None:
    folder, update, again = str(tmp_path / "vendor"), tmp_path / "vendor.trust-update", tmp_path / "again.trust-update"
    former = console.good("root", "init", folder)["root_thumbprint"]
    assert console.run("root", "rotate", folder, "-o", str(update), "--again").status == 2
    made = console.good("root", "rotate", folder, "-o", str(update))
    assert (made["seq"], made["former_root_thumbprint"], made["file"]) == (1, former, str(update))
    assert TrustStore.read(
        rotation.of(Path(folder), root_folder.load(Path(folder), None).public).trust_file("x")
    ).roots.keys() == {made["root_thumbprint"]}
    console.good("root", "rotate", folder, "-o", str(again), "--again")
    assert again.read_bytes() == update.read_bytes()
    assert console.run("root", "rotate", folder, "-o", str(tmp_path)).status == 2
