"""License activity: when each member last used a product, who is at it now, who is offline (seed S1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from authority.domain.activity import Activity
from authority.domain.members import CONSOLE, Actor
from authority.domain.refusals import BorrowRefused, InvalidInput, NoSuchProduct, NotAllowed
from authority.services import activity, borrow, endings, licenses, members, removal, sessions
from authority.services.activity import Wanted
from authority.services.unit import Unit
from authority.storage.member_lists import Filter
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import configure, started, used
from tests.support.organizations import actor
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

PRO, ALLSOURCE, DESKTOP = "arcgis-pro", "arcgis-allsource", "arcgis-desktop"


def everyone(bench: Bench, product: str = PRO) -> dict[str, Activity]:
    page, cursor = activity.listed(Unit(bench.authority, CONSOLE), product, Wanted(Filter(limit=1000)))
    assert cursor is None
    return {item.member: item for item in page}


def of(bench: Bench, name: str = "ada", product: str = PRO) -> Activity:
    return everyone(bench, product)[name]


def look(bench: Bench, name: str = "ada", product: str = PRO) -> tuple[str, str | None, datetime | None, datetime | None]:
    """The dot, the computer, since and until."""
    row = of(bench, name, product)
    return row.state(bench.authority.now()), row.computer(), row.since(), row.until()


def use(bench: Bench, member: Actor, laptop: SimulatedWorkstation, product: str = PRO) -> Any:
    return started(bench, member, laptop, product).session


def test_who_holds_a_named_product_is_listed_used_or_not(bench: Bench) -> None:
    bench.member("ada")
    bench.member("vera", user_type="Viewer")
    bench.member("eve", user_type="Creator")
    licenses.assign(Unit(bench.authority, CONSOLE), "eve", ALLSOURCE, "Basic", ())
    assert list(everyone(bench)) == ["ada"]
    assert list(everyone(bench, ALLSOURCE)) == ["eve"]
    row = of(bench)
    assert (row.last_used_at, row.days_since_last_used(bench.clock())) == (None, None)
    assert look(bench) == ("none", None, None, None)


def test_who_used_a_concurrent_product_is_listed_for_ever(bench: Bench) -> None:
    ada, eve = bench.member("ada"), bench.member("eve")
    bench.member("bob")
    use(bench, ada, workstation("tower"), DESKTOP)
    issued_to(bench, eve, workstation("laptop"), DESKTOP, days=1)
    assert list(everyone(bench, DESKTOP)) == ["ada", "eve"]
    bench.clock.turn(days=400)
    assert [item.days_since_last_used(bench.clock()) for item in everyone(bench, DESKTOP).values()] == [400, 400]


def test_green_for_thirty_minutes_from_the_last_use(bench: Bench) -> None:
    """A green dot says that the member used the product in the last 30 minutes (seed S1)."""
    ada = bench.member("ada")
    session = use(bench, ada, workstation("tower"))
    assert look(bench) == ("green", "tower", START, None)
    bench.clock.turn(minutes=20)
    used(bench, ada, session.id)
    bench.clock.turn(minutes=29, seconds=59)
    assert look(bench) == ("green", "tower", START, None)
    bench.clock.turn(seconds=1)
    assert look(bench) == ("none", None, None, None)
    assert of(bench).last_used_at == START + timedelta(minutes=20)


@ON_SQLITE
def test_green_also_after_the_session_was_ended(bench: Bench) -> None:
    """It usually, and not always, means that there is an active session (seed S1)."""
    ada = bench.member("ada")
    session = use(bench, ada, workstation("tower"))
    sessions.check_in(Unit(bench.authority, ada), session.id)
    row = of(bench)
    assert (row.state(bench.clock()), row.active(bench.clock())) == ("green", ())


def test_green_follows_use_and_not_the_time_a_session_lasts(sqlite_bench: Bench) -> None:
    configure(sqlite_bench, minutes=60)
    use(sqlite_bench, sqlite_bench.member("ada"), workstation("tower"))
    sqlite_bench.clock.turn(minutes=45)
    row = of(sqlite_bench)
    assert row.state(sqlite_bench.clock()) == "none"
    assert [item.machine.alias for item in row.active(sqlite_bench.clock())] == ["tower"]


def test_red_while_offline_with_computer_since_and_until(bench: Bench) -> None:
    """A red dot says that the member authorized the product for offline use (seed S1)."""
    ada, laptop = bench.member("ada"), workstation("field-laptop")
    issued = issued_to(bench, ada, laptop, days=3)
    bench.clock.turn(days=2)
    assert look(bench) == ("red", "field-laptop", START, START + timedelta(days=3))
    assert [item.id for item in of(bench).borrows] == [issued.borrow.id]
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    assert look(bench) == ("none", None, None, None)
    assert of(bench).last_used_at == START + timedelta(days=2)


def test_red_ends_when_the_time_is_over_or_an_administrator_ended_it(bench: Bench) -> None:
    for name in ("ada", "bob", "eve"):
        issued_to(bench, bench.member(name), workstation(name), days=3)
    endings.revoke(Unit(bench.authority, CONSOLE), of(bench, "bob").borrows[0].id, "stolen")
    endings.release(Unit(bench.authority, CONSOLE), of(bench, "eve").borrows[0].id, "lost", accept_overlap=True)
    assert [look(bench, name)[0] for name in ("ada", "bob", "eve")] == ["red", "none", "none"]
    bench.clock.turn(days=3)
    assert look(bench) == ("none", None, None, None)


@ON_SQLITE
def test_offline_comes_before_a_session_beside_it(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued_to(bench, ada, laptop, days=3)
    bench.clock.turn(hours=1)
    use(bench, ada, laptop)
    assert look(bench) == ("red", "laptop", START, START + timedelta(days=3))
    assert of(bench).last_used_at == START + timedelta(hours=1)
    assert len(of(bench).active(bench.clock())) == 1


def test_checkout_renewal_and_check_in_of_a_borrow_count_as_use(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = issued_to(bench, ada, laptop, days=3)
    assert of(bench).last_used_at == START
    bench.clock.turn(days=1)
    issued_to(bench, ada, laptop, days=9)
    assert of(bench).last_used_at == START + timedelta(days=1)
    bench.clock.turn(days=20)
    assert (look(bench)[0], of(bench).last_used_at) == ("none", START + timedelta(days=1))
    again = issued_to(bench, ada, laptop, days=3)
    assert again.borrow.id != first.borrow.id
    bench.clock.turn(hours=5)
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(again.file, bench.clock()))
    assert of(bench).last_used_at == START + timedelta(days=21, hours=5)


def test_the_member_is_shown_with_the_last_use_of_any_license(bench: Bench) -> None:
    """Connected or offline: a checkout, a renewal, a check-in, a session."""
    ada, laptop = bench.member("ada"), workstation("laptop")

    def last_used() -> datetime | None:
        (row,) = [item for item in members.every(Unit(bench.authority, CONSOLE)) if item.username == "ada"]
        assert members.show(Unit(bench.authority, CONSOLE), "ada")[0].last_used_at == row.last_used_at
        return row.last_used_at

    assert last_used() is None
    request = laptop.request(Wish(PRO, days=3), bench.clock())
    issued = borrow.issue(Unit(bench.authority, ada), request)
    assert last_used() == START
    renewed_at = bench.clock.turn(hours=1)
    issued_to(bench, ada, laptop, days=9)
    assert last_used() == renewed_at
    bench.clock.turn(hours=1)
    borrow.issue(Unit(bench.authority, ada), request)
    with pytest.raises(BorrowRefused):
        issued_to(bench, ada, laptop, days=31)
    assert last_used() == renewed_at
    used_at = bench.clock.turn(hours=1)
    use(bench, ada, laptop)
    assert last_used() == used_at
    back_at = bench.clock.turn(hours=1)
    receipt = laptop.receipt_for(issued.file, bench.clock())
    endings.check_in(Unit(bench.authority, CONSOLE), receipt)
    assert last_used() == back_at
    bench.clock.turn(hours=1)
    endings.check_in(Unit(bench.authority, CONSOLE), receipt)
    lost = issued_to(bench, ada, laptop, DESKTOP)
    out_at = bench.clock()
    bench.clock.turn(hours=1)
    endings.release(Unit(bench.authority, CONSOLE), lost.borrow.id, "lost", accept_overlap=True)
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(lost.file, bench.clock()))
    assert last_used() == out_at


def test_who_did_not_use_it_is_found_by_the_last_use_that_is_shown(bench: Bench) -> None:
    """Assigned, borrowed, renewed, given back, connected and offline still: each as many days after another."""
    people = {name: bench.member(name) for name in ("assigned", "away", "borrowed", "connected", "renewed", "returned")}
    machines = {name: workstation(name) for name in people}
    bench.clock.turn(days=10)
    issued = {name: issued_to(bench, people[name], machines[name], days=15) for name in ("borrowed", "renewed", "returned")}
    issued_to(bench, people["away"], machines["away"], days=30)
    bench.clock.turn(days=5)
    issued_to(bench, people["renewed"], machines["renewed"], days=5)
    use(bench, people["connected"], machines["connected"])
    bench.clock.turn(days=2)
    receipt = machines["returned"].receipt_for(issued["returned"].file, bench.clock())
    endings.check_in(Unit(bench.authority, people["returned"]), receipt)
    bench.clock.turn(days=13)
    work, unused = Unit(bench.authority, CONSOLE), set[str]()
    for days in (0, 13, 14, 15, 16, 20, 21, 30, 31):
        span = timedelta(days=days)
        page = activity.page(work, PRO, Wanted(unused_for=span))
        names = {
            name
            for name, row in everyone(bench).items()
            if not row.borrows and bench.clock() - (row.last_used_at or row.assigned_at or START) >= span
        }
        assert ({row.member for row in page.rows}, page.place.total) == (names, len(names)), days
        unused |= names
    assert unused == people.keys() - {"away"}


@ON_SQLITE
def test_what_an_administrator_does_to_a_borrow_is_no_use_of_it(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, days=9)
    bench.clock.turn(days=1)
    endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "stolen")
    assert of(bench).last_used_at == START
    bench.clock.turn(days=1)
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    assert of(bench).last_used_at == START + timedelta(days=2)


@ON_SQLITE
@pytest.mark.parametrize("is_released", [False, True], ids=["by time", "released"])
def test_a_return_that_comes_late_is_no_use(bench: Bench, is_released: bool) -> None:
    """The license was of no use any more; a renewal before is told as ever."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, days=2)
    bench.clock.turn(days=1)
    issued_to(bench, ada, laptop, days=2)
    if is_released:
        bench.clock.turn(days=1)
        endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True)
    bench.clock.turn(days=5)
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    assert of(bench).last_used_at == START + timedelta(days=1)


