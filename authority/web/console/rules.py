"""Rules: who may take licenses offline and for how long, which rule is in effect and why, and how concurrent seats are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain import list_age
from authority.domain.members import Privilege
from authority.domain.offline_rules import RuleLevel
from authority.domain.refusals import InvalidInput
from authority.presentation import sheets
from authority.presentation.policies import EffectiveShown, Rules, RuleShown
from authority.presentation.pools import Pools, PoolShown
from authority.services import policies, pools
from authority.services.policies import Explained
from authority.services.unit import Unit
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, as_typed, read
from authority.web.console.frame import here, page, shown_again
from authority.web.console.visiting import unit, visitor
from authority.web.problems import InvalidValues

pages = Blueprint("rules", __name__)

ON_A_PAGE = 100
ORDER = list(reversed(RuleLevel))
POOL_COLUMNS = (
    *("product", "feature", "group", "licensed", "in_use", "borrowed", "borrowable"),
    *("low_water", "most_borrowed", "from_higher", "reserved", "maximum"),
)


class Filters(Form):
    level: RuleLevel | None = None
    cursor: str | None = Field(None, max_length=1024)
    # Whose rule in effect for which product is asked for.
    member: Text | None = None
    product: Text | None = None


def _rules(filters: Filters, work: Unit) -> Rules:
    """A page of the rules, the widest first; within a level as they are listed."""
    rules, cursor = policies.listed(work, filters.cursor, ON_A_PAGE, level=filters.level)
    return Rules.of(sorted(rules, key=lambda item: ORDER.index(item.level)), cursor)


def _page(rules: Rules | None, explained: Explained | None, work: Unit) -> Response:
    """The page; without the list of rules, where something is wrong with its filter."""
    return page(
        "rules.html",
        rules=rules,
        organization=policies.show(work, RuleLevel.ORGANIZATION, "", ""),
        effective=None if explained is None else EffectiveShown.of(explained),
        advice=None if explained is None else list_age.advice(explained.rule.status_max_age),
        pools=Pools.of(pools.states(work)),
        length=list_age.length,
        levels=ORDER,
        products=list(visitor().products.items()),
        wanted=as_typed(Filters, request.args),
        may_change=visitor().actor.has(Privilege.MANAGE_AUTHORITY),
        csv=here({"member": None, "product": None}, url_for("console.rules.as_csv")),
    )


def _without_trial() -> Response:
    """What is wrong with the member or the product leaves the list as it was filtered; with anything else there is none."""
    work = unit()
    try:
        filters = read(Filters, request.args)
        rules = _rules(filters, work)
    except (InvalidValues, InvalidInput):
        rules = None
    return _page(rules, None, work)


@pages.get("/rules")
@shown_again(_without_trial)
def index() -> Response:
    """The organization's switch, the rule in effect for a member and a product, and all rules."""
    filters, work = read(Filters, request.args), unit()
    is_asked = filters.member is not None and filters.product is not None
    explained = policies.explain(work, filters.member or "", filters.product or "") if is_asked else None
    return _page(_rules(filters, work), explained, work)


@pages.get("/rules.csv")
def as_csv() -> Response:
    """The rules about offline use, of one level or all."""
    rules, _ = policies.listed(unit(), level=read(Filters, request.args).level)
    return sheet(sheets.lines_of(RuleShown, map(RuleShown.of, rules)), "rules.csv")


@pages.get("/rules/pools.csv")
def pools_csv() -> Response:
    """The seats of concurrent products with the rules about them: a row for everybody, and one for each group that has a rule."""
    states = Pools.of(pools.states(unit())).items
    return sheet(sheets.lines(POOL_COLUMNS, (row for state in states for row in _pool_rows(state))), "pools.csv")


def _pool_rows(state: PoolShown) -> Iterator[dict[str, Any]]:
    row = state.model_dump()
    yield {**row, "group": None, "reserved": None, "maximum": None}
    names = ("product", "feature", "licensed")
    for share in state.groups:
        yield {**dict.fromkeys(POOL_COLUMNS), **{name: row[name] for name in names}, **share.model_dump()}
