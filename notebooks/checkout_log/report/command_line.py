"""`carnet-report`: all notebooks on the logs of a site, as one page to hand on."""

from __future__ import annotations

import argparse
import csv
import gc
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from checkout_log.errors import LogError
from checkout_log.report import outputs
from checkout_log.report.outputs import ReportNotWritten

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EXAMPLES = """\
examples:
  carnet-report checkouts.parquet -o report.html
      an export of Carnet's authority
  carnet-report /opt/licenses/debug.log* -o report.html --timezone Europe/Berlin
      FlexNet debug logs, with the time zone of the license server's clock
  carnet-report authority.db geomodel.rlog 'lmstat/*.txt' lmx.txt -o report.html
      any mixture: databases, RLM logs, outputs of lmstat and lmxendutil
  carnet-report debug.log* -o may.html --since 2026-05-01 --until 2026-05-31 --feature solver --tables may.xlsx
      one month of one feature, and its tables for a spreadsheet
  carnet-report debug.log* -o report.html --group-file departments.csv --group Structures
      the users of one department; each line of the file is a user, a comma and a group
  carnet-report --server berlin=berlin.log --server madrid=madrid.log -o report.html
      two license servers with the same vendor daemon, each for itself

exit status: 0 done, 1 a log cannot be used, nothing could be dated or is left, or a notebook failed, 2 wrong usage
"""


# Some tens of megabytes of them.
OBJECTS_BETWEEN_COLLECTIONS = 200_000
# 128 and SIGPIPE: what the shell says of a command whose reader has gone.
READER_GONE = 141


class GroupFileWrong(LogError):
    """The file that says who is of which group cannot be understood."""

    code = "group-file-wrong"


class DiskTrouble(LogError):
    """The operating system could not read or write something on the way to the page."""

    code = "disk-failed"


class Parser(argparse.ArgumentParser):
    """A parser whose help and version are outputs like any other."""

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Prints it; argparse itself passes over what cannot be written. Raises BrokenPipeError, ReportNotWritten."""
        with _explained():
            print(message, end="", file=file)


def parser() -> argparse.ArgumentParser:
    """The parser of `carnet-report`."""
    options = Parser(
        prog="carnet-report",
        description="Write one page on stuck licenses, use, denials and borrows out of checkout logs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("logs", metavar="LOG", nargs="*", help="a file, folder, pattern, or address of a database")
    options.add_argument(
        "--server", metavar="NAME=LOG", type=_server, action="append", default=[],
        help="a log of the license server that is called so here: servers with one vendor daemon are kept apart; may be repeated",
    )  # fmt: skip
    options.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the page to write")
    options.add_argument(
        "--timezone", metavar="ZONE", help="time zone of the license servers (default: the one that their logs name, else UTC)"
    )
    options.add_argument("--since", metavar="DAY", type=_day, help="leave out what was over before this day (2026-03-31)")
    options.add_argument("--until", metavar="DAY", type=_day, help="leave out what came after this day")
    options.add_argument("--feature", metavar="NAME", action="append", default=[], help="this feature alone; may be repeated")
    options.add_argument("--group", metavar="NAME", action="append", default=[], help="members of this group; may be repeated")
    options.add_argument("--group-file", metavar="FILE", type=Path, help="CSV that says the group of each user: user,group")
    options.add_argument("--tables", metavar="FILE", type=Path, help="write the tables too: FILE.xlsx, or a folder of parquet")
    options.add_argument(
        "--cache", metavar="FOLDER", type=Path, help="keep what was read, so that logs that grew cost what is new"
    )
    options.add_argument("--version", action="version", version=f"carnet-report {version('carnet')}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    _prepare()
    try:
        try:
            return _run(argv)
        finally:
            _flush()
    except BrokenPipeError:
        _drop()
        return READER_GONE
    except ReportNotWritten as error:
        with suppress(OSError):
            print(f"carnet-report: {error}", file=sys.stderr, flush=True)
        _drop()
        return 1
    except OSError:
        # What it had to say could not be said.
        _drop()
        return 1


def _run(argv: Sequence[str] | None) -> int:
    """Parses the command line, makes the page, and tells what it was refused for."""
    options = parser()
    arguments = options.parse_args(argv)
    if not arguments.logs and not arguments.server:
        options.error("name a LOG, or a --server with one")
    try:
        return report(arguments)
    except LogError as error:
        print(f"carnet-report: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.filename} cannot be used" if error.filename else "a file cannot be used"
        trouble = DiskTrouble(f"{what}: {error.strerror or error}", hint="Mend what the sentence names, then do it again.")
        print(f"carnet-report: {trouble}", file=sys.stderr)
        return 1


def _prepare() -> None:
    """A stream that was closed before this process began is there, and takes all; no name is a reason to stop."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end, as its namesake is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _explained() -> Iterator[None]:
    """A block that prints. Raises BrokenPipeError, ReportNotWritten."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReportNotWritten(
            f"the output cannot be written: {error.strerror or error}",
            hint="The page may be made all the same: look where it was to be. Write the output elsewhere.",
        ) from error


def _flush() -> None:
    """Writes what was printed. Raises BrokenPipeError, ReportNotWritten."""
    for stream in (sys.stdout, sys.stderr):
        with _explained():
            stream.flush()


def _drop() -> None:
    """What is still in the buffers of the output goes nowhere; else Python tries again at its end, and complains."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _day(text: str) -> date:
    """The day that was written. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-03-31") from None


def _server(text: str) -> tuple[str, str]:
    """A server's name and one of its logs. Raises ArgumentTypeError."""
    name, mark, log = (piece.strip() for piece in text.partition("="))
    if not name or not mark or not log:
        raise argparse.ArgumentTypeError(f"{text!r} is no server: write a name, = and a log, as berlin=debug.log")
    return name, log


