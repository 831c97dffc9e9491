"""A whole chain of trust for one test: raw Ed25519 keys, claims that may be changed before they are signed, and any text signed.

It is made with the verifier's own pieces only, so that what the verifier is given does not depend on who issues licenses.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.core import claims, files, jose, keys, steps
from verifier.core.grant import Grant, Workstation
from verifier.core.keys import PublicKey
from verifier.core.times import EPOCH
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError

START = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())
HOUR, DAY = 3600, 86_400
ORGANIZATION = "field-survey"
PRODUCT = "arcgis-pro"
URI = "https://licenses.field-survey.example/status/1"
INDEX = 77
LIST_BYTES = 64
SOMEWHERE = Workstation("machine-laptop", "uid:1000", None)


def at(seconds: int) -> datetime:
    """The aware time for seconds since 1970 UTC."""
    return EPOCH + timedelta(seconds=seconds)


@contextlib.contextmanager
def refused(*codes: str) -> Iterator[None]:
    """What stands inside must raise one of our errors with one of these codes, a sentence and a hint."""
    with pytest.raises(CarnetError) as caught:
        yield
    assert caught.value.code in codes, f"{caught.value.code}: {caught.value.message}"
    assert caught.value.message
    assert caught.value.hint


@dataclass(frozen=True)
class Signer:
    """A private key that signs what it is given, good or not."""

    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> PublicKey:
        return keys.from_raw(self.private.public_key().public_bytes_raw())

    @property
    def kid(self) -> str:
        return self.public.kid

    def header(self, typ: str, **changes: Any) -> dict[str, Any]:
        """The header of a token found by key id, with changes."""
        return {"alg": "EdDSA", "typ": typ, "kid": self.kid} | changes

    def jwk_header(self, typ: str, **changes: Any) -> dict[str, Any]:
        """The header of a token that carries its key, with changes."""
        return {"alg": "EdDSA", "typ": typ, "jwk": self.public.as_jwk()} | changes

    def token(self, typ: str, payload: Mapping[str, Any]) -> str:
        """A token as it should be."""
        return self.sign(self.header(typ), payload)

    def proof(self, typ: str, payload: Mapping[str, Any]) -> str:
        """A token that carries its key, as it should be."""
        return self.sign(self.jwk_header(typ), payload)

    def sign(self, header: Mapping[str, Any] | str | bytes, payload: Mapping[str, Any] | str | bytes) -> str:
        """The compact form of any header over any payload, with an honest signature over that text."""
        signed = f"{keys.encode(as_bytes(header))}.{keys.encode(as_bytes(payload))}"
        return f"{signed}.{keys.encode(self.private.sign(signed.encode()))}"


def as_bytes(value: Mapping[str, Any] | str | bytes) -> bytes:
    """The bytes to sign: an object as compact JSON, a text as UTF-8, bytes as they are."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else jose.payload(value).encode()


