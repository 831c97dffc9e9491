"""Installing an authorization, on both databases: what changes, what is told, and what is refused with nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.authorization_changes import changes
from authority.domain.catalogue import AuthorizedKey, KeyUse
from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import AuthorizationUnusable, NotAllowed, Refusal, StorageUnavailable
from authority.services import authorizations, borrow, status_lists
from authority.services.authorizations import Installation, NewTrust
from authority.services.context import Remembered
from authority.services.unit import Unit
from authority.signing.keyring import FileSigner
from authority.signing.vendor import authorizing
from tests.support.authorities import ON_SQLITE, Bench, authorization_text
from tests.support.borrowing import at_once, claims_of, codes, fail_inserts, issued_to, workstation
from tests.support.database_contents import contents, log_rows, unchanged
from tests.support.vendors import RealVendor, authorization_file, sample_toml
from verifier import NotGood, verify
from verifier.workstation.carry import Wish

Change = Callable[[dict[str, Any]], None]


def file(bench: Bench, *, seq: int = 2, change: Change = lambda _: None, **more: Any) -> bytes:
    """An authorization of the bench's own root key."""
    text = authorization_text(bench.authority, bench.root, bench.clock(), seq=seq, change=change, **more)
    return authorization_file(text)


def install(bench: Bench, data: bytes, **more: Any) -> Installation:
    return authorizations.install(Unit(bench.authority, CONSOLE), data, **more)


def in_force(bench: Bench) -> int:
    with bench.authority.database.read() as connection:
        return bench.authority.terms(connection).authorization.seq


def product(**changes: Any) -> Change:
    return lambda members: members["products"][0].update(changes)


def fewer(members: dict[str, Any]) -> None:
    """Less of everything, one product gone and one extension added."""
    members["members"] = {"total": 2, "types": {"GIS Professional": 1}}
    members["max_borrow_days"] = 60
    seats = {"Basic": 50, "Standard": 50, "Advanced": 1}
    members["products"][0] |= {"seats": seats, "extensions": {"3DAnalyst": 50, "Weather": 3}}
    members["products"] = [item for item in members["products"] if item["id"] != "arcgis-allsource"]
    members["user_types"]["Creator"]["may_hold"] = ["arcgis-pro"]
    members["user_types"]["GIS Professional"]["may_hold"] = ["arcgis-desktop"]


def test_the_new_one_is_in_force_and_in_the_log(bench: Bench) -> None:
    installation = install(bench, file(bench, change=lambda members: members["members"].update(total=60)))
    assert (installation.is_new, installation.before.seq, installation.authorization.seq) == (True, 1, 2)
    assert installation.changes == ("members: 50 -> 60 (+10)",)
    assert installation.consequences == ()
    assert in_force(bench) == 2
    (row,) = log_rows(bench.authority.database, "authorization-installed")
    assert row["reason"] == "number: 1 -> 2; members: 50 -> 60 (+10)"
    assert (row["actor"], row["until"]) == ("console", installation.authorization.ends_at)


@ON_SQLITE
def test_what_becomes_of_a_key_is_told(bench: Bench) -> None:
    """Who installs the file that is to revoke a stolen key must see that it does."""
    with bench.authority.database.read() as connection:
        before = bench.authority.terms(connection).authorization
    (borrows,) = [key for key in before.keys.values() if key.use is KeyUse.BORROW]
    (lists,) = [key for key in before.keys.values() if key.use is KeyUse.STATUS]
    end = bench.clock() + timedelta(days=9)
    stolen, new = replace(borrows, is_revoked=True, known=frozenset("ab")), replace(lists, kid="new")
    cases: list[tuple[list[AuthorizedKey], tuple[str, ...]]] = [
        (
            [stolen, replace(borrows, kid="next"), lists],
            ("revoked; 2 tokens that it signed stay good", "next: new, signs from"),
        ),
        ([borrows, replace(lists, is_revoked=True), new], (f"status key {lists.kid}: revoked", "status key new: new")),
        ([replace(borrows, ends_at=end), lists], (f"borrow key {borrows.kid}: signs until {end:%Y-%m-%d %H:%M} UTC alone",)),
        ([borrows], (f"status key {lists.kid}: no longer named, what it signed is refused",)),
        ([borrows, lists], ()),
    ]
    for keys, expected in cases:
        sentences = changes(before, replace(before, keys={key.kid: key for key in keys}))
        assert len(sentences) == len(expected)
        assert all(words in sentence for words, sentence in zip(expected, sentences, strict=True)), sentences


