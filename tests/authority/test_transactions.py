"""One use case, one transaction: log rows, seats and tokens stand or fall together, and no two writers undo each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from authority.domain import endings as rules
from authority.domain.borrows import Borrow
from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE, Assignment
from authority.domain.refusals import AlreadyBorrowed, Refusal, StorageUnavailable
from authority.services import borrow, endings, log, member_files, members
from authority.services.borrow import Issued
from authority.services.member_files import Line
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.signing import inbox
from authority.storage import assignments, events, organization
from authority.storage import borrows as stored
from authority.storage import members as stored_members
from authority.storage.assignments import LicenseChange
from authority.storage.borrows import Filter
from authority.storage.counts import Counts
from authority.storage.db.tables import events as events_table
from tests.conftest import new_postgres_database
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import at_once, codes, fail_inserts, issued_to, workstation
from tests.support.database_contents import Contents, contents, log_rows
from verifier.workstation.carry import Wish

LONGEST_WAIT_SECONDS = 60.0


@pytest.fixture
def postgres_bench(postgres: str, tmp_path: Path) -> Iterator[Bench]:
    own = make_bench(new_postgres_database(postgres), tmp_path / "home")
    yield own
    own.authority.database.close()


def contents_but_lists(bench: Bench) -> Contents:
    """What a borrow or its refusal may change; a status list may be published whatever becomes of it."""
    return {name: rows for name, rows in contents(bench.authority.database).items() if name != "status_lists"}


def test_without_its_log_row_no_borrow_is_made_and_the_same_request_works_later(bench: Bench) -> None:
    ada = bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro"), bench.clock())
    before = contents_but_lists(bench)
    restore = fail_inserts(bench.authority.database, "events", "checkout")
    with pytest.raises(StorageUnavailable):
        borrow.issue(Unit(bench.authority, ada), request)
    assert contents_but_lists(bench) == before
    restore()
    assert borrow.issue(Unit(bench.authority, ada), request).is_new
    after = contents_but_lists(bench)
    assert {name: len(after[name]) - len(before[name]) for name in after if after[name] != before[name]} == {
        "borrows": 1,
        "holds": 1,
        "tokens": 1,
        "events": 1,
        # The member's last use.
        "members": 0,
    }


def test_without_its_log_row_no_renewal_is_made(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = issued_to(bench, ada, laptop, days=2)
    before = contents_but_lists(bench)
    fail_inserts(bench.authority.database, "events", "renewal")
    with pytest.raises(StorageUnavailable):
        issued_to(bench, ada, laptop, days=9)
    assert contents_but_lists(bench) == before
    assert borrow.show(Unit(bench.authority, ada), first.borrow.id) == first.borrow
    assert borrow.newest_file(Unit(bench.authority, ada), first.borrow.id) == first.file


@pytest.mark.parametrize("kind", ["checkin", "revocation", "release"])
def test_without_its_log_row_nothing_ends(bench: Bench, kind: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, days=2)
    receipt = laptop.receipt_for(issued.file, bench.clock())
    acts: dict[str, Callable[[], object]] = {
        "checkin": lambda: endings.check_in(Unit(bench.authority, ada), receipt),
        "revocation": lambda: endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost"),
        "release": lambda: endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True),
    }
    restore = fail_inserts(bench.authority.database, "events", kind)
    with pytest.raises(StorageUnavailable):
        acts[kind]()
    assert borrow.show(Unit(bench.authority, ada), issued.borrow.id) == issued.borrow
    restore()
    acts[kind]()
    assert len(log_rows(bench.authority.database, kind)) == 1


def test_without_its_log_row_no_member_is_added_and_nothing_is_assigned(bench: Bench) -> None:
    before = contents_but_lists(bench)
    fail_inserts(bench.authority.database, "events", "license-assigned")
    with pytest.raises(StorageUnavailable):
        members.add(Unit(bench.authority, CONSOLE), NewMember("ada", user_type="GIS Professional"))
    assert contents_but_lists(bench) == before


def test_what_the_database_says_is_not_told_with_secrets(bench: Bench) -> None:
    """The message of the driver may be shown; statements with their values may not."""
    fail_inserts(bench.authority.database, "events", "member-added")
    with pytest.raises(StorageUnavailable) as caught:
        members.add(Unit(bench.authority, CONSOLE), NewMember("ada", password="correct horse battery"))
    assert "INSERT" not in caught.value.message
    assert "argon2" not in str(caught.value)


def is_anybody_blocked(bench: Bench) -> bool:
    """True while some connection waits for a lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    with bench.authority.database.read() as connection:
        return bool(connection.execute(query).scalar_one())


