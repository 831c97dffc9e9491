"""The strict front end: one spelling of each token, one algorithm, one header, and nothing believed before its turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.chains import make_chain, receipt_claims, refused, request_claims
from tests.support.hostile_tokens import (
    BODY,
    FORMS,
    GOOD,
    HEAD,
    HEADERS,
    JWK,
    JWKS,
    KIDS,
    PAYLOADS,
    SIGNATURE,
    SIGNER,
    TYP,
    with_payload,
)
from verifier.core import carried, claims, jose, keys
from verifier.core.keys import PublicKey
from verifier.core.trust import authorization
from verifier.errors import Malformed


def look_up(kid: str) -> PublicKey:
    """Any name gives the right key, so that no refusal below is owed to the look-up."""
    return SIGNER.public


def open_borrow(token: Any) -> jose.Signed:
    return jose.open_by_kid(token, TYP, look_up)


def sized(length: int) -> tuple[str, str]:
    """A good token of exactly that many characters, and its type; base64url has no text of every length."""
    for typ in ("a", "ab", "abc"):
        for filler in range(length // 2, length * 3 // 4):
            token = SIGNER.token(typ, {"a": "b" * filler})
            if len(token) == length:
                return token, typ
    raise AssertionError(length)


def test_a_good_token_opens_with_its_claims_and_key() -> None:
    opened = open_borrow(GOOD)
    assert (opened.claims, opened.key) == ({"a": 1}, SIGNER.public)


def test_a_good_proof_opens_with_the_key_in_it() -> None:
    opened = jose.open_by_jwk(SIGNER.proof(claims.REQUEST_TYP, {"a": 1}), claims.REQUEST_TYP)
    assert (opened.claims, opened.key) == ({"a": 1}, SIGNER.public)


def test_a_token_may_be_as_long_as_the_cap_and_no_longer() -> None:
    token, typ = sized(jose.LONGEST_TOKEN)
    assert jose.open_by_kid(token, typ, look_up).key == SIGNER.public
    longer, typ = sized(jose.LONGEST_TOKEN + 1)
    with pytest.raises(Malformed, match="at most 8192"):
        jose.open_by_kid(longer, typ, look_up)


def test_an_authorization_may_be_longer_and_has_its_own_cap() -> None:
    cap = jose.LONGEST_AUTHORIZATION
    token = SIGNER.token(TYP, {"a": "b" * (cap * 3 // 4 - 400)})
    assert cap - 600 < len(token) <= cap
    assert jose.open_by_kid(token, TYP, look_up, longest=cap).key == SIGNER.public
    with pytest.raises(Malformed, match=f"at most {cap}"):
        jose.open_by_kid(SIGNER.token(TYP, {"a": "b" * cap}), TYP, look_up, longest=cap)


@pytest.mark.parametrize("token", FORMS.values(), ids=FORMS)
def test_another_form_is_malformed_to_both_entries(token: Any) -> None:
    with refused("malformed"):
        open_borrow(token)
    with refused("malformed"):
        jose.open_by_jwk(token, TYP)


@pytest.mark.parametrize("token", HEADERS.values(), ids=HEADERS)
def test_t14_another_algorithm_key_or_member_in_the_header_is_malformed_although_it_is_signed(token: str) -> None:
    with refused("malformed"):
        open_borrow(token)


@pytest.mark.parametrize("token", KIDS.values(), ids=KIDS)
def test_t15_a_key_is_named_by_its_thumbprint_and_by_nothing_else(token: str) -> None:
    with refused("malformed"):
        open_borrow(token)


@pytest.mark.parametrize("token", PAYLOADS.values(), ids=PAYLOADS)
def test_t20_a_payload_that_is_no_strict_json_object_is_malformed_although_it_is_signed(token: str) -> None:
    with refused("malformed"):
        open_borrow(token)


@pytest.mark.parametrize("jwk", JWKS.values(), ids=JWKS)
def test_only_an_exact_public_key_on_the_curve_is_a_proof(jwk: object) -> None:
    with refused("malformed"):
        jose.open_by_jwk(SIGNER.sign(SIGNER.jwk_header(TYP, jwk=jwk), {}), TYP)


def test_there_are_fourteen_low_order_encodings() -> None:
    """The neutral point, that of order 2, those of order 4, and those of order 8, each by its y and the sign of its x."""
    prime, y = keys.FIELD_PRIME, keys.ORDER_EIGHT_Y
    assert len(keys.LOW_ORDER) == 14
    assert (keys.CURVE_D * pow(y, 4, prime) + 2 * y * y) % prime == 1
    assert all(keys.is_on_curve(raw) for raw in keys.LOW_ORDER if int.from_bytes(raw, "little") % 2**255 < prime)
    assert {int.from_bytes(raw, "little") % 2**255 % prime for raw in keys.LOW_ORDER} == {0, 1, prime - 1, y, prime - y}


@pytest.mark.parametrize("raw", sorted(keys.LOW_ORDER), ids=bytes.hex)
def test_a_signature_that_begins_with_a_low_order_point_is_refused(raw: bytes) -> None:
    with refused("bad-signature"):
        open_borrow(f"{HEAD}.{BODY}.{keys.encode(raw + bytes(32))}")


def test_t18_the_signature_that_a_low_order_key_gives_every_message_opens_nothing() -> None:
    """The constant signature R = identity, S = 0 verifies under the identity point as key in a library that does not screen."""
    identity = (1).to_bytes(32, "little")
    header = keys.encode(jose.payload(SIGNER.jwk_header(TYP, jwk=JWK | {"x": keys.encode(identity)})).encode())
    with refused("malformed"):
        jose.open_by_jwk(f"{header}.{BODY}.{keys.encode(identity + bytes(32))}", TYP)


def test_integers_are_read_up_to_2_to_the_53_less_one() -> None:
    assert open_borrow(with_payload(f'{{"a":{2**53 - 1},"b":-{2**53 - 1}}}')).claims == {"a": 2**53 - 1, "b": 1 - 2**53}


def test_a_signature_over_another_spelling_of_the_same_claims_is_bad() -> None:
    spaced = keys.encode(b'{"a": 1}')
    with refused("bad-signature"):
        open_borrow(f"{HEAD}.{spaced}.{SIGNATURE}")


def test_a_key_is_looked_up_only_when_the_form_is_right_and_payloads_are_read_only_when_signed() -> None:
    asked: list[str] = []

    def remember(kid: str) -> PublicKey:
        asked.append(kid)
        return SIGNER.public

    for token in [*FORMS.values(), *HEADERS.values(), *KIDS.values()]:
        with refused("malformed"):
            jose.open_by_kid(token, TYP, remember)
    assert asked == []
    for token in PAYLOADS.values():
        if len(token) <= jose.LONGEST_TOKEN:
            with refused("bad-signature"):
                open_borrow(f"{token[:-86]}{'B' * 85}A")


KINDS: dict[str, tuple[bool, dict[str, Any], Callable[[Mapping[str, Any]], object]]] = {
    claims.BORROW_TYP: (False, make_chain().borrow, claims.borrow),
    claims.STATUS_LIST_TYP: (False, make_chain().status_list, claims.status_list),
    claims.AUTHORIZATION_TYP: (False, make_chain().authorization, authorization),
    claims.REQUEST_TYP: (True, request_claims(), carried.request),
    claims.RECEIPT_TYP: (True, receipt_claims(), carried.receipt),
}


def read_as(kind: str, token: str) -> object:
    """What the reader of that kind makes of a token."""
    by_jwk, _, parse = KINDS[kind]
    signed = jose.open_by_jwk(token, kind) if by_jwk else jose.open_by_kid(token, kind, look_up)
    return parse(signed.claims)


def made_as(typ: str, content: str) -> str:
    """A signed token of that type with the claims of a kind."""
    return SIGNER.proof(typ, KINDS[content][1]) if KINDS[typ][0] else SIGNER.token(typ, KINDS[content][1])


@pytest.mark.parametrize("reader", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_t22_only_its_own_reader_takes_a_token(kind: str, reader: str) -> None:
    if kind == reader:
        assert read_as(reader, made_as(kind, kind)) is not None
    else:
        with refused("malformed"):
            read_as(reader, made_as(kind, kind))
        with refused("malformed"):
            read_as(reader, made_as(reader, kind))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_malformed(data: bytes) -> None:
    try:
        value = jose.strict_object(data)
    except Malformed:
        return
    assert isinstance(value, dict)


@given(st.text(alphabet="ABab01-_.=+/ \n", max_size=300))
def test_any_text_is_refused_with_our_error(text: str) -> None:
    with refused("malformed", "bad-signature"):
        open_borrow(text)
