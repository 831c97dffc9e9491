"""init, serve, migrate, doctor: setting an authority up and running it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
import time
import urllib.request
from pathlib import Path

import click
from granian import Granian
from granian.constants import Interfaces

from authority.cli.frame import TROUBLE, Columns, Command, Frame, pass_frame, read_input, show, show_table
from authority.domain.members import CONSOLE
from authority.domain.refusals import SettingsInvalid
from authority.presentation.health import FindingShown
from authority.services import overview
from authority.services.unit import Unit
from authority.storage.db import schema
from authority.storage.db.database import Database
from authority.wiring import installation
from authority.wiring.app import open_authority
from authority.wiring.settings import PREFIX

PORT = 8440
# Who waits for the disk together shares a commit, so that many more threads than cores are of use.
THREADS_PER_WORKER = 16
STARTING_SECONDS = 60.0
COLUMNS: Columns[FindingShown] = {
    "": lambda finding: "ok" if finding.ok else "WRONG",
    "subject": lambda finding: finding.subject,
    "finding": lambda finding: finding.message,
}


@click.command(cls=Command)
@click.option("--org", required=True, metavar="NAME", help="Name of the organization.")
@click.option("--authorization", metavar="FILE", help="The vendor's authorization file.")
@click.option("--trust", metavar="FILE", help="The vendor's trust file.")
@click.option("--keys", metavar="DIR", help="Folder with the private keys that the authorization names.")
@click.option("--admin", default="admin", show_default=True, metavar="NAME", help="User name of the first administrator.")
@pass_frame
def init(frame: Frame, org: str, authorization: str | None, trust: str | None, keys: str | None, admin: str) -> None:
    """Set up an authority in the home.

    Without an authorization the organization is its own vendor: a root key and a sample authorization are made.
    """
    vendor = None
    if authorization is not None and trust is not None:
        vendor = installation.Vendor(read_input(authorization), read_input(trust), None if keys is None else Path(keys))
    elif (authorization, trust, keys) != (None, None, None):
        raise click.UsageError("--authorization and --trust go together, and --keys with them")
    made = installation.install(frame.settings(), org, admin, vendor)
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
        "start it with: carnet-authority serve",
    ]
    show(frame, value, lines)


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that serve.")
@pass_frame
def serve(frame: Frame, host: str, port: int, workers: int) -> None:
    """Serve the REST API; prints one line with the URL when it is ready."""
    settings = frame.settings()
    open_authority(settings).database.close()
    os.environ[f"{PREFIX}HOME"] = str(settings.home)
    run_server("authority.web.application:serve", host, port, workers)


def run_server(target: str, host: str, port: int, workers: int) -> None:
    """Serves the WSGI application that the function `target` makes, until a signal; prints one line when it is ready."""
    port = _free_port(host, port)
    # A forked worker would inherit the locks of this process's threads, some of them held; a spawned one inherits nothing.
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS_PER_WORKER,
        factory=True,
        websockets=False,
        log_enabled=False,
        respawn_failed_workers=True,
    )
    threading.Thread(target=_announce, args=(host, port), daemon=True).start()
    server.serve()


def _free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0. Raises SettingsInvalid when something listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsInvalid(
                f"{host}:{port} cannot be served: {error.strerror}", hint="Choose another --host or --port."
            ) from error
        return int(probe.getsockname()[1])


def _announce(host: str, port: int) -> None:
    """Prints the URL once a worker answers."""
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.05)
        else:
            print(f"Carnet authority at {url}", flush=True)
            return


@click.command(cls=Command)
@pass_frame
def migrate(frame: Frame) -> None:
    """Bring the tables of the database up to date."""
    database = Database(frame.settings().database_url)
    before, after = schema.migrate(database)
    database.close()
    show(frame, {"before": before, "after": after}, [f"the tables are of revision {after}, before: {before or 'none'}"])


@click.command(cls=Command)
@pass_frame
def doctor(frame: Frame) -> int:
    """Look at database, keys, authorization, status list and Python, and say what is wrong."""
    authority = open_authority(frame.settings(), check_tables=False)
    rows = [FindingShown.of(finding) for finding in overview.examine(Unit(authority, CONSOLE))]
    authority.database.close()
    show_table(frame, rows, COLUMNS)
    return 0 if all(row.ok for row in rows) else TROUBLE
