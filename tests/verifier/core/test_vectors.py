"""Vectors that others made: every known answer is ours too, and every token of another algorithm is refused with our error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.chains import Signer, make_chain, refused
from verifier.core import claims, files, jose, keys, status
from verifier.core.status import StatusList
from verifier.core.trust import authorization
from verifier.errors import CarnetError, Malformed, StatusListUnusable

Vectors = Callable[[str], bytes]
KNOWN_KEY = Signer().public
TYPS = [claims.BORROW_TYP, claims.STATUS_LIST_TYP, claims.AUTHORIZATION_TYP, claims.REQUEST_TYP, claims.RECEIPT_TYP]


def cases(vectors: Vectors, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every test of a Wycheproof file with its group."""
    suite = json.loads(vectors(f"wycheproof/{name}.json"))
    flat = [(group, test) for group in suite["testGroups"] for test in group["tests"]]
    assert len(flat) == suite["numberOfTests"]
    return flat


def is_accepted(raw: bytes, signature: bytes, message: bytes) -> bool:
    """The way of a signature through the verifier: key screened, first half of the signature screened, then verified."""
    try:
        key = keys.from_raw(raw)
        if signature[: keys.KEY_BYTES] in keys.LOW_ORDER:
            return False
        key.handle.verify(signature, message)
    except (Malformed, InvalidSignature):
        return False
    return True


def refusals(token: Any) -> list[CarnetError]:
    """The errors with which both token entries refuse a token, for each type; fails when one accepts or raises something else."""
    errors = []
    for typ in TYPS:
        with pytest.raises(CarnetError) as caught:
            jose.open_by_kid(token, typ, lambda kid: KNOWN_KEY)
        errors.append(caught.value)
        with pytest.raises(CarnetError) as caught:
            jose.open_by_jwk(token, typ)
        errors.append(caught.value)
    return errors


def jwks(value: Any) -> list[dict[str, Any]]:
    """Every JWK inside a group."""
    if isinstance(value, dict) and "kty" in value:
        return [value]
    if isinstance(value, dict):
        return [jwk for item in value.values() for jwk in jwks(item)]
    return [jwk for item in value for jwk in jwks(item)] if isinstance(value, list) else []


def test_all_151_signatures_are_judged_as_wycheproof_does(vectors: Vectors) -> None:
    agreed = 0
    for group, test in cases(vectors, "ed25519_test"):
        raw, signature, message = (bytes.fromhex(text) for text in (group["publicKey"]["pk"], test["sig"], test["msg"]))
        assert is_accepted(raw, signature, message) == (test["result"] == "valid"), test
        agreed += 1
    assert agreed == 151


def test_the_keys_of_wycheproof_load_from_a_jwk_of_exactly_three_members(vectors: Vectors) -> None:
    groups = {group["publicKey"]["pk"]: group["publicKeyJwk"] for group, _ in cases(vectors, "ed25519_test")}
    for raw, jwk in groups.items():
        public = {name: jwk[name] for name in ("kty", "crv", "x")}
        assert keys.from_jwk(public) == keys.from_raw(bytes.fromhex(raw))
        with refused("malformed"):
            keys.from_jwk(jwk)
    assert len(groups) >= 50


@pytest.mark.parametrize(
    ("name", "count"), [("json_web_signature_test", 401), ("json_web_key_test", 26), ("json_web_crypto_test", 83)]
)
def test_no_token_of_wycheproof_is_accepted_and_each_gets_a_documented_error(vectors: Vectors, name: str, count: int) -> None:
    codes: Counter[str] = Counter()
    tests = cases(vectors, name)
    for _, test in tests:
        token = test["jws"] if "jws" in test else test["jwe"]
        codes.update(error.code for error in refusals(token))
    assert len(tests) == count
    assert sum(codes.values()) == count * len(TYPS) * 2
    assert set(codes) <= {"malformed", "bad-signature", "unknown-key"}