@ON_SQLITE
def test_every_difference_is_told_with_its_numbers(bench: Bench) -> None:
    differences = install(bench, file(bench, change=fewer)).changes
    included = "includes arcgis-pro Advanced, may hold arcgis-allsource"
    assert differences == (
        "longest borrow in days: 365 -> 60 (-305)",
        "members: 50 -> 2 (-48)",
        'members of the type "GIS Professional": any number -> 1',
        'user type "Creator": includes nothing, may hold arcgis-allsource, arcgis-pro -> includes nothing, may hold arcgis-pro',
        f'user type "GIS Professional": {included}, arcgis-desktop -> includes arcgis-pro Advanced, may hold arcgis-desktop',
        'product "arcgis-allsource": removed',
        '"arcgis-pro" Advanced seats: 50 -> 1 (-49)',
        '"arcgis-pro" SpatialAnalyst seats: 50 -> 0 (-50)',
        '"arcgis-pro" NetworkAnalyst seats: 50 -> 0 (-50)',
        '"arcgis-pro" GeostatAnalyst seats: 50 -> 0 (-50)',
        '"arcgis-pro" DataReviewer seats: 50 -> 0 (-50)',
        '"arcgis-pro" WorkflowMgr seats: 50 -> 0 (-50)',
        '"arcgis-pro" Weather seats: 0 -> 3 (+3)',
    )


def test_less_than_is_in_use_is_installed_and_told_not_refused(bench: Bench) -> None:
    """Seeds S1 and S2: borrows already out stay good; until it is put right nobody starts or borrows."""
    ada, eve = bench.member("ada"), bench.member("eve")
    laptop = workstation("laptop")
    out = issued_to(bench, ada, laptop)
    installation = install(bench, file(bench, change=fewer))
    assert in_force(bench) == 2
    assert installation.members == 3
    members, seats = installation.consequences
    assert "3 members, 2 are allowed" in members
    assert '2 members of the type "GIS Professional", 1 is allowed' in members
    assert seats.startswith('"arcgis-pro" Advanced: 2 assigned, 1 licensed (-1 available)')
    (shortage,) = installation.shortages
    assert (shortage.product, shortage.feature, shortage.available) == ("arcgis-pro", "Advanced", -1)
    assert verify(out.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock()).member == "ada"
    with pytest.raises(Refusal):
        issued_to(bench, eve, workstation("tower"))


@ON_SQLITE
@pytest.mark.parametrize(("ahead", "is_taken"), [(timedelta(days=1), True), (timedelta(days=1, seconds=1), False)])
def test_an_authorization_that_was_made_in_a_time_to_come_is_refused(bench: Bench, ahead: timedelta, *, is_taken: bool) -> None:
    """Workstations do not take it, nor a borrow file with it."""
    now = bench.clock()
    ring = {use: [bench.authority.ring.signer(use, kid).public for kid in bench.authority.ring.kids(use)] for use in KeyUse}
    begins_at, ends_at = now - timedelta(days=1), now + timedelta(days=100)
    records = authorizing.key_records(ring, begins_at, ends_at)
    specification = authorizing.sample_specification("field-survey", "Field Survey", "maker")
    compact = authorizing.authorize(
        bench.root, specification, records, seq=2, now=now + ahead, begins_at=begins_at, ends_at=ends_at
    )
    if is_taken:
        assert install(bench, authorization_file(compact)).is_new
    else:
        with unchanged(bench.authority.database), pytest.raises(AuthorizationUnusable, match="it is 2026-03-02"):
            install(bench, authorization_file(compact))


@ON_SQLITE
def test_seats_in_use_of_a_concurrent_product_are_told(bench: Bench) -> None:
    for number in range(3):
        issued_to(bench, bench.member(f"m{number}"), workstation(f"w{number}"), "arcgis-desktop")
    less: Change = lambda members: members["products"][2].update(seats={"Advanced": 2})  # noqa: E731
    installation = install(bench, file(bench, change=less))
    assert installation.consequences == (
        '"arcgis-desktop" Advanced: 3 seats in use, 2 licensed: no more are given until enough are back',
    )


@ON_SQLITE
def test_a_product_that_is_gone_or_ended_and_still_assigned_is_told(bench: Bench) -> None:
    bench.member("ada")
    ended = int((bench.clock() - timedelta(days=1)).timestamp())
    assert "is still assigned" in install(bench, file(bench, change=product(until=ended))).consequences[0]

    def without(members: dict[str, Any]) -> None:
        members["products"] = members["products"][1:]
        members["user_types"] = {"Viewer": {"includes": {}, "may_hold": []}}

    consequences = install(bench, file(bench, seq=3, change=without)).consequences
    assert '1 member has the user type "GIS Professional", which is gone' in consequences[0]
    assert consequences[1].startswith('"arcgis-pro" Advanced: 1 assigned, 0 licensed')


