"""The home of an authority: made whole or not at all, and what stands in the place of its files."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authority.domain.disk import DiskFailed
from authority.wiring.settings import load
from tests.support.console import Console, contents_of
from tests.support.full_disk import too_little_room

PASSPHRASE = "a-passphrase-of-enough-letters-2026"


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def wrong_authorization(folder: Path) -> tuple[str, ...]:
    for name in ("a.authorization", "a.trust"):
        (folder / name).write_text("{}")
    return ("--authorization", str(folder / "a.authorization"), "--trust", str(folder / "a.trust"), "--keys", str(folder))


def folder_in_place_of_the_trust_file(folder: Path) -> tuple[str, ...]:
    (folder / "home").mkdir()
    (folder / "home" / "organization.trust").mkdir()
    return ()


REFUSED: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "a wrong authorization": wrong_authorization,
    "a folder in place of the trust file": folder_in_place_of_the_trust_file,
    "a wrong name of the administrator": lambda folder: ("--admin", ""),
}


@pytest.mark.parametrize("prepare", REFUSED.values(), ids=REFUSED)
def test_an_init_that_is_refused_leaves_nothing_and_another_try_works(
    empty: Console, tmp_path: Path, prepare: Callable[[Path], tuple[str, ...]]
) -> None:
    arguments = prepare(tmp_path)
    before = tree(tmp_path)
    assert empty.run("init", "--org", "Field Survey", *arguments).status in (1, 3)
    assert tree(tmp_path) == before
    if (empty.home / "organization.trust").is_dir():
        (empty.home / "organization.trust").rmdir()
    empty.good("init", "--org", "Field Survey")


def test_an_init_on_a_full_disk_leaves_nothing_and_another_try_works(empty: Console, tmp_path: Path) -> None:
    home = tmp_path / "a" / "b" / "home"
    command = [sys.executable, "-m", "authority.cli.main", "--home", str(home), "init", "--org", "Field Survey"]
    room_for_keys = functools.partial(too_little_room, 20_000)
    process = subprocess.run(command, capture_output=True, text=True, preexec_fn=room_for_keys, check=False)
    assert process.returncode == 3, process
    assert "disk-f" in process.stderr
    assert tree(tmp_path) == set()
    subprocess.run(command, check=True, capture_output=True)


def test_an_init_that_is_refused_touches_nothing_of_others(console: Console, tmp_path: Path) -> None:
    """The home is in use, or its database is."""
    before, files = contents_of(console), tree(console.home)
    console.refused("already-exists", 1, "init", "--org", "Another")
    assert (contents_of(console), tree(console.home)) == (before, files)
    other = Console(tmp_path / "other", console.capture)
    database = f"sqlite:///{console.home / 'authority.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARNET_AUTHORITY_DATABASE_URL", database)
        other.refused("already-exists", 1, "init", "--org", "Another")
    assert not other.home.exists()
    assert contents_of(console) == before


def test_of_two_inits_at_once_one_makes_the_home_and_the_other_leaves_it_whole(empty: Console) -> None:
    command = [sys.executable, "-m", "authority.cli.main", "--home", str(empty.home), "init", "--org", "Field Survey"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        process.communicate()
    assert sorted(process.returncode for process in processes) == [0, 1, 1]
    assert empty.run("doctor").status == 0


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(10 * 1024**3)


def test_a_home_that_is_a_file_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(DiskFailed) as caught:
        load({}, str(tmp_path / "home"))
    assert caught.value.message == f"{tmp_path / 'home' / 'authority.toml'} cannot be read: Not a directory"


def test_who_names_a_wrong_home_is_told_how_to_name_another(empty: Console) -> None:
    for command in (("serve",), ("doctor",), ("member", "list")):
        assert "--home DIR" in empty.refused("not-set-up", 3, *command)["hint"]


IN_PLACE: dict[str, Callable[[Path], object]] = {"pipe": os.mkfifo, "link to a device": endless, "10 GB": huge}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
@pytest.mark.parametrize(("name", "code"), [("authority.toml", "settings-invalid"), ("keys/borrow-*.pem", "key-unusable")])
def test_what_is_no_file_in_the_home_hangs_nothing(
    console: Console, name: str, code: str, put: Callable[[Path], object]
) -> None:
    path = next(console.home.glob(name), console.home / name)
    path.unlink(missing_ok=True)
    put(path)
    console.refused(code, 3, "member", "list")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("put", IN_PLACE.values(), ids=IN_PLACE)
def test_a_passphrase_that_is_no_file_hangs_nothing(empty: Console, tmp_path: Path, put: Callable[[Path], object]) -> None:
    put(tmp_path / "passphrase")
    if not (tmp_path / "passphrase").is_symlink():
        (tmp_path / "passphrase").chmod(0o600)
    empty.refused("key-unusable", 3, "root", "init", str(tmp_path / "v"), "--passphrase-file", str(tmp_path / "passphrase"))


def test_keys_and_settings_may_be_links_as_orchestrators_mount_them(console: Console) -> None:
    (console.home / "authority.toml").write_text("demonstration = false\n")
    for path in (console.home / "authority.toml", *console.home.glob("keys/*.pem")):
        target = path.rename(path.with_name(f"..data-{path.name}"))
        path.symlink_to(target.name)
    assert console.run("doctor").status == 0


def test_a_passphrase_may_come_from_another_command(empty: Console, tmp_path: Path) -> None:
    """What a shell gives for <(command): a pipe."""
    read, write = os.pipe()
    os.write(write, PASSPHRASE.encode())
    os.close(write)
    made = empty.good("root", "init", str(tmp_path / "v"), "--passphrase-file", f"/dev/fd/{read}")
    os.close(read)
    assert made["encrypted"] is True


NUMBERS = ("0", "-1", "1", "36500", "36501", "1000000000", str(2**31), str(2**53), str(2**63), "9" * 40)
COMMANDS = (
    ("session", "settings", "--minutes"),
    ("session", "settings", "--computers"),
    ("session", "settings", "--offline-hours"),
    ("session", "settings", "--save-minutes"),
    ("policy", "set", "--longest-days"),
    ("policy", "set", "--default-days"),
    ("pool", "set", "arcgis-desktop", "--level", "Advanced", "--low-water"),
    ("pool", "set", "arcgis-desktop", "--level", "Advanced", "--most-borrowed"),
    ("pool", "set", "arcgis-desktop", "--level", "Advanced", "--group", "survey", "--reserved"),
    ("pool", "set", "arcgis-desktop", "--level", "Advanced", "--group", "survey", "--maximum"),
    ("borrow", "list", "--due-within"),
    ("borrow", "list", "--limit"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_number_out_of_range_is_refused_by_a_sentence(console: Console, command: tuple[str, ...]) -> None:
    """`Console` fails for a traceback and for a mistake in the program."""
    statuses = {number: console.run(*command, number).status for number in NUMBERS}
    assert set(statuses.values()) <= {0, 1, 2}
    assert statuses["9" * 40] in (1, 2)
    assert statuses["-1"] in (1, 2)
