"""What looks stuck of what is offline, by each of its causes, and the last sign of each machine."""

from __future__ import annotations

from datetime import timedelta

from authority.domain.members import CONSOLE
from authority.domain.stuck import Cause
from authority.services import offline, policies
from authority.services.offline import Offline
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import START, Bench
from tests.support.borrowing import disable, issued_to, workstation
from tests.support.connecting import started
from tests.support.workstations import SimulatedWorkstation

PRO, DESKTOP = "arcgis-pro", "arcgis-desktop"


def rows(bench: Bench, *, stuck: bool = False) -> dict[str, Offline]:
    """What is offline of the one product, by member."""
    page, _ = offline.listed(Unit(bench.authority, CONSOLE), Filter(product=PRO), stuck=stuck)
    return {item.borrow.member: item for item in page}


def causes(bench: Bench) -> dict[str, list[Cause]]:
    """Why each looks stuck; the filter finds the very same."""
    every, stuck = (
        {name: [sign.cause for sign in item.signs] for name, item in rows(bench, stuck=stuck).items()}
        for stuck in (False, True)
    )
    assert stuck == {name: signs for name, signs in every.items() if signs}
    return every


def test_each_cause_is_seen_and_nothing_else(bench: Bench) -> None:
    policies.change(Unit(bench.authority, CONSOLE), "organization", "", "", allowed=None, longest_days=200, default_days=None)
    people = {name: bench.member(name) for name in ("silent", "heard", "near", "anew", "joined", "off", "twin", "well")}
    laptops = {name: workstation(name) for name in people}
    for name, days in (("silent", 100), ("heard", 100), ("near", 70)):
        issued_to(bench, people[name], laptops[name], days=days)
    bench.clock.turn(days=59)
    started(bench, people["heard"], laptops["heard"], DESKTOP)
    for name in ("anew", "joined", "off", "twin", "well"):
        issued_to(bench, people[name], laptops[name], days=30)
    assert set(causes(bench)) == set(people)
    assert not any(causes(bench).values())
    bench.clock.turn(days=1)
    # The same machine with another key: by a borrow, and by a session.
    issued_to(bench, people["anew"], SimulatedWorkstation("anew", laptops["anew"].user), DESKTOP, days=3)
    started(bench, people["joined"], SimulatedWorkstation("joined", laptops["joined"].user), DESKTOP)
    disable(bench, "off")
    laptops["twin"].requests = 0
    issued_to(bench, people["twin"], laptops["twin"], days=30)
    assert causes(bench) == {
        "silent": [Cause.SILENT],
        "heard": [],
        "near": [],
        "anew": [Cause.MACHINE_SET_UP_ANEW],
        "joined": [Cause.MACHINE_SET_UP_ANEW],
        "off": [Cause.MEMBER_DISABLED],
        "twin": [Cause.CLONE_SUSPECTED],
        "well": [],
    }


def test_the_last_sign_is_the_latest_thing_that_the_machine_signed(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    pro = issued_to(bench, ada, laptop, days=20)
    assert rows(bench)["ada"].last_sign_at == START
    bench.clock.turn(hours=1)
    issued_to(bench, ada, laptop, days=20)
    assert rows(bench)["ada"].last_sign_at == START + timedelta(hours=1)
    bench.clock.turn(hours=1)
    started(bench, ada, laptop, DESKTOP)
    assert rows(bench)["ada"].last_sign_at == START + timedelta(hours=2)
    assert rows(bench)["ada"].borrow.id == pro.borrow.id
