"""Erasing a person and removing old rows: the log verifies before and after, counts stay, and neither hides a change."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from authority.domain.changes import differences
from authority.domain.erasure import RENAMED_BEGINS, former_name
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Role
from authority.domain.refusals import InvalidInput, LogNotIntact, MemberHasBorrow, NotAllowed, NotFound
from authority.services import borrow, endings, erasure, log_pruning, member_changes, removal, seals
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage.db.tables import borrows, events
from authority.storage.db.tables import seals as seal_table
from tests.support import sealed_logs
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.database_contents import contents, log_rows
from tests.support.sealed_logs import changed, exported, sealed_log, unit, verify, verify_lines

REASON = "asked for by the person"


def left(bench: Bench, name: str = "ada") -> str:
    """A removed member who borrowed, renamed themself and whose name stands in texts; returns the id of the borrow."""
    ada = bench.member(name, full_name="Ada Lovelace", email="ada@example.org", groups=("survey",))
    issued = issued_to(bench, ada, workstation(f"{name}-laptop")).borrow
    endings.revoke(unit(bench), issued.id, "laptop of Ada Lovelace was stolen")
    member_changes.change(unit(bench), name, Change(username=f"{name}.king"))
    bench.clock.turn(days=60)
    removal.remove(unit(bench), [f"{name}.king"])
    return issued.id


def persons(bench: Bench) -> tuple[int, int]:
    """How many members and machines the log tells apart."""
    with bench.authority.database.read() as connection:
        query = select(func.count(events.c.member.distinct()), func.count(events.c.machine.distinct()))
        members_there, machines = connection.execute(query).one()
    return members_there, machines


def test_who_was_erased_is_nowhere_and_the_log_verifies_and_counts_as_before(bench: Bench) -> None:
    borrow_id = left(bench)
    bench.member("eve", user_type="Creator")
    seals.seal(unit(bench))
    before, rows = persons(bench), contents(bench.authority.database)
    would = erasure.erase(unit(bench), "ada.king", REASON, dry_run=True)
    assert contents(bench.authority.database) == rows
    done = erasure.erase(unit(bench), "ada.king", REASON)
    assert (done.rows, done.borrows, done.tokens) == (would.rows, would.borrows, would.tokens)
    assert done.names == ("ada", "ada.king")
    assert verify(bench).faults == verify_lines(bench, exported(bench)).faults == ()
    # Both names became one, for they were one person.
    assert persons(bench) == (before[0] - 1, before[1])
    assert not re.search(
        r"(?<!erased-)\bada\b|lovelace|ada-laptop|example\.org", repr(contents(bench.authority.database)), re.IGNORECASE
    )
    with pytest.raises(NotFound):
        borrow.newest_file(unit(bench), borrow_id)
    (row,) = log_rows(bench.authority.database, "member-erased")
    assert (row["member"], row["reason"]) == (done.pseudonym, REASON)
    seals.seal(unit(bench))
    assert verify(bench).faults == ()


def test_a_person_is_found_in_every_text_however_it_is_written_and_in_the_borrows_of_others(sqlite_bench: Bench) -> None:
    """SQLite compares without case in ASCII alone."""
    bench = sqlite_bench
    bench.member("\u00f6zge", full_name="\u00d6zge \u015eahin")
    bob = bench.member("bob")
    texts = ("given to \u00d6ZGE", "given to O\u0308zge", "Mr. \u00d6zge  \u015eahin has it", "\u00f6zge-2 has another")
    borrow_id = issued_to(bench, bob, workstation("bobs")).borrow.id
    endings.revoke(unit(bench), borrow_id, texts[0])
    with (work := unit(bench)).writing():
        work.record(Event(kind=EventKind.DENIAL, actor="bob", member="bob", reason=text) for text in texts)
    removal.remove(unit(bench), ["\u00f6zge"])
    erasure.erase(unit(bench), "\u00f6zge", REASON)
    reasons = [row["reason"] for row in log_rows(bench.authority.database, "denial")]
    assert reasons == ["erased"] * 3 + [texts[3]]
    with bench.authority.database.read() as connection:
        assert connection.execute(select(borrows.c.end_reason)).scalars().all() == ["erased"]
    assert verify(bench).faults == ()


def test_what_stands_in_place_of_a_person_is_sealed_too(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    left(bench)
    erasure.erase(unit(bench), "ada.king", REASON)
    (row, *_) = log_rows(bench.authority.database, "checkout")
    change = events.update().where(events.c.id == row["id"]).values(member="eve")
    with changed(bench, lambda connection: connection.execute(change)):
        for verification in (verify(bench), verify_lines(bench, exported(bench))):
            (fault,) = verification.faults
            assert (fault.kind, fault.first) == ("changed", row["id"])


def test_a_second_erasure_leaves_the_first_as_it_is(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    left(bench, "ada")
    left(bench, "bea")
    first = erasure.erase(unit(bench), "ada.king", REASON)
    second = erasure.erase(unit(bench), "BEA.king", REASON)
    assert first.pseudonym != second.pseudonym
    assert verify(bench).faults == verify_lines(bench, exported(bench)).faults == ()
    # There is nobody of that name any more.
    with pytest.raises(NotFound):
        erasure.erase(unit(bench), "ada.king", REASON)


def test_who_is_still_there_or_may_still_run_a_copy_is_not_erased(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    ada = bench.member("ada")
    issued_to(bench, ada, workstation("laptop"))
    cases: tuple[tuple[str, str, type[Exception]], ...] = (
        ("ada", REASON, InvalidInput),
        ("nobody", REASON, NotFound),
    )
    for name, reason, refusal in cases:
        with pytest.raises(refusal):
            erasure.erase(unit(bench), name, reason)
    removal.remove(unit(bench), ["ada"], release=True)
    with pytest.raises(MemberHasBorrow):
        erasure.erase(unit(bench), "ada", REASON)
    bench.clock.turn(days=60)
    for reason in (" ", "ADA asked for it"):
        with pytest.raises(InvalidInput):
            erasure.erase(unit(bench), "ada", reason)
    with pytest.raises(NotAllowed):
        erasure.erase(Unit(bench.authority, Actor(9, "bea", Role.ANALYST)), "ada", REASON)
    assert erasure.erase(unit(bench), "ada", REASON).rows


def test_old_rows_are_removed_by_a_signed_cut_and_what_remains_verifies(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_pruning, "MOST_ROWS", 4)
    left(bench)
    erasure.erase(unit(bench), "ada.king", REASON)
    numbers = sealed_log(bench, (5, 6))
    saved = sealed_logs.newest_checkpoint(bench)
    cut_at = bench.clock()
    bench.clock.turn(days=10)
    later = sealed_log(bench, (3,))
    would = log_pruning.prune(unit(bench), cut_at, dry_run=True)
    done = log_pruning.prune(unit(bench), cut_at)
    assert (done.rows, done.last) == (would.rows, would.last) == (len([n for n in numbers if n <= done.last]), done.last)
    assert done.rows > 4
    for verification in (verify(bench, saved), verify_lines(bench, exported(bench), saved)):
        assert (verification.faults, verification.after) == ((), done.last)
        assert verification.rows == len(later) - done.rows
    (row,) = log_rows(bench.authority.database, "log-cut")
    assert row["reason"].startswith(f"{done.rows} rows up to {done.last}")
    assert log_pruning.prune(unit(bench), cut_at).rows == 0
    # Nothing that is not sealed goes, however old it is.
    sealed_logs.write_rows(bench, 2)
    bench.clock.turn(days=100)
    last = log_pruning.prune(unit(bench), bench.clock()).last
    with bench.authority.database.read() as connection:
        left_over = list(connection.execute(select(events.c.id).order_by(events.c.id)).scalars())
    assert (len(left_over), left_over[0] > last) == (4, True)
    seals.seal(unit(bench))
    assert verify(bench).faults == ()


def cut_without_a_key(number: int) -> Callable[[object], object]:
    """The rows up to a number are gone with their seals, as after a cut that nobody signed."""

    def change(connection: object) -> None:
        for table, column in ((events, events.c.id), (seal_table, seal_table.c.event_id)):
            connection.execute(table.delete().where(column <= number))  # type: ignore[attr-defined]

    return change


def test_a_cut_that_nobody_signed_is_told_and_a_changed_row_is_not_cut_away(sqlite_bench: Bench) -> None:
    bench = sqlite_bench
    numbers = sealed_log(bench)
    with changed(bench, cut_without_a_key(numbers[3])):
        for verification in (verify(bench), verify_lines(bench, exported(bench))):
            assert any(fault.first <= numbers[0] <= fault.last for fault in verification.faults)
    bench.clock.turn(days=10)
    with bench.authority.database.write() as connection:
        connection.execute(update(events).where(events.c.id == numbers[1]).values(actor="eve"))
    with pytest.raises(LogNotIntact):
        log_pruning.prune(unit(bench), bench.clock() - timedelta(days=1))
    with pytest.raises(InvalidInput):
        log_pruning.prune(unit(bench), bench.clock() + timedelta(days=1))


def test_the_commands_seal_verify_export_prune_and_erase(console: Console) -> None:
    """One story at the terminal, from sealing to an auditor's machine."""
    beside = console.home.parent
    assert console.good("log", "seal")["rows"] > 2
    sealed, saved = str(beside / "log.sealed"), str(beside / "saved.checkpoint")
    console.good("log", "checkpoint", "-o", saved)
    console.good("log", "export", "--format", "sealed", "-o", sealed)
    trust = str(next(console.home.glob("*.trust")))
    for more in ((), ("--checkpoint", saved), ("--file", sealed), ("--file", sealed, "--trust", trust, "--checkpoint", saved)):
        verification = console.good("log", "verify", *more)
        assert (verification["ok"], verification["faults"]) == (True, [])
    assert console.run("log", "verify", "--trust", trust).status == 2
    answer = console.run("log", "verify", "--file", sealed)
    assert "compare its root key" in answer.err
    assert "the log is what was sealed: rows 1 to" in answer.out
    lines = (beside / "log.sealed").read_text(encoding="utf-8").splitlines(keepends=True)
    (beside / "log.sealed").write_text("".join(lines).replace('"member":"ada"', '"member":"eve"'), encoding="utf-8")
    wrong = console.run("log", "verify", "--file", sealed)
    assert (wrong.status, "WRONG changed: row" in wrong.out) == (1, True)
    console.good("member", "remove", "ada")
    assert console.good("member", "erase", "ada", "--reason", "the person asked", "--dry-run")["pseudonym"] is None
    assert console.good("member", "erase", "ada", "--reason", "the person asked")["applied"]
    assert console.good("log", "prune", "--older-than", "30")["rows"] == 0
    nothing = console.run("log", "prune", "--older-than", "30").out
    assert re.search(r"nothing is removed: no row is from before \S+; the oldest row is of \S+Z", nothing)
    assert console.run("log", "prune").status == 2
    assert console.good("log", "verify", "--checkpoint", saved)["ok"]


def test_a_former_user_name_is_found_as_the_log_says_it_now_and_as_it_said_it_before() -> None:
    """Logs keep rows of every version that wrote them."""
    now = "; ".join(differences({"username": "ada", "role": "member"}, {"username": "o'king", "role": "analyst"}))
    for reason in (now, "username ada to o'king; role member to analyst", "username ada to o'king"):
        assert reason.startswith(RENAMED_BEGINS), reason
        assert former_name({"reason": reason}, frozenset({"o'king"})) == "ada", reason
        assert former_name({"reason": reason}, frozenset({"ada"})) is None, reason
