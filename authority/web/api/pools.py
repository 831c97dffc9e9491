"""/pools: how the seats of concurrent products may be used."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.domain.pools import PoolRule
from authority.presentation.pools import ChangedPoolRule, PoolRuleShown, Pools
from authority.services import pools
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, DryRunQuery, Feature, Name, Problem, ProductId, Query

api = APIBlueprint(
    "pools", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


class PoolQuery(Query):
    product: ProductId | None = None


class PoolRuleQuery(DryRunQuery):
    product: ProductId
    feature: Feature
    group: Name = Field("", description="empty: the rule for everybody")


class PoolRuleBody(Body):
    product: ProductId
    feature: Feature = Field(description="a level or an extension")
    group: Name = Field("", description="empty: the rule is for everybody")
    low_water: int = Field(0, ge=0, le=10**9, description="so many seats are never borrowed")
    most_borrowed: int | None = Field(None, ge=0, le=10**9, description="so many are borrowed at once at most")
    reserved: int = Field(0, ge=0, le=10**9, description="seats kept for the group")
    maximum: int | None = Field(None, ge=0, le=10**9, description="the group uses so many at most")
    from_higher: bool = Field(False, description="serve the level from the next higher one when its seats run out")


@api.get("/pools", summary="Seats in use, and what the rules keep back", responses={200: Pools})
def listed(query: PoolQuery) -> Response:
    """Every level and extension of every concurrent product, or of one."""
    return json_of(Pools.of(pools.states(unit(), query.product)))


@api.put("/pools", summary="Set a rule about seats", responses={200: ChangedPoolRule, 412: Problem})
def put(query: DryRunQuery, body: PoolRuleBody) -> Response:
    """In place of the rule that was there for the same seats and group; who has a seat keeps it."""
    wanted = PoolRule(
        body.product,
        body.feature,
        body.group,
        body.low_water,
        body.most_borrowed,
        body.reserved,
        body.maximum,
        body.from_higher,
    )
    use_case = unit()
    rule = pools.change(use_case, wanted, dry_run=query.dry_run)
    return json_of(ChangedPoolRule.noted(rule, use_case.note))


@api.delete("/pools", summary="Remove a rule about seats", responses={200: PoolRuleShown, 412: Problem})
def remove(query: PoolRuleQuery) -> Response:
    """Answers with the rule that was there."""
    rule = pools.remove(unit(), query.product, query.feature, query.group, dry_run=query.dry_run)
    return json_of(PoolRuleShown.of(rule))
