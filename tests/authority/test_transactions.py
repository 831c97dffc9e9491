"""One use case, one transaction: log rows, seats and tokens stand or fall together, and no two writers undo each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from authority.domain import borrows as rules
from authority.domain.borrows import Borrow
from authority.domain.members import CONSOLE, Assignment
from authority.domain.refusals import AlreadyBorrowed, Refusal, StorageUnavailable
from authority.services import borrow, endings, member_files, members
from authority.services.borrow import Issued
from authority.services.member_files import Line
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.signing import inbox
from authority.storage import assignments, organization
from authority.storage import borrows as stored
from authority.storage import members as stored_members
from authority.storage.assignments import LicenseChange
from authority.storage.counts import Counts
from tests.conftest import new_postgres_database
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import fail_inserts, issued_to, log_rows, workstation
from tests.support.database_contents import Contents, contents
from verifier.workstation.carry import Wish

LONGEST_WAIT_SECONDS = 10.0


@pytest.fixture
def postgres_bench(postgres: str, tmp_path: Path) -> Iterator[Bench]:
    found = make_bench(new_postgres_database(postgres), tmp_path / "home")
    yield found
    found.authority.database.close()


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


def wait_for_a_blocked_writer(bench: Bench) -> None:
    """Returns when some connection waits for a row lock."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        with bench.authority.database.read() as connection:
            if connection.execute(query).scalar_one():
                return
        time.sleep(0.02)
    pytest.fail("the other writer never waited")


def outcome(future: Future[Issued]) -> Issued | Refusal:
    try:
        return future.result(LONGEST_WAIT_SECONDS)
    except Refusal as error:
        return error


@pytest.mark.parametrize("ending", ["revoke", "release", "check in"])
def test_a_renewal_at_the_same_moment_does_not_undo_an_ending(postgres_bench: Bench, ending: str) -> None:
    """The ending was written first, but is committed only after the renewal has looked at the borrow."""
    bench, laptop = postgres_bench, workstation("laptop")
    ada, now = bench.member("ada"), bench.clock()
    issued = issued_to(bench, ada, laptop, days=2)
    receipt = inbox.read_receipt(laptop.receipt_for(issued.file, now))
    ended: Callable[[Borrow], Borrow] = {
        "revoke": lambda found: rules.revoked(found, "lost", now),
        "release": lambda found: rules.released(found, "lost", now, accept_overlap=True),
        "check in": lambda found: rules.checked_in(found, receipt, None, now),
    }[ending]
    with ThreadPoolExecutor(1) as pool:
        with bench.authority.database.write() as connection:
            found = stored.get(connection, issued.borrow.id, lock=True)
            assert found is not None
            stored.update(connection, ended(found))
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
            found = stored_members.by_username(connection, "ada")
            assert found is not None
            for item in assignments.of_member(connection, found.id):
                assignments.put(connection, [LicenseChange(found.id, item.product, item, None)], bench.clock())
                counts.count_license(item, None)
            stored_members.remove(connection, found.id, bench.clock())
            counts.count_member(found, None)
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
