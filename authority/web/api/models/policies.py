"""The rules about offline use."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from authority.domain.offline_rules import MOST_DAYS
from authority.web.api.models.common import Body, Text

Level = Literal["member", "group", "type", "product", "organization"]


class RulesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,1024}$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class RuleQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    level: Level
    subject: Text = Field("", max_length=128)
    product: Text = Field("", max_length=64, description="empty: the rule for all products")


class RuleBody(Body):
    level: Level = Field(description="the most specific one that has a rule wins")
    subject: Text = Field(
        "", max_length=128, description="which member, group, user type or product; empty for the organization"
    )
    product: Text = Field("", max_length=64, description="empty: for all products, or the level says it")
    allowed: bool | None = Field(None, description="whether licenses may be taken offline at all; null: stays as it is")
    longest_days: int | None = Field(None, ge=1, le=MOST_DAYS, description="null: stays as it is")
    default_days: int | None = Field(None, ge=1, le=MOST_DAYS, description="null: stays as it is")


class EffectiveQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    member: Text = Field(max_length=128)
    product: Text = Field(max_length=64)


class RuleShown(BaseModel):
    level: Level
    subject: str
    product: str
    allowed: bool | None = Field(description="null: left to the organization's rule, as are days")
    longest_days: int | None
    default_days: int | None


class Rules(BaseModel):
    items: list[RuleShown]
    next: str | None


class EffectiveShown(BaseModel):
    member: str
    product: str
    allowed: bool
    longest_days: int
    default_days: int
    decided_by: str
    path: list[str] = Field(description="the levels that were asked, in order")
    explanation: str = Field(description="the same in one sentence, and what caps it")
