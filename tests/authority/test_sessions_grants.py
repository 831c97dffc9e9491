"""The grant of a session: an ordinary borrow file that works without the authority for a day and no longer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.services import sessions
from authority.services.unit import Unit
from authority.storage.sessions import Filter
from tests.support.authorities import ON_SQLITE, START, Bench, make_bench
from tests.support.borrowing import claims_of, workstation
from tests.support.connecting import asked, assign, configure, started
from verifier import CarnetError, Workstation, errors, verify
from verifier.workstation.identity import OsUser


@ON_SQLITE
def test_a_grant_is_good_offline_for_a_day_and_not_a_second_longer(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    assign(bench, "ada", "Standard", ("3DAnalyst",))
    found = started(bench, ada, laptop, extensions=("3DAnalyst",))
    for later in (timedelta(0), timedelta(hours=23, minutes=59, seconds=59)):
        grant = verify(found.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + later)
        assert (grant.product, grant.level, grant.extensions) == ("arcgis-pro", "Standard", ("3DAnalyst",))
        assert (grant.member, grant.borrow_id, grant.alias) == ("ada", found.session.id, "laptop")
    with pytest.raises(errors.Expired):
        verify(found.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + timedelta(hours=24))


@ON_SQLITE
def test_every_use_gives_a_grant_for_another_day(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    found = started(bench, ada, laptop)
    bench.clock.turn(minutes=20)
    again = sessions.renew(Unit(bench.authority, ada), found.session.id)
    first, second = claims_of(found.grant), claims_of(again.grant)
    assert (first["bid"], second["bid"]) == (found.session.id, found.session.id)
    assert first["jti"] != second["jti"]
    assert second["exp"] - first["exp"] == 20 * 60
    grant = verify(again.grant, trust=bench.trust_file, workstation=laptop.identity, now=START + timedelta(hours=24))
    assert grant.borrow_id == found.session.id


@ON_SQLITE
def test_the_claims_of_a_grant(bench: Bench) -> None:
    laptop = workstation("laptop")
    found = started(bench, bench.member("ada"), laptop)
    file = json.loads(found.grant)
    assert (file["carnet"], file["version"], file["status_list"]) == ("borrow", 1, None)
    claims = claims_of(found.grant)
    at = int(START.timestamp())
    assert (claims["iat"], claims["nbf"], claims["exp"], claims["act"]) == (at, at, at + 86_400, at + 86_400)
    assert claims["status"] == {"status_list": {"idx": 0, "uri": "urn:carnet:field-survey:sessions"}}
    assert (claims["sub"], claims["cnf"]) == ("uid:1000", {"jkt": laptop.key.public.kid})
    assert claims["machine"] == {"id": "machine-laptop", "source": "simulated", "alias": "laptop"}
    assert claims["lic"] == {"level": "Advanced", "levels": ["Basic", "Standard", "Advanced"], "extensions": []}


@ON_SQLITE
@pytest.mark.parametrize("difference", ["machine", "user", "machine key"])
def test_a_grant_is_bound_to_machine_user_and_key(bench: Bench, difference: str) -> None:
    laptop = workstation("laptop")
    found = started(bench, bench.member("ada"), laptop)
    if difference == "machine":
        laptop.name = "tower"
    elif difference == "user":
        laptop.user = OsUser("uid:1001", "laptop")
    else:
        laptop.key = workstation("laptop").key
    with pytest.raises(CarnetError) as caught:
        verify(found.grant, trust=bench.trust_file, workstation=laptop.identity, now=START)
    assert caught.value.code == f"wrong-{difference.replace(' ', '-')}"


@ON_SQLITE
def test_another_login_on_the_same_computer_gets_a_grant_of_its_own(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    started(bench, ada, laptop)
    laptop.user = OsUser("uid:1001", "second")
    found = started(bench, ada, laptop)
    assert verify(found.grant, trust=bench.trust_file, workstation=laptop.identity, now=START).member == "ada"


@ON_SQLITE
def test_the_offline_hours_are_a_setting_and_the_end_of_the_authorization_is_not_passed(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    configure(bench, offline_hours=2)
    found = started(bench, ada, laptop)
    assert claims_of(found.grant)["exp"] == int((START + timedelta(hours=2)).timestamp())
    configure(bench)
    bench.clock.turn(days=999, hours=23)
    late = started(bench, ada, laptop)
    assert claims_of(late.grant)["exp"] == int((START + timedelta(days=1000)).timestamp())


@ON_SQLITE
def test_a_grant_never_outlives_its_product(tmp_path: Path, database_url: str) -> None:
    ends_at = START + timedelta(hours=5)

    def end_it(specification: dict[str, Any]) -> None:
        specification["products"][0]["until"] = int(ends_at.timestamp())

    bench = make_bench(database_url, tmp_path / "home", change=end_it)
    found = started(bench, bench.member("ada"), workstation("laptop"))
    assert claims_of(found.grant)["exp"] == claims_of(found.grant)["act"] == int(ends_at.timestamp())
    bench.authority.database.close()


@ON_SQLITE
def test_the_longest_names_fit_into_a_grant(bench: Bench) -> None:
    ada, laptop, long = bench.member("ada"), workstation("laptop"), "\N{GLOBE WITH MERIDIANS}" * 256
    extensions = ("3DAnalyst", "SpatialAnalyst", "NetworkAnalyst", "GeostatAnalyst", "DataReviewer", "WorkflowMgr")
    assign(bench, "ada", "Advanced", extensions)
    ask = asked(laptop, extensions=extensions)
    ask = replace(ask, machine=replace(ask.machine, id="m" * 128, source=long, alias=long), user=replace(ask.user, name=long))
    found = sessions.start(Unit(bench.authority, ada), ask)
    identity = Workstation("m" * 128, laptop.user.id, laptop.key.public.kid)
    assert verify(found.grant, trust=bench.trust_file, workstation=identity, now=START).alias == long


def test_no_session_is_kept_when_no_key_can_sign(bench: Bench) -> None:
    ada = bench.member("ada")
    bench.authority.ring.signers.clear()
    with pytest.raises(Exception, match="borrow keys") as caught:
        started(bench, ada, workstation("laptop"))
    assert getattr(caught.value, "code", "") == "key-unusable"
    assert sessions.listed(Unit(bench.authority, CONSOLE), Filter(ended=True))[0] == []
