"""Who may do what: every role against the use cases that no route has; those of routes are in `test_routes`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from authority.domain.members import PRIVILEGES, WITHIN, Actor, Privilege, Role, Scope, within
from authority.domain.refusals import NotAllowed, NotFound
from authority.services import borrow, licenses, log
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.database_contents import contents
from tests.support.workstations import SimulatedWorkstation


@dataclass
class Office:
    """A member with a borrow, and somebody of each role."""

    bench: Bench
    laptop: SimulatedWorkstation
    borrow_id: str
    receipt: str
    actors: dict[Role, Actor]


@pytest.fixture
def office(sqlite_bench: Bench) -> Office:
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    issued = issued_to(sqlite_bench, ada, laptop)
    actors = {role: sqlite_bench.member(f"the-{role}", user_type="Viewer", role=role) for role in Role}
    return Office(sqlite_bench, laptop, issued.borrow.id, laptop.receipt_for(issued.file, sqlite_bench.clock()), actors)


ACTS: dict[str, tuple[Callable[[Office, Actor], object], set[Role]]] = {
    "assign a license": (
        lambda office, actor: licenses.assign(Unit(office.bench.authority, actor), "ada", "arcgis-pro", "Basic", ()),
        {Role.ADMINISTRATOR, Role.LICENSE_MANAGER},
    ),
    "export the checkout log": (
        lambda office, actor: list(log.checkout_log(Unit(office.bench.authority, actor))),
        {Role.ADMINISTRATOR, Role.ANALYST},
    ),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", ACTS)
def test_a_role_does_what_its_privileges_say_and_nothing_else(office: Office, name: str, role: Role) -> None:
    act, allowed = ACTS[name]
    if role in allowed:
        assert act(office, office.actors[role]) is not None
        return
    before = contents(office.bench.authority.database)
    with pytest.raises(NotAllowed):
        act(office, office.actors[role])
    assert contents(office.bench.authority.database) == before


@pytest.mark.parametrize("role", list(Role))
def test_a_role_sees_all_borrows_or_its_own(office: Office, role: Role) -> None:
    actor, authority = office.actors[role], office.bench.authority
    sees_all = role in {Role.ADMINISTRATOR, Role.LICENSE_MANAGER}
    assert len(borrow.listed(Unit(authority, actor), Filter())[0]) == (1 if sees_all else 0)
    assert len(borrow.listed(Unit(authority, actor), Filter(member="ada"))[0]) == (1 if sees_all else 0)
    if sees_all:
        assert borrow.show(Unit(authority, actor), office.borrow_id).member == "ada"
        return
    with pytest.raises(NotFound):
        borrow.show(Unit(authority, actor), office.borrow_id)
    with pytest.raises(NotFound):
        borrow.newest_file(Unit(authority, actor), office.borrow_id)


def test_every_role_has_its_privileges_written_down() -> None:
    assert PRIVILEGES.keys() == set(Role)
    assert PRIVILEGES[Role.ADMINISTRATOR] == set(Privilege)
    assert PRIVILEGES[Role.MEMBER] == {Privilege.OWN_LICENSES, Privilege.OWN_ACCESS}
    assert all(PRIVILEGES[Role.MEMBER] <= privileges for privileges in PRIVILEGES.values())


def test_every_scope_says_what_it_leaves_of_a_role_and_only_all_gives_access() -> None:
    assert WITHIN.keys() == set(Scope)
    narrow = {scope: WITHIN[scope] for scope in Scope if scope is not Scope.ALL}
    assert not any({Privilege.GIVE_ACCESS, Privilege.OWN_ACCESS} & privileges for privileges in narrow.values())
    assert frozenset().union(*narrow.values()) == set(Privilege) - {Privilege.GIVE_ACCESS, Privilege.OWN_ACCESS}
    assert within([Scope.READ], changing=False) == set(Privilege)
    assert within([Scope.READ], changing=True) == set()
    assert within([Scope.LOG, Scope.OWN], changing=True) == {Privilege.READ_LOG, Privilege.OWN_LICENSES}
    assert within([], changing=False) == set()
