"""status: every license as people want to see it."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from verifier import sentences
from verifier.cli.output import result
from verifier.core.times import rfc3339_of, time_left
from verifier.errors import GivenUp
from verifier.workstation import licensing
from verifier.workstation.overview import LicenseInformation, NewestList, Overview, Unreadable, overview
from verifier.workstation.store import Store

# What every terminal has, and a mail.
COLUMNS = 80
LABEL = 13


def add_status(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet status`."""
    parser = commands.add_parser("status", parents=[common], help="show every license: levels, extensions, until when")
    parser.set_defaults(run=status)


def status(arguments: argparse.Namespace) -> int:
    """`carnet status`: what is not good is shown with its reason. 1 when a license is not good, else 3 when one was not checked.

    A license that was given back is over, as its holder wanted: it is shown, and no failure.
    """
    shown = overview(Store.open(arguments.home))
    value = {
        "alias": shown.alias,
        "home": str(shown.home),
        "authority": {
            "organization": shown.organization,
            "name": shown.organization_name,
            "roots": list(shown.roots),
            "url": shown.url,
            "username": shown.username,
        },
        "licenses": [_as_json(item) for item in shown.licenses],
    }
    errors = [item.error for item in shown.licenses if item.error is not None and not isinstance(item.error, GivenUp)]
    return result(arguments, value, _as_lines(shown), status=min((error.exit_status for error in errors), default=0))


def _as_json(item: LicenseInformation | Unreadable) -> dict[str, Any]:
    error = None if item.error is None else item.error.as_json()
    if isinstance(item, Unreadable):
        return {"product": item.product, "ok": False, "error": error}
    newest = item.status_list
    return item._asdict() | {
        "expires_at": rfc3339_of(item.expires_at),
        "status_list": None if newest is None else newest._asdict() | _times_of(newest),
        "warnings": list(item.warnings),
        "ok": item.error is None,
        "error": error,
    }


def _times_of(newest: NewestList) -> dict[str, str | None]:
    good_until = None if newest.good_until is None else rfc3339_of(newest.good_until)
    return {"issued_at": rfc3339_of(newest.issued_at), "good_until": good_until}


def _as_lines(shown: Overview) -> list[str]:
    lines = _row("authority", sentences.organization(shown))
    for root in shown.roots:
        lines += _row("root key", root)
    if shown.url is not None:
        lines += _row("address", licensing.words(shown.url, shown.username))
    lines += _row("workstation", shown.alias or "without alias; give it one with: carnet alias NAME")
    for item in shown.licenses:
        lines += ["", *(_unreadable(item) if isinstance(item, Unreadable) else _license(item))]
    return lines if shown.licenses else [*lines, "no license is installed here"]


def _license(item: LicenseInformation) -> list[str]:
    how = "in a session of" if item.is_session else "borrowed by"
    lines = textwrap.wrap(f"{item.name} ({item.product}), {how} {item.member}", COLUMNS)
    lines += _features(item)
    left = "" if item.error else f", {time_left(item.seconds_left)} left"
    lines += _row("  until", f"{rfc3339_of(item.expires_at)}{left}")
    if item.alias not in (None, ""):
        lines += _row("  alias", str(item.alias))
    if not item.is_session:
        lines += _row("  status", sentences.status_list(item.status_list))
    for warning in item.warnings:
        lines += _row("  note", warning)
    return lines + _refusal(item)


def _features(item: LicenseInformation) -> list[str]:
    """Each level and extension with yes or no; of a license that is not good, which has no yes, what was borrowed."""
    if item.error is not None:
        return _row("  borrowed", ", ".join([item.level, *(code for code, is_held in item.extensions.items() if is_held)]))
    return [
        f"  {label:<9} {name:<20} {'yes' if is_licensed else 'no'}"
        for label, values in (("level", item.levels), ("extension", item.extensions))
        for name, is_licensed in values.items()
    ]


def _unreadable(item: Unreadable) -> list[str]:
    return [item.product, *_refusal(item)]


def _refusal(item: LicenseInformation | Unreadable) -> list[str]:
    if item.error is None:
        return []
    label = "  given back" if isinstance(item.error, GivenUp) else "  NOT GOOD"
    return _row(label, f"{item.error.message} [{item.error.code}]") + _row("  what to do", item.error.hint)


def _row(label: str, text: str) -> list[str]:
    """A label and its text, in as many lines as it takes."""
    indent = " " * LABEL
    return textwrap.wrap(text, COLUMNS, initial_indent=f"{label:<{LABEL}}", subsequent_indent=indent, break_on_hyphens=False)
