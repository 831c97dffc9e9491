"""Members: who there is, found by what they are called, what they are, and what they use."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import Role
from authority.presentation import sheets
from authority.presentation.members import MemberListed, Members
from authority.services import member_search
from authority.storage.member_search import Order, Search
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import here, page, unit

pages = Blueprint("members", __name__)


class Filters(Form):
    q: Text | None = None
    type: Text | None = None
    role: Role | None = None
    group: Text | None = None
    offline: bool | None = None
    disabled: bool | None = None
    unused_for: int | None = Field(None, ge=1, le=36_500)
    sort: str = Field(Order.USERNAME, pattern=f"^-?({'|'.join(Order)})$", description="with - from the last to the first")
    cursor: str | None = Field(None, max_length=1024)

    def search(self) -> Search:
        """Which members are wanted."""
        return Search(
            text=self.q,
            user_type=self.type,
            group=self.group,
            role=self.role,
            disabled=self.disabled,
            offline=self.offline,
            order=Order(self.sort.removeprefix("-")),
            descending=self.sort.startswith("-"),
        )

    def unused(self) -> timedelta | None:
        """For how long they used no license."""
        return None if self.unused_for is None else timedelta(days=self.unused_for)


@pages.get("/members")
def index() -> Response:
    """A page of those who fit the filters."""
    wanted = read(Filters, request.args)
    rows = member_search.page(unit(), wanted.search(), unused_for=wanted.unused(), cursor=wanted.cursor)
    return page("members.html", members=Members.of(rows), roles=list(Role), wanted=wanted, csv=here({}, url_for(".as_csv")))


@pages.get("/members.csv")
def as_csv() -> Response:
    """All who fit the filters."""
    wanted = read(Filters, request.args)
    rows = member_search.every(unit(), wanted.search(), unused_for=wanted.unused())
    return sheet(sheets.lines_of(MemberListed, map(MemberListed.of_row, rows)), "members.csv")
