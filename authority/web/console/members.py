"""Members: who there is, found by what they are called, what they are, and what they use."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import Role
from authority.presentation import member_sheet, sheets
from authority.presentation.members import Members
from authority.services import member_lists
from authority.services.member_lists import Page
from authority.storage.member_lists import Filter, Order
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import here, page, unit

pages = Blueprint("members", __name__)

LONGEST_PAGE = 100


class Filters(Form):
    q: Text | None = None
    type: Text | None = None
    role: Role | None = None
    group: Text | None = None
    offline: bool | None = None
    disabled: bool | None = None
    unused_for: int | None = Field(None, ge=0, le=36_500)
    # With a hyphen before it from the last to the first.
    sort: str = Field(Order.USERNAME, pattern=f"^-?({'|'.join(Order)})$")
    cursor: str | None = Field(None, max_length=1024)

    def found(self, limit: int | None) -> Page:
        """The members who are wanted, up to the limit."""
        wanted = Filter(
            search=self.q,
            user_type=self.type,
            role=self.role,
            group=self.group,
            offline=self.offline,
            disabled=self.disabled,
            order=Order(self.sort.removeprefix("-")),
            descending=self.sort.startswith("-"),
            limit=limit,
        )
        unused_for = None if self.unused_for is None else timedelta(days=self.unused_for)
        return member_lists.page(unit(), wanted, unused_for=unused_for, cursor=self.cursor)


@pages.get("/members")
def index() -> Response:
    """A page of those who fit the filters."""
    wanted = read(Filters, request.args)
    members = Members.of(wanted.found(LONGEST_PAGE))
    return page("members.html", members=members, roles=list(Role), wanted=wanted, csv=here({}, url_for(".as_csv")))


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters, in the form that an import takes."""
    rows = read(Filters, request.args).found(None).members
    lines = sheets.lines(member_sheet.COLUMNS, (member_sheet.row_of(row.member, row.licenses) for row in rows))
    return sheet(lines, "members.csv")
