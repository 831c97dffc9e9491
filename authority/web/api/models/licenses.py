"""Assignments, availability and license activity."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.borrows import BorrowShown
from authority.web.api.models.common import Body, Feature, Features, ProductId
from authority.web.api.models.members import AssignmentShown, Cursor, Name


class Wanted(Body):
    username: Name
    product: ProductId
    level: Feature | None = Field(None, description="null: the level held now")
    extensions: Features = Field(default=[], description="in place of those held now")


class AssignmentsBody(Body):
    assignments: list[Wanted] = Field(min_length=1, max_length=1000)
    row_by_row: bool = Field(False, description="true: assign what can be assigned; false: all or nothing")


class AssignmentKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: Name
    product: ProductId


class AssignmentQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: Name | None = None
    product: ProductId | None = None
    cursor: Cursor | None = None
    limit: int = Field(100, ge=1, le=1000)


class AvailabilityQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: ProductId | None = None


class ActivityQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: ProductId
    cursor: Cursor | None = None
    limit: int = Field(100, ge=1, le=1000)


class HeldLicense(AssignmentShown):
    member: str


class HeldLicenses(BaseModel):
    items: list[HeldLicense]
    next: str | None


class AssignmentOutcome(BaseModel):
    """`level` and `extensions` where `ok`, else `code`, `message` and `hint`."""

    member: str
    product: str
    ok: bool
    level: str | None = None
    extensions: list[str] | None = None
    code: str | None = None
    message: str | None = None
    hint: str | None = None


class AssignmentOutcomes(BaseModel):
    assignments: list[AssignmentOutcome] = Field(description="in the order in which they were sent")


class UnassignedLicense(BaseModel):
    member: str
    taken: AssignmentShown
    borrow: BorrowShown | None = Field(
        description="the borrow that still has a seat; it goes on until it ends or is checked in"
    )
    note: str | None = Field(description="what that borrow does, and what can be done about it")


class AvailabilityShown(BaseModel):
    product: str
    feature: str
    licensed: int
    used: int
    available: int = Field(description="negative: nobody can start or borrow the product until it is corrected")
    ends_at: str | None = Field(description="null: the authorization does not have the product any more")


class Availabilities(BaseModel):
    items: list[AvailabilityShown]
    next: None


class BorrowOut(BaseModel):
    id: str
    computer: str
    since: str
    until: str


class ActiveSession(BaseModel):
    id: str
    computer: str
    created_at: str
    last_used_at: str
    active_until: str


class ActivityShown(BaseModel):
    member: str
    full_name: str
    user_type: str
    product: str
    last_used_at: str | None = Field(description="of a session, or a checkout, renewal or check-in of a borrow; null: never")
    days_since_last_used: int | None
    state: Literal["green", "red", "none"] = Field(description="red: offline; green: a session was used in the last 30 minutes")
    computer: str | None = Field(description="where it is offline, else where it was used in the last 30 minutes")
    since: str | None
    until: str | None = Field(description="until when it is offline")
    borrows: list[BorrowOut] = Field(description="those that are active")
    sessions: list[ActiveSession] = Field(description="those that are active")


class Activities(BaseModel):
    items: list[ActivityShown]
    next: str | None
