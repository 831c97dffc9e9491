"""init, serve, migrate, doctor: setting an authority up and running it."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from authority.cli import recovery
from authority.cli.files import read_input
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import TROUBLE, Columns, show, show_table
from authority.cli.recovery import NODE_HELP
from authority.cli.serving import run_server
from authority.domain.disk import DiskFailed, NotPermitted
from authority.domain.members import CONSOLE
from authority.domain.refusals import NotSetUp, SettingsInvalid
from authority.presentation.health import FindingShown
from authority.services import examination, reconciling
from authority.services.examination import Finding
from authority.services.unit import Unit
from authority.storage.db import migrating, schema
from authority.storage.db.database import Database
from authority.wiring import installation, surroundings
from authority.wiring.app import open_as_far_as_possible, open_authority
from authority.wiring.settings import PREFIX, Settings

PORT = 8440
NOTIFY_EVERY_MINUTES = 5
WORDS = {True: "ok", False: "WRONG", None: "-"}
COLUMNS: Columns[FindingShown] = {
    "": lambda finding: WORDS[finding.ok],
    "subject": lambda finding: finding.subject,
    "finding": lambda finding: finding.message,
}


@click.command(cls=Command)
@click.option("--org", required=True, metavar="NAME", help="Name of the organization.")
@click.option(
    "--id", "wanted_id", metavar="ID", help="Id of the organization; default: made from the letters and digits of its name."
)
@click.option("--authorization", metavar="FILE", help="The vendor's authorization file.")
@click.option("--trust", metavar="FILE", help="The vendor's trust file.")
@click.option("--keys", metavar="DIR", help="Folder with the private keys that the authorization names.")
@click.option("--admin", default="admin", show_default=True, metavar="NAME", help="User name of the first administrator.")
@pass_frame
def init(
    frame: Frame,
    org: str,
    wanted_id: str | None,
    authorization: str | None,
    trust: str | None,
    keys: str | None,
    admin: str,
) -> None:
    """Set up an authority in the home.

    Without an authorization the organization is its own vendor: a root key and a sample authorization are made.
    """
    if wanted_id is not None and authorization is not None:
        raise click.UsageError("the vendor's authorization has the organization's id: leave --id out")
    vendor = None
    if authorization is not None and trust is not None:
        vendor = installation.Vendor(read_input(authorization), read_input(trust), None if keys is None else Path(keys))
    elif (authorization, trust, keys) != (None, None, None):
        raise click.UsageError("--authorization and --trust go together, and --keys with them")
    made = installation.install(frame.settings(), org, admin, vendor, wanted_id=wanted_id)
    account = made.administrator
    value = {
        "home": str(made.home),
        "organization": made.organization,
        "trust_file": str(made.trust_file),
        "root_thumbprint": ", ".join(made.roots),
        "admin": {"username": account.username, "password": account.password, "api_key": account.api_key},
    }
    lines = [
        f"the authority of {made.organization_name} ({made.organization}) is set up in {made.home}",
        f"trust file   {made.trust_file}",
        f"root key     {', '.join(made.roots)}",
        "shown this once:",
        f"  user name  {account.username}",
        f"  password   {account.password}",
        f"  API key    {account.api_key}",
        f"start it with: carnet-authority serve{f' --home {shlex.quote(frame.home)}' if frame.home else ''}",
    ]
    show(frame, value, lines)


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
@click.option("--notify", is_flag=True, help="Find and send notices too, in a process beside the workers.")
@click.option("--every", type=click.IntRange(1, 24 * 60), metavar="MINUTES", help="How often, with --notify; default: 5.")
@pass_frame
def serve(frame: Frame, host: str, port: int, workers: int, notify: bool, every: int | None) -> None:
    """Serve the REST API; prints one line with the URL when it is ready, with --json an object."""
    if every is not None and not notify:
        raise click.UsageError("--every says how often notices are looked for, and goes with --notify")
    settings = frame.settings()
    _look_before(settings)
    os.environ[f"{PREFIX}HOME"] = str(settings.home)
    minutes = (every or NOTIFY_EVERY_MINUTES) if notify else None
    run_server("authority.web.application:serve", host, port, workers, as_json=frame.json, notify_every=minutes)


def _look_before(settings: Settings) -> None:
    """Raises DatabaseBehind, or KeyUnusable, where something went out that the database, or the home, does not know any more."""
    authority = open_authority(settings)
    try:
        reconciling.check_nothing_lost(Unit(authority, CONSOLE))
        authority.issued.drop_expired(authority.now())
    finally:
        authority.database.close()


@click.command(cls=Command)
@pass_frame
def migrate(frame: Frame) -> None:
    """Bring the tables of the database up to date."""
    with contextlib.closing(Database(frame.settings().database_url)) as database:
        if schema.current(database) is None:
            raise NotSetUp("the database has no tables", hint=NotSetUp.empty_database_hint)
        before, after = migrating.migrate(database)
    show(frame, {"before": before, "after": after}, [f"the tables are of revision {after}, before: {before}"])


@click.command(cls=Command)
@click.option("--reconcile", is_flag=True, help="Show what went out and is not in the database, each borrow of it.")
@click.option("--node", "nodes", multiple=True, metavar="DIR", help=f"With --reconcile: {NODE_HELP}")
@pass_frame
def doctor(frame: Frame, reconcile: bool, nodes: Sequence[str]) -> int:
    """Look at files, database, keys, authorization, members, licenses, log and Python, and say what is wrong and what to do."""
    if reconcile:
        return 0 if recovery.reconcile(frame, nodes) else TROUBLE
    if nodes:
        raise click.UsageError("--node goes with --reconcile")
    rows = [FindingShown.of(item) for item in _findings(frame)]
    show_table(frame, rows, COLUMNS)
    return 0 if all(row.ok for row in rows) else TROUBLE


def _findings(frame: Frame) -> list[Finding]:
    """What was found, in a fixed order. Raises NotSetUp, and what keeps the settings from being read."""
    try:
        settings = frame.settings()
        authority, problem = open_as_far_as_possible(settings)
    except (SettingsInvalid, NotPermitted, DiskFailed) as error:
        return [*surroundings.without_settings(error), *examination.without_settings()]
    findings = [*surroundings.examine(settings), *examination.examine(Unit(authority, CONSOLE))]
    authority.database.close()
    if problem is None:
        return findings
    return [examination.refused("keys", problem) if item.subject == "keys" else item for item in findings]
