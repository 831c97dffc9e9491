"""/members, and the defaults of new ones."""

import io
from datetime import timedelta
from typing import Annotated, cast

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import AfterValidator, ConfigDict, Field

from authority.domain.members import LONGEST_EMAIL, DownloadPermission, Role
from authority.presentation import member_sheet, sheets
from authority.presentation.member_import import MemberImport
from authority.presentation.members import (
    ChangedMember,
    ChangedMembers,
    DefaultsShown,
    Members,
    MemberShown,
    MemberWithLicenses,
    RemovedMember,
    RemovedMembers,
)
from authority.services import defaults, member_changes, member_files, member_lists, members, removal
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.storage.member_lists import Filter, Order
from authority.web.access import authority, publish_soon, unit
from authority.web.answers import json_of, sheet, tagged
from authority.web.api.forms import (
    ALSO_CSV,
    MOST_AT_ONCE,
    Body,
    DryRunQuery,
    Feature,
    GroupName,
    ListFormat,
    MemberPath,
    Name,
    NameCursor,
    PageQuery,
    Password,
    Problem,
    ProductId,
    Several,
    Typed,
    UserTypeName,
    different,
    wants_csv,
)
from authority.web.gateway import LARGEST_SHEET

api = APIBlueprint("members", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})

Groups = Annotated[list[GroupName], Field(max_length=256)]
UserNames = Annotated[list[Typed], AfterValidator(different), Field(min_length=1, max_length=MOST_AT_ONCE)]
Email = Annotated[str, Field(max_length=LONGEST_EMAIL)]
# In JSON they are texts; a strict body would wait for members of the enumerations.
RoleName = Annotated[Role, Field(strict=False)]
PermissionName = Annotated[DownloadPermission, Field(strict=False)]


class MemberQuery(PageQuery):
    search: Name | None = Field(None, description="a part of the user name, the full name or a group, whatever its case")
    type: UserTypeName | None = None
    group: GroupName | None = None
    role: Role | None = None
    disabled: bool | None = None
    download_permission: DownloadPermission | None = Field(None, description="requested: those who ask for it")
    offline: bool | None = Field(None, description="true: those who have a license of any product offline; false: the others")
    unused_for: int | None = Field(None, ge=0, le=36_500, description="those alone who used no license for so many days")
    sort: Order = Field(Order.USERNAME, description="by user name where it makes no difference")
    descending: bool = False
    cursor: NameCursor | None = None
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: ListFormat | None = Field(None, description="in place of the header Accept")


class MemberList(Members):
    """A page of members; as CSV all of them, in the form that `POST /members/import` takes."""

    model_config = cast("ConfigDict", ALSO_CSV)


class RemovalQuery(DryRunQuery):
    release: bool = Field(False, description="true: free the seats of borrows that are still out, although copies may run")


class NewMemberBody(Body):
    username: Typed
    full_name: Name = ""
    email: Email = ""
    user_type: UserTypeName | None = Field(None, description="null: the default, as for role, groups and vendor_access")
    role: RoleName | None = None
    groups: Groups | None = None
    password: Password | None = Field(None, description="without one nobody can sign in as this member")
    vendor_access: bool | None = None


class ChangeOfMany(Body):
    """What may change in several members at once. What is left out, or null, stays as it is."""

    user_type: UserTypeName | None = Field(None, description="takes and gives licenses by the authorization's table")
    role: RoleName | None = None
    groups: Groups | None = Field(None, description="all groups from now on")
    add_groups: Groups = Field(default=[], description="beside those of now; goes with no groups, as remove_groups")
    remove_groups: Groups = Field(default=[], description="the others stay")
    disabled: bool | None = None
    vendor_access: bool | None = None
    download_permission: PermissionName | None = Field(None, description="granted, or denied with none")

    def change(self) -> Change:
        """What the body asks for."""
        values = self.model_dump(exclude={"groups", "add_groups", "remove_groups"})
        return Change(
            **values,
            groups=None if self.groups is None else tuple(self.groups),
            added_groups=tuple(self.add_groups),
            removed_groups=tuple(self.remove_groups),
        )


class MemberChange(ChangeOfMany):
    """What is left out, or null, stays as it is."""

    username: Typed | None = Field(None, description="the user name from now on; all that is the member's stays so")
    full_name: Name | None = None
    email: Email | None = Field(None, description="empty: none")
    password: Password | None = Field(
        None, description="ends the member's sign-ins; API keys go on, and are named in the answer"
    )
    forget_identities: bool = Field(False, description="true: forget who the member is at providers by which members sign in")
    revoke_keys: bool = Field(False, description="true: the member's API keys are of no use from now on, as after a theft")


class ChangeBody(Several):
    usernames: UserNames
    change: ChangeOfMany


class RemovalBody(Several):
    usernames: UserNames
    release: bool = Field(False, description="true: free the seats of borrows that are still out, although copies may run")


class ImportBody(Body):
    csv: str = Field(
        max_length=LARGEST_SHEET,
        description="a table with the columns of `GET /members?format=csv`; only username must be there",
    )
    go_on: bool = Field(False, description="true: take the good rows when there are bad ones; false: none")
    dry_run: bool = Field(False, description="true: say of each row what would change, and change nothing")


