"""borrow clock-reset: a file for a workstation that remembers a wrong time."""

from __future__ import annotations

import click

from authority.cli.files import check_output, write_output
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import show
from authority.domain.members import CONSOLE
from authority.services import clock_resets
from authority.services.unit import Unit


@click.command("clock-reset", cls=Command)
@click.argument("borrow_id", metavar="ID")
@click.option("--code", required=True, metavar="CODE", help="What carnet clock shows on that machine.")
@click.option("--reason", required=True, metavar="TEXT")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file to carry to the workstation.")
@pass_frame
def clock_reset(frame: Frame, borrow_id: str, code: str, reason: str, output: str) -> None:
    """Make a file that lets one workstation forget, once, what its clock showed; it is in the log.

    Only when its clock is right now and was ahead before, and the user cannot wait for the time that the message names.
    """
    check_output(output)
    with frame.authority() as authority:
        data = clock_resets.make(Unit(authority, CONSOLE), borrow_id, code, reason)
    write_output(output, data)
    lines = [f"wrote {output}; carry it to the workstation: carnet install {output}", "it works once, within two weeks"]
    show(frame, {"file": output, "borrow_id": borrow_id}, lines)
