"""member: people."""

from __future__ import annotations

from typing import Any

import click

from authority.cli.erasure import erase_member
from authority.cli.files import first_line
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, fields, show, show_table
from authority.cli.selections import selected, selection_options
from authority.cli.several import View, members_once, one_by_one_option, show_outcomes
from authority.cli.streams import tell
from authority.cli.table import CommandTable
from authority.domain.activity import Dot
from authority.domain.changes import differences
from authority.domain.members import CONSOLE, DownloadPermission, Role
from authority.domain.names import key_of
from authority.domain.plurals import counted
from authority.presentation.licenses import AssignmentShown
from authority.presentation.member_sheet import license_text
from authority.presentation.members import (
    ChangedMember,
    ListedMember,
    MembershipShown,
    MemberShown,
    MemberWithLicenses,
    Numbers,
)
from authority.services import member_changes, members
from authority.services.member_changes import Change, Changed
from authority.services.members import NewMember
from authority.services.unit import Unit

# More than anybody types, and an end for what has none.
LONGEST_SECRET = 64 * 1024
OTHERS = CommandTable(
    {
        "import": "authority.cli.member_files:import_members",
        "export": "authority.cli.member_files:export_members",
        "remove": "authority.cli.member_removal:remove_members",
        "defaults": "authority.cli.member_defaults:member_defaults",
    }
)
COLUMNS: Columns[ListedMember] = {
    "id": lambda member: member.id,
    "username": lambda member: member.username,
    "full_name": lambda member: member.full_name,
    "email": lambda member: member.email,
    "user_type": lambda member: member.user_type,
    "role": lambda member: member.role,
    "groups": lambda member: member.groups,
    "licenses": lambda member: [license_text(item) for item in member.licenses],
    "last used": lambda member: member.last_used_at or "never",
    "state": lambda member: "disabled" if member.disabled else "" if member.state is Dot.NONE else member.state,
}


# What a narrow window has no room for, the least wanted first.
MAY_GO = ("id", "email", "groups", "last used", "role", "licenses", "full_name", "user_type")


@click.group(cls=Group, commands=OTHERS)
def member() -> None:
    """Add, change, list and remove members."""


@member.command("add")
@click.argument("username")
@click.option("--name", "full_name", default="", metavar="NAME", help="Full name.")
@click.option("--email", default="", metavar="ADDRESS", help="Where notices about the member's own borrows go.")
@click.option("--type", "user_type", metavar="TYPE", help="User type; default: what member defaults says.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), help="Default: what member defaults says.")
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="May be given several times.")
@click.option(
    "--password-file", metavar="FILE", help="Sets the password to the first line of the file; - asks for it, or reads stdin."
)
@pass_frame
def add(
    frame: Frame,
    username: str,
    full_name: str,
    email: str,
    user_type: str | None,
    role: str | None,
    groups: tuple[str, ...],
    password_file: str | None,
) -> None:
    """Add a member; without a password nobody can sign in as this member."""
    password = None if password_file is None else first_line(password_file, "password", LONGEST_SECRET, confirmed=True)
    new = NewMember(username, full_name, user_type, Role(role) if role else None, groups or None, password, email=email)
    with frame.authority() as authority:
        added = MemberShown.of(members.add(Unit(authority, CONSOLE), new))
    show(frame, added, [f"added {added.username} as {added.user_type}, {added.role}"])


@member.command("set")
@click.argument("usernames", metavar="USERNAME...", nargs=-1, required=True)
@click.option("--name", "full_name", metavar="NAME", help="Full name.")
@click.option("--email", metavar="ADDRESS", help="Where notices about the member's own borrows go; empty: none.")
@click.option("--type", "user_type", metavar="TYPE", help="User type; takes and gives licenses by the authorization's table.")
@click.option("--role", type=click.Choice([str(role) for role in Role]))
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="The groups from now on; may be given several times.")
@click.option("--no-groups", is_flag=True, help="In no group from now on.")
@click.option("--add-group", "added_groups", multiple=True, metavar="GROUP", help="In this group too, beside those of now.")
@click.option("--remove-group", "removed_groups", multiple=True, metavar="GROUP", help="In this group no longer.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether the member can sign in and borrow.")
@click.option("--vendor-access/--no-vendor-access", default=None, help="Whether the member may sign in to the vendor's sites.")
@click.option(
    "--download", type=click.Choice([str(word) for word in DownloadPermission]), help="The permission to download software."
)
@click.option(
    "--password-file", metavar="FILE", help="Sets the password to the first line of the file; - asks for it, or reads stdin."
)
@click.option("--forget-identities", is_flag=True, help="Forget who the member is at providers by which members sign in.")
@click.option("--revoke-keys", is_flag=True, help="Revoke the API keys of the member too, as after a theft.")
@one_by_one_option
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@pass_frame
def set_members(
    frame: Frame,
    usernames: tuple[str, ...],
    full_name: str | None,
    email: str | None,
    user_type: str | None,
    role: str | None,
    groups: tuple[str, ...],
    no_groups: bool,
    added_groups: tuple[str, ...],
    removed_groups: tuple[str, ...],
    enabled: bool | None,
    vendor_access: bool | None,
    download: str | None,
    password_file: str | None,
    forget_identities: bool,
    revoke_keys: bool,
    one_by_one: bool,
    dry_run: bool,
) -> int:
    """Change members, all or none, and show what it does to the licenses."""
    names = members_once(usernames)
    if bool(groups) + no_groups + bool(added_groups or removed_groups) > 1:
        raise click.UsageError(
            "say one of --group, --no-groups, and --add-group or --remove-group: the first two name all groups"
        )
    if {key_of(name) for name in added_groups} & {key_of(name) for name in removed_groups}:
        raise click.UsageError("--add-group and --remove-group name the same group")
    if len(names) > 1 and any(value is not None for value in (full_name, email, password_file)):
        raise click.UsageError("--name, --email and --password-file are for one member")
    wanted = Change(
        full_name=full_name,
        email=email,
        user_type=user_type,
        role=Role(role) if role else None,
        groups=() if no_groups else groups or None,
        disabled=None if enabled is None else not enabled,
        vendor_access=vendor_access,
        download_permission=DownloadPermission(download) if download else None,
        password=None if password_file is None else first_line(password_file, "password", LONGEST_SECRET, confirmed=True),
        added_groups=added_groups,
        removed_groups=removed_groups,
        revoke_keys=revoke_keys,
        forget_identities=forget_identities,
    )
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        outcomes = member_changes.change_several(unit, names, wanted, one_by_one=one_by_one, dry_run=dry_run)
    view = View[str, Changed, ChangedMember](
        names=lambda name: {"username": name},
        resource="change",
        shown=lambda changed: ChangedMember.of(changed, dry_run=dry_run),
        lines=_changed_lines,
        verb=("changed", "would change"),
    )
    return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


