"""What the verifier's values say to people, in whole sentences; for the command and the window alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from verifier.core.times import counted, in_days, rfc3339_of
from verifier.workstation.clock import wall_seconds
from verifier.workstation.installed import (
    AuthorizationInstalled,
    ClockResetInstalled,
    Installed,
    StatusListInstalled,
    TrustInstalled,
    TrustUpdated,
)
from verifier.workstation.intake import Need, PassedOver
from verifier.workstation.overview import NewestList, Overview

REASONS = {
    "foreign": "no Carnet file",
    "for-the-authority": "for the administrator",
    "no-regular-file": "a link, a device or a pipe",
}
NEEDS = {
    "trust": "the trust file of your organization; install it with: carnet trust FILE",
    "license": "a license; ask for one with: carnet request PRODUCT -o FILE, and install the answer",
}
HOUR, DAY = 3600, 86_400
# So many names are said one by one.
FEW = 3


def installed(item: Installed) -> str:
    """What a file brought, without a period at the end."""
    return f"{_subject(item)}{'' if item.is_new else ', as before'}{_remark(item)}"


def _subject(item: Installed) -> str:
    if isinstance(item, TrustInstalled):
        return f'trust in the organization "{item.organization}" with the root key {", ".join(item.roots)}'
    if isinstance(item, TrustUpdated):
        return f'trust update {item.seq}: the root key of "{item.organization}" is now {", ".join(item.roots)}'
    if isinstance(item, AuthorizationInstalled):
        return f'the authorization of "{item.organization}" with seq {item.seq}'
    if isinstance(item, StatusListInstalled):
        return f"the status list with seq {item.seq} of {rfc3339_of(item.issued_at)}"
    if isinstance(item, ClockResetInstalled):
        return f"the clock reset of {rfc3339_of(item.signed_at)}: what the clock showed here before is forgotten"
    extensions = f" with {', '.join(item.extensions)}" if item.extensions else ""
    return f'"{item.product}" {item.level}{extensions} until {rfc3339_of(item.expires_at)}'


def _remark(item: Installed) -> str:
    return ": this file is of an earlier token" if getattr(item, "is_earlier", False) else ""


def needed(need: Need) -> str:
    """What is still needed, and how to get it; without a period where it ends with a command."""
    if need.code == "compare-root":
        return f"compare the root key with what the administrator tells you by another way: {', '.join(need.roots)}"
    if need.error is not None:
        product = "" if need.product is None else f"{need.product}: "
        return f"{product}{need.error.message} [{need.error.code}]. {need.error.hint}"
    return NEEDS[need.code]


def passed_over(items: Sequence[PassedOver]) -> list[str]:
    """A sentence for each reason for which files of a folder were left alone, with their number, or their names when they are few."""
    counts = Counter(item.reason for item in items)
    return [
        f"left alone, {REASONS[reason]}: {_names([item.name for item in items if item.reason == reason])}" for reason in counts
    ]


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= FEW else f"{len(names)} files"


def age(seconds: int) -> str:
    """How old something is, in the unit that people would say: hours, then days."""
    if seconds < HOUR:
        return "less than an hour old"
    hours = seconds // HOUR
    return f"{counted(hours, 'hour')} old" if seconds < 2 * DAY else f"{in_days(seconds // DAY)} old"


def status_list(newest: NewestList | None) -> str:
    """Which status list is known here, how old it is, and before when the license asks for a newer one."""
    if newest is None:
        return "no list: a return or revocation is not known here"
    asked = "" if newest.good_until is None else f"; install a newer one before {rfc3339_of(newest.good_until)}"
    return f"list {newest.seq} of {rfc3339_of(newest.issued_at)}, {age(newest.age_seconds)}{asked}"


def seat_free(free_at: str | None) -> str:
    """When the seat of what was given back is free (RFC 3339), behind a sentence: at once, or when the last grant of a session ends."""
    if free_at is None or free_at <= rfc3339_of(wall_seconds()):
        return ", and its seat is free"
    return f"; its seat is free at {free_at}, when the last grant of the session here has ended"


def organization(shown: Overview) -> str:
    """Whose licenses this workstation takes: the name with the id, or the id alone."""
    return shown.organization if shown.organization_name is None else f"{shown.organization_name} ({shown.organization})"