@ON_SQLITE
def test_a_product_that_the_type_may_not_hold_any_more_is_told(bench: Bench) -> None:
    bench.member("ada")

    def narrowed(members: dict[str, Any]) -> None:
        members["user_types"]["GIS Professional"] = {"includes": {}, "may_hold": []}

    (consequence,) = install(bench, file(bench, change=narrowed)).consequences
    assert consequence == '1 member of the type "GIS Professional" holds "arcgis-pro", which the type may not hold any more'


@ON_SQLITE
def test_borrows_that_workstations_would_refuse_are_told(bench: Bench) -> None:
    """A key that begins after a borrow was signed makes workstations that learn of it refuse the borrow."""
    laptop = workstation("laptop")
    out = issued_to(bench, bench.member("ada"), laptop)
    bench.clock.turn(days=5)
    (consequence,) = install(bench, file(bench)).consequences
    assert consequence.startswith("1 borrow token is out, the first of 2026-03-02 09:00 UTC")
    status_list = status_lists.export(Unit(bench.authority, CONSOLE))
    with pytest.raises(NotGood):
        verify(out.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock(), status_list=status_list)


@ON_SQLITE
def test_a_renewal_by_the_vendor_keeps_borrows_that_are_out(bench: Bench, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "vendor")
    first = maker.authorize(bench.authority, sample_toml(seq=2))
    install(bench, first.file, new_trust=NewTrust(first.trust_file, frozenset({maker.thumbprint})))
    laptop = workstation("laptop")
    out = issued_to(bench, bench.member("ada"), laptop)
    bench.clock.turn(days=5)
    assert install(bench, maker.authorize(bench.authority, sample_toml()).file).consequences == ()
    status_list = status_lists.export(Unit(bench.authority, CONSOLE))
    grant = verify(out.file, trust=first.trust_file, workstation=laptop.identity, now=bench.clock(), status_list=status_list)
    assert grant.member == "ada"


@ON_SQLITE
def test_new_levels_and_products_can_be_borrowed_at_once(bench: Bench) -> None:
    def more(members: dict[str, Any]) -> None:
        members["products"].append(
            {
                "id": "surveyor",
                "name": "S",
                "mode": "concurrent",
                "levels": ["One"],
                "seats": {"One": 1},
                "extensions": {},
                "until": None,
            }
        )

        members["user_types"]["GIS Professional"]["may_hold"].append("surveyor")

    ada = bench.member("ada")
    assert 'product "surveyor": added' in install(bench, file(bench, change=more)).changes
    assert claims_of(issued_to(bench, ada, workstation("laptop"), "surveyor").file)["lic"]["level"] == "One"


def test_a_dry_run_says_the_same_and_changes_nothing(bench: Bench) -> None:
    bench.member("ada")
    data = file(bench, change=fewer)
    before = contents(bench.authority.database)
    tried = install(bench, data, dry_run=True)
    assert contents(bench.authority.database) == before
    assert in_force(bench) == 1
    assert install(bench, data) == tried


def test_the_very_same_file_again_changes_nothing(bench: Bench) -> None:
    data = file(bench)
    assert install(bench, data).is_new
    before = contents(bench.authority.database)
    again = install(bench, data)
    assert (again.is_new, again.changes, again.members) == (False, (), 1)
    assert contents(bench.authority.database) == before


def foreign(bench: Bench) -> bytes:
    text = authorization_text(bench.authority, FileSigner.fresh(), bench.clock(), seq=2)
    return authorization_file(text)


def other_keys(bench: Bench, use: str) -> bytes:
    ring = replace(
        bench.authority.ring,
        signers={key: signer if key[0] != use else FileSigner.fresh() for key, signer in bench.authority.ring.signers.items()},
    )
    ring = replace(ring, signers={(name, signer.public.kid): signer for (name, _), signer in ring.signers.items()})
    return file(replace(bench, authority=replace(bench.authority, ring=ring)))


def begins_later(bench: Bench) -> bytes:
    text = authorization_text(bench.authority, bench.root, bench.clock() + timedelta(days=2), seq=2)
    return authorization_file(text)


def put(**changes: Any) -> Change:
    return lambda members: members.update(changes)


