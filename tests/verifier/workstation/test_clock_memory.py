"""What a workstation remembers of its clock: kept twice, followed at each check, and never against an honest user."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import verifier
from tests.support.chains import DAY, HOUR, START, refused
from tests.support.machine_clock import MachineClock
from tests.support.real_workstation import RealWorkstation, make_workstation, read_second_copy, remove_second_copy
from verifier.core.grant import Grant, Workstation
from verifier.core.state import STATE_TYP
from verifier.errors import CarnetError, NotGood
from verifier.workstation import install, locks, second_copy
from verifier.workstation.check import licenses


@pytest.fixture
def here(tmp_path: Path, clock: MachineClock) -> RealWorkstation:
    """A workstation whose borrow was installed by the machine's own clock."""
    here = make_workstation(tmp_path / "home", installed=False)
    install.install(here.store, here.chain.borrow_file())
    return here


def check(here: RealWorkstation) -> Grant:
    return verifier.check("arcgis-pro", home=here.home)


def used_for(here: RealWorkstation, clock: MachineClock, days: int) -> None:
    """Days of work: eight hours with a check at both ends, then off over night."""
    for _ in range(days):
        with contextlib.suppress(NotGood):
            check(here)
        clock.run(8 * HOUR)
        with contextlib.suppress(NotGood):
            check(here)
        clock.restart(16 * HOUR)


# How far the clock goes back, whether the machine is started anew, and what a check says then. What was kept last may be an hour
# old when the machine stops.
ROLLBACKS = [
    (HOUR, False, "good"),
    (23 * HOUR, False, "good"),
    (25 * HOUR, False, "clock-turned-back"),
    (365 * DAY, False, "clock-turned-back"),
    (HOUR, True, "good"),
    (23 * HOUR, True, "good"),
    (26 * HOUR, True, "clock-turned-back"),
    (365 * DAY, True, "clock-turned-back"),
]


@pytest.mark.parametrize(("back", "restart", "expected"), ROLLBACKS)
def test_t6_a_clock_turned_back_is_noticed_beyond_a_day(
    here: RealWorkstation, clock: MachineClock, back: int, expected: str, *, restart: bool
) -> None:
    for _ in range(11):  # as a machine that is never off
        clock.run(12 * HOUR)
        check(here)
    if restart:
        clock.restart(30)
    clock.set(clock.wall - back)
    if expected == "good":
        # What is left is counted from the time that was, not from what the clock shows.
        assert check(here).days_left == 2
    else:
        with refused(expected):
            check(here)


def test_t6_a_clock_turned_back_after_the_end_brings_back_no_time_that_the_machine_ran(
    here: RealWorkstation, clock: MachineClock
) -> None:
    clock.run(7 * DAY + HOUR)
    with refused("expired"):
        check(here)
    for back in (HOUR, 12 * HOUR, 23 * HOUR):
        clock.set(START + 7 * DAY - back)
        with refused("expired"):
            check(here)
    clock.set(START + 3 * DAY)
    with refused("clock-turned-back"):
        check(here)


def test_t6_a_clock_turned_back_after_the_end_brings_back_the_last_night_at_most(
    here: RealWorkstation, clock: MachineClock
) -> None:
    """What the machine was off lately looks like a clock that was ahead, and is given the benefit of the doubt."""
    used_for(here, clock, 7)
    with refused("expired"):
        check(here)
    clock.set(START + 7 * DAY - 15 * HOUR)
    assert check(here).member == "ada"
    clock.run(18 * HOUR)
    for back in (HOUR, 12 * HOUR, 20 * HOUR):
        clock.set(START + 7 * DAY - back)
        with refused("expired"):
            check(here)
    clock.set(START + 5 * DAY)
    with refused("clock-turned-back"):
        check(here)


def test_t6_time_asleep_counts_within_one_start_of_the_machine(here: RealWorkstation, clock: MachineClock) -> None:
    clock.run(7 * DAY)
    clock.set(START + HOUR)
    with refused("clock-turned-back"):
        check(here)


