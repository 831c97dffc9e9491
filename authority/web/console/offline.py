"""Offline: who took which license where, what looks stuck, and ending what nobody can give back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from pydantic import AfterValidator, AwareDatetime, Field
from werkzeug.datastructures import MultiDict

from authority.domain.borrows import Borrow, BorrowState, Whereabouts
from authority.domain.members import Privilege
from authority.domain.plurals import counted
from authority.presentation import sheets
from authority.presentation.borrows import BorrowShown, OfflinePage, OfflineShown
from authority.presentation.computers import name_of
from authority.presentation.several import rows_of
from authority.services import borrow, endings, offline
from authority.services.pages import Place
from authority.services.several import Outcome
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.web.access import publish_soon
from authority.web.answers import carried, sheet
from authority.web.console.formats import utc
from authority.web.console.forms import Form, Id, Text, as_typed, read
from authority.web.console.frame import address_of, confirm, done, here, page, see_other, shown_again
from authority.web.console.member_forms import license_words
from authority.web.console.visiting import begun, unit, visitor

pages = Blueprint("offline", __name__)

ON_A_PAGE = 100
MOST_AT_ONCE = 1000
WHICH = (
    (Whereabouts.TAKEN, "whose seat is taken"),
    (Whereabouts.OUT, "out"),
    (Whereabouts.REVOKED, "revoked, seat taken"),
    (Whereabouts.NOT_RETURNED, "ended and not given back, in 30 days"),
)
ENDED_HERE = (BorrowState.REVOKED, BorrowState.RELEASED)
# A reason that is never kept: with it the page before a change asks what would be done.
NO_REASON = "-"
NARROWING = ("member", "product", "group", "type", "due_within", "due_before", "stuck", "clones")
Sent = TypeVar("Sent", bound=Form)


class Filters(Form):
    search: Text | None = None
    which: Whereabouts = Whereabouts.TAKEN
    member: Text | None = None
    machine: Text | None = None
    product: Text | None = None
    group: Text | None = None
    type: Text | None = None
    due_within: int | None = Field(None, ge=0, le=36_500)
    due_before: AwareDatetime | None = None
    stuck: bool = False
    clones: bool = False
    sort: Literal["due", "newest"] = "due"
    cursor: Id | None = None

    def wanted(self) -> Filter:
        """The filter of the service."""
        return Filter(
            search=self.search,
            whereabouts=self.which,
            expires_before=self.due_before,
            member=self.member,
            product=self.product,
            machine=self.machine,
            after=self.cursor,
            group=self.group,
            user_type=self.type,
            by_end=self.sort == "due",
            clones=self.clones,
            limit=ON_A_PAGE,
        )

    def span(self) -> timedelta | None:
        """How soon they end, None for any time."""
        return None if self.due_within is None else timedelta(days=self.due_within)


def _some(ids: list[str]) -> list[str]:
    if not ids:
        raise ValueError("Tick at least one of the rows")
    return ids


class Choice(Form):
    ids: Annotated[list[Id], Field(max_length=MOST_AT_ONCE), AfterValidator(_some)] = Field(
        default_factory=list, validate_default=True
    )


class Ending(Choice):
    reason: str = Field("", max_length=2 * endings.LONGEST_REASON)
    accept_overlap: bool = False


def _sent(form: type[Sent]) -> Sent:
    """The form; the button of a row means that row alone, whatever is ticked."""
    only = request.form.get("only")
    if not only:
        return read(form)
    return read(form, MultiDict([*(item for item in request.form.items() if item[0] != "ids"), ("ids", only)]))


def _list(borrows: OfflinePage | None, work: Unit, place: Place | None = None, gone: Collection[str] = ()) -> Response:
    """The list; without borrows, where something is wrong with the filters, the form alone."""
    typed = as_typed(Filters, request.args)
    return page(
        "offline.html",
        borrows=borrows,
        place=place,
        gone=gone,
        which=WHICH,
        wanted=typed,
        is_narrowed=any(typed[name] for name in NARROWING),
        is_filtered=any(typed[name] for name in typed if name not in ("sort", "cursor")),
        products=[(product.id, product.name) for product in work.authorization.products.values()],
        types=list(work.membership.by_type),
        may_end=visitor().actor.has(Privilege.END_BORROWS),
        csv=here({}, url_for("console.offline.as_csv")),
        query=urlencode({name: text for name, text in typed.items() if text}),
    )


def _form_alone() -> Response:
    return _list(None, begun())


@pages.get("/offline")
@shown_again(_form_alone)
def index() -> Response:
    """A page of the borrows that are out and fit the filters."""
    return _index()


def _index() -> Response:
    filters, work = read(Filters, request.args), unit()
    shown = offline.page(work, filters.wanted(), due_within=filters.span(), stuck=filters.stuck)
    gone = {item.borrow.id for item in shown.rows if item.is_member_gone}
    return _list(OfflinePage.of(shown.rows, shown.cursor, work.now), work, shown.place, gone)


@pages.get("/offline.csv")
def as_csv() -> Response:
    """All borrows that are out and fit the filters."""
    filters, work = read(Filters, request.args), unit()
    rows = offline.every(work, filters.wanted(), due_within=filters.span(), stuck=filters.stuck)
    now = work.now
    return sheet(sheets.lines_of(OfflineShown, (OfflineShown.seen(item, now) for item in rows)), "offline.csv")


@pages.get("/offline/<borrow_id>")
def show(borrow_id: str) -> Response:
    """One borrow, out or ended, and what can be done about it."""
    work = unit()
    shown = BorrowShown.of(borrow.show(work, borrow_id), work.now)
    return page(
        "offline_one.html",
        borrow=shown,
        member="" if offline.is_member_gone(work, borrow_id) else address_of("member", username=shown.member),
        may_end=visitor().actor.has(Privilege.END_BORROWS),
        # Where a copy may run that was withdrawn.
        can_carry=shown.state in ENDED_HERE and bool(shown.copy_may_run_until and address_of("exchange")),
        holds_seat=shown.seat_free_at > work.now,
    )


@pages.get("/offline/<borrow_id>/file")
def file(borrow_id: str) -> Response:
    """The borrow file again, byte for byte."""
    work = unit()
    data = borrow.newest_file(work, borrow_id)
    shown = borrow.show(work, borrow_id)
    return carried(data, shown.member, shown.product, ending="borrow")


@dataclass(frozen=True, slots=True)
class _Way:
    """One of the two ways of ending what nobody gives back, and how it is told."""

    verb: str
    done: str
    dry_run: Callable[[Unit, Sequence[str]], list[Outcome[str, Borrow]]]
    consequences: tuple[str, ...]
    asked: Mapping[str, str]
    next_step: str


REVOKE = _Way(
    "Revoke",
    "revoked",
    lambda work, ids: endings.revoke_several(work, ids, NO_REASON, one_by_one=True, dry_run=True),
    (
        "A workstation refuses the license as soon as it has a new status list, which comes by a line or is carried there.",
        "Where none comes, the copy runs until its end. The seat stays taken until then.",
    ),
    {},
    "Its seat stays taken until it ends.",
)
RELEASE = _Way(
    "Release",
    "released",
    lambda work, ids: endings.release_several(work, ids, NO_REASON, accept_overlap=True, one_by_one=True, dry_run=True),
    (
        "This is for a machine that is lost, damaged or set up anew. Where the machine is at hand, give the license back on it.",
        "The seat is free at once. A machine without a line cannot be told.",
        "Unless a new status list gets there, the lost copy can run beside a new one until its end.",
    ),
    {"accept_overlap": "I know that the lost copy can run until the time that is named"},
    "Its seat is free.",
)


def _ask(way: _Way) -> Response | None:
    """The page before an ending: what would become of each; None when it was agreed to. Raises Refusal when nothing can be ended."""
    outcomes = way.dry_run(unit(), _sent(Choice).ids)
    fit = [outcome.done() for outcome in outcomes if outcome.refusal is None]
    if not fit:
        outcomes[0].done()
    copies = [f"{_line(item)}: a copy may run until {utc(item.expires_at)}" for item in fit]
    left_out = [f"Left out: {outcome.refusal.message}" for outcome in outcomes if outcome.refusal is not None]
    number = counted(len(fit), "borrow")
    return confirm(
        f"{way.verb} {number}?",
        who=sorted({item.member for item in fit}),
        what=sorted({license_words(item) for item in fit}),
        until=max(item.expires_at for item in fit),
        consequences=[*way.consequences, copies, left_out],
        action=f"{way.verb} {number}",
        back=_back(),
        asked={"reason": "Reason", **way.asked},
        is_dangerous=True,
    )


def _again(way: _Way) -> Response:
    """Where something is wrong: the page that asks, or without a tick the list."""
    return (_ask(way) if request.form.getlist("ids") or request.form.get("only") else None) or _index()


def _left() -> Response:
    """Where somebody came from who leaves the question: the page of the borrow, or the list with its ticks."""
    ids = request.form.getlist("ids")
    if request.form.get("came_from") == "borrow" and len(ids) == 1:
        return see_other(url_for("console.offline.show", borrow_id=ids[0]))
    return _index()


def _line(item: Borrow) -> str:
    return f"{item.member}, {license_words(item)} on {name_of(item.machine)}"


def _back() -> str:
    query = request.query_string.decode("ascii", "replace")
    return url_for("console.offline.index") + (f"?{query}" if query else "")


@pages.post("/offline/revoke")
@shown_again(lambda: _again(REVOKE), left=_left)
def revoke() -> Response:
    """Asks, then withdraws those that were ticked, each by itself."""
    form, work = _sent(Ending), unit()
    question = _ask(REVOKE)
    if question:
        return question
    return _ended(REVOKE, work, endings.revoke_several(work, form.ids, form.reason, one_by_one=True))


@pages.post("/offline/release")
@shown_again(lambda: _again(RELEASE), left=_left)
def release() -> Response:
    """Asks, then frees the seats of those that were ticked, each by itself."""
    form, work = _sent(Ending), unit()
    question = _ask(RELEASE)
    if question:
        return question
    # Where the overlap is not accepted all are refused alike, which is said once.
    accepted = form.accept_overlap
    outcomes = endings.release_several(work, form.ids, form.reason, accept_overlap=accepted, one_by_one=accepted)
    return _ended(RELEASE, work, outcomes)


def _ended(way: _Way, work: Unit, outcomes: Sequence[Outcome[str, Borrow]]) -> Response:
    """What became of one is told on its page, what became of several on a page of all."""
    publish_soon()
    if len(outcomes) == 1:
        item = outcomes[0].done()
        text = f"{_line(item)} is {way.done}. {way.next_step} A copy may run until {utc(item.expires_at)}."
        return done(url_for("console.offline.show", borrow_id=item.id), text, [("Who else is offline", _back())])
    rows = rows_of(outcomes, lambda borrow_id: {"id": borrow_id}, "borrow", lambda item: BorrowShown.of(item, work.now))
    number = sum(row["ok"] for row in rows)
    return page("offline_ended.html", rows=rows, way=way, number=number, back=_back())
