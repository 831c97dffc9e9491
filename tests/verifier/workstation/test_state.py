"""Clock, identity and damage: what a workstation believes of itself, and what it refuses to believe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

import verifier
from tests.support.chains import DAY, HOUR, START, URI, refused
from tests.support.no_sockets import NO_SOCKETS
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.systems import BYTE_STEP, ON_LINUX, ON_POSIX
from verifier.core import steps
from verifier.core.state import STATE_TYP
from verifier.core.times import LAST_SECOND
from verifier.errors import CarnetError, NoMachineId
from verifier.workstation import identity, install, machine_key
from verifier.workstation.identity import hashed, linux
from verifier.workstation.store import Store

STATUS_FILE = str(Store(Path())._status_path(URI))
STATE_FILES = ["organization.trust", "newest.authorization", STATUS_FILE, "state.json", "borrows/arcgis-pro.borrow"]


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def test_a_clock_more_than_the_tolerance_behind_the_newest_signed_time_was_turned_back(here: RealWorkstation) -> None:
    signed = START + 3 * DAY
    here.chain.set_status(0, seq=2, iat=signed)
    here.install(here.chain.status_file(), signed)
    with refused("clock-turned-back"):
        here.check(signed - 25 * HOUR)
    with refused("clock-turned-back"):
        here.check(signed - DAY - 1)
    for wall in (signed - DAY, signed - 23 * HOUR, signed - 1, signed):
        assert here.check(wall).days_left == 4


@pytest.mark.parametrize("years", [1, 6, 26, 56])
def test_a_clock_far_in_the_past_was_turned_back(here: RealWorkstation, years: int) -> None:
    with refused("clock-turned-back"):
        here.check(START - years * 365 * DAY)


def test_a_license_that_has_ended_by_the_newest_signed_time_has_ended_whatever_the_clock_says(here: RealWorkstation) -> None:
    here.chain.set_status(0, seq=2, iat=START + 7 * DAY)
    here.chain.status_list["exp"] = START + 8 * DAY
    here.install(here.chain.status_file(), START + 7 * DAY)
    with refused("expired"):
        here.check(START + 7 * DAY - HOUR)


def test_a_newer_authorization_and_a_newer_borrow_are_a_floor_under_the_clock(here: RealWorkstation) -> None:
    here.chain.authorization["iat"] = START + 3 * DAY
    here.chain.renew_authorization()
    here.install(here.chain.authorization_file(), START + 3 * DAY)
    with refused("clock-turned-back"):
        here.check(START + DAY)


def test_the_borrow_of_another_product_is_a_floor_under_the_clock_too(here: RealWorkstation) -> None:
    """The newest time that something signed here states is one for all licenses of this workstation."""
    later = START + 5 * DAY
    here.next_borrow("C")
    here.chain.borrow |= {"aud": "arcgis-allsource", "iat": later, "nbf": later, "exp": later + DAY, "act": later + DAY}
    here.install(here.chain.borrow_file(with_list=False), later)
    with refused("clock-turned-back"):
        here.check(START + DAY)


def test_the_tolerance_is_the_one_that_the_borrow_states(here: RealWorkstation) -> None:
    here.next_borrow("C")
    here.chain.borrow["pol"]["clock_tolerance"] = 0
    here.install(here.chain.borrow_file())
    assert here.check(START).member == "ada"
    with refused("clock-turned-back"):
        here.check(START - 1)


@pytest.mark.parametrize(("wall", "floor", "expected"), [(10, 5, 10), (5, 5, 5), (4, 5, 5), (3, 5, 5)])
def test_the_later_time_counts(wall: int, floor: int, expected: int) -> None:
    assert steps.judged_at(wall, floor, 2) == expected


def cut(data: bytes) -> dict[str, bytes]:
    """Ways in which a file on a failing disk ends up."""
    return {
        "empty": b"",
        "half": data[: len(data) // 2],
        "without its end": data.rstrip()[:-1],
        "zeros": bytes(len(data)),
        "zeros at the end": data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
        "another JSON value": b"[]",
        "another object": b'{"a": 1}',
        "random": bytes(range(256)),
        "too large": b"x" * 3_000_000,
    }


@pytest.mark.parametrize("way", cut(b""))
@pytest.mark.parametrize("name", STATE_FILES)
def test_a_damaged_file_of_the_state_is_told_as_damaged_state(here: RealWorkstation, name: str, way: str) -> None:
    path = here.home / name
    path.write_bytes(cut(path.read_bytes())[way])
    with refused("state-damaged"):
        here.check()


@pytest.mark.parametrize("name", [*STATE_FILES, "machine-key.pem"])
def test_a_folder_or_a_link_in_place_of_a_file_of_the_state_is_damage(here: RealWorkstation, name: str) -> None:
    path = here.home / name
    path.unlink()
    path.mkdir()
    with refused("state-damaged"):
        here.check()
    if name != "machine-key.pem" and sys.platform != "win32":
        path.rmdir()
        path.symlink_to("/dev/zero")
        with refused("state-damaged"):
            here.check()


@pytest.mark.parametrize("name", [*STATE_FILES, "machine-key.pem"])
def test_a_changed_byte_in_the_state_ends_in_the_same_grant_or_in_our_error(here: RealWorkstation, name: str) -> None:
    path, granted = here.home / name, here.check()
    data = path.read_bytes()
    refusals = 0
    for position in range(0, len(data), BYTE_STEP * max(1, len(data) // 150)):
        for mask in (0x01, 0x80):
            path.write_bytes(data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :])
            try:
                assert here.check() == granted
            except CarnetError as error:
                assert error.code  # noqa: PT017
                refusals += 1
    assert refusals > 100 // BYTE_STEP


def outcome(here: RealWorkstation) -> str:
    """What a check says: "good", the code of our error, or the name of an exception that should not have come through."""
    try:
        here.check(START + DAY)
    except CarnetError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 - it is counted
        return type(error).__name__
    return "good"


def test_no_changed_byte_in_the_state_brings_a_returned_license_back(here: RealWorkstation) -> None:
    here.give_up()
    path = here.home / "state.json"
    data = path.read_bytes()
    outcomes: Counter[str] = Counter()
    for position in range(0, len(data), BYTE_STEP):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :])
        outcomes[outcome(here)] += 1
    assert set(outcomes) <= {"state-damaged", "given-up", "not-activated-in-time"}, outcomes


BROKEN_STATES: dict[str, dict[str, object]] = {
    "given up as a list": {"given_up": []},
    "given up without receipt": {"given_up": {"B" * 22: {}}},
    "given up as a number": {"given_up": {"B" * 22: 5}},
    "given up with an empty receipt": {"given_up": {"B" * 22: {"product": "arcgis-pro", "exp": 1, "receipt": {}}}},
    "given up until a text": {"given_up": {"C" * 22: {"product": "arcgis-pro", "exp": "1", "receipt": {}}}},
    "receipt of another form": {"given_up": {"B" * 22: {"product": "arcgis-pro", "exp": 1, "receipt": {"iat": "x"}}}},
    "installed until a text": {"activated": {"J" * 22: "later"}},
    "installed until null": {"activated": {"J" * 22: None}},
    "count as a text": {"receipt_count": "1"},
    "count below zero": {"receipt_count": -1},
    "alias as a list": {"alias": ["laptop"]},
    "last receipt as a number": {"last_receipt": 5},
    "unknown member": {"more": 1},
}


@pytest.mark.parametrize("state", BROKEN_STATES.values(), ids=BROKEN_STATES)
def test_a_state_of_another_form_is_damaged_to_every_use(here: RealWorkstation, state: dict[str, object]) -> None:
    compact = here.store.machine_key().sign(STATE_TYP, here.store.state().claims() | state)
    (here.home / "state.json").write_text(json.dumps({"state": compact}))
    with refused("state-damaged"):
        here.check()
    with refused("state-damaged"):
        here.install(here.chain.borrow_file())
    with refused("state-damaged"):
        here.give_up()


@ON_POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o601])
def test_a_machine_key_open_to_others_is_damage(here: RealWorkstation, mode: int) -> None:
    (here.home / "machine-key.pem").chmod(mode)
    with refused("state-damaged"):
        here.check()
    with refused("state-damaged"):
        here.store.machine_key()


FOREIGN_KEYS: dict[str, ed448.Ed448PrivateKey | x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = {
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "X25519": x25519.X25519PrivateKey.generate(),
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "RSA": rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("name", FOREIGN_KEYS)
def test_a_machine_key_of_another_kind_is_damage(tmp_path: Path, name: str) -> None:
    pem = FOREIGN_KEYS[name].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "key").chmod(0o600)
    with refused("state-damaged"):
        machine_key.load(tmp_path / "key")


@ON_POSIX
def test_an_encrypted_or_unknown_machine_key_is_damage(here: RealWorkstation) -> None:
    path = here.home / "machine-key.pem"
    plain = path.read_bytes()
    encrypted = FOREIGN_KEYS["X25519"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    unknown = plain.replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYDK2V6")
    for pem in (encrypted, unknown, plain.replace(b"PRIVATE", b"PUBLIC"), plain[:60], b""):
        assert pem != plain
        path.write_bytes(pem)
        with refused("state-damaged"):
            here.check()


def test_t1_a_home_without_its_key_a_key_without_its_home_and_another_key_are_three_things(
    here: RealWorkstation, tmp_path: Path
) -> None:
    bare = RealWorkstation(Store(tmp_path / "bare"), here.chain)
    bare.home.mkdir()
    shutil.copy(here.home / "machine-key.pem", bare.home)
    with refused("home-missing"):
        bare.check()
    bare.install(here.chain.trust_file())
    with refused("no-borrow"):
        bare.check()
    (here.home / "machine-key.pem").unlink()
    with refused("machine-key-missing"):
        here.check()
    with refused("machine-key-missing"):
        here.give_up()
    here.store.machine_key()
    with refused("wrong-machine-key"):
        here.check()


@ON_POSIX
def test_t2_the_user_is_that_of_the_process_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    before = identity.system().user()
    assert before.id == f"uid:{os.getuid()}"
    assert before.name == pwd.getpwuid(os.getuid()).pw_name
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME", "SUDO_USER", "SUDO_UID", "UID"):
        monkeypatch.setenv(name, "mallory")
    assert identity.system().user() == before


@ON_POSIX
def test_t43_the_machine_id_is_a_keyed_hash_that_does_not_show_the_systems_own() -> None:
    raw, mark = Path("/etc/machine-id").read_text(encoding="ascii").strip(), identity.system().machine()
    assert (mark.source.partition(",")[0], len(mark.id)) == ("linux-machine-id", 22)
    assert raw not in mark.id
    assert mark.id == hashed(raw) == hashed(raw.upper() + "\n") == linux.machine().id
    assert hashed(raw[:-1]) != mark.id


WITHOUT_NETWORK = (
    NO_SOCKETS
    + """import verifier