@pytest.mark.parametrize("ahead", [3 * DAY, 400 * DAY, 3650 * DAY])
@pytest.mark.parametrize("restart", [False, True])
def test_t7_a_clock_set_ahead_heals_when_it_comes_back(
    here: RealWorkstation, clock: MachineClock, ahead: int, *, restart: bool
) -> None:
    right = clock.wall
    clock.set(right + ahead)
    if ahead > 7 * DAY:
        with pytest.raises(CarnetError) as caught:
            check(here)
        assert (caught.value.code, "set it right" in caught.value.hint) == ("expired", True)
    else:
        assert check(here).member == "ada"
    if restart:
        clock.restart(0)
    clock.set(right + HOUR)
    assert check(here).days_left == 7


def test_t7_a_step_that_lasted_is_believed_and_heals_as_the_days_pass(here: RealWorkstation, clock: MachineClock) -> None:
    """Three days ahead for more than a week: from then on an earlier time was turned back, until it is reached again."""
    here.chain.borrow |= {"bid": "C" * 22, "jti": "c" * 22, "exp": START + 28 * DAY}
    install.install(here.store, here.chain.borrow_file())
    clock.restart(0)
    clock.set(START + 3 * DAY)
    used_for(here, clock, 9)
    clock.set(clock.wall - 3 * DAY)
    with pytest.raises(CarnetError) as caught:
        check(here)
    assert caught.value.code == "clock-turned-back"
    assert "good again when the clock shows" in caught.value.hint
    believed_from = datetime.fromisoformat(caught.value.evidence["believed_from"]).timestamp()
    clock.run(int(believed_from) - clock.wall - 1)
    with refused("clock-turned-back"):
        check(here)
    clock.run(1)
    assert check(here).member == "ada"


@pytest.mark.parametrize("hours", [1, 8, 14])
def test_t38_a_clock_in_local_time_refuses_nobody(here: RealWorkstation, clock: MachineClock, hours: int) -> None:
    """Two systems on one board: hours ahead after the other one ran, right again by the network, until the last hour."""
    for _ in range(6):
        clock.restart(15 * HOUR)
        right = clock.wall
        clock.set(right + hours * HOUR)
        assert check(here).member == "ada"
        clock.set(right + 60)
        clock.run(9 * HOUR - 90)
        assert check(here).member == "ada"
    clock.run(START + 7 * DAY - clock.wall - HOUR)
    assert check(here).days_left == 1


def test_a_dead_battery_is_told_and_setting_the_clock_right_is_all(here: RealWorkstation, clock: MachineClock) -> None:
    right = clock.wall
    for _ in range(3):
        clock.restart(HOUR)
        clock.set(1_262_304_000)  # 2010
        with refused("clock-turned-back"):
            check(here)
        clock.set(right + DAY)
        assert check(here).days_left == 6


def copies(here: RealWorkstation) -> tuple[bytes, bytes]:
    key = here.chain.workstation.machine_key or ""
    if sys.platform == "win32":
        second = read_second_copy(key) or b""
    else:
        second = Path(os.environ["XDG_STATE_HOME"], "carnet", f"{key}.json").read_bytes()
    return (here.home / "state.json").read_bytes(), second


def test_the_mark_is_kept_once_an_hour_and_at_each_start(here: RealWorkstation, clock: MachineClock) -> None:
    check(here)
    before = here.snapshot()
    clock.run(HOUR - 60)
    check(here)
    assert here.snapshot() == before
    clock.run(120)
    check(here)
    later = here.snapshot()
    assert later != before
    clock.restart(0)
    check(here)
    assert here.snapshot() != later


def test_t13_each_changed_byte_of_both_copies_is_no_way_back(here: RealWorkstation, clock: MachineClock) -> None:
    used_for(here, clock, 7)
    clock.set(START + DAY)
    path = here.home / "state.json"
    first, second = copies(here)
    assert first == second
    remove_second_copy(here.chain.workstation.machine_key or "")
    outcomes = set()
    for position in range(0, len(first), 40):
        path.write_bytes(first[:position] + bytes([first[position] ^ 0x01]) + first[position + 1 :])
        try:
            outcomes.add(str(check(here)))
        except CarnetError as error:
            outcomes.add(error.code)
    assert outcomes <= {"state-damaged", "clock-turned-back"}


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True)])
def test_t11_one_copy_removed_forgets_nothing(here: RealWorkstation, clock: MachineClock, *, first: bool, second: bool) -> None:
    here.give_up()
    clock.run(2 * DAY)
    here.forget(first=first, second=second)
    with refused("given-up"):
        check(here)


