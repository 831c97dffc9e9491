"""The grant of a session: an ordinary borrow file that works without the authority for minutes, and holds its seat as long."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import PoolExhausted, SessionLimit
from authority.services import sessions
from authority.services.unit import Unit
from authority.storage.sessions import Filter
from tests.support.authorities import ON_SQLITE, START, Bench, make_bench
from tests.support.borrowing import claims_of, issued_to, seats_held, workstation
from tests.support.connecting import assign, configure, started, used
from verifier import CarnetError, Workstation, errors, verify
from verifier.core.claims import SESSION_REQUEST_TYP
from verifier.workstation.carry import Sender, Wish, request_claims
from verifier.workstation.identity import MachineMark, OsUser


@ON_SQLITE
def test_a_grant_is_good_offline_for_half_an_hour_and_not_a_second_longer(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    assign(bench, "ada", "Standard", ("3DAnalyst",))
    start = started(bench, ada, laptop, extensions=("3DAnalyst",))
    for later in (timedelta(0), timedelta(minutes=29, seconds=59)):
        grant = verify(start.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + later)
        assert (grant.product, grant.level, grant.extensions) == ("arcgis-pro", "Standard", ("3DAnalyst",))
        assert (grant.member, grant.borrow_id, grant.alias) == ("ada", start.session.id, "laptop")
    with pytest.raises(errors.Expired):
        verify(start.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + timedelta(minutes=30))


@ON_SQLITE
def test_every_use_gives_a_grant_for_another_half_hour(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    start = started(bench, ada, laptop)
    bench.clock.turn(minutes=20)
    again = used(bench, ada, start.session.id)
    first, second = claims_of(start.grant), claims_of(again.grant)
    assert (first["bid"], second["bid"]) == (start.session.id, start.session.id)
    assert first["jti"] != second["jti"]
    assert second["exp"] - first["exp"] == 20 * 60
    grant = verify(again.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + timedelta(minutes=49))
    assert grant.borrow_id == start.session.id


@ON_SQLITE
def test_the_claims_of_a_grant(bench: Bench) -> None:
    laptop = workstation("laptop")
    start = started(bench, bench.member("ada"), laptop)
    file = json.loads(start.grant)
    assert (file["carnet"], file["version"], file["status_list"]) == ("borrow", 1, None)
    claims = claims_of(start.grant)
    at = int(START.timestamp())
    assert (claims["iat"], claims["nbf"], claims["exp"], claims["act"]) == (at, at, at + 1800, at + 1800)
    assert claims["status"] == {"status_list": {"idx": 0, "uri": "urn:carnet:field-survey:sessions"}}
    assert (claims["sub"], claims["cnf"]) == ("uid:1000", {"jkt": laptop.key.public.kid})
    assert claims["machine"] == {"id": "machine-laptop", "source": "simulated", "alias": "laptop"}
    assert claims["lic"] == {"level": "Advanced", "levels": ["Basic", "Standard", "Advanced"], "extensions": []}


@ON_SQLITE
@pytest.mark.parametrize("difference", ["machine", "user", "machine key"])
def test_a_grant_is_bound_to_machine_user_and_key(bench: Bench, difference: str) -> None:
    laptop = workstation("laptop")
    start = started(bench, bench.member("ada"), laptop)
    if difference == "machine":
        laptop.name = "tower"
    elif difference == "user":
        laptop.user = OsUser("uid:1001", "laptop")
    else:
        laptop.key = workstation("laptop").key
    with pytest.raises(CarnetError) as caught:
        verify(start.grant, trust=bench.trust_file, workstation=laptop.identity, now=START)
    assert caught.value.code == f"wrong-{difference.replace(' ', '-')}"


@ON_SQLITE
def test_another_login_on_the_same_computer_gets_a_grant_of_its_own(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    started(bench, ada, laptop)
    laptop.user = OsUser("uid:1001", "second")
    start = started(bench, ada, laptop)
    assert verify(start.grant, trust=bench.trust_file, workstation=laptop.identity, now=START).member == "ada"


@ON_SQLITE
def test_how_long_a_grant_is_good_is_a_setting_and_the_end_of_the_authorization_is_not_passed(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    configure(bench, grant_minutes=120)
    start = started(bench, ada, laptop)
    assert claims_of(start.grant)["exp"] == int((START + timedelta(hours=2)).timestamp())
    configure(bench, grant_minutes=1440)
    bench.clock.turn(days=999, hours=23)
    late = started(bench, ada, laptop)
    assert claims_of(late.grant)["exp"] == int((START + timedelta(days=1000)).timestamp())


@ON_SQLITE
def test_a_grant_never_outlives_its_product(tmp_path: Path, database_url: str) -> None:
    ends_at = START + timedelta(minutes=5)

    def end_it(specification: dict[str, Any]) -> None:
        specification["products"][0]["until"] = int(ends_at.timestamp())

    bench = make_bench(database_url, tmp_path / "home", change=end_it)
    start = started(bench, bench.member("ada"), workstation("laptop"))
    assert claims_of(start.grant)["exp"] == claims_of(start.grant)["act"] == int(ends_at.timestamp())
    bench.authority.database.close()


@ON_SQLITE
def test_the_longest_names_fit_into_a_grant(bench: Bench) -> None:
    ada, laptop, long = bench.member("ada"), workstation("laptop"), "\N{GLOBE WITH MERIDIANS}" * 256
    extensions = ("3DAnalyst", "SpatialAnalyst", "NetworkAnalyst", "GeostatAnalyst", "DataReviewer", "WorkflowMgr")
    assign(bench, "ada", "Advanced", extensions)
    ask = request_claims(
        Wish("arcgis-pro", extensions=extensions),
        Sender(MachineMark("m" * 128, long, None), OsUser(laptop.user.id, long), long),
        jti="A" * 22,
        now=int(START.timestamp()),
    )
    start = sessions.start(Unit(bench.authority, ada), laptop.key.sign(SESSION_REQUEST_TYP, ask))
    identity = Workstation("m" * 128, laptop.user.id, laptop.key.public.kid)
    assert verify(start.grant, trust=bench.trust_file, workstation=identity, now=START).alias == long


def test_no_session_is_kept_when_no_key_can_sign(bench: Bench) -> None:
    ada = bench.member("ada")
    bench.authority.ring.signers.clear()
    with pytest.raises(Exception, match="borrow keys") as caught:
        started(bench, ada, workstation("laptop"))
    assert getattr(caught.value, "code", "") == "key-unusable"
    assert sessions.listed(Unit(bench.authority, CONSOLE), Filter(ended=True))[0] == []


def test_grants_that_are_kept_after_their_sessions_are_never_more_than_the_seats(bench: Bench) -> None:
    """Start a session, keep its grant, end the session, and again on the next machine: an attack that gave 25 of 10 seats."""
    grants = []
    for number in range(25):
        member, laptop = bench.member(f"m{number}"), workstation(f"w{number}")
        try:
            start = started(bench, member, laptop, "arcgis-desktop")
        except PoolExhausted:
            continue
        sessions.check_in(Unit(bench.authority, member), start.session.id)
        grants.append((start.grant, laptop))
    good = [verify(grant, trust=bench.trust_file, workstation=laptop.identity, now=START) for grant, laptop in grants]
    assert len(good) == seats_held(bench, "arcgis-desktop", "Advanced") == 10


@ON_SQLITE
def test_grants_of_a_named_license_are_good_on_no_more_computers_than_are_allowed(bench: Bench) -> None:
    """Whatever ids the machines say they have: a computer is told by its key."""
    ada, count = bench.member("ada"), 0
    for number in range(8):
        laptop = workstation("clone" if number % 2 else f"w{number}")
        with contextlib.suppress(SessionLimit):
            sessions.check_in(Unit(bench.authority, ada), started(bench, ada, laptop).session.id)
            count += 1
    assert count == 3


@ON_SQLITE
def test_whoever_starts_again_on_the_same_computer_takes_the_seat_of_the_last_grant_over(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    for _ in range(12):
        start = started(bench, ada, laptop, "arcgis-desktop")
        assert start.is_new
        sessions.check_in(Unit(bench.authority, ada), start.session.id)
        bench.clock.turn(minutes=1)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    bench.clock.turn(minutes=28)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    bench.clock.turn(minutes=1)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 0


@ON_SQLITE
def test_a_longer_grant_holds_its_seat_and_its_computer_for_as_long(bench: Bench) -> None:
    configure(bench, grant_minutes=480, computers=1)
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop"), "arcgis-desktop").session
    bench.clock.turn(hours=7, minutes=59)
    assert session.state(bench.clock()) == "expired"
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    with pytest.raises(SessionLimit, match="taken until 2026-03-02 17:00 UTC"):
        started(bench, ada, workstation("tower"), "arcgis-desktop")
    (row,) = sessions.listed(Unit(bench.authority, CONSOLE), Filter(holding=True))[0]
    assert (row.id, row.seat_free_at) == (session.id, START + timedelta(hours=8))
    bench.clock.turn(minutes=1)
    assert sessions.listed(Unit(bench.authority, CONSOLE), Filter(holding=True))[0] == []
    assert started(bench, ada, workstation("tower"), "arcgis-desktop").is_new


def test_a_borrow_that_ends_before_the_grant_beside_it_keeps_the_seat_until_the_grant_has_ended(bench: Bench) -> None:
    """A borrow for a minute takes the seat of a session over, whose grant goes on; and a grant beside a borrow ends with it."""
    configure(bench, grant_minutes=480)
    ada, laptop = bench.member("ada"), workstation("laptop")
    started(bench, ada, laptop, "arcgis-desktop")
    until = START + timedelta(hours=1)
    issued_to(bench, ada, laptop, product="arcgis-desktop", until=int(until.timestamp()))
    beside = started(bench, ada, laptop, "arcgis-desktop")
    assert claims_of(beside.grant)["exp"] == int(until.timestamp())
    bench.clock.turn(hours=7, minutes=59)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1
    bench.clock.turn(minutes=1)
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 0
