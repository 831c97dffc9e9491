"""Sessions."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.common import Body, Feature, Features, Label, MachineShown, ProductId, Text, UserShown


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
    extensions: Features = Field(default=[])
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