@pytest.mark.parametrize("name", ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"])
def test_keys_of_wycheproof_load_only_as_public_ed25519(vectors: Vectors, name: str) -> None:
    own = [jwk for group, _ in cases(vectors, name) for part in ("private", "public") for jwk in jwks(group.get(part))]
    for jwk in own:
        if set(jwk) == {"kty", "crv", "x"} and (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519"):
            assert keys.from_jwk(jwk).as_jwk() == jwk
        else:
            with refused("malformed"):
                keys.from_jwk(jwk)
    assert len(own) >= 20


@pytest.fixture(scope="module")
def rfc(vectors: Vectors) -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(vectors("rfc/rfc8037_rfc7638_rfc8032.json"))
    return examples


def test_the_thumbprint_is_that_of_rfc_8037(rfc: dict[str, Any]) -> None:
    key = keys.from_jwk(rfc["rfc8037_A2_public_jwk"])
    assert key.kid == rfc["rfc8037_A3_thumbprint_sha256_b64url"]
    assert key.as_jwk() == rfc["rfc8037_A2_public_jwk"]
    assert json.loads(rfc["rfc8037_A3_canonical_json"]) == key.as_jwk()


def test_the_private_key_of_rfc_8037_is_refused_as_a_public_key(rfc: dict[str, Any]) -> None:
    with refused("malformed"):
        keys.from_jwk(rfc["rfc8037_A1_private_jwk"])


def test_the_signatures_of_rfc_8032_are_made_and_verified(rfc: dict[str, Any]) -> None:
    known = rfc["rfc8032_7_1"]
    for vector in known:
        seed, raw, message, signature = (bytes.fromhex(vector[name]) for name in ("seed", "pub", "msg", "sig"))
        signer = Signer(Ed25519PrivateKey.from_private_bytes(seed))
        assert signer.public.raw == raw
        assert signer.private.sign(message) == signature
        assert is_accepted(raw, signature, message)
    assert len(known) == 3


def test_the_token_of_rfc_8037_verifies_but_is_no_token_of_ours(rfc: dict[str, Any]) -> None:
    key, token = keys.from_jwk(rfc["rfc8037_A2_public_jwk"]), rfc["rfc8037_A4_jws_compact"]
    signed, _, signature = token.rpartition(".")
    assert is_accepted(key.raw, keys.decode(signature), signed.encode())
    assert keys.decode(signed.split(".")[1]).decode() == rfc["rfc8037_A4_payload"]
    with refused("malformed"):
        jose.open_by_kid(token, claims.BORROW_TYP, lambda kid: key)
    assert {error.code for error in refusals(token)} == {"malformed"}


@pytest.fixture(scope="module")
def cookbook(vectors: Vectors) -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(vectors("jose/cookbook_curve25519_jws.json"))
    return examples


def test_the_compact_form_of_the_cookbook_is_signed_as_we_sign(cookbook: dict[str, Any]) -> None:
    seed = keys.decode(cookbook["input"]["key"]["d"])
    sign = Ed25519PrivateKey.from_private_bytes(seed).sign
    assert jose.compact(cookbook["signing"]["protected"], cookbook["input"]["payload"], sign) == cookbook["output"]["compact"]


@pytest.mark.parametrize("form", ["json_must_be_rejected_by_a_JWT_verifier", "json_flat_must_be_rejected_by_a_JWT_verifier"])
def test_the_json_forms_of_the_cookbook_are_refused(cookbook: dict[str, Any], form: str) -> None:
    value = cookbook["output"][form]
    for token in (value, json.dumps(value), json.dumps(value, separators=(",", ":"))):
        assert {error.code for error in refusals(token)} == {"malformed"}
    with refused("malformed"):
        files.parse(json.dumps(value))


@pytest.fixture(scope="module")
def lists(vectors: Vectors) -> dict[str, Any]:
    examples: dict[str, Any] = json.loads(vectors("tsl/token_status_list_vectors.json"))
    assert len(examples["vectors"]) == 6
    return examples


@pytest.mark.parametrize("place", range(6))
def test_a_status_list_of_the_draft_decodes_at_every_listed_index_and_is_zero_elsewhere(
    lists: dict[str, Any], place: int
) -> None:
    vector = lists["vectors"][place]
    status_list = StatusList("org", "uri", 0, 0, 1, "kid", "", status.unpack(vector["lst"]), vector["bits"])
    statuses = {int(index): value for index, value in vector["statuses"].items()}
    assert {index: status_list.status_of(index) for index in statuses} == statuses
    around = {index + step for index in statuses for step in (-1, 1)} | set(range(0, vector["size"], 4_001))
    unlisted = {index for index in around if 0 <= index < vector["size"]} - set(statuses)
    assert [index for index in unlisted if status_list.status_of(index) != 0] == []
    for outside in (-1, vector["size"]):
        with refused("status-list-unusable"):
            status_list.status_of(outside)


def test_the_example_token_of_the_draft_is_refused_for_its_algorithm(lists: dict[str, Any]) -> None:
    example = lists["status_list_token_jwt_example"]
    assert {error.code for error in refusals(example["jwt"])} == {"malformed"}
    with pytest.raises(StatusListUnusable, match="alg"):
        status.read(example["jwt"], authorization(make_chain().authorization))
    with refused("malformed"):
        keys.from_jwk(example["public_jwk"])
