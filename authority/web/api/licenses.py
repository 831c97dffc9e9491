"""/assignments, /availability and /license-activity."""

from datetime import timedelta
from itertools import islice
from typing import cast

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import ConfigDict, Field

from authority.domain.activity import Dot
from authority.presentation import sheets
from authority.presentation.activity import Activities, ActivityShown
from authority.presentation.licenses import AssignmentOutcomes, Availabilities, HeldLicenses, UnassignedLicense, Unassignments
from authority.services import activity, licenses
from authority.services.activity import Wanted
from authority.services.licenses import License, Wish
from authority.storage.member_lists import Filter
from authority.web.access import unit
from authority.web.answers import json_of, sheet
from authority.web.api.forms import (
    ALSO_CSV,
    MOST_AT_ONCE,
    Body,
    DryRunQuery,
    Feature,
    Features,
    GroupName,
    ListFormat,
    Name,
    NameCursor,
    PageQuery,
    Problem,
    ProductId,
    Query,
    Several,
    UserTypeName,
    wants_csv,
)

PAGE = 1000

api = APIBlueprint(
    "licenses",
    __name__,
    abp_security=[{"bearer": []}],
    abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem},
)


class AssignmentBody(Body):
    username: Name
    product: ProductId
    level: Feature | None = Field(None, description="null: the level held now")
    extensions: Features | None = Field(
        None, description="in place of those held now; null: none, unless some are added or removed"
    )
    add_extensions: Features = Field(
        default=[], description="beside those held now; goes with no extensions, as remove_extensions"
    )
    remove_extensions: Features = Field(default=[], description="the others stay")

    def wish(self) -> Wish:
        """What the body asks for."""
        added, removed = tuple(self.add_extensions), tuple(self.remove_extensions)
        in_place = None if added or removed else ()
        extensions = in_place if self.extensions is None else tuple(self.extensions)
        return Wish(self.username, self.product, self.level, extensions, added, removed)


class AssignmentsBody(Body):
    assignments: list[AssignmentBody] = Field(min_length=1, max_length=1000)
    row_by_row: bool = Field(False, description="true: assign what can be assigned; false: all or nothing")
    dry_run: bool = Field(False, description="true: say what would be assigned, and change nothing")


class LicenseKey(Body):
    username: Name
    product: ProductId


class UnassignmentBody(Several):
    licenses: list[LicenseKey] = Field(min_length=1, max_length=MOST_AT_ONCE)


class AssignmentKey(DryRunQuery):
    username: Name
    product: ProductId


class AssignmentQuery(PageQuery):
    username: Name | None = None
    product: ProductId | None = None
    cursor: NameCursor | None = None


class AvailabilityQuery(Query):
    product: ProductId | None = None


class ActivityQuery(PageQuery):
    product: ProductId
    search: Name | None = Field(None, description="a part of the user name, the full name or a group, whatever its case")
    group: GroupName | None = None
    type: UserTypeName | None = None
    state: Dot | None = Field(None, description="red: offline; green: used in the last 30 minutes; none: neither")
    unused_for: int | None = Field(None, ge=0, le=36_500, description="those alone who did not use it for so many days")
    cursor: NameCursor | None = None
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: ListFormat | None = Field(None, description="in place of the header Accept")

    def wanted(self, *, limit: int) -> Wanted:
        """Whose activity is asked for, so many on a page."""
        span = None if self.unused_for is None else timedelta(days=self.unused_for)
        members = Filter(user_type=self.type, group=self.group, search=self.search, limit=limit)
        return Wanted(members, self.state, span)


class ActivityList(Activities):
    """A page of activities, by user name; as CSV all of them."""

    model_config = cast("ConfigDict", ALSO_CSV)


@api.get("/assignments", summary="Who holds which license of a named product", responses={200: HeldLicenses})
def listed(query: AssignmentQuery) -> Response:
    """By user name and product."""
    page, cursor = licenses.listed(
        unit(), username=query.username, product_id=query.product, cursor=query.cursor, limit=query.limit
    )
    return json_of(HeldLicenses.of(page, cursor))


@api.post("/assignments", summary="Assign licenses", responses={200: AssignmentOutcomes, 409: Problem})
def assign(body: AssignmentsBody) -> Response:
    """Each in place of what the member held of the product. All or nothing, or row by row with what became of each."""
    wishes = [item.wish() for item in body.assignments]
    outcomes = licenses.assign_many(unit(), wishes, row_by_row=body.row_by_row, dry_run=body.dry_run)
    return json_of(AssignmentOutcomes.of(outcomes))


@api.delete("/assignments", summary="Take a license from a member", responses={200: UnassignedLicense})
def unassign(query: AssignmentKey) -> Response:
    """A borrow that is out stays good until it ends or is checked in; the answer has it, and says so."""
    work = unit()
    taken = licenses.unassign_many(work, [License(query.username, query.product)], dry_run=query.dry_run)[0].done()
    return json_of(UnassignedLicense.of(taken, work.now))


@api.post("/assignments/remove", summary="Take licenses from members", responses={200: Unassignments, 409: Problem})
def unassign_several(body: UnassignmentBody) -> Response:
    """All or none, or one by one. Borrows that are out stay good until they end or are checked in; the answer has them."""
    work, keys = unit(), [License(item.username, item.product) for item in body.licenses]
    outcomes = licenses.unassign_many(work, keys, row_by_row=body.one_by_one, dry_run=body.dry_run)
    return json_of(Unassignments.of(outcomes, work.now, dry_run=body.dry_run))


@api.get("/availability", summary="What is licensed, used and available", responses={200: Availabilities})
def availability(query: AvailabilityQuery) -> Response:
    """Every level and extension of every product, or of one; also negative."""
    return json_of(Availabilities.of(licenses.availability(unit(), query.product)))


@api.get("/license-activity", summary="When each member last used a product, and who is offline", responses={200: ActivityList})
def license_activity(query: ActivityQuery) -> Response:
    """Those who hold a named product, or used a concurrent one, by user name."""
    work = unit()
    if wants_csv(query.format):
        limit = query.limit if "limit" in query.model_fields_set else None
        rows = islice(activity.every(work, query.product, query.wanted(limit=PAGE)), limit)
        now = work.now
        return sheet(sheets.lines_of(ActivityShown, (ActivityShown.of(row, now) for row in rows)), "activity.csv")
    page, cursor = activity.listed(work, query.product, query.wanted(limit=query.limit), cursor=query.cursor)
    return json_of(Activities.of(page, cursor, work.now))
