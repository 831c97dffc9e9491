"""Reading what workstations send: requests and receipts, through the verifier, into the domain's words."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from authority.domain.borrows import Ask, Machine, OsUser, Receipt
from authority.domain.names import composed
from authority.domain.refusals import RequestInvalid
from verifier.core import carried, claims, files, jose
from verifier.core.keys import decode
from verifier.core.proofs import open_proof
from verifier.core.times import instant
from verifier.errors import CarnetError
from verifier.workstation import disk

# What to do when it is another file, or was damaged.
MADE_BY = {
    "request": "Carry the request file from the workstation, unchanged; it is made there by: carnet request PRODUCT -o FILE",
    "return": "Carry the return file from the workstation, unchanged; it is made there by: carnet return PRODUCT -o FILE",
}
SIGNED_ANEW = "Sign a new session-request+jwt with the machine key, as carnet start does."


def member_of_file(data: bytes, kind: str) -> str:
    """The compact JWS in a request or return file. Raises RequestInvalid."""
    member = "request" if kind == "request" else "receipt"
    try:
        compact = files.parse(data, kind)[1][member]
    except CarnetError as error:
        raise RequestInvalid(error.message, hint=MADE_BY[kind], cause=error.code) from error
    if not isinstance(compact, str):
        raise RequestInvalid(f'the member "{member}" is not a compact JWS')
    return compact


def said_by(data: bytes, kind: str, member: str) -> dict[str, Any]:
    """The claims of a signed text in a carried file, {} where it has none that can be read. Nothing of it is verified."""
    try:
        match = jose.COMPACT.match(str(files.parse(data, kind)[1].get(member)))
        return {} if match is None else jose.strict_object(decode(match[2]))
    except CarnetError:
        return {}


def file_of(compact: str, kind: str) -> bytes:
    """The request or return file that the compact JWS came in."""
    return files.render(kind, {"request" if kind == "request" else "receipt": compact})


def kind_of(data: bytes) -> str:
    """The kind of a carried file, by what it says of itself. Raises RequestInvalid for a file of no kind."""
    try:
        return files.parse(data)[0]
    except CarnetError as error:
        raise RequestInvalid(
            error.message,
            hint="It is no file of Carnet, or it was cut or changed on its way: give in one that a workstation, an authority or the "
            "vendor wrote, unchanged.",
            cause=error.code,
        ) from error


def read_file(path: Path) -> bytes:
    """The bytes of one regular file; links, devices and pipes are refused (RequestInvalid). Raises OSError."""
    try:
        return disk.read_bytes(path)
    except CarnetError as error:
        raise RequestInvalid(error.message) from error


def read_plain(path: Path) -> bytes:
    """The bytes of one regular file, also behind a link; a device or a pipe is refused (RequestInvalid). Raises OSError."""
    try:
        return disk.read_with_mode(path, follow=True)[0]
    except CarnetError as error:
        raise RequestInvalid(error.message) from error


def write_file(path: Path, data: bytes) -> None:
    """Writes a file to be carried, whole or not at all; it holds no secret. Raises OSError."""
    disk.write_atomically(path, data, mode=0o644)


def writing(path: Path, mode: int = 0o644) -> AbstractContextManager[BinaryIO]:
    """A stream to a file, no secret but with another mode: whole at its place when the block ends well, else nothing. Raises OSError."""
    return disk.writing(path, mode=mode)


def check_writable(path: Path) -> None:
    """Raises OSError when a file to be carried cannot be written there; what is there stays as it is."""
    disk.check_writable(path)


def read_request(compact: str) -> Ask:
    """What a workstation asks for, proved by its machine key. Raises RequestInvalid."""
    try:
        proof = open_proof(compact, claims.REQUEST_TYP)
        return _ask(carried.request(proof.claims), proof.digest, proof.machine_key)
    except CarnetError as error:
        raise RequestInvalid(f"the request cannot be read: {error.message}", cause=error.code) from error


def read_session_request(compact: str) -> Ask:
    """What a workstation asks for in a session, proved by its machine key; it has no end. Raises RequestInvalid."""
    try:
        proof = open_proof(compact, claims.SESSION_REQUEST_TYP)
        ask = _ask(carried.request(proof.claims), proof.digest, proof.machine_key)
    except CarnetError as error:
        raise RequestInvalid(f"the request cannot be read: {error.message}", hint=SIGNED_ANEW, cause=error.code) from error
    if ask.days is not None or ask.until is not None:
        raise RequestInvalid("a session has no end that could be asked for", hint=SIGNED_ANEW)
    return ask


def _ask(request: carried.Request, signed_digest: str, machine_key: str) -> Ask:
    mark = request.machine
    return Ask(
        jti=request.jti,
        digest=signed_digest,
        asked_at=instant(request.iat),
        organization=request.organization,
        product=request.product,
        level=request.level,
        extensions=request.extensions,
        days=request.days,
        until=None if request.until is None else instant(request.until),
        member=request.member,
        # An alias is looked for by its one spelling; what is all blanks is none.
        machine=Machine(mark.id, mark.source, mark.secondary, composed(mark.alias or "") or None, machine_key),
        user=OsUser(request.user_id, request.user_name),
        prev=request.prev,
        number=request.number,
        returns=request.returns,
    )


def read_receipt(compact: str) -> Receipt:
    """What a workstation gives back, proved by its machine key. Raises RequestInvalid."""
    try:
        proof = open_proof(compact, claims.RECEIPT_TYP)
        return _receipt(carried.receipt(proof.claims), proof.digest, proof.machine_key)
    except CarnetError as error:
        raise RequestInvalid(f"the receipt cannot be read: {error.message}", cause=error.code) from error


def _receipt(receipt: carried.Receipt, signed_digest: str, machine_key: str) -> Receipt:
    return Receipt(
        jti=receipt.jti,
        digest=signed_digest,
        token_jti=receipt.borrow_jti,
        made_at=instant(receipt.iat),
        borrow_id=receipt.borrow_id,
        machine_id=receipt.machine_id,
        machine_key=machine_key,
        user_id=receipt.user_id,
        count=receipt.count,
        requests=receipt.requests,
    )
