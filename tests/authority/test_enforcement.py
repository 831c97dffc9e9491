"""S2, sentence by sentence: what happens when the organization has more members than it is authorized for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authority.domain.members import ANYBODY, CONSOLE, Actor, Role
from authority.domain.refusals import MemberHasBorrow, MemberLimitReached, NotAllowed, OrganizationOverLimit
from authority.services import access, borrow, endings, member_changes, members, removal
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.signing import authorizations
from authority.storage import organization
from authority.web.application import create_app
from tests.support.authorities import ON_SQLITE, Bench, authorization_text
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

PASSWORD = "correct horse battery"


def install(bench: Bench, seq: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Installs another authorization."""
    compact = authorization_text(bench.authority, bench.root, bench.clock(), seq=seq, change=change)
    authorization = authorizations.read(compact, bench.trust_file)
    with bench.authority.database.write() as connection:
        organization.add_authorization(connection, authorization, bench.trust_file, bench.clock())


def limit(total: int | None, **types: int) -> Callable[[dict[str, Any]], None]:
    def change(specification: dict[str, Any]) -> None:
        specification["members"] = {"total": total, "types": {name.replace("_", " "): count for name, count in types.items()}}

    return change


@pytest.fixture
def crowded(bench: Bench) -> Bench:
    """Four members, then an authorization for three."""
    bench.member("chief", user_type="Viewer", role=Role.ADMINISTRATOR, password=PASSWORD)
    bench.member("licenser", user_type="Viewer", role=Role.LICENSE_MANAGER, password=PASSWORD)
    bench.member("ada", password=PASSWORD)
    install(bench, 2, limit(3))
    return bench


def test_the_portal_accepts_no_more_members_than_licensed(bench: Bench) -> None:
    """S2: no more organizational accounts are accepted than licensed; the error has current and maximum."""
    install(bench, 2, limit(2))
    bench.member("ada")
    with pytest.raises(MemberLimitReached) as caught:
        bench.member("eve")
    assert caught.value.evidence == {"current": 2, "maximum": 2}


@ON_SQLITE
@pytest.mark.parametrize("name", ["ada", "licenser"])
def test_members_without_administrator_privileges_cannot_sign_in(crowded: Bench, name: str) -> None:
    """S2: they are told of a software authorization error and sent to the administrator."""
    with pytest.raises(OrganizationOverLimit, match="software authorization error") as caught:
        access.sign_in(Unit(crowded.authority, ANYBODY), name, PASSWORD)
    assert "administrator" in caught.value.hint
    assert (caught.value.evidence["current"], caught.value.evidence["maximum"]) == (4, 3)


