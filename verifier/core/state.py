"""What a workstation remembers and no file of others says, and how two copies of it become one that has forgotten nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from verifier.core import clock, status
from verifier.core.clock import ClockMemory, Doubt, Reading
from verifier.core.files import LARGEST_STATUS_FILE
from verifier.core.jose import open_by_jwk, strict_object
from verifier.core.reading import BORROW_ID, DIGEST, PRODUCT_ID, Reader
from verifier.core.status import StatusList
from verifier.core.trust import Authorization
from verifier.errors import Malformed

STATE_TYP = "workstation-state+jwt"
ANYTHING = re.compile(r"", re.DOTALL)
_FIRST = frozenset(["alias", "activated", "given_up", "receipt_count", "last_receipt", "floor"])
# What the first versions did not remember; their states are read as they are.
_LATER = frozenset(["changes", "epoch", "clock", "lists", "authorizations", "request_count", "second_at"])
_TOMBSTONE = frozenset(["product", "exp", "receipt"])


class Tombstone(NamedTuple):
    """A borrow that was given up here: its product, the `exp` of its token, and the claims of its receipt.

    The receipt is kept, so that a return that was cut short can be finished with the same one.
    """

    product: str
    exp: int
    receipt: dict[str, Any]


class KnownList(NamedTuple):
    """The newest status list of one URI that was ever seen here: its number and the digest of its text."""

    seq: int
    digest: str


@dataclass
class State:
    """What a workstation remembers of itself, of returns, of time, and of what it was shown.

    `activated` are the tokens that were installed here in time, `jti` to `exp`; `given_up` is by borrow id, `lists` are by URI,
    `authorizations` the highest `seq` of each organization. `receipt_count` and `request_count` are how many it signed.
    `floor` is the newest signed time seen here, in seconds since 1970 UTC. `epoch` counts how often the authority or the vendor
    set something of it back. `changes` counts the writes: of two copies the one with more is the later. `second_at` is where the
    second copy was written last, and `is_alone` says that there is none any more; that itself is not remembered.
    """

    alias: str | None = None
    activated: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, Tombstone] = field(default_factory=dict)
    receipt_count: int = 0
    last_receipt: str | None = None
    floor: int = 0
    changes: int = 0
    epoch: int = 0
    clock: ClockMemory | None = None
    lists: dict[str, KnownList] = field(default_factory=dict)
    authorizations: dict[str, int] = field(default_factory=dict)
    request_count: int = 0
    second_at: str | None = None
    is_alone: bool = False

    @property
    def sure(self) -> int:
        """It is at least this late by what the clock showed here before, in seconds since 1970 UTC; 0 when nothing is remembered."""
        return 0 if self.clock is None else max(0, self.clock.sure - clock.FAST_SECONDS)

    @property
    def had_trust(self) -> bool:
        """Whether anything was installed here that needs trust."""
        return bool(self.activated or self.given_up or self.lists or self.authorizations)

    def follow(self, reading: Reading, signed_at: int) -> bool:
        """Remembers what the machine says of the time; `signed_at` is the newest signed time, in seconds since 1970 UTC.

        True when that is worth writing. A time that was given, and is not the machine's own, is not remembered.
        """
        if reading.boot is None and reading.ticks is None:
            return False
        before, self.clock = self.clock, clock.follow(self.clock, reading, max(self.floor, signed_at))
        return clock.is_worth_keeping(before, self.clock)

    def set_back(self, floor: int) -> None:
        """The authority says that what was signed or shown later than `floor` (seconds since 1970 UTC) was of the future."""
        self.floor, self.clock = floor, None
        self.epoch += 1

    def count_anew(self) -> None:
        """The vendor replaced its root keys: numbers that a thief of the old one drove up count no longer (TUF, fast-forward)."""
        self.lists, self.authorizations = {}, {}
        self.epoch += 1

    def count_lists_anew(self) -> None:
        """A status key was stolen: numbers that the thief drove up count no longer."""
        self.lists = {}
        self.epoch += 1

    def check_list(self, status_list: StatusList) -> None:
        """Raises StatusListRolledBack for a list that is older than one seen here before, or another of the same number."""
        known = self.lists.get(status_list.uri)
        if known is not None:
            status.check_follows(status_list, known.seq, known.digest)

    def note_list(self, status_list: StatusList | None) -> bool:
        """Remembers that this list was here. True when that is news."""
        if status_list is None:
            return False
        known = self.lists.get(status_list.uri)
        if known is not None and known.seq >= status_list.seq:
            return False
        self.lists = self.lists | {status_list.uri: KnownList(status_list.seq, status_list.digest)}
        return True

    def note_authorization(self, authorization: Authorization) -> bool:
        """Remembers that this authorization was here. True when that is news."""
        if authorization.seq <= self.authorizations.get(authorization.organization, 0):
            return False
        self.authorizations = self.authorizations | {authorization.organization: authorization.seq}
        return True

    def claims(self) -> dict[str, Any]:
        """The claims of the state, as `state` reads them."""
        memory = self.clock
        remembered = {name: value for name, value in vars(self).items() if name != "is_alone"}
        return remembered | {
            "given_up": {borrow_id: tombstone._asdict() for borrow_id, tombstone in self.given_up.items()},
            "clock": None if memory is None else memory._asdict() | {"doubts": [list(doubt) for doubt in memory.doubts]},
            "lists": {uri: list(known) for uri, known in self.lists.items()},
        }


def open_state(data: bytes, machine_key: str | None) -> State | None:
    """The state in a copy; None when another machine key signed it. Raises Malformed, BadSignature."""
    members = strict_object(data)
    if set(members) != {"state"} or not isinstance(members["state"], str):
        raise Malformed("the state is not a compact JWS")
    signed = open_by_jwk(members["state"], STATE_TYP, longest=LARGEST_STATUS_FILE)
    return state(signed.claims) if signed.key.kid == machine_key else None


def state(claims: Mapping[str, Any]) -> State:
    """The state that these claims, signed by the machine key, are; also one of an earlier version. Raises Malformed."""
    is_whole = "changes" in claims
    read = Reader(claims, "the state", _FIRST | _LATER if is_whole else _FIRST)
    result = State(
        alias=read.text_or_null("alias"),
        activated=read.counts("activated", BORROW_ID),
        given_up={borrow_id: _tombstone(borrow_id, item) for borrow_id, item in read.mapping("given_up", BORROW_ID).items()},
        receipt_count=read.integer("receipt_count"),
        last_receipt=read.text_or_null("last_receipt", DIGEST),
        floor=read.time("floor"),
    )
    if is_whole:
        result.changes = read.integer("changes")
        result.epoch = read.integer("epoch")
        result.clock = None if claims["clock"] is None else _clock(claims["clock"])
        result.lists = _lists(claims["lists"])
        result.authorizations = read.counts("authorizations", ANYTHING)
        result.request_count = read.integer("request_count")
        result.second_at = read.text_or_null("second_at")
    return result


def merged(one: State, other: State) -> State:
    """One state of two copies: what either remembers of returns, lists and passed time is remembered.

    Whatever was only ever added to is added together, and of what grows the larger counts, so that an old copy that was put back
    takes nothing away. What the authority or the vendor set back (`epoch`) stays set back.
    """
    newer, older = (one, other) if (one.epoch, one.changes) >= (other.epoch, other.changes) else (other, one)
    counted = max(newer, older, key=lambda state: state.receipt_count)
    result = replace(
        newer,
        alias=max(newer, older, key=lambda state: state.changes).alias,
        activated=older.activated | newer.activated,
        given_up=older.given_up | newer.given_up,
        receipt_count=counted.receipt_count,
        last_receipt=counted.last_receipt,
        changes=max(newer.changes, older.changes),
        request_count=max(newer.request_count, older.request_count),
        second_at=newer.second_at or older.second_at,
    )
    if newer.epoch == older.epoch:
        result.floor = max(newer.floor, older.floor)
        result.clock = clock.later(newer.clock, older.clock)
        for uri, known in older.lists.items():
            result.lists = result.lists | {uri: max(known, newer.lists.get(uri, known), key=lambda item: item.seq)}
        for organization, seq in older.authorizations.items():
            highest = max(seq, newer.authorizations.get(organization, 0))
            result.authorizations = result.authorizations | {organization: highest}
    return result


def _tombstone(borrow_id: str, item: object) -> Tombstone:
    from verifier.core.carried import receipt

    read = Reader(item, "a tombstone", _TOMBSTONE)
    own = read.members()["receipt"]
    if not isinstance(own, dict) or receipt(own).borrow_id != borrow_id:
        raise Malformed("a tombstone has the receipt of another borrow")
    return Tombstone(read.text("product", PRODUCT_ID), read.time("exp"), own)


def _clock(item: object) -> ClockMemory:
    read = Reader(item, "the clock's memory", frozenset(ClockMemory._fields))
    doubts = read.members()["doubts"]
    if not isinstance(doubts, list) or not all(_are_integers(doubt, 2) for doubt in doubts):
        raise Malformed("the clock's memory: each doubt has two integers")
    memory = ClockMemory(
        seen=read.time("seen"),
        boot=read.text_or_null("boot"),
        ticks=read.integer_or_null("ticks"),
        doubts=tuple(Doubt(*doubt) for doubt in doubts),
        behind=read.members()["behind"] is True,
    )
    if memory.sure < 0:
        raise Malformed("the clock's memory: more is in doubt than time has passed")
    return memory


def _lists(item: object) -> dict[str, KnownList]:
    if not isinstance(item, Mapping):
        raise Malformed("the state: the lists that were seen are no object")
    known = {}
    for uri, pair in item.items():
        if not isinstance(pair, list) or len(pair) != len(KnownList._fields) or not isinstance(pair[1], str):
            raise Malformed("the state: a list that was seen has a number and a digest")
        if type(pair[0]) is not int or pair[0] < 1 or not DIGEST.match(pair[1]):
            raise Malformed("the state: a list that was seen has a number and a digest")
        known[uri] = KnownList(*pair)
    return known


def _are_integers(item: object, count: int) -> bool:
    return isinstance(item, list) and len(item) == count and all(type(part) is int and part >= 0 for part in item)
