"""One regression test for each published weakness of PyJWT, against the verifier's own entry points."""

from __future__ import annotations

import ast
import hashlib
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import verifier
from tests.support.chains import Chain, Signer, make_chain, refused
from verifier.core import claims, jose, keys, status
from verifier.core.trust import authorization
from verifier.errors import CarnetError, Malformed

SIGNER = Signer()
HANDLE = SIGNER.public.handle
PEM = HANDLE.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWK = jose.payload(SIGNER.public.as_jwk()).encode()

# What attackers took for the secret of an HMAC: the public key in every form in which somebody may hold it.
HMAC_SECRETS = {
    "CVE-2017-11424 PEM": PEM,
    "CVE-2022-29217 ssh": HANDLE.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "CVE-2026-48526 JWK": JWK,
    "CVE-2026-102266 empty": b"",
    "CVE-2026-102268 PEM with other line ends": PEM.replace(b"\n", b"\r\n"),
    "CVE-2026-102268 PEM with spaces before it": b" \t\n" + PEM,
    "CVE-2026-102268 PEM without its last line end": PEM.rstrip(),
    "CVE-2026-102271 DER": HANDLE.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "CVE-2026-102271 raw": SIGNER.public.raw,
    "CVE-2026-102272 JWK Set": b'{"keys":[' + JWK + b"]}",
    "CVE-2026-102272 array of JWK": b"[" + JWK + b"]",
    "CVE-2026-102273 JWK after a byte order mark": b"\xef\xbb\xbf" + JWK,
    "CVE-2025-45768 short": b"k",
}
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512, "EdDSA": hashlib.sha512}
NETWORK_CLASSES = {
    "CVE-2026-48522": "PyJWKClient",
    "CVE-2026-48523": "PyJWK",
    "CVE-2026-48524": "PyJWKClient",
    "CVE-2026-101917": "PyJWKClient",
    "CVE-2026-102267": "PyJWKClient",
    "CVE-2026-102274": "PyJWKSet",
}
SOURCES = sorted(Path(verifier.__file__).parent.rglob("*.py"))


def open_borrow(token: str) -> jose.Signed:
    return jose.open_by_kid(token, claims.BORROW_TYP, lambda kid: SIGNER.public)


@pytest.fixture
def chain() -> Chain:
    return make_chain()


@pytest.mark.parametrize("alg", DIGESTS)
@pytest.mark.parametrize("secret", HMAC_SECRETS.values(), ids=HMAC_SECRETS)
def test_an_hmac_made_with_a_public_key_is_no_signature(secret: bytes, alg: str) -> None:
    """No digest is taken for a signature, not where its length is that of one, nor where the header claims to be EdDSA."""
    header = jose.payload(SIGNER.header(claims.BORROW_TYP, alg=alg))
    signed = f"{keys.encode(header.encode())}.{keys.encode(b'{}')}"
    token = f"{signed}.{keys.encode(hmac.new(secret, signed.encode(), DIGESTS[alg]).digest())}"
    with refused("bad-signature" if alg == "EdDSA" else "malformed"):
        open_borrow(token)


@pytest.mark.parametrize("signature", ["", "A", "A" * 85, "A" * 87], ids=["empty", "1", "85", "87"])
def test_cve_2026_102266_an_empty_or_short_signature_is_refused(signature: str) -> None:
    signed = SIGNER.token(claims.BORROW_TYP, {}).rpartition(".")[0]
    with refused("malformed"):
        open_borrow(f"{signed}.{signature}")


def test_cve_2024_53861_the_organization_is_compared_whole(chain: Chain) -> None:
    for part in ("field", "survey", "f", "field-surve", "Field-Survey", "field-survey "):
        chain.borrow["iss"] = part
        with refused("not-authorized"):
            chain.verify()


def test_cve_2024_53861_the_organization_of_a_status_list_is_compared_whole(chain: Chain) -> None:
    for part in ("field", "survey", "FIELD-SURVEY"):
        chain.status_list["iss"] = part
        with refused("status-list-unusable"):
            chain.verify()


