"""A machine key as a TPM keeps it: P-256, and every signature another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.workstations import SimulatedWorkstation
from verifier.core import jose
from verifier.core.keys import decode, encode
from verifier.core.proofs import HardwareKey, hardware_key
from verifier.workstation.machine_key import MachineKey

# The order of P-256 (NIST SP 800-186): from a signature (r, s) anybody makes (r, ORDER - s).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass
class HardwareMachineKey:
    """Signs requests and receipts as a MachineKey does."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32)), "y": encode(numbers.y.to_bytes(32))}

    @property
    def public(self) -> HardwareKey:
        return hardware_key(self.jwk)

    def raw(self, data: bytes) -> bytes:
        """The 64 bytes of RFC 7518, section 3.4."""
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def sign(self, typ: str, claims: Mapping[str, Any], /, **header: Any) -> str:
        return jose.compact({"alg": "ES256", "typ": typ, "jwk": self.jwk} | header, jose.payload(claims), self.raw)


def hardware_workstation(name: str = "laptop") -> SimulatedWorkstation:
    """A workstation whose machine key is kept by hardware."""
    return SimulatedWorkstation(name, key=cast("MachineKey", HardwareMachineKey()))


def other_signature(token: str) -> str:
    """The second good signature that ECDSA has for a signed text, made without the key."""
    text, _, signature = token.rpartition(".")
    raw = decode(signature)
    return f"{text}.{encode(raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32))}"
