"""An older copy of the database is noticed, nothing is signed from it, and catching up takes in what went out meanwhile."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from authority.domain.borrows import BorrowState
from authority.domain.catalogue import KeyUse
from authority.domain.disk import DiskFailed
from authority.domain.members import CONSOLE
from authority.domain.refusals import DatabaseBehind, KeyUnusable, Refusal
from authority.services import (
    borrow,
    catching_up,
    endings,
    keys,
    log_verification,
    members,
    overview,
    reconciling,
    seals,
    status_lists,
)
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.signing import key_folder, own_texts
from authority.signing.floors import Floor, Floors
from authority.signing.issued_log import IssuedLog
from authority.storage import events
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import claims_of, issued_to, seats_held, workstation
from tests.support.console import Console
from tests.support.older_copies import copy_of, put_back
from verifier.workstation.carry import Wish


def recorded(bench: Bench) -> Bench:
    """The bench with its records in its home, as a home that was set up has them."""
    authority = replace(bench.authority, floors=Floors(bench.home / "floors.json"), issued=IssuedLog(bench.home / "issued"))
    return replace(bench, authority=authority)


def unit(bench: Bench) -> Unit:
    return Unit(bench.authority, CONSOLE)


def state(bench: Bench, borrow_id: str) -> BorrowState:
    return borrow.show(unit(bench), borrow_id).state(bench.clock())


def ended_places(bench: Bench) -> frozenset[int]:
    list_text = json.loads(status_lists.export(unit(bench)))["status_list"]
    return own_texts.status_list_of(list_text).ended


def place_of(file: bytes) -> int:
    return int(claims_of(file)["status"]["status_list"]["idx"])


def test_t42_nothing_is_signed_from_an_older_copy_until_what_went_out_is_taken_in(bench: Bench) -> None:
    bench = recorded(bench)
    ada, bea = bench.member("ada"), bench.member("bea")
    early = issued_to(bench, ada, workstation("early"))
    older = copy_of(bench.authority.database)
    late = issued_to(bench, bea, workstation("late"))
    endings.revoke(unit(bench), early.borrow.id, "stolen")
    before = own_texts.status_list_of(json.loads(status_lists.export(unit(bench)))["status_list"])
    put_back(bench.authority, older)

    bench.clock.turn(hours=2)
    for refused in (
        lambda: status_lists.export(unit(bench)),
        lambda: status_lists.published(unit(bench)),
        lambda: issued_to(bench, bea, workstation("another")),
        lambda: overview.check_ready(unit(bench)),
        lambda: reconciling.check_nothing_lost(unit(bench)),
    ):
        with pytest.raises(DatabaseBehind):
            refused()
    assert state(bench, early.borrow.id) is BorrowState.ACTIVE

    dry = catching_up.catch_up(unit(bench), dry_run=True)
    with pytest.raises(DatabaseBehind):
        status_lists.export(unit(bench))
    result = catching_up.catch_up(unit(bench))
    assert result.list_seq == dry.list_seq
    assert [orphan.token.borrow_id for orphan in result.taken_in] == [late.borrow.id]
    newest = json.loads(status_lists.export(unit(bench)))["status_list"]
    # At the least one for each second in which another node may have published.
    assert own_texts.status_list_of(newest).seq == result.list_seq
    assert result.list_seq is not None
    assert result.list_seq >= before.seq + 2 * 3600
    assert ended_places(bench) == {place_of(early.file)}
    assert state(bench, early.borrow.id) is BorrowState.REVOKED
    assert state(bench, late.borrow.id) is BorrowState.ACTIVE
    assert reconciling.check_nothing_lost(unit(bench)).orphans == ()
    overview.check_ready(unit(bench))
    assert catching_up.catch_up(unit(bench)).list_seq is None


def test_t26_what_a_promoted_replica_lost_is_found_and_has_its_seats_again(bench: Bench) -> None:
    bench = recorded(bench)
    ada, bea = bench.member("ada"), bench.member("bea")
    laptop = workstation("one")
    first = issued_to(bench, ada, laptop, days=3)
    replica = copy_of(bench.authority.database)
    bench.clock.turn(minutes=5)
    renewed = issued_to(bench, ada, laptop, days=7)
    lost = issued_to(bench, bea, workstation("two"))
    put_back(bench.authority, replica)

    comparison = reconciling.compare(unit(bench))
    assert {orphan.token.jti for orphan in comparison.orphans} == {claims_of(issued.file)["jti"] for issued in (renewed, lost)}
    # The list of before is the newest: only the log of tokens knows.
    assert comparison.behind is None
    with pytest.raises(DatabaseBehind, match="2 tokens went out"):
        reconciling.check_nothing_lost(unit(bench))
    catching_up.catch_up(unit(bench))
    assert borrow.show(unit(bench), first.borrow.id).expires_at == renewed.borrow.expires_at
    assert borrow.show(unit(bench), lost.borrow.id).member == "bea"
    assert seats_held(bench, "arcgis-pro", lost.borrow.level) == 2
    # What was lost is as before: the same token again, and it can be ended.
    assert claims_of(borrow.newest_file(unit(bench), lost.borrow.id)) == claims_of(lost.file)
    endings.revoke(unit(bench), lost.borrow.id, "lost in a taxi")
    assert place_of(lost.file) in ended_places(bench)


def test_a_request_that_was_answered_anew_keeps_both_tokens(bench: Bench) -> None:
    bench = recorded(bench)
    ada, laptop = bench.member("ada"), workstation("one")
    issued_to(bench, bench.member("bea"), workstation("first"))
    older = copy_of(bench.authority.database)
    request = laptop.request(Wish("arcgis-pro"), bench.clock())
    first = borrow.issue(Unit(bench.authority, ada), request)
    put_back(bench.authority, older)
    # No list went out since, so that nothing says yet that the database is behind.
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert again.borrow.id != first.borrow.id
    catching_up.catch_up(unit(bench))
    for issued in (first, again):
        assert state(bench, issued.borrow.id) is BorrowState.ACTIVE
    assert borrow.issue(Unit(bench.authority, ada), request).file == again.file


def test_a_borrow_of_a_member_who_is_lost_too_is_there_under_the_name(bench: Bench) -> None:
    bench = recorded(bench)
    issued_to(bench, bench.member("ada"), workstation("one"))
    older = copy_of(bench.authority.database)
    lost = issued_to(bench, bench.member("bea"), workstation("two"))
    put_back(bench.authority, older)
    before = members.membership(unit(bench)).current
    catching_up.catch_up(unit(bench))
    assert borrow.show(unit(bench), lost.borrow.id).member == "bea"
    assert members.membership(unit(bench)).current == before
    members.add(unit(bench), NewMember("bea", user_type="GIS Professional"))


def test_places_of_tokens_that_nobody_knows_stay_ended_and_are_given_to_nobody(bench: Bench) -> None:
    bench = recorded(bench)
    ada = bench.member("ada")
    older = copy_of(bench.authority.database)
    lost = issued_to(bench, ada, workstation("one"))
    endings.revoke(unit(bench), lost.borrow.id, "stolen")
    status_lists.export(unit(bench))
    put_back(bench.authority, older)
    log = bench.authority.issued
    shutil.move(bench.home / "issued", bench.home / "away")
    log.close()
    place = place_of(lost.file)
    catching_up.catch_up(unit(bench))
    assert place in ended_places(bench)

    drawn: list[int] = []
    numbers = iter([place, place, place + 1])

    def random_bytes(size: int) -> bytes:
        if size != 8:
            return bench.authority.random_bytes(size)
        drawn.append(next(numbers))
        return drawn[-1].to_bytes(8)

    unlucky = replace(bench, authority=replace(bench.authority, random_bytes=random_bytes))
    again = issued_to(unlucky, ada, workstation("two"))
    assert drawn == [place, place, place + 1]
    assert place_of(again.file) == place + 1

    # The log of the node that gave it turns up: now it is known whose the place is.
    other = reconciling.node_in(bench.home / "away")
    catching_up.catch_up(unit(bench), [other])
    assert state(bench, lost.borrow.id) is BorrowState.REVOKED
    assert place in ended_places(bench)
    bench.clock.turn(days=1000)
    assert reconciling.compare(unit(bench), [other]).orphans == ()


def test_two_nodes_that_published_the_same_number_are_told_apart(bench: Bench) -> None:
    bench = recorded(bench)
    other = replace(bench, authority=replace(bench.authority, floors=Floors(bench.home / "other.json")))
    mine, theirs = (issued_to(bench, bench.member(name), workstation(name)) for name in ("ada", "bea"))
    replica = copy_of(bench.authority.database)
    endings.revoke(unit(bench), mine.borrow.id, "stolen")
    status_lists.export(unit(bench))
    put_back(bench.authority, replica)
    endings.revoke(unit(other), theirs.borrow.id, "stolen")
    status_lists.export(unit(other))
    # Theirs has the number of mine, and goes on.
    for _ in range(2):
        with pytest.raises(DatabaseBehind, match="another one than the one that went out"):
            status_lists.published(unit(bench))
        bench.clock.turn(hours=2)
        status_lists.export(unit(other))
    catching_up.catch_up(unit(bench))
    assert ended_places(bench) == ended_places(other) == {place_of(mine.file), place_of(theirs.file)}


def test_what_cannot_be_recorded_does_not_leave_and_the_same_request_gets_it_later(sqlite_bench: Bench) -> None:
    bench = recorded(sqlite_bench)
    request = workstation("one").request(Wish("arcgis-pro"), bench.clock())
    ada = bench.member("ada")
    for name in ("floors.json", "issued"):
        # A folder where a file belongs, and the other way round.
        (bench.home / name).mkdir() if name == "floors.json" else (bench.home / name).touch()
        with pytest.raises(Refusal) as caught:
            borrow.issue(Unit(bench.authority, ada), request)
        assert caught.value.code == "disk-failed"
        (bench.home / name).rmdir() if name == "floors.json" else (bench.home / name).unlink()
    issued = borrow.issue(Unit(bench.authority, ada), request)
    assert not issued.is_new
    assert reconciling.check_nothing_lost(unit(bench)).tokens == 1


def test_the_numbers_of_events_jump_too(bench: Bench) -> None:
    bench = recorded(bench)
    issued_to(bench, bench.member("ada"), workstation("one"))
    older = copy_of(bench.authority.database)
    issued_to(bench, bench.member("bea"), workstation("two"))
    with bench.authority.database.read() as connection:
        before = events.last(connection)
    put_back(bench.authority, older)
    catching_up.catch_up(unit(bench))
    with bench.authority.database.read() as connection:
        assert events.last(connection) > before


def test_a_home_that_was_lost_with_the_database_jumps_when_told(sqlite_bench: Bench) -> None:
    bench = recorded(sqlite_bench)
    issued_to(bench, bench.member("ada"), workstation("one"))
    before = own_texts.status_list_of(json.loads(status_lists.export(unit(bench)))["status_list"])
    bench = replace(bench, authority=replace(bench.authority, floors=Floors(), issued=IssuedLog()))
    assert catching_up.catch_up(unit(bench)).list_seq is None
    jumped = catching_up.catch_up(unit(bench), jump=True).list_seq
    assert jumped is not None
    assert jumped >= before.seq + catching_up.LISTS_AT_ONCE


def test_another_organizations_records_are_not_taken_in(sqlite_bench: Bench) -> None:
    bench = recorded(sqlite_bench)
    bench.authority.floors.raise_to(Floor("somebody-else"))
    for refused in (reconciling.check_nothing_lost, catching_up.catch_up):
        with pytest.raises(DatabaseBehind, match="somebody-else"):
            refused(unit(bench))


def test_a_key_that_was_retired_here_does_not_come_back_unseen(sqlite_bench: Bench) -> None:
    bench = recorded(sqlite_bench)
    (status_key,) = bench.authority.ring.kids(KeyUse.STATUS)
    keys.rotate(unit(bench), [KeyUse.STATUS])
    keys.retire(unit(bench), status_key, is_stolen=True)
    reconciling.check_nothing_lost(unit(bench))
    (bench.home / "keys" / "retired.json").unlink()
    ring = key_folder.load_ring(bench.home / "keys", None)
    with pytest.raises(KeyUnusable, match=status_key):
        reconciling.check_nothing_lost(unit(replace(bench, authority=replace(bench.authority, ring=ring))))


def test_t42_case_of_a_backup_that_was_put_back_by_hand(console: Console, tmp_path: Path) -> None:
    night, database = tmp_path / "night.db", console.home / "authority.db"
    for name in ("bea", "cem"):
        console.good("member", "add", name, "--type", "GIS Professional")
    first = console.borrow(workstation("one"), "ada", days=25)
    with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(sqlite3.connect(night)) as target:
        source.backup(target)
    for name in ("bea", "cem"):
        lost = console.borrow(workstation(name), name, days=25)
        console.good("borrow", "release", lost["id"], "--reason", "lost", "--accept-overlap")
        console.good("status-list", "export", "-o", str(tmp_path / "newest.status"))
    for path in console.home.glob("authority.db*"):
        path.unlink()
    shutil.copy(night, database)
    database.chmod(0o600)

    ended = console.run("--json", "doctor")
    assert ended.status == 3
    (line,) = [row for row in ended.json if not row["ok"]]
    assert line["subject"] == "what went out"
    assert "carnet-authority catch-up" in line["message"]
    console.good("borrow", "revoke", first["id"], "--reason", "left the company")
    after = str(tmp_path / "after.status")
    for command in (("status-list", "export", "-o", after), ("serve", "--port", "0")):
        console.refused("database-behind", 3, *command)
    assert not Path(after).exists()

    orphans = json.loads(console.run("--json", "doctor", "--reconcile").out)["orphans"]
    # Tokens of one second stand in no order.
    assert sorted((orphan["member"], orphan["ended"]) for orphan in orphans) == [("bea", True), ("cem", True)]
    dry = console.good("catch-up", "--dry-run")
    assert console.run("doctor", "--reconcile").status == 3
    assert console.good("catch-up")["next_status_list"] >= dry["next_status_list"]
    assert console.run("doctor").status == console.run("doctor", "--reconcile").status == 0
    console.good("status-list", "export", "-o", after)
    newest, last = (
        own_texts.status_list_of(json.loads(Path(name).read_bytes())["status_list"])
        for name in (after, tmp_path / "newest.status")
    )
    assert newest.seq > last.seq
    assert newest.ended > last.ended
    assert {row["member"] for row in console.good("borrow", "list", "--state", "revoked")} == {"ada", "bea", "cem"}
    assert "nothing was done" in console.run("catch-up").err


@ON_SQLITE
def test_a_record_of_what_went_out_that_cannot_be_read_is_said_with_the_way_out(bench: Bench) -> None:
    """`catch-up` cannot take in what nobody can read, so that nobody is sent there."""
    bench = recorded(bench)
    issued_to(bench, bench.member("ada"), workstation("laptop"))
    seals.seal(unit(bench))
    path = bench.home / "floors.json"
    good = path.read_bytes()
    for name, change in (
        ("checkpoint", {"text": "garbage"}),
        ("status_list", {"text": "a.b.c"}),
        ("status_list", {"number": 7}),
        ("checkpoint", {"number": -5}),
    ):
        value = json.loads(good)
        path.write_text(json.dumps(value | {name: value[name] | change}))
        refused: list[Callable[[Unit], object]] = [reconciling.check_nothing_lost, catching_up.catch_up]
        refused += [log_verification.verify] if change == {"text": "garbage"} else []
        for call in refused:
            with pytest.raises(DiskFailed) as caught:
                call(unit(bench))
            assert "Put back a copy of it" in caught.value.hint, (name, change)
    path.write_bytes(good)
    (log,) = bench.authority.issued.paths()
    log.write_bytes(log.read_bytes() + json.dumps(json.loads(log.read_bytes()) | {"jti": "x", "payload": "x"}).encode() + b"\n")
    assert reconciling.check_nothing_lost(unit(bench)).damaged == 1
