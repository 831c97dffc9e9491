"""A rule about concurrent seats, for everybody or for one group: its form, and setting and removing it, with what follows first."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import Privilege
from authority.domain.pools import PoolRule
from authority.domain.refusals import NotFound
from authority.presentation.pools import Pools
from authority.services import pools
from authority.web.console.forms import Changed, Form, Text, read
from authority.web.console.frame import confirm, done, page, see_other, shown_again
from authority.web.console.visiting import product_name, unit, visitor

pages = Blueprint("pool_rules", __name__)

MOST_SEATS = 10**9
Seats = Annotated[int, Field(ge=0, le=MOST_SEATS)]


class PoolKey(Form):
    product: Text = ""
    feature: Text = ""
    group: Text = ""


class PoolPage(PoolKey):
    # A rule for a group that is still to be named.
    for_: Literal["group"] | None = Field(None, alias="for")


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


@pages.get("/rules/pool")
def pool() -> Response:
    """The form of a rule about concurrent seats, for everybody or for one group."""
    visitor().actor.needs(Privilege.MANAGE_AUTHORITY)
    key, work = read(PoolPage, request.form or request.args), unit()
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
    return page(
        "rules_pool.html",
        state=state,
        share=share,
        unset=PoolRule(key.product, key.feature).version,
        group=key.group,
        for_group=for_group,
    )


@pages.post("/rules/pool")
@shown_again(pool, left=pool)
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
        what=f"{product_name(would.product)} {would.feature}: {would.words()}",
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
@shown_again(pool)
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