REFUSED: dict[str, tuple[Callable[[Bench], bytes], type[Refusal], str]] = {
    "empty": (lambda _: b"", AuthorizationUnusable, "empty"),
    "random": (lambda _: b"\xff\x00\xfe" * 100, AuthorizationUnusable, "UTF-8"),
    "trust file": (
        lambda bench: bench.trust_file.encode(),
        AuthorizationUnusable,
        "an authorization file is wanted, this is a trust file",
    ),
    "no token": (lambda _: authorization_file("x"), AuthorizationUnusable, "compact"),
    "token a number": (lambda _: authorization_file(7), AuthorizationUnusable, "compact"),  # type: ignore[arg-type]
    "signature cut": (lambda bench: file(bench)[:-10] + b'"\n}\n', AuthorizationUnusable, "compact|JSON"),
    "one letter changed": (lambda bench: tampered(file(bench)), AuthorizationUnusable, "signature"),
    "lower number": (lambda bench: file(bench, seq=1, change=put(max_borrow_days=9)), AuthorizationUnusable, "1 is in force"),
    "another organization": (lambda bench: file(bench, change=put(sub="other")), AuthorizationUnusable, '"other"'),
    "foreign root key": (foreign, AuthorizationUnusable, "root key"),
    "ended": (lambda bench: file(bench, lasts=timedelta(seconds=-1)), AuthorizationUnusable, "ended at"),
    "begins later": (begins_later, AuthorizationUnusable, "begins at"),
    "no user type": (lambda bench: file(bench, change=put(user_types={})), AuthorizationUnusable, "no user type"),
    "another borrow key": (lambda bench: other_keys(bench, "borrow"), AuthorizationUnusable, "borrow keys"),
    "another status key": (lambda bench: other_keys(bench, "status"), AuthorizationUnusable, "status keys"),
}


def tampered(data: bytes) -> bytes:
    compact = json.loads(data)["authorization"]
    head, payload, signature = compact.split(".")
    return authorization_file(f"{head}.{payload[:-8]}{'A' if payload[-8] != 'A' else 'B'}{payload[-7:]}.{signature}")


