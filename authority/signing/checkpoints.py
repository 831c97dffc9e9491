"""Checkpoints of the log's seal: signed with the key of status lists, and read as strictly as any token (docs/token-format.md)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, Self

from authority.domain.catalogue import KeyUse
from authority.domain.log_seal import Checkpoint, CheckpointKind, Point
from authority.domain.refusals import AuthorizationUnusable, CheckpointUnusable, SigningFailed
from authority.signing.authorizations import opened
from authority.signing.encoding import digest_of
from authority.signing.issuing import Issuer
from verifier.core import files, jose
from verifier.core.keys import decode, encode
from verifier.core.reading import DIGEST, Reader
from verifier.core.times import instant, timestamp
from verifier.core.trust import Authorization as VerifiedAuthorization
from verifier.errors import CarnetError, Malformed

CHECKPOINT_FILE = "checkpoint"
CHECKPOINT_TYP = "carnet-checkpoint+jwt"
_CHECKPOINT = frozenset(["iss", "ver", "iat", "seq", "prev", "kind", "last", "count", "chain", "start", "erased"])
_START = frozenset(["last", "count", "chain"])


class Signature(StrEnum):
    """What came of verifying a signature: made by its key, not made by it, or nobody names the key."""

    GOOD = "good"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown key"


@dataclass(frozen=True, slots=True)
class ReadCheckpoint:
    """A checkpoint whose form is right; `problem` says why it is not taken now, None when it is good.

    The signature can be good and the key stolen since, or out of its time. Such a checkpoint is believed where a later one that
    is good names its digest, and so is one of a key that no authorization names any more.
    """

    checkpoint: Checkpoint
    organization: str
    digest: str
    signature: Signature
    problem: str | None


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The authorizations that checkpoints are verified by, the newest first; each was verified by a trust file."""

    authorizations: tuple[VerifiedAuthorization, ...]

    @classmethod
    def installed(cls, texts: Iterable[tuple[str, str]]) -> Self:
        """Of authorizations that were installed, each with the trust file of its time. Raises AuthorizationUnusable."""
        return cls.of(opened(compact, trust_file) for compact, trust_file in texts)

    @classmethod
    def taken(cls, compacts: Iterable[str], trust_file: str) -> Self:
        """Of those authorizations that a trust file takes; the others are left out."""
        taken = []
        for compact in compacts:
            with contextlib.suppress(AuthorizationUnusable):
                taken.append(opened(compact, trust_file))
        return cls.of(taken)

    @classmethod
    def of(cls, authorizations: Iterable[VerifiedAuthorization]) -> Self:
        """Of authorizations in any order."""
        return cls(tuple(sorted(authorizations, key=attrgetter("seq"), reverse=True)))


def issue(issuer: Issuer, checkpoint: Checkpoint) -> str:
    """The compact token of a checkpoint, signed with the key of status lists of its time.

    Raises KeyUnusable, and SigningFailed when it could not be verified with the verifier's own code.
    """
    kid = issuer.current_kid(KeyUse.STATUS, checkpoint.issued_at)
    header = {"alg": jose.ALGORITHM, "typ": CHECKPOINT_TYP, "kid": kid}
    text = jose.payload(_claims(issuer.authorization.organization, checkpoint))
    compact = jose.compact(header, text, issuer.ring.signer(KeyUse.STATUS, kid).sign)
    made = read(compact, KnownKeys.installed([(issuer.authorization.compact, issuer.trust_file)]))
    if made.problem is not None or made.checkpoint != checkpoint:
        raise SigningFailed(
            f"the checkpoint of the log is not good: {made.problem or 'it says something else'}", cause="malformed"
        )
    return compact