def test_cve_2024_53861_the_organization_of_an_authorization_is_compared_whole(chain: Chain) -> None:
    for part in ("field", "survey", "FIELD-SURVEY"):
        chain.authorization["sub"] = part
        with refused("not-authorized"):
            chain.verify()


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "k": "aw"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed448", "x": "A" * 76},
    ],
    ids=["RSA of 24 bits", "secret of one byte", "Ed25519 of one byte", "Ed448"],
)
def test_cve_2025_45768_a_weak_or_foreign_key_is_never_loaded(key: dict[str, Any]) -> None:
    with refused("malformed"):
        keys.from_jwk(key)


@pytest.mark.parametrize("crit", [["b64"], ["exp"], ["unknown"], [], "b64", None, [1]], ids=str)
def test_cve_2026_32597_a_critical_header_is_never_ignored(crit: object) -> None:
    with refused("malformed"):
        open_borrow(SIGNER.sign(SIGNER.header(claims.BORROW_TYP, crit=crit), {}))


@pytest.mark.parametrize("cve", NETWORK_CLASSES)
def test_classes_that_fetch_or_choose_keys_are_not_in_the_verifier(cve: str) -> None:
    assert len(SOURCES) > 20
    assert [path.name for path in SOURCES if NETWORK_CLASSES[cve] in path.read_text(encoding="utf-8")] == []