@member.command("rename")
@click.argument("username", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@pass_frame
def rename(frame: Frame, username: str, new: str, dry_run: bool) -> None:
    """Give a member another user name; borrows, sessions, keys, rules and the number stay the member's own."""
    with frame.authority() as authority:
        changed = member_changes.change(Unit(authority, CONSOLE), username, Change(username=new), dry_run=dry_run)
    shown = ChangedMember.of(changed, dry_run=dry_run)
    show(frame, shown, _changed_lines(shown))


def _changed_lines(changed: ChangedMember) -> list[str]:
    person, before = changed.member, dict(changed.before)
    first = f"{'would be' if changed.dry_run else 'now'}: {person.username}, {person.user_type}, {person.role}"
    now = {name: value for name, value in person if name != "version"}
    effects = [f"  {effect:<6} {_license_line(item)}" for effect, items in changed.licenses for item in items]
    return [first, *(f"  {words}" for words in differences(before, now)), *effects, *_access_lines(changed)]


def _access_lines(changed: ChangedMember) -> list[str]:
    """What became of sign-ins and API keys; an API key that goes on is named, with the way to end it."""
    access, verb = changed.access, "would be " if changed.dry_run else ""
    lines = [f"  {counted(access.ended_sign_ins, 'sign-in')} {verb}ended"] if access.ended_sign_ins else []
    lines += [f"  API key {key.id} ({key.name}) {verb}revoked" for key in access.revoked_api_keys]
    lines += [
        f"  API key {key.id} ({key.name}) goes on; to end it: --revoke-keys, or api-key revoke" for key in access.api_keys
    ]
    return lines


def _license_line(assignment: AssignmentShown) -> str:
    included = " (included)" if assignment.included else ""
    return f"{assignment.product} {', '.join([assignment.level, *assignment.extensions])}{included}"


@member.command("show")
@click.argument("username")
@pass_frame
def show_member(frame: Frame, username: str) -> None:
    """Show a member and what it holds."""
    with frame.authority() as authority:
        person = MemberWithLicenses.holding(*members.show(Unit(authority, CONSOLE), username))
    values = person.model_dump(mode="json", exclude={"licenses", "version"})
    width = max(map(len, values))
    show(frame, person, [*fields(values), *(f"{'license':<{width}}  {_license_line(item)}" for item in person.licenses)])


@member.command("list")
@selection_options
@pass_frame
def list_members(frame: Frame, /, **selection: Any) -> None:
    """List members with what they hold, and whether they are offline or at work; how many there are and may be stands below."""
    with frame.authority() as authority:
        page = selected(authority, selection)
    show_table(frame, list(map(ListedMember.listed, page.members)), COLUMNS, MAY_GO)
    if not frame.json:
        is_selection = any(value is not None for value in selection.values())
        shown = f"{page.total} shown; " if is_selection else ""
        tell(f"{shown}{_membership_line(MembershipShown.of(page.membership))}")


def _membership_line(membership: MembershipShown) -> str:
    types = [f"{name} {_of(numbers)}" for name, numbers in membership.types.items()]
    total = (
        counted(membership.current, "member")
        if membership.maximum is None
        else f"{membership.current} of {membership.maximum} members"
    )
    return f"{total} ({', '.join(types)})"


def _of(numbers: Numbers | MembershipShown) -> str:
    """`3 of 50`; the number alone where any number is allowed."""
    return f"{numbers.current}" if numbers.maximum is None else f"{numbers.current} of {numbers.maximum}"


member.add_command(erase_member)