def read(compact: str, known: KnownKeys) -> ReadCheckpoint:
    """The checkpoint in a compact token, and what came of its signature.

    Raises CheckpointUnusable for a text that is no checkpoint.
    """
    try:
        parts = jose.take_apart(compact, CHECKPOINT_TYP, "kid")
        checkpoint, organization = _read(jose.strict_object(parts.payload))
    except CarnetError as error:
        raise CheckpointUnusable(f"the checkpoint cannot be read: {error.message}") from error
    signature, problem = _verified(parts, checkpoint, organization, known)
    return ReadCheckpoint(checkpoint, organization, digest_of(compact), signature, problem)


def stated(compact: str) -> Checkpoint:
    """What a checkpoint that was kept here says; whether it is good now is not asked. Raises CheckpointUnusable."""
    return read(compact, KnownKeys(())).checkpoint


def _verified(parts: jose.Parts, checkpoint: Checkpoint, organization: str, known: KnownKeys) -> tuple[Signature, str | None]:
    """What came of the signature, and why the checkpoint is not taken: the newest authorization that names the key decides."""
    kid = parts.header["kid"]
    naming = next((item for item in known.authorizations if kid in item.keys), None)
    if naming is None:
        return Signature.UNKNOWN_KEY, f"no authorization names its key {kid}"
    try:
        jose.check_signature(naming.key(kid, KeyUse.STATUS), parts.signature, parts.signed)
    except CarnetError as error:
        return Signature.FORGED, error.message
    try:
        naming.check_key_at(kid, timestamp(checkpoint.issued_at), None)
    except CarnetError as error:
        return Signature.GOOD, error.message
    return Signature.GOOD, None if organization == naming.organization else f'it is of the organization "{organization}"'


def file_members(compact: str, authorization: str) -> dict[str, Any]:
    """The members of the file of a checkpoint, with the compact authorization that names its key."""
    return {"carnet": CHECKPOINT_FILE, "version": 1, "authorization": authorization, "checkpoint": compact}


def file_of(members: Mapping[str, Any]) -> bytes:
    """The file with these members."""
    return (json.dumps(members, indent=2) + "\n").encode()


def compact_of(data: bytes) -> str:
    """The compact token in the file of a checkpoint. Raises CheckpointUnusable."""
    try:
        compact = files.parse(data, CHECKPOINT_FILE)[1]["checkpoint"]
    except CarnetError as error:
        raise CheckpointUnusable(f"this is not the file of a checkpoint: {error.message}") from error
    if not isinstance(compact, str):
        raise CheckpointUnusable("this is not the file of a checkpoint: it has no text of one")
    return compact


def _claims(organization: str, checkpoint: Checkpoint) -> Mapping[str, Any]:
    return {
        "iss": organization,
        "ver": 1,
        "iat": timestamp(checkpoint.issued_at),
        "seq": checkpoint.number,
        "prev": checkpoint.prev,
        "kind": str(checkpoint.kind),
        **_point_claims(checkpoint.end),
        "start": _point_claims(checkpoint.start),
        "erased": checkpoint.erased,
    }


def _point_claims(point: Point) -> dict[str, Any]:
    return {"last": point.last, "count": point.count, "chain": encode(point.chain)}


def _read(claims: Mapping[str, Any]) -> tuple[Checkpoint, str]:
    reader = Reader(claims, "the checkpoint", _CHECKPOINT)
    reader.version()
    checkpoint = Checkpoint(
        number=reader.integer("seq", 1),
        prev=reader.text_or_null("prev", DIGEST),
        kind=CheckpointKind(reader.choice("kind", tuple(CheckpointKind))),
        issued_at=instant(reader.time("iat")),
        end=_point(reader),
        start=_point(reader.object("start", _START)),
        erased=reader.text_or_null("erased", DIGEST),
    )
    if checkpoint.start.last > checkpoint.end.last or checkpoint.start.count > checkpoint.end.count:
        raise Malformed("the checkpoint begins after its end")
    return checkpoint, reader.text("iss")


def _point(reader: Reader) -> Point:
    return Point(reader.integer("last"), reader.integer("count"), decode(reader.text("chain", DIGEST)))
