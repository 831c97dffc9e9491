"""/policies: who may take licenses offline, and for how long."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering
from authority.services import policies
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.policies import EffectiveQuery, EffectiveShown, RuleBody, RuleQuery, Rules, RuleShown, RulesQuery

api = APIBlueprint(
    "policies", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


@api.get("/policies", summary="The rules about offline use", responses={200: Rules})
def listed(query: RulesQuery) -> dict[str, Any]:
    """By level, subject and product; the organization's is always among them."""
    found, cursor = policies.listed(authority(), actor(), query.cursor, query.limit)
    return {"items": [rendering.rule(item) for item in found], "next": cursor}


@api.put("/policies", summary="Change a rule, or make it", responses={200: RuleShown})
def change(body: RuleBody) -> dict[str, Any]:
    """What is left out stays as it is, and so do borrows already out. The organization's rule is the switch for everybody."""
    found = policies.change(
        authority(),
        actor(),
        body.level,
        body.subject,
        body.product,
        allowed=body.allowed,
        longest_days=body.longest_days,
        default_days=body.default_days,
    )
    return rendering.rule(found)


@api.delete("/policies", summary="Remove a rule, so that the next level decides", responses={200: RuleShown})
def remove(query: RuleQuery) -> dict[str, Any]:
    """Answers with the rule that was there. The organization's stays."""
    return rendering.rule(policies.remove(authority(), actor(), query.level, query.subject, query.product))


@api.get("/policies/effective", summary="Which rule is in effect for a member, and why", responses={200: EffectiveShown})
def effective(query: EffectiveQuery) -> dict[str, Any]:
    """Members may ask for themselves."""
    return rendering.explained(policies.explain(authority(), actor(), query.member, query.product))
