"""authorization: what the vendor lets the organization give; install what the vendor sent, and show it."""

from __future__ import annotations

import click

from authority.cli.files import read_input
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import show
from authority.domain.members import CONSOLE
from authority.domain.plurals import counted
from authority.domain.refusals import AuthorizationUnusable, RequestInvalid
from authority.presentation.authorization import AuthorizationShown, InstallationShown
from authority.presentation.shown import rfc3339
from authority.services import authorizations, overview
from authority.services.authorizations import Installation, NewTrust
from authority.services.unit import Unit


@click.group(cls=Group)
def authorization() -> None:
    """What the vendor lets the organization give."""


@authorization.command("show")
@pass_frame
def show_authorization(frame: Frame) -> None:
    """Show what is licensed and what of it is used."""
    with frame.authority() as authority:
        value = AuthorizationShown.of(*overview.authorization(Unit(authority, CONSOLE)), authority.now())
    maximum = "any number" if value.members.maximum is None else value.members.maximum
    lines = [
        f"{value.organization_name} ({value.organization}), authorized by {value.vendor}, seq {value.seq}",
        f"until {rfc3339(value.ends_at)}, {counted(value.days_left, 'day')} left; longest borrow {counted(value.max_borrow_days, 'day')}",
        f"members {value.members.current} of {maximum}",
    ]
    for product in value.products:
        lines.append(f"{product.name} ({product.id}), {product.mode}")
        lines += [f"  {feature:<18} {seats.used} of {seats.licensed} used" for feature, seats in product.seats.items()]
    show(frame, value, [*lines, *([f"warning: {value.warning}"] if value.warning else [])])


@authorization.command("install")
@click.argument("file")
@click.option(
    "--trust",
    metavar="FILE",
    help="What the vendor sent with it: a trust update, or the trust file of another vendor than before.",
)
@click.option(
    "--accept-root",
    "accepted",
    multiple=True,
    metavar="THUMBPRINT",
    help="With the trust file of another vendor: the root key in that file, compared with what the vendor says. Once for each key in it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@pass_frame
def install(frame: Frame, file: str, trust: str | None, accepted: tuple[str, ...], dry_run: bool) -> None:
    """Install an authorization, and say what it changes and what it no longer covers.

    One for fewer members or seats than are in use is installed too: borrows already out stay good.
    """
    if accepted and trust is None:
        raise click.UsageError("--accept-root goes with --trust")
    data = _read(file)
    new_trust = None if trust is None else NewTrust(_read(trust), frozenset(accepted))
    with frame.authority() as authority:
        installation = authorizations.install(Unit(authority, CONSOLE), data, new_trust, dry_run=dry_run)
        value = InstallationShown.of(installation, authority.now(), dry_run=dry_run)
    lines = _lines(installation, dry_run=dry_run)
    if installation.trust_file is not None and not dry_run:
        wrote = f"wrote {frame.settings().trust_copy}; " if installation.trouble is None else ""
        need = "for new borrows, earlier ones stay good with the old one"
        if installation.is_continued:
            need = "before anything new: carnet install takes it where the one of before is"
        lines.append(f"{wrote}from now on workstations need the new trust file {need}")
    show(frame, value, [*lines, *([f"warning: {value.warning}"] if value.warning else [])])


def _read(name: str) -> bytes:
    """The bytes of a file. Raises AuthorizationUnusable for what is no regular file."""
    try:
        return read_input(name)
    except RequestInvalid as error:
        raise AuthorizationUnusable(error.message) from error


def _lines(installation: Installation, *, dry_run: bool) -> list[str]:
    new = installation.authorization
    if not installation.is_new:
        return [f"the authorization with seq {new.seq} is in force already; nothing was changed"]
    did = "would be installed; nothing was changed" if dry_run else "is installed"
    until = rfc3339(new.ends_at)
    lines = [f"the authorization of {new.vendor} with seq {new.seq}, until {until}, {did}"]
    lines += [f"  {change}" for change in installation.changes or ("nothing but its number changes",)]
    if installation.consequences:
        lines += ["what is in use is more than it allows:", *(f"  {sentence}" for sentence in installation.consequences)]
    return lines
