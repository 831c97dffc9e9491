"""Entry point of `carnet`: the parser, and the one place where errors become exit statuses."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib.metadata import version

from verifier.cli import borrows, machine, proofs
from verifier.cli.output import UsageError, failure, safe, usage_failure
from verifier.errors import CarnetError, StateDamaged

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

exit status: 0 good, 1 the license is not good, 2 wrong usage, 3 could not be checked
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of `carnet` with all commands; each sets `run` to the function that does it."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object on stdout")
    common.add_argument("--home", metavar="DIR", default=argparse.SUPPRESS, help="the folder with this workstation's state")
    parser = argparse.ArgumentParser(
        prog="carnet",
        description="Take a license offline, check it without a network, give it back.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"carnet {version('carnet')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (machine, borrows, proofs):
        module.add_commands(commands, common)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status. No error reaches the user as a traceback."""
    arguments = build_parser().parse_args(argv)
    arguments.json = getattr(arguments, "json", False)
    arguments.home = getattr(arguments, "home", None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show is no reason to refuse a license.
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(arguments.run(arguments))
    except CarnetError as error:
        return failure(arguments, error)
    except UsageError as error:
        return usage_failure(arguments, str(error))
    except OSError as error:
        return failure(arguments, StateDamaged(f"the state cannot be used: {error}"))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defense: a mistake of ours is told, not shown as a traceback
        print(safe(f"carnet: a mistake in the program, please report it: {type(error).__name__}: {error}"), file=sys.stderr)
        return 3