def wait_until(is_so: Callable[[], bool]) -> None:
    """Returns when it is so."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.02)
    pytest.fail("it never came to be")


def wait_for_a_blocked_writer(bench: Bench) -> None:
    """Returns when some connection waits for a row lock."""
    wait_until(lambda: is_anybody_blocked(bench))


def pages_of_events(bench: Bench, after: int) -> list[int]:
    """The numbers of checkouts as `GET /events` pages them."""
    rows = log.page(Unit(bench.authority, CONSOLE), after, ("checkout",), 100)
    return [row["id"] for row in rows]


def checkout_log_lines(bench: Bench, after: int) -> list[int]:
    """The numbers of checkouts as the checkout log has them, those that an export before had left out."""
    return [row["line"] for row in log.checkout_log(Unit(bench.authority, CONSOLE)) if row["line"] > after]


def outcome(future: Future[Issued]) -> Issued | Refusal:
    try:
        return future.result(LONGEST_WAIT_SECONDS)
    except Refusal as error:
        return error


def test_borrows_renewals_and_check_ins_of_one_member_at_once_do_not_wait_for_each_other(postgres_bench: Bench) -> None:
    """All of them write when the member last used a license; locks are taken in one order, the member's first."""
    bench = postgres_bench
    ada = bench.member("ada")
    for number in range(8):
        laptop = workstation(f"laptop{number}")
        issued = issued_to(bench, ada, laptop, days=2)
        receipt = laptop.receipt_for(issued.file, bench.clock())
        laptop.last_receipt = None
        calls: list[Callable[[], object]] = [partial(issued_to, bench, ada, laptop, days=days) for days in range(3, 7)]
        calls += [partial(issued_to, bench, ada, laptop, "arcgis-desktop", days=days) for days in range(3, 5)]
        answers = at_once([*calls, partial(endings.check_in, Unit(bench.authority, ada), receipt)])
        assert codes(answers).keys() <= {"done", "already-borrowed"}
        for item in borrow.listed(Unit(bench.authority, ada), Filter(state="active"))[0]:
            endings.release(Unit(bench.authority, CONSOLE), item.id, "next", accept_overlap=True)


@pytest.mark.parametrize("ending", ["revoke", "release", "check in"])
def test_a_renewal_at_the_same_moment_does_not_undo_an_ending(postgres_bench: Bench, ending: str) -> None:
    """The ending was written first, but is committed only after the renewal has looked at the borrow."""
    bench, laptop = postgres_bench, workstation("laptop")
    ada, now = bench.member("ada"), bench.clock()
    issued = issued_to(bench, ada, laptop, days=2)
    receipt = inbox.read_receipt(laptop.receipt_for(issued.file, now))
    ended: Callable[[Borrow], Borrow] = {
        "revoke": lambda locked: rules.revoked(locked, "lost", now),
        "release": lambda locked: rules.released(locked, "lost", now, accept_overlap=True),
        "check in": lambda locked: rules.checked_in(locked, receipt, now),
    }[ending]
    with ThreadPoolExecutor(1) as pool:
        with bench.authority.database.write() as connection:
            locked = stored.get(connection, issued.borrow.id, lock=True)
            assert locked is not None
            stored.update(connection, ended(locked))
            future = pool.submit(issued_to, bench, ada, laptop, days=9)
            wait_for_a_blocked_writer(bench)
        answer = outcome(future)
    after = borrow.show(Unit(bench.authority, CONSOLE), issued.borrow.id)
    assert after.ended_by is not None, answer
    assert after.expires_at == issued.borrow.expires_at
    if ending == "revoke":
        assert isinstance(answer, AlreadyBorrowed)
    else:
        assert isinstance(answer, Issued)
        assert answer.borrow.id != issued.borrow.id


