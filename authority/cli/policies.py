"""policy: how long licenses may be away."""

from __future__ import annotations

from typing import Any

import click

from authority.cli.frame import Frame, Group, pass_frame, show
from authority.domain.members import CONSOLE
from authority.domain.offline_rules import OfflineRule
from authority.services import policies


@click.group(cls=Group)
def policy() -> None:
    """How long licenses may be away."""


@policy.command("show")
@pass_frame
def show_policy(frame: Frame) -> None:
    """Show the organization's rule."""
    with frame.authority() as authority:
        rule = policies.show(authority)
    show(frame, _as_json(rule), [_line(rule)])


@policy.command("set")
@click.option("--allow/--deny", "allowed", default=None, help="Whether licenses may be taken offline at all.")
@click.option("--longest-days", type=int, metavar="N", help="The longest borrow.")
@click.option("--default-days", type=int, metavar="N", help="What is given when nobody says how long.")
@pass_frame
def set_policy(frame: Frame, allowed: bool | None, longest_days: int | None, default_days: int | None) -> None:
    """Change the organization's rule; borrows already out stay as they are."""
    if (allowed, longest_days, default_days) == (None, None, None):
        raise click.UsageError("say what to change: --allow, --deny, --longest-days or --default-days")
    with frame.authority() as authority:
        rule = policies.change(authority, CONSOLE, allowed=allowed, longest_days=longest_days, default_days=default_days)
    show(frame, _as_json(rule), [_line(rule)])


def _as_json(rule: OfflineRule) -> dict[str, Any]:
    return {
        "level": rule.decided_by,
        "allowed": rule.allowed,
        "longest_days": rule.longest_days,
        "default_days": rule.default_days,
    }


def _line(rule: OfflineRule) -> str:
    if not rule.allowed:
        return f"{rule.decided_by}: offline use is not allowed; borrows already out can be checked in"
    return f"{rule.decided_by}: longest borrow {rule.longest_days} days, default {rule.default_days} days"


def add_commands(cli: click.Group) -> None:
    """Adds the commands of this module."""
    cli.add_command(policy)
