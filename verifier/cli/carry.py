"""request and return: what is written here to be carried to the administrator."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date, datetime

from verifier.cli.check import add_license
from verifier.cli.output import UsageError, result, warn
from verifier.cli.qr import add_outputs, check_outputs, scanned, write_outputs
from verifier.core.times import in_days, rfc3339_of, timestamp
from verifier.errors import Malformed
from verifier.workstation import carry, identity, install
from verifier.workstation.clock import end_of_day
from verifier.workstation.store import Store


def add_request(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet request`."""
    parser = commands.add_parser("request", parents=[common], help="write a signed request file to carry")
    add_license(parser)
    parser.add_argument("--no-extensions", action="store_true", help="take none; without both, those that are assigned")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--days", type=int, metavar="N", help="for how many days")
    length.add_argument("--until", metavar="DATE", help="through this day (2026-12-24), or until a time (RFC 3339)")
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
    if arguments.no_extensions and arguments.extensions:
        raise UsageError("--extension and --no-extensions contradict each other")
    wish = carry.Wish(
        product=arguments.product,
        level=arguments.level,
        extensions=arguments.extensions or ([] if arguments.no_extensions else None),
        days=arguments.days,
        until=None if arguments.until is None else _end_of(arguments.until),
        member=arguments.member,
    )
    try:
        data = carry.request(Store.open(arguments.home), wish)
    except Malformed as error:
        raise UsageError(f"{error.message}. {error.hint if error.hint != error.default_hint else ''}".strip()) from error
    lines = [
        f"{write_outputs(arguments, data)}: it asks for {_words(wish)}",
        *scanned(arguments),
        "carry it to the administrator; install the answer with: carnet install FILE",
    ]
    notes = identity.notes(identity.system().machine())
    warn(arguments, notes)
    value = {"file": arguments.output, "qr_image": arguments.qr_image, "asks": asdict(wish), "notes": list(notes)}
    return result(arguments, value, lines)


def _words(wish: carry.Wish) -> str:
    """What a request asks for, in words; what is left open is the authority's to say."""
    level = "the level that is assigned" if wish.level is None else wish.level
    if wish.extensions is None:
        extensions = "the extensions that are assigned"
    else:
        extensions = f"with {', '.join(wish.extensions)}" if wish.extensions else "without extensions"
    length = "for the usual time" if wish.days is None else f"for {in_days(wish.days)}"
    if wish.until is not None:
        length = f"until {rfc3339_of(wish.until)}"
    return f"{wish.product}, {level}, {extensions}, {length}"


def _end_of(text: str) -> int:
    """Seconds since 1970 UTC of the end meant: a day counts to its last moment, here; a time must have a zone."""
    try:
        if len(text) == len("2026-12-24"):
            return end_of_day(date.fromisoformat(text))
        return timestamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--until {text}: write a day (2026-12-24) or a time with its zone (2026-12-24T18:00:00Z)") from error


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
