"""The pools of concurrent products."""

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.common import Body, Feature, ProductId, Text


class PoolQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: ProductId | None = None


class PoolRuleQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    product: ProductId
    feature: Feature
    group: Text = Field("", max_length=128, description="empty: the rule for everybody")


class PoolRuleBody(Body):
    product: ProductId
    feature: Feature = Field(description="a level or an extension")
    group: Text = Field("", max_length=128, description="empty: the rule is for everybody")
    low_water: int = Field(0, ge=0, le=10**9, description="so many seats are never borrowed")
    most_borrowed: int | None = Field(None, ge=0, le=10**9, description="so many are borrowed at once at most")
    reserved: int = Field(0, ge=0, le=10**9, description="seats kept for the group")
    maximum: int | None = Field(None, ge=0, le=10**9, description="the group uses so many at most")
    from_higher: bool = Field(False, description="serve the level from the next higher one when its seats run out")


class PoolRuleShown(BaseModel):
    product: str
    feature: str
    group: str
    low_water: int
    most_borrowed: int | None
    reserved: int
    maximum: int | None
    from_higher: bool


class GroupShareShown(BaseModel):
    group: str
    reserved: int
    maximum: int | None
    in_use: int


class PoolShown(BaseModel):
    product: str
    feature: str
    licensed: int
    in_use: int
    borrowed: int
    borrowable: int
    low_water: int
    most_borrowed: int | None
    from_higher: bool
    groups: list[GroupShareShown]


class Pools(BaseModel):
    items: list[PoolShown]
    next: None
