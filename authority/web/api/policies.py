"""/policies: who may take licenses offline, and for how long."""

from typing import Literal

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.domain.list_age import MOST_AGE
from authority.domain.offline_rules import MOST_DAYS, VALUES, RuleLevel
from authority.presentation.policies import ChangedRule, EffectiveShown, Rules, RuleShown
from authority.services import policies
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, DryRunQuery, Name, NameCursor, PageQuery, Problem, Query, Text

api = APIBlueprint(
    "policies", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


class RulesQuery(PageQuery):
    cursor: NameCursor | None = None


class RuleQuery(DryRunQuery):
    level: RuleLevel
    subject: Name = ""
    product: Text = Field("", max_length=64, description="empty: the rule for all products")


class RuleBody(Body):
    level: RuleLevel = Field(strict=False, description="the most specific one that has a rule wins")
    subject: Name = Field("", description="which member, group, user type or product; empty for the organization")
    product: Text = Field("", max_length=64, description="empty: for all products, or the level says it")
    allowed: bool | None = Field(None, description="whether licenses may be taken offline at all; null: stays as it is")
    longest_days: int | None = Field(None, ge=1, le=MOST_DAYS, description="null: stays as it is")
    default_days: int | None = Field(None, ge=1, le=MOST_DAYS, description="null: stays as it is")
    status_max_age: int | None = Field(
        None, ge=0, le=MOST_AGE, description="seconds that a status list may be old; 0: none is demanded; null: stays as it is"
    )
    inherit: list[Literal["allowed", "longest_days", "default_days", "status_max_age"]] = Field(
        [], max_length=len(VALUES), description="what is no longer set here, and again as the organization's rule says"
    )


class EffectiveQuery(Query):
    member: Name
    product: Text = Field(max_length=64)


@api.get("/policies", summary="The rules about offline use", responses={200: Rules})
def listed(query: RulesQuery) -> Response:
    """By level, subject and product; the organization's is always among them."""
    page, cursor = policies.listed(unit(), query.cursor, query.limit)
    return json_of(Rules.of(page, cursor))


@api.put("/policies", summary="Change a rule, or make it", responses={200: ChangedRule, 412: Problem})
def change(query: DryRunQuery, body: RuleBody) -> Response:
    """What is left out stays as it is, and so do borrows already out. The organization's rule is the switch for everybody."""
    use_case = unit()
    rule = policies.change(
        use_case,
        body.level,
        body.subject,
        body.product,
        allowed=body.allowed,
        longest_days=body.longest_days,
        default_days=body.default_days,
        status_max_age=body.status_max_age,
        inherit=body.inherit,
        dry_run=query.dry_run,
    )
    return json_of(ChangedRule.noted(rule, use_case.note))


@api.delete("/policies", summary="Remove a rule, so that the next level decides", responses={200: RuleShown, 412: Problem})
def remove(query: RuleQuery) -> Response:
    """Answers with the rule that was there. The organization's stays."""
    rule = policies.remove(unit(), query.level, query.subject, query.product, dry_run=query.dry_run)
    return json_of(RuleShown.of(rule))


@api.get("/policies/effective", summary="Which rule is in effect for a member, and why", responses={200: EffectiveShown})
def effective(query: EffectiveQuery) -> Response:
    """Members may ask for themselves."""
    return json_of(EffectiveShown.of(policies.explain(unit(), query.member, query.product)))
