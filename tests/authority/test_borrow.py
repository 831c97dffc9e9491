"""Borrowing and renewing, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from authority.domain.members import CONSOLE
from authority.domain.refusals import AlreadyBorrowed, NotFound
from authority.services import borrow, endings, licenses
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.storage.db.tables import holds, tokens
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import claims_of, issued_to, seats_held, with_random, workstation
from tests.support.database_contents import log_rows
from tests.support.workstations import SimulatedWorkstation
from verifier import verify
from verifier.workstation.carry import Wish
from verifier.workstation.identity import OsUser


def test_a_borrow_is_accepted_by_the_verifier(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-pro", days=3), bench.clock()))
    grant = verify(issued.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock())
    assert (grant.product, grant.level, grant.member, grant.days_left) == ("arcgis-pro", "Advanced", "ada", 3)


@ON_SQLITE
def test_the_holder_is_warned_before_the_end_and_for_at_most_half_of_the_time(bench: Bench) -> None:
    authority = replace(bench.authority, warn_before=timedelta(days=3))
    for days, warned in ((10, 3), (4, 2)):
        laptop, member = SimulatedWorkstation(f"laptop-{days}"), bench.member(f"member-{days}")
        issued = borrow.issue(Unit(authority, member), laptop.request(Wish("arcgis-pro", days=days), bench.clock()))
        assert claims_of(issued.file)["pol"].keys() == {"status_max_age", "clock_tolerance"}
        for left, count in ((timedelta(days=warned, seconds=1), 0), (timedelta(days=warned), 1)):
            at = bench.clock() + timedelta(days=days) - left
            inputs: dict[str, Any] = {
                "trust": bench.trust_file,
                "workstation": laptop.identity,
                "roots": [bench.root.public.kid],
            }
            assert len(verify(issued.file, now=at, **inputs).warnings) == count


def test_the_same_request_gets_the_same_bytes(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    request = laptop.request(Wish("arcgis-pro", days=3), bench.clock())
    first = borrow.issue(Unit(bench.authority, ada), request)
    bench.clock.turn(days=1)
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.file == first.file


def test_the_same_request_gets_the_same_bytes_after_the_borrow_ended_and_a_new_list_was_published(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    request = laptop.request(Wish("arcgis-pro", days=3), bench.clock())
    first = borrow.issue(Unit(bench.authority, ada), request)
    endings.revoke(Unit(bench.authority, CONSOLE), first.borrow.id, "lost")
    bench.clock.turn(days=2)
    issued_to(bench, bench.member("eve"), workstation("other"))
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (again.is_new, again.file, again.borrow.state(bench.clock())) == (False, first.file, "revoked")


def test_the_file_can_be_fetched_again_and_is_that_of_the_newest_token(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    first = issued_to(bench, ada, laptop, days=3)
    assert borrow.newest_file(Unit(bench.authority, ada), first.borrow.id) == first.file
    bench.clock.turn(hours=1)
    renewal = issued_to(bench, ada, laptop, days=9)
    assert borrow.newest_file(Unit(bench.authority, ada), first.borrow.id) == renewal.file != first.file


def test_what_is_assigned_is_borrowed_unless_other_extensions_or_none_are_asked_for(bench: Bench) -> None:
    """Contract, section 8."""
    ada, laptop = bench.member("ada", user_type="Creator"), workstation("laptop")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ("3DAnalyst", "SpatialAnalyst"))
    for wish, extensions in (
        ({}, ("3DAnalyst", "SpatialAnalyst")),
        ({"extensions": ("SpatialAnalyst",)}, ("SpatialAnalyst",)),
        ({"extensions": ()}, ()),
    ):
        issued = issued_to(bench, ada, laptop, **wish)
        assert (issued.borrow.level, issued.borrow.extensions) == ("Standard", extensions)
        assert claims_of(issued.file)["lic"]["extensions"] == list(extensions)
        endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
        bench.clock.turn(minutes=1)


def test_a_renewal_that_asks_for_nothing_keeps_what_is_borrowed(bench: Bench) -> None:
    ada, laptop = bench.member("ada", user_type="Creator"), workstation("laptop")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ("3DAnalyst",))
    issued_to(bench, ada, laptop, extensions=(), days=3)
    assert issued_to(bench, ada, laptop, days=9).borrow.extensions == ()


def test_a_checkout_is_logged_with_one_row_for_each_feature(bench: Bench) -> None:
    ada = bench.member("ada", user_type="Creator", groups=("survey", "field"))
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ("3DAnalyst", "SpatialAnalyst"))
    issued = issued_to(bench, ada, workstation("laptop"), extensions=("3DAnalyst",), days=3)
    rows = log_rows(bench.authority.database, "checkout")
    assert [row["feature"] for row in rows] == ["Standard", "3DAnalyst"]
    for row in rows:
        assert (row["handle"], row["mode"], row["quantity"], row["actor"]) == (issued.borrow.id, "borrow", 1, "ada")
        assert (row["member"], row["group"], row["machine"]) == ("ada", "field; survey", "machine-laptop")
        assert (row["alias"], row["os_user"], row["until"]) == ("laptop", "laptop", bench.clock() + timedelta(days=3))
    with bench.authority.database.read() as connection:
        held = connection.execute(select(holds.c.feature).where(holds.c.handle == issued.borrow.id)).scalars().all()
    assert sorted(held) == ["3DAnalyst", "Standard"]


def test_the_same_machine_renews_its_borrow(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    first = issued_to(bench, ada, laptop, days=3)
    bench.clock.turn(days=1)
    second = issued_to(bench, ada, laptop, days=9)
    assert second.is_new
    assert second.borrow.id == first.borrow.id
    assert second.borrow.issued_at == first.borrow.issued_at
    assert second.borrow.expires_at == bench.clock() + timedelta(days=9)
    assert claims_of(second.file)["bid"] == claims_of(first.file)["bid"]
    assert claims_of(second.file)["jti"] != claims_of(first.file)["jti"]
    assert [len(log_rows(bench.authority.database, kind)) for kind in ("checkout", "renewal")] == [1, 1]
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    grant = verify(second.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock())
    assert grant.days_left == 9


def test_a_renewal_for_a_shorter_time_keeps_the_end(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    first = issued_to(bench, ada, laptop, days=9)
    assert issued_to(bench, ada, laptop, days=2).borrow.expires_at == first.borrow.expires_at
    assert claims_of(issued_to(bench, ada, laptop).file)["exp"] == claims_of(first.file)["exp"]


@ON_SQLITE
def test_a_second_machine_is_told_where_the_license_is_since_and_until_when(bench: Bench) -> None:
    ada = bench.member("ada")
    first = issued_to(bench, ada, workstation("laptop"), days=3)
    bench.clock.turn(hours=5)
    with pytest.raises(AlreadyBorrowed) as caught:
        issued_to(bench, ada, workstation("tower"))
    assert caught.value.evidence == {
        "borrow_id": first.borrow.id,
        "alias": "laptop",
        "since": first.borrow.issued_at.isoformat(),
        "until": first.borrow.expires_at.isoformat(),
        "same_machine_id": False,
    }
    assert "laptop" in caught.value.message


@ON_SQLITE
@pytest.mark.parametrize("difference", ["machine key", "user"])
def test_t4_the_same_machine_with_another_key_or_user_is_another_one(bench: Bench, difference: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued_to(bench, ada, laptop)
    other = workstation("laptop") if difference == "machine key" else replace(laptop, user=OsUser("uid:2000", "laptop"))
    with pytest.raises(AlreadyBorrowed) as caught:
        issued_to(bench, ada, other)
    assert caught.value.evidence["same_machine_id"] is True


def test_two_products_are_borrowed_on_two_machines(bench: Bench) -> None:
    ada = bench.member("ada")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-allsource", "Basic", ())
    issued_to(bench, ada, workstation("laptop"))
    issued_to(bench, ada, workstation("tower"), product="arcgis-allsource")
    assert seats_held(bench, "arcgis-allsource", "Basic") == 1


def test_a_concurrent_product_takes_one_seat_for_each_machine(bench: Bench) -> None:
    ada = bench.member("ada")
    first = issued_to(bench, ada, workstation("laptop"), product="arcgis-desktop")
    second = issued_to(bench, ada, workstation("tower"), product="arcgis-desktop")
    assert first.borrow.id != second.borrow.id
    assert (first.borrow.level, seats_held(bench, "arcgis-desktop", "Advanced")) == ("Advanced", 2)


def test_a_borrow_is_shown_to_its_member_and_to_nobody_else(bench: Bench) -> None:
    ada, eve = bench.member("ada"), bench.member("eve")
    own = issued_to(bench, ada, workstation("laptop")).borrow
    assert borrow.show(Unit(bench.authority, ada), own.id) == own
    for ask in (borrow.show, borrow.newest_file):
        with pytest.raises(NotFound):
            ask(Unit(bench.authority, eve), own.id)
    assert borrow.show(Unit(bench.authority, CONSOLE), own.id) == own
    with pytest.raises(NotFound):
        borrow.show(Unit(bench.authority, CONSOLE), "A" * 22)


def test_borrows_are_listed_newest_first_in_pages_that_miss_none(bench: Bench) -> None:
    for number in range(7):
        issued_to(bench, bench.member(f"m{number}"), workstation(f"w{number}"))
        if number % 2:
            bench.clock.turn(minutes=1)
    borrows, cursor = [], None
    while True:
        page, cursor = borrow.listed(Unit(bench.authority, CONSOLE), Filter(after=cursor, limit=3))
        borrows += page
        if cursor is None:
            break
    assert len({item.id for item in borrows}) == len(borrows) == 7
    assert [item.issued_at for item in borrows] == sorted((item.issued_at for item in borrows), reverse=True)


def test_borrows_are_found_by_state_member_product_and_machine(bench: Bench) -> None:
    ada, eve = bench.member("ada"), bench.member("eve")
    first = issued_to(bench, ada, workstation("laptop"), days=1).borrow
    second = issued_to(bench, eve, workstation("tower"), days=5).borrow
    bench.clock.turn(days=2)

    def ids(wanted: Filter) -> list[str]:
        return [item.id for item in borrow.listed(Unit(bench.authority, CONSOLE), wanted)[0]]

    assert ids(Filter(state="expired")) == [first.id]
    assert ids(Filter(state="active")) == [second.id]
    assert ids(Filter(member="EVE")) == [second.id]
    assert ids(Filter(machine="tower")) == ids(Filter(machine="machine-tower")) == [second.id]
    assert ids(Filter(product="arcgis-desktop")) == []
    endings.revoke(Unit(bench.authority, CONSOLE), second.id, "lost")
    assert ids(Filter(state="revoked")) == [second.id]
    assert ids(Filter(state="active")) == []


def test_every_token_has_a_place_of_its_own_in_the_status_list(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    places = [claims_of(issued_to(bench, ada, laptop, days=day).file)["status"]["status_list"]["idx"] for day in range(1, 6)]
    with bench.authority.database.read() as connection:
        stored = connection.execute(select(tokens.c.status_index)).scalars().all()
    assert sorted(stored) == sorted(places)
    assert len(set(places)) == 5


@ON_SQLITE
def test_a_borrow_never_outlives_the_authorization(bench: Bench) -> None:
    bench.clock.turn(days=995)
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"))
    assert issued.borrow.expires_at == bench.clock() + timedelta(days=5)
    assert claims_of(issued.file)["exp"] == int(issued.borrow.expires_at.timestamp())


@ON_SQLITE
def test_an_id_can_be_typed_as_an_argument(bench: Bench) -> None:
    """An id that begins with a hyphen would be taken for an option by every command."""
    hyphens = iter([b"\xf8" * 16, b"\xfb" * 16])
    drawn = with_random(bench, lambda size: next(hyphens, b"\x10" * size))
    assert not drawn.fresh_id().startswith("-")
