"""A rule about offline use: its form, and setting and removing it, with what follows first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response, request, url_for
from pydantic import BeforeValidator, Field

from authority.domain import list_age, versions
from authority.domain.members import Privilege
from authority.domain.offline_rules import MOST_DAYS, Rule, RuleLevel
from authority.presentation.policies import RuleShown
from authority.services import policies
from authority.web.console.forms import Changed, Form, Text, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.visiting import product_name, unit, visitor

pages = Blueprint("offline_rules", __name__)

Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


class Key(Form):
    level: RuleLevel = RuleLevel.ORGANIZATION
    subject: Text = ""
    product: Text = ""

    def names(self) -> tuple[str, str, str]:
        """Level, subject and product as the services take them."""
        return self.level, self.subject, self.product


class RemovedRule(Key, Changed):
    pass


class ChangedRule(Key, Changed):
    allowed: Literal["yes", "no"] | None = None
    longest_days: Days | None = None
    default_days: Days | None = None
    status_max_age: Annotated[int, BeforeValidator(list_age.seconds_of)] | None = None
    # The form had all values of the rule: one that is empty was emptied.
    whole: bool = False

    def changes(self) -> dict[str, Any]:
        """What is to be changed; what is None stays as it is, or where the whole rule was shown is as the organization's says."""
        allowed = None if self.allowed is None else self.allowed == "yes"
        days = {"longest_days": self.longest_days, "default_days": self.default_days}
        values = {"allowed": allowed, **days, "status_max_age": self.status_max_age}
        inherit = [name for name, value in values.items() if value is None] if self.whole else []
        return {**values, "inherit": inherit}


@pages.get("/rules/rule")
def rule() -> Response:
    """The form of a rule: as it is now, or empty for one that there is not yet."""
    visitor().actor.needs(Privilege.MANAGE_AUTHORITY)
    key, work = read(Key, request.form or request.args), unit()
    is_named = key.level is RuleLevel.ORGANIZATION or bool(key.subject)
    known = policies.show(work, *key.names()) if is_named else None
    return page(
        "rules_rule.html",
        key=key,
        rule=None if known is None else RuleShown.of(known),
        unset=versions.NONE,
        title="New rule" if known is None else f"The rule of the {known.name()}",
        age="" if known is None or known.status_max_age is None else list_age.written(known.status_max_age),
        levels=[str(level) for level in reversed(RuleLevel) if level is not RuleLevel.ORGANIZATION],
        products=list(visitor().products.items()),
    )


@pages.post("/rules/rule")
@shown_again(rule, left=rule)
def change_rule() -> Response:
    """Says what a rule would be in place of what, then sets it."""
    form, work = read(ChangedRule), unit()
    before = policies.show(work, *form.names())
    work.expected = form.expected()
    would = policies.change(work, *form.names(), **form.changes(), dry_run=True)
    question = confirm(
        f"Set the rule of the {would.name()}?",
        who=_who(would),
        what=f"{product_name(would.product) or 'all products'}: {would.words()}"
        if would.level is not RuleLevel.PRODUCT
        else would.words(),
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


def _who(rule_: Rule) -> str:
    """Whom a rule is for; the switch of the organization is for all, whatever other rules say."""
    if rule_.level is RuleLevel.ORGANIZATION and rule_.allowed is False:
        return "everybody"
    return WHO[rule_.level].format(rule_.subject)


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
@shown_again(rule)
def remove_rule() -> Response:
    """Says what decides without the rule, then removes it."""
    form, work = read(RemovedRule), unit()
    work.expected = form.expected()
    would = policies.remove(work, *form.names(), dry_run=True)
    question = confirm(
        f"Remove the rule of the {would.name()}?",
        who=_who(would),
        what=f"{product_name(would.product) or 'all products'}: {would.words()}",
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
