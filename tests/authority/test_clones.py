"""Two copies of one workstation go on apart, and what they send tells it: shown, written down, listed, never silent."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from authority.domain.borrows import Borrow
from authority.domain.members import Actor
from authority.services import borrow, endings, log
from authority.services.borrow import Issued
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import Bench
from tests.support.real_workstation import make_workstation
from tests.support.workstations import SimulatedWorkstation
from verifier.core import carried, claims, files
from verifier.core.proofs import open_proof
from verifier.workstation import carry
from verifier.workstation.carry import Wish
from verifier.workstation.identity import OsUser

PRO = Wish("arcgis-pro", days=3)


def ask(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, wish: Wish = PRO) -> Issued:
    bench.clock.turn(hours=1)
    return borrow.issue(Unit(bench.authority, actor), laptop.request(wish, bench.clock()))


def check_in(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, issued: Issued) -> Borrow:
    bench.clock.turn(hours=1)
    return endings.check_in(Unit(bench.authority, actor), laptop.receipt_for(issued.file, bench.clock()))


def suspected(bench: Bench) -> list[str | None]:
    """The evidence of every borrow that the filter lists, and as many events in the log."""
    chief = Actor(None, "console", bench.administrator().role)
    rows, _ = borrow.listed(Unit(bench.authority, chief), Filter(clones=True))
    events = log.page(Unit(bench.authority, chief), 0, ["clone-suspected"], 100)
    assert bool(rows) == bool(events)
    return [row.clone_evidence for row in rows]


def test_t3_two_copies_that_both_renew_on_one_seat_are_seen(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(secondary="board"), bench.member("ada")
    assert ask(bench, ada, laptop).borrow.clone_seen_at is None
    clone = copy(laptop)
    assert ask(bench, ada, laptop).borrow.clone_seen_at is None
    renewed = ask(bench, ada, clone).borrow
    assert renewed.clone_seen_at == bench.clock()
    assert suspected(bench) == ["two different texts of this machine key have the same number"]
    assert borrow.show(Unit(bench.authority, ada), renewed.id).clone_evidence == renewed.clone_evidence


def test_t3_a_copy_that_knows_nothing_of_a_return_is_seen(bench: Bench) -> None:
    """The first gave everything back and asks no more; its copy asks as if nothing had been returned."""
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = ask(bench, ada, laptop)
    clone = copy(laptop)
    assert check_in(bench, ada, laptop, issued).clone_seen_at is None
    assert "came first" in (ask(bench, ada, clone).borrow.clone_evidence or "")
    assert len(suspected(bench)) == 1


def test_t24_two_receipts_of_one_number_are_seen(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    pro, desktop = ask(bench, ada, laptop), ask(bench, ada, laptop, Wish("arcgis-desktop", level="Advanced"))
    clone = copy(laptop)
    assert check_in(bench, ada, laptop, pro).clone_seen_at is None
    returned = check_in(bench, ada, clone, desktop)
    assert returned.clone_evidence == "two different texts of this machine key have the same number"


def test_t3_one_machine_id_on_two_boards_is_seen(bench: Bench) -> None:
    """A disk that was copied before its first request: two machine keys, one machine id."""
    laptop, other = SimulatedWorkstation(secondary="board"), SimulatedWorkstation(secondary="another board")
    ask(bench, bench.member("ada"), laptop)
    second = ask(bench, bench.member("eve"), other)
    assert second.borrow.clone_evidence == "another machine with the same id has another board"
    assert len(suspected(bench)) == 2


@pytest.mark.parametrize("lost", [False, True], ids=["all arrive", "some are lost"])
def test_an_honest_machine_is_never_taken_for_two(bench: Bench, *, lost: bool) -> None:
    """Requests and receipts that are lost, sent again, or arrive late and in another order."""
    laptop, ada = SimulatedWorkstation(secondary="board"), bench.member("ada")
    for _ in range(3):
        if lost:
            laptop.request(PRO, bench.clock())
        issued = ask(bench, ada, laptop)
        late = laptop.request(Wish("arcgis-desktop", level="Advanced", days=2), bench.clock())
        ask(bench, ada, laptop)
        receipt = laptop.receipt_for(issued.file, bench.clock())
        # The request was made before the receipt, and comes after it.
        endings.check_in(Unit(bench.authority, ada), receipt)
        endings.check_in(Unit(bench.authority, ada), receipt)
        desktop = borrow.issue(Unit(bench.authority, ada), late)
        assert borrow.issue(Unit(bench.authority, ada), late).is_new is False
        check_in(bench, ada, laptop, desktop)
        bench.clock.turn(days=1)
    # A member with two machines, and a board that says nothing of itself.
    ask(bench, bench.member("eve"), replace(SimulatedWorkstation("desk"), secondary=None))
    assert suspected(bench) == []


def uncounted(laptop: SimulatedWorkstation, compact: str, typ: str, *counts: str) -> str:
    """What a copy sends that leaves its counts out, as the first versions did."""
    said = {name: value for name, value in open_proof(compact, typ).claims.items() if name not in counts}
    return laptop.key.sign(typ, said)


@pytest.mark.parametrize("kind", ["request", "receipt"])
def test_t3_a_key_that_counted_and_counts_no_more_is_seen(bench: Bench, kind: str) -> None:
    """A copy that leaves the numbers out renews on the same seat, and contradicts nothing."""
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = ask(bench, ada, laptop)
    unit = Unit(bench.authority, ada)
    if kind == "request":
        bench.clock.turn(hours=1)
        compact = uncounted(laptop, laptop.request(PRO, bench.clock()), claims.REQUEST_TYP, "number", "returns")
        assert borrow.issue(unit, compact).borrow.clone_seen_at == bench.clock()
    else:
        receipt = uncounted(laptop, laptop.receipt_for(issued.file, bench.clock()), claims.RECEIPT_TYP, "requests")
        assert endings.check_in(unit, receipt).clone_seen_at == bench.clock()
    assert suspected(bench) == ["this machine key counted what it sends, and now sends something without its number"]


def test_what_one_key_shows_is_said_of_no_other_on_that_machine(bench: Bench) -> None:
    """On a terminal server each user has a key; one who put a backup back marks nobody else."""
    ada, eve = bench.member("ada"), bench.member("eve")
    hers = SimulatedWorkstation("server")
    theirs = replace(copy(hers), user=OsUser("uid:1001", "eve"), key=SimulatedWorkstation("other").key)
    other = ask(bench, eve, theirs).borrow
    copied = copy(hers)
    ask(bench, ada, hers)
    ask(bench, ada, copied)
    assert suspected(bench) == ["two different texts of this machine key have the same number"]
    assert borrow.show(Unit(bench.authority, eve), other.id).clone_seen_at is None


def test_what_comes_from_earlier_versions_is_compared_with_nobody(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    request = open_proof(laptop.request(PRO, bench.clock()), claims.REQUEST_TYP).claims
    for jti in ("R" * 22, "S" * 22):
        old = {name: value for name, value in request.items() if name not in ("number", "returns")} | {"jti": jti}
        compact = laptop.key.sign(claims.REQUEST_TYP, old)
        assert carried.request(old).number is None
        assert borrow.issue(Unit(bench.authority, ada), compact).borrow.clone_seen_at is None


def test_a_workstation_counts_each_request_before_it_leaves(tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home")

    def counts() -> tuple[int | None, int | None]:
        token = files.parse(carry.request(here.store, PRO), "request")[1]["request"]
        request = carried.request(open_proof(token, claims.REQUEST_TYP).claims)
        return request.number, request.returns

    assert [counts(), counts()] == [(1, 0), (2, 0)]
    receipt = open_proof(files.parse(here.give_up(), "return")[1]["receipt"], claims.RECEIPT_TYP).claims
    assert (receipt["count"], receipt["requests"]) == (1, 2)
    assert counts() == (3, 1)
    # An older folder that is put back counts on from where the second copy is.
    (here.home / "state.json").unlink()
    assert counts() == (4, 1)
