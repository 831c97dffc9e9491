"""authorization install: what the vendor sent comes into force."""

from __future__ import annotations

import click

from authority.cli.frame import Command, Frame, pass_frame, read_input, show
from authority.domain.members import CONSOLE
from authority.domain.refusals import AuthorizationUnusable, RequestInvalid
from authority.presentation.authorization import InstallationShown
from authority.presentation.shown import rfc3339
from authority.services import authorizations
from authority.services.authorizations import Installation, NewTrust


@click.command(cls=Command)
@click.argument("file")
@click.option("--trust", metavar="FILE", help="The vendor's trust file, when the vendor is another one than before.")
@click.option(
    "--accept-root",
    "accepted",
    multiple=True,
    metavar="THUMBPRINT",
    help="With --trust: the root key in that file, compared with what the vendor says. Once for each key in it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@pass_frame
def install(frame: Frame, file: str, trust: str | None, accepted: tuple[str, ...], dry_run: bool) -> None:
    """Install an authorization, and say what it changes and what it no longer covers.

    One for fewer members or seats than are in use is installed too: borrows already out stay good.
    """
    if (trust is None) != (not accepted):
        raise click.UsageError("--trust and --accept-root go together")
    data = _read(file)
    new_trust = None if trust is None else NewTrust(_read(trust), frozenset(accepted))
    with frame.authority() as authority:
        done = authorizations.install(authority, CONSOLE, data, new_trust, dry_run=dry_run)
        value = InstallationShown.of(done, authority.now(), dry_run=dry_run)
    lines = _lines(done, dry_run=dry_run)
    if done.trust_file is not None and not dry_run:
        wrote = f"wrote {frame.settings().trust_copy}; " if done.trouble is None else ""
        lines.append(
            f"{wrote}from now on workstations need the new trust file for new borrows, earlier ones stay good with the old one"
        )
    show(frame, value, [*lines, *([f"warning: {value.warning}"] if value.warning else [])])


def _read(name: str) -> bytes:
    """The bytes of a file. Raises AuthorizationUnusable for what is no regular file."""
    try:
        return read_input(name)
    except RequestInvalid as error:
        raise AuthorizationUnusable(error.message) from error


def _lines(done: Installation, *, dry_run: bool) -> list[str]:
    authorization = done.authorization
    if not done.is_new:
        return [f"the authorization with seq {authorization.seq} is in force already; nothing was changed"]
    did = "would be installed; nothing was changed" if dry_run else "is installed"
    until = rfc3339(authorization.ends_at)
    lines = [f"the authorization of {authorization.vendor} with seq {authorization.seq}, until {until}, {did}"]
    lines += [f"  {change}" for change in done.changes or ("nothing but its number changes",)]
    if done.consequences:
        lines += ["what is in use is more than it allows:", *(f"  {sentence}" for sentence in done.consequences)]
    return lines
