"""What comes in and goes out, as models that both check and document."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A body with exactly the members that are documented, each of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("only printable characters")
    return text


Text = Annotated[str, AfterValidator(_printable)]


class SignIn(Body):
    username: Text = Field(max_length=128)
    password: str = Field(max_length=256)


class SignedIn(BaseModel):
    token: str
    expires_at: str


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
    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{22}$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class EventQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, le=2**63 - 1, description="number of the last event known")
    kind: Text | None = Field(None, max_length=32)
    limit: int = Field(100, ge=1, le=1000)


class MachineShown(BaseModel):
    id: str
    alias: str | None
    source: str


class UserShown(BaseModel):
    id: str
    name: str


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
    items: list[BorrowShown]
    next: str | None


class Events(BaseModel):
    items: list[dict[str, Any]]
    next: str | None


class Problem(BaseModel):
    """RFC 9457, with a stable code and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    errors: list[dict[str, Any]]
    request_id: str


# The forms of a signed request, for what comes without one.
ProductId = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$")]
Feature = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?$")]
Label = Annotated[Text, Field(min_length=1, max_length=256)]


def _different(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError("no repetition")
    return names


class SessionMachine(Body):
    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    source: Label
    alias: Label | None = None
    key: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="RFC 7638 thumbprint of the machine key")


class SessionUser(Body):
    id: str = Field(pattern=r"^(uid:[0-9]{1,10}|sid:S-1-[0-9]{1,15}(-[0-9]{1,10}){1,15})$")
    name: Label


class SessionStart(Body):
    product: ProductId
    level: Feature | None = Field(None, description="default: the assigned one")
    extensions: Annotated[list[Feature], AfterValidator(_different)] = Field(default=[], max_length=64)
    machine: SessionMachine
    user: SessionUser


class SessionPath(BaseModel):
    session_id: str = Field(pattern=r"^[A-Za-z0-9_-]{22}$")


class SessionQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    member: Text | None = Field(None, max_length=128)
    product: Text | None = Field(None, max_length=64)
    ended: bool = Field(False, description="true: also those that ended")
    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{22}$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class SessionShown(BaseModel):
    id: str
    member: str
    groups: list[str]
    product: str
    level: str
    extensions: list[str]
    machine: MachineShown
    user: UserShown
    created_at: str
    last_used_at: str
    active_until: str
    state: Literal["active", "expired", "checked-in", "ended"]
    ended_at: str | None
    save_by: str | None


class StartedSession(BaseModel):
    session: SessionShown
    grant: dict[str, Any] = Field(description="a file of the kind borrow, good for at most a day; write it down as it is")


class EndedSession(BaseModel):
    session: SessionShown


class Sessions(BaseModel):
    items: list[SessionShown]
    next: str | None
