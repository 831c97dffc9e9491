"""policy: who may take licenses offline, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from authority.cli.frame import Frame, Group, pass_frame, show, show_table
from authority.domain.members import CONSOLE
from authority.domain.offline_rules import RuleLevel
from authority.presentation import rendering
from authority.services import policies


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
    given = [
        (level, subject)
        for level, subject in ((RuleLevel.MEMBER, member), (RuleLevel.GROUP, group), (RuleLevel.TYPE, user_type))
        if subject
    ]
    if len(given) > 1:
        raise click.UsageError("a rule is for one of --member, --group and --type")
    if given:
        return (*given[0], product or "")
    return (RuleLevel.PRODUCT, product, "") if product else (RuleLevel.ORGANIZATION, "", "")


@policy.command("show")
@pass_frame
def show_policies(frame: Frame) -> None:
    """Show all rules."""
    with frame.authority() as authority:
        rows = [rendering.rule(found) for found in policies.listed(authority, CONSOLE)[0]]
    columns: dict[str, Callable[[dict[str, Any]], object]] = {
        "level": lambda row: row["level"],
        "for": lambda row: row["subject"],
        "product": lambda row: row["product"] or "all",
        "offline": lambda row: "not allowed" if row["allowed"] is False else "allowed",
        "longest days": lambda row: row["longest_days"],
        "default days": lambda row: row["default_days"],
    }
    show_table(frame, rows, columns)


@policy.command("set")
@_selectors
@click.option("--allow/--deny", "allowed", default=None, help="Whether licenses may be taken offline at all.")
@click.option("--longest-days", type=int, metavar="N", help="The longest borrow.")
@click.option("--default-days", type=int, metavar="N", help="What is given when nobody says how long.")
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
) -> None:
    """Change a rule, or make it; borrows already out stay as they are.

    Without a selector it is the organization's: --deny there turns offline use off for everybody.
    """
    if (allowed, longest_days, default_days) == (None, None, None):
        raise click.UsageError("say what to change: --allow, --deny, --longest-days or --default-days")
    key = _key(member, group, type, product)
    with frame.authority() as authority:
        rule = policies.change(authority, CONSOLE, *key, allowed=allowed, longest_days=longest_days, default_days=default_days)
    show(frame, rendering.rule(rule), [f"{rule.name()}: {rule.words()}"])


@policy.command("remove")
@_selectors
@pass_frame
def remove_policy(
    frame: Frame,
    member: str | None,
    group: str | None,
    type: str | None,  # noqa: A002
    product: str | None,
) -> None:
    """Remove a rule, so that the next level decides."""
    with frame.authority() as authority:
        rule = policies.remove(authority, CONSOLE, *_key(member, group, type, product))
    show(frame, rendering.rule(rule), [f"removed {rule.name()}"])


@policy.command("explain")
@click.argument("member")
@click.argument("product")
@pass_frame
def explain(frame: Frame, member: str, product: str) -> None:
    """Say which rule is in effect for a member and a product, and why."""
    with frame.authority() as authority:
        found = policies.explain(authority, CONSOLE, member, product)
    show(frame, rendering.explained(found), [found.text])
