"""Borrows and check-ins."""

from typing import Any, Literal, cast

from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.media_type import MediaType
from flask_openapi3.models.schema import Schema
from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.common import Body, MachineShown, Text, UserShown

# The other form in which borrows are listed, for the documentation.
ALSO_CSV: Any = {"openapi_extra": {"content": {"text/csv": MediaType(schema=Schema(type=DataType.STRING))}}}


class BorrowRequest(Body):
    request: str = Field(max_length=8192, description="the compact borrow-request+jwt of a request file")
    member: Text | None = Field(None, max_length=128, description="for whom, when an administrator sends it")


class CheckIn(Body):
    receipt: str = Field(max_length=8192, description="the compact return-receipt+jwt of a return file")


class Revocation(Body):
    reason: str = Field(max_length=500)


class Release(Body):
    reason: str = Field(max_length=500)
    accept_overlap: bool = Field(False, description="true: I know that the lost copy can run until expires_at")


class BorrowPath(BaseModel):
    borrow_id: str = Field(pattern=r"^[A-Za-z0-9_-]{22}$")


class BorrowQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["active", "expired", "checked-in", "revoked", "released"] | None = None
    member: Text | None = Field(None, max_length=128)
    product: Text | None = Field(None, max_length=64)
    machine: Text | None = Field(None, max_length=256, description="machine id or alias")
    group: Text | None = Field(None, max_length=128, description="of members of this group")
    type: Text | None = Field(None, max_length=64, description="of members of this user type")
    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{22}$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: Literal["json", "csv"] | None = Field(None, description="in place of the header Accept")


class BorrowShown(BaseModel):
    id: str
    member: str
    user_type: str
    groups: list[str]
    product: str
    level: str
    extensions: list[str]
    machine: MachineShown
    user: UserShown
    issued_at: str
    expires_at: str
    state: Literal["active", "expired", "checked-in", "revoked", "released"]
    ended_at: str | None
    seat_free_at: str
    decided_by: str
    reason: str | None
    copy_may_run_until: str | None


class IssuedBorrow(BaseModel):
    borrow: BorrowShown
    file: dict[str, Any] = Field(description="a file of the kind borrow; write it down as it is")


class EndedBorrow(BaseModel):
    borrow: BorrowShown


class Borrows(BaseModel):
    model_config = cast("ConfigDict", ALSO_CSV)

    items: list[BorrowShown]
    next: str | None
