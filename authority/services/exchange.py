"""What came on a stick: what each file is and what would be done with it, and then doing it. Each file by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from authority.domain.borrows import Ask, Borrow
from authority.domain.refusals import InvalidInput, NotFound, Refusal
from authority.services import borrow, carried, clock_resets, endings
from authority.services.borrow import Issued
from authority.services.carried import Carried
from authority.services.several import Outcome, each
from authority.services.unit import Unit
from authority.signing import inbox

# One file: its name, and what is in it.
File = tuple[str, bytes]
ELSEWHERE = "Take it to the authority that the machine borrowed from."


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is, before anything is done with it.

    `text` is what it is done with later: the compact JWS of a request or receipt, or the code of a clock. Of a request `borrow` is
    what would be issued, of a receipt what it ends, of a clock where it is; `refusal` is why nothing can be done with it now.
    `was_answered`: the request was, and the same file comes again.
    """

    kind: str
    text: str = ""
    carried: Carried | None = None
    borrow: Borrow | None = None
    refusal: Refusal | None = None
    was_answered: bool = False


def look(
    unit: Unit, files: Sequence[File], member: str | None = None, days: int | None = None, *, is_own: bool = True
) -> list[Outcome[File, Look]]:
    """What each of these files is; nothing is changed. `member` and `days` are for whom and how long, where a request does not say.

    Unless they are the actor's own files it has to be said for whom: a request that names nobody is not judged for the actor.
    What is damaged, or no file of ours, is refused with RequestInvalid, and keeps no other out.
    """
    return each(files, lambda file: _look(unit, file[1], member, days, is_own=is_own))


def whole_file(kind: str, text: str) -> str:
    """The request or return file of a signed text, to be given in once more."""
    return inbox.file_of(text, kind).decode()


def look_again(unit: Unit, request: str, days: int | None) -> Outcome[File, Look]:
    """What `look` said of the signed text of a request."""
    return look(unit, [("request", inbox.file_of(request, "request"))], days=days)[0]


def _look(unit: Unit, data: bytes, member: str | None, days: int | None, *, is_own: bool) -> Look:
    code = clock_resets.code_in(data)
    if code is not None:
        return _look_at_code(unit, code)
    seen = carried.look_at(unit, data)
    if seen.ask is not None and not (seen.ask.member or member or is_own):
        nobody = InvalidInput("the request names nobody", hint="Say for whom it is, also when it is for you.", about="member")
        return Look(seen.kind, inbox.member_of_file(data, seen.kind), seen, refusal=nobody)
    if seen.ask is not None:
        return _look_at_request(unit, seen, seen.ask, inbox.member_of_file(data, seen.kind), member, days)
    if seen.kind == "return":
        unknown = NotFound("the receipt is of a borrow that this authority does not have", hint=ELSEWHERE)
        refusal = None if seen.borrow is not None else unknown
        return Look(seen.kind, inbox.member_of_file(data, seen.kind), seen, seen.borrow, refusal)
    return Look(seen.kind, carried=seen)


def _look_at_request(unit: Unit, seen: Carried, ask: Ask, text: str, member: str | None, days: int | None) -> Look:
    whom = None if ask.member else member
    own_days = None if ask.days or ask.until else days
    try:
        issued = borrow.issue(unit, text, whom, days=own_days, dry_run=True)
    except Refusal as error:
        return Look(seen.kind, text, seen, refusal=error)
    return Look(seen.kind, text, seen, issued.borrow, was_answered=not issued.is_new)


def _look_at_code(unit: Unit, code: str) -> Look:
    try:
        return Look("clock", code, borrow=clock_resets.machine_of(unit, code))
    except Refusal as error:
        return Look("clock", code, refusal=error)


def issue(unit: Unit, requests: Sequence[str], member: str | None) -> list[Outcome[str, Issued]]:
    """What became of each request; `member` is for whom, where one names nobody. See `borrow.issue`."""
    return each(requests, lambda text: borrow.issue(unit, text, None if inbox.read_request(text).member else member))


def check_in(unit: Unit, receipts: Sequence[str]) -> list[Outcome[str, Borrow]]:
    """What became of each receipt. See `endings.check_in`."""
    return each(receipts, lambda text: endings.check_in(unit, text))


def give_back(unit: Unit, data: bytes) -> Borrow:
    """The borrow after the receipt in a return file. Raises RequestInvalid for any other file, and what `endings.check_in` raises."""
    return endings.check_in(unit, inbox.member_of_file(data, "return"))
