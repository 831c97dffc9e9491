"""verify, inspect: files looked at with every input explicit; no state is read or written."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any

from verifier.cli.check import describe
from verifier.cli.output import UsageError, result, warn
from verifier.cli.trusting import add_trusted, trusted
from verifier.core import files, steps
from verifier.core.grant import Workstation
from verifier.core.jose import COMPACT, strict_object
from verifier.core.keys import decode
from verifier.core.times import LAST_SECOND, instant, rfc3339_of, timestamp
from verifier.errors import Malformed
from verifier.workstation.clock import wall_seconds
from verifier.workstation.places import read_input

# The claims that are seconds since 1970.
TIMES = frozenset({"iat", "nbf", "exp", "act", "until"})


def add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet verify`."""
    parser = commands.add_parser("verify", parents=[common], help="check one borrow file; reads and writes no state")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--trust", metavar="FILE", required=True)
    parser.add_argument("--status", metavar="FILE")
    parser.add_argument("--machine", metavar="ID", help="as shown by: carnet identity")
    parser.add_argument("--user", metavar="ID", help="uid:N or sid:S-1-...")
    parser.add_argument("--machine-key", metavar="JKT", help="thumbprint of the machine key")
    parser.add_argument("--at", metavar="TIME", help="judge as of this time (RFC 3339); default: now")
    add_trusted(parser)
    parser.set_defaults(run=verify)


def add_inspect(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet inspect`."""
    parser = commands.add_parser("inspect", parents=[common], help="show what is inside a file, NOT VERIFIED")
    parser.add_argument("file", metavar="FILE")
    parser.set_defaults(run=inspect)


def verify(arguments: argparse.Namespace) -> int:
    """`carnet verify FILE --trust FILE`."""
    grant = steps.verify(
        read_input(arguments.file),
        trust=read_input(arguments.trust),
        workstation=Workstation(arguments.machine, arguments.user, arguments.machine_key),
        now=instant(wall_seconds()) if arguments.at is None else _time(arguments.at),
        status_list=None if arguments.status is None else read_input(arguments.status),
        **trusted(arguments),
    )
    warn(arguments, grant.warnings)
    return result(arguments, {"grant": grant.as_json()}, [describe(grant)])


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        timestamp(at)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--at {text}: write a time with its zone, such as 2026-12-24T18:00:00Z") from error
    return at


def inspect(arguments: argparse.Namespace) -> int:
    """`carnet inspect FILE`: what the file says, whoever wrote it."""
    kind, members = files.parse(read_input(arguments.file))
    shown = {name: _shown(value) for name, value in members.items()}
    lines = [f"{kind} file, NOT VERIFIED", *json.dumps(_dated(shown), indent=2).splitlines()]
    return result(arguments, {"verified": False, "kind": kind, "members": shown}, lines)


def _dated(value: Any, name: str = "") -> Any:
    """The value with its times as people read them; what is no time of the calendar stays the number that it is."""
    if isinstance(value, dict):
        return {key: _dated(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_dated(item) for item in value]
    is_time = name in TIMES and type(value) is int and 0 <= value <= LAST_SECOND
    return rfc3339_of(value) if is_time else value


def _shown(value: Any) -> Any:
    """A compact JWS as its header and payload; anything else as it is."""
    match = COMPACT.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    try:
        return {"header": strict_object(decode(match[1])), "payload": strict_object(decode(match[2])), "signature": match[3]}
    except Malformed as error:
        return {"unreadable": error.message}
