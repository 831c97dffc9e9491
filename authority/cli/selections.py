"""Options that say which members are meant, for all commands that list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import click

from authority.domain.members import CONSOLE, DownloadPermission, Role
from authority.services import member_lists
from authority.services.context import Authority
from authority.services.member_lists import Page
from authority.services.unit import Unit
from authority.storage.member_lists import Filter

Function = TypeVar("Function", bound=Callable[..., Any])
OPTIONS = (
    click.option("--search", metavar="TEXT", help="A part of the user name, the full name or a group, whatever its case."),
    click.option("--type", "user_type", metavar="TYPE", help="Of this user type."),
    click.option("--role", type=click.Choice([str(role) for role in Role])),
    click.option("--group", metavar="GROUP", help="In this group."),
    click.option(
        "--download",
        type=click.Choice([str(word) for word in DownloadPermission]),
        help="Who asks to download software, or may.",
    ),
    click.option("--disabled/--enabled", default=None, help="Those alone who cannot sign in and borrow, or who can."),
    click.option(
        "--offline/--not-offline", default=None, help="Those alone who have a license of any product offline, or none."
    ),
    click.option(
        "--unused-for",
        type=click.IntRange(0, 36_500),
        metavar="DAYS",
        help="Those alone who used no license for so many days; not who is offline.",
    ),
)


def selection_options(command: Function) -> Function:
    """The command with an option for each way to say which members are meant; they come by their names."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def selected(authority: Authority, selection: Mapping[str, Any]) -> Page:
    """All members that the options let through, on one page."""
    days, wanted = selection["unused_for"], {name: value for name, value in selection.items() if name != "unused_for"}
    # A script's empty variable must not become a list of everybody.
    if "" in wanted.values():
        raise click.UsageError("--search, --type and --group each need a name")
    span = None if days is None else timedelta(days=days)
    return member_lists.page(Unit(authority, CONSOLE), Filter(**wanted), unused_for=span)