from verifier.cli.main import main

granted = verifier.check("arcgis-pro", "Standard", ["3DAnalyst"])
assert main(["status"]) == 0
assert main(["return", "arcgis-pro", "-o", sys.argv[1]]) == 0
print(granted.member)
try:
    import socket

    socket.socket()
except RuntimeError as error:
    print(error)
"""
)


def test_checking_and_returning_open_no_connection(tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", int(time.time()) - HOUR)
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, str(tmp_path / "out.return")],
        env=os.environ | {"CARNET_HOME": str(here.home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines()[-2:] == ["ada", "socket.__new__"]


@pytest.mark.parametrize("seconds", [-1.0, float(LAST_SECOND + 1), 1e17])
def test_a_clock_that_shows_no_time_of_the_calendar_is_in_doubt(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: seconds)
    with refused("clock-in-doubt"):
        verifier.check("arcgis-pro", home=here.home)
    with refused("clock-in-doubt"):
        install.install(here.store, here.chain.borrow_file())


def test_a_clock_beyond_what_python_counts_is_in_doubt(here: RealWorkstation, monkeypatch: pytest.MonkeyPatch) -> None:
    def beyond() -> float:
        raise OverflowError("timestamp too large to convert to C _PyTime_t")

    monkeypatch.setattr(time, "time", beyond)
    with refused("clock-in-doubt"):
        verifier.check("arcgis-pro", home=here.home)


@pytest.mark.parametrize("seconds", [0.0, float(LAST_SECOND)])
def test_the_first_and_the_last_second_of_the_calendar_are_times(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: seconds)
    with refused("clock-turned-back", "expired"):
        verifier.check("arcgis-pro", home=here.home)


def test_a_tombstone_with_the_receipt_of_another_borrow_is_damage(here: RealWorkstation) -> None:
    here.give_up()
    state = here.store.state()
    state.given_up = {"C" * 22: state.given_up["B" * 22]}
    here.store.save_state(state)
    with refused("state-damaged"):
        here.store.state()


def test_what_is_remembered_comes_back_as_it_was_kept(here: RealWorkstation) -> None:
    here.give_up()
    state = here.store.state()
    assert state.given_up["B" * 22].product == "arcgis-pro"
    here.store.save_state(state)
    assert here.store.state() == state


@ON_POSIX
def test_a_system_without_an_identity_cannot_be_checked(here: RealWorkstation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    with refused("no-machine-id"):
        here.check()


NO_ID: dict[str, tuple[bytes | None, str]] = {
    "not there": (None, "is not there"),
    "empty": (b"", "is empty"),
    "a line": (b"\n", "is empty"),
    "before the first boot": (b"uninitialized\n", 'says "uninitialized"'),
    "zeros": (b"0" * 32 + b"\n", "is nothing but 0"),
    "f": (b"f" * 32 + b"\n", "is nothing but f"),
    "ones": (b"1" * 32, "is nothing but 1"),
    "of a board without a number": (b"03000200040005000006000700080009\n", "many machines have"),
    "short": (b"3d1219c7c4c5404aaa1f6d2a48adfda\n", "no id of 32 digits"),
    "long": (b"3d1219c7c4c5404aaa1f6d2a48adfda400\n", "no id of 32 digits"),
    "with hyphens": (b"3d1219c7-c4c5-404a-aa1f-6d2a48adfda4\n", "no id of 32 digits"),
    "two lines": (b"3d1219c7c4c5404aaa1f6d2a48adfda4\n\n", "no id of 32 digits"),
    "other bytes": (b"\xff\xfe3\x00", "is no text"),
}


@ON_LINUX
@pytest.mark.parametrize(("data", "fault"), NO_ID.values(), ids=NO_ID)
def test_what_is_no_machine_id_is_told_with_what_to_do(
    data: bytes | None, fault: str, here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / "machine-id").write_bytes(data)
    monkeypatch.setattr(linux, "MACHINE_ID_FILES", (tmp_path / "machine-id",))
    with pytest.raises(NoMachineId) as caught:
        here.check()
    assert fault in caught.value.message
    assert "systemd-machine-id-setup" in caught.value.hint


def test_the_id_of_d_bus_is_taken_only_where_the_system_has_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Copies of an image whose id was emptied share the one that D-Bus had kept."""
    (tmp_path / "zeros").write_bytes(b"0" * 32)
    (tmp_path / "good").write_bytes(b"3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    monkeypatch.setattr(linux, "MACHINE_ID_FILES", (tmp_path / "missing", tmp_path / "good"))
    assert linux.machine().id == hashed("3d1219c7c4c5404aaa1f6d2a48adfda4")
    monkeypatch.setattr(linux, "MACHINE_ID_FILES", (tmp_path / "zeros", tmp_path / "good"))
    with refused("no-machine-id"):
        linux.machine()


@pytest.mark.parametrize(
    ("text", "is_mark"),
    [
        ("4c4c4544-0042-3510-8056-b3c04f4d4e32\n", True),
        ("4C4C4544-0042-3510-8056-B3C04F4D4E32", True),
        ("00000000-0000-0000-0000-000000000000\n", False),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff\n", False),
        ("03000200-0400-0500-0006-000700080009\n", False),
        ("Not Settable\n", False),
        ("", False),
    ],
)
def test_a_boards_number_that_many_boards_have_is_no_second_mark(
    text: str, is_mark: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "product_uuid").write_bytes(text.encode())
    monkeypatch.setattr(linux, "PRODUCT_UUID_FILE", tmp_path / "product_uuid")
    assert linux.machine().secondary == (hashed(text) if is_mark else None)
