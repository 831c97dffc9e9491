"""What members see of themselves."""

from typing import Literal

from pydantic import BaseModel, Field

from authority.web.api.models.borrows import BorrowShown
from authority.web.api.models.members import DownloadPermission, RoleName
from authority.web.api.models.sessions import SessionShown


class ProblemNow(BaseModel):
    code: str
    message: str
    hint: str


class OwnLicenseShown(BaseModel):
    id: str
    name: str
    mode: Literal["named", "concurrent"]
    levels: dict[str, bool] = Field(description="named: the one with true is yours; concurrent: which have seats licensed")
    extensions: dict[str, bool]
    until: str = Field(description="end of the product")
    offline_allowed: bool
    longest_days: int | None = Field(description="of a borrow made now; null while offline use is not allowed")
    default_days: int | None
    borrow: BorrowShown | None = Field(description="the newest one that has a seat")
    sessions: list[SessionShown] = Field(description="those that are active")
    problem: ProblemNow | None = Field(description="why the product cannot be used now")


class MeShown(BaseModel):
    username: str
    full_name: str
    user_type: str
    role: RoleName
    groups: list[str]
    vendor_access: bool
    download_permission: DownloadPermission
    last_used_at: str | None
    products: list[OwnLicenseShown]


class DownloadRequested(BaseModel):
    username: str
    vendor_access: bool
    download_permission: DownloadPermission
