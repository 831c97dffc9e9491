"""What Windows has of its own: names that are devices, long paths, files that somebody has open, locks, and a key that it seals."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chains import DAY, START, make_chain, refused
from tests.support.real_workstation import make_workstation
from tests.support.systems import ON_POSIX, ON_WINDOWS
from verifier.cli.main import main
from verifier.errors import DiskFailed
from verifier.workstation import clock, disk, locks, machine_key, sealing, store, windows_names
from verifier.workstation.places import WrongPlace, check_output, read_input
from verifier.workstation.sealing import NotSealed
from verifier.workstation.store import Store

DEVICES = ["CON", "con", "nul", "NUL.trust", "a\\AUX", "C:\\a\\prn.borrow", "com1", "COM1.request.txt", "lpt9 ", "com²", "E:/CON", "CONIN$", "con:x", "\\\\.\\COM1"]  # fmt: skip
FILES = ["console", "trip.con", "com", "com10", "CON\\trip", "nul_", "E:\\trip.borrow", "trip.nul.borrow", "lpt", "", "E:\\"]


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_known_by_its_name(name: str) -> None:
    assert windows_names.is_device(name)


@pytest.mark.parametrize("name", FILES)
def test_what_only_looks_like_a_device_is_a_file(name: str) -> None:
    assert not windows_names.is_device(name)


LONG = "x" * 240


@pytest.mark.parametrize(
    ("path", "room", "expected"),
    [
        ("C:\\short", 24, "C:\\short"),
        (f"C:\\{LONG[:220]}", 24, f"C:\\{LONG[:220]}"),
        (f"C:\\{LONG[:221]}", 24, f"\\\\?\\C:\\{LONG[:221]}"),
        (f"\\\\server\\share\\{LONG}", 24, f"\\\\?\\UNC\\server\\share\\{LONG}"),
        (f"\\\\?\\C:\\{LONG}", 24, f"\\\\?\\C:\\{LONG}"),
        (f"C:\\{LONG[:150]}", 100, f"\\\\?\\C:\\{LONG[:150]}"),
    ],
    ids=["short", "just short enough", "too long", "share", "marked before", "for a folder"],
)
def test_a_path_that_is_too_long_gets_the_mark_that_lifts_the_limit(path: str, room: int, expected: str) -> None:
    assert windows_names.extended(path, room) == expected


@given(st.binary(max_size=300))
def test_what_was_sealed_is_in_its_text_again(blob: bytes) -> None:
    assert blob == b"" or sealing.unarmored(sealing.armored(blob)) == blob == sealing.unarmored(
        sealing.armored(blob).replace(b"\n", b"\r\n")
    )


PLAIN = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n"
ARMORED = sealing.armored(b"blob")


@pytest.mark.parametrize(
    "text", [b"", PLAIN, ARMORED[:60], ARMORED + PLAIN, ARMORED.replace(b"Y", b"!"), ARMORED.replace(b"YmxvYg==", b"")]
)
def test_what_was_not_sealed_is_told(text: bytes) -> None:
    with pytest.raises(NotSealed):
        sealing.unarmored(text)


@ON_POSIX
def test_a_key_that_windows_sealed_is_told_as_such_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "machine-key.pem").write_bytes(ARMORED)
    (tmp_path / "machine-key.pem").chmod(0o600)
    with refused("state-damaged"):
        machine_key.load(tmp_path / "machine-key.pem")


@ON_WINDOWS
def test_the_machine_key_is_sealed_by_windows(tmp_path: Path) -> None:
    first = Store(tmp_path).machine_key()
    text = (tmp_path / "machine-key.pem").read_bytes()
    assert text.startswith(sealing.BEGIN)
    assert b"PRIVATE" not in text + sealing.unarmored(text)
    assert Store(tmp_path).machine_key().public == first.public
    (tmp_path / "machine-key.pem").write_bytes(text.replace(b"\n", b"\r\n"))
    assert Store(tmp_path).machine_key_thumbprint() == first.public.kid


@ON_WINDOWS
@pytest.mark.parametrize("way", ["plain", "changed", "of another program"])
def test_a_machine_key_that_windows_does_not_open_is_damage_and_says_what_to_do(tmp_path: Path, way: str) -> None:
    if sys.platform == "win32":
        before, sealing.ENTROPY = sealing.ENTROPY, b"another program"
        other = sealing.seal(PLAIN)
        sealing.ENTROPY = before
        blob = bytearray(sealing.unarmored(sealing.seal(PLAIN)))
        blob[-40] ^= 1
        texts = {"plain": PLAIN, "changed": sealing.armored(bytes(blob)), "of another program": other}
        (tmp_path / "key").write_bytes(texts[way])
        with pytest.raises(store.StateDamaged) as caught:
            machine_key.load(tmp_path / "key")
        assert "new request" in caught.value.hint
        (tmp_path / "key").write_bytes(sealing.seal(PLAIN))
        assert machine_key.load(tmp_path / "key") is not None


@ON_WINDOWS
def test_the_state_is_in_the_local_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A roaming profile would carry it to other machines; the environment is not asked."""
    monkeypatch.delenv("CARNET_HOME", raising=False)
    local = os.environ["LOCALAPPDATA"]
    monkeypatch.setenv("LOCALAPPDATA", "C:\\elsewhere")
    assert str(Store.open().home) == f"{local}\\carnet"