def imported(path: Path) -> Iterator[str]:
    """Every module, and every name from a module, that a source file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_of_pyjwt_only_the_two_algorithms_are_used() -> None:
    """Its parsers, its choice of keys and of algorithms are where its weaknesses were; the strict front end is ours."""
    used = {(path.name, name) for path in SOURCES for name in imported(path) if name.split(".")[0] == "jwt"}
    assert used == {("jose.py", "jwt.algorithms.OKPAlgorithm"), ("proofs.py", "jwt.algorithms.ECAlgorithm")}


def test_t16_no_module_but_one_can_open_a_connection() -> None:
    """The one that can is imported by what talks to an authority alone: import-linter keeps it, and test_online.py sees it."""
    network = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests", "httpx", "urllib3"}
    assert [
        (path.name, name)
        for path in SOURCES
        for name in imported(path)
        # What takes a URL apart opens nothing.
        if name.split(".")[0] in network and name != "urllib.parse" and path.name != "online.py"
    ] == []


@pytest.mark.parametrize("extra", [{"b64": False}, {"b64": False, "crit": ["b64"]}, {"b64": True}], ids=str)
def test_cve_2026_48525_an_unencoded_payload_is_refused(extra: dict[str, Any]) -> None:
    with refused("malformed"):
        open_borrow(SIGNER.sign(SIGNER.header(claims.BORROW_TYP, **extra), {}))


def test_cve_2026_48525_a_flood_of_base64_is_refused_before_it_is_decoded() -> None:
    token = SIGNER.sign(SIGNER.header(claims.BORROW_TYP), b" " * 20_000_000)
    began = time.perf_counter()
    with refused("malformed"):
        open_borrow(token)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "text", ["[" * 5_000, '{"a":' * 1_000, '{"a":[' * 900, '{"a":' + "[" * 5_000], ids=["[", "{", "{[", "{[["]
)
def test_cve_2026_101918_a_deep_payload_is_refused_signed_or_not(text: str) -> None:
    good = SIGNER.sign(SIGNER.header(claims.BORROW_TYP), text)
    with refused("malformed"):
        open_borrow(good)
    with refused("bad-signature"):
        open_borrow(f"{good[:-86]}{'B' * 85}A")


def test_cve_2026_101918_a_deep_authorization_is_refused() -> None:
    token = SIGNER.sign(SIGNER.header(claims.AUTHORIZATION_TYP), '{"keys":' + "[" * 150_000)
    with refused("malformed"):
        jose.open_by_kid(token, claims.AUTHORIZATION_TYP, lambda kid: SIGNER.public, longest=jose.LONGEST_AUTHORIZATION)


@pytest.mark.parametrize("depth", [10, 100, 1_000, 2_500])
@pytest.mark.parametrize("member", ["alg", "typ", "kid", "jwk"])
def test_cve_2026_102265_a_deep_header_is_refused(member: str, depth: int) -> None:
    by_kid, by_jwk = SIGNER.header(claims.BORROW_TYP), SIGNER.jwk_header(claims.BORROW_TYP)
    nested = "[" * depth + "]" * depth
    with refused("malformed"):
        open_borrow(SIGNER.sign(jose.payload(by_kid | {member: "HERE"}).replace('"HERE"', nested), {}))
    with refused("malformed"):
        token = SIGNER.sign(jose.payload(by_jwk | {member: "HERE"}).replace('"HERE"', nested), {})
        jose.open_by_jwk(token, claims.BORROW_TYP)


def test_cve_2026_102269_a_second_spelling_of_a_signature_is_refused() -> None:
    token = SIGNER.token(claims.BORROW_TYP, {"a": 1})
    assert open_borrow(token).claims == {"a": 1}
    same_bytes = [f"{token[:-1]}{last}" for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    accepted = []
    for spelling in same_bytes:
        try:
            open_borrow(spelling)
        except CarnetError as error:
            assert error.code in {"malformed", "bad-signature"}  # noqa: PT017
        else:
            accepted.append(spelling)
    assert accepted == [token]


@pytest.mark.parametrize("end", ["=", "==", "\n", " ", "\0", "A"], ids=repr)
def test_cve_2026_102269_nothing_may_follow_a_signature(end: str) -> None:
    with refused("malformed"):
        open_borrow(SIGNER.token(claims.BORROW_TYP, {}) + end)


def test_cve_2026_102270_a_detached_payload_is_refused() -> None:
    header, _, signature = SIGNER.token(claims.BORROW_TYP, {}).split(".")
    with refused("malformed"):
        open_borrow(f"{header}..{signature}")


def test_cve_2026_102275_a_private_or_larger_key_in_a_proof_is_refused() -> None:
    """Otherwise somebody could show the stolen token's public `x` and sign with a `d` of his own."""
    victim, thief = Signer(), Signer()
    own_d = keys.encode(thief.private.private_bytes_raw())
    for extra in ({"d": own_d}, {"kid": victim.kid}, {"use": "sig"}, {"alg": "EdDSA"}, {"key_ops": ["verify"]}):
        header = thief.jwk_header(claims.REQUEST_TYP, jwk=victim.public.as_jwk() | extra)
        with pytest.raises(Malformed, match="exactly the members"):
            jose.open_by_jwk(thief.sign(header, {}), claims.REQUEST_TYP)


def test_cve_2026_102275_the_thumbprint_of_a_proof_is_that_of_the_key_that_verified() -> None:
    victim, thief = Signer(), Signer()
    shown = thief.sign(victim.jwk_header(claims.REQUEST_TYP), {})
    with refused("bad-signature"):
        jose.open_by_jwk(shown, claims.REQUEST_TYP)
    assert jose.open_by_jwk(thief.proof(claims.REQUEST_TYP, {}), claims.REQUEST_TYP).key == thief.public


def test_a_status_list_cannot_be_signed_by_its_own_public_key_as_secret(chain: Chain) -> None:
    header = jose.payload(chain.status_key.header(claims.STATUS_LIST_TYP, alg="HS512"))
    signed = f"{keys.encode(header.encode())}.{keys.encode(jose.payload(chain.status_list).encode())}"
    mac = hmac.new(chain.status_key.public.raw, signed.encode(), hashlib.sha512).digest()
    with refused("status-list-unusable"):
        status.read(f"{signed}.{keys.encode(mac)}", authorization(chain.authorization))
