"""The status list: two bits for each borrow token, signed, numbered, unpacked within bounds (draft-ietf-oauth-status-list-21)."""

import zlib
from typing import NamedTuple

from verifier.core import keys
from verifier.core.claims import STATUS_BITS, STATUS_LIST_TYP, status_list
from verifier.core.jose import LONGEST_STATUS_LIST, open_by_kid
from verifier.core.trust import Authorization
from verifier.errors import CarnetError, KeyNotValid, Malformed, StatusListRolledBack, StatusListUnusable

VALID, ENDED, SUSPENDED = 0, 1, 2
BITS = STATUS_BITS
# 4 Mi entries. A list that unpacks to more is a flood, whatever it was signed with.
LARGEST_UNPACKED = 1024 * 1024


class StatusList(NamedTuple):
    """A verified list and the key that signed it. `digest` is that of the compact text: one `seq`, one text."""

    organization: str
    uri: str
    iat: int
    exp: int
    seq: int
    kid: str
    digest: str
    statuses: bytes
    bits: int = BITS
    warn_before_seconds: int = 0

    def status_of(self, index: int) -> int:
        """0 valid, 1 ended, 2 suspended, 3 reserved. Raises StatusListUnusable for an index outside the list (section 8.3)."""
        per_byte = 8 // self.bits
        if not 0 <= index < len(self.statuses) * per_byte:
            raise StatusListUnusable(f"the status list (seq {self.seq}) has no place {index}", index=index, seq=self.seq)
        return self.statuses[index // per_byte] >> (index % per_byte * self.bits) & (1 << self.bits) - 1


def read(compact: object, authorization: Authorization) -> StatusList:
    """The list in a compact JWS signed by a status key of the authorization. Raises StatusListUnusable with the cause in it."""
    if not isinstance(compact, str):
        raise StatusListUnusable("the status list is not a compact JWS")
    try:
        signed = open_by_kid(
            compact, STATUS_LIST_TYP, lambda kid: authorization.key(kid, "status"), longest=LONGEST_STATUS_LIST
        )
        claims = status_list(signed.claims)
        authorization.check_key_at(signed.key.kid, claims.iat, None)
        statuses = unpack(claims.packed)
    except CarnetError as error:
        raise StatusListUnusable(f"the status list cannot be used: {error.message}", cause=error.code) from error
    if claims.organization != authorization.organization:
        raise StatusListUnusable(f'the status list is of the organization "{claims.organization}"', cause="not-authorized")
    return StatusList(
        organization=claims.organization,
        uri=claims.uri,
        iat=claims.iat,
        exp=claims.exp,
        seq=claims.seq,
        kid=signed.key.kid,
        digest=keys.digest_of(compact),
        statuses=statuses,
        warn_before_seconds=claims.warn_before_seconds,
    )


def check_key(status_list: StatusList, newest: Authorization) -> None:
    """Raises StatusListUnusable when the newest authorization does not take the key of the list, at the time it was signed."""
    try:
        newest.check_key_at(status_list.kid, status_list.iat, None)
    except KeyNotValid as error:
        raise StatusListUnusable(f"the status list cannot be used: {error.message}", cause=error.code) from error


def unpack(packed: str, largest: int = LARGEST_UNPACKED) -> bytes:
    """The bytes of a base64url zlib text, at most `largest`; a bomb stops there. Raises Malformed."""
    data = keys.decode(packed)
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(data, largest + 1)
    except zlib.error as error:
        raise Malformed("the list is not zlib data") from error
    if len(unpacked) > largest:
        raise Malformed(f"the list unpacks to more than {largest} bytes")
    if not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise Malformed("the list is cut short, or something follows it")
    return unpacked


def newest(known: StatusList | None, later: StatusList) -> StatusList:
    """The newer of two lists of one URI. Raises StatusListRolledBack when `later` is older, or differs under the same number."""
    if known is None or known.uri != later.uri or later.seq > known.seq:
        return later
    check_follows(later, known.seq, known.digest)
    return known


def check_follows(later: StatusList, known_seq: int, known_digest: str) -> None:
    """Raises StatusListRolledBack when `later` has a lower number than one that is known, or differs under the same number."""
    if later.seq < known_seq:
        raise StatusListRolledBack(
            f"the status list has seq {later.seq}, but seq {known_seq} is known", seq=later.seq, known_seq=known_seq
        )
    if later.seq == known_seq and later.digest != known_digest:
        raise StatusListRolledBack(f"there are two different status lists with seq {later.seq}", seq=later.seq)


def floor_after(floor: int, known: StatusList | None, newer: StatusList | None) -> int:
    """The floor under the clock once a newer list is here, in seconds since 1970 UTC.

    A list with a higher number that was signed at an earlier time says that the authority's clock had been ahead: what was
    signed before it was of the future, and the floor goes back to the list's time. Numbers only grow, so that nobody else can
    make one, and an older list is never taken.
    """
    if known is None or newer is None or newer.seq <= known.seq or newer.iat >= known.iat:
        return floor
    return min(floor, newer.iat)