@ON_SQLITE
def test_each_product_has_a_last_use_of_its_own(bench: Bench) -> None:
    ada = bench.member("ada")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", ALLSOURCE, "Basic", ())
    use(bench, ada, workstation("tower"))
    bench.clock.turn(days=1)
    use(bench, ada, workstation("tower"), DESKTOP)
    assert of(bench).last_used_at == START
    assert of(bench, product=DESKTOP).last_used_at == START + timedelta(days=1)
    assert of(bench, product=ALLSOURCE).last_used_at is None
    assert (look(bench)[0], look(bench, product=DESKTOP)[0]) == ("none", "green")


@pytest.mark.parametrize(
    ("passed", "days"), [({"hours": 23, "minutes": 59}, 0), ({"days": 1}, 1), ({"days": 89, "hours": 23}, 89)]
)
def test_days_since_the_last_use_are_whole_ones(sqlite_bench: Bench, passed: dict[str, float], days: int) -> None:
    use(sqlite_bench, sqlite_bench.member("ada"), workstation("tower"))
    sqlite_bench.clock.turn(**passed)
    assert of(sqlite_bench).days_since_last_used(sqlite_bench.authority.now()) == days


def test_no_days_are_negative() -> None:
    """The clock of another node may be ahead."""
    row = Activity("ada", "", "Creator", PRO, START + timedelta(seconds=1), (), ())
    assert row.days_since_last_used(START) == 0