class DefaultsBody(Body):
    """All of them: what is left out is as at the beginning."""

    user_type: UserTypeName
    role: RoleName = Role.MEMBER
    groups: Groups = Field(default=[])
    add_ons: dict[ProductId, Feature] = Field(
        default={}, max_length=256, description="product to level, assigned beside what the type includes"
    )
    vendor_access: bool = False


@api.get("/members", summary="Members, and how many there are and may be", responses={200: MemberList, 404: Problem})
def listed(query: MemberQuery) -> Response:
    """With what they hold and who is offline, by user name or in another order; for administrators and license managers."""
    as_csv = wants_csv(query.format)
    wanted = Filter(
        user_type=query.type,
        group=query.group,
        role=query.role,
        download=query.download_permission,
        search=query.search,
        disabled=query.disabled,
        offline=query.offline,
        limit=None if as_csv and "limit" not in query.model_fields_set else query.limit,
        order=query.sort,
        descending=query.descending,
    )
    span = None if query.unused_for is None else timedelta(days=query.unused_for)
    page = member_lists.page(unit(), wanted, unused_for=span, cursor=query.cursor)
    if as_csv:
        rows = (member_sheet.row_of(row.member, row.licenses) for row in page.members)
        return sheet(sheets.lines(member_sheet.COLUMNS, rows), "members.csv")
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
        body.email,
    )
    return json_of(MemberShown.of(members.add(unit(), new)), 201)


@api.post("/members/change", summary="Change several members", responses={200: ChangedMembers, 404: Problem, 409: Problem})
def change_several(body: ChangeBody) -> Response:
    """All or none, or one by one; says of each what it does, or with dry_run would do, to the licenses."""
    outcomes = member_changes.change_several(
        unit(), body.usernames, body.change.change(), one_by_one=body.one_by_one, dry_run=body.dry_run
    )
    return json_of(ChangedMembers.of(outcomes, dry_run=body.dry_run))


@api.post("/members/remove", summary="Remove several members", responses={200: RemovedMembers, 404: Problem, 409: Problem})
def remove_several(body: RemovalBody) -> Response:
    """All or none, or one by one. Who still has a borrow out is removed only with release, in a dry run too."""
    work = unit()
    outcomes = removal.remove_several(
        work, body.usernames, release=body.release, one_by_one=body.one_by_one, dry_run=body.dry_run
    )
    publish_soon()
    return json_of(RemovedMembers.of(outcomes, work.now, dry_run=body.dry_run))


@api.post("/members/import", summary="Add and change members by a table", responses={200: MemberImport})
def import_table(body: ImportBody) -> Response:
    """Adds the members that are not there, and changes those that are; nobody is removed. The answer has each row.

    A single bad row, and nothing at all is changed, unless go_on says so. The body may have 4 MiB.
    """
    stream = io.BytesIO(body.csv.encode("utf-8", "surrogatepass"))
    rows = sheets.read(stream, member_sheet.COLUMNS, [member_sheet.USERNAME], member_sheet.NEVER_HINTS)
    lines = [member_sheet.line_of(row) for row in rows]
    imported = member_files.import_lines(unit(), lines, dry_run=body.dry_run, go_on=body.go_on)
    return json_of(MemberImport.of(imported, None, dry_run=body.dry_run))


@api.get("/members/defaults", summary="What new members get", responses={200: DefaultsShown, 304: None})
def show_defaults() -> Response:
    """When nobody says otherwise."""
    shown = DefaultsShown.of(defaults.show(unit()))
    return tagged(shown, shown.version)


@api.put(
    "/members/defaults",
    summary="Set what new members get",
    responses={200: DefaultsShown, 404: Problem, 409: Problem, 412: Problem},
)
def put_defaults(query: DryRunQuery, body: DefaultsBody) -> Response:
    """Members who are there stay as they are."""
    wanted = Defaults(
        body.user_type,
        body.role,
        tuple(body.groups),
        tuple(body.add_ons.items()),
        body.vendor_access,
    )
    return json_of(DefaultsShown.of(defaults.put(unit(), wanted, dry_run=query.dry_run)))


@api.get(
    "/members/<username>", summary="A member and what they hold", responses={200: MemberWithLicenses, 304: None, 404: Problem}
)
def show(path: MemberPath) -> Response:
    """Everyone sees themself."""
    shown = MemberWithLicenses.holding(*members.show(unit(), path.username))
    return tagged(shown, shown.version)


@api.patch(
    "/members/<username>", summary="Change a member", responses={200: ChangedMember, 404: Problem, 409: Problem, 412: Problem}
)
def change(path: MemberPath, query: DryRunQuery, body: MemberChange) -> Response:
    """Says what it does, or with dry_run would do, to the licenses."""
    changed = member_changes.change(unit(), path.username, body.change(), dry_run=query.dry_run)
    return json_of(ChangedMember.of(changed, dry_run=query.dry_run))


@api.delete(
    "/members/<username>", summary="Remove a member", responses={200: RemovedMember, 404: Problem, 409: Problem, 412: Problem}
)
def remove(path: MemberPath, query: RemovalQuery) -> Response:
    """Who still has a borrow out is removed only with release, which frees its seat."""
    removed = removal.remove(unit(), [path.username], release=query.release, dry_run=query.dry_run)[0]
    publish_soon()
    return json_of(RemovedMember.after(removed, authority().now(), dry_run=query.dry_run))
