"""What a user asks for, on the command line: product, level, extensions, and for how long."""

from __future__ import annotations

import argparse
from datetime import MAXYEAR, date, datetime

from verifier.cli.check import add_license
from verifier.cli.output import UsageError
from verifier.core.names import spelled
from verifier.core.times import in_days, rfc3339_of, timestamp
from verifier.workstation.carry import Wish
from verifier.workstation.clock import end_of_day


def add_wish(parser: argparse.ArgumentParser, *, with_length: bool) -> None:
    """Adds the product, --level, --extension, --no-extensions, and `with_length` --days and --until."""
    add_license(parser)
    parser.add_argument("--no-extensions", action="store_true", help="take none; without both, those that are assigned")
    if with_length:
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--days", type=int, metavar="N", help="for how many days")
        length.add_argument("--until", metavar="DATE", help="through this day (2026-12-24), or until a time (RFC 3339)")
    else:
        parser.set_defaults(days=None, until=None)


def wish_of(arguments: argparse.Namespace, member: str | None = None) -> Wish:
    """The wish that was typed. Raises UsageError."""
    if arguments.no_extensions and arguments.extensions:
        raise UsageError("--extension and --no-extensions contradict each other")
    return Wish(
        product=arguments.product,
        level=arguments.level,
        extensions=arguments.extensions or ([] if arguments.no_extensions else None),
        days=arguments.days,
        until=None if arguments.until is None else _end_of(arguments.until),
        member=None if member is None else _member(member),
    )


def words_of(wish: Wish) -> str:
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


def _member(text: str) -> str:
    """A member's name as the authority knows it, without what stands around it. Raises UsageError for one with a blank in it."""
    name = spelled(text)
    if not name or " " in name:
        raise UsageError(f'--member "{text}": a user name has no blank in it')
    return name


def _end_of(text: str) -> int:
    """Seconds since 1970 UTC of the end meant: a day counts to its last moment, here; a time must have a zone."""
    try:
        if len(text) == len("2026-12-24"):
            return end_of_day(date.fromisoformat(text))
        return timestamp(datetime.fromisoformat(text))
    except OverflowError as error:
        raise UsageError(f"--until {text}: no license lasts so long; name an earlier day") from error
    except ValueError as error:
        if text.startswith(str(MAXYEAR)):
            raise UsageError(f"--until {text}: no license lasts so long; name an earlier day") from error
        raise UsageError(f"--until {text}: write a day (2026-12-24) or a time with its zone (2026-12-24T18:00:00Z)") from error
