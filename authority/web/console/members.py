"""Members: who there is, found by what they are."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import Role
from authority.presentation import sheets
from authority.presentation.members import Members, MemberShown
from authority.services import member_lists
from authority.storage.member_lists import Filter
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import here, page, unit

pages = Blueprint("members", __name__)


PAGE = 100


class Filters(Form):
    type: Text | None = None
    role: Role | None = None
    group: Text | None = None
    cursor: str | None = Field(None, max_length=1024)

    def wanted(self, limit: int | None) -> Filter:
        """The filter of the service."""
        return Filter(user_type=self.type, group=self.group, role=self.role, limit=limit)


@pages.get("/members")
def index() -> Response:
    """A page of those who fit the filters."""
    wanted = read(Filters, request.args)
    rows = member_lists.page(unit(), wanted.wanted(PAGE), cursor=wanted.cursor)
    return page("members.html", members=Members.of(rows), roles=list(Role), wanted=wanted, csv=here({}, url_for(".as_csv")))


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters."""
    wanted = read(Filters, request.args)
    shown = (MemberShown.of(row.member) for row in member_lists.page(unit(), wanted.wanted(None)).members)
    return sheet(sheets.lines_of(MemberShown, shown), "members.csv")
