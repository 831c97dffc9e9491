"""Who was removed leaves nothing behind that works, or that the next member of the same name would come into."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from authority.domain.members import CONSOLE
from authority.domain.refusals import NotAuthenticated, NotFound
from authority.services import borrow, endings, policies, removal
from authority.services.unit import Unit
from authority.signing.encoding import digest_of
from authority.storage.borrows import Filter
from authority.storage.db.tables import credentials
from tests.support.authorities import Bench, actor_of
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console


def test_a_sign_in_that_comes_to_be_while_its_member_is_removed_does_not_work(bench: Bench) -> None:
    ada = bench.member("ada")
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"])
    late = {"id": "L" * 22, "kind": "sign-in", "digest": digest_of("late"), "name": "sign-in", "member_id": ada.member_id}
    with bench.authority.database.write() as connection:
        connection.execute(insert(credentials), late | {"created_at": bench.clock(), "expires_at": None, "revoked_at": None})
    with pytest.raises(NotAuthenticated):
        actor_of(bench, "late")


def test_the_next_member_of_the_name_does_not_come_into_its_rules(bench: Bench) -> None:
    bench.member("Ada")
    policies.change(Unit(bench.authority, CONSOLE), "member", "ada", "", allowed=False, longest_days=None, default_days=None)
    policies.change(Unit(bench.authority, CONSOLE), "group", "ada", "", allowed=None, longest_days=9, default_days=None)
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"])
    bench.member("ada")
    assert policies.explain(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro").rule.allowed
    assert [rule.level for rule in policies.listed(Unit(bench.authority, CONSOLE))[0]] == ["group", "organization"]


def test_the_copies_of_a_removed_member_that_may_still_run_are_seen_by_name(bench: Bench) -> None:
    laptop = workstation("laptop")
    out = issued_to(bench, bench.member("Ada"), laptop, days=9)
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"], release=True)
    (row,) = borrow.listed(Unit(bench.authority, CONSOLE), Filter(member="ADA"))[0]
    assert (row.id, row.state(bench.clock()), row.copy_may_run_until(bench.clock())) == (
        out.borrow.id,
        "released",
        out.borrow.expires_at,
    )
    endings.check_in(Unit(bench.authority, CONSOLE), laptop.receipt_for(out.file, bench.clock()))
    (row,) = borrow.listed(Unit(bench.authority, CONSOLE), Filter(member="ada"))[0]
    assert row.copy_may_run_until(bench.clock()) is None
    with pytest.raises(NotFound, match='no member "nobody"'):
        borrow.listed(Unit(bench.authority, CONSOLE), Filter(member="nobody"))


def test_by_the_name_of_a_namesake_nothing_of_the_earlier_member_is_listed(bench: Bench) -> None:
    issued_to(bench, bench.member("ada"), workstation("laptop"), days=9)
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"], release=True)
    bench.member("ada")
    assert borrow.listed(Unit(bench.authority, CONSOLE), Filter(member="ada"))[0] == []
    assert len(borrow.listed(Unit(bench.authority, CONSOLE), Filter())[0]) == 1


@pytest.mark.parametrize("arguments", [("borrow", "show"), ("session", "end"), ("member", "show"), ("borrow", "revoke")])
def test_an_argument_that_is_no_unicode_is_told(console: Console, arguments: tuple[str, ...]) -> None:
    more = ("--reason", "x") if arguments[1] == "revoke" else ()
    ended = console.run(*arguments, "\udcff", *more)
    assert ended.status == 1
    assert "what to do" in ended.err
