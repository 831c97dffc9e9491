"""member, license, api-key: people and what they hold."""

from __future__ import annotations

from typing import Any

import click

from authority import rendering
from authority.cli.frame import Frame, Group, pass_frame, show, show_table
from authority.domain.members import CONSOLE, Role
from authority.services import access, members
from authority.services.members import NewMember


@click.group(cls=Group)
def member() -> None:
    """Add and list members."""


@member.command("add")
@click.argument("username")
@click.option("--name", "full_name", default="", metavar="NAME", help="Full name.")
@click.option("--type", "user_type", metavar="TYPE", help="User type; default: Creator.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default=str(Role.MEMBER), show_default=True)
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="May be given several times.")
@click.option("--password-file", metavar="FILE", help="Sets the password to the first line of the file; - reads stdin.")
@pass_frame
def add(
    frame: Frame,
    username: str,
    full_name: str,
    user_type: str | None,
    role: str,
    groups: tuple[str, ...],
    password_file: str | None,
) -> None:
    """Add a member; without a password nobody can sign in as this member."""
    password = None if password_file is None else _first_line(password_file)
    new = NewMember(username, full_name, user_type, Role(role), groups, password)
    with frame.authority() as authority:
        found = members.add(authority, CONSOLE, new)
    show(frame, rendering.member(found), [f"added {found.username} as {found.user_type}, {found.role}"])


def _first_line(name: str) -> str:
    """Passwords come from files and never as arguments, which other users of the machine can read."""
    try:
        with click.open_file(name, encoding="utf-8") as stream:
            return str(stream.readline()).rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{name} cannot be read") from error


@member.command("list")
@pass_frame
def list_members(frame: Frame) -> None:
    """List all members."""
    with frame.authority() as authority:
        rows = [rendering.member(found) for found in members.listed(authority, CONSOLE)]
    columns = ("username", "full_name", "user_type", "role", "groups", "created_at")
    show_table(frame, rows, {name: _member_of(name) for name in columns})


def _member_of(name: str) -> Any:
    return lambda row: row[name]


@click.group(cls=Group, name="license")
def license_group() -> None:
    """Assign licenses."""


@license_group.command("assign")
@click.argument("username")
@click.argument("product")
@click.option("--level", metavar="LEVEL", help="Default: the level held now.")
@click.option("--extension", "extensions", multiple=True, metavar="CODE", help="May be given several times.")
@pass_frame
def assign(frame: Frame, username: str, product: str, level: str | None, extensions: tuple[str, ...]) -> None:
    """Give a member a level and extensions of a named product, in place of what the member held of it."""
    with frame.authority() as authority:
        held = members.assign(authority, CONSOLE, username, product, level, extensions)
    value = {"member": username, "product": held.product, "level": held.level, "extensions": list(held.extensions)}
    show(frame, value, [f"{username} holds {held.product}: {', '.join((held.level, *held.extensions))}"])


@click.group(cls=Group, name="api-key")
def api_key() -> None:
    """Make keys for programs."""


@api_key.command("create")
@click.argument("username")
@click.option("--name", required=True, metavar="TEXT", help="What the key is for.")
@pass_frame
def create(frame: Frame, username: str, name: str) -> None:
    """Make an API key that acts as the member; it is shown this once."""
    with frame.authority() as authority:
        secret, found = access.create_api_key(authority, CONSOLE, username, name)
    value = {"id": found.id, "name": found.name, "member": username, "api_key": secret}
    show(frame, value, [f"API key {found.id} ({found.name}) acts as {username}; shown this once:", secret])


def add_commands(cli: click.Group) -> None:
    """Adds the commands of this module."""
    for group in (member, license_group, api_key):
        cli.add_command(group)
