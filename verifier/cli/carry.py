"""request and return: what is written here to be carried to the administrator."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from verifier.cli.output import UsageError, result, warn
from verifier.cli.qr import add_outputs, check_outputs, scanned, write_outputs
from verifier.cli.wishes import add_wish, wish_of, words_of
from verifier.errors import Malformed
from verifier.workstation import carry, identity, install
from verifier.workstation.store import Store


def add_request(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet request`."""
    parser = commands.add_parser("request", parents=[common], help="write a signed request file to carry")
    add_wish(parser, with_length=True)
    parser.add_argument("--member", metavar="NAME", help="the member to borrow for")
    add_outputs(parser)
    parser.set_defaults(run=request)


def add_return(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet return`."""
    parser = commands.add_parser("return", parents=[common], help="give a borrow up and write the return receipt to carry")
    parser.add_argument("product", metavar="PRODUCT")
    add_outputs(parser)
    parser.set_defaults(run=give_up)


def request(arguments: argparse.Namespace) -> int:
    """`carnet request`."""
    check_outputs(arguments)
    wish = wish_of(arguments, arguments.member)
    try:
        data = carry.request(Store.open(arguments.home), wish)
    except Malformed as error:
        raise UsageError(f"{error.message}. {error.hint if error.hint != error.default_hint else ''}".strip()) from error
    lines = [
        f"{write_outputs(arguments, data)}: it asks for {words_of(wish)}",
        *scanned(arguments),
        "carry it to the administrator; install the answer with: carnet install FILE",
    ]
    notes = identity.notes(identity.system().machine())
    warn(arguments, notes)
    value = {"file": arguments.output, "qr_image": arguments.qr_image, "asks": asdict(wish), "notes": list(notes)}
    return result(arguments, value, lines)


def give_up(arguments: argparse.Namespace) -> int:
    """`carnet return PRODUCT`: may be repeated until the file is safely written."""
    check_outputs(arguments)
    data = install.give_up(Store.open(arguments.home), arguments.product)
    note = f"; {arguments.product} is given up here already: say the same again with another place, the receipt stays the same"
    lines = [
        f"{arguments.product} no longer works here; {write_outputs(arguments, data, note)}",
        *scanned(arguments),
        "carry it to the administrator to free the seat",
    ]
    return result(arguments, {"file": arguments.output, "qr_image": arguments.qr_image, "product": arguments.product}, lines)
