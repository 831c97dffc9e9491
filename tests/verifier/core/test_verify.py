"""The steps from bytes to a Grant, each refusal at its exact second and for its own reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chains import DAY, HOUR, START, Chain, Signer, at, make_chain, refused
from verifier import errors
from verifier.core import claims, files, steps, trust
from verifier.core.grant import Demand, Grant, Workstation
from verifier.core.times import LAST_SECOND
from verifier.errors import CarnetError

FIXED = make_chain()
FIXED_FILE = FIXED.borrow_file()
FIXED_TRUST = FIXED.trust()


@pytest.fixture
def chain() -> Chain:
    return make_chain()


def judge(data: bytes | str) -> Grant:
    """What the verifier says of a changed borrow file of the fixed chain."""
    return steps.verify(data, trust=FIXED_TRUST, workstation=FIXED.workstation, now=at(START), roots=[FIXED.root.kid])


def test_a_good_borrow_gives_a_grant_with_all_it_says(chain: Chain) -> None:
    assert chain.verify() == Grant(
        product="arcgis-pro",
        level="Standard",
        levels=("Basic", "Standard"),
        extensions=("3DAnalyst",),
        member="ada",
        borrow_id="B" * 22,
        expires_at=at(START + 7 * DAY),
        days_left=7,
        seconds_left=7 * DAY,
        alias="laptop",
        organization="field-survey",
        root=chain.root.kid,
        warnings=(),
    )


def test_a_borrow_file_may_be_given_as_text_and_the_trust_as_a_store() -> None:
    assert judge(FIXED_FILE.decode()) == judge(FIXED_FILE) == FIXED.verify()


def test_a_license_is_good_from_its_first_second_to_its_last(chain: Chain) -> None:
    chain.borrow["nbf"] = START + HOUR
    with refused("not-yet-valid"):
        chain.verify(START + HOUR - 1)
    assert chain.verify(START + HOUR).days_left == 7
    assert chain.verify(START + 7 * DAY - 1).days_left == 1
    with refused("expired"):
        chain.verify(START + 7 * DAY)


@pytest.mark.parametrize(("seconds", "days"), [(1, 1), (DAY, 1), (DAY + 1, 2), (7 * DAY, 7)])
def test_days_left_are_begun_days(chain: Chain, seconds: int, days: int) -> None:
    assert chain.verify(START + 7 * DAY - seconds).days_left == days


def test_a_fraction_of_a_second_does_not_lengthen_a_license(chain: Chain) -> None:
    """The second in which it ends has not begun at .999, and the license ends as that second begins."""
    end = at(START + 7 * DAY)
    before = end - timedelta(microseconds=1)
    given_args = {"trust": chain.trust(), "workstation": chain.workstation}
    assert steps.verify(chain.borrow_file(), now=before, **given_args).days_left == 1  # type: ignore[arg-type]
    with refused("expired"):
        steps.verify(chain.borrow_file(), now=end, **given_args)  # type: ignore[arg-type]


@pytest.mark.parametrize("hours", [-12, -5, 0, 5.75, 14])
def test_the_zone_of_the_time_makes_no_difference(chain: Chain, hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    data, trust, workstation = chain.borrow_file(), chain.trust(), chain.workstation
    last = at(START + 7 * DAY - 1).astimezone(zone)
    assert steps.verify(data, trust=trust, workstation=workstation, now=last).days_left == 1
    with refused("expired"):
        steps.verify(data, trust=trust, workstation=workstation, now=last + timedelta(seconds=1))


def test_a_time_without_zone_is_refused_as_a_mistake_of_the_caller(chain: Chain) -> None:
    naive = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - the mistake itself
    with pytest.raises(ValueError, match="no time zone"):
        steps.verify(chain.borrow_file(), trust=chain.trust(), workstation=chain.workstation, now=naive)


@pytest.mark.parametrize("hours", [-12, 0, 12])
def test_every_time_of_the_calendar_is_judged_and_one_beyond_it_is_no_time(chain: Chain, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    outcomes = []
    for now in (datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)):
        try:
            steps.verify(chain.borrow_file(), trust=chain.trust(), workstation=chain.workstation, now=now)
        except (errors.NotGood, errors.NotChecked, ValueError) as error:
            outcomes.append(getattr(error, "code", "no time"))
    expected = ["not-yet-valid", "expired"]
    if hours:
        expected[hours < 0] = "no time"
    assert outcomes == expected


@pytest.mark.parametrize("begins", [2**31 - 8, 2**31, 2**32, int(datetime(9999, 1, 1, tzinfo=at(0).tzinfo).timestamp())])
def test_the_years_2038_2106_and_9999_are_ordinary(begins: int) -> None:
    chain = make_chain(begins)
    chain.authorization["exp"] = min(chain.authorization["exp"], LAST_SECOND)
    assert chain.verify().days_left == 7


@pytest.mark.parametrize("end", [253_402_300_800, 2**40, 2**53 - 1], ids=["year 10000", "2^40", "2^53 - 1"])
def test_a_license_beyond_the_calendar_ends_in_a_grant_or_in_our_error(chain: Chain, end: int) -> None:
    chain.authorization |= {"max_borrow_days": 2**40, "exp": end}
    chain.borrow["exp"] = end
    try:
        granted = chain.verify()
    except CarnetError as error:
        assert error.code in {"malformed", "not-authorized"}  # noqa: PT017
    else:
        assert granted.as_json()["days_left"] > 365 * 7_000


@pytest.mark.parametrize(
    ("field", "code"), [("machine_id", "wrong-machine"), ("user_id", "wrong-user"), ("machine_key", "wrong-machine-key")]
)
def test_another_machine_user_or_machine_key_is_refused_and_one_that_is_not_given_is_warned_of(
    chain: Chain, field: str, code: str
) -> None:
    granted = chain.verify()
    wanted = getattr(chain.workstation, field)
    for other in ("another", "", wanted.upper() + "x", wanted[:-1], f"{wanted} "):
        chain.workstation = chain.workstation._replace(**{field: other})
        with refused(code):
            chain.verify()
    chain.workstation = chain.workstation._replace(**{field: None})
    name = field.removesuffix("_id").replace("_", " ")
    assert chain.verify() == replace(granted, warnings=(f"the {name} was not compared",))


def test_all_that_is_not_given_to_compare_is_warned_of(chain: Chain) -> None:
    chain.workstation = Workstation(None, None, None)
    assert chain.verify().warnings == (
        "the machine was not compared",
        "the user was not compared",
        "the machine key was not compared",
    )


def test_what_is_asked_for_must_be_granted(chain: Chain) -> None:
    borrow = claims.borrow(chain.borrow)
    product = trust.authorization(chain.authorization).product("arcgis-pro")
    steps.check_demand(borrow, Demand("arcgis-pro", None, ()), product)
    steps.check_demand(borrow, Demand("arcgis-pro", "Basic", ("3DAnalyst",)), product)
    steps.check_demand(
        borrow,
        Demand(
            "arcgis-pro",
            "Standard",
            (
                "3DAnalyst",
                "3DAnalyst",
            ),
        ),
        product,
    )
    for other in ("arcgis", "arcgis-pro-2", "ARCGIS-PRO", ""):
        with refused("wrong-product"):
            steps.check_demand(borrow, Demand(other, None, ()), product)
    for level in ("Advanced", "basic", "Standard ", "", "3DAnalyst"):
        with refused("level-not-granted"):
            steps.check_demand(borrow, Demand("arcgis-pro", level, ()), product)
    for extensions in (["SpatialAnalyst"], ["3DAnalyst", "SpatialAnalyst"], ["3danalyst"], [""]):
        with refused("extension-not-granted"):
            steps.check_demand(borrow, Demand("arcgis-pro", None, tuple(extensions)), product)


def test_who_misspells_what_is_asked_for_is_not_told_to_return_the_license(chain: Chain) -> None:
    borrow, product = claims.borrow(chain.borrow), trust.authorization(chain.authorization).product("arcgis-pro")
    for demand, names in (
        (Demand("arcgis-pro", "standard", ()), ", ".join(sorted(product.levels))),
        (Demand("arcgis-pro", None, ("3danalyst",)), ", ".join(sorted(product.extensions))),
        (Demand("arcgis-pro", None, ("SpatialAnalyst", "spatial")), ", ".join(sorted(product.extensions))),
    ):
        with pytest.raises((errors.LevelNotGranted, errors.ExtensionNotGranted)) as caught:
            steps.check_demand(borrow, demand, product)
        assert "Return" not in caught.value.hint
        assert names in caught.value.hint
    with pytest.raises(errors.LevelNotGranted, match="Advanced") as caught:
        steps.check_demand(borrow, Demand("arcgis-pro", "Advanced", ()), product)
    assert "Return" in caught.value.hint


def test_the_reason_given_is_the_first_step_that_fails(chain: Chain) -> None:
    chain.set_status(1, seq=2)
    chain.borrow["lic"]["level"] = "Advanced"
    stranger = Workstation("another", "uid:1", "another")
    late = START + 30 * DAY
    chain.workstation, own = stranger, chain.workstation
    with refused("not-authorized"):
        chain.verify(late)
    chain.borrow["lic"]["level"] = "Standard"
    with refused("expired"):
        chain.verify(late)
    with refused("wrong-machine"):
        chain.verify()
    chain.workstation = own._replace(user_id="uid:1", machine_key="another")
    with refused("wrong-user"):
        chain.verify()
    chain.workstation = own._replace(machine_key="another")
    with refused("wrong-machine-key"):
        chain.verify()
    chain.workstation = own
    with refused("revoked"):
        chain.verify()


@pytest.mark.parametrize("member", ["authorization", "borrow", "status_list"])
@pytest.mark.parametrize("value", [1, True, [], {}, "", "a.b.c", ["x"]], ids=repr)
def test_a_member_of_the_file_that_is_no_token_is_refused(member: str, value: Any) -> None:
    with refused("status-list-unusable" if member == "status_list" else "malformed"):
        judge(FIXED.borrow_file(**{member: value}))


@pytest.mark.parametrize("member", ["authorization", "borrow"])
def test_a_token_that_is_null_is_malformed(member: str) -> None:
    absent: dict[str, Any] = {member: None}
    with refused("malformed"):
        judge(FIXED.borrow_file(**absent))


def test_tokens_of_the_file_cannot_stand_in_for_each_other() -> None:
    tokens = json.loads(FIXED_FILE)
    names = ("authorization", "borrow", "status_list")
    for place in names:
        for other in names:
            if place != other:
                with refused("malformed", "status-list-unusable"):
                    judge(FIXED.borrow_file(**{place: tokens[other]}))


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def changed_file(member: str, value: Any) -> bytes:
    """The fixed borrow file with another value in one member."""
    return files.render("borrow", json.loads(FIXED_FILE) | {member: value})


def flipped(text: str, position: int) -> str:
    """The text with another character of its own alphabet at one position."""
    old = text[position]
    new = "A" if old == "." else ALPHABET[(ALPHABET.index(old) + 1) % 64]
    return text[:position] + new + text[position + 1 :]


@pytest.mark.parametrize("member", ["authorization", "borrow", "status_list"])
def test_a_token_with_one_character_changed_is_refused_wherever_it_is(member: str) -> None:
    token = json.loads(FIXED_FILE)[member]
    positions = sorted({*range(0, len(token), 7), *range(len(token) - 90, len(token))})
    for position in positions:
        with refused("malformed", "bad-signature", "unknown-key", "status-list-unusable"):
            pytest.fail(f"position {position}: {judge(changed_file(member, flipped(token, position)))}")
    assert len(positions) > 120


def test_a_borrow_file_cut_short_anywhere_is_malformed() -> None:
    for length in range(0, len(FIXED_FILE) - 2, 5):
        with refused("malformed"):
            judge(FIXED_FILE[:length])


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300) | st.text(max_size=100))
def test_any_bytes_are_refused_with_our_error(data: bytes | str) -> None:
    with refused("malformed", "unsupported-version"):
        judge(data)


def test_a_borrow_signed_by_its_own_machine_key_or_by_a_stranger_is_of_an_unknown_key(chain: Chain) -> None:
    for signer in (chain.machine_key, Signer(), chain.root):
        with refused("unknown-key"):
            steps.verify(
                chain.borrow_file(borrow=signer.token(claims.BORROW_TYP, chain.borrow)),
                trust=chain.trust(),
                workstation=chain.workstation,
                now=at(START),
            )


def test_every_error_has_a_code_a_family_and_a_hint() -> None:
    every = errors.every_error()
    assert len({error.code for error in every}) == len(every) > 27
    # Good or not, checked or not, and of what an authority says: refused by it, or not reached.
    statuses = {errors.NotGood: 1, errors.NotChecked: 3, errors.Refused: 4, errors.NotSignedIn: 4, errors.NotReached: 5}
    statuses |= {errors.WrongAddress: 2}
    for error in every:
        (family,) = statuses.keys() & set(error.__mro__)
        assert error("said").as_json() == {
            "ok": False,
            "code": error.code,
            "message": "said",
            "hint": error.default_hint,
            "evidence": {},
        }
        assert error.exit_status == statuses[family]
        assert error.default_hint
