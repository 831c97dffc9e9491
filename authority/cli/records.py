"""status-list, trust, key: what others are to have, the authority's own keys among it."""

from __future__ import annotations

import json

import click

from authority.cli.frame import Columns, Frame, Group, check_output, pass_frame, show, show_table, write_output
from authority.domain.members import CONSOLE
from authority.presentation.keys import KeyShown
from authority.services import overview, status_lists
from authority.services.unit import Unit

COLUMNS: Columns[KeyShown] = {
    "use": lambda key: key.use,
    "thumbprint": lambda key: key.kid,
    "signs now": lambda key: "yes" if key.signs_now else "no",
}


@click.group(cls=Group, name="status-list")
def status_list() -> None:
    """The signed list of what has ended."""


@status_list.command("export")
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def export_status_list(frame: Frame, output: str) -> None:
    """Write the newest status file, to be carried to any workstation."""
    check_output(output)
    with frame.authority() as authority:
        write_output(output, status_lists.export(Unit(authority, CONSOLE)))
    show(frame, {"file": output}, [f"wrote {output}; install it on workstations: carnet install {output}"])


@click.group(cls=Group)
def trust() -> None:
    """What workstations trust."""


@trust.command("export")
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def export_trust(frame: Frame, output: str) -> None:
    """Write the trust file that workstations install first."""
    check_output(output)
    with frame.authority() as authority:
        write_output(output, overview.trust_file(Unit(authority, CONSOLE)))
    show(frame, {"file": output}, [f"wrote {output}; install it on workstations: carnet trust {output}"])


@click.group(cls=Group)
def key() -> None:
    """The authority's own keys."""


@key.command("list")
@click.option("--public", is_flag=True, help="Write the public keys for the vendor.")
@click.option("-o", "--output", metavar="FILE", help="With --public: the file to write.")
@pass_frame
def list_keys(frame: Frame, public: bool, output: str | None) -> None:
    """List the keys, and which of them sign now."""
    if public != (output is not None):
        raise click.UsageError("--public and -o FILE go together")
    if output is not None:
        check_output(output)
        with frame.authority() as authority:
            keys = overview.public_keys(Unit(authority, CONSOLE))
        write_output(output, (json.dumps(keys, indent=2) + "\n").encode())
        show(frame, {"file": output, **keys}, [f"wrote {output}; send it to the vendor"])
        return
    with frame.authority() as authority:
        rows = [KeyShown(**row) for row in overview.keys(Unit(authority, CONSOLE))]
    show_table(frame, rows, COLUMNS)