@ON_SQLITE
@pytest.mark.parametrize(("make", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(
    bench: Bench, make: Callable[[Bench], bytes], error: type[Refusal], message: str
) -> None:
    data, before = make(bench), contents(bench.authority.database)
    for dry_run in (True, False):
        with pytest.raises(error, match=message) as caught:
            install(bench, data, dry_run=dry_run)
        assert caught.value.hint
    assert contents(bench.authority.database) == before
    assert in_force(bench) == 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_installs(sqlite_bench: Bench, role: Role) -> None:
    with pytest.raises(NotAllowed):
        authorizations.install(Unit(sqlite_bench.authority, Actor(1, "x", role)), file(sqlite_bench))


def test_many_at_once_install_it_once(bench: Bench) -> None:
    data = file(bench)
    outcomes = at_once([lambda: install(bench, data)] * 12)
    assert codes(outcomes) == {"done": 12}
    assert sum(item.is_new for item in outcomes if isinstance(item, Installation)) == 1
    assert len(log_rows(bench.authority.database, "authorization-installed")) == 1


def test_of_two_texts_with_one_number_one_wins(bench: Bench) -> None:
    texts = [file(bench, change=put(max_borrow_days=days)) for days in range(10, 18)]
    outcomes = at_once([lambda data=data: install(bench, data) for data in texts])  # type: ignore[misc]
    assert codes(outcomes) == {"done": 1, "authorization-unusable": 7}


def test_when_the_log_cannot_be_written_nothing_is_installed(bench: Bench, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "vendor")
    made = maker.authorize(bench.authority, sample_toml(seq=2))
    before = contents(bench.authority.database)
    restore = fail_inserts(bench.authority.database, "events", "authorization-installed")
    with pytest.raises(StorageUnavailable):
        install(bench, made.file, new_trust=NewTrust(made.trust_file, frozenset({maker.thumbprint})))
    restore()
    assert contents(bench.authority.database) == before
    assert in_force(bench) == 1
    issued_to(bench, bench.member("ada"), workstation("laptop"))


class TestAnotherVendor:
    """From being one's own vendor to a real one."""

    @pytest.fixture
    def maker(self, tmp_path: Path) -> RealVendor:
        return RealVendor.make(tmp_path / "vendor")

    @pytest.mark.parametrize(
        "case", ["nothing accepted", "another accepted", "one too many", "another organization", "no trust file"]
    )
    def test_a_trust_file_that_was_not_accepted_changes_nothing(self, bench: Bench, maker: RealVendor, case: str) -> None:
        made = maker.authorize(bench.authority, sample_toml(seq=2))
        trust, accepted = made.trust_file, frozenset({maker.thumbprint})
        if case == "nothing accepted":
            accepted = frozenset()
        elif case == "another accepted":
            accepted = frozenset({bench.root.public.kid})
        elif case == "one too many":
            accepted |= {bench.root.public.kid}
        elif case == "another organization":
            trust = trust.replace(b"field-survey", b"other")
        else:
            trust = b"\xff{"
        before = contents(bench.authority.database)
        with pytest.raises(AuthorizationUnusable):
            install(bench, made.file, new_trust=NewTrust(trust, accepted))
        assert contents(bench.authority.database) == before

    def test_both_roots_are_told_and_the_trust_file_is_replaced(self, bench: Bench, maker: RealVendor) -> None:
        made = maker.authorize(bench.authority, sample_toml(seq=2))
        installation = install(bench, made.file, new_trust=NewTrust(made.trust_file, frozenset({maker.thumbprint})))
        assert installation.trust_file == made.trust_file
        assert installation.changes[0] == f"root key: {bench.root.public.kid} -> {maker.thumbprint}"
        with bench.authority.database.read() as connection:
            assert bench.authority.terms(connection).organization.trust_file.encode() == made.trust_file

    def test_new_borrows_are_good_under_the_new_root_and_old_ones_under_the_old(self, bench: Bench, maker: RealVendor) -> None:
        ada, old, new = bench.member("ada"), workstation("old"), workstation("new")
        before = issued_to(bench, ada, old, "arcgis-desktop")
        made = maker.authorize(bench.authority, sample_toml(seq=2))
        install(bench, made.file, new_trust=NewTrust(made.trust_file, frozenset({maker.thumbprint})))
        after = issued_to(bench, ada, new, "arcgis-desktop")
        now = bench.clock()
        assert verify(before.file, trust=bench.trust_file, workstation=old.identity, now=now).member == "ada"
        assert verify(after.file, trust=made.trust_file, workstation=new.identity, now=now).member == "ada"
        for issued, trust in ((before, made.trust_file), (after, bench.trust_file)):
            with pytest.raises(NotGood, match="root key"):
                verify(issued.file, trust=trust, workstation=new.identity, now=now)

    def test_the_same_request_gets_its_old_file_also_from_another_process(self, bench: Bench, maker: RealVendor) -> None:
        ada, laptop = bench.member("ada"), workstation("laptop")
        request = laptop.request(Wish("arcgis-pro"), bench.clock())
        first = borrow.issue(Unit(bench.authority, ada), request)
        made = maker.authorize(bench.authority, sample_toml(seq=2))
        install(bench, made.file, new_trust=NewTrust(made.trust_file, frozenset({maker.thumbprint})))
        other = replace(bench.authority, remembered=Remembered())
        assert borrow.issue(Unit(other, ada), request).file == first.file
        assert borrow.newest_file(Unit(other, CONSOLE), first.borrow.id) == first.file

    def test_a_process_that_was_running_takes_notice(self, bench: Bench, maker: RealVendor) -> None:
        ada = bench.member("ada")
        running = replace(bench.authority, remembered=Remembered())
        borrow.issue(Unit(running, ada), workstation("one").request(Wish("arcgis-desktop"), bench.clock()))
        made = maker.authorize(bench.authority, sample_toml(seq=2))
        install(bench, made.file, new_trust=NewTrust(made.trust_file, frozenset({maker.thumbprint})))
        two = workstation("two")
        issued = borrow.issue(Unit(running, ada), two.request(Wish("arcgis-desktop"), bench.clock()))
        assert verify(issued.file, trust=made.trust_file, workstation=two.identity, now=bench.clock()).member == "ada"
        with running.database.read() as connection:
            assert running.terms(connection).organization.trust_file.encode() == made.trust_file


def test_a_running_process_gives_no_list_that_the_new_authorization_does_not_know(bench: Bench) -> None:
    """The list in a borrow file has to be signed by a key that the authorization beside it names for that time."""
    ada, running = bench.member("ada"), replace(bench.authority, remembered=Remembered())
    borrow.issue(Unit(running, ada), workstation("one").request(Wish("arcgis-desktop"), bench.clock()))
    bench.clock.turn(minutes=30)

    def begun_just_now(at: datetime) -> bytes:
        text = authorization_text(bench.authority, bench.root, at + timedelta(days=1), seq=2)
        return authorization_file(text)

    install(bench, begun_just_now(bench.clock()))
    two = workstation("two")
    issued = borrow.issue(Unit(running, ada), two.request(Wish("arcgis-desktop"), bench.clock()))
    assert verify(issued.file, trust=bench.trust_file, workstation=two.identity, now=bench.clock()).member == "ada"
