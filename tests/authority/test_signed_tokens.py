"""The check of what was just signed takes and refuses exactly what a workstation takes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.signing.issuing import signed_token
from tests.support.chains import DAY, Chain, key_record, make_chain, refused
from verifier.core import claims, jose, keys, opening
from verifier.core.claims import BORROW_TYP
from verifier.core.trust import Authorization, authorization
from verifier.errors import CarnetError

CHAIN = make_chain()


def signed(chain: Chain, payload: str, sign: Callable[[bytes], bytes] | None = None) -> str:
    """The token that signing gives out."""
    kid = chain.borrow_key.kid
    return signed_token(payload, kid, sign or chain.borrow_key.private.sign, authorization(chain.authorization))


def as_a_workstation_reads(token: str, known: Authorization) -> claims.Borrow:
    """What a workstation makes of a token."""
    borrow = opening.open_token(token, known)
    opening.check_content(borrow, known)
    return borrow


def test_the_token_is_the_one_that_the_plain_way_makes_and_reads() -> None:
    text = jose.payload(CHAIN.borrow)
    token = signed(CHAIN, text)
    assert token == CHAIN.borrow_key.token(BORROW_TYP, CHAIN.borrow)
    assert as_a_workstation_reads(token, authorization(CHAIN.authorization)) == claims.borrow(CHAIN.borrow)


TEXTS: dict[str, str] = {
    "no JSON": "borrow",
    "an array": "[]",
    "nothing": "",
    "a byte order mark": "\ufeff{}",
    "a member twice": jose.payload(CHAIN.borrow).replace('"ver":1', '"ver":1,"ver":1'),
    "a float": jose.payload(CHAIN.borrow).replace('"ver":1', '"ver":1.0'),
    "a huge integer": jose.payload(CHAIN.borrow).replace('"ver":1', f'"ver":{2**60}'),
    "a lone surrogate": jose.payload(CHAIN.borrow).replace('"ada"', '"\ud800"'),
    "an escaped lone surrogate": jose.payload(CHAIN.borrow).replace('"ada"', '"\\ud800"'),
    "too long": jose.payload(CHAIN.borrow) + " " * 8192,
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_that_no_workstation_reads_is_not_signed(text: str) -> None:
    with refused("malformed"):
        signed(CHAIN, text)


def test_white_space_is_signed_as_it_stands() -> None:
    """A kept payload is signed to the letter, whatever its spelling."""
    text = " " + jose.payload(CHAIN.borrow).replace(":", ": ", 3)
    token = signed(CHAIN, text)
    assert keys.decode(token.split(".")[1]).decode() == text
    assert as_a_workstation_reads(token, authorization(CHAIN.authorization)).member == "ada"


values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=20) | st.just([]) | st.just({})
)
paths = st.sampled_from(
    [(name,) for name in CHAIN.borrow] + [("lic", "level"), ("lic", "levels"), ("cnf", "jkt"), ("pol", "more")]
)


@given(path=paths, value=values)
def test_signing_and_reading_agree_on_every_claim(path: tuple[str, ...], value: Any) -> None:
    payload: dict[str, Any] = {name: dict(item) if isinstance(item, dict) else item for name, item in CHAIN.borrow.items()}
    place = payload
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    known = authorization(CHAIN.authorization)
    try:
        as_a_workstation_reads(CHAIN.borrow_key.token(BORROW_TYP, payload), known)
    except CarnetError as error:
        with refused(error.code):
            signed(CHAIN, jose.payload(payload))
    else:
        as_a_workstation_reads(signed(CHAIN, jose.payload(payload)), known)


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


BAD_SIGNERS: dict[str, Callable[[bytes], bytes]] = {
    "another key": make_chain().borrow_key.private.sign,
    "another text": lambda data: CHAIN.borrow_key.private.sign(flipped(data)),
    "a changed bit": lambda data: flipped(CHAIN.borrow_key.private.sign(data)),
    "a short signature": lambda data: CHAIN.borrow_key.private.sign(data)[:-1],
    "a long signature": lambda data: CHAIN.borrow_key.private.sign(data) + b"\x00",
    "nothing": lambda _: b"",
    "a low-order point": lambda _: min(keys.LOW_ORDER) + bytes(32),
}


@pytest.mark.parametrize("sign", BAD_SIGNERS.values(), ids=BAD_SIGNERS)
def test_a_signer_that_fails_is_seen_before_the_token_leaves(sign: Callable[[bytes], bytes]) -> None:
    with refused("bad-signature"):
        signed(CHAIN, jose.payload(CHAIN.borrow), sign)


def test_the_key_must_be_authorized_for_borrows_and_for_that_time() -> None:
    chain = make_chain()
    text = jose.payload(chain.borrow)
    for kid, sign, code in (
        (chain.status_key.kid, chain.status_key.private.sign, "key-not-valid"),
        (chain.machine_key.kid, chain.machine_key.private.sign, "unknown-key"),
        ("no thumbprint", chain.borrow_key.private.sign, "unknown-key"),
    ):
        with refused(code):
            signed_token(text, kid, sign, authorization(chain.authorization))
    chain.authorization["keys"][0] |= {"exp": chain.borrow["iat"]}
    with refused("key-not-valid"):
        signed(chain, text)
    begins = chain.borrow["iat"]
    chain.authorization["keys"][0] = key_record(chain.borrow_key, "borrow", begins, revoked=True, known=[])
    with refused("key-not-valid"):
        signed(chain, text)


def test_what_the_vendor_did_not_authorize_is_not_signed() -> None:
    chain = make_chain()
    chain.borrow["exp"] = chain.borrow["iat"] + 31 * DAY
    with refused("not-authorized"):
        signed(chain, jose.payload(chain.borrow))
