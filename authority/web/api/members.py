"""/members, and the defaults of new ones."""

from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.domain.members import DownloadPermission, Role
from authority.presentation.members import (
    ChangedMember,
    DefaultsShown,
    Members,
    MemberShown,
    MemberWithLicenses,
    RemovedMember,
)
from authority.services import defaults, members, removal
from authority.services.defaults import Defaults
from authority.services.members import Change, NewMember
from authority.web.access import authority, publish_soon, unit
from authority.web.answers import json_of
from authority.web.api.forms import (
    Body,
    Feature,
    GroupName,
    Name,
    NameCursor,
    PageQuery,
    Problem,
    ProductId,
    Query,
    Typed,
    UserName,
    UserTypeName,
)

api = APIBlueprint("members", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})

Groups = Annotated[list[GroupName], Field(max_length=256)]
Password = Annotated[str, Field(max_length=256)]
# In JSON they are texts; a strict body would wait for members of the enumerations.
RoleName = Annotated[Role, Field(strict=False)]
PermissionName = Annotated[DownloadPermission, Field(strict=False)]


class MemberPath(BaseModel):
    username: UserName = Field(description="percent-encoded where it has more than letters, digits and . _ @ -")


class MemberQuery(PageQuery):
    type: UserTypeName | None = None
    group: GroupName | None = None
    role: Role | None = None
    cursor: NameCursor | None = None


class ChangeQuery(Query):
    dry_run: bool = Field(False, description="true: say what would change, and change nothing")


class RemovalQuery(ChangeQuery):
    release: bool = Field(False, description="true: free the seats of borrows that are still out, although copies may run")


class NewMemberBody(Body):
    username: Typed
    full_name: Name = ""
    user_type: UserTypeName | None = Field(None, description="null: the default, as for role, groups and vendor_access")
    role: RoleName | None = None
    groups: Groups | None = None
    password: Password | None = Field(None, description="without one nobody can sign in as this member")
    vendor_access: bool | None = None


class MemberChange(Body):
    """What is left out, or null, stays as it is."""

    username: Typed | None = Field(None, description="the user name from now on; all that is the member's stays so")
    full_name: Name | None = None
    user_type: UserTypeName | None = Field(None, description="takes and gives licenses by the authorization's table")
    role: RoleName | None = None
    groups: Groups | None = Field(None, description="all groups from now on")
    add_groups: Groups = Field(default=[], description="beside those of now; goes with no groups, as remove_groups")
    remove_groups: Groups = Field(default=[], description="the others stay")
    disabled: bool | None = None
    vendor_access: bool | None = None
    download_permission: PermissionName | None = Field(None, description="granted, or denied with none")
    password: Password | None = None


class DefaultsBody(Body):
    """All of them: what is left out is as at the beginning."""

    user_type: UserTypeName
    role: RoleName = Role.MEMBER
    groups: Groups = Field(default=[])
    add_ons: dict[ProductId, Feature] = Field(
        default={}, max_length=256, description="product to level, assigned beside what the type includes"
    )
    vendor_access: bool = False


@api.get("/members", summary="Members, and how many there are and may be", responses={200: Members, 404: Problem})
def listed(query: MemberQuery) -> Response:
    """By user name; for administrators and license managers."""
    page = members.page(
        unit(), user_type=query.type, group=query.group, role=query.role, cursor=query.cursor, limit=query.limit
    )
    return json_of(Members.of(page))


@api.post("/members", summary="Add a member", responses={201: MemberShown, 404: Problem, 409: Problem})
def add(body: NewMemberBody) -> Response:
    """What the user type includes, and the default add-ons, are assigned at once."""
    new = NewMember(
        body.username,
        body.full_name,
        body.user_type,
        body.role,
        None if body.groups is None else tuple(body.groups),
        body.password,
        body.vendor_access,
    )
    return json_of(MemberShown.of(members.add(unit(), new)), 201)


@api.get("/members/defaults", summary="What new members get", responses={200: DefaultsShown})
def show_defaults() -> Response:
    """When nobody says otherwise."""
    return json_of(DefaultsShown.of(defaults.show(unit())))


@api.put("/members/defaults", summary="Set what new members get", responses={200: DefaultsShown, 404: Problem, 409: Problem})
def put_defaults(body: DefaultsBody) -> Response:
    """Members who are there stay as they are."""
    wanted = Defaults(
        body.user_type,
        body.role,
        tuple(body.groups),
        tuple(body.add_ons.items()),
        body.vendor_access,
    )
    return json_of(DefaultsShown.of(defaults.put(unit(), wanted)))


@api.get("/members/<username>", summary="A member and what they hold", responses={200: MemberWithLicenses, 404: Problem})
def show(path: MemberPath) -> Response:
    """Everyone sees themself."""
    return json_of(MemberWithLicenses.holding(*members.show(unit(), path.username)))


@api.patch("/members/<username>", summary="Change a member", responses={200: ChangedMember, 404: Problem, 409: Problem})
def change(path: MemberPath, query: ChangeQuery, body: MemberChange) -> Response:
    """Says what it does, or with dry_run would do, to the licenses."""
    wanted = Change(
        full_name=body.full_name,
        user_type=body.user_type,
        role=body.role,
        groups=None if body.groups is None else tuple(body.groups),
        disabled=body.disabled,
        vendor_access=body.vendor_access,
        download_permission=body.download_permission,
        password=body.password,
        added_groups=tuple(body.add_groups),
        removed_groups=tuple(body.remove_groups),
        username=body.username,
    )
    changed = members.change(unit(), path.username, wanted, dry_run=query.dry_run)
    return json_of(ChangedMember.of(changed, dry_run=query.dry_run))


@api.delete("/members/<username>", summary="Remove a member", responses={200: RemovedMember, 404: Problem, 409: Problem})
def remove(path: MemberPath, query: RemovalQuery) -> Response:
    """Who still has a borrow out is removed only with release, which frees its seat."""
    removed = removal.remove(unit(), [path.username], release=query.release, dry_run=query.dry_run)[0]
    publish_soon()
    return json_of(RemovedMember.after(removed, authority().now(), dry_run=query.dry_run))
