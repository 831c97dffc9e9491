"""Members: who there is, found by what they are."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import Role
from authority.presentation import sheets
from authority.presentation.members import Members, MemberShown
from authority.services import members
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import here, page, unit

pages = Blueprint("members", __name__)


class Filters(Form):
    type: Text | None = None
    role: Role | None = None
    group: Text | None = None
    cursor: str | None = Field(None, max_length=1024)


@pages.get("/members")
def index() -> Response:
    """A page of those who fit the filters."""
    wanted = read(Filters, request.args)
    rows = members.page(unit(), user_type=wanted.type, group=wanted.group, role=wanted.role, cursor=wanted.cursor)
    return page("members.html", members=Members.of(rows), roles=list(Role), wanted=wanted, csv=here({}, url_for(".as_csv")))


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters."""
    wanted = read(Filters, request.args)
    rows = members.every(unit(), user_type=wanted.type, group=wanted.group)
    shown = (MemberShown.of(member) for member in rows if wanted.role in (None, member.role))
    return sheet(sheets.lines_of(MemberShown, shown), "members.csv")
