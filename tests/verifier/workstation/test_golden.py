"""Tokens that another program made: OpenSSL has the keys and signs, this file alone writes base64url, thumbprint and JSON.

What issues and what verifies share one encoder; only bytes from elsewhere prove that it is the right one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import DAY, START, Chain, at, make_chain, refused
from tests.support.real_workstation import make_workstation
from verifier.core import claims, jose, steps
from verifier.core.grant import Grant, Workstation
from verifier.workstation import carry
from verifier.workstation.carry import Wish
from verifier.workstation.store import Store


@pytest.fixture(scope="module")
def openssl() -> str:
    program = shutil.which("openssl")
    if program is None and sys.platform == "win32":
        pytest.skip("Windows has no openssl to sign with")
    if program is None:
        pytest.fail("openssl is not on the PATH: these tests need it to make keys and signatures that are not ours")
    return program


def base64url(data: bytes) -> str:
    return base64.b64encode(data).decode().replace("+", "-").replace("/", "_").replace("=", "")


def compact_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class OpenSslKey:
    """An Ed25519 key that OpenSSL made and keeps."""

    openssl: str
    path: Path

    def run(self, *arguments: str) -> bytes:
        return subprocess.run([self.openssl, *arguments], check=True, capture_output=True, timeout=60).stdout

    @property
    def jwk(self) -> dict[str, str]:
        der = self.run("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")
        assert der[:12].hex() == "302a300506032b6570032100"
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(der[12:])}

    @property
    def kid(self) -> str:
        return base64url(hashlib.sha256(compact_json(dict(sorted(self.jwk.items())))).digest())

    def sign(self, header: dict[str, Any], payload: dict[str, Any]) -> str:
        text = f"{base64url(compact_json(header))}.{base64url(compact_json(payload))}"
        message = self.path.with_suffix(".message")
        message.write_text(text)
        signature = self.run("pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(message))
        return f"{text}.{base64url(signature)}"

    def token(self, typ: str, payload: dict[str, Any]) -> str:
        return self.sign({"alg": "EdDSA", "typ": typ, "kid": self.kid}, payload)

    def record(self, use: str) -> dict[str, Any]:
        """What the authorization says of this key."""
        return {"kid": self.kid, **self.jwk, "alg": "EdDSA", "use": use, "nbf": START - DAY, "exp": START + 90 * DAY}


@dataclass(frozen=True)
class Golden:
    """Keys of OpenSSL, and claims to sign."""

    root: OpenSslKey
    borrow: OpenSslKey
    status: OpenSslKey
    machine: OpenSslKey
    chain: Chain

    def trust_file(self) -> str:
        return json.dumps(
            {"carnet": "trust", "version": 1, "roots": [self.root.jwk], "organization": "field-survey", "updates": []}
        )

    def borrow_file(self) -> str:
        return json.dumps(
            {
                "carnet": "borrow",
                "version": 1,
                "authorization": self.root.token("authorization+jwt", self.chain.authorization),
                "borrow": self.borrow.token("borrow+jwt", self.chain.borrow),
                "status_list": self.status.token("statuslist+jwt", self.chain.status_list),
            }
        )

    def verify(self, now: int = START) -> Grant:
        here = Workstation("machine-laptop", "uid:1000", self.machine.kid)
        roots = [self.root.kid]
        return steps.verify(self.borrow_file(), trust=self.trust_file(), workstation=here, now=at(now), roots=roots)


@pytest.fixture
def golden(openssl: str, tmp_path: Path) -> Golden:
    made = {name: OpenSslKey(openssl, tmp_path / f"{name}.pem") for name in ("root", "borrow", "status", "machine")}
    for key in made.values():
        key.run("genpkey", "-algorithm", "ed25519", "-out", str(key.path))
    chain = make_chain(workstation=Workstation("machine-laptop", "uid:1000", made["machine"].kid))
    chain.authorization["keys"] = [made["borrow"].record("borrow"), made["status"].record("status")]
    return Golden(**made, chain=chain)


def test_a_borrow_that_openssl_signed_is_good(golden: Golden) -> None:
    granted = golden.verify()
    assert (granted.member, granted.level, granted.days_left, granted.warnings) == ("ada", "Standard", 7, ())
    with refused("expired"):
        golden.verify(START + 7 * DAY)


def test_a_status_list_that_openssl_signed_refuses(golden: Golden) -> None:
    golden.chain.set_status(1, seq=1)
    with refused("revoked"):
        golden.verify()


def test_a_borrow_that_openssl_signed_with_another_key_is_refused(golden: Golden) -> None:
    for signer in (golden.root, golden.machine):
        with refused("unknown-key"):
            Golden(golden.root, signer, golden.status, golden.machine, golden.chain).verify()


def test_requests_and_receipts_that_openssl_signed_are_proofs(golden: Golden) -> None:
    header = {"alg": "EdDSA", "typ": claims.REQUEST_TYP, "jwk": golden.machine.jwk}
    opened = jose.open_by_jwk(golden.machine.sign(header, {"a": 1}), claims.REQUEST_TYP)
    assert (opened.key.kid, opened.claims) == (golden.machine.kid, {"a": 1})


def test_a_machine_key_that_openssl_made_is_used(golden: Golden, tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    store.home.mkdir()
    (store.home / "machine-key.pem").write_bytes(golden.machine.path.read_bytes())
    (store.home / "machine-key.pem").chmod(0o600)
    assert store.machine_key().public.kid == golden.machine.kid
    assert store.machine_key_thumbprint() == golden.machine.kid


def parts(token: str) -> tuple[dict[str, Any], bytes, bytes]:
    """The header, the signed bytes and the signature, read without our code."""
    signed, _, signature = token.rpartition(".")
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(signed.split(".")[0] + "=="))
    return header, signed.encode(), base64.urlsafe_b64decode(signature + "==")


def openssl_verifies(openssl: str, folder: Path, token: str) -> bool:
    """True when OpenSSL finds the signature good under the key that the token carries."""
    header, signed, signature = parts(token)
    der = bytes.fromhex("302a300506032b6570032100") + base64.urlsafe_b64decode(header["jwk"]["x"] + "==")
    pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"
    (folder / "public.pem").write_text(pem)
    (folder / "message").write_bytes(signed)
    (folder / "signature").write_bytes(signature)
    command = ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "message", "-sigfile", "signature"]
    return subprocess.run([openssl, *command], cwd=folder, capture_output=True, check=False, timeout=60).returncode == 0


def test_openssl_verifies_the_request_and_the_receipt_of_this_machine(openssl: str, tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home")
    request = json.loads(carry.request(here.store, Wish("arcgis-pro", days=3)))["request"]
    receipt = json.loads(here.give_up())["receipt"]
    for token, typ in ((request, "borrow-request+jwt"), (receipt, "return-receipt+jwt")):
        assert openssl_verifies(openssl, tmp_path, token)
        header = parts(token)[0]
        assert (header["alg"], header["typ"], set(header)) == ("EdDSA", typ, {"alg", "typ", "jwk"})
    payload, _, signature = request.rpartition(".")
    assert not openssl_verifies(openssl, tmp_path, f"{payload}A.{signature}")
