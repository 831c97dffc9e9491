"""/offline: who is offline now, and which of it looks stuck."""

from datetime import timedelta
from itertools import islice
from typing import Literal, cast

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import ConfigDict, Field

from authority.domain.borrows import Whereabouts
from authority.presentation import sheets
from authority.presentation.borrows import OfflinePage, OfflineShown
from authority.services import offline
from authority.storage.borrows import Filter
from authority.web.access import unit
from authority.web.answers import json_of, sheet
from authority.web.api.forms import ALSO_CSV, IdCursor, ListFormat, Moment, Name, PageQuery, Problem, Text, wants_csv

api = APIBlueprint(
    "offline", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


class OfflineQuery(PageQuery):
    search: Name | None = Field(None, description="a part of the user name, the full name or a group, whatever its case")
    member: Name | None = None
    product: Text | None = Field(None, max_length=64)
    machine: Text | None = Field(None, max_length=256, description="machine id, or a part of the alias, whatever its case")
    group: Name | None = Field(None, description="of members of this group")
    type: Text | None = Field(None, max_length=64, description="of members of this user type")
    due_within: int | None = Field(None, ge=0, le=36_500, description="those alone that end in so many days, the next first")
    due_before: Moment | None = Field(None, description="RFC 3339; those alone that end before that time")
    which: Whereabouts = Field(
        Whereabouts.OUT,
        description="revoked: those whose seat stays taken until their end; taken: both; not-returned: ended by themselves in the "
        "last 30 days, and no receipt came",
    )
    stuck: bool = Field(False, description="true: those alone that look stuck")
    clones: bool = Field(False, description="true: those alone whose machine may be two")
    sort: Literal["newest", "due"] = Field("due", description="due: those that end first come first")
    cursor: IdCursor | None = None
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: ListFormat | None = Field(None, description="in place of the header Accept")


class OfflineList(OfflinePage):
    """A page of the borrows that are out, or of others that were asked for; as CSV all of them."""

    model_config = cast("ConfigDict", ALSO_CSV)


@api.get("/offline", summary="Who is offline now, and which of it looks stuck", responses={200: OfflineList})
def listed(query: OfflineQuery) -> Response:
    """Borrows of all members that are out, or others by `which`, with what was heard of each since. For administrators and license managers."""
    wanted = Filter(
        search=query.search,
        member=query.member,
        product=query.product,
        machine=query.machine,
        after=query.cursor,
        limit=query.limit,
        group=query.group,
        user_type=query.type,
        by_end=query.sort == "due",
        expires_before=query.due_before,
        whereabouts=query.which,
        clones=query.clones,
    )
    span = None if query.due_within is None else timedelta(days=query.due_within)
    work = unit()
    if wants_csv(query.format):
        limit = query.limit if "limit" in query.model_fields_set else None
        rows = islice(offline.every(work, wanted, due_within=span, stuck=query.stuck), limit)
        now = work.now
        return sheet(sheets.lines_of(OfflineShown, (OfflineShown.seen(item, now) for item in rows)), "offline.csv")
    page, cursor = offline.listed(work, wanted, due_within=span, stuck=query.stuck)
    return json_of(OfflinePage.of(page, cursor, work.now))
