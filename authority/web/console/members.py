"""Members: who there is, found by name, group, type and role."""

from __future__ import annotations

from flask import Blueprint, Response, request
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
    group: Text | None = None
    role: Role | None = None
    cursor: str | None = Field(None, max_length=1024)


@pages.get("/members")
def index() -> Response:
    """A page of those who fit the filters."""
    wanted = read(Filters, request.args)
    rows = members.page(unit(), user_type=wanted.type, group=wanted.group, role=wanted.role, cursor=wanted.cursor)
    return page(
        "members.html",
        members=Members.of(rows),
        roles=list(Role),
        wanted=wanted,
        csv=here({}).replace("/members", "/members.csv"),
    )


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters."""
    wanted = read(Filters, request.args)
    rows = members.every(unit(), user_type=wanted.type, group=wanted.group)
    return sheet(sheets.lines_of(MemberShown, map(MemberShown.of, rows)), "members.csv")
