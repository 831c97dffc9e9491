"""/pools: how the seats of concurrent products may be used."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.domain.pools import PoolRule
from authority.presentation import rendering
from authority.services import pools
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.pools import PoolQuery, PoolRuleBody, PoolRuleQuery, PoolRuleShown, Pools

api = APIBlueprint(
    "pools", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


@api.get("/pools", summary="Seats in use, and what the rules keep back", responses={200: Pools})
def listed(query: PoolQuery) -> dict[str, Any]:
    """Every level and extension of every concurrent product, or of one."""
    found = pools.shown(authority(), actor(), query.product)
    return {"items": [rendering.pool(item) for item in found], "next": None}


@api.put("/pools", summary="Set a rule about seats", responses={200: PoolRuleShown})
def put(body: PoolRuleBody) -> dict[str, Any]:
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
    return rendering.pool_rule(pools.change(authority(), actor(), wanted))


@api.delete("/pools", summary="Remove a rule about seats", responses={200: PoolRuleShown})
def remove(query: PoolRuleQuery) -> dict[str, Any]:
    """Answers with the rule that was there."""
    return rendering.pool_rule(pools.remove(authority(), actor(), query.product, query.feature, query.group))
