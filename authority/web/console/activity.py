"""Activity: who used a product when, on which computer, and who is offline."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from pydantic import AfterValidator, Field

from authority.domain.activity import Dot
from authority.domain.members import Privilege
from authority.domain.refusals import NotFound
from authority.presentation import sheets
from authority.presentation.activity import Activities, ActivityShown
from authority.presentation.sessions import SessionShown
from authority.presentation.several import rows_of
from authority.services import activity, sessions
from authority.services.activity import Wanted
from authority.services.pages import Place
from authority.services.unit import Unit
from authority.storage.member_lists import Filter
from authority.web.answers import sheet
from authority.web.console import session_endings
from authority.web.console.forms import Form, Id, Text, as_typed, read
from authority.web.console.frame import done, here, page, shown_again
from authority.web.console.visiting import begun, unit, visitor

pages = Blueprint("activity", __name__)

ON_A_PAGE = 100
MOST_AT_ONCE = 1000


class Filters(Form):
    product: Text | None = None
    search: Text | None = None
    state: Dot | None = None
    group: Text | None = None
    type: Text | None = None
    unused_for: int | None = Field(None, ge=0, le=36_500)
    cursor: str | None = Field(None, max_length=1024)

    def wanted(self) -> Wanted:
        """Whose activity is wanted."""
        people = Filter(search=self.search, group=self.group, user_type=self.type, limit=ON_A_PAGE)
        unused_for = None if self.unused_for is None else timedelta(days=self.unused_for)
        return Wanted(people, self.state, unused_for)


def _some(ids: list[str]) -> list[str]:
    if not ids:
        raise ValueError("Tick at least one session")
    return ids


class Choice(Form):
    ids: Annotated[list[Id], Field(max_length=MOST_AT_ONCE), AfterValidator(_some)] = Field(
        default_factory=list, validate_default=True
    )


def _list(shown: Activities | None, work: Unit, product: str, place: Place | None = None) -> Response:
    """The list; without activities, where something is wrong with the filters, the form alone."""
    typed = as_typed(Filters, request.args) | {"product": product}
    return page(
        "activity.html",
        activities=shown,
        place=place,
        wanted=typed,
        is_filtered=any(typed[name] for name in typed if name not in ("product", "cursor")),
        products=[(item.id, item.name) for item in work.authorization.products.values()],
        types=list(work.membership.by_type),
        may_end=visitor().actor.has(Privilege.END_BORROWS),
        csv=here({"product": product}, url_for("console.activity.as_csv")),
        query=urlencode({name: text for name, text in typed.items() if text}),
    )


def _form_alone() -> Response:
    work = begun()
    return _list(None, work, request.args.get("product") or _first_product(work))


def _first_product(work: Unit) -> str:
    """The product that is shown unless one is chosen. Raises NotFound where nothing is licensed."""
    with work.reading():
        products = list(work.authorization.products)
    if not products:
        raise NotFound("no product is licensed", hint="Install an authorization that has some.")
    return products[0]


@pages.get("/activity")
@shown_again(_form_alone)
def index() -> Response:
    """A page of those who hold or used the product and fit the filters."""
    return _index()


def _index() -> Response:
    filters, work = read(Filters, request.args), unit()
    product = filters.product or _first_product(work)
    shown = activity.page(work, product, filters.wanted(), cursor=filters.cursor)
    return _list(Activities.of(shown.rows, shown.cursor, work.now), work, product, shown.place)


@pages.get("/activity.csv")
def as_csv() -> Response:
    """All who hold or used the product and fit the filters."""
    filters, work = read(Filters, request.args), unit()
    rows = activity.every(work, filters.product or _first_product(work), filters.wanted())
    now = work.now
    return sheet(sheets.lines_of(ActivityShown, (ActivityShown.of(row, now) for row in rows)), "activity.csv")


def _ask() -> Response | None:
    return session_endings.ask(unit(), read(Choice).ids, _back())


def _back() -> str:
    query = request.query_string.decode("ascii", "replace")
    return url_for("console.activity.index") + (f"?{query}" if query else "")


def _again() -> Response:
    return (_ask() if request.form.getlist("ids") else None) or _index()


@pages.post("/activity/end")
@shown_again(_again, left=_index)
def end() -> Response:
    """Asks, then ends the sessions that were ticked, each by itself."""
    ids, work = read(Choice).ids, unit()
    question = _ask()
    if question:
        return question
    outcomes = sessions.end_several(work, ids, one_by_one=True)
    if len(outcomes) == 1:
        return done(_back(), session_endings.sentence_after(outcomes[0].done()))
    rows = rows_of(outcomes, lambda name: {"id": name}, "session", lambda item: SessionShown.of(item, work.now))
    return page("activity_ended.html", rows=rows, number=sum(row["ok"] for row in rows), back=_back())
