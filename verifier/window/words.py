"""What the window says: the verifier's sentences without the commands in them, and times on this machine's own clock."""

from __future__ import annotations

import re
from datetime import timedelta

from verifier.core.times import EPOCH, rfc3339_of, time_left
from verifier.errors import CarnetError, GivenUp
from verifier.workstation.overview import LicenseInformation, Overview, Unreadable

# A command in a sentence, in brackets or at its end; what is left of the sentence says the same.
COMMANDS = re.compile(r" ?\((?:carnet|carnet-authority) [^)]*\)|[:,] (?:carnet|carnet-authority) [a-z][^.;)]*")
# Where a command is all that the usual advice has.
ADVICE = {
    "no-trust": "Install the trust file of your organization.",
    "no-borrow": "Take the license offline: save a request, have it answered, and install the answer.",
    "no-home": "This user has no folder for it: ask who looks after this machine.",
    "no-locks": "Its folder must stand on a disk of this machine: ask who looks after it.",
    "clock-reset-used": "Tell the administrator the code that is shown now, and have a new reset made.",
    "already-borrowed": "Have the other license given back first.",
    "not-signed-in": "Choose Sign in, with your user name and password.",
    "no-authority": "Ask the administrator how this workstation is told of it; until then carry files.",
    "authority-unreachable": (
        "Do the same again when there is a line: it is the same request, and takes no second seat. "
        "Without a line choose the way by a file that is carried."
    ),
    "answer-unusable": "Tell the administrator what the sentence says; until it is mended carry files.",
    "trust-not-compared": "Ask the administrator, by another way than this line, for the thumbprint of the root key.",
}
# What only a mistake in the program can bring; its report is on standard error.
MISTAKE = "This did not work, by a mistake in the program. Do it again, or tell the administrator what you did."
CLOCK_CODES = ("clock-turned-back", "clock-in-doubt")


def plain(text: str) -> str:
    """A sentence of the verifier without the commands in it."""
    return COMMANDS.sub("", text)


def refusal(error: CarnetError) -> str:
    """What was wrong, and what to do now."""
    advice = ADVICE.get(error.code) or plain(error.hint)
    message = plain(error.message)
    return f"{message[:1].upper()}{message[1:]}. {advice}".strip()


def local_time(seconds: int) -> str:
    """A time as the clock on this machine's wall shows it; in UTC, and said so, where the system cannot tell."""
    try:
        return (EPOCH + timedelta(seconds=seconds)).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OSError, OverflowError, ValueError):
        return f"{rfc3339_of(seconds)} (UTC)"


def until(item: LicenseInformation) -> str:
    """When a license ends, and in how many days; that it was given back where it was."""
    if isinstance(item.error, GivenUp):
        return "given back"
    left = "" if item.error else f", {time_left(item.seconds_left)} left"
    return f"{local_time(item.expires_at)}{left}"


def notices(shown: Overview) -> list[str]:
    """What deserves attention, the product first where there are several."""
    several = len(shown.licenses) > 1
    lines = []
    for item in shown.licenses:
        before = f"{item.product}: " if several else ""
        warnings = [] if isinstance(item, Unreadable) else [plain(warning) for warning in item.warnings]
        lines += [f"{before}{text[:1].upper()}{text[1:]}." for text in warnings]
        if item.error is not None:
            lines.append(f"{before}{refusal(item.error)}")
    return lines


def clock_reset(shown: Overview, code: str | None) -> list[str]:
    """What to tell the administrator when a license waits for the clock; nothing while none does, or where no code can be had."""
    doubted = [
        item.borrow_id
        for item in shown.licenses
        if isinstance(item, LicenseInformation) and item.error is not None and item.error.code in CLOCK_CODES
    ]
    if code is None or not doubted:
        return []
    text = (
        "If this machine's clock is right and you cannot wait, tell the administrator, or copy from here and carry, "
        f"this code for a reset of the clock: {code} (borrow {', '.join(doubted)}). "
        "Then choose Install a file for the .clock file that comes back."
    )
    return [text]
