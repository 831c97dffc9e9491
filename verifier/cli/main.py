"""Entry point of `carnet`: the parser, and the one place where errors become exit statuses."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from verifier.cli.output import (
    READER_GONE,
    ReaderGone,
    UsageError,
    drop_streams,
    explained_output,
    failure,
    flush_streams,
    prepare_streams,
    tell,
    usage_failure,
)
from verifier.errors import CarnetError, OutputNotWritten
from verifier.workstation.disk import trouble
from verifier.workstation.places import WrongPlace

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EXAMPLES = """\
examples:
  carnet request arcgis-pro --level Standard --days 14 -o trip.request
      ask for a license; carry the file to the administrator
  carnet install trip.borrow
      take the answer in
  carnet check arcgis-pro
      may I run? exit status 0 means yes
  carnet return arcgis-pro -o trip.return
      give it back; carry the file to the administrator

with a line to the authority:
  carnet authority https://licenses.example.org
  carnet sign-in ada
  carnet start arcgis-pro            a session; or carnet borrow arcgis-pro --days 14, to go offline
  carnet check-in arcgis-pro

exit status: 0 good, 1 the license is not good, 2 wrong usage, 3 could not be checked,
4 the authority refused, 5 the authority could not be reached
"""


# The module of each command, in the order of the help. It is imported when the command is asked for: a check starts fast.
COMMANDS = {
    "identity": "machine",
    "alias": "machine",
    "trust": "machine",
    "request": "carry",
    "install": "install",
    "check": "check",
    "status": "status",
    "return": "carry",
    "clock": "clock",
    "window": "window",
    "authority": "connected",
    "sign-in": "connected",
    "sign-out": "connected",
    "start": "connected",
    "borrow": "connected",
    "check-in": "connected",
    "verify": "proofs",
    "inspect": "proofs",
}


# By command; each line is typed after `carnet`.
EXAMPLES_OF = {
    "identity": ("identity",),
    "alias": ('alias "red field laptop"',),
    "trust": ("trust organization.trust",),
    "request": (
        "request arcgis-pro --level Standard --days 14 -o trip.request",
        "request arcgis-pro --extension 3DAnalyst --until 2026-12-24 --member ada -o trip.request",
        "request arcgis-pro --qr-image trip.png",
    ),
    "install": ("install trip.borrow", "install organization.trust trip.borrow newest.status", "install /media/stick"),
    "check": (
        "check arcgis-pro",
        "check arcgis-pro --root 2rmbR9kX0sYwqJmJq1VtW3nYw0cXh8m7Zp5uT1aQ4eE --json",
        "check arcgis-pro --level Standard --extension 3DAnalyst --root-file roots.txt",
    ),
    "status": ("status", "status --json"),
    "return": ("return arcgis-pro -o trip.return", "return arcgis-pro --qr"),
    "clock": ("clock", "clock --json"),
    "window": ("window",),
    "authority": (
        "authority",
        "authority https://licenses.example.org",
        "authority https://licenses.example.org --accept-trust THUMBPRINT",
    ),
    "sign-in": ("sign-in ada", "sign-in ada --password-file password.txt"),
    "sign-out": ("sign-out",),
    "start": ("start arcgis-pro", "start arcgis-pro --level Standard --extension 3DAnalyst"),
    "borrow": ("borrow arcgis-pro --days 14", "borrow arcgis-pro --level Standard --extension 3DAnalyst --until 2026-12-24"),
    "check-in": ("check-in arcgis-pro",),
    "verify": ("verify trip.borrow --trust organization.trust --status newest.status",),
    "inspect": ("inspect trip.borrow",),
}


# Thumbprints and machine ids are base64url: one in 64 begins with a hyphen, and argparse takes it for an option.
HYPHENATED = re.compile(r"\A-[A-Za-z0-9_-]{21}(?:[A-Za-z0-9_-]{21})?\Z")


def joined(words: Sequence[str]) -> list[str]:
    """The words of a command line, with a value that begins with a hyphen joined to the option before it by `=`."""
    result: list[str] = []
    for word in words:
        if result and result[-1].startswith("--") and "=" not in result[-1] and HYPHENATED.match(word):
            result[-1] += f"={word}"
        else:
            result.append(word)
    return result


class WrongUsage(UsageError):
    """What argparse says of the words on the command line, and the parser that says it."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes can be told to programs, too."""

    def error(self, message: str) -> NoReturn:
        """Raises WrongUsage."""
        raise WrongUsage(self, message)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Prints help or usage; argparse itself passes over what cannot be written. Raises OSError."""
        print(message, end="", file=file)


class ShowVersion(argparse.Action):
    """Prints the version and ends; what knows it is slow to import and is asked only here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Called by argparse when the option stands on the command line."""
        from importlib.metadata import version

        print(f"carnet {version('carnet')}")
        parser.exit()


def build_parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of `carnet` with these commands; each sets `run` to the function that does it."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object on stdout")
    common.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the folder with this workstation's state")
    parser = Parser(
        prog="carnet",
        description="Take a license offline, check it without a network, give it back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        module = import_module(f"verifier.cli.{COMMANDS[name]}")
        getattr(module, f"add_{name.replace('-', '_')}")(commands, common)
        command = commands.choices[name]
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.epilog = "\n".join(["examples:", *(f"  carnet {line}" for line in EXAMPLES_OF[name])])
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status. No error reaches the user as a traceback."""
    prepare_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        try:
            status = run(words)
        finally:
            flush_streams()
    except ReaderGone:
        drop_streams()
        return READER_GONE
    except OutputNotWritten as error:
        with contextlib.suppress(ReaderGone, OutputNotWritten):
            failure(argparse.Namespace(json=False), error)
        drop_streams()
        return error.exit_status
    return status


def run(words: Sequence[str]) -> int:
    """Parses the words of one command, runs it, and tells what it was refused for. Raises ReaderGone, OutputNotWritten."""
    # A mistake may come before the option was read; the option still says what is wanted.
    arguments = argparse.Namespace(json="--json" in words, home=None)
    try:
        # A command that stands first needs no other one; help and mistakes need all.
        parser = build_parser(words[:1] if words and words[0] in COMMANDS else COMMANDS)
        with explained_output():
            parser.parse_args(joined(words), arguments)
        check_not_empty(arguments)
        return int(arguments.run(arguments))
    except (ReaderGone, OutputNotWritten):
        raise
    except CarnetError as error:
        return failure(arguments, error)
    except (UsageError, WrongPlace) as error:
        return wrong_usage(arguments, error)
    except OSError as error:
        return failure(arguments, trouble(error, error.filename or "a file", "used"))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defense: a mistake of ours is told, not shown as a traceback
        tell(f"a mistake in the program, please report it: {type(error).__name__}: {error}")
        return 3


def check_not_empty(arguments: argparse.Namespace) -> None:
    """Raises UsageError for an argument that is empty, as a variable of a shell that was not set leaves it: it names nothing."""
    for name, value in vars(arguments).items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise UsageError(f"{name.removesuffix('s').replace('_', ' ')} is empty: say a name, or leave it out")


def wrong_usage(arguments: argparse.Namespace, error: UsageError | WrongPlace) -> int:
    """Tells of wrong usage, in argparse's own words where they are for people. Returns exit status 2."""
    if isinstance(error, WrongUsage) and not arguments.json:
        with explained_output():
            argparse.ArgumentParser.error(error.parser, str(error))
    return usage_failure(arguments, str(error))


if __name__ == "__main__":
    raise SystemExit(main())
