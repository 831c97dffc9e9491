"""The seal of the log: each row has a digest, and the digests a chain, so that no row can be changed, removed or moved unseen.

What names a person goes into the digest as a commitment: SHA-256 over a salt and the value. Once the salt is destroyed nobody
can find out from the commitment what the value was, and the digest stays what it is. docs/token-format.md has the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

SECRET_BYTES = 16
# Columns of the log that can name a person or a person's computer; `PLAIN` has all the others. A test holds both to the table.
PERSONAL = ("actor", "member", "group", "machine", "alias", "os_user", "reason")
PLAIN = ("id", "at", "kind", "mode", "handle", "product", "feature", "quantity", "until")
_ROW, _LINK, _START, _ERASED = (f"carnet-log-{word}/1" for word in ("row", "link", "start", "erased"))
_LINK_LABEL = _LINK.encode()
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ErasedField:
    """A personal value that is no more: its commitment, and what stands in its place."""

    commitment: bytes
    value: str


@dataclass(frozen=True, slots=True)
class Openings:
    """What opens the commitments of a row of which values were erased: the salts of the others, and the erased ones."""

    salts: Mapping[str, bytes]
    erased: Mapping[str, ErasedField]


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of one row: its digest, the chain's value there, and the secret that its salts come from.

    The secret is None, and `openings` are there, once a value of the row was erased.
    """

    event_id: int
    digest: bytes
    chain: bytes
    secret: bytes | None
    openings: Openings | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain: the number of the last row, how many rows were sealed up to it since ever, and the chain's value."""

    last: int
    count: int
    chain: bytes


class CheckpointKind(StrEnum):
    """Why a checkpoint was made: rows were sealed, old rows were removed, a person was erased, or an older database was put back."""

    SEAL = "seal"
    CUT = "cut"
    ERASURE = "erasure"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a signed checkpoint says of the chain: its end, and where the rows begin that are still there.

    `prev` is the digest of the checkpoint before (None for the first one), of a restore that of the highest that had gone out;
    `erased` that of all values erased so far (None: of none).
    `issued_at` is in whole seconds.
    """

    number: int
    prev: str | None
    kind: CheckpointKind
    issued_at: datetime
    end: Point
    start: Point
    erased: str | None


def start_of(organization: str) -> Point:
    """Where the chain of an organization begins."""
    return Point(0, 0, hashlib.sha256(f"{_START}\n{organization}".encode()).digest())


def salts_of(secret: bytes) -> dict[str, bytes]:
    """The salt of each personal column of a row, from the row's secret."""
    return {name: hashlib.sha256(secret + name.encode()).digest() for name in PERSONAL}


def commitment(salt: bytes, value: str) -> bytes:
    """What stands in the digest of a row for a personal value."""
    return hashlib.sha256(salt + value.encode()).digest()


def digest_of(row: Mapping[str, Any], secret: bytes | None, openings: Openings | None = None) -> bytes:
    """The digest of a row of the log: SHA-256 over a JSON array of its plain columns and its commitments.

    Times of the row are whole microseconds since 1970 UTC. Raises TypeError, ValueError or AttributeError for a row that the
    authority never wrote.
    """
    return hashlib.sha256(canonical(row, _commitments(row, secret, openings))).digest()


def canonical(row: Mapping[str, Any], commitments: Iterable[str | None]) -> bytes:
    """The bytes that are digested of a row."""
    return _json.encode([_ROW, *(row[name] for name in PLAIN), *commitments]).encode()


def is_as_sealed(row: Mapping[str, Any], seal: Seal) -> bool:
    """Whether a row is what was sealed, and has in place of erased values what was put there."""
    openings = seal.openings
    try:
        if digest_of(row, seal.secret, openings) != seal.digest:
            return False
    except (TypeError, ValueError, AttributeError):
        # SQLite takes any kind of value in any column.
        return False
    return openings is None or all(row[name] == item.value for name, item in openings.erased.items())


def _commitments(row: Mapping[str, Any], secret: bytes | None, openings: Openings | None) -> list[str | None]:
    """Each in hexadecimal, in the order of `PERSONAL`; None for a column without a value."""
    if openings is not None:
        return [_opened(row[name], name, openings) for name in PERSONAL]
    salted = hashlib.sha256(secret or b"")
    texts: list[str | None] = []
    for name in PERSONAL:
        value = row[name]
        if value is None:
            texts.append(None)
            continue
        salt = salted.copy()
        salt.update(name.encode())
        texts.append(hashlib.sha256(salt.digest() + value.encode()).hexdigest())
    return texts


def _opened(value: str | None, name: str, openings: Openings) -> str | None:
    if name in openings.erased:
        return openings.erased[name].commitment.hex()
    return None if value is None else commitment(openings.salts.get(name, b""), value).hex()


def linked(chain: bytes, digest: bytes, event_id: int) -> bytes:
    """The chain's value after the row with this digest and number, from the value before it."""
    return hashlib.sha256(_LINK_LABEL + chain + digest + event_id.to_bytes(8, "big")).digest()


def sealed(rows: Iterable[Mapping[str, Any]], point: Point, secrets: Iterable[bytes]) -> tuple[list[Seal], Point]:
    """The seals of rows that follow a point of the chain, each with a secret of its own, and the point after them."""
    seals, chain = [], point.chain
    for row, secret in zip(rows, secrets, strict=False):
        digest = digest_of(row, secret)
        chain = linked(chain, digest, row["id"])
        seals.append(Seal(row["id"], digest, chain, secret))
    return seals, Point(seals[-1].event_id, point.count + len(seals), chain) if seals else point


def erased(seal: Seal, row: Mapping[str, Any], values: Mapping[str, str]) -> Seal:
    """The seal of a row once some of its personal values, by column, are replaced: their salts are gone, the digest stays."""
    salts = salts_of(seal.secret) if seal.openings is None and seal.secret is not None else dict(_salts(seal))
    before = {} if seal.openings is None else seal.openings.erased
    gone = {
        name: ErasedField(before[name].commitment if name in before else commitment(salts[name], row[name]), value)
        for name, value in values.items()
    }
    openings = Openings({name: salts[name] for name in PERSONAL if name in salts and name not in gone}, {**before, **gone})
    return Seal(seal.event_id, seal.digest, seal.chain, None, openings)


def _salts(seal: Seal) -> Mapping[str, bytes]:
    return {} if seal.openings is None else seal.openings.salts


@dataclass
class ErasedDigest:
    """Makes the digest of all erased values, told in the order of their rows."""

    _hash: Any = field(default_factory=lambda: hashlib.sha256(_ERASED.encode()))
    rows: int = 0

    def add(self, event_id: int, openings: Openings) -> None:
        """Takes the erased values of one more row."""
        self.rows += 1
        values = [[name, item.commitment.hex(), item.value] for name, item in sorted(openings.erased.items())]
        self._hash.update(b"\n" + _json.encode([event_id, values]).encode())

    @property
    def text(self) -> str | None:
        """The digest in base64url, None when no row was told."""
        return base64.urlsafe_b64encode(self._hash.digest()).rstrip(b"=").decode() if self.rows else None