def pack(statuses: Mapping[int, int], size: int = LIST_BYTES) -> str:
    """Two bits for each index, least significant first, as zlib in base64url."""
    data = bytearray(size)
    for index, value in statuses.items():
        data[index // 4] |= value << index % 4 * 2
    return keys.encode(zlib.compress(bytes(data), 9))


@dataclass
class Chain:
    """Root, authority keys and the claims of each token; change a claim, then take the token or the file."""

    root: Signer
    borrow_key: Signer
    status_key: Signer
    machine_key: Signer
    authorization: dict[str, Any]
    borrow: dict[str, Any]
    status_list: dict[str, Any]
    workstation: Workstation

    def trust_file(self, *roots: Signer) -> bytes:
        jwks = [signer.public.as_jwk() for signer in roots or (self.root,)]
        return files.render("trust", {"roots": jwks, "organization": ORGANIZATION, "updates": []})

    def trust(self) -> TrustStore:
        return TrustStore.read(self.trust_file())

    def authorization_token(self) -> str:
        return self.root.token(claims.AUTHORIZATION_TYP, self.authorization)

    def authorization_file(self) -> bytes:
        return files.render("authorization", {"authorization": self.authorization_token()})

    def borrow_token(self) -> str:
        return self.borrow_key.token(claims.BORROW_TYP, self.borrow)

    def status_token(self) -> str:
        return self.status_key.token(claims.STATUS_LIST_TYP, self.status_list)

    def borrow_file(self, *, with_list: bool = True, **members: Any) -> bytes:
        """The borrow file, with members put in place of its own."""
        own = {
            "authorization": self.authorization_token(),
            "borrow": self.borrow_token(),
            "status_list": self.status_token() if with_list else None,
        }
        return files.render("borrow", own | members)

    def status_file(self) -> bytes:
        own = {"authorization": self.authorization_token(), "status_list": self.status_token()}
        return files.render("status", own)

    def set_status(self, value: int, *, seq: int, iat: int | None = None) -> None:
        """The next list gives this borrow that status."""
        self.status_list["status_list"]["lst"] = pack({self.borrow["status"]["status_list"]["idx"]: value})
        self.status_list["seq"] = seq
        self.status_list["iat"] = self.status_list["iat"] if iat is None else iat

    def renew_authorization(self) -> None:
        """The next authorization has the next number."""
        self.authorization["seq"] += 1

    def verify(self, now: int | None = None, *, status_list: bytes | None = None, with_list: bool = True) -> Grant:
        """What the verifier says of the borrow file at that time, by default as it begins."""
        return steps.verify(
            self.borrow_file(with_list=with_list),
            trust=self.trust_file(),
            workstation=self.workstation,
            now=at(self.borrow["nbf"] if now is None else now),
            status_list=status_list,
            roots=[self.root.kid],
        )


def make_chain(begins: int = START, workstation: Workstation = SOMEWHERE, *, product: str = PRODUCT) -> Chain:
    """A chain in which everything is good from `begins`; without a machine key thumbprint, one is made."""
    root, borrow_key, status_key, machine_key = Signer(), Signer(), Signer(), Signer()
    bound = Workstation(workstation.machine_id, workstation.user_id, workstation.machine_key or machine_key.kid)
    records = [key_record(borrow_key, "borrow", begins), key_record(status_key, "status", begins)]
    return Chain(
        root,
        borrow_key,
        status_key,
        machine_key,
        authorization_claims(records, begins),
        borrow_claims(bound, begins, product),
        status_claims(begins),
        bound,
    )


def key_record(signer: Signer, use: str, begins: int, **more: Any) -> dict[str, Any]:
    """What an authorization says of a key."""
    validity = {"nbf": begins - DAY, "exp": begins + 200 * DAY}
    return {"kid": signer.kid, **signer.public.as_jwk(), "alg": "EdDSA", "use": use, **validity} | more


def authorization_claims(records: list[dict[str, Any]], begins: int) -> dict[str, Any]:
    levels = ["Basic", "Standard", "Advanced"]
    shared = {"mode": "named", "levels": levels, "extensions": {"3DAnalyst": 5, "SpatialAnalyst": 5}, "until": None}
    return {
        "iss": "maker",
        "sub": ORGANIZATION,
        "ver": 1,
        "seq": 1,
        "iat": begins - DAY,
        "nbf": begins - DAY,
        "exp": begins + 400 * DAY,
        "organization": "Field Survey",
        "keys": records,
        "members": {"total": 50, "types": {"Creator": 20}},
        "user_types": {"Creator": {"includes": {PRODUCT: "Basic"}, "may_hold": [PRODUCT]}},
        "products": [
            {"id": PRODUCT, "name": "ArcGIS Pro", "seats": {"Standard": 5, "Advanced": 5}} | shared,
            {"id": "arcgis-allsource", "name": "AllSource", "seats": {"Standard": 5}} | shared,
        ],
        "max_borrow_days": 30,
    }


def borrow_claims(bound: Workstation, begins: int, product: str) -> dict[str, Any]:
    return {
        "iss": ORGANIZATION,
        "aud": product,
        "sub": bound.user_id,
        "jti": "J" * 22,
        "iat": begins,
        "nbf": begins,
        "exp": begins + 7 * DAY,
        "ver": 1,
        "bid": "B" * 22,
        "member": "ada",
        "lic": {"level": "Standard", "levels": ["Basic", "Standard"], "extensions": ["3DAnalyst"]},
        "machine": {"id": bound.machine_id, "source": "simulated", "alias": "laptop"},
        "user": {"name": "ada"},
        "cnf": {"jkt": bound.machine_key},
        "status": {"status_list": {"idx": INDEX, "uri": URI}},
        "pol": {"status_max_age": None, "clock_tolerance": DAY},
        "act": begins + DAY,
    }


def status_claims(begins: int) -> dict[str, Any]:
    return {
        "iss": ORGANIZATION,
        "sub": URI,
        "iat": begins,
        "exp": begins + 7 * DAY,
        "ttl": HOUR,
        "ver": 1,
        "seq": 1,
        "prev": None,
        "status_list": {"bits": 2, "lst": pack({})},
    }


def request_claims(begins: int = START) -> dict[str, Any]:
    return {
        "jti": "R" * 22,
        "iat": begins,
        "ver": 1,
        "organization": ORGANIZATION,
        "product": PRODUCT,
        "level": "Standard",
        "extensions": ["3DAnalyst"],
        "days": 7,
        "member": "ada",
        "machine": {"id": "machine-laptop", "source": "simulated", "secondary": "board", "alias": "laptop"},
        "user": {"id": "uid:1000", "name": "ada"},
        "prev": "P" * 43,
    }


def receipt_claims(begins: int = START) -> dict[str, Any]:
    return {
        "jti": "T" * 22,
        "iat": begins,
        "ver": 1,
        "bid": "B" * 22,
        "borrow": "J" * 22,
        "machine": {"id": "machine-laptop"},
        "user": {"id": "uid:1000"},
        "count": 1,
    }


def open_site(token: str) -> dict[str, Any]:
    """The payload of a token, unverified."""
    members: dict[str, Any] = json.loads(keys.decode(token.split(".")[1]))
    return members
