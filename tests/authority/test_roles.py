"""Who may do what: every role against every use case that needs a privilege."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from authority.domain.members import PRIVILEGES, Actor, Privilege, Role
from authority.domain.refusals import NotAllowed, NotFound
from authority.services import access, borrow, endings, licenses, log, members
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, row_counts, workstation
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish


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


def borrow_for_ada(office: Office, actor: Actor) -> object:
    request = office.laptop.request(Wish("arcgis-desktop"), office.bench.clock())
    return borrow.issue(Unit(office.bench.authority, actor), request, "ada")


ACTS: dict[str, tuple[Callable[[Office, Actor], object], set[Role]]] = {
    "add a member": (
        lambda office, actor: members.add(office.bench.authority, actor, NewMember("new")),
        {Role.ADMINISTRATOR},
    ),
    "list members": (
        lambda office, actor: members.listed(office.bench.authority, actor),
        {Role.ADMINISTRATOR, Role.LICENSE_MANAGER},
    ),
    "assign a license": (
        lambda office, actor: licenses.assign(office.bench.authority, actor, "ada", "arcgis-pro", "Basic", ()),
        {Role.ADMINISTRATOR, Role.LICENSE_MANAGER},
    ),
    "make an API key": (
        lambda office, actor: access.create_api_key(office.bench.authority, actor, "ada", "key"),
        {Role.ADMINISTRATOR},
    ),
    "borrow for a member": (borrow_for_ada, {Role.ADMINISTRATOR}),
    "check in for a member": (
        lambda office, actor: endings.check_in(Unit(office.bench.authority, actor), office.receipt),
        {Role.ADMINISTRATOR},
    ),
    "revoke": (
        lambda office, actor: endings.revoke(Unit(office.bench.authority, actor), office.borrow_id, "lost"),
        {Role.ADMINISTRATOR},
    ),
    "release": (
        lambda office, actor: endings.release(
            Unit(office.bench.authority, actor), office.borrow_id, "lost", accept_overlap=True
        ),
        {Role.ADMINISTRATOR},
    ),
    "read events": (
        lambda office, actor: log.events(office.bench.authority, actor, 0, None, 10),
        {Role.ADMINISTRATOR, Role.ANALYST},
    ),
    "export the checkout log": (
        lambda office, actor: list(log.checkout_log(office.bench.authority, actor)),
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
    before = row_counts(office.bench.authority.database)
    with pytest.raises(NotAllowed):
        act(office, office.actors[role])
    assert row_counts(office.bench.authority.database) == before


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
    assert PRIVILEGES[Role.MEMBER] == set()
