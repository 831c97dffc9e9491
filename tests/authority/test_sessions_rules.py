"""Sessions keep the rules of borrowing, and share seats with the borrow on the same computer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from authority.domain.borrows import Borrow, Machine
from authority.domain.borrows import OsUser as DomainUser
from authority.domain.members import CONSOLE, Actor
from authority.domain.refusals import (
    AlreadyBorrowed,
    BorrowRefused,
    InvalidInput,
    LevelNotAssigned,
    MemberDisabled,
    NoSuchProduct,
    OrganizationOverLimit,
    PoolExhausted,
    ProductExpired,
    ProductOverallocated,
    TypeNotCompatible,
)
from authority.domain.sessions import SessionSettings
from authority.services import endings, sessions
from authority.services.unit import Unit
from authority.storage import borrows as stored_borrows
from authority.storage.db.tables import pools
from tests.support.authorities import ON_SQLITE, START, Bench, make_bench
from tests.support.borrowing import disable, issued_to, seats_held, workstation
from tests.support.connecting import assign, change_type, overfill, own_seats, started, take_extensions, used
from tests.support.database_contents import contents, log_rows
from verifier.workstation.identity import OsUser

DENIALS: dict[str, tuple[str, dict[str, Any]]] = {
    "type-not-compatible": ("Viewer", {}),
    "not-assigned": ("Creator", {}),
    "level-not-assigned": ("GIS Professional", {"level": "Advanced", "extensions": ("3DAnalyst",)}),
    "extension-not-assigned": ("GIS Professional", {"extensions": ("3DAnalyst", "SpatialAnalyst")}),
    "member-disabled": ("GIS Professional", {}),
    "already-borrowed": ("GIS Professional", {}),
    "product-overallocated": ("GIS Professional", {}),
    "organization-over-limit": ("GIS Professional", {}),
}


def overassign(bench: Bench) -> None:
    """Makes more licenses assigned than there are, in the table."""
    with bench.authority.database.write() as connection:
        of_level = (pools.c.product == "arcgis-pro", pools.c.feature == "Advanced")
        connection.execute(update(pools).where(*of_level).values(assigned=51))


@pytest.mark.parametrize("reason", DENIALS)
def test_a_refused_start_leaves_a_denial_and_no_session(bench: Bench, reason: str) -> None:
    user_type, wish = DENIALS[reason]
    ada = bench.member("ada", user_type=user_type, groups=("survey",))
    if reason == "member-disabled":
        disable(bench, "ada")
    elif reason == "level-not-assigned":
        assign(bench, "ada", "Standard")
    elif reason == "already-borrowed":
        issued_to(bench, ada, workstation("tower"))
    elif reason == "product-overallocated":
        overassign(bench)
    elif reason == "organization-over-limit":
        overfill(bench)
    before = contents(bench.authority.database)
    with pytest.raises(BorrowRefused) as caught:
        started(bench, ada, workstation("laptop"), **wish)
    assert caught.value.code == reason
    rows = log_rows(bench.authority.database, "denial")
    assert [row["feature"] for row in rows][1:] == list(wish.get("extensions", ()))
    for row in rows:
        assert (row["mode"], row["reason"], row["handle"], row["until"]) == ("session", reason, None, None)
        assert (row["member"], row["group"], row["alias"], row["quantity"]) == ("ada", "survey", "laptop", 1)
        assert row["feature"]
    after = contents(bench.authority.database)
    assert {name for name in after if after[name] != before[name]} == {"events"}


@ON_SQLITE
def test_what_does_not_exist_is_refused_and_logged(bench: Bench) -> None:
    ada = bench.member("ada")
    wishes: list[dict[str, Any]] = [{"product": "nothing"}, {"level": "Nothing"}, {"extensions": ("Nothing",)}]
    for wish in wishes:
        with pytest.raises(NoSuchProduct):
            started(bench, ada, workstation("laptop"), **wish)
    rows = log_rows(bench.authority.database, "denial")
    assert {row["reason"].partition(":")[0] for row in rows} == {NoSuchProduct.code}
    assert len(rows) >= len(wishes)
    assert [row["member"] for row in rows] == ["ada"] * len(rows)


@ON_SQLITE
def test_the_other_machine_of_a_borrow_is_told_where_the_license_is_since_and_until_when(bench: Bench) -> None:
    ada = bench.member("ada")
    held = issued_to(bench, ada, workstation("laptop"), days=3).borrow
    with pytest.raises(AlreadyBorrowed, match=r"laptop since 2026-03-02 09:00 UTC.*until 2026-03-05 09:00 UTC") as caught:
        started(bench, ada, workstation("tower"))
    assert caught.value.evidence["alias"] == "laptop"
    assert (caught.value.evidence["since"], caught.value.evidence["until"]) == (
        held.issued_at.isoformat(),
        held.expires_at.isoformat(),
    )
    bench.clock.turn(days=3)
    assert started(bench, ada, workstation("tower")).is_new


@ON_SQLITE
@pytest.mark.parametrize("difference", ["machine key", "user"])
def test_the_machine_of_the_borrow_with_another_key_or_user_is_another_place(bench: Bench, difference: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued_to(bench, ada, laptop)
    other = workstation("laptop") if difference == "machine key" else replace(laptop, user=OsUser("uid:2000", "laptop"))
    with pytest.raises(AlreadyBorrowed):
        started(bench, ada, other)


def test_a_session_beside_the_borrow_on_its_machine_takes_no_second_named_license(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    assign(bench, "ada", "Advanced", ("3DAnalyst", "SpatialAnalyst"))
    issued_to(bench, ada, laptop, extensions=("3DAnalyst",))
    session = started(bench, ada, laptop, level="Standard", extensions=("3DAnalyst", "SpatialAnalyst")).session
    assert own_seats(bench, session) == ["SpatialAnalyst"]
    assert [seats_held(bench, "arcgis-pro", name) for name in ("Advanced", "Standard")] == [1, 0]


def test_of_a_concurrent_product_the_two_on_one_machine_take_each_seat_once(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued_to(bench, ada, laptop, product="arcgis-desktop")
    started(bench, ada, laptop, "arcgis-desktop")
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    started(bench, ada, workstation("tower"), "arcgis-desktop")
    started(bench, bench.member("eve"), laptop, "arcgis-desktop")
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 3


def test_when_the_borrow_beside_it_is_returned_its_seat_is_the_sessions(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, product="arcgis-desktop")
    session = started(bench, ada, laptop, "arcgis-desktop").session
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    assert own_seats(bench, session) == ["Advanced"]
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    used(bench, ada, session.id)
    assert own_seats(bench, session) == ["Advanced"]


def test_nobody_gets_the_seat_of_a_grant_that_was_given_beside_a_borrow(bench: Bench) -> None:
    """Borrow, start beside it, return: the grant runs on, and so does its seat."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, product="arcgis-desktop")
    started(bench, ada, laptop, "arcgis-desktop")
    for number in range(9):
        issued_to(bench, bench.member(f"m{number}"), workstation(f"w{number}"), product="arcgis-desktop")
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    quick = bench.member("quick")
    with pytest.raises(PoolExhausted):
        issued_to(bench, quick, workstation("quick"), product="arcgis-desktop")
    bench.clock.turn(minutes=30)
    issued_to(bench, quick, workstation("quick"), product="arcgis-desktop")
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 10


