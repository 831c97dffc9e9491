"""Members and licenses given and taken at the same time: no limit is passed, and nothing is left to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor
from authority.services import borrow, licenses, member_changes, members, removal, sessions
from authority.services.member_changes import Change
from authority.services.unit import Unit
from tests.authority.test_seat_limit import raced
from tests.support.authorities import Bench, TestClock, make_bench
from tests.support.borrowing import at_once, codes, issued_to, seats_held, workstation
from tests.support.connecting import asked
from tests.support.organizations import authorize, available, held, members_at_most, seats
from verifier.workstation.carry import Wish

PRO, DESKTOP, EXTENSION = "arcgis-pro", "arcgis-desktop", "3DAnalyst"


@pytest.fixture
def shared_bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    """An authority that other processes can open too: its clock began at this machine's time."""
    own = make_bench(database_url, tmp_path / "home", clock=TestClock(datetime.now(UTC)))
    yield own
    own.authority.database.close()


def adding(bench: Bench, name: str, user_type: str) -> Callable[[], object]:
    return lambda: bench.member(name, user_type=user_type)


def of_type(user_type: str, most: int) -> Callable[[dict[str, Any]], None]:
    return lambda specification: specification["members"].update(types={user_type: most})


def test_the_last_place_goes_to_one_of_many_whatever_their_types(bench: Bench) -> None:
    bench.member("early")
    authorize(bench, members_at_most(3))
    types = ("Viewer", "Creator", "GIS Professional")
    answers = at_once([adding(bench, f"m{number}", types[number % 3]) for number in range(12)])
    assert codes(answers) == {"done": 1, "member-limit-reached": 11}
    assert members.membership(Unit(bench.authority, CONSOLE)).current == 3


def test_processes_together_take_the_last_two_places(shared_bench: Bench, tmp_path: Path) -> None:
    bench = shared_bench
    authorize(bench, members_at_most(3))
    wishes = [{"member": f"m{number}", "user_type": "GIS Professional"} for number in range(12)]
    assert raced(bench, wishes, 2, tmp_path) == {"done": 2, "member-limit-reached": 10}
    assert members.membership(Unit(bench.authority, CONSOLE)).current == 3
    assert available(bench, "Advanced") == 48


def test_the_last_place_of_a_type_goes_to_a_new_member_or_to_one_who_changes(bench: Bench) -> None:
    for number in range(6):
        bench.member(f"old{number}", user_type="Viewer")
    authorize(bench, of_type("Creator", 1))
    calls = [adding(bench, f"new{number}", "Creator") for number in range(6)]

    def changing(name: str) -> Callable[[], object]:
        return lambda: member_changes.change(Unit(bench.authority, CONSOLE), name, Change(user_type="Creator"))

    calls += [changing(f"old{number}") for number in range(6)]
    assert codes(at_once(calls)) == {"done": 1, "member-limit-reached": 11}
    assert members.membership(Unit(bench.authority, CONSOLE)).by_type["Creator"] == (1, 1)


def test_the_place_of_one_who_is_removed_is_given_once(bench: Bench) -> None:
    bench.member("old")
    authorize(bench, members_at_most(2))
    calls: list[Callable[[], object]] = [lambda: removal.remove(Unit(bench.authority, CONSOLE), ["old"])]
    calls += [adding(bench, f"m{number}", "Viewer") for number in range(8)]
    counts = codes(at_once(calls))
    assert counts["done"] in (1, 2)
    assert members.membership(Unit(bench.authority, CONSOLE)).current == counts["done"]


def assigning(bench: Bench, name: str, *extensions: str) -> Callable[[], object]:
    return lambda: licenses.assign(Unit(bench.authority, CONSOLE), name, PRO, None, extensions)


