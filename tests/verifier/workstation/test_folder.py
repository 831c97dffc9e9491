"""The folder of the state: what stands in the place of a file, what a kill leaves, and two who begin at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chains import refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.core import files, jose
from verifier.core.claims import REQUEST_TYP
from verifier.workstation import carry
from verifier.workstation.carry import Wish
from verifier.workstation.disk import write_atomically
from verifier.workstation.store import Store

STATUS_FILES = "status/*.status"
STATE = (
    "organization.trust",
    "newest.authorization",
    STATUS_FILES,
    "state.json",
    "borrows/arcgis-pro.borrow",
    "machine-key.pem",
)


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    """Ten gigabytes that take no room."""
    with path.open("wb") as stream:
        stream.truncate(10 * 1024**3)
    path.chmod(0o600)


def link(path: Path) -> None:
    path.with_suffix(".target").write_bytes(b"{}")
    path.symlink_to(path.with_suffix(".target"))


IN_PLACE: dict[str, Callable[[Path], object]] = {"pipe": os.mkfifo, "link to a device": endless, "10 GB": huge, "link": link}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", STATE)
@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
def test_what_is_no_file_in_place_of_a_file_of_the_state_hangs_nothing(
    here: RealWorkstation, name: str, put: Callable[[Path], object]
) -> None:
    (path,) = here.home.glob(name)
    path.unlink()
    put(path)
    with refused("state-damaged"):
        here.check()
    if name not in (STATUS_FILES, "newest.authorization"):  # A return asks for neither.
        with refused("state-damaged"):
            here.give_up()


@pytest.mark.timeout(20)
def test_a_lock_that_is_a_link_or_a_pipe_makes_nothing_elsewhere(here: RealWorkstation, tmp_path: Path) -> None:
    (here.home / ".lock").unlink()
    (here.home / ".lock").symlink_to(tmp_path / "elsewhere")
    with refused("disk-failed"):
        here.give_up()
    assert not (tmp_path / "elsewhere").exists()
    (here.home / ".lock").unlink()
    os.mkfifo(here.home / ".lock")
    assert here.give_up()


def test_what_a_kill_left_in_the_state_is_cleared_by_the_next_change(here: RealWorkstation) -> None:
    before = here.snapshot()
    for folder in ("", "borrows", "status"):
        (here.home / folder / ".state.json.4194304.new").write_bytes(b"half")
        (here.home / folder / ".x.1.new").write_bytes(b"half")
    here.install(here.chain.status_file())
    assert here.snapshot().keys() == before.keys()


def test_what_a_kill_left_beside_an_output_is_cleared_by_the_next_write(tmp_path: Path) -> None:
    """Only what a process that has ended left for the same file: others may be at work."""
    output = tmp_path / "trip.request"
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    left = [tmp_path / f".trip.request.{int(ended.stdout)}.new", tmp_path / ".trip.request.99999999999.new"]
    others = [tmp_path / f".trip.request.{os.getppid()}.new", tmp_path / f".other.{int(ended.stdout)}.new", tmp_path / ".x.new"]
    for path in (*left, *others):
        path.write_bytes(b"half")
    write_atomically(output, b"whole")
    assert set(tmp_path.iterdir()) == {output, left[1], *others}


KILLED = """
import os, signal, sys
from pathlib import Path
from verifier.workstation import disk
disk._flush = lambda stream: os.kill(os.getpid(), signal.SIGKILL)
disk.write_atomically(Path(sys.argv[1]), b"x" * 100_000)
"""


def test_a_write_that_is_really_killed_leaves_nothing_after_the_next(tmp_path: Path) -> None:
    output = tmp_path / "trip.request"
    subprocess.run([sys.executable, "-c", KILLED, str(output)], check=False)
    assert [path.suffix for path in tmp_path.iterdir()] == [".new"]
    write_atomically(output, b"whole")
    assert list(tmp_path.iterdir()) == [output]


def test_first_requests_at_once_are_signed_with_one_key_which_stays(tmp_path: Path) -> None:
    """Each used to make a key of its own, and the last one stayed."""
    barrier, requests = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        requests.append(carry.request(Store(tmp_path / "home"), Wish("arcgis-pro")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = [files.parse(data, "request")[1]["request"] for data in requests]
    kids = {jose.open_by_jwk(token, REQUEST_TYP).key.kid for token in tokens}
    assert kids == {Store(tmp_path / "home").machine_key_thumbprint()}
    assert len(tokens) == 8


ASKING = """
import sys
from verifier.core import files, proofs
from verifier.workstation.carry import Wish, request
from verifier.workstation.store import Store
for line in sys.stdin:
    token = files.parse(request(Store.open(line.strip()), Wish("arcgis-pro")), "request")[1]["request"]
    print(proofs.open_proof(token, "borrow-request+jwt").machine_key, flush=True)
"""


def test_first_requests_of_several_processes_at_once_are_signed_with_one_key(tmp_path: Path) -> None:
    """Each line is a round: a new folder, and every process asks at once."""
    command = [sys.executable, "-c", ASKING]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(4)
        ]
        for number in range(6):
            home = tmp_path / str(number)
            for process in processes:
                assert process.stdin is not None
                print(home, file=process.stdin, flush=True)
            kids = {process.stdout.readline().strip() for process in processes if process.stdout is not None}
            assert kids == {Store(home).machine_key_thumbprint()}
        for process in processes:
            process.communicate(timeout=60)
            assert process.returncode == 0
