"""Attempts: a request that is sent again with the same key does nothing new, and gets the answer of the first time.

draft-ietf-httpapi-idempotency-key-header. The key is taken in the transaction of what is done, so that both are kept or none:
over nodes, restarts and lost answers. The answer is kept afterwards, sealed with what only the client has, because it may hold
a secret that is shown once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from authority.domain.refusals import AnswerNotKept, KeyReused, RequestUnderWay, TooManyRequests
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.signing import sealing
from authority.signing.encoding import digest_of
from authority.storage import attempts

KEPT_FOR = timedelta(hours=24)
# An answer that is not there after so long will not come any more: the server was stopped before it was kept.
ANSWERED_WITHIN = timedelta(minutes=1)
# What one member can have kept at a time, and the longest answer that is kept.
MOST_KEYS = 10_000
LARGEST_ANSWER = 256 * 1024
# Who is no member has this number; nobody's bearer token is theirs.
NOBODY = 0


class Repeated(Exception):
    """This very request was done before; `answer` is what was answered. No mistake, and no refusal: what is under way is taken back."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("this request was answered before")
        self.answer = answer


class DoneBefore(Exception):
    """What this form asks for was done at this time, when it was sent first. No mistake, and no refusal."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"this form was sent before, at {at:%Y-%m-%d %H:%M} UTC")
        self.at = at


@dataclass(slots=True)
class Once:
    """A form of a page, as one word for all that it says, in which a word of its page is: sent again it does nothing."""

    form: str
    is_taken: bool = False

    def claim(self, unit: Unit) -> None:
        """Takes the form in the transaction that is under way. Raises DoneBefore, TooManyRequests."""
        if not self.is_taken:
            self._check(_take(unit, self._row(unit)))
            self.is_taken = True

    def look(self, unit: Unit) -> None:
        """Raises DoneBefore where the form was taken by an earlier request, in a transaction that is under way; nothing is taken."""
        if not self.is_taken:
            self._check(_known(unit, self._row(unit)))

    def _row(self, unit: Unit) -> attempts.Attempt:
        # No key of a client has a line break.
        return _row(unit, f"form\n{self.form}", self.form)

    def _check(self, known: attempts.Attempt | None) -> None:
        if known is not None:
            raise DoneBefore(known.begun_at)


def _row(unit: Unit, key: str, request: str) -> attempts.Attempt:
    member_id = unit.actor.member_id or NOBODY
    return attempts.Attempt(digest_of(f"{member_id}\n{key}"), member_id, request, unit.at)


def _take(unit: Unit, row: attempts.Attempt) -> attempts.Attempt | None:
    """Keeps an attempt; the one that was there before with its key, None where none was. Raises RequestUnderWay, TooManyRequests."""
    attempts.forget(unit.connection, unit.at - KEPT_FOR)
    if not attempts.add(unit.connection, row):
        known = attempts.get(unit.connection, row.key)
        if known is None:
            raise RequestUnderWay("this request is being answered")
        return known
    if attempts.count(unit.connection, row.member_id) > MOST_KEYS:
        raise TooManyRequests(f"more than {MOST_KEYS} requests with a key of their own in 24 hours", seconds=3600)
    return None


def _known(unit: Unit, row: attempts.Attempt) -> attempts.Attempt | None:
    """The attempt that is kept with the key of this one, None where there is none."""
    known = attempts.get(unit.connection, row.key)
    return known if known is not None and known.begun_at > unit.at - KEPT_FOR else None


@dataclass(slots=True)
class Attempt:
    """A request by the key that its client gave it, a digest of all that it says, and the bearer's secret."""

    key: str
    request: str
    secret: str = field(repr=False)
    # Its row, once it is written.
    row: str | None = None

    @property
    def seal(self) -> str:
        """What opens its answer: only who sends the same key with the same secret has it."""
        return f"{self.secret}\n{self.key}"

    def claim(self, unit: Unit) -> None:
        """Takes the key in the transaction that is under way.

        Raises Repeated with the answer of the first time; KeyReused for another request with the key, RequestUnderWay,
        AnswerNotKept, TooManyRequests.
        """
        row = self._row(unit)
        known = _take(unit, row)
        if known is not None:
            raise self._known(unit, known)
        self.row = row.key

    def look(self, unit: Unit) -> None:
        """Raises as `claim` does where the key was taken before, in a transaction that is under way; nothing is taken."""
        known = _known(unit, self._row(unit))
        if known is not None:
            raise self._known(unit, known)

    def _row(self, unit: Unit) -> attempts.Attempt:
        return _row(unit, self.key, self.request)

    def _known(self, unit: Unit, known: attempts.Attempt) -> Exception:
        if known.request != self.request:
            return KeyReused("another request was sent with this Idempotency-Key within 24 hours")
        return self._answered(unit, known)

    def _answered(self, unit: Unit, known: attempts.Attempt) -> Exception:
        answer = None if known.answer is None else sealing.opened(known.answer, self.seal)
        if answer is not None:
            return Repeated(answer)
        if known.answer is None and unit.at - known.begun_at < ANSWERED_WITHIN:
            return RequestUnderWay("this request is being answered")
        return AnswerNotKept(
            f"this request was done at {known.begun_at:%Y-%m-%d %H:%M:%S} UTC, and its answer is not to be had"
        )


def keep_answer(authority: Authority, attempt: Attempt, answer: bytes) -> None:
    """Keeps what was answered, unless it is too long. What was done is done, whatever becomes of this."""
    if attempt.row is None or len(answer) > LARGEST_ANSWER:
        return
    sealed = sealing.seal(answer, attempt.seal, authority.random_bytes(sealing.NONCE))
    with authority.database.write() as connection:
        attempts.keep_answer(connection, attempt.row, sealed)
