"""Rules: who may take licenses offline and for how long, which rule is in effect and why, and how concurrent seats are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, request, url_for
from pydantic import BeforeValidator, Field

from authority.domain import list_age
from authority.domain.members import Privilege
from authority.domain.offline_rules import MOST_DAYS, Rule, RuleLevel
from authority.domain.pools import PoolRule
from authority.domain.refusals import NotFound
from authority.presentation import sheets
from authority.presentation.policies import EffectiveShown, Rules, RuleShown
from authority.presentation.pools import Pools, PoolShown
from authority.services import policies, pools
from authority.services.policies import Explained
from authority.services.unit import Unit
from authority.web.answers import sheet
from authority.web.console.forms import Form, Text, as_typed, read
from authority.web.console.frame import confirm, done, here, page, see_other, shown_again, unit, visitor

pages = Blueprint("rules", __name__)

ON_A_PAGE = 100
MOST_SEATS = 10**9
Version = Annotated[str, Field(max_length=256)]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Seats = Annotated[int, Field(ge=0, le=MOST_SEATS)]
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


class Key(Form):
    level: RuleLevel = RuleLevel.ORGANIZATION
    subject: Text = ""
    product: Text = ""

    def names(self) -> tuple[str, str, str]:
        """Level, subject and product as the services take them."""
        return self.level, self.subject, self.product


class Changed(Form):
    version: Version | None = None

    def expected(self) -> list[str] | None:
        """The version that was seen when the form was opened, None when nothing was."""
        return None if self.version is None else [self.version]


class RemovedRule(Key, Changed):
    pass


class ChangedRule(Key, Changed):
    allowed: Literal["yes", "no"] | None = None
    longest_days: Days | None = None
    default_days: Days | None = None
    status_max_age: Annotated[int, BeforeValidator(list_age.seconds_of)] | None = None

    def changes(self) -> dict[str, Any]:
        """What is to be changed; what is None stays as it is."""
        allowed = None if self.allowed is None else self.allowed == "yes"
        days = {"longest_days": self.longest_days, "default_days": self.default_days}
        return {"allowed": allowed, **days, "status_max_age": self.status_max_age}


class PoolKey(Form):
    product: Text = ""
    feature: Text = ""
    group: Text = ""


class RemovedPoolRule(PoolKey, Changed):
    pass


class ChangedPoolRule(PoolKey, Changed):
    low_water: Seats = 0
    most_borrowed: Seats | None = None
    from_higher: bool = False
    reserved: Seats = 0
    maximum: Seats | None = None

    def rule(self) -> PoolRule:
        """The rule as it is to be."""
        numbers = self.low_water, self.most_borrowed, self.reserved, self.maximum
        return PoolRule(self.product, self.feature, self.group, *numbers, self.from_higher)


def _list(filters: Filters, explained: Explained | None, work: Unit) -> Response:
    rules, cursor = policies.listed(work, filters.cursor, ON_A_PAGE, level=filters.level)
    # The widest first; within a level as they are listed.
    order = list(reversed(RuleLevel))
    rules.sort(key=lambda item: order.index(item.level))
    return page(
        "rules.html",
        rules=Rules.of(rules, cursor),
        organization=policies.show(work, RuleLevel.ORGANIZATION, "", ""),
        effective=None if explained is None else EffectiveShown.of(explained),
        advice=None if explained is None else list_age.advice(explained.rule.status_max_age),
        pools=Pools.of(pools.states(work)),
        length=list_age.length,
        levels=order,
        products=list(work.authorization.products),
        wanted=as_typed(Filters, request.args),
        may_change=visitor().actor.has(Privilege.MANAGE_AUTHORITY),
        csv=here({"member": None, "product": None}, url_for("console.rules.as_csv")),
    )


def _without_trial() -> Response:
    return _list(Filters(), None, unit())


@pages.get("/rules")
@shown_again(_without_trial)
def index() -> Response:
    """The organization's switch, the rule in effect for a member and a product, and all rules."""
    filters, work = read(Filters, request.args), unit()
    is_asked = filters.member is not None and filters.product is not None
    explained = policies.explain(work, filters.member or "", filters.product or "") if is_asked else None
    return _list(filters, explained, work)


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


def _key() -> Key:
    return read(Key, request.form or request.args)


@pages.get("/rules/rule")
def rule() -> Response:
    """The form of a rule: as it is now, or empty for one that there is not yet."""
    visitor().actor.needs(Privilege.MANAGE_AUTHORITY)
    key, work = _key(), unit()
    is_named = key.level is RuleLevel.ORGANIZATION or bool(key.subject)
    known = policies.show(work, *key.names()) if is_named else None
    return page(
        "rules_rule.html",
        key=key,
        rule=None if known is None else RuleShown.of(known),
        title="New rule" if known is None else f"The rule of the {known.name()}",
        age="" if known is None or known.status_max_age is None else list_age.written(known.status_max_age),
        levels=[str(level) for level in reversed(RuleLevel) if level is not RuleLevel.ORGANIZATION],
        products=_products(work),
    )


def _products(work: Unit) -> list[str]:
    with work.reading():
        return list(work.authorization.products)


