"""Members and the defaults of new ones."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.borrows import BorrowShown
from authority.web.api.models.common import Body, Feature, ProductId, Text

RoleName = Literal["administrator", "license-manager", "analyst", "member"]
DownloadPermission = Literal["none", "requested", "granted"]
Name = Annotated[Text, Field(max_length=128)]
GroupName = Annotated[Name, Field(min_length=1)]
UserTypeName = Annotated[Text, Field(min_length=1, max_length=64)]
Groups = Annotated[list[GroupName], Field(max_length=256)]
Password = Annotated[str, Field(max_length=256)]
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,1024}$", description="`next` of the page before")]


class MemberPath(BaseModel):
    username: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$")


class MemberQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: UserTypeName | None = None
    group: GroupName | None = None
    role: RoleName | None = None
    cursor: Cursor | None = None
    limit: int = Field(100, ge=1, le=1000)


class ChangeQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="true: say what would change, and change nothing")


class RemovalQuery(ChangeQuery):
    release: bool = Field(False, description="true: free the seats of borrows that are still out, although copies may run")


class NewMemberBody(Body):
    username: Name
    full_name: Name = ""
    user_type: UserTypeName | None = Field(None, description="null: the default, as for role, groups and vendor_access")
    role: RoleName | None = None
    groups: Groups | None = None
    password: Password | None = Field(None, description="without one nobody can sign in as this member")
    vendor_access: bool | None = None


class MemberChange(Body):
    """What is left out, or null, stays as it is."""

    full_name: Name | None = None
    user_type: UserTypeName | None = Field(None, description="takes and gives licenses by the authorization's table")
    role: RoleName | None = None
    groups: Groups | None = Field(None, description="the groups from now on")
    disabled: bool | None = None
    vendor_access: bool | None = None
    download_permission: DownloadPermission | None = Field(None, description="granted, or denied with none")
    password: Password | None = None


class DefaultsBody(Body):
    """All of them: what is left out is as at the beginning."""

    user_type: UserTypeName
    role: RoleName = "member"
    groups: Groups = Field(default=[])
    add_ons: dict[ProductId, Feature] = Field(
        default={}, max_length=256, description="product to level, assigned beside what the type includes"
    )
    vendor_access: bool = False


class DefaultsShown(BaseModel):
    user_type: str
    role: RoleName
    groups: list[str]
    add_ons: dict[str, str]
    vendor_access: bool


class MemberShown(BaseModel):
    username: str
    full_name: str
    user_type: str
    role: RoleName
    groups: list[str]
    disabled: bool
    vendor_access: bool
    download_permission: DownloadPermission
    last_used_at: str | None
    created_at: str


class AssignmentShown(BaseModel):
    product: str
    level: str
    extensions: list[str]
    included: bool = Field(description="true: the user type brought it")


class MemberWithLicenses(MemberShown):
    licenses: list[AssignmentShown]


class Numbers(BaseModel):
    current: int
    maximum: int | None = Field(description="null: any number")


class MembershipShown(Numbers):
    types: dict[str, Numbers]


class Members(BaseModel):
    items: list[MemberShown]
    next: str | None
    membership: MembershipShown = Field(description="of the whole organization, whatever was asked for")


class LicenseEffect(BaseModel):
    taken: list[AssignmentShown]
    given: list[AssignmentShown]
    kept: list[AssignmentShown]


class ChangedMember(BaseModel):
    member: MemberShown
    licenses: LicenseEffect
    dry_run: bool


class RemovedMember(BaseModel):
    member: str
    borrows: list[BorrowShown] = Field(description="what was still out; released with the member")
    dry_run: bool
