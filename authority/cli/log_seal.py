"""log seal, verify, checkpoint: the log cannot be changed unseen."""

from __future__ import annotations

import click

from authority.cli.files import check_output, opened, read_input, write_output
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import REFUSED, show
from authority.cli.streams import tell
from authority.domain.members import CONSOLE
from authority.domain.plurals import counted
from authority.presentation.log_seal import SealedShown, VerificationShown
from authority.presentation.shown import rfc3339
from authority.services import log_files, log_verification, seals
from authority.services.unit import Unit
from authority.signing import checkpoints


@click.command(cls=Command, name="seal")
@pass_frame
def seal_log(frame: Frame) -> None:
    """Seal the new rows of the log, and sign a checkpoint.

    For a timer, every minute or so, unless the authority serves with --notify.
    """
    with frame.authority() as authority:
        shown = SealedShown.of(seals.seal(Unit(authority, CONSOLE)))
    if shown.checkpoint is None:
        show(frame, shown, ["the log has no rows to seal"])
        return
    line = f"sealed {counted(shown.rows, 'row')}; sealed up to row {shown.last}, {rfc3339(shown.sealed_at)}, checkpoint {shown.checkpoint}"
    show(frame, shown, [line])


@click.command(cls=Command, name="checkpoint")
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def export_checkpoint(frame: Frame, output: str) -> None:
    """Write the newest signed checkpoint of the log.

    Kept where nobody who runs this authority can change it, it shows later whether the log was cut off or written anew.
    """
    check_output(output)
    with frame.authority() as authority:
        newest, data = seals.checkpoint_file(Unit(authority, CONSOLE))
        write_output(output, data)
    value = {"file": output, "checkpoint": newest.number, "last": newest.last, "sealed_at": rfc3339(newest.issued_at)}
    show(frame, value, [f"wrote {output}: checkpoint {newest.number}, sealed up to row {newest.last}"])


@click.command(cls=Command, name="verify")
@click.option(
    "--checkpoint",
    "saved",
    multiple=True,
    metavar="FILE",
    help="A checkpoint that was kept elsewhere; may be given several times.",
)
@click.option("--file", "sealed", metavar="FILE", help="What log export --format sealed wrote; needs no authority.")
@click.option("--trust", metavar="FILE", help="Trust file to verify that file by; default: the one in it.")
@pass_frame
def verify_log(frame: Frame, saved: tuple[str, ...], sealed: str | None, trust: str | None) -> int:
    """Say whether the log is what was sealed, and which rows are not.

    Exit status: 0 nothing is wrong, 1 something is.
    """
    if trust is not None and sealed is None:
        raise click.UsageError("--trust goes with --file")
    outside = [checkpoints.compact_of(read_input(name)) for name in saved]
    if sealed is not None:
        with opened(sealed) as stream:
            verification = log_files.verify_file(stream, None if trust is None else read_input(trust), outside)
        return show_verification(frame, VerificationShown.of(verification))
    with frame.authority() as authority:
        shown = VerificationShown.of(log_verification.verify(Unit(authority, CONSOLE), outside))
    return show_verification(frame, shown)


def show_verification(frame: Frame, shown: VerificationShown) -> int:
    """Prints what came of verifying, and returns the exit status."""
    lines = [shown.summary, *(f"WRONG {fault.kind}: {fault.message}" for fault in shown.faults)]
    if shown.more_faults:
        lines.append(f"and {counted(shown.more_faults, 'fault')} more")
    show(frame, shown, lines)
    if not frame.json:
        for sentence in shown.limits:
            tell(f"note: {sentence}")
    return 0 if shown.ok else REFUSED