@pages.post("/rules/rule")
@shown_again(rule)
def change_rule() -> Response:
    """Says what a rule would be in place of what, then sets it."""
    form, work = read(ChangedRule), unit()
    before = policies.show(work, *form.names())
    work.expected = form.expected()
    would = policies.change(work, *form.names(), **form.changes(), dry_run=True)
    question = confirm(
        f"Set the rule of the {would.name()}?",
        who=WHO[would.level].format(would.subject),
        what=f"{would.product or 'all products'}: {would.words()}" if would.level is not RuleLevel.PRODUCT else would.words(),
        until="until it is changed or removed",
        consequences=[
            f"Before: {before.words()}" if before else "There is no such rule yet.",
            *_follows(would),
            *([work.note] if work.note else []),
        ],
        action="Set it",
        back=url_for("console.rules.index"),
        is_dangerous=would.level is RuleLevel.ORGANIZATION and would.allowed is False,
    )
    if question:
        return question
    made = policies.change(work, *form.names(), **form.changes())
    return done(url_for("console.rules.index"), f"The rule of the {made.name()} is: {made.words()}.", _try(made))


WHO = {
    RuleLevel.ORGANIZATION: "everybody, where no rule says otherwise",
    RuleLevel.PRODUCT: "everybody who uses {}, where no rule of a type, group or member says otherwise",
    RuleLevel.TYPE: "members of the type {}, where no rule of a group or member says otherwise",
    RuleLevel.GROUP: "members of the group {}, where no rule of a member says otherwise",
    RuleLevel.MEMBER: "the member {}",
}


def _follows(rule_: Rule) -> list[str]:
    """What a rule does, and what it does not do."""
    if rule_.level is RuleLevel.ORGANIZATION and rule_.allowed is False:
        return [
            "Nobody borrows or renews, whatever other rules say.",
            "What is out stays good until it ends, and can be given back; the page Offline revokes or releases it.",
            "Sessions go on, and new ones begin as before.",
        ]
    age = rule_.status_max_age
    strict = [f"Strict mode: {list_age.advice(age)}."] if age else []
    return ["It is for borrows and renewals from now on; what is out stays as it is.", *strict]


def _try(rule_: Rule) -> list[tuple[str, str]]:
    if rule_.level is not RuleLevel.MEMBER or not rule_.product:
        return []
    return [("See what is in effect", url_for("console.rules.index", member=rule_.subject, product=rule_.product))]


@pages.post("/rules/remove")
@shown_again(_without_trial)
def remove_rule() -> Response:
    """Says what decides without the rule, then removes it."""
    form, work = read(RemovedRule), unit()
    work.expected = form.expected()
    would = policies.remove(work, *form.names(), dry_run=True)
    question = confirm(
        f"Remove the rule of the {would.name()}?",
        who=WHO[would.level].format(would.subject),
        what=f"{would.product or 'all products'}: {would.words()}",
        until="from now on",
        consequences=[
            "The next level that has a rule decides: member, group, type, product, and at last the organization's.",
            "It is for borrows and renewals from now on; what is out stays as it is.",
        ],
        action="Remove it",
        back=url_for("console.rules.index"),
        is_dangerous=True,
    )
    if question:
        return question
    gone = policies.remove(work, *form.names())
    return done(url_for("console.rules.index"), f"The rule of the {gone.name()} is removed.")


@pages.get("/rules/pool")
def pool() -> Response:
    """The form of a rule about concurrent seats, for everybody or for one group."""
    visitor().actor.needs(Privilege.MANAGE_AUTHORITY)
    key, work = read(PoolKey, request.form or request.args), unit()
    if not key.product:
        return see_other(url_for("console.rules.index"))
    states = {(state.product, state.feature): state for state in Pools.of(pools.states(work)).items}
    state = states.get((key.product, key.feature))
    if state is None:
        raise NotFound(
            f'no concurrent product has the seats "{key.product} {key.feature}"', hint="Choose them on the page Rules."
        )
    share = next((item for item in state.groups if item.group == key.group), None)
    for_group = bool(key.group) or request.args.get("for") == "group"
    return page("rules_pool.html", state=state, share=share, group=key.group, for_group=for_group)


@pages.post("/rules/pool")
@shown_again(pool)
def change_pool() -> Response:
    """Says what a rule about concurrent seats would be in place of what, then sets it."""
    form, work = read(ChangedPoolRule), unit()
    work.expected = form.expected()
    would = pools.change(work, form.rule(), dry_run=True)
    question = confirm(
        f"Set the rule for {would.name()}?",
        who=f"members of the group {would.group_name}, and all others by what is kept from them"
        if would.group_name
        else "everybody",
        what=f"{would.product} {would.feature}: {would.words()}",
        until="until it is changed or removed",
        consequences=["Who has a seat keeps it.", *([f"{work.note}"] if work.note else [])],
        action="Set it",
        back=url_for("console.rules.index"),
    )
    if question:
        return question
    made = pools.change(work, form.rule())
    return done(url_for("console.rules.index"), f"The rule for {made.name()} is: {made.words()}.")


@pages.post("/rules/pool/remove")
@shown_again(_without_trial)
def remove_pool() -> Response:
    """Says what a rule about concurrent seats does until now, then removes it."""
    form, work = read(RemovedPoolRule), unit()
    work.expected = form.expected()
    would = pools.remove(work, form.product, form.feature, form.group, dry_run=True)
    question = confirm(
        f"Remove the rule for {would.name()}?",
        who=f"members of the group {would.group_name}" if would.group_name else "everybody",
        what=would.words(),
        until="from now on",
        consequences=["Seats are given as they come, first come, first served, unless another rule says otherwise."],
        action="Remove it",
        back=url_for("console.rules.index"),
        is_dangerous=True,
    )
    if question:
        return question
    gone = pools.remove(work, form.product, form.feature, form.group)
    return done(url_for("console.rules.index"), f"The rule for {gone.name()} is removed.")
