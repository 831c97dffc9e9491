"""/assignments, /availability and /license-activity."""

from datetime import timedelta

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.presentation.activity import Activities
from authority.presentation.licenses import AssignmentOutcomes, Availabilities, HeldLicenses, UnassignedLicense
from authority.services import activity, licenses
from authority.services.licenses import Wish
from authority.web.access import authority, unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, Feature, Features, Name, NameCursor, PageQuery, Problem, ProductId, Query

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


class AssignmentKey(Query):
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
    unused_for: int | None = Field(None, ge=0, le=36_500, description="those alone who did not use it for so many days")
    cursor: NameCursor | None = None


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
    taken = licenses.unassign(unit(), [query.username], query.product)[0]
    return json_of(UnassignedLicense.of(taken, authority().now()))


@api.get("/availability", summary="What is licensed, used and available", responses={200: Availabilities})
def availability(query: AvailabilityQuery) -> Response:
    """Every level and extension of every product, or of one; also negative."""
    return json_of(Availabilities.of(licenses.availability(unit(), query.product)))


@api.get("/license-activity", summary="When each member last used a product, and who is offline", responses={200: Activities})
def license_activity(query: ActivityQuery) -> Response:
    """Those who hold a named product, or used a concurrent one, by user name."""
    span = None if query.unused_for is None else timedelta(days=query.unused_for)
    page, cursor = activity.listed(unit(), query.product, cursor=query.cursor, limit=query.limit, unused_for=span)
    return json_of(Activities.of(page, cursor, authority().now()))
