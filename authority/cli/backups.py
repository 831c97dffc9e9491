"""backup and restore: one state of the whole database in one file, and back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from authority.cli.files import check_output, reading
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import show
from authority.cli.streams import tell
from authority.domain import disk
from authority.domain.members import CONSOLE
from authority.domain.plurals import counted
from authority.presentation.backups import BackupShown, RestoredShown
from authority.presentation.shown import rfc3339
from authority.services import backing_up, restoring
from authority.services.backing_up import Place
from authority.services.context import Authority
from authority.services.restoring import Restored, Terms
from authority.services.unit import Unit
from authority.signing.inbox import writing
from authority.wiring.app import open_authority

OTHERS_READ_NOTHING = 0o600


@click.command(cls=Command)
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def backup(frame: Frame, output: str) -> None:
    """Write the whole database to a file, as it is at this moment; it may be served meanwhile.

    The keys and settings of the home are not in it: keep a copy of them elsewhere.
    """
    check_output(output)
    with frame.authority() as authority:
        shown = _back_up(authority, output, warns=not frame.json)
    note = f"wrote {output}: {counted(shown.rows, 'row')}, up to event {shown.last_event}; the home's keys are not in it"
    show(frame, shown, [note])


def _back_up(authority: Authority, output: str, *, warns: bool) -> BackupShown:
    unit = Unit(authority, CONSOLE)
    with disk.explained(output, "written"), writing(Path(output), OTHERS_READ_NOTHING) as stream:
        manifest = backing_up.write(unit, stream)
    with disk.explained(output, "looked at"):
        place = backing_up.place_of(Path(output), authority)
    backing_up.note(unit, manifest, Path(output).absolute(), place)
    if place is Place.BESIDE and warns:
        tell("note: it lies in the folder of what it is a backup of; keep a copy elsewhere")
    return BackupShown.of(manifest)


@click.command(cls=Command)
@click.argument("file")
@click.option("--replace", is_flag=True, help="Replace all that the database has; a backup of that is kept in the home.")
@click.option("--catch-up", is_flag=True, help="Take in what went out since the backup, and let the numbers jump over it.")
@click.option("--revoke-keys", is_flag=True, help="Revoke every API key: those that were revoked since would work again.")
@click.option("--dry-run", is_flag=True, help="Show what would be restored, and change nothing.")
@pass_frame
def restore(frame: Frame, file: str, replace: bool, catch_up: bool, revoke_keys: bool, dry_run: bool) -> None:
    """Put a backup in the place of what the database has, all of it or nothing.

    The home has its keys already. Everybody signs in again.
    """
    terms = Terms(replace=replace, catch_up=catch_up, revoke_keys=revoke_keys, dry_run=dry_run)
    authority = open_authority(frame.settings(), check_tables=False)
    with contextlib.closing(authority.database), reading(file), restoring.opened(Path(file)) as archive:
        restoring.prepare(authority.database)
        aside = None
        if replace and not dry_run and restoring.has_organization(authority.database):
            # Two within one second would otherwise have one name, and what there was at first would be gone.
            name = f"before-restore-{authority.now():%Y%m%dT%H%M%SZ}-{authority.random_bytes(4).hex()}.backup"
            aside = str(frame.settings().home / name)
            _back_up(authority, aside, warns=False)
        restored = restoring.restore(Unit(authority, CONSOLE), archive, terms)
    shown = RestoredShown.of(restored, aside)
    show(frame, shown, _lines(shown, restored, dry_run=dry_run))
    if not frame.json:
        tell("nothing was changed" if dry_run else "look at it with: carnet-authority doctor")


def _lines(shown: RestoredShown, restored: Restored, *, dry_run: bool) -> list[str]:
    done, of = "would restore" if dry_run else "restored", shown.backup
    lines = [
        f"{done} the backup of {rfc3339(of.made_at)}: {counted(of.rows, 'row')}, up to event {of.last_event}",
        f"{counted(shown.sign_ins_ended, 'sign-in')} ended; {counted(shown.api_keys, 'API key')} as then",
        *shown.came_back,
    ]
    if restored.held_back:
        lines.append(
            f"{counted(restored.held_back, 'message')} held back: sent since the backup, or perhaps; *Notifications* shows them"
        )
    if restored.caught_up.list_seq is not None:
        lines.append(
            f"{counted(shown.caught_up.taken_in, 'token')} taken in; the next status list is {restored.caught_up.list_seq}"
        )
    return lines if shown.aside is None else [*lines, f"what was there before is in {shown.aside}"]
