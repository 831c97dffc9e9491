"""/members, and the defaults of new ones."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.domain.members import DownloadPermission, Role
from authority.presentation import rendering
from authority.services import defaults, members, removal
from authority.services.defaults import Defaults
from authority.services.members import Change, NewMember
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.members import (
    ChangedMember,
    ChangeQuery,
    DefaultsBody,
    DefaultsShown,
    MemberChange,
    MemberPath,
    MemberQuery,
    Members,
    MemberShown,
    MemberWithLicenses,
    NewMemberBody,
    RemovalQuery,
    RemovedMember,
)

api = APIBlueprint("members", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})


@api.get("/members", summary="Members, and how many there are and may be", responses={200: Members})
def listed(query: MemberQuery) -> dict[str, Any]:
    """By user name; for administrators and license managers."""
    page = members.page(
        authority(),
        actor(),
        user_type=query.type,
        group=query.group,
        role=query.role,
        cursor=query.cursor,
        limit=query.limit,
    )
    items = [rendering.member(found) for found in page.members]
    return {"items": items, "next": page.cursor, "membership": rendering.membership(page.membership)}


@api.post("/members", summary="Add a member", responses={201: MemberShown, 404: Problem, 409: Problem})
def add(body: NewMemberBody) -> tuple[dict[str, Any], int]:
    """What the user type includes, and the default add-ons, are assigned at once."""
    new = NewMember(
        body.username,
        body.full_name,
        body.user_type,
        None if body.role is None else Role(body.role),
        None if body.groups is None else tuple(body.groups),
        body.password,
        body.vendor_access,
    )
    return rendering.member(members.add(authority(), actor(), new)), 201


@api.get("/members/defaults", summary="What new members get", responses={200: DefaultsShown})
def show_defaults() -> dict[str, Any]:
    """When nobody says otherwise."""
    return rendering.member_defaults(defaults.show(authority(), actor()))


@api.put("/members/defaults", summary="Set what new members get", responses={200: DefaultsShown, 404: Problem, 409: Problem})
def put_defaults(body: DefaultsBody) -> dict[str, Any]:
    """Members who are there stay as they are."""
    wanted = Defaults(
        body.user_type,
        body.role,
        tuple(body.groups),
        tuple(body.add_ons.items()),
        body.vendor_access,
    )
    return rendering.member_defaults(defaults.put(authority(), actor(), wanted))


@api.get("/members/<username>", summary="A member and what they hold", responses={200: MemberWithLicenses, 404: Problem})
def show(path: MemberPath) -> dict[str, Any]:
    """Everyone sees themself."""
    return rendering.member_with_licenses(*members.show(authority(), actor(), path.username))


@api.patch("/members/<username>", summary="Change a member", responses={200: ChangedMember, 404: Problem, 409: Problem})
def change(path: MemberPath, query: ChangeQuery, body: MemberChange) -> dict[str, Any]:
    """Says what it does, or with dry_run would do, to the licenses."""
    wanted = Change(
        full_name=body.full_name,
        user_type=body.user_type,
        role=None if body.role is None else Role(body.role),
        groups=None if body.groups is None else tuple(body.groups),
        disabled=body.disabled,
        vendor_access=body.vendor_access,
        download_permission=None if body.download_permission is None else DownloadPermission(body.download_permission),
        password=body.password,
    )
    changed = members.change(authority(), actor(), path.username, wanted, dry_run=query.dry_run)
    return rendering.member_change(changed, dry_run=query.dry_run)


@api.delete("/members/<username>", summary="Remove a member", responses={200: RemovedMember, 404: Problem, 409: Problem})
def remove(path: MemberPath, query: RemovalQuery) -> dict[str, Any]:
    """Who still has a borrow out is removed only with release, which frees its seat."""
    found = removal.remove(authority(), actor(), [path.username], release=query.release, dry_run=query.dry_run)[0]
    now = authority().now()
    held = [rendering.borrow(borrow, now) for borrow in found.borrows]
    return {"member": found.member.username, "borrows": held, "dry_run": query.dry_run}