def test_the_last_license_of_an_extension_is_assigned_once(bench: Bench) -> None:
    names = [f"m{number}" for number in range(12)]
    for name in names:
        bench.member(name)
    authorize(bench, seats(EXTENSION, 1))
    answers = at_once([assigning(bench, name, EXTENSION, "SpatialAnalyst") for name in names])
    assert codes(answers) == {"done": 1, "pool-exhausted": 11}
    assert (available(bench, EXTENSION), available(bench, "SpatialAnalyst")) == (0, 49)
    assert sorted(held(bench, name)[PRO][1] for name in names)[-2:] == [(), (EXTENSION, "SpatialAnalyst")]


def test_the_last_license_that_a_type_includes_goes_to_a_new_member_or_is_assigned(bench: Bench) -> None:
    for number in range(6):
        bench.member(f"old{number}", user_type="Creator")
    authorize(bench, seats("Advanced", 1))
    calls = [adding(bench, f"new{number}", "GIS Professional") for number in range(6)]

    def giving(name: str) -> Callable[[], object]:
        return lambda: licenses.assign(Unit(bench.authority, CONSOLE), name, PRO, "Advanced", ())

    calls += [giving(f"old{number}") for number in range(6)]
    assert codes(at_once(calls)) == {"done": 1, "pool-exhausted": 11}
    assert available(bench, "Advanced") == 0


def borrowing(bench: Bench, actor: Actor, number: int, *extensions: str) -> Callable[[], object]:
    request = workstation(f"w{number}").request(Wish(DESKTOP, extensions=extensions, days=3), bench.clock())
    return lambda: borrow.issue(Unit(bench.authority, actor), request)


def starting(bench: Bench, actor: Actor, number: int, *extensions: str) -> Callable[[], object]:
    ask = asked(workstation(f"w{number}"), DESKTOP, extensions=extensions)
    return lambda: sessions.start(Unit(bench.authority, actor), ask)


def test_the_last_seat_of_an_extension_goes_to_a_borrow_or_to_a_session(bench: Bench) -> None:
    authorize(bench, seats(EXTENSION, 3, DESKTOP), seats("Advanced", 50, DESKTOP))
    for number in range(2):
        issued_to(bench, bench.member(f"early{number}"), workstation(f"e{number}"), DESKTOP, extensions=(EXTENSION,))
    actors = [bench.member(f"m{number}") for number in range(12)]
    calls = [(starting if number % 2 else borrowing)(bench, actor, number, EXTENSION) for number, actor in enumerate(actors)]
    assert codes(at_once(calls)) == {"done": 1, "pool-exhausted": 11}
    assert (seats_held(bench, DESKTOP, EXTENSION), seats_held(bench, DESKTOP, "Advanced")) == (3, 3)


def test_who_was_removed_has_no_borrow_and_no_session(bench: Bench) -> None:
    """Whoever comes second is told: the borrower that there is no such member, or the administrator that there is a borrow."""
    for number in range(8):
        ada = bench.member(f"m{number}")
        calls = [borrowing(bench, ada, 10 * number + place) for place in range(3)] + [starting(bench, ada, 10 * number)]
        calls.insert(1, lambda name=ada.username: removal.remove(Unit(bench.authority, CONSOLE), [name]))  # type: ignore[misc]
        answers = at_once(calls)
        counts = codes(answers)
        assert set(counts) <= {"done", "not-allowed", "member-has-borrow"}, answers
        if counts["member-has-borrow"]:
            removal.remove(Unit(bench.authority, CONSOLE), [ada.username], release=True)
        # The last grant of a session that ended holds its seat.
        bench.clock.turn(minutes=30)
        assert seats_held(bench, DESKTOP, "Advanced") == 0


def test_nothing_is_assigned_to_who_was_removed(bench: Bench) -> None:
    for number in range(8):
        name = f"m{number}"
        bench.member(name)
        calls = [assigning(bench, name, EXTENSION), assigning(bench, name, "SpatialAnalyst")]
        calls.insert(1, lambda name=name: removal.remove(Unit(bench.authority, CONSOLE), [name]))  # type: ignore[misc]
        assert set(codes(at_once(calls))) <= {"done", "not-found"}
    assert all(item.used == 0 for item in licenses.availability(Unit(bench.authority, CONSOLE)))
