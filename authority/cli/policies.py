"""policy: who may take licenses offline, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import click

from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, show, show_count, show_note, show_table
from authority.cli.several import dry_run_option
from authority.domain import list_age
from authority.domain.members import CONSOLE
from authority.domain.offline_rules import VALUES, RuleLevel
from authority.presentation.policies import ChangedRule, EffectiveShown, RuleShown
from authority.services import policies
from authority.services.unit import Unit

COLUMNS: Columns[RuleShown] = {
    "level": lambda rule: rule.level,
    "for": lambda rule: rule.subject,
    "product": lambda rule: rule.product or "all",
    "offline": lambda rule: {True: "allowed", False: "not allowed", None: "as the organization's"}[rule.allowed],
    "longest days": lambda rule: rule.longest_days,
    "default days": lambda rule: rule.default_days,
    "status list": lambda rule: None if rule.status_max_age is None else list_age.words(rule.status_max_age),
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("status list", "default days", "longest days", "offline")


class Age(click.ParamType[int]):
    """`7d`, `36h`, or `none`, which is 0 seconds."""

    name = "age"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The age in seconds."""
        try:
            return value if isinstance(value, int) else list_age.seconds_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group(cls=Group)
def policy() -> None:
    """Who may take licenses offline, and for how long."""


def _selectors(function: Callable[..., None]) -> Callable[..., None]:
    """--member, --group, --type, --product: whom the rule is for; none of them means the organization."""
    for name, text in (
        ("--product", "For this product; alone: the product's rule for everybody."),
        ("--type", "For members of this user type."),
        ("--group", "For members of this group."),
        ("--member", "For this member."),
    ):
        function = click.option(name, metavar="NAME", help=text)(function)
    return function


def _key(member: str | None, group: str | None, user_type: str | None, product: str | None) -> tuple[RuleLevel, str, str]:
    """Level, subject and product that the selectors mean."""
    # A script's empty variable must not become the rule for everybody.
    if "" in (member, group, user_type, product):
        raise click.UsageError("--member, --group, --type and --product each need a name")
    named = [
        (level, subject)
        for level, subject in ((RuleLevel.MEMBER, member), (RuleLevel.GROUP, group), (RuleLevel.TYPE, user_type))
        if subject
    ]
    if len(named) > 1:
        raise click.UsageError("a rule is for one of --member, --group and --type")
    if named:
        return (*named[0], product or "")
    return (RuleLevel.PRODUCT, product, "") if product else (RuleLevel.ORGANIZATION, "", "")


@policy.command("show")
@pass_frame
def show_policies(frame: Frame) -> None:
    """Show all rules."""
    with frame.authority() as authority:
        rows = [RuleShown.of(rule) for rule in policies.listed(Unit(authority, CONSOLE))[0]]
    show_table(frame, rows, COLUMNS, MAY_GO)
    show_count(frame, len(rows), "rule")


@policy.command("set")
@_selectors
@click.option("--allow/--deny", "allowed", default=None, help="Whether licenses may be taken offline at all.")
@click.option("--longest-days", type=int, metavar="N", help="The longest borrow.")
@click.option("--default-days", type=int, metavar="N", help="What is given when nobody says how long.")
@click.option(
    "--status-max-age", type=Age(), metavar="AGE", help="Strict mode: no older status list is good: 7d, 36h, or none."
)
@click.option(
    "--inherit",
    multiple=True,
    type=click.Choice([name.replace("_", "-") for name in VALUES]),
    help="Set this no longer: it is again as the organization's rule says. Can be repeated.",
)
@dry_run_option
@pass_frame
def set_policy(
    frame: Frame,
    member: str | None,
    group: str | None,
    type: str | None,  # noqa: A002 - the option's name
    product: str | None,
    allowed: bool | None,
    longest_days: int | None,
    default_days: int | None,
    status_max_age: int | None,
    inherit: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Change a rule, or make it; borrows already out stay as they are.

    Without a selector it is the organization's: --deny there turns offline use off for everybody.
    """
    if (allowed, longest_days, default_days, status_max_age, inherit) == (None, None, None, None, ()):
        raise click.UsageError(
            "say what to change: --allow, --deny, --longest-days, --default-days, --status-max-age or --inherit"
        )
    key = _key(member, group, type, product)
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        rule = policies.change(
            unit,
            *key,
            allowed=allowed,
            longest_days=longest_days,
            default_days=default_days,
            status_max_age=status_max_age,
            inherit=[name.replace("-", "_") for name in inherit],
            dry_run=dry_run,
        )
    line = f"{rule.name()}: {rule.words()}"
    show(frame, ChangedRule.noted(rule, unit.note), [f"would be: {line}" if dry_run else line])
    show_note(unit.note)


@policy.command("remove")
@_selectors
@dry_run_option
@pass_frame
def remove_policy(
    frame: Frame,
    member: str | None,
    group: str | None,
    type: str | None,  # noqa: A002
    product: str | None,
    dry_run: bool,
) -> None:
    """Remove a rule, so that the next level decides."""
    with frame.authority() as authority:
        rule = policies.remove(Unit(authority, CONSOLE), *_key(member, group, type, product), dry_run=dry_run)
    show(frame, RuleShown.of(rule), [f"{'would remove' if dry_run else 'removed'} {rule.name()}: {rule.words()}"])


@policy.command("explain")
@click.argument("member")
@click.argument("product")
@pass_frame
def explain(frame: Frame, member: str, product: str) -> None:
    """Say which rule is in effect for a member and a product, and why."""
    with frame.authority() as authority:
        explained = policies.explain(Unit(authority, CONSOLE), member, product)
    advice = list_age.advice(explained.rule.status_max_age if explained.rule.allowed else None)
    show(frame, EffectiveShown.of(explained), [explained.text, *([] if advice is None else [advice])])