def test_who_holds_nothing_any_more_is_listed_while_offline_or_at_it(bench: Bench) -> None:
    for name in ("ada", "bob", "eve"):
        bench.member(name)
    issued_to(bench, actor(bench, "ada"), workstation("laptop"), days=3)
    use(bench, actor(bench, "bob"), workstation("tower"))
    licenses.unassign(Unit(bench.authority, CONSOLE), ["ada", "bob", "eve"], PRO)
    assert list(everyone(bench)) == ["ada", "bob"]
    bench.clock.turn(days=3)
    assert everyone(bench) == {}


@ON_SQLITE
def test_a_removed_member_is_not_listed_nor_taken_for_a_new_one(bench: Bench) -> None:
    use(bench, bench.member("ada"), workstation("tower"))
    use(bench, bench.member("eve"), workstation("tower"), DESKTOP)
    removal.remove(Unit(bench.authority, CONSOLE), ["ada", "eve"])
    bench.member("ada")
    assert of(bench).last_used_at is None
    assert look(bench) == ("none", None, None, None)
    assert everyone(bench, DESKTOP) == {}


def test_of_several_borrows_the_one_that_ends_last_is_shown_first(bench: Bench) -> None:
    ada = bench.member("ada")
    for name, days in (("short", 1), ("long", 9), ("middle", 5)):
        issued_to(bench, ada, workstation(name), DESKTOP, days=days)
    assert look(bench, product=DESKTOP) == ("red", "long", START, START + timedelta(days=9))
    assert [item.machine.alias for item in of(bench, product=DESKTOP).borrows] == ["long", "middle", "short"]


