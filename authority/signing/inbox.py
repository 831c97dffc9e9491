"""Reading what workstations send: requests and receipts, through the verifier, into the domain's words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from authority.domain.borrows import Ask, Machine, OsUser, Receipt
from authority.domain.refusals import RequestInvalid
from authority.signing.authorizations import instant
from authority.signing.encoding import digest
from verifier.core import claims, files, jose
from verifier.errors import CarnetError
from verifier.workstation import disk


def member_of_file(data: bytes, kind: str) -> str:
    """The compact JWS in a request or return file. Raises RequestInvalid."""
    member = "request" if kind == "request" else "receipt"
    try:
        found = files.parse(data, kind)[1][member]
    except CarnetError as error:
        raise RequestInvalid(error.message, cause=error.code) from error
    if not isinstance(found, str):
        raise RequestInvalid(f'the member "{member}" is not a compact JWS')
    return found


def read_file(path: Path) -> bytes:
    """The bytes of one regular file; links, devices and pipes are refused (RequestInvalid). Raises OSError."""
    try:
        return disk.read_bytes(path)
    except CarnetError as error:
        raise RequestInvalid(error.message) from error


def write_file(path: Path, data: bytes) -> None:
    """Writes a file to be carried, whole or not at all; it holds no secret. Raises OSError."""
    disk.write_atomically(path, data, mode=0o644)


def read_request(compact: str) -> Ask:
    """What a workstation asks for, proved by its machine key. Raises RequestInvalid."""
    try:
        signed = jose.open_by_jwk(compact, claims.REQUEST_TYP)
        found = claims.request(signed.claims)
    except CarnetError as error:
        raise RequestInvalid(f"the request cannot be read: {error.message}", cause=error.code) from error
    machine = found.machine
    return Ask(
        jti=found.jti,
        digest=digest(compact),
        asked_at=_instant(found.iat),
        organization=found.organization,
        product=found.product,
        level=found.level,
        extensions=found.extensions,
        days=found.days,
        until=None if found.until is None else _instant(found.until),
        member=found.member,
        machine=Machine(machine.id, machine.source, machine.secondary, machine.alias, signed.key.kid),
        user=OsUser(found.user_id, found.user_name),
        prev=found.prev,
    )


def read_receipt(compact: str) -> Receipt:
    """What a workstation gives back, proved by its machine key. Raises RequestInvalid."""
    try:
        signed = jose.open_by_jwk(compact, claims.RECEIPT_TYP)
        found = claims.receipt(signed.claims)
    except CarnetError as error:
        raise RequestInvalid(f"the receipt cannot be read: {error.message}", cause=error.code) from error
    return Receipt(
        jti=found.jti,
        digest=digest(compact),
        token_jti=found.borrow_jti,
        made_at=_instant(found.iat),
        borrow_id=found.borrow_id,
        machine_id=found.machine_id,
        machine_key=signed.key.kid,
        user_id=found.user_id,
    )


def _instant(seconds: int) -> datetime:
    try:
        return instant(seconds)
    except Exception as error:
        raise RequestInvalid(f"the time {seconds} lies beyond the calendar") from error