def test_a_file_of_members_sees_who_was_removed_at_the_same_moment(postgres_bench: Bench) -> None:
    """The removal is committed only after the import has begun: the import waits before it reads anybody."""
    bench = postgres_bench
    ada = bench.member("ada")
    row = Line(2, "ada", {"full_name": "Another Ada"})
    with ThreadPoolExecutor(1) as pool:
        with bench.authority.database.write() as connection:
            organization.lock(connection)
            counts = Counts(connection)
            future = pool.submit(member_files.import_lines, Unit(bench.authority, CONSOLE), [row])
            wait_for_a_blocked_writer(bench)
            member = stored_members.by_username(connection, "ada")
            assert member is not None
            for item in assignments.of_member(connection, member.id):
                assignments.put(connection, [LicenseChange(member.id, item.product, item, None)], bench.clock())
                counts.count_license(item, None)
            stored_members.remove(connection, member.id, bench.clock())
            counts.count_member(member, None)
            counts.write(connection)
        imported = future.result(LONGEST_WAIT_SECONDS)
    assert [(item.action, item.refusal) for item in imported.outcomes] == [("add", None)]
    added, _ = members.show(Unit(bench.authority, CONSOLE), "ada")
    assert (added.full_name, added.id != ada.member_id) == ("Another Ada", True)


def test_a_license_that_is_reassigned_at_the_same_moment_is_still_borrowed(postgres_bench: Bench) -> None:
    bench, laptop = postgres_bench, workstation("laptop")
    ada, now = bench.member("ada"), bench.clock()
    assert ada.member_id is not None
    with ThreadPoolExecutor(1) as pool:
        with bench.authority.database.write() as connection:
            before = assignments.get(connection, ada.member_id, "arcgis-pro", lock=True)
            held = Assignment("arcgis-pro", "Standard", ("3DAnalyst",), included=False)
            assignments.put(connection, [LicenseChange(ada.member_id, "arcgis-pro", before, held)], now)
            future = pool.submit(issued_to, bench, ada, laptop, days=9)
            wait_for_a_blocked_writer(bench)
        answer = outcome(future)
    assert isinstance(answer, Issued), answer
    assert answer.borrow.level == "Standard"


@pytest.mark.parametrize("read", [pages_of_events, checkout_log_lines])
def test_who_reads_the_log_in_order_misses_no_row_that_is_committed_later(
    postgres_bench: Bench, read: Callable[[Bench, int], list[int]]
) -> None:
    """Of two writers the one with the lower number commits last, and somebody reads between."""
    bench = postgres_bench
    database, row = bench.authority.database, Event(kind=EventKind.CHECKOUT, actor="console", product="p", feature="f")
    with ThreadPoolExecutor(1) as pool:
        with database.write() as early:
            events.append(early, [(bench.clock(), row)])
            with database.write() as late:
                events.append(late, [(bench.clock(), row)])
            reading = pool.submit(read, bench, 0)
            wait_until(lambda: reading.done() or is_anybody_blocked(bench))
        numbers = reading.result(LONGEST_WAIT_SECONDS)
    numbers += read(bench, max(numbers))
    with database.read() as connection:
        written = connection.execute(select(events_table.c.id).where(events_table.c.kind == "checkout")).scalars().all()
    assert len(written) == 2
    assert numbers == sorted(written)


def test_writers_of_the_log_wait_for_no_other_writer(postgres_bench: Bench) -> None:
    database, row = postgres_bench.authority.database, Event(kind=EventKind.CHECKOUT, actor="console")
    with database.write() as first, database.write() as second:
        events.append(first, [(postgres_bench.clock(), row)])
        events.append(second, [(postgres_bench.clock(), row)])
    assert len(log_rows(database, "checkout")) == 2