def test_t11_both_copies_removed_is_noticed_by_the_date_of_activation(here: RealWorkstation, clock: MachineClock) -> None:
    check(here)
    here.forget()
    clock.run(DAY)
    with refused("not-activated-in-time"):
        check(here)


def test_t11_a_copy_that_was_removed_stands_there_again_after_the_next_hour(here: RealWorkstation, clock: MachineClock) -> None:
    here.forget(first=False)
    clock.run(2 * HOUR)
    check(here)
    first, second = copies(here)
    assert first == second


def test_t12_an_older_state_put_back_brings_no_returned_license_back(here: RealWorkstation, clock: MachineClock) -> None:
    before = here.snapshot()
    here.give_up()
    clock.run(2 * DAY)
    for name, data in before.items():
        (here.home / name).write_bytes(data)
    with refused("given-up"):
        check(here)
    with refused("given-up"):
        install.install(here.store, here.chain.borrow_file())


@pytest.mark.skipif(sys.platform == "win32", reason="the second copy is in the registry there, which no variable moves")
def test_t12_a_variable_of_the_environment_hides_no_second_copy(
    here: RealWorkstation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(here)
    before = here.snapshot()
    here.give_up()
    for name, data in before.items():
        (here.home / name).write_bytes(data)
    for elsewhere in (tmp_path / "elsewhere", tmp_path / "nowhere" / "at all", "/proc"):
        monkeypatch.setenv("XDG_STATE_HOME", str(elsewhere))
        with refused("given-up"):
            check(here)
    monkeypatch.delenv("XDG_STATE_HOME")
    with refused("given-up"):
        check(here)


@pytest.mark.skipif(sys.platform == "win32", reason="the second copy is in the registry there, which no variable moves")
@pytest.mark.parametrize("name", ["elsewhere", "file"])
def test_t12_a_variable_at_the_return_leads_it_away_from_no_second_copy(
    here: RealWorkstation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    check(here)
    before = here.snapshot()
    (tmp_path / "file").touch()
    with monkeypatch.context() as for_the_return:
        for_the_return.setenv("XDG_STATE_HOME", str(tmp_path / name))
        here.give_up()
    for file, data in before.items():
        (here.home / file).write_bytes(data)
    with refused("given-up"):
        check(here)


@pytest.mark.skipif(sys.platform == "win32", reason="the second copy is in the registry there, which no variable moves")
def test_a_place_that_the_environment_names_and_that_cannot_be_written_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(second_copy, "places", lambda: [str(tmp_path / "file" / "carnet"), str(tmp_path / "home" / "carnet")])
    assert second_copy.place(None) == second_copy.place(str(tmp_path / "gone")) == str(tmp_path / "home" / "carnet")


def test_t12_a_second_copy_that_is_gone_is_told_and_stands_there_again(here: RealWorkstation, clock: MachineClock) -> None:
    clock.run(2 * HOUR)
    check(here)
    here.forget(first=False)
    assert [warning for warning in check(here).warnings if "second copy" in warning]
    assert not [warning for warning in check(here).warnings if "second copy" in warning]
    first, second = copies(here)
    assert first == second


@contextlib.contextmanager
def first_copy_held(here: RealWorkstation) -> Iterator[None]:
    """Somebody holds the lock of the state, for as long as the block takes."""
    with open(here.home / ".lock", "rb") as lock:
        locks.take(lock.fileno(), wait=False)
        try:
            yield
        finally:
            locks.give_back(lock.fileno())


def test_t6_who_keeps_the_first_copy_from_being_written_turns_no_clock_back(here: RealWorkstation, clock: MachineClock) -> None:
    with first_copy_held(here):
        used_for(here, clock, 6)
        clock.set(START + DAY)
        with refused("clock-turned-back"):
            check(here)
    with refused("clock-turned-back"):
        check(here)


def test_a_memory_that_can_be_written_nowhere_refuses_nobody_and_is_told(
    here: RealWorkstation, clock: MachineClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_copy, "write", lambda *_: False)
    with first_copy_held(here):
        clock.run(2 * HOUR)
        assert [warning for warning in check(here).warnings if "cannot be written" in warning]


def test_a_home_that_is_looked_at_on_another_machine_turns_no_clock_back(
    here: RealWorkstation, clock: MachineClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home on a share, or a copy of one: the other machine has run for months, which says nothing about this one."""
    clock.run(DAY)
    assert check(here).days_left == 6
    before, this_machine = here.snapshot(), (clock.starts, clock.ticks)
    with monkeypatch.context() as on_the_other:
        on_the_other.setattr("verifier.workstation.check.this_workstation", lambda key: Workstation("B" * 22, "uid:0", key))
        clock.starts, clock.ticks = 7, 90 * DAY
        with refused("wrong-machine"):
            check(here)
        (item,) = licenses(here.store)
        assert item.error is not None
        assert item.error.code == "wrong-machine"
    assert here.snapshot() == before
    clock.starts, clock.ticks = this_machine
    assert check(here).days_left == 6


def test_a_change_does_not_wait_for_ever_for_another(here: RealWorkstation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "SECONDS", 0.1)
    with first_copy_held(here), pytest.raises(CarnetError) as caught:
        here.install(here.chain.borrow_file())
    assert (caught.value.code, "another carnet is at work" in caught.value.message) == ("disk-failed", True)


def test_a_memory_of_a_virtual_machine_that_is_put_back_refuses_nobody(here: RealWorkstation, clock: MachineClock) -> None:
    """Its count goes back within one start, while the state lies on a disk that goes on: nobody knows how much has passed."""
    clock.run(4 * DAY)
    assert check(here).days_left == 3
    for back in (5, 3 * DAY):
        clock.ticks -= back
        clock.wall += HOUR
        assert check(here).days_left == 3
    clock.run(DAY)
    assert check(here).days_left == 2


def test_t12_an_older_state_put_back_turns_no_clock_back(here: RealWorkstation, clock: MachineClock) -> None:
    before = here.snapshot()
    used_for(here, clock, 7)
    for name, data in before.items():
        (here.home / name).write_bytes(data)
    clock.set(START + DAY)
    with refused("clock-turned-back"):
        check(here)


def test_t9_a_list_that_was_removed_is_missed_and_an_older_one_is_not_taken(here: RealWorkstation) -> None:
    older = here.chain.status_file()
    here.chain.set_status(1, seq=2)
    install.install(here.store, here.chain.status_file())
    for path in (here.home / "status").glob("*.status"):
        path.unlink()
    with refused("status-list-missing"):
        check(here)
    with refused("status-list-rolled-back"):
        install.install(here.store, older)
    with refused("status-list-missing"):
        install.install(here.store, here.chain.borrow_file(with_list=False))
    here.chain.set_status(0, seq=3)
    install.install(here.store, here.chain.status_file())
    assert check(here).member == "ada"


def test_t9_an_authorization_that_was_removed_is_missed(here: RealWorkstation) -> None:
    """What it took from a stolen key must not come back with an older one."""
    older = here.chain.authorization_file()
    here.chain.renew_authorization()
    newest = here.chain.authorization_file()
    install.install(here.store, newest)
    (here.home / "newest.authorization").unlink()
    with refused("state-damaged"):
        check(here)
    with refused("not-authorized"):
        install.install(here.store, older)
    install.install(here.store, newest)
    assert check(here).member == "ada"


def test_a_check_that_cannot_write_refuses_nobody(
    here: RealWorkstation, clock: MachineClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only disk, a full one, and another carnet at work."""
    before = here.snapshot()
    for number in (30, 28, 5):

        def refusing(*_: object, number: int = number, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", refusing)
            clock.run(2 * HOUR)
            assert check(here).member == "ada"
    with here.store.locked():
        clock.run(2 * HOUR)
        assert check(here).member == "ada"
    assert here.snapshot() == before


def test_the_state_of_the_first_versions_is_taken_over_whole(here: RealWorkstation, clock: MachineClock) -> None:
    here.give_up()
    here.next_borrow("C")
    install.install(here.store, here.chain.borrow_file())
    now = here.store.state().claims()
    old = {name: now[name] for name in ("alias", "activated", "given_up", "receipt_count", "last_receipt", "floor")}
    here.forget()
    text = json.dumps({"state": here.store.machine_key().sign(STATE_TYP, old)})
    (here.home / "state.json").write_text(text)
    assert here.store.state().claims().items() >= old.items()
    assert check(here).borrow_id == "C" * 22
    assert here.store.state().claims().items() >= old.items()
    assert here.store.state().clock is not None
    clock.run(5 * DAY)
    check(here)
    clock.set(START)
    with refused("clock-turned-back"):
        check(here)
