"""The authorization."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from authority.web.api.models.common import Body

Thumbprint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class NewAuthorization(Body):
    authorization_file: dict[str, Any] = Field(description="the vendor's file of the kind authorization, as it is")
    trust_file: dict[str, Any] | None = Field(
        None, description="the vendor's file of the kind trust, when the vendor is another one than before"
    )
    accept_root: list[Thumbprint] = Field(
        default=[], max_length=64, description="every root key in the trust file, compared with what the vendor says"
    )
    dry_run: bool = Field(False, description="true: say what would change, and change nothing")

    @model_validator(mode="after")
    def _go_together(self) -> "NewAuthorization":
        if self.accept_root and self.trust_file is None:
            raise ValueError("accept_root goes with trust_file")
        return self


class MembersShown(BaseModel):
    current: int
    maximum: int | None = Field(description="null: any number")
    types: dict[str, int | None] = Field(description="the maximum of each user type that has one")


class UserTypeShown(BaseModel):
    includes: dict[str, str] = Field(description="product to level")
    may_hold: list[str]


class SeatsShown(BaseModel):
    licensed: int
    used: int
    available: int = Field(description="also negative")


class ProductShown(BaseModel):
    id: str
    name: str
    mode: Literal["named", "concurrent"]
    until: str | None
    levels: list[str] = Field(description="from low to high")
    seats: dict[str, SeatsShown] = Field(description="by level and extension")


class AuthorizationShown(BaseModel):
    organization: str
    organization_name: str
    vendor: str
    seq: int
    begins_at: str
    ends_at: str
    days_left: int
    max_borrow_days: int
    members: MembersShown
    user_types: dict[str, UserTypeShown]
    products: list[ProductShown]
    warning: str | None = Field(description="from 30 days before the end")


class MembershipShown(BaseModel):
    current: int
    maximum: int | None


class ShortageShown(BaseModel):
    product: str
    feature: str
    licensed: int
    used: int
    available: int


class InstallationShown(BaseModel):
    installed: bool = Field(description="false: it was in force already, or this was a dry run")
    organization: str
    vendor: str
    seq: int
    seq_before: int
    ends_at: str
    trust_replaced: bool
    members: MembershipShown
    changes: list[str]
    consequences: list[str] = Field(description="what is in use and no longer covered")
    shortages: list[ShortageShown]
    warning: str | None = Field(description="from 30 days before the end; and when the home's trust file could not be written")
