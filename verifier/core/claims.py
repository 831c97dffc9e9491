"""What the tokens say that a check reads, as frozen values; parsing is exact: a member missing or unknown is malformed.

What a workstation signs to be carried to the authority is in `carried`. The values are named tuples: a dataclass takes ten times
as long to be made, and `carnet check` makes all of them whenever an application starts.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from verifier.core.reading import BORROW_ID, DIGEST, FEATURE, MACHINE_ID, PRODUCT_ID, USER_ID, Reader
from verifier.errors import Malformed

BORROW_TYP = "borrow+jwt"
STATUS_LIST_TYP = "statuslist+jwt"
AUTHORIZATION_TYP = "authorization+jwt"
REQUEST_TYP = "borrow-request+jwt"
SESSION_REQUEST_TYP = "session-request+jwt"
RECEIPT_TYP = "return-receipt+jwt"
STATUS_BITS = 2

_BORROW = frozenset(
    [
        "iss",
        "aud",
        "sub",
        "jti",
        "iat",
        "nbf",
        "exp",
        "ver",
        "bid",
        "member",
        "lic",
        "machine",
        "user",
        "cnf",
        "status",
        "pol",
        "act",
    ]  # contract, section 3.2
)
_STATUS_LIST = frozenset(["iss", "sub", "iat", "exp", "ttl", "ver", "seq", "prev", "status_list"])


class Borrow(NamedTuple):
    """The claims of a `borrow+jwt`. Times are seconds since 1970 UTC."""

    organization: str
    product: str
    user_id: str
    jti: str
    iat: int
    nbf: int
    exp: int
    borrow_id: str
    member: str
    level: str
    levels: tuple[str, ...]
    extensions: tuple[str, ...]
    machine_id: str
    machine_source: str
    alias: str | None
    user_name: str
    machine_key: str
    status_index: int
    status_uri: str
    status_max_age_seconds: int | None
    clock_tolerance_seconds: int
    activate_by: int

    @property
    def is_session(self) -> bool:
        """True for the grant of a session: it ends by itself in minutes, and no list says anything of it."""
        return self.status_uri == f"urn:carnet:{self.organization}:sessions"


def borrow(claims: Mapping[str, Any]) -> Borrow:
    """The borrow that these signed claims state. Raises Malformed or UnsupportedVersion."""
    read = Reader(claims, "the borrow", _BORROW)
    read.version()
    license_ = read.object("lic", frozenset({"level", "levels", "extensions"}))
    machine = read.object("machine", frozenset({"id", "source", "alias"}))
    status = read.object("status", frozenset({"status_list"})).object("status_list", frozenset({"idx", "uri"}))
    policy = read.object("pol", frozenset({"status_max_age", "clock_tolerance"}))
    result = Borrow(
        organization=read.text("iss"),
        product=read.text("aud", PRODUCT_ID),
        user_id=read.text("sub", USER_ID),
        jti=read.text("jti", BORROW_ID),
        iat=read.time("iat"),
        nbf=read.time("nbf"),
        exp=read.time("exp"),
        borrow_id=read.text("bid", BORROW_ID),
        member=read.text("member"),
        level=license_.text("level", FEATURE),
        levels=license_.texts("levels", FEATURE),
        extensions=license_.texts("extensions", FEATURE),
        machine_id=machine.text("id", MACHINE_ID),
        machine_source=machine.text("source"),
        alias=machine.text_or_null("alias"),
        user_name=read.object("user", frozenset({"name"})).text("name"),
        machine_key=read.object("cnf", frozenset({"jkt"})).text("jkt", DIGEST),
        status_index=status.integer("idx"),
        status_uri=status.text("uri"),
        status_max_age_seconds=policy.integer_or_null("status_max_age"),
        clock_tolerance_seconds=policy.integer("clock_tolerance"),
        activate_by=read.time("act"),
    )
    if not result.iat <= result.nbf < result.exp:
        raise Malformed(f"the borrow: iat {result.iat}, nbf {result.nbf} and exp {result.exp} are not in order")
    return result


class StatusListClaims(NamedTuple):
    """The claims of a `statuslist+jwt`, the list still packed.

    So many seconds before the end of a borrow its holder is warned; 0, also of a list that says nothing of it: never.
    """

    organization: str
    uri: str
    iat: int
    exp: int
    ttl: int
    seq: int
    prev: str | None
    packed: str
    warn_before_seconds: int


def status_list(claims: Mapping[str, Any]) -> StatusListClaims:
    """The status list that these signed claims state (draft-ietf-oauth-status-list-21, and ours: iss, ver, seq, prev, warn_before)."""
    read = Reader(claims, "the status list", _STATUS_LIST, frozenset({"warn_before"}))
    read.version()
    packed = read.object("status_list", frozenset({"bits", "lst"}))
    text = packed.members()["lst"]
    if packed.integer("bits") != STATUS_BITS or not isinstance(text, str):
        raise Malformed("the status list: two bits for each borrow, packed into a text, are read")
    result = StatusListClaims(
        organization=read.text("iss"),
        uri=read.text("sub"),
        iat=read.time("iat"),
        exp=read.time("exp"),
        ttl=read.integer("ttl"),
        seq=read.integer("seq", 1),
        prev=read.text_or_null("prev", DIGEST),
        packed=text,
        warn_before_seconds=read.integer("warn_before") if "warn_before" in claims else 0,
    )
    if result.iat >= result.exp:
        raise Malformed(f"the status list: iat {result.iat} and exp {result.exp} are not in order")
    return result
