"""The proof in requests and receipts, by Ed25519 and by the keys of hardware."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.chains import Signer, refused
from tests.support.hardware import ORDER, HardwareMachineKey, other_signature
from verifier.core import claims, jose, proofs
from verifier.core.keys import encode
from verifier.core.proofs import open_proof

TYP = claims.REQUEST_TYP
KEY = HardwareMachineKey()
TOKEN = KEY.sign(TYP, {"a": 1})
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def number(value: int) -> str:
    return encode(value.to_bytes(32))


def test_the_key_that_verified_is_named_by_its_thumbprint() -> None:
    signer = Signer()
    assert open_proof(signer.proof(TYP, {"a": 1}), TYP)[:2] == ({"a": 1}, signer.kid)
    assert open_proof(TOKEN, TYP)[:2] == ({"a": 1}, KEY.public.kid)


def test_the_thumbprint_is_that_of_other_libraries() -> None:
    if sys.platform == "win32":
        pytest.importorskip(
            "joserfc", reason="the Windows Python under Wine has no joserfc; the thumbprint is the same everywhere"
        )
    from joserfc.jwk import ECKey

    assert KEY.public.kid == ECKey.import_key({**KEY.jwk}).thumbprint()


def test_one_text_has_one_digest_however_often_it_is_signed() -> None:
    tokens = [TOKEN, KEY.sign(TYP, {"a": 1}), other_signature(TOKEN)]
    assert len(set(tokens)) == 3
    assert len({open_proof(token, TYP).digest for token in tokens}) == 1
    assert open_proof(KEY.sign(TYP, {"a": 2}), TYP).digest != open_proof(TOKEN, TYP).digest


HEADERS: dict[str, dict[str, Any]] = {
    "Ed25519's algorithm": {"alg": "EdDSA"},
    "no algorithm": {"alg": "none"},
    "a longer algorithm": {"alg": "ES384"},
    "a list": {"alg": ["ES256"]},
    "a symmetric algorithm": {"alg": "HS256"},
    "another kind": {"typ": claims.RECEIPT_TYP},
    "a key id too": {"kid": KEY.public.kid},
    "an Ed25519 key": {"jwk": Signer().public.as_jwk()},
    "another curve": {"jwk": KEY.jwk | {"crv": "secp256k1"}},
    "a private member": {"jwk": KEY.jwk | {"d": number(1)}},
    "no y": {"jwk": {name: KEY.jwk[name] for name in ("kty", "crv", "x")}},
    "off the curve": {"jwk": KEY.jwk | {"y": number(1)}},
    "at infinity": {"jwk": KEY.jwk | {"x": number(0), "y": number(0)}},
    "x beyond the field": {"jwk": KEY.jwk | {"x": number(PRIME + 5)}},
    "x of 33 bytes": {"jwk": KEY.jwk | {"x": "A" + KEY.jwk["x"]}},
    "a number": {"jwk": KEY.jwk | {"x": 1}},
    "no object": {"jwk": "P-256"},
}


@pytest.mark.parametrize("changes", HEADERS.values(), ids=HEADERS)
def test_only_an_exact_p_256_key_with_its_own_algorithm_is_a_proof_of_hardware(changes: dict[str, Any]) -> None:
    with refused("malformed"):
        open_proof(KEY.sign(TYP, {"a": 1}, **changes), TYP)


def test_signatures_that_no_key_made_are_bad() -> None:
    text = TOKEN.rpartition(".")[0]
    other = HardwareMachineKey()
    for raw in (bytes(64), number_pair(1, 1), number_pair(ORDER, ORDER), number_pair(0, 1), other.raw(text.encode())):
        with refused("bad-signature"):
            open_proof(f"{text}.{encode(raw)}", TYP)


def number_pair(r: int, s: int) -> bytes:
    return r.to_bytes(32) + s.to_bytes(32)


def test_a_key_of_hardware_signs_nothing_that_an_authority_or_a_vendor_does() -> None:
    """What is found by key id, and the state of a workstation, is read without it."""
    by_kid = jose.compact({"alg": "ES256", "typ": TYP, "kid": KEY.public.kid}, "{}", KEY.raw)
    readings: list[Callable[[], object]] = [
        lambda: jose.open_by_jwk(TOKEN, TYP),
        lambda: jose.open_by_kid(by_kid, TYP, lambda _: Signer().public),
        lambda: proofs.hardware_key(Signer().public.as_jwk()),
    ]
    for read in readings:
        with refused("malformed"):
            read()
