"""Making borrow tokens and status lists. Each is verified with the verifier's own code before it leaves."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter

from authority.domain.borrows import License
from authority.domain.catalogue import Authorization, AuthorizedKey, KeyUse
from authority.domain.clocks import CHECK_CLOCK
from authority.domain.refusals import KeyUnusable, SigningFailed
from authority.signing.authorizations import opened
from authority.signing.keyring import KeyRing
from verifier.core import claims, clock_reset, files, jose, opening, status, trust
from verifier.core.claims import BORROW_TYP, STATUS_LIST_TYP
from verifier.core.keys import encode
from verifier.core.times import timestamp
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError, Malformed

# A carried answer may take a while to reach its machine; after this a lost file is no longer of use to a finder.
ACTIVATION = timedelta(days=14)
CLOCK_TOLERANCE = timedelta(hours=24)
LIST_LIFETIME = timedelta(days=30)
LIST_TTL = timedelta(hours=1)
# Each reset, and each replacement of the vendor's root keys, gives a workstation its next code.
MOST_RESETS = 1000


@dataclass(frozen=True, slots=True)
class Issuer:
    """What signing needs: the keys, the authorization in force, and the trust file that workstations have."""

    ring: KeyRing
    authorization: Authorization
    trust_file: str

    def current_kid(self, use: KeyUse, now: datetime) -> str:
        """The key to sign with now: authorized for the use, in its time, in our hands, neither revoked nor retired; the latest begun wins."""
        own_kids = self.ring.kids(use)
        own = [key for key in self.authorization.keys.values() if key.kid in own_kids and key.use is use and not key.is_revoked]
        usable = [key for key in own if key.signs_at(now)]
        if not usable:
            raise _not_authorized(use, own, now)
        return max(usable, key=attrgetter("begins_at")).kid


def _not_authorized(use: KeyUse, own: Sequence[AuthorizedKey], now: datetime) -> KeyUnusable:
    """Why none of the keys that are here signs now; `own` are those of them that the authorization names."""
    ask = "Ask the vendor for an authorization that names them: carnet-authority key list --public -o KEYS.json"
    if not own:
        return KeyUnusable(f"none of the {use} keys here is authorized at {now:%Y-%m-%d %H:%M} UTC", hint=ask)
    key = max(own, key=attrgetter("begins_at"))
    return KeyUnusable(
        f"the {use} key {key.kid} is authorized from {key.begins_at:%Y-%m-%d %H:%M} to {key.ends_at:%Y-%m-%d %H:%M} UTC, "
        f"it is {now:%Y-%m-%d %H:%M} UTC by this server's clock",
        hint=f"{CHECK_CLOCK} {ask}",
        kid=key.kid,
    )


def payload(
    granted: License, authorization: Authorization, *, jti: str, now: datetime, status_index: int, status_uri: str
) -> str:
    """The text that is signed for a license (contract, section 3.2)."""
    product = authorization.product(granted.product)
    return jose.payload(
        {
            "iss": authorization.organization,
            "aud": granted.product,
            "sub": granted.user.id,
            "jti": jti,
            "iat": timestamp(now),
            "nbf": timestamp(now),
            "exp": timestamp(granted.ends_at),
            "ver": 1,
            "bid": granted.id,
            "member": granted.member,
            "lic": {
                "level": granted.level,
                "levels": list(product.levels_up_to(granted.level)),
                "extensions": list(granted.extensions),
            },
            "machine": {"id": granted.machine.id, "source": granted.machine.source, "alias": granted.machine.alias},
            "user": {"name": granted.user.name},
            "cnf": {"jkt": granted.machine.key},
            "status": {"status_list": {"idx": status_index, "uri": status_uri}},
            "pol": {"status_max_age": granted.status_max_age, "clock_tolerance": int(CLOCK_TOLERANCE.total_seconds())},
            "act": timestamp(min(now + ACTIVATION, granted.ends_at)),
        }
    )


def session_payload(granted: License, authorization: Authorization, *, jti: str, now: datetime) -> str:
    """The text that is signed for the grant of a session: of minutes, and not renewed without the authority.

    Its status list is never published: a grant ends by itself, its seat is taken until then, and a session that was ended gets
    no new one.
    """
    uri = f"urn:carnet:{authorization.organization}:sessions"
    return payload(granted, authorization, jti=jti, now=now, status_index=0, status_uri=uri)


def borrow_file(issuer: Issuer, payload: str, kid: str, list_compact: str | None) -> bytes:
    """The file that is carried to the workstation, the same each time: the payload signed, with authorization and status list.

    Raises KeyUnusable without the key, SigningFailed when the verifier would not take the token.
    """
    signer = issuer.ring.signer(KeyUse.BORROW, kid)
    try:
        token = signed_token(payload, kid, signer.sign, opened(issuer.authorization.compact, issuer.trust_file))
    except CarnetError as error:
        raise SigningFailed(f"the token made for this borrow is not good: {error.message}", cause=error.code) from error
    before, after = _frame(issuer.authorization.compact, list_compact)
    return before + token.encode() + after


def signed_token(payload: str, kid: str, sign: Callable[[bytes], bytes], authorization: trust.Authorization) -> str:
    """The compact `borrow+jwt` of a payload text, signed with the key `kid` of this authorization.

    `sign` makes the 64 bytes of an Ed25519 signature, the same each time (RFC 8032). The form (alphabet, canonical base64url,
    exact header) is right as it is made; what can be wrong is checked once on the very bytes that were signed: key, signature,
    and every claim. A token comes back exactly when `opening.open_token` and `opening.check_content` would take it; otherwise this
    raises NotGood, as they would.
    """
    key = authorization.key(kid, "borrow")
    try:
        data = payload.encode()
    except UnicodeEncodeError as error:
        raise Malformed("the text to sign has a lone surrogate, which is not UTF-8") from error
    signed = f"{_header(BORROW_TYP, kid)}.{encode(data)}"
    signature = sign(signed.encode())
    jose.check_signature(key, signature, signed.encode())
    token = f"{signed}.{encode(signature)}"
    if len(token) > jose.LONGEST_TOKEN:
        raise Malformed(
            f"the token would have {len(token)} characters, at most {jose.LONGEST_TOKEN} are read", length=len(token)
        )
    borrow = claims.borrow(jose.strict_object(data))
    authorization.check_key_at(kid, borrow.iat, borrow.jti)
    opening.check_content(borrow, authorization)
    return token


@lru_cache(maxsize=64)
def _header(typ: str, kid: str) -> str:
    return encode(jose.payload({"alg": "EdDSA", "typ": typ, "kid": kid}).encode())


# In place of a token: a character that no compact JWS has.
_PLACE = "#"


@lru_cache(maxsize=16)
def _frame(authorization_compact: str, list_compact: str | None) -> tuple[bytes, bytes]:
    """What stands before and after the token in a borrow file; the same for all that are given out within an hour."""
    members = {"authorization": authorization_compact, "borrow": _PLACE, "status_list": list_compact}
    before, after = files.render("borrow", members).split(_PLACE.encode())
    return before, after


def pack(indexes: Iterable[int], size: int) -> str:
    """A status list of `size` places with 1 (ended) at the given ones: two bits each, zlib level 9, base64url."""
    return pack_statuses(dict.fromkeys(indexes, status.ENDED), size, status.BITS)


def is_packed(packed: str, indexes: Iterable[int], size: int) -> bool:
    """Whether a packed list says just what `pack` would: told by its bytes, for packing takes ten times as long and more."""
    try:
        return status.unpack(packed) == _places(dict.fromkeys(indexes, status.ENDED), size, status.BITS)
    except Malformed:
        return False


def pack_statuses(statuses: dict[int, int], size: int, bits: int) -> str:
    """The packed list of draft-ietf-oauth-status-list-21, section 4: least significant bits first."""
    return base64.urlsafe_b64encode(zlib.compress(_places(statuses, size, bits), 9)).rstrip(b"=").decode()


def _places(statuses: dict[int, int], size: int, bits: int) -> bytes:
    data, per_byte = bytearray(-(-size * bits // 8)), 8 // bits
    for index, value in statuses.items():
        data[index // per_byte] |= value << (index % per_byte * bits)
    return bytes(data)


def status_list(
    issuer: Issuer,
    packed: str,
    *,
    uri: str,
    seq: int,
    prev: str | None,
    now: datetime,
    warn_before: timedelta = timedelta(0),
) -> str:
    """The compact `statuslist+jwt` of a packed list; holders of borrows are warned so long before their end, 0: never.

    Raises SigningFailed when the verifier would not take it.
    """
    kid = issuer.current_kid(KeyUse.STATUS, now)
    content = {
        "iss": issuer.authorization.organization,
        "sub": uri,
        "iat": timestamp(now),
        "exp": timestamp(now + LIST_LIFETIME),
        "ttl": int(LIST_TTL.total_seconds()),
        "ver": 1,
        "seq": seq,
        "prev": prev,
        "status_list": {"bits": status.BITS, "lst": packed},
    } | ({"warn_before": int(warn_before.total_seconds())} if warn_before else {})
    signer = issuer.ring.signer(KeyUse.STATUS, kid)
    compact = jose.compact({"alg": "EdDSA", "typ": STATUS_LIST_TYP, "kid": kid}, jose.payload(content), signer.sign)
    try:
        status.read(compact, opened(issuer.authorization.compact, issuer.trust_file))
    except CarnetError as error:
        raise SigningFailed(f"the status list is not good: {error.message}", cause=error.code) from error
    return compact


def status_file(authorization_compact: str, list_compact: str) -> bytes:
    """The status file that is carried to workstations."""
    return files.render("status", {"authorization": authorization_compact, "status_list": list_compact})


def is_reset_code(machine_key: str, code: str, resets: int = MOST_RESETS) -> bool:
    """Whether the workstation with this machine key shows this code when it was reset fewer times than these."""
    return any(code == clock_reset.code_of(machine_key, epoch) for epoch in range(resets))


def clock_reset_file(issuer: Issuer, *, machine_key: str, code: str, jti: str, now: datetime) -> bytes:
    """The clock reset file for a machine key and its code. Raises SigningFailed when the verifier would not take it."""
    kid = issuer.current_kid(KeyUse.BORROW, now)
    content = {
        "iss": issuer.authorization.organization,
        "jti": jti,
        "iat": timestamp(now),
        "ver": 1,
        "cnf": {"jkt": machine_key},
        "code": code,
    }
    header = {"alg": "EdDSA", "typ": clock_reset.CLOCK_RESET_TYP, "kid": kid}
    compact = jose.compact(header, jose.payload(content), issuer.ring.signer(KeyUse.BORROW, kid).sign)
    data = files.render("clock-reset", {"authorization": issuer.authorization.compact, "reset": compact})
    try:
        clock_reset.open_reset(data, TrustStore.read(issuer.trust_file))
    except CarnetError as error:
        raise SigningFailed(f"the clock reset is not good: {error.message}", cause=error.code) from error
    return data
