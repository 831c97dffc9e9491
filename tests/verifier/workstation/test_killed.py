"""kill -9 at every write of an installation and of a return, and a disk that is full at every write: one of the two good states."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import START, at
from tests.support.real_workstation import make_workstation, read_second_copy, remove_second_copy
from tests.support.systems import ON_POSIX
from verifier.errors import CarnetError
from verifier.workstation import install, second_copy
from verifier.workstation.store import Store

# Forks once for each write, and is killed there; afterwards this process looks at what is left, and finishes what was begun.
KILLED = """
import json, os, shutil, signal, sys
from datetime import datetime, timezone
import verifier
from verifier.errors import CarnetError
from verifier.workstation import install
from verifier.workstation.store import Store

action, template, folder, now = sys.argv[1], sys.argv[2], sys.argv[3], datetime.fromtimestamp(int(sys.argv[4]), timezone.utc)
WRITES = ("open", "write", "fsync", "replace", "unlink", "mkdir")
home = os.path.join(folder, "home")

def act():
    store = Store.open(home)
    if action == "install":
        with open(os.path.join(template, "trip.borrow"), "rb") as stream:
            install.install(store, stream.read(), now)
    else:
        install.give_up(store, "arcgis-pro", now)

def outcome():
    try:
        verifier.check("arcgis-pro", home=home, now=now)
    except CarnetError as error:
        return error.code
    return "good"

def killed_at(number):
    left = [number]
    def wrapped(real, does):
        def call(*arguments, **named):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return None if does else real(*arguments, **named)
        return call
    for name in WRITES:
        setattr(os, name, wrapped(getattr(os, name), name == "fsync"))
    act()
    os._exit(0)

results, number, status = [], 0, None
while status != 0:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    os.environ["XDG_STATE_HOME"] = os.path.join(folder, "copies")
    child = os.fork()
    if child == 0:
        killed_at(number)
    status = os.waitpid(child, 0)[1]
    after = outcome()
    act()
    results.append([status != 0, after, outcome()])
    number += 1
print(json.dumps(results))
"""
MOST_WRITES = 24
BEFORE_AND_AFTER = {"install": ("no-borrow", "good"), "return": ("good", "given-up")}


def make_template(folder: Path, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home before the action, the second copy of its state, and the file to be installed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "states"))
    (folder / "states").mkdir(parents=True)
    here = make_workstation(folder / "home", installed=action == "return")
    (folder / "trip.borrow").write_bytes(here.chain.borrow_file())
    # The homes that are made of this one have copies of their own: the place that the state knows is not there.
    (folder / "states").rename(folder / "copies")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "copies"))


@ON_POSIX
@pytest.mark.parametrize("action", BEFORE_AND_AFTER)
def test_t24_killed_at_any_write_one_of_the_two_good_states_is_left(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_template(tmp_path / "template", action, monkeypatch)
    command = [sys.executable, "-c", KILLED, action, str(tmp_path / "template"), str(tmp_path / "copy"), str(START)]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert process.returncode == 0, process.stderr
    results = json.loads(process.stdout)
    before, after = BEFORE_AND_AFTER[action]
    assert {left for _, left, _ in results} == {before, after}
    assert {finished for _, _, finished in results} == {after}
    # Killed at each of the writes but the last run, which came through; once done, it stays done.
    assert [killed for killed, _, _ in results] == [True] * (len(results) - 1) + [False]
    assert len(results) > 10
    states = [left for _, left, _ in results]
    assert states == sorted(states, key=[before, after].index)


@pytest.mark.parametrize("action", BEFORE_AND_AFTER)
def test_t24_a_disk_that_is_full_at_any_write_leaves_one_of_the_two_good_states(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "template"
    make_template(template, action, monkeypatch)
    before, after = BEFORE_AND_AFTER[action]
    machine_key = Store(template / "home").machine_key().public.kid
    copy = read_second_copy(machine_key)
    refusals = 0
    for number in range(MOST_WRITES):
        folder = tmp_path / str(number)
        shutil.copytree(template, folder)
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "copies"))
        put_second_copy_back(machine_key, copy)
        is_done = act_on_full_disk(action, folder, number, monkeypatch)
        assert outcome(folder) in ({after} if is_done else {before, after})
        refusals += not is_done
        assert act_on_full_disk(action, folder, None, monkeypatch)
        assert outcome(folder) == after
    assert 2 < refusals < MOST_WRITES


def put_second_copy_back(machine_key: str, copy: bytes | None) -> None:
    """Gives the second copy what it was before: on Windows it is in the registry, which no copied folder puts back."""
    if copy is not None:
        second_copy.write(machine_key, copy, second_copy.place(None))
    else:
        with contextlib.suppress(FileNotFoundError):
            remove_second_copy(machine_key)


def act_on_full_disk(action: str, folder: Path, number: int | None, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Installs or returns with no room from that write on; True when it was done all the same."""
    writes = 0

    def refusing(real: Any, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal writes
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **named)
            writes += 1
            if number is not None and writes > number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return None if name == "fsync" else real(*arguments, **named)

        return call

    store = Store(folder / "home")
    with monkeypatch.context() as patch:
        for name in ("open", "fsync", "replace"):
            patch.setattr(os, name, refusing(getattr(os, name), name))
        try:
            if action == "install":
                install.install(store, (folder / "trip.borrow").read_bytes(), at(START))
            else:
                install.give_up(store, "arcgis-pro", at(START))
        except CarnetError as error:
            assert error.code == "disk-full"  # noqa: PT017
            return False
    return True


def outcome(folder: Path) -> str:
    import verifier

    try:
        verifier.check("arcgis-pro", home=folder / "home", now=at(START))
    except CarnetError as error:
        return error.code
    return "good"