@ON_SQLITE
def test_an_administrator_gets_in_and_is_told_the_numbers_each_time(crowded: Bench) -> None:
    """S2: the number of current members and the maximum are shown each time an administrator comes."""
    secret, _ = access.sign_in(Unit(crowded.authority, ANYBODY), "chief", PASSWORD)
    client = create_app(crowded.authority).test_client()
    for path in ("/api/v1/borrows", "/api/v1/events"):
        answer = client.get(path, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200
        assert answer.headers["X-Carnet-Over-Limit"] == "the organization has 4 members, 3 are allowed"


@ON_SQLITE
def test_a_sign_in_from_before_is_kept_out_too(bench: Bench) -> None:
    """S2: access is disabled for all members without administrator privileges, also for those who were in."""
    bench.member("ada", password=PASSWORD)
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    client = create_app(bench.authority).test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/borrows", headers=headers).status_code == 200
    install(bench, 2, limit(1))
    refused = client.get("/api/v1/borrows", headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "organization-over-limit")  # type: ignore[index]


@ON_SQLITE
@pytest.mark.parametrize("path", ["/api/v1/status-list", "/api/v1/trust", "/healthz", "/readyz", "/openapi.json"])
def test_what_is_public_needs_no_membership(crowded: Bench, path: str) -> None:
    """S2: an unlimited number of users can use what needs no membership."""
    assert create_app(crowded.authority).test_client().get(path).status_code == 200


@ON_SQLITE
def test_no_borrow_or_renewal_is_made_but_those_out_stay_good_and_are_checked_in(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-pro", days=3), bench.clock()))
    install(bench, 2, limit(1))
    for actor in (ada, CONSOLE):
        with pytest.raises(OrganizationOverLimit):
            borrow.issue(Unit(bench.authority, actor), laptop.request(Wish("arcgis-pro", days=9, member="ada"), bench.clock()))
    receipt = laptop.receipt_for(issued.file, bench.clock())
    assert endings.check_in(Unit(bench.authority, ada), receipt).state(bench.clock()) == "checked-in"


@ON_SQLITE
def test_a_larger_authorization_is_a_way_out(crowded: Bench) -> None:
    """S2: obtain a new authorization file with a sufficient number of named users."""
    install(crowded, 3, limit(4))
    assert access.sign_in(Unit(crowded.authority, ANYBODY), "ada", PASSWORD)[0]


def test_removing_members_is_a_way_out(crowded: Bench) -> None:
    """S2: remove members, one by one or in bulk."""
    removed = removal.remove(Unit(crowded.authority, CONSOLE), ["licenser", "LICENSER"])
    assert [item.member.username for item in removed] == ["licenser"]
    assert members.membership(Unit(crowded.authority, CONSOLE)).current == 3
    assert access.sign_in(Unit(crowded.authority, ANYBODY), "ada", PASSWORD)[0]


@ON_SQLITE
def test_a_limit_of_one_user_type_counts_too(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    bench.member("eve")
    install(bench, 2, limit(None, GIS_Professional=1))
    with pytest.raises(OrganizationOverLimit):
        access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    assert members.membership(Unit(bench.authority, CONSOLE)).excess() == (
        'the organization has 2 members of the type "GIS Professional", 1 is allowed'
    )


def test_with_too_many_members_a_type_can_still_be_changed(crowded: Bench) -> None:
    """S2 keeps new members out, and a change of type adds nobody; the limit of the new type counts."""
    install(crowded, 3, limit(2, Creator=1))
    member_changes.change(Unit(crowded.authority, CONSOLE), "licenser", Change(user_type="Creator"))
    with pytest.raises(MemberLimitReached) as caught:
        member_changes.change(Unit(crowded.authority, CONSOLE), "ada", Change(user_type="Creator"))
    assert caught.value.evidence == {"current": 1, "maximum": 1}
    assert members.membership(Unit(crowded.authority, CONSOLE)).current == 4


def test_who_still_has_a_borrow_out_is_named_and_removed_only_with_release(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-desktop"), bench.clock()))
    bench.member("eve")
    planned = removal.remove(Unit(bench.authority, CONSOLE), ["ada", "eve"], release=True, dry_run=True)
    assert [(item.member.username, len(item.borrows)) for item in planned] == [("ada", 1), ("eve", 0)]
    for dry_run in (True, False):
        with pytest.raises(MemberHasBorrow, match="ada"):
            removal.remove(Unit(bench.authority, CONSOLE), ["ada", "eve"], dry_run=dry_run)
    assert members.membership(Unit(bench.authority, CONSOLE)).current == 3
    removal.remove(Unit(bench.authority, CONSOLE), ["ada", "eve"], release=True)
    after = borrow.show(Unit(bench.authority, CONSOLE), issued.borrow.id)
    assert (after.state(bench.clock()), after.member, after.end_reason) == ("released", "ada", "member removed")


def test_a_name_is_free_again_after_its_member_was_removed(bench: Bench) -> None:
    first: Actor = bench.member("ada")
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"])
    assert bench.member("ADA").member_id != first.member_id


@ON_SQLITE
def test_nobody_removes_themself(bench: Bench) -> None:
    chief = bench.administrator()
    with pytest.raises(NotAllowed):
        removal.remove(Unit(bench.authority, chief), ["chief"])
