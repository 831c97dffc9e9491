"""The files of `keys.example`, the same bytes each time: `python -m authority.signing.vendor.sample DIR` writes them anew."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authority.domain.borrows import Borrow, Machine, OsUser
from authority.domain.catalogue import KeyUse
from authority.signing import authorizations, issuing
from authority.signing.issuing import Issuer
from authority.signing.keyring import FileSigner, KeyRing
from authority.signing.sample_keys import NAMES, sample_key
from authority.signing.vendor import authorizing
from verifier.core import files

ORGANIZATION, NAME, VENDOR = "sample", "Sample Organization", "sample-vendor"
BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)
ENDS_AT = BEGINS_AT + timedelta(days=10 * 365)
STATUS_URI = f"urn:carnet:{ORGANIZATION}:status:1"
# A small list, with the place of another, ended borrow in it.
STATUS_SIZE, OUR_PLACE, ENDED_PLACE = 2**12, 1234, 77


def sample_files() -> dict[str, bytes]:
    """Name and bytes of every sample file but the README."""
    signers = {name: FileSigner.of(sample_key(name)) for name in NAMES}
    ring = KeyRing({(use, signers[use].public.kid): signers[use] for use in KeyUse})
    compact = authorizing.authorize(
        signers["root"],
        authorizing.sample_specification(ORGANIZATION, NAME, VENDOR),
        authorizing.key_records({use: [signers[use].public] for use in KeyUse}, BEGINS_AT, ENDS_AT),
        seq=1,
        now=BEGINS_AT,
        begins_at=BEGINS_AT,
        ends_at=ENDS_AT,
    )
    trust = authorizing.trust_file(ORGANIZATION, [signers["root"].public])
    issuer = Issuer(ring, authorizations.read(compact, trust), trust)
    list_compact = issuing.status_list(
        issuer, issuing.pack([ENDED_PLACE], STATUS_SIZE), uri=STATUS_URI, seq=1, prev=None, now=BEGINS_AT
    )
    files_by_name = {
        "sample.trust": trust.encode(),
        "sample.authorization": files.render("authorization", {"authorization": compact}),
        "sample.borrow": _borrow_file(issuer, signers["machine"], list_compact),
        "sample.status": issuing.status_file(compact, list_compact),
    }
    return files_by_name | {_key_name(name, signer): _pem(name) for name, signer in signers.items()}


def _borrow_file(issuer: Issuer, machine: FileSigner, list_compact: str) -> bytes:
    borrow = Borrow(
        id="SampleBorrowId00000000",
        member_id=1,
        member="ada",
        user_type="GIS Professional",
        groups=(),
        product="arcgis-pro",
        level="Advanced",
        extensions=("3DAnalyst",),
        machine=Machine("sample-machine", "sample", None, "field-laptop", machine.public.kid),
        user=OsUser("uid:1000", "ada"),
        issued_at=BEGINS_AT,
        expires_at=BEGINS_AT + timedelta(days=30),
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=BEGINS_AT + timedelta(days=30),
        decided_by="organization",
    )
    payload = issuing.payload(
        borrow.license(),
        issuer.authorization,
        jti="SampleTokenId000000000",
        now=BEGINS_AT,
        status_index=OUR_PLACE,
        status_uri=STATUS_URI,
    )
    return issuing.borrow_file(issuer, payload, issuer.current_kid(KeyUse.BORROW, BEGINS_AT), list_compact)


def _key_name(name: str, signer: FileSigner) -> str:
    return "machine-key.pem" if name == "machine" else f"{name}-{signer.public.kid}.pem"


def _pem(name: str) -> bytes:
    return sample_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def main() -> None:
    """Writes the sample files into the folder named on the command line."""
    for name, data in sample_files().items():
        (Path(sys.argv[1]) / name).write_bytes(data)


if __name__ == "__main__":
    main()
