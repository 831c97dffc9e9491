"""request, install, check, status, return: the way of one borrow."""

from __future__ import annotations

import argparse
from datetime import date, datetime, timedelta

import verifier
from verifier import errors
from verifier.cli.output import UsageError, failure, result, warn
from verifier.cli.paths import check_output, read_input, write_output
from verifier.core.files import parse
from verifier.core.grant import Grant
from verifier.core.times import rfc3339, rfc3339_of, timestamp
from verifier.workstation import carry
from verifier.workstation import install as installing
from verifier.workstation.check import License, licenses
from verifier.workstation.store import Store

# Trust must be there before what it proves, and the newest status list before the borrow that it may refuse.
INSTALL_ORDER = ("trust", "authorization", "status", "borrow")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds the commands of this module."""
    parser = commands.add_parser("request", parents=[common], help="write a signed request file to carry")
    _add_license(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--days", type=int, metavar="N", help="for how many days")
    length.add_argument("--until", metavar="DATE", help="through this day (2026-12-24), or until a time (RFC 3339)")
    parser.add_argument("--member", metavar="NAME", help="the member to borrow for")
    parser.add_argument("-o", "--output", metavar="FILE", required=True)
    parser.set_defaults(run=request)
    parser = commands.add_parser("install", parents=[common], help="check and take in files that were carried here")
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.set_defaults(run=install)
    parser = commands.add_parser("check", parents=[common], help="may I run? the question an application asks at start")
    _add_license(parser)
    parser.set_defaults(run=check)
    parser = commands.add_parser("status", parents=[common], help="show every license: levels, extensions, until when")
    parser.set_defaults(run=status)
    parser = commands.add_parser("return", parents=[common], help="give a borrow up and write the return receipt to carry")
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("-o", "--output", metavar="FILE", required=True)
    parser.set_defaults(run=give_up)


def _add_license(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--level", metavar="L")
    parser.add_argument("--extension", metavar="E", action="append", default=[], dest="extensions")


def request(arguments: argparse.Namespace) -> int:
    """`carnet request`."""
    check_output(arguments.output)
    wish = carry.Wish(
        product=arguments.product,
        level=arguments.level,
        extensions=arguments.extensions,
        days=arguments.days,
        until=None if arguments.until is None else _end_of(arguments.until),
        member=arguments.member,
    )
    try:
        data = carry.request(Store.open(arguments.home), wish)
    except errors.Malformed as error:
        raise UsageError(f"{error.message}. {error.hint if error.hint != error.default_hint else ''}".strip()) from error
    write_output(arguments.output, data)
    lines = [f"wrote {arguments.output}", "carry it to the administrator; install the answer with: carnet install FILE"]
    return result(arguments, {"file": arguments.output}, lines)


def _end_of(text: str) -> int:
    """Seconds since 1970 UTC of the end meant: a day counts to its last moment, here; a time must have a zone."""
    try:
        if len(text) == len("2026-12-24"):
            midnight = datetime.combine(date.fromisoformat(text) + timedelta(days=1), datetime.min.time())
            return timestamp(midnight.astimezone())
        return timestamp(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--until {text}: write a day (2026-12-24) or a time with its zone (2026-12-24T18:00:00Z)") from error


def install(arguments: argparse.Namespace) -> int:
    """`carnet install FILE...`: every file that passes is installed; the status is that of the first that does not."""
    store = Store.open(arguments.home)
    given = [(name, read_input(name)) for name in arguments.files]
    installed: list[dict[str, str]] = []
    first_error: errors.CarnetError | None = None
    for name, data in sorted(given, key=lambda item: _order(item[1])):
        try:
            installed.append({"file": name, "installed": installing.install(store, data)})
        except errors.CarnetError as error:
            error.message = f"{name}: {error.message}"
            if first_error is not None and not arguments.json:
                failure(arguments, error)
            first_error = first_error or error
    if first_error is not None:
        first_error.evidence["installed"] = installed
        return failure(arguments, first_error)
    return result(arguments, {"installed": installed}, [f"installed: {item['installed']}" for item in installed])


def _order(data: bytes) -> int:
    try:
        return INSTALL_ORDER.index(parse(data)[0])
    except (errors.CarnetError, ValueError):
        return len(INSTALL_ORDER)


def check(arguments: argparse.Namespace) -> int:
    """`carnet check PRODUCT`."""
    granted = verifier.check(arguments.product, arguments.level, arguments.extensions, home=arguments.home)
    warn(arguments, granted.warnings)
    return result(arguments, {"grant": granted.as_json()}, [describe(granted)])


def describe(granted: Grant) -> str:
    """A Grant in one line."""
    extensions = f" with {', '.join(granted.extensions)}" if granted.extensions else ""
    until = rfc3339(granted.expires_at)
    return (
        f"good: {granted.product} {granted.level}{extensions} for {granted.member} until {until}, {granted.days_left} days left"
    )


def status(arguments: argparse.Namespace) -> int:
    """`carnet status`: what is not good is shown with its reason; showing it is no failure."""
    store = Store.open(arguments.home)
    found = licenses(store)
    value = {"alias": store.state().alias, "home": str(store.home), "licenses": [_as_json(item) for item in found]}
    lines = [f"workstation  {store.state().alias or 'without alias'}"]
    for item in found:
        lines += ["", *_as_lines(item)]
    if not found:
        lines.append("no license is installed here")
    return result(arguments, value, lines)


def _as_json(item: License) -> dict[str, object]:
    error = None if item.error is None else item.error.as_json()
    if item.evidence is None:
        return {"product": item.product, "ok": False, "error": error}
    borrow, product = item.evidence.borrow, item.evidence.authorization.product(item.product)
    listed = item.evidence.status_list
    return {
        "product": borrow.product,
        "name": product.name,
        "levels": {level: level in borrow.levels for level in product.levels},
        "extensions": {code: code in borrow.extensions for code in product.extensions},
        "member": borrow.member,
        "alias": borrow.alias,
        "borrow_id": borrow.borrow_id,
        "expires_at": rfc3339_of(borrow.exp),
        "days_left": item.grant.days_left if item.grant else 0,
        "status_list": None if listed is None else {"seq": listed.seq, "issued_at": rfc3339_of(listed.iat)},
        "warnings": list(item.grant.warnings) if item.grant else [],
        "ok": item.error is None,
        "error": error,
    }


def _as_lines(item: License) -> list[str]:
    refusal = []
    if item.error is not None:
        refusal = [f"  NOT GOOD   {item.error.message} [{item.error.code}]", f"  what to do {item.error.hint}"]
    if item.evidence is None:
        return [item.product, *refusal]
    borrow, product = item.evidence.borrow, item.evidence.authorization.product(item.product)
    listed = item.evidence.status_list
    lines = [f"{product.name} ({product.id}), borrowed by {borrow.member}"]
    lines += [f"  level      {level:<20} {'yes' if level in borrow.levels else 'no'}" for level in product.levels]
    lines += [f"  extension  {code:<20} {'yes' if code in borrow.extensions else 'no'}" for code in product.extensions]
    left = f", {item.grant.days_left} days left" if item.grant else ""
    lines.append(f"  until      {rfc3339_of(borrow.exp)}{left}")
    lines.append(f"  status     {'no list' if listed is None else f'list {listed.seq} of {rfc3339_of(listed.iat)}'}")
    notes = item.grant.warnings if item.grant else ()
    return [*lines, *refusal, *(f"  note       {warning}" for warning in notes)]


def give_up(arguments: argparse.Namespace) -> int:
    """`carnet return PRODUCT -o FILE`: may be repeated until the file is safely written."""
    check_output(arguments.output)
    write_output(arguments.output, installing.give_up(Store.open(arguments.home), arguments.product))
    lines = [
        f"{arguments.product} no longer works here; wrote {arguments.output}",
        "carry it to the administrator to free the seat",
    ]
    return result(arguments, {"file": arguments.output, "product": arguments.product}, lines)