def departments(path: Path) -> dict[str, str]:
    """The group of each user, of the lines `user,group` of a CSV file. Raises GroupFileWrong, OSError."""
    groups: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for number, cells in enumerate(csv.reader(stream), 1):
            values = [cell.strip() for cell in cells]
            if not any(values) or (number == 1 and [value.lower() for value in values] == ["user", "group"]):
                continue
            if len(values) != len(("user", "group")) or not all(values):
                raise GroupFileWrong(
                    f'line {number} of "{path}" is no user and group', hint="Write a user, a comma and a group."
                )
            groups[values[0]] = values[1]
    return groups


def report(arguments: argparse.Namespace) -> int:
    """Writes the page; 1 where a notebook failed, else 0. Raises what `making.page` raises, GroupFileWrong and ReportNotWritten."""
    output: Path = arguments.output
    outputs.check(output, arguments.tables, [*arguments.logs, *(log for _name, log in arguments.server)])
    groups = None if arguments.group_file is None else departments(arguments.group_file)
    with _seldom_collected():
        page, failures = _made(arguments, groups)
    outputs.write_page(output, page)
    for sentence in failures:
        print(f"carnet-report: {sentence}", file=sys.stderr)
    with _explained():
        print(output)
    return 1 if failures else 0


def _made(arguments: argparse.Namespace, groups: dict[str, str] | None) -> tuple[str, list[str]]:
    """What `making.page` gives for these arguments, and what it raises."""
    # It takes seconds to import what makes a page, and none of it is needed to say what is wrong with the command.
    from checkout_log.report import making

    part = making.Part(arguments.since, arguments.until, tuple(arguments.feature), groups, tuple(arguments.group))
    servers: dict[str, list[str]] = {}
    for name, log in arguments.server:
        servers.setdefault(name, []).append(log)
    made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return making.page(
        arguments.logs,
        arguments.timezone,
        made_at=made_at,
        part=part,
        tables=arguments.tables,
        cache=arguments.cache,
        servers=servers,
    )


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A block in which Python looks for garbage seldom: libraries make millions of objects that stay, and looking takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
