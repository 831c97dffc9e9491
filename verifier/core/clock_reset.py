"""The clock reset: the authority says what time it is, once, to a workstation whose memory of the clock is wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from verifier.core import files
from verifier.core.jose import open_by_kid
from verifier.core.reading import BORROW_ID, DIGEST, Reader
from verifier.core.trust import Authorization, TrustStore
from verifier.errors import Malformed, NotAuthorized

CLOCK_RESET_TYP = "clock-reset+jwt"
_RESET = frozenset(["iss", "jti", "iat", "ver", "cnf", "code"])
CODE_LETTERS = 16
GROUP = 4


class ClockReset(NamedTuple):
    """The claims of a `clock-reset+jwt`: for the machine key with this thumbprint, while its code is this one."""

    organization: str
    jti: str
    iat: int
    machine_key: str
    code: str


def code_of(machine_key: str, epoch: int) -> str:
    """What a workstation shows and a reset must name: `ABCD-EFGH-IJKL-MNOP`, another one after each reset, so that none works twice.

    `epoch` is how often what the workstation remembers of time was set back before.
    """
    digest = hashlib.sha256(f"carnet clock reset {machine_key} {epoch}".encode()).digest()
    letters = base64.b32encode(digest).decode()[:CODE_LETTERS]
    return "-".join(letters[at : at + GROUP] for at in range(0, CODE_LETTERS, GROUP))


def reset(claims: Mapping[str, Any]) -> ClockReset:
    """The clock reset that these signed claims state. Raises Malformed or UnsupportedVersion."""
    read = Reader(claims, "the clock reset", _RESET)
    read.version()
    return ClockReset(
        organization=read.text("iss"),
        jti=read.text("jti", BORROW_ID),
        iat=read.time("iat"),
        machine_key=read.object("cnf", frozenset({"jkt"})).text("jkt", DIGEST),
        code=read.text("code"),
    )


def open_reset(data: bytes | str, trust: TrustStore, known: Authorization | None = None) -> ClockReset:
    """The reset in a file of the kind `clock-reset`, signed by a key that the newest authorization (`known` or its own) takes.

    Raises Malformed, UnknownKey, KeyNotValid, BadSignature, NotAuthorized.
    """
    _, members = files.parse(data, "clock-reset")
    authorization = trust.authorize(members["authorization"])
    if not isinstance(members["reset"], str):
        raise Malformed("the clock reset is not a compact JWS")
    signed = open_by_kid(members["reset"], CLOCK_RESET_TYP, lambda kid: authorization.key(kid, "borrow"))
    result = reset(signed.claims)
    newest = authorization if known is None or known.seq < authorization.seq else known
    newest.check_key_at(signed.key.kid, result.iat, None)
    if result.organization != authorization.organization:
        raise NotAuthorized(f'the clock reset is of the organization "{result.organization}"', organization=result.organization)
    return result