def test_a_borrow_made_beside_a_session_takes_its_seat_over_at_the_next_use(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    session = started(bench, ada, laptop, "arcgis-desktop").session
    issued_to(bench, ada, laptop, product="arcgis-desktop")
    again = used(bench, ada, session.id)
    assert own_seats(bench, again.session) == []
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    ended = sessions.check_in(Unit(bench.authority, ada), session.id)
    assert ended.ended_at == bench.clock()
    assert own_seats(bench, ended) == []
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1


def test_a_revoked_borrow_still_holds_the_named_license_on_its_machine(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    held = issued_to(bench, ada, laptop).borrow
    endings.revoke(Unit(bench.authority, CONSOLE), held.id, "lost")
    with pytest.raises(AlreadyBorrowed):
        started(bench, ada, workstation("tower"))
    assert started(bench, ada, laptop).is_new


def test_the_pool_is_full_with_ten_sessions_and_has_a_seat_when_one_ends_by_time(bench: Bench) -> None:
    for number in range(10):
        started(bench, bench.member(f"m{number}"), workstation(f"w{number}"), "arcgis-desktop")
        bench.clock.turn(minutes=1)
    late = bench.member("late")
    with pytest.raises(PoolExhausted) as caught:
        started(bench, late, workstation("late"), "arcgis-desktop")
    assert caught.value.evidence == {"feature": "Advanced", "seats": 10, "in_use": 10}
    (row,) = log_rows(bench.authority.database, "denial")
    assert (row["feature"], row["mode"]) == ("Advanced", "session")
    bench.clock.turn(minutes=20)
    assert started(bench, late, workstation("late"), "arcgis-desktop").is_new


def test_a_borrow_and_a_session_draw_from_one_pool(bench: Bench) -> None:
    for number in range(10):
        actor, laptop = bench.member(f"m{number}"), workstation(f"w{number}")
        if number % 2:
            started(bench, actor, laptop, "arcgis-desktop")
        else:
            issued_to(bench, actor, laptop, product="arcgis-desktop")
    late = bench.member("late")
    with pytest.raises(PoolExhausted):
        started(bench, late, workstation("late"), "arcgis-desktop")
    with pytest.raises(PoolExhausted):
        issued_to(bench, late, workstation("late"), product="arcgis-desktop")


@ON_SQLITE
def test_a_session_of_a_concurrent_product_gives_the_lowest_level_that_has_seats(bench: Bench) -> None:
    assert started(bench, bench.member("ada"), workstation("laptop"), "arcgis-desktop").session.level == "Advanced"


RENEWALS: dict[str, type[BorrowRefused]] = {
    "member disabled": MemberDisabled,
    "another type": TypeNotCompatible,
    "lower level": LevelNotAssigned,
    "over the limit": OrganizationOverLimit,
    "extension taken": BorrowRefused,
}


@pytest.mark.parametrize("change", RENEWALS)
def test_a_use_is_refused_when_the_rules_say_no_since_and_nothing_is_written(bench: Bench, change: str) -> None:
    ada = bench.member("ada")
    assign(bench, "ada", "Advanced", ("3DAnalyst",))
    session = started(bench, ada, workstation("laptop"), extensions=("3DAnalyst",)).session
    if change == "member disabled":
        disable(bench, "ada")
    elif change == "another type":
        change_type(bench, "ada", "Viewer")
    elif change == "lower level":
        assign(bench, "ada", "Basic", ("3DAnalyst",))
    elif change == "over the limit":
        overfill(bench)
    else:
        take_extensions(bench)
    bench.clock.turn(minutes=5)
    before = contents(bench.authority.database)
    with pytest.raises(RENEWALS[change]):
        used(bench, ada, session.id)
    assert contents(bench.authority.database) == before
    assert sessions.show(Unit(bench.authority, CONSOLE), session.id).last_used_at == START


def test_a_use_is_refused_once_the_named_license_is_borrowed_on_another_machine(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    insert_elsewhere(bench, ada)
    with pytest.raises(AlreadyBorrowed, match="tower"):
        used(bench, ada, session.id)


def test_a_named_license_in_a_session_elsewhere_is_not_taken_offline(bench: Bench) -> None:
    """Offline it is on one computer: three in sessions and a fourth offline would be four."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    begun = [started(bench, ada, workstation(name)).session for name in ("one", "two", "three")]
    with pytest.raises(AlreadyBorrowed, match=r"one .*; two .*; three") as caught:
        issued_to(bench, ada, laptop)
    assert {item.computer for item in caught.value.computers} == {"one", "two", "three"}  # type: ignore[attr-defined]
    for session in begun:
        sessions.check_in(Unit(bench.authority, ada), session.id)
    # Until the last grant that was given there has ended, a copy may run.
    bench.clock.turn(minutes=29)
    with pytest.raises(AlreadyBorrowed, match="taken until"):
        issued_to(bench, ada, laptop)
    bench.clock.turn(minutes=1)
    started(bench, ada, laptop)
    issued_to(bench, ada, laptop)
    with pytest.raises(AlreadyBorrowed, match="borrowed on laptop"):
        started(bench, ada, workstation("one"))


def insert_elsewhere(bench: Bench, actor: Actor) -> None:
    """A borrow made while a session was active, whatever borrowing itself says to that."""
    now = bench.clock()
    machine = Machine("machine-tower", "simulated", None, "tower", workstation("tower").key.public.kid)
    assert actor.member_id is not None
    held = Borrow(
        id="A" * 22,
        member_id=actor.member_id,
        member=actor.username,
        user_type="GIS Professional",
        groups=(),
        product="arcgis-pro",
        level="Advanced",
        extensions=(),
        machine=machine,
        user=DomainUser("uid:1000", "ada"),
        issued_at=now,
        expires_at=now + timedelta(days=1),
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=now + timedelta(days=1),
        decided_by="organization",
    )
    with bench.authority.database.write() as connection:
        stored_borrows.insert(connection, held, actor.member_id)


@ON_SQLITE
def test_whoever_lost_a_level_is_told_to_start_a_new_session(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    session = started(bench, ada, laptop).session
    assign(bench, "ada", "Basic")
    acts: list[Callable[[], object]] = [
        lambda: used(bench, ada, session.id),
        lambda: started(bench, ada, laptop),
    ]
    for act in acts:
        with pytest.raises(LevelNotAssigned) as caught:
            act()
        assert "start a new one" in caught.value.hint
    sessions.check_in(Unit(bench.authority, ada), session.id)
    assert started(bench, ada, laptop).session.level == "Basic"


def test_an_overallocated_product_is_not_started_but_goes_on_where_it_is_in_use(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    overassign(bench)
    assert used(bench, ada, session.id).session.id == session.id
    with pytest.raises(ProductOverallocated):
        started(bench, ada, workstation("tower"))


@ON_SQLITE
def test_over_the_limit_an_administrator_still_works(bench: Bench) -> None:
    chief = bench.administrator()
    overfill(bench)
    change_type(bench, "chief", "GIS Professional")
    start = started(bench, chief, workstation("laptop"), "arcgis-desktop")
    assert used(bench, chief, start.session.id).session.id == start.session.id


@ON_SQLITE
def test_a_product_that_has_ended_is_neither_started_nor_used(tmp_path: Path, database_url: str) -> None:
    ends_at = START + timedelta(minutes=20)

    def end_it(specification: dict[str, Any]) -> None:
        specification["products"][0]["until"] = int(ends_at.timestamp())

    bench = make_bench(database_url, tmp_path / "home", change=end_it)
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    bench.clock.turn(minutes=20)
    with pytest.raises(ProductExpired, match="2026-03-02 09:20"):
        used(bench, ada, session.id)
    with pytest.raises(ProductExpired):
        started(bench, ada, workstation("tower"))
    (row,) = log_rows(bench.authority.database, "denial")
    assert row["reason"] == "product-expired"
    bench.authority.database.close()


def test_the_settings_begin_as_documented_and_what_makes_no_sense_is_refused() -> None:
    assert SessionSettings.of({}) == SessionSettings(minutes=30, computers=3, grant_minutes=0, save_minutes=60)
    assert SessionSettings.of({"computers": 5}) == SessionSettings(computers=5)
    for values in ({"grant_minutes": 1441}, {"computers": 0}, {"minutes": True}, {"minutes": "30"}, {"seats": 3}):
        with pytest.raises(InvalidInput):
            SessionSettings.of(values)
