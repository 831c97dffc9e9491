"""T17, T29: root keys are replaced by the old and the new one together, in order, and by nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chains import ORGANIZATION, Signer, make_chain, refused
from tests.support.succeeding import replaced, signed_by, trust_file, update_claims
from verifier.core import files
from verifier.core.jose import LONGEST_TOKEN
from verifier.core.keys import digest_of
from verifier.core.succession import MOST_SIGNATURES, TRUST_UPDATE_TYP
from verifier.core.trust import TrustStore

FIRST, SECOND, THIRD, THIEF = Signer(), Signer(), Signer(), Signer()
ONE, TWO = replaced(FIRST, SECOND, 1), replaced(SECOND, THIRD, 2)
STORE = TrustStore.read(trust_file(FIRST))


def test_t29_old_and_new_root_together_put_the_new_one_in_its_place() -> None:
    store = STORE.continued_by(ONE)
    assert (list(store.roots), list(store.succession.former), store.succession.seq) == ([SECOND.kid], [FIRST.kid], 1)
    assert store.continued_by(TWO) == STORE.continued_by(ONE + TWO) == TrustStore.read(trust_file(FIRST, ONE, TWO))
    assert store.continued_by(ONE) == store
    assert TrustStore.read(store.as_file()) == store


NOT_FOLLOWING: dict[str, tuple[list[str], str]] = {
    "old root alone": (signed_by([FIRST], update_claims([SECOND])), "bad-signature"),
    "old root twice": (signed_by([FIRST, FIRST], update_claims([SECOND])), "bad-signature"),
    "new root alone": (signed_by([SECOND], update_claims([SECOND])), "unknown-key"),
    "new root first": (signed_by([SECOND, FIRST], update_claims([SECOND])), "unknown-key"),
    "one of two new roots": (signed_by([FIRST, SECOND], update_claims([SECOND, THIRD])), "bad-signature"),
    "somebody else too": (signed_by([FIRST, SECOND, THIEF], update_claims([SECOND])), "unknown-key"),
    "each over another text": (ONE[:1] + replaced(FIRST, SECOND, 2)[1:], "bad-signature"),
    "a skipped version": (TWO, "unknown-key"),
    "a stranger's": (replaced(THIEF, SECOND), "unknown-key"),
    "a fork after it": (ONE + replaced(FIRST, THIEF, 2), "unknown-key"),
    "a number that does not grow": (ONE + replaced(SECOND, THIRD, 1), "not-authorized"),
    "another type": ([signer.token("borrow+jwt", update_claims([SECOND])) for signer in (FIRST, SECOND)], "malformed"),
    "no text": ([1], "malformed"),  # type: ignore[list-item]
    "no token": (["x"], "malformed"),
    "a flood": (ONE * MOST_SIGNATURES, "malformed"),
    "no root": (signed_by([FIRST], update_claims([])), "malformed"),
    "a later version": (replaced(FIRST, SECOND, ver=2), "unsupported-version"),
    "number zero": (replaced(FIRST, SECOND, 0), "malformed"),
    "a member more": (replaced(FIRST, SECOND, exp=1), "malformed"),
    "known that is no digest": (replaced(FIRST, SECOND, known=["x"]), "malformed"),
}


@pytest.mark.parametrize(("signatures", "code"), NOT_FOLLOWING.values(), ids=NOT_FOLLOWING)
def test_t17_a_trust_store_is_replaced_by_no_other_update(signatures: list[Any], code: str) -> None:
    with refused(code):
        STORE.continued_by(signatures)
    with refused(code):
        TrustStore.read(trust_file(FIRST, signatures))


def test_updates_in_the_wrong_order_make_no_trust_file_and_skip_nothing() -> None:
    with refused("unknown-key"):
        TrustStore.read(trust_file(FIRST, TWO, ONE))
    assert list(STORE.continued_by(TWO + ONE).roots) == [SECOND.kid]


def test_a_trust_that_began_later_passes_over_what_was_before_it() -> None:
    later = TrustStore.read(trust_file(SECOND))
    assert list(later.continued_by(ONE + TWO).roots) == [THIRD.kid]
    with refused("unknown-key"):
        later.continued_by(ONE)


def test_a_root_that_stays_signs_once_and_one_that_was_replaced_signs_no_more() -> None:
    both = STORE.continued_by(signed_by([FIRST, SECOND], update_claims([FIRST, SECOND])))
    assert (set(both.roots), both.succession.former) == ({FIRST.kid, SECOND.kid}, {})
    assert list(both.continued_by(signed_by([SECOND], update_claims([SECOND], 2))).roots) == [SECOND.kid]
    with refused("unknown-key"):
        STORE.continued_by(ONE).continued_by(replaced(FIRST, THIEF, 2))


def test_each_root_names_who_stands_behind_it() -> None:
    vouchers = STORE.continued_by(ONE + TWO).succession.vouchers
    assert vouchers[THIRD.kid] == {FIRST.kid, SECOND.kid, THIRD.kid}
    assert vouchers[FIRST.kid] == {FIRST.kid}


def test_what_the_old_root_signed_stays_good_when_the_update_knows_it_whatever_time_anything_claims() -> None:
    chain = make_chain()
    good = digest_of(chain.authorization_token())
    trust = TrustStore.read(trust_file(chain.root, replaced(chain.root, SECOND, known=[good])))
    assert trust.authorize(chain.authorization_token()).seq == 1
    for iat in (chain.authorization["iat"] - 10**6, chain.authorization["iat"]):
        chain.authorization |= {"iat": iat, "seq": 2}
        with refused("key-not-valid"):
            trust.authorize(chain.authorization_token())
    chain.root = SECOND
    assert trust.authorize(chain.authorization_token()).seq == 2


def test_the_last_update_says_what_stays_good() -> None:
    chain = make_chain()
    good = digest_of(chain.authorization_token())
    one = replaced(chain.root, SECOND, known=[good])
    for known, codes in (([good], None), ([], "key-not-valid")):
        trust = TrustStore.read(trust_file(chain.root, one, replaced(SECOND, THIRD, 2, known)))
        if codes is None:
            assert trust.authorize(chain.authorization_token()).seq == 1
        else:
            with refused(codes):
                trust.authorize(chain.authorization_token())


def test_an_update_may_name_more_than_a_token_of_another_kind_has_room_for() -> None:
    known = [digest_of(str(number)) for number in range(500)]
    update = replaced(FIRST, SECOND, known=known)
    assert len(update[0]) > LONGEST_TOKEN
    assert STORE.continued_by(update).succession.known == set(known)


def test_an_update_is_nothing_but_an_update() -> None:
    """T22: its type opens no other door, and no other type opens this one."""
    chain = make_chain()
    with refused("malformed"):
        STORE.authorize(ONE[0])
    with refused("malformed"):
        STORE.continued_by([chain.authorization_token()])
    assert TRUST_UPDATE_TYP not in chain.borrow_token()


def test_an_application_that_pins_a_root_takes_those_that_follow_from_it_and_what_they_know_of_former_ones() -> None:
    chain = make_chain()
    first = chain.root
    good = chain.authorization_token()
    trust = TrustStore.read(trust_file(first, replaced(first, SECOND, known=[digest_of(good)])))
    chain.root, chain.authorization["seq"] = SECOND, 2
    for pin in (first, SECOND):
        assert trust.pinned([pin.kid]).authorize(good).root == first.kid
        assert trust.pinned([pin.kid]).authorize(chain.authorization_token()).root == SECOND.kid
    for pin in (THIRD, THIEF):
        with refused("untrusted-root"):
            trust.pinned([pin.kid]).authorize(good)


def test_a_pinned_root_vouches_for_nobody_who_only_stands_beside_it() -> None:
    """Who may write the trust file can write the pinned root's public key into it, and the update of another trust."""
    chain = make_chain()
    chain.root = THIEF
    beside = files.render(
        "trust", {"roots": [THIEF.public.as_jwk(), FIRST.public.as_jwk()], "organization": ORGANIZATION, "updates": []}
    )
    with refused("untrusted-root"):
        TrustStore.read(beside).pinned([FIRST.kid]).authorize(chain.authorization_token())
    after = TrustStore.read(beside).continued_by(ONE)
    assert set(after.succession.former) == {THIEF.kid, FIRST.kid}
    with refused("key-not-valid"):
        after.pinned([SECOND.kid]).authorize(chain.authorization_token())
