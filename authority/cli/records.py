"""status-list, trust, key: what others are to have, the authority's own keys among it."""

from __future__ import annotations

import json

import click

from authority.cli.files import check_output, write_output
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, show, show_table
from authority.domain.catalogue import KeyUse
from authority.domain.members import CONSOLE
from authority.presentation.keys import KeyShown, TrustShown
from authority.presentation.shown import rfc3339
from authority.services import keys, overview, status_lists
from authority.services.unit import Unit

COLUMNS: Columns[KeyShown] = {
    "use": lambda key: key.use,
    "thumbprint": lambda key: key.kid,
    "signs now": lambda key: "yes" if key.signs_now else "no",
    "retired": lambda key: "" if key.retired_at is None else f"{rfc3339(key.retired_at)}{', stolen' if key.stolen else ''}",
    "needed until": lambda key: "" if key.needed_until is None else rfc3339(key.needed_until),
    "until": lambda key: key.ends_at,
    "borrows out": lambda key: key.borrows_out,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("borrows out", "until", "needed until", "retired", "signs now")


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


@trust.command("show")
@pass_frame
def show_trust(frame: Frame) -> None:
    """Show the thumbprints of the root keys, to be told to people who install the trust file."""
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        roots = tuple(keys.roots(unit))
        shown = TrustShown(organization=unit.organization.id, roots=roots)
    show(frame, shown, [f"organization  {shown.organization}", *(f"root key      {kid}" for kid in shown.roots)])


@click.group(cls=Group)
def key() -> None:
    """The authority's own keys."""


@key.command("list")
@click.option("--public", is_flag=True, help="Write the public keys for the vendor.")
@click.option("-o", "--output", metavar="FILE", help="With --public: the file to write.")
@pass_frame
def list_keys(frame: Frame, public: bool, output: str | None) -> None:
    """List the keys, which of them sign now, and which are retired."""
    if public != (output is not None):
        raise click.UsageError("--public and -o FILE go together")
    if output is not None:
        check_output(output)
        with frame.authority() as authority:
            public_keys = keys.public(Unit(authority, CONSOLE))
        write_output(output, (json.dumps(public_keys, indent=2) + "\n").encode())
        show(frame, {"file": output, **public_keys}, [f"wrote {output}; send it to the vendor"])
        return
    with frame.authority() as authority:
        rows = list(map(KeyShown.of, keys.every(Unit(authority, CONSOLE))))
    show_table(frame, rows, COLUMNS, MAY_GO)


@key.command("rotate")
@click.option(
    "--use",
    "uses",
    multiple=True,
    type=click.Choice([use.value for use in KeyUse]),
    help="What the new key signs; default: one for each use.",
)
@pass_frame
def rotate_keys(frame: Frame, uses: tuple[str, ...]) -> None:
    """Make new keys beside those that are there.

    They sign once the vendor's next authorization names them; until then nothing changes, and what the others signed stays good.
    """
    with frame.authority() as authority:
        made = list(map(KeyShown.of, keys.rotate(Unit(authority, CONSOLE), [KeyUse(use) for use in uses or KeyUse])))
    lines = [f"made the {item.use} key {item.kid}" for item in made]
    show(
        frame,
        made,
        [*lines, "it signs once the vendor's next authorization names it: carnet-authority key list --public -o KEYS.json"],
    )


@key.command("retire")
@click.argument("kid", metavar="THUMBPRINT")
@click.option(
    "--stolen", is_flag=True, help="It may be in other hands: of what it signed only borrows that are known here stay good."
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@pass_frame
def retire_key(frame: Frame, kid: str, stolen: bool, dry_run: bool) -> None:
    """Let a key sign nothing new from now on; borrows that are out stay good."""
    with frame.authority() as authority:
        item = KeyShown.of(keys.retire(Unit(authority, CONSOLE), kid, is_stolen=stolen, dry_run=dry_run))
    did = "would sign nothing new; nothing was changed" if dry_run else "signs nothing new any more"
    lines = [f"the {item.use} key {kid} {did}"]
    if item.needed_until is not None:
        lines.append(f"borrows that need it are out until {rfc3339(item.needed_until)}: leave its file until then")
    if item.stolen:
        lines.append(
            "have it revoked now: carnet-authority key list --public -o KEYS.json, an authorization of the vendor, "
            "and its file carried to every workstation (docs/drills/stolen-key.md)"
        )
    show(frame, item, lines)
