"""What an authority may give and with which key: root, then authorization, then everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.chains import DAY, START, Chain, Signer, at, key_record, make_chain, refused
from verifier.core import claims, files, opening, status, steps
from verifier.core.grant import Grant
from verifier.core.times import LAST_SECOND


@pytest.fixture
def chain() -> Chain:
    return make_chain()


def borrow_key(chain: Chain) -> dict[str, Any]:
    """What the authorization says of the borrow key."""
    key: dict[str, Any] = chain.authorization["keys"][0]
    return key


def product(chain: Chain) -> dict[str, Any]:
    item: dict[str, Any] = chain.authorization["products"][0]
    return item


def changing(**members: Any) -> Callable[[Chain], None]:
    return lambda chain: chain.borrow.update(members)


def licensed(**members: Any) -> Callable[[Chain], None]:
    return lambda chain: chain.borrow["lic"].update(members)


BEYOND: dict[str, Callable[[Chain], None]] = {
    "a level without seats": licensed(level="Basic", levels=["Basic"]),
    "a level with no seat": lambda chain: product(chain)["seats"].update(Standard=0),
    "an unknown level": licensed(level="Gold", levels=["Basic", "Standard", "Gold"]),
    "a level above in the list": licensed(levels=["Basic", "Standard", "Advanced"]),
    "a level missing in the list": licensed(levels=["Standard"]),
    "levels in another order": licensed(levels=["Standard", "Basic"]),
    "no levels": licensed(levels=[]),
    "an unknown extension": licensed(extensions=["3DAnalyst", "Gold"]),
    "an extension with no seat": lambda chain: product(chain)["extensions"].update({"3DAnalyst": 0}),
    "a level as an extension": licensed(extensions=["Advanced"]),
    "an unknown product": changing(aud="gold"),
    "another organization": changing(iss="other-survey"),
    "one second longer than allowed": changing(exp=START + 30 * DAY + 1),
    "longer than allowed counted from the beginning": changing(nbf=START + DAY, exp=START + 31 * DAY),
    "beyond the authorization's end": lambda chain: chain.authorization.update(exp=START + 7 * DAY - 1),
    "beyond the product's end": lambda chain: product(chain).update(until=START + 7 * DAY - 1),
    "issued before the authorization begins": lambda chain: chain.authorization.update(nbf=START + 1),
}
WITHIN: dict[str, Callable[[Chain], None]] = {
    "the highest level": licensed(level="Advanced", levels=["Basic", "Standard", "Advanced"]),
    "no extension": licensed(extensions=[]),
    "every extension": licensed(extensions=["SpatialAnalyst", "3DAnalyst"]),
    "exactly as long as allowed": changing(exp=START + 30 * DAY),
    "to the authorization's end": lambda chain: chain.authorization.update(exp=START + 7 * DAY),
    "to the product's end": lambda chain: product(chain).update(until=START + 7 * DAY),
    "issued as the authorization begins": lambda chain: chain.authorization.update(nbf=START),
    "another product": lambda chain: chain.borrow.update(aud="arcgis-allsource"),
}


@pytest.mark.parametrize("change", BEYOND.values(), ids=BEYOND)
def test_t41_what_the_authorization_does_not_allow_is_refused_although_it_is_signed(
    chain: Chain, change: Callable[[Chain], None]
) -> None:
    change(chain)
    with refused("not-authorized"):
        chain.verify()


@pytest.mark.parametrize("change", WITHIN.values(), ids=WITHIN)
def test_all_that_the_authorization_allows_is_good(chain: Chain, change: Callable[[Chain], None]) -> None:
    change(chain)
    assert chain.verify().product == chain.borrow["aud"]


def test_an_authorization_from_another_root_is_of_an_unknown_key(chain: Chain) -> None:
    forged = make_chain()
    with refused("unknown-key"):
        steps.verify(forged.borrow_file(), trust=chain.trust(), workstation=forged.workstation, now=at(START))


def test_an_authorization_that_names_the_trusted_root_but_was_signed_by_another_is_bad(chain: Chain) -> None:
    forged = Signer().sign(chain.root.header(claims.AUTHORIZATION_TYP), chain.authorization)
    with refused("bad-signature"):
        verify_with(chain, authorization=forged)


def test_an_authorization_signed_by_a_key_that_it_names_itself_is_of_an_unknown_key(chain: Chain) -> None:
    forged = chain.borrow_key.token(claims.AUTHORIZATION_TYP, chain.authorization)
    with refused("unknown-key"):
        verify_with(chain, authorization=forged)


def verify_with(chain: Chain, **members: Any) -> Grant:
    return steps.verify(chain.borrow_file(**members), trust=chain.trust(), workstation=chain.workstation, now=at(START))


def test_each_of_several_roots_is_trusted(chain: Chain) -> None:
    second = Signer()
    trust = chain.trust_file(second, chain.root)
    data = chain.borrow_file(authorization=second.token(claims.AUTHORIZATION_TYP, chain.authorization))
    for borrow_file in (data, chain.borrow_file()):
        assert steps.verify(borrow_file, trust=trust, workstation=chain.workstation, now=at(START)).member == "ada"


def test_the_same_authorization_under_another_trust_store_is_judged_anew(chain: Chain) -> None:
    """What was once found good for one trust store must not be good for the next."""
    assert chain.verify().member == "ada"
    other = files.render("trust", {"roots": [Signer().public.as_jwk()], "organization": "field-survey", "updates": []})
    with refused("unknown-key"):
        steps.verify(chain.borrow_file(), trust=other, workstation=chain.workstation, now=at(START))
    renamed = files.render("trust", {"roots": [chain.root.public.as_jwk()], "organization": "other", "updates": []})
    with refused("not-authorized"):
        steps.verify(chain.borrow_file(), trust=renamed, workstation=chain.workstation, now=at(START))


def test_a_key_signs_from_its_first_second_to_its_last(chain: Chain) -> None:
    for begins, ends in ((START, START + 1), (0, START + 1), (START, LAST_SECOND)):
        borrow_key(chain).update(nbf=begins, exp=ends)
        assert chain.verify().member == "ada"
    for begins, ends in ((START + 1, START + DAY), (START - DAY, START)):
        borrow_key(chain).update(nbf=begins, exp=ends)
        with refused("key-not-valid"):
            chain.verify()


def test_a_key_that_is_retired_after_it_signed_stays_good_for_what_it_signed(chain: Chain) -> None:
    borrow_key(chain)["exp"] = START + 1
    assert chain.verify(START + 6 * DAY).days_left == 1


def test_a_key_for_another_use_is_not_valid(chain: Chain) -> None:
    with refused("key-not-valid"):
        verify_with(chain, borrow=chain.status_key.token(claims.BORROW_TYP, chain.borrow))
    with refused("status-list-unusable"):
        verify_with(chain, status_list=chain.borrow_key.token(claims.STATUS_LIST_TYP, chain.status_list))


def test_a_key_of_an_older_authorization_is_known_only_from_the_file_that_names_it(chain: Chain) -> None:
    with refused("unknown-key"):
        verify_with(chain, borrow=Signer().token(claims.BORROW_TYP, chain.borrow))


def newer_status_file(chain: Chain, keys: list[dict[str, Any]]) -> bytes:
    """A status file with the next authorization, which names these keys and the status key."""
    newer = make_chain()
    newer.root, newer.status_key = chain.root, chain.status_key
    newer.authorization["keys"] = [*keys, chain.authorization["keys"][1]]
    newer.renew_authorization()
    newer.status_list["seq"] = 2
    return newer.status_file()


def test_a_key_revoked_by_a_newer_authorization_is_not_valid(chain: Chain) -> None:
    revoked = borrow_key(chain) | {"revoked": True}
    lists: list[dict[str, list[str]]] = [{}, {"known": []}, {"known": ["K" * 22]}]
    for known in lists:
        with refused("key-not-valid"):
            chain.verify(status_list=newer_status_file(chain, [revoked | known]))


def test_a_borrow_known_to_the_newer_authorization_stays_good_after_the_key_was_revoked(chain: Chain) -> None:
    revoked = borrow_key(chain) | {"revoked": True, "known": ["K" * 22, chain.borrow["jti"]]}
    assert chain.verify(status_list=newer_status_file(chain, [revoked])).member == "ada"


def test_a_list_of_known_borrows_means_nothing_for_a_key_that_is_not_revoked(chain: Chain) -> None:
    borrow_key(chain).update(revoked=False, known=[])
    assert chain.verify().member == "ada"


def test_a_thief_cannot_date_a_borrow_back_to_before_the_theft(chain: Chain) -> None:
    revoked = borrow_key(chain) | {"revoked": True, "known": [chain.borrow["jti"]]}
    chain.borrow |= {"jti": "S" * 22, "iat": START - DAY // 2, "nbf": START - DAY // 2}
    with refused("key-not-valid"):
        chain.verify(START, status_list=newer_status_file(chain, [revoked]))


def test_a_key_that_the_newest_authorization_no_longer_names_is_not_valid(chain: Chain) -> None:
    with refused("key-not-valid"):
        chain.verify(status_list=newer_status_file(chain, [key_record(Signer(), "borrow", START)]))


def test_a_newer_authorization_that_still_names_the_key_changes_nothing(chain: Chain) -> None:
    assert chain.verify(status_list=newer_status_file(chain, [borrow_key(chain)])).member == "ada"


def test_a_list_by_a_revoked_status_key_is_no_evidence_once_the_revocation_is_known(chain: Chain) -> None:
    """The thief of the status key puts a list with a high number into the file, under the old authorization."""
    newer = make_chain()
    newer.root = chain.root
    stolen = chain.authorization["keys"][1] | {"revoked": True}
    newer.authorization["keys"] = [borrow_key(chain), stolen, key_record(newer.status_key, "status", START)]
    newer.renew_authorization()
    known = chain.trust().authorize(newer.authorization_token())
    chain.set_status(0, seq=1_000)
    assert opening.open_borrow(chain.borrow_file(), chain.trust(), [], known=known).status_list is None


def test_a_status_file_by_a_key_that_the_newest_authorization_does_not_take_is_refused(chain: Chain) -> None:
    """It is given to be used, so it is not passed over as a list in the borrow file is."""
    older = chain.status_file()
    chain.authorization["keys"][1] |= {"revoked": True}
    chain.renew_authorization()
    with refused("status-list-unusable"):
        chain.verify(with_list=False, status_list=older)


def test_a_status_file_given_twice_over_is_verified_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, taken = opening.open_status(chain.status_file(), chain.trust()), []
    monkeypatch.setattr(status, "read", lambda *arguments: taken.append(arguments))
    assert opening.open_borrow(chain.borrow_file(), chain.trust(), [beside]).status_list == beside.status_list
    assert taken == []
