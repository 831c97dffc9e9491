"""Several members at once: those who were ticked are changed, given or taken a license, or removed, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from flask import Response, request, url_for
from pydantic import AfterValidator, Field

from authority.domain.licenses import features
from authority.domain.plurals import counted
from authority.domain.refusals import Refusal
from authority.presentation.computers import name_of
from authority.presentation.licenses import UnassignedLicense
from authority.presentation.members import ChangedMember, RemovalShown
from authority.services import licenses, member_changes, removal
from authority.services.licenses import Assigned, License, Unassigned, Wish
from authority.services.member_changes import Change, Changed
from authority.services.several import Outcome
from authority.services.unit import Unit
from authority.web.access import publish_soon
from authority.web.console.formats import sentence, utc
from authority.web.console.forms import Form, Text
from authority.web.console.frame import confirm, done, page
from authority.web.console.member_forms import differences, license_effects, license_words
from authority.web.console.visiting import product_name, unit

MOST_AT_ONCE = 1000
AT_WORK = "What is offline or at work goes on as it is; a renewal or a new start has the new license."
Item = TypeVar("Item")
Result = TypeVar("Result")


def _some(usernames: list[str]) -> list[str]:
    if not usernames:
        raise ValueError("Tick at least one member")
    return list(dict.fromkeys(usernames))


class Choice(Form):
    usernames: Annotated[list[Text], Field(max_length=MOST_AT_ONCE), AfterValidator(_some)] = Field(
        default_factory=list, validate_default=True
    )


class TypeChoice(Choice):
    user_type: Text


class Removal(Choice):
    release: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one of them, in words; or why nothing does."""

    username: str
    words: str = ""
    refusal: Refusal | None = None
    # What of theirs may go on running.
    running: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to those who were ticked: its words, and what becomes of each when it is done, or would be."""

    verb: str
    past: str
    what: str
    lines: Callable[[Unit, bool], list[Line]]
    until: str = "from now on"
    consequences: tuple[str, ...] = ()
    is_dangerous: bool = False
    asked: Callable[[Sequence[Line]], dict[str, str]] = field(default=lambda _: {})
    # The page with the list on which they were ticked.
    page: str = "members"

    @property
    def back(self) -> str:
        """The list as it was filtered."""
        query = request.query_string.decode("ascii", "replace")
        return url_for(f"console.{self.page}.index") + (f"?{query}" if query else "")


def do(action: Action) -> Response:
    """Asks, does it to each by itself, and tells what became of each. Raises Refusal when it is about one, who is refused."""
    would = action.lines(unit(), True)
    fit = [line for line in would if line.refusal is None]
    if not fit:
        return _outcomes(action, would)
    number = counted(len(fit), "member")
    left_out = [f"Left out: {line.username}: {line.refusal.message}" for line in would if line.refusal is not None]
    question = confirm(
        f"{action.verb} {number}?",
        who=[line.username for line in fit],
        what=action.what,
        until=action.until,
        consequences=[
            [f"{line.username}: {line.words}" for line in fit if line.words],
            [sentence for line in fit for sentence in line.running],
            *action.consequences,
            left_out,
        ],
        action=f"{action.verb} {number}",
        back=action.back,
        asked=action.asked(fit),
        is_dangerous=action.is_dangerous,
    )
    if question:
        return question
    lines = action.lines(unit(), False)
    publish_soon()
    if len(lines) == 1 and lines[0].refusal is None:
        words = f" {sentence(lines[0].words)}." if lines[0].words else ""
        return done(action.back, f"{lines[0].username} is {action.past}.{words}")
    return _outcomes(action, lines)


def _outcomes(action: Action, lines: Sequence[Line]) -> Response:
    """What became of each."""
    if len(lines) == 1 and lines[0].refusal is not None:
        raise lines[0].refusal
    number = sum(line.refusal is None for line in lines)
    return page("members_done.html", 200 if number else 409, lines=lines, number=number, action=action)


def change(choice: Choice, wanted: Change, verb: str, past: str, what: str, consequences: Sequence[str] = ()) -> Action:
    """One change of all of them."""

    def lines(work: Unit, dry_run: bool) -> list[Line]:
        outcomes = member_changes.change_several(work, choice.usernames, wanted, one_by_one=True, dry_run=dry_run)
        return [_line(outcome, outcome.item, _words_of_change) for outcome in outcomes]

    is_dangerous = wanted.disabled is True
    return Action(verb, past, what, lines, consequences=tuple(consequences), is_dangerous=is_dangerous)


def _line(outcome: Outcome[Item, Result], username: str, words: Callable[[Result], str]) -> Line:
    if outcome.refusal is not None:
        return Line(username, refusal=outcome.refusal)
    return Line(username, words(outcome.done()))


def _words_of_change(changed: Changed) -> str:
    shown = ChangedMember.of(changed, dry_run=True)
    return "; ".join([*differences(shown), *license_effects(shown)]) or "as before"


def assignment(wishes: Sequence[Wish], what: str, *, until: str = "from now on", list_page: str = "members") -> Action:
    """A level in place of the one held, or extensions beside what is held, in its place, or taken from it."""

    def lines(work: Unit, dry_run: bool) -> list[Line]:
        outcomes = licenses.assign_many(work, wishes, row_by_row=True, dry_run=dry_run)
        return [_line(outcome, outcome.item.username, _words_of_assignment) for outcome in outcomes]

    is_taken = all(wish.level is None and wish.extensions is None and not wish.added for wish in wishes)
    verb, past = ("Take an extension from", "without it") if is_taken else ("Assign a license to", "given the license")
    return Action(verb, past, what, lines, until, (AT_WORK,), is_dangerous=is_taken, page=list_page)


def _words_of_assignment(assigned: Assigned) -> str:
    before, after = features(assigned.before), features(assigned.after)
    parts = {"given": sorted(after - before), "taken": sorted(before - after)}
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts.items() if names) or "as before"


def unassignment(usernames: Sequence[str], product: str, *, list_page: str = "members") -> Action:
    """The whole license of the product is taken."""

    def lines(work: Unit, dry_run: bool) -> list[Line]:
        keys = [License(name, product) for name in usernames]
        outcomes = licenses.unassign_many(work, keys, row_by_row=True, dry_run=dry_run)
        return [_line(outcome, outcome.item.username, lambda taken: _words_of_loss(taken, work)) for outcome in outcomes]

    what, past = f"{product_name(product)}, whatever its level and extensions", "without the license"
    return Action("Take a license from", past, what, lines, consequences=(AT_WORK,), is_dangerous=True, page=list_page)


def _words_of_loss(unassigned: Unassigned, work: Unit) -> str:
    shown = UnassignedLicense.of(unassigned, work.now)
    note = f"; {shown.note}" if shown.note else ""
    return f"taken: {license_words(shown.taken)}{note}"


def removals(choice: Removal) -> Action:
    """All of them are removed; whose borrows are out only where releasing them was agreed to."""

    def lines(work: Unit, dry_run: bool) -> list[Line]:
        # The page before it asks for the release, and has to know whose.
        release = choice.release or dry_run
        outcomes = removal.remove_several(work, choice.usernames, release=release, one_by_one=True, dry_run=dry_run)
        return [_removal_line(outcome, work) for outcome in outcomes]

    def asked(fit: Sequence[Line]) -> dict[str, str]:
        number = sum(len(line.running) for line in fit)
        words = f"Release {counted(number, 'borrow')}: I know that the copies can run until the times that are named"
        return {"release": words} if number else {}

    what = "the members, with all licenses, sessions, sign-ins, API keys and offline rules of theirs"
    log_stays = ("What the log says of them stays.",)
    return Action("Remove", "removed", what, lines, "for good", log_stays, is_dangerous=True, asked=asked)


def _removal_line(outcome: Outcome[str, removal.Removal], work: Unit) -> Line:
    if outcome.refusal is not None:
        return Line(outcome.item, refusal=outcome.refusal)
    shown = RemovalShown.of(outcome.done(), work.now)
    running = tuple(
        f"Released: {item.member}, {product_name(item.product)} on {name_of(item.machine)}; its copy may run until {utc(item.expires_at)}"
        for item in shown.borrows
    )
    return Line(outcome.item, running=running)
