"""Licenses: what is licensed, used and available, who holds what, and giving and taking it, one or many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from pydantic import Field
from werkzeug.datastructures import MultiDict

from authority.presentation import sheets
from authority.presentation.licenses import (
    Availabilities,
    AvailabilityShown,
)
from authority.presentation.members import ListedMember, Members
from authority.services import licenses, member_lists
from authority.services.licenses import Wish
from authority.services.member_lists import Page
from authority.services.unit import Unit
from authority.storage.member_lists import Filter
from authority.web.answers import sheet
from authority.web.console import members_at_once as at_once
from authority.web.console.formats import utc
from authority.web.console.forms import Form, Text, as_typed, read
from authority.web.console.frame import here, page, shown_again
from authority.web.console.members_at_once import Choice
from authority.web.console.visiting import begun, product_name, unit

pages = Blueprint("licenses", __name__)

ON_A_PAGE = 100


class Filters(Form):
    search: Text | None = None
    product: Text | None = None
    feature: Text | None = None
    type: Text | None = None
    cursor: str | None = Field(None, max_length=1024)

    def wanted(self, limit: int | None) -> Filter:
        """Whose licenses are wanted, so many on a page."""
        return Filter(search=self.search, product=self.product, feature=self.feature, user_type=self.type, limit=limit)


class Loss(Choice):
    product: Text


class Assignment(Loss):
    level: Text | None = None
    extensions: list[Text] = Field(default_factory=list, max_length=100)
    how: Literal["add", "remove", "exactly"] = "add"

    def wishes(self) -> list[Wish]:
        """What each of the members is to hold."""
        names = tuple(self.extensions)
        exactly, added, removed = {"exactly": (names, (), ()), "add": (None, names, ()), "remove": (None, (), names)}[self.how]
        return [Wish(name, self.product, self.level, exactly, added, removed) for name in self.usernames]

    def words(self) -> str:
        """`ArcGIS Pro Basic, these extensions added: 3DAnalyst`."""
        how = {"add": "added", "remove": "taken away", "exactly": "and no others"}[self.how]
        extensions = f", extensions {how}: {', '.join(self.extensions)}" if self.extensions else ""
        return f"{product_name(self.product)} {self.level or 'at the level that they hold'}{extensions}"


@dataclass(frozen=True, slots=True)
class _Product:
    """A product on the page: its seats, what of it can be given, and what keeps everybody from using it."""

    id: str
    rows: tuple[AvailabilityShown, ...]
    levels: tuple[str, ...]
    extensions: tuple[str, ...]
    is_assigned: bool
    is_licensed: bool
    has_ended: bool

    @property
    def too_many(self) -> list[AvailabilityShown]:
        """Of what more is used than licensed."""
        return [row for row in self.rows if row.available < 0]


def _products(work: Unit, rows: Iterable[AvailabilityShown]) -> list[_Product]:
    known, products = work.authorization.products, []
    for name, own in groupby(rows, lambda row: row.product):
        features, product = tuple(own), known.get(name)
        ends_at = features[0].ends_at
        products.append(
            _Product(
                id=name,
                rows=features,
                levels=() if product is None else product.levels,
                extensions=() if product is None else tuple(product.extensions),
                is_assigned=product is None or not product.is_concurrent,
                is_licensed=product is not None,
                has_ended=ends_at is not None and ends_at <= work.now,
            )
        )
    return products


def _list(people: Page | None, work: Unit) -> Response:
    """The page; without people, where something is wrong with the filters, the form alone."""
    products = _products(work, Availabilities.of(licenses.availability(work)).items)
    typed = as_typed(Filters, request.args)
    assigned = [product for product in products if product.is_assigned and typed["product"] in ("", product.id)]
    return page(
        "licenses.html",
        members=None if people is None else Members.of(people),
        place=None if people is None else people.place,
        products=products,
        assigned=assigned,
        features=sorted({row.feature for product in assigned for row in product.rows}),
        names=[(product.id, product_name(product.id)) for product in products if product.is_assigned],
        types=list(work.membership.by_type),
        wanted=typed,
        csv=here({}, url_for("console.licenses.as_csv")),
        query=urlencode({name: text for name, text in typed.items() if text}),
    )


def _form_alone() -> Response:
    return _list(None, unit())


@pages.get("/licenses")
@shown_again(_form_alone)
def index() -> Response:
    """What is licensed and used of each product, and a page of who holds what."""
    return _index()


def _index() -> Response:
    filters, work = read(Filters, request.args), unit()
    people = member_lists.page(work, filters.wanted(ON_A_PAGE), cursor=filters.cursor)
    return _list(people, work)


@pages.get("/licenses.csv")
def as_csv() -> Response:
    """Who of those that fit the filters holds what: a row for each member, a column for each product."""
    filters, work = read(Filters, request.args), unit()
    people = member_lists.page(work, filters.wanted(None))
    products = _products(work, Availabilities.of(licenses.availability(work)).items)
    names = [product.id for product in products if product.is_assigned and filters.product in (None, product.id)]
    rows = (_row(ListedMember.listed(row), names) for row in people.members)
    return sheet(sheets.lines(("username", "full_name", "user_type", *names), rows), "licenses.csv")


def _row(member: ListedMember, products: Sequence[str]) -> dict[str, object]:
    held = {license_.product: [license_.level, *license_.extensions] for license_ in member.licenses}
    row: dict[str, object] = {"username": member.username, "full_name": member.full_name, "user_type": member.user_type}
    return {**{name: held.get(name) for name in products}, **row}


@pages.get("/licenses/availability.csv")
def availability_csv() -> Response:
    """What is licensed, used and available of each level and extension."""
    rows = Availabilities.of(licenses.availability(unit())).items
    return sheet(sheets.lines_of(AvailabilityShown, rows), "availability.csv")


def _of_product() -> Assignment:
    """The form that was sent: the fields of the product whose button was pressed are named `level.PRODUCT`."""
    product = request.form.get("product", "")
    names = ((*name.partition("."), value) for name, value in request.form.items(multi=True))
    return read(Assignment, MultiDict([(name, value) for name, _, of, value in names if of in ("", product)]))


@pages.post("/licenses/assign")
@shown_again(_index, left=_index)
def assign() -> Response:
    """Asks, then gives those that were ticked the level and extensions of a product, each by itself."""
    form, work = _of_product(), begun()
    ends_at = work.authorization.end_of(work.authorization.product(form.product))
    return at_once.do(at_once.assignment(form.wishes(), form.words(), until=utc(ends_at), list_page="licenses"))


@pages.post("/licenses/unassign")
@shown_again(_index, left=_index)
def unassign() -> Response:
    """Asks, then takes the license of a product from those that were ticked, each by itself."""
    form = read(Loss)
    return at_once.do(at_once.unassignment(form.usernames, form.product, list_page="licenses"))
