"""Where a process on Linux runs: containers and WSL are recognized and named, users that a namespace makes up are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.chains import refused
from tests.support.systems import ON_LINUX
from verifier.core import carried, files, jose
from verifier.core.claims import REQUEST_TYP
from verifier.workstation import carry, identity
from verifier.workstation.carry import Wish
from verifier.workstation.identity import MachineMark, hashed, linux, places
from verifier.workstation.identity.linux import SystemFile
from verifier.workstation.identity.places import FIRST_NAMESPACES, Place, place
from verifier.workstation.store import Store

EVERY_USER = b"         0          0 4294967295\n"
RAW = "3d1219c7c4c5404aaa1f6d2a48adfda4"
FILES = [SystemFile("/etc/machine-id", RAW.encode() + b"\n", "")]
KERNEL = b"6.1.0-18-amd64\n"
OF_A_CONTAINER = {"pid": 4026532181, "cgroup": 4026532183}

PLACES: dict[str, tuple[bytes, Mapping[str, int], bytes, bool, Place]] = {
    "a machine": (EVERY_USER, FIRST_NAMESPACES, KERNEL, False, Place.MACHINE),
    "a virtual machine made of a container's image": (EVERY_USER, FIRST_NAMESPACES, KERNEL, True, Place.MACHINE),
    "a kernel that shows no namespaces": (EVERY_USER, {}, KERNEL, False, Place.MACHINE),
    "docker": (EVERY_USER, OF_A_CONTAINER, KERNEL, True, Place.CONTAINER),
    "docker with the processes of its host": (EVERY_USER, OF_A_CONTAINER | {"pid": 0xEFFFFFFC}, KERNEL, True, Place.CONTAINER),
    "a container that left its mark alone": (EVERY_USER, {}, KERNEL, True, Place.CONTAINER),
    "a container in the kernel of WSL": (EVERY_USER, OF_A_CONTAINER, b"5.15.0-microsoft-standard-WSL2", True, Place.CONTAINER),
    "WSL 2": (EVERY_USER, FIRST_NAMESPACES, b"5.15.167.4-microsoft-standard-WSL2\n", False, Place.WSL),
    "WSL 1": (EVERY_USER, FIRST_NAMESPACES, b"4.4.0-19041-Microsoft\n", False, Place.WSL),
    "unshare --map-root-user": (b"0 1000 1\n", FIRST_NAMESPACES, KERNEL, False, Place.USER_NAMESPACE),
    "unshare --map-user, twice": (b"1000 1000 1\n", FIRST_NAMESPACES, KERNEL, False, Place.USER_NAMESPACE),
    "a container without root": (b"0 1000 1\n1 100000 65536\n", OF_A_CONTAINER, KERNEL, True, Place.USER_NAMESPACE),
    "a map that is not written yet": (b"", FIRST_NAMESPACES, KERNEL, False, Place.USER_NAMESPACE),
    "every user, and more": (EVERY_USER + b"1 1 1\n", FIRST_NAMESPACES, KERNEL, False, Place.USER_NAMESPACE),
}


@pytest.mark.parametrize(("uid_map", "namespaces", "kernel", "is_marked", "where"), PLACES.values(), ids=PLACES)
def test_a_place_is_recognized_by_what_the_kernel_says(
    uid_map: bytes, namespaces: Mapping[str, int], kernel: bytes, *, is_marked: bool, where: Place
) -> None:
    assert place(uid_map, namespaces, kernel, is_marked=is_marked) == where


def test_a_mark_of_linux_is_the_same_for_ever() -> None:
    """Every borrow of an installation is bound to it; bytes in, a mark out, on every system."""
    board = b"c719123d-c5c4-4a40-aa1f-6d2a48adfda4\n"
    assert linux.mark(FILES, board) == ("HkJtPvga6c7WFlo01Gu6aw", "linux-machine-id", "cvh2_ivhs3jeyEttEc36dQ")
    assert linux.mark(FILES, b"") == linux.mark(FILES, b"\xff\xfe") == ("HkJtPvga6c7WFlo01Gu6aw", "linux-machine-id", None)


@pytest.mark.parametrize(("where", "word"), [(Place.CONTAINER, "container"), (Place.WSL, "wsl")])
def test_a_container_is_its_machine_and_names_what_it_is(where: Place, word: str) -> None:
    mark = linux.mark(FILES, b"", where)
    assert mark == MachineMark(hashed(RAW), f"linux-machine-id, {word}", None)
    assert len(identity.notes(mark)) == 1


def test_the_machine_itself_has_nothing_to_note() -> None:
    for source in ("linux-machine-id", "windows-machine-guid", "simulated", "a source, of somebody else"):
        assert identity.notes(MachineMark("x", source, None)) == ()


def test_t2_users_that_a_namespace_makes_up_are_refused_and_no_setting_makes_them_the_machines() -> None:
    """Whoever may unshare may be any user and have any machine's files; what is accepted is bound to another id than the machine's."""
    for environment in ({}, {"CARNET_CONTAINER": "1"}, {"CARNET_CONTAINER": ""}):
        with refused("identity-in-doubt"):
            linux.accepted(Place.USER_NAMESPACE, b"0 1000 1\n", environment)
    assert linux.accepted(Place.USER_NAMESPACE, b"0 1000 1\n", {"CARNET_CONTAINER": "accept"}) == Place.USER_NAMESPACE
    mark = linux.mark(FILES, b"", Place.USER_NAMESPACE)
    assert mark.id not in {hashed(RAW), linux.mark(FILES, b"").id}
    assert mark.source == "linux-machine-id, user-namespace"
    assert "CARNET_CONTAINER" in identity.notes(mark)[0]


def test_the_request_names_the_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(identity, "system", lambda: SimulatedContainer)
    data = carry.request(Store(tmp_path / "home"), Wish("arcgis-pro"))
    token = files.parse(data, "request")[1]["request"]
    assert carried.request(jose.open_by_jwk(token, REQUEST_TYP).claims).machine.source == "linux-machine-id, container"


class SimulatedContainer:
    """A container with the machine id of its image."""

    @staticmethod
    def machine() -> MachineMark:
        return linux.mark(FILES, b"", Place.CONTAINER)

    @staticmethod
    def user() -> identity.OsUser:
        return identity.OsUser("uid:0", "root")


def fifo(path: Path) -> None:
    import os

    if sys.platform != "win32":
        os.mkfifo(path)


SPECIAL: dict[str, Callable[[Path], None]] = {"a pipe": fifo, "a folder": Path.mkdir}


@ON_LINUX
@pytest.mark.parametrize("make", SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_file_in_the_place_of_the_machine_id_hangs_nobody(
    make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make(tmp_path / "machine-id")
    monkeypatch.setattr(linux, "MACHINE_ID_FILES", (tmp_path / "machine-id",))
    with refused("no-machine-id"):
        linux.machine()


@ON_LINUX
def test_without_proc_nobody_is_certain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder mounted over /proc hides the map; a kernel that has no map shows the rest of /proc."""
    monkeypatch.delenv("CARNET_CONTAINER", raising=False)
    monkeypatch.setattr(linux, "USER_MAP", tmp_path / "uid_map")
    for ask in (linux.machine, linux.user):
        with refused("identity-in-doubt"):
            ask()
    (tmp_path / "stat").touch()
    assert linux.user().id


UNSHARED = ("unshare", "--user", "--map-user=4711", "--map-group=4711")


@ON_LINUX
@pytest.mark.parametrize("times", [1, 2])
def test_t2_another_user_of_a_namespace_of_his_own_is_refused_by_the_real_system(tmp_path: Path, times: int) -> None:
    """Twice, so that the inner map shows the user as himself."""
    within = [*UNSHARED * times, sys.executable, "-m", "verifier.cli.main", "identity", "--json", "--home", str(tmp_path)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*UNSHARED * times, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system lets nobody make a user namespace")
    process = subprocess.run(within, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3], env={})
    refusal = json.loads(process.stdout)
    assert (process.returncode, refusal["code"]) == (3, "identity-in-doubt")
    assert refusal["evidence"]["uid_map"].split()[0] == "4711"


def test_every_place_but_the_machine_itself_is_noted() -> None:
    assert set(places.NOTES) == set(Place) - {Place.MACHINE}
