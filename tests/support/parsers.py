"""Every parser of the verifier as a function of bytes, each with good input: for all that changes such input, in tests and in `make fuzz`.

What is signed is read twice here: as it comes, where a changed text ends at its signature, and by what reads the claims within,
which a text gets to only when somebody signed it.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.chains import (
    ORGANIZATION,
    SOMEWHERE,
    START,
    Signer,
    at,
    make_chain,
    receipt_claims,
    request_claims,
)
from tests.support.succeeding import replaced, trust_file, update_file
from verifier.connected import licenses
from verifier.core import carried, claims, clock_reset, files, opening, state, status, steps, succession, trust
from verifier.core.jose import strict_object
from verifier.core.proofs import open_proof
from verifier.core.state import STATE_TYP, State, Tombstone
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError
from verifier.workstation import intake, licensing, machine_key, roots
from verifier.workstation.identity import linux, macos, windows

Parse = Callable[[bytes], object]


class Parser(NamedTuple):
    """A parser and what it takes: bytes in, a value or a CarnetError out."""

    parse: Parse
    good: tuple[bytes, ...]


CHAIN = make_chain()
CHAIN.status_list["warn_before"] = 3 * 86_400
TRUST = CHAIN.trust()
MACHINE = Signer()
NEW_ROOT = Signer()
UPDATE = replaced(CHAIN.root, NEW_ROOT)
STATE = State(
    alias="laptop",
    activated={"J" * 22: START + 86_400},
    given_up={"B" * 22: Tombstone("arcgis-pro", START + 86_400, receipt_claims())},
    receipt_count=1,
    last_receipt="D" * 43,
    floor=START,
    changes=3,
)
RESET = {
    "iss": ORGANIZATION,
    "jti": "K" * 22,
    "iat": START,
    "ver": 1,
    "cnf": {"jkt": MACHINE.kid},
    "code": clock_reset.code_of(MACHINE.kid, 0),
}
MACHINE_ID = b"0123456789abcdeffedcba9876543210\n"
PLATFORM = b'+-o J314sAP\n    {\n      "IOPlatformUUID" = "01234567-89AB-CDEF-FEDC-BA9876543210"\n    }\n'
# Windows' own header, then one structure "System Information" with a number in it.
FIRMWARE = b"\0\3\0\0\x1b\0\0\0" + b"\1\x1b\0\0\1\2\3\4" + bytes(range(16)) + b"\6\0\0"
LICENSING = {"url": "https://licenses.example.org", "username": "ada", "told": {"arcgis-pro": "B" * 22}}


def _proof(kind: str, member: str, typ: str, read: Callable[[Mapping[str, Any]], object]) -> Parse:
    """What the authority does with a request or a receipt."""

    def parse(data: bytes) -> object:
        proof = open_proof(files.parse(data, kind)[1][member], typ)
        return read(proof.claims), proof.machine_key

    return parse


def _authorization(data: bytes) -> object:
    return TRUST.authorize(files.parse(data, "authorization")[1]["authorization"])


def _trust_update(data: bytes) -> object:
    updates = files.parse(data, "trust-update")[1]["updates"]
    return TRUST.continued_by(updates) if isinstance(updates, list) else None


def _borrow(data: bytes) -> object:
    return steps.verify(data, trust=TRUST, workstation=SOMEWHERE, now=at(START))


def _claims(read: Callable[[Mapping[str, Any]], object]) -> Parse:
    return lambda data: read(strict_object(data))


def _linux(data: bytes) -> object:
    return linux.mark([linux.SystemFile("/etc/machine-id", data, "")], data)


def _windows(data: bytes) -> object:
    guid, _, table = data.partition(b"\n")
    return windows.mark(guid.decode("utf-16-le", "surrogatepass") if len(guid) % 2 == 0 else guid, table)


def _sid(data: bytes) -> object:
    with contextlib.suppress(ValueError):
        return windows.sid(data)
    return None


def _machine_key(data: bytes) -> object:
    with tempfile.TemporaryDirectory(prefix="carnet-parsers-") as folder:
        path = Path(folder) / "machine-key.pem"
        path.touch(0o600)
        path.write_bytes(data)
        return machine_key.load(path)


def _text(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


# As they come: a file or a text that somebody else had in hand, and that has a signature of whoever may say it.
SIGNED: dict[str, Parser] = {
    "borrow": Parser(_borrow, (CHAIN.borrow_file(), CHAIN.borrow_file(with_list=False))),
    "authorization": Parser(_authorization, (CHAIN.authorization_file(),)),
    "status": Parser(lambda data: opening.open_status(data, TRUST), (CHAIN.status_file(),)),
    "trust-update": Parser(_trust_update, (update_file(UPDATE),)),
    "clock-reset": Parser(
        lambda data: clock_reset.open_reset(data, TRUST),
        (
            files.render(
                "clock-reset",
                {
                    "authorization": CHAIN.authorization_token(),
                    "reset": CHAIN.borrow_key.token(clock_reset.CLOCK_RESET_TYP, RESET),
                },
            ),
        ),
    ),
    "request": Parser(
        _proof("request", "request", claims.REQUEST_TYP, carried.request),
        (files.render("request", {"request": MACHINE.proof(claims.REQUEST_TYP, request_claims())}),),
    ),
    "return": Parser(
        _proof("return", "receipt", claims.RECEIPT_TYP, carried.receipt),
        (files.render("return", {"receipt": MACHINE.proof(claims.RECEIPT_TYP, receipt_claims())}),),
    ),
    "state": Parser(
        lambda data: state.open_state(data, MACHINE.kid), (_text({"state": MACHINE.proof(STATE_TYP, STATE.claims())}),)
    ),
}
# What nobody signs, or what is within a signature.
PLAIN: dict[str, Parser] = {
    "trust": Parser(TrustStore.read, (CHAIN.trust_file(), trust_file(CHAIN.root, UPDATE))),
    "roots list": Parser(
        lambda data: roots.roots_in(data, "roots.txt"), (f"# the vendor\n{CHAIN.root.kid} # of 2026\n{MACHINE.kid}\n".encode(),)
    ),
    "borrow claims": Parser(_claims(claims.borrow), (_text(CHAIN.borrow),)),
    "authorization claims": Parser(_claims(trust.authorization), (_text(CHAIN.authorization),)),
    "status list claims": Parser(_claims(claims.status_list), (_text(CHAIN.status_list),)),
    "trust update claims": Parser(
        _claims(succession.update),
        (_text({"ver": 1, "seq": 1, "iat": START, "roots": [NEW_ROOT.public.as_jwk()], "known": []}),),
    ),
    "clock reset claims": Parser(_claims(clock_reset.reset), (_text(RESET),)),
    "request claims": Parser(_claims(carried.request), (_text(request_claims()),)),
    "receipt claims": Parser(_claims(carried.receipt), (_text(receipt_claims()),)),
    "state claims": Parser(_claims(state.state), (_text(STATE.claims()),)),
    "packed list": Parser(
        lambda data: status.unpack(data.decode("ascii", "replace")), (CHAIN.status_list["status_list"]["lst"].encode(),)
    ),
    "order of files": Parser(intake._order, (CHAIN.status_file(), CHAIN.borrow_file())),
    "answer of the authority": Parser(licenses._stated, (CHAIN.borrow_file(),)),
    "licensing authority": Parser(
        lambda data: licensing._licensing(strict_object(data)), (_text(LICENSING | {"pending": {}}),)
    ),
    "machine key": Parser(_machine_key, (machine_key.make()[1],)),
    "machine id of Linux": Parser(_linux, (MACHINE_ID,)),
    "machine id of Windows": Parser(_windows, ("01234567-89ab-cdef-fedc-ba9876543210".encode("utf-16-le") + b"\n" + FIRMWARE,)),
    "SID of Windows": Parser(_sid, (bytes.fromhex("010500000000000515000000010000000200000003000000e9030000"),)),
    "machine id of macOS": Parser(macos.mark, (PLATFORM,)),
}
PARSERS = SIGNED | PLAIN


def refusal(parser: Parser, data: bytes) -> CarnetError | None:
    """The error of ours with which the bytes are refused, None when they are taken; any other error is raised."""
    try:
        parser.parse(data)
    except CarnetError as error:
        return error
    return None
