"""Members: who there is, found by what they are called, what they are, and what they use."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from pydantic import AfterValidator, Field

from authority.domain.members import DownloadPermission, Privilege, Role
from authority.presentation import member_sheet, sheets
from authority.presentation.members import Members
from authority.services import member_lists
from authority.services.licenses import Wish
from authority.services.member_changes import Change
from authority.services.member_lists import Page
from authority.services.unit import Unit
from authority.storage.member_lists import Filter, Order
from authority.web.answers import sheet
from authority.web.console import members_at_once as at_once
from authority.web.console.forms import Form, Text, as_typed, read
from authority.web.console.frame import here, page, shown_again
from authority.web.console.member_forms import BORROWS_STAY, ROLES
from authority.web.console.members_at_once import Choice, Removal, TypeChoice
from authority.web.console.visiting import begun, product_name, unit, visitor

pages = Blueprint("members", __name__)

LONGEST_PAGE = 100


def _order(text: str) -> str:
    if text.removeprefix("-") not in list(Order):
        raise ValueError(f"It is one of {', '.join(Order)}, or one of them with a hyphen before it for the other direction")
    return text


class Filters(Form):
    search: Text | None = None
    type: Text | None = None
    role: Role | None = None
    group: Text | None = None
    offline: bool | None = None
    disabled: bool | None = None
    download: DownloadPermission | None = None
    unused_for: int | None = Field(None, ge=0, le=36_500)
    # With a hyphen before it from the last to the first.
    sort: Annotated[str, AfterValidator(_order)] = Order.USERNAME
    cursor: str | None = Field(None, max_length=1024)

    def page(self, work: Unit, limit: int | None) -> Page:
        """The members who are wanted, up to the limit."""
        wanted = Filter(
            search=self.search,
            user_type=self.type,
            role=self.role,
            group=self.group,
            offline=self.offline,
            disabled=self.disabled,
            download=self.download,
            order=Order(self.sort.removeprefix("-")),
            descending=self.sort.startswith("-"),
            limit=limit,
        )
        unused_for = None if self.unused_for is None else timedelta(days=self.unused_for)
        return member_lists.page(work, wanted, unused_for=unused_for, cursor=self.cursor)


def _license(text: str) -> str:
    if not any(all(text.partition(sign)) for sign in "=+"):
        raise ValueError("It is a product with = and a level behind it, or + and an extension")
    return text


class LicenseChoice(Choice):
    license: Annotated[Text, AfterValidator(_license)]

    @property
    def product(self) -> str:
        """The product alone."""
        return self.license.replace("+", "=").partition("=")[0]

    @property
    def words(self) -> str:
        """The license as people say it."""
        return self.license.replace(self.product, product_name(self.product), 1).replace("=", " ").replace("+", " with ")

    @property
    def extension(self) -> str:
        """The extension, "" where a level is meant."""
        return self.license.partition("+")[2]

    def wishes(self, *, is_taken: bool = False) -> list[Wish]:
        """A level in place of the one held, or an extension beside what is held, or one that is taken of it."""
        level = self.license.partition("=")[2] or None
        extensions = (self.extension,) if self.extension else ()
        added, removed = ((), extensions) if is_taken else (extensions, ())
        return [Wish(name, self.product, level, None, added, removed) for name in self.usernames]


def _list(people: Page | None, work: Unit) -> Response:
    """The list; without people, where something is wrong with the filters, the form alone."""
    typed, products = as_typed(Filters, request.args), work.authorization.products.values()
    return page(
        "members.html",
        members=None if people is None else Members.of(people),
        place=None if people is None else people.place,
        types=list(work.membership.by_type),
        roles=ROLES,
        permissions=list(DownloadPermission),
        wanted=typed,
        is_narrowed=any(typed[name] for name in typed if name not in ("search", "sort", "cursor")),
        may_manage=visitor().actor.has(Privilege.MANAGE_MEMBERS),
        may_assign=visitor().actor.has(Privilege.ASSIGN_LICENSES),
        named=[product for product in products if not product.is_concurrent],
        csv=here({}, url_for(".as_csv")),
        query=urlencode({name: text for name, text in typed.items() if text}),
    )


def _form_alone() -> Response:
    return _list(None, begun())


@pages.get("/members")
@shown_again(_form_alone)
def index() -> Response:
    """A page of those who fit the filters."""
    work = unit()
    return _list(read(Filters, request.args).page(work, LONGEST_PAGE), work)


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters, in the form that an import takes."""
    rows = read(Filters, request.args).page(unit(), None).members
    lines = sheets.lines(member_sheet.COLUMNS, (member_sheet.row_of(row.member, row.licenses) for row in rows))
    return sheet(lines, "members.csv")


@pages.post("/members/assign")
@shown_again(index, left=index)
def assign() -> Response:
    """Gives those ticked a level or an extension."""
    choice = read(LicenseChoice)
    return at_once.do(at_once.assignment(choice.wishes(), choice.words))


@pages.post("/members/unassign")
@shown_again(index, left=index)
def unassign() -> Response:
    """Takes the license of a product, or an extension, from those ticked."""
    choice = read(LicenseChoice)
    if choice.extension:
        return at_once.do(at_once.assignment(choice.wishes(is_taken=True), choice.words))
    return at_once.do(at_once.unassignment(choice.usernames, choice.product))


@pages.post("/members/type")
@shown_again(index, left=index)
def change_type() -> Response:
    """Gives those ticked another user type, which gives and takes licenses."""
    form = read(TypeChoice)
    wanted, what = Change(user_type=form.user_type), f"the user type {form.user_type}"
    return at_once.do(at_once.change(form, wanted, "Change the type of", "changed", what, [BORROWS_STAY]))


@pages.post("/members/disable")
@shown_again(index, left=index)
def disable() -> Response:
    """Keeps those ticked from signing in, starting and borrowing."""
    follows = ["They cannot sign in, start or borrow anything until they are enabled again.", BORROWS_STAY]
    wanted = Change(disabled=True)
    return at_once.do(at_once.change(read(Choice), wanted, "Disable", "disabled", "signing in and using licenses", follows))


@pages.post("/members/enable")
@shown_again(index, left=index)
def enable() -> Response:
    """Lets those ticked in again."""
    wanted = Change(disabled=False)
    return at_once.do(at_once.change(read(Choice), wanted, "Enable", "enabled", "signing in and using licenses"))


@pages.post("/members/remove")
@shown_again(index, left=index)
def remove() -> Response:
    """Removes those ticked."""
    return at_once.do(at_once.removals(read(Removal)))