@ON_WINDOWS
@pytest.mark.parametrize("name", ["CON", "con.borrow", "NUL", "AUX.request"])
def test_a_device_is_no_file_to_read_or_write(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON would wait for the keyboard, NUL would swallow a receipt."""
    monkeypatch.chdir(tmp_path)
    for use in (read_input, check_output):
        with pytest.raises(WrongPlace, match="device"):
            use(name)


@ON_WINDOWS
@pytest.mark.parametrize("product", ["con", "nul", "aux.pro", "lpt1"])
def test_a_product_may_be_called_like_a_device(product: str, tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", installed=False)
    here.chain.borrow["aud"] = product
    here.store.save_borrow(product, here.chain.borrow_file())
    assert here.store.products() == [product]
    assert Store(here.home).borrow_file(product) == here.chain.borrow_file()


@ON_WINDOWS
@pytest.mark.parametrize("name", ['a"b', "a*b", "a?b", "a<b", "a|b"])
def test_a_name_that_windows_does_not_have_is_wrong_usage(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["install", name, "--home", str(tmp_path / "home")]) == 2
    assert main(["request", "arcgis-pro", "-o", name, "--home", str(tmp_path / "home")]) in {2, 3}
    assert not (tmp_path / name).exists()


@ON_WINDOWS
def test_a_state_in_a_folder_with_a_long_path_is_good(tmp_path: Path) -> None:
    home = tmp_path / ("h" * 100) / ("o" * 100) / "home"
    here = make_workstation(Store.open(home).home)
    assert here.check().days_left == 7
    assert str(here.home).startswith("\\\\?\\")
    assert main(["identity", "--home", str(home)]) == 0


@ON_WINDOWS
def test_a_state_at_the_root_of_a_drive_is_good(tmp_path: Path) -> None:
    letter = "Y:"
    subprocess.run(["subst", letter, str(tmp_path)], check=False)
    if not Path(f"{letter}\\").exists():
        pytest.skip("this system makes no drives with subst")
    try:
        here = make_workstation(Path(f"{letter}\\"))
        assert here.check().days_left == 7
        assert main(["request", "arcgis-pro", "-o", f"{letter}\\trip.request", "--home", f"{letter}\\"]) == 0
    finally:
        subprocess.run(["subst", letter, "/d"], check=False)


def test_a_file_that_another_has_open_is_replaced_as_soon_as_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with open(path, "rb") as reader:
        timer = threading.Timer(0.3, reader.close)
        timer.start()
        disk.write_atomically(path, b"new")
        timer.join()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


@ON_WINDOWS
def test_a_file_that_stays_open_is_told_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_TRIES", 20)
    here = make_workstation(tmp_path / "home")
    before = here.snapshot()
    here.chain.set_status(1, seq=2)
    (status,) = (here.home / "status").iterdir()
    with open(status, "rb"), pytest.raises(DiskFailed, match="another program has it open"):
        here.install(here.chain.status_file())
    assert {name: data for name, data in here.snapshot().items() if name != "state.json"} == {
        name: data for name, data in before.items() if name != "state.json"
    }
    here.install(here.chain.status_file())
    with refused("revoked"):
        here.check()


def test_readers_and_a_writer_of_one_file_never_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application checks as often as it likes while a file is being installed."""
    # A busy machine may stop a reader for seconds while it has the file open.
    monkeypatch.setattr(disk, "MOST_TRIES", 3000)
    path, texts, faults = tmp_path / "file", {b"a" * 5000, b"b" * 7000}, []
    path.write_bytes(b"a" * 5000)
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                if disk.read_bytes(path) not in texts:
                    faults.append("half a file")
            except OSError as error:
                faults.append(repr(error))
            time.sleep(0.01)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for data in sorted(texts) * 20:
            disk.write_atomically(path, data)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert faults == []


@ON_WINDOWS
@pytest.mark.parametrize("year", [3002, 9998])
def test_a_day_that_windows_has_no_local_time_for_is_too_late(year: int) -> None:
    with pytest.raises(OverflowError, match="no local time"):
        clock.end_of_day(date(year, 1, 1))


def test_a_day_without_local_time_is_no_trouble_with_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Windows answers for a day after the year 3000, on every system."""

    def refuse(_: date) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(clock, "_end_of_day", refuse)
    with pytest.raises(OverflowError, match="no local time on 3002-01-01"):
        clock.end_of_day(date(3002, 1, 1))


HOLD = """
import sys
from pathlib import Path
from verifier.workstation.store import Store

with Store(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.readline()
"""


@contextlib.contextmanager
def locked_elsewhere(home: Path) -> Iterator[Callable[[], None]]:
    """Another process is within a change of this state until it is let go on, or the block ends."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"locked"
        try:
            yield other.stdin.close
        finally:
            other.kill()


def test_a_second_change_waits_for_the_first_in_another_process(tmp_path: Path) -> None:
    entered = threading.Event()

    def change() -> None:
        with Store(tmp_path).locked():
            entered.set()

    second = threading.Thread(target=change)
    with locked_elsewhere(tmp_path) as go_on:
        second.start()
        assert not entered.wait(0.5)
        go_on()
        assert entered.wait(60)
    second.join()


@ON_WINDOWS
def test_a_change_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.5)
    with (
        locked_elsewhere(tmp_path),
        pytest.raises(DiskFailed, match="another carnet"),
        Store(tmp_path).locked(),
    ):
        pytest.fail("two changes at once")


@pytest.mark.parametrize("kind", ["trust", "authorization", "status", "borrow"])
def test_a_carried_file_with_a_mark_and_line_ends_of_windows_is_good(kind: str, tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", installed=False)
    data: bytes = getattr(here.chain, f"{kind}_file")()
    text = json.dumps(json.loads(data), indent=2).replace("\n", "\r\n")
    assert here.install(b"\xef\xbb\xbf" + text.encode())
    assert here.install(data)


@ON_WINDOWS
def test_a_file_that_came_from_the_web_is_good(tmp_path: Path) -> None:
    """Windows marks it with a stream beside its contents."""
    path = tmp_path / "org.trust"
    path.write_bytes(make_chain().trust_file())
    Path(f"{path}:Zone.Identifier").write_text("[ZoneTransfer]\nZoneId=3\n")
    assert main(["trust", str(path), "--home", str(tmp_path / "home")]) == 0


@ON_WINDOWS
def test_a_read_only_file_is_installed_and_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "org.trust"
    path.write_bytes(make_chain().trust_file())
    path.chmod(0o444)
    assert main(["trust", str(path), "--home", str(tmp_path / "home")]) == 0
    before = path.read_bytes()
    assert main(["request", "arcgis-pro", "-o", str(path), "--home", str(tmp_path / "home")]) == 3
    assert path.read_bytes() == before
    path.chmod(0o666)


def test_a_license_is_good_far_beyond_what_the_c_library_knows(tmp_path: Path) -> None:
    far = 95_617_584_000
    assert make_workstation(tmp_path / "home", far).check(far + DAY - 1).days_left == 7 > START / far
