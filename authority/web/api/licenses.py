"""/assignments, /availability and /license-activity."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering, rendering_licenses
from authority.services import activity, licenses
from authority.services.licenses import Wish
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.licenses import (
    Activities,
    ActivityQuery,
    AssignmentKey,
    AssignmentOutcomes,
    AssignmentQuery,
    AssignmentsBody,
    Availabilities,
    AvailabilityQuery,
    HeldLicenses,
    UnassignedLicense,
)

api = APIBlueprint(
    "licenses",
    __name__,
    abp_security=[{"bearer": []}],
    abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem},
)


@api.get("/assignments", summary="Who holds which license of a named product", responses={200: HeldLicenses})
def listed(query: AssignmentQuery) -> dict[str, Any]:
    """By user name and product."""
    page, cursor = licenses.listed(
        authority(), actor(), username=query.username, product_id=query.product, cursor=query.cursor, limit=query.limit
    )
    return {"items": [rendering_licenses.held_license(found) for found in page], "next": cursor}


@api.post("/assignments", summary="Assign licenses", responses={200: AssignmentOutcomes, 409: Problem})
def assign(body: AssignmentsBody) -> dict[str, Any]:
    """Each in place of what the member held of the product. All or nothing, or row by row, each being told."""
    wishes = [Wish(item.username, item.product, item.level, tuple(item.extensions)) for item in body.assignments]
    outcomes = licenses.assign_many(authority(), actor(), wishes, row_by_row=body.row_by_row)
    return {"assignments": [rendering_licenses.outcome(found) for found in outcomes]}


@api.delete("/assignments", summary="Take a license from a member", responses={200: UnassignedLicense})
def unassign(query: AssignmentKey) -> dict[str, Any]:
    """A borrow that is out stays good until it ends or is checked in; the answer has it, and says so."""
    taken = licenses.unassign(authority(), actor(), [query.username], query.product)[0]
    return rendering_licenses.unassigned(taken, authority().now())


@api.get("/availability", summary="What is licensed, used and available", responses={200: Availabilities})
def availability(query: AvailabilityQuery) -> dict[str, Any]:
    """Every level and extension of every product, or of one; also negative."""
    found = licenses.availability(authority(), actor(), query.product)
    return {"items": [rendering.availability(item) for item in found], "next": None}


@api.get("/license-activity", summary="When each member last used a product, and who is offline", responses={200: Activities})
def shown_activity(query: ActivityQuery) -> dict[str, Any]:
    """Those who hold a named product, or used a concurrent one, by user name."""
    page, cursor = activity.listed(authority(), actor(), query.product, cursor=query.cursor, limit=query.limit)
    now = authority().now()
    return {"items": [rendering_licenses.activity(found, now) for found in page], "next": cursor}
