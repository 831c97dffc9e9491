"""install: files that were carried here."""

from __future__ import annotations

import argparse

from verifier.cli.output import failure, result
from verifier.cli.paths import read_input
from verifier.core.files import parse
from verifier.core.jose import COMPACT, strict_object
from verifier.core.keys import decode
from verifier.errors import CarnetError
from verifier.workstation import install
from verifier.workstation.store import Store

# Trust must be there before what it proves, and the newest status list before the borrow that it may refuse.
INSTALL_ORDER = ("trust", "authorization", "status", "borrow")


def add_install(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet install`."""
    parser = commands.add_parser("install", parents=[common], help="check and take in files that were carried here")
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.set_defaults(run=install_files)


def install_files(arguments: argparse.Namespace) -> int:
    """`carnet install FILE...`: every file that passes is installed; the status is that of the first that does not."""
    store = Store.open(arguments.home)
    files = [(name, read_input(name)) for name in arguments.files]
    installed: list[dict[str, str]] = []
    refused: list[tuple[str, CarnetError]] = []
    for name, data in sorted(files, key=lambda item: _order(item[1])):
        try:
            installed.append({"file": name, "installed": install.install(store, data)})
        except CarnetError as error:
            refused.append((name, error))
    if not refused:
        return result(arguments, {"installed": installed}, [f"installed: {item['installed']}" for item in installed])
    # An object can tell of one alone: the first. People read the others before it.
    (first_name, first_error), *others = refused
    for name, refusal in [] if arguments.json else others:
        failure(arguments, refusal, file=name)
    return failure(arguments, first_error, file=first_name, installed=installed)


def _order(data: bytes) -> tuple[int, int]:
    """Of one kind the lower number comes first: else an older list on the same stick would be refused as rolled back.

    What the files say of themselves gives the order alone; each is checked when its turn comes.
    """
    try:
        kind, members = parse(data)
        return INSTALL_ORDER.index(kind), _number(members.get("status_list" if kind == "status" else kind))
    except (CarnetError, ValueError):
        return len(INSTALL_ORDER), 0


def _number(compact: object) -> int:
    """The `seq` in a compact JWS, unverified; 0 where it says none."""
    match = COMPACT.match(compact) if isinstance(compact, str) else None
    number = strict_object(decode(match[2])).get("seq") if match else None
    return number if isinstance(number, int) else 0
