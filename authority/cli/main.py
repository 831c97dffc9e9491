"""Entry point of `carnet-authority`: the commands, and the one place where refusals become exit statuses."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence

import click

from authority.cli import streams
from authority.cli.frame import Frame, Group
from authority.cli.output import TROUBLE, failure, usage_failure
from authority.cli.streams import tell
from authority.cli.table import CommandTable
from authority.domain.disk import OutputNotWritten, refusal_of
from authority.domain.refusals import ClockInDoubt, Refusal

COMMANDS = CommandTable(
    {
        "init": "authority.cli.server:init",
        "serve": "authority.cli.server:serve",
        "migrate": "authority.cli.server:migrate",
        "doctor": "authority.cli.server:doctor",
        "backup": "authority.cli.backups:backup",
        "restore": "authority.cli.backups:restore",
        "catch-up": "authority.cli.recovery:catch_up",
        "demo": "authority.cli.demo:demo",
        "notify": "authority.cli.notices:notify",
        "notice": "authority.cli.notices:notice",
        "channel": "authority.cli.channels:channel",
        "overview": "authority.cli.overview:overview",
        "inspect": "authority.cli.overview:inspect",
        "member": "authority.cli.members:member",
        "api-key": "authority.cli.api_keys:api_key",
        "sign-in": "authority.cli.sign_ins:sign_in",
        "license": "authority.cli.licenses:license_group",
        "policy": "authority.cli.policies:policy",
        "pool": "authority.cli.pools:pool",
        "borrow": "authority.cli.borrows:borrow_group",
        "session": "authority.cli.sessions:session_group",
        "status-list": "authority.cli.records:status_list",
        "trust": "authority.cli.records:trust",
        "authorization": "authority.cli.authorizations:authorization",
        "key": "authority.cli.records:key",
        "log": "authority.cli.log:log_group",
        "root": "authority.cli.vendor:root_group",
    }
)
EPILOG = """\b
exit status: 0 done, 1 refused by a rule, 2 wrong usage, 3 storage, settings or key trouble
"""


@click.group(cls=Group, commands=COMMANDS, epilog=EPILOG)
@click.version_option(package_name="carnet", prog_name="carnet-authority")
def cli() -> None:
    """Issue, watch and end offline licenses."""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its status. No error reaches the user as a traceback."""
    streams.prepare()
    try:
        try:
            status = run_by_clock(argv)
        finally:
            streams.flush()
    except streams.ReaderGone:
        streams.drop()
        sys.exit(streams.READER_GONE)
    except OutputNotWritten as error:
        with contextlib.suppress(streams.ReaderGone, OutputNotWritten):
            failure(Frame(), error)
        streams.drop()
        sys.exit(TROUBLE)
    sys.exit(status)


def run_by_clock(argv: Sequence[str] | None) -> int:
    """Runs one command as `run` does, unless the clock is beyond what Python counts: half of its modules cannot be imported then."""
    try:
        # Nanoseconds, in 64 bits.
        time.time()
    except OverflowError:
        return failure(Frame(json=_asks_for_json(argv)), ClockInDoubt("this server's clock is beyond the year 2261"))
    return run(argv)


def _asks_for_json(argv: Sequence[str] | None) -> bool:
    """Whether --json is among the words: a mistake may come before the option was read, which still says what is wanted."""
    return "--json" in (sys.argv if argv is None else argv)


def run(argv: Sequence[str] | None) -> int:
    """Runs one command, tells what it was refused for, and returns its exit status. Raises ReaderGone, OutputNotWritten."""
    frame, outputs = Frame(), (sys.stdout, sys.stderr)
    try:
        status = cli.main(
            args=None if argv is None else list(argv), prog_name="carnet-authority", standalone_mode=False, obj=frame
        )
    except (streams.ReaderGone, OutputNotWritten):
        raise
    except Refusal as error:
        return failure(frame, error)
    except click.Abort:
        return 130
    except SystemExit as ended:
        # click puts a stream of its own in the place of one that nobody reads, and exits with 1.
        if (sys.stdout, sys.stderr) == outputs:
            raise
        sys.stdout, sys.stderr = outputs
        raise streams.ReaderGone from ended
    except click.ClickException as error:
        return usage_failure(error, as_json=frame.json or _asks_for_json(argv))
    except OSError as error:
        return failure(frame, refusal_of(error, error.filename or "a file", "used"))
    except ModuleNotFoundError:
        # A command's module is imported when it is asked for; the entry point says which extra brings what is missing.
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defense: a mistake of ours is told, not shown as a traceback
        tell(f"a mistake in the program, please report it: {type(error).__name__}: {error}")
        return TROUBLE
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