def test_a_machine_without_an_alias_is_shown_by_its_id(sqlite_bench: Bench) -> None:
    tower = workstation("tower")
    tower.name = ""
    started(sqlite_bench, sqlite_bench.member("ada"), tower)
    assert of(sqlite_bench).computer() == "machine-"


def test_pages_follow_each_other_by_name_and_end(bench: Bench) -> None:
    for name in ("Eve+1@x.org", "bob", "ada", "zoe"):
        bench.member(name)
    names: list[str] = []
    cursor = None
    while True:
        page, cursor = activity.listed(Unit(bench.authority, CONSOLE), PRO, Wanted(Filter(limit=3)), cursor=cursor)
        names += [item.member for item in page]
        if cursor is None:
            break
    assert names == ["ada", "bob", "Eve+1@x.org", "zoe"]
    assert activity.listed(Unit(bench.authority, CONSOLE), PRO, Wanted(Filter(limit=4)))[1] is None


def test_the_number_of_queries_does_not_grow_with_the_members(sqlite_bench: Bench) -> None:
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    def queries() -> int:
        nonlocal statements
        statements = 0
        everyone(sqlite_bench)
        return statements

    use(sqlite_bench, sqlite_bench.member("ada"), workstation("tower"))
    issued_to(sqlite_bench, sqlite_bench.member("eve"), workstation("eve"))
    sqlalchemy_event.listen(sqlite_bench.authority.database.engine, "before_cursor_execute", count)
    few = queries()
    for number in range(20):
        use(sqlite_bench, sqlite_bench.member(f"m{number}"), workstation(f"m{number}"))
        issued_to(sqlite_bench, sqlite_bench.member(f"n{number}"), workstation(f"n{number}"))
    assert queries() == few


def test_unknown_products_and_foreign_cursors_are_refused(sqlite_bench: Bench) -> None:
    with pytest.raises(NoSuchProduct):
        activity.listed(Unit(sqlite_bench.authority, CONSOLE), "arcgis-mars")
    with pytest.raises(InvalidInput, match="cursor"):
        activity.listed(Unit(sqlite_bench.authority, CONSOLE), PRO, cursor="x")
    with pytest.raises(NotAllowed):
        activity.listed(Unit(sqlite_bench.authority, sqlite_bench.member("ada")), PRO)
