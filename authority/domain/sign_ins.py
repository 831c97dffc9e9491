"""Signing in with a password: how long it is good, from where it came, and how long somebody waits after wrong passwords."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from authority.domain.plurals import counted
from authority.domain.refusals import TooManyRequests

SIGN_IN_LASTS = timedelta(hours=12)
# The last use of a credential is kept when this much time passed since the one that is kept: no request writes for it but a few.
USE_KEPT_EVERY = timedelta(hours=1)
# A try that was counted is forgotten so long after the last wrong one of its row.
FORGOTTEN_AFTER = timedelta(hours=24)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
# An address from which a member signed in within this time is known for that member.
KNOWN_FOR = timedelta(days=90)
LONGEST_AGENT = 120
# One household or machine has a whole network of this size, and may change its address in it at will.
IPV6_NETWORK_BITS = 64
NO_ADDRESS = "no address"


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody signs in.

    `address` is an IPv4 address or the /64 network of an IPv6 address; `agent` what the program calls itself; `device` the secret
    of an earlier sign-in, which shows that the member signed in on this device before.
    """

    address: str = NO_ADDRESS
    agent: str | None = None
    device: str | None = None

    def __repr__(self) -> str:
        return f"Origin({self.address!r}, {self.agent!r})"


NOWHERE = Origin()


class Budget(StrEnum):
    """What wrong passwords are counted for: an account and an address that are strange to each other, or the two that are not."""

    ACCOUNT = "account"
    ADDRESS = "address"
    KNOWN = "known"
    # Right passwords of a member, in a minute.
    RIGHT = "right"


# How many right passwords of one member are compared in a minute: each takes work that others wait for.
MOST_IN_A_MINUTE = 20
MINUTE = timedelta(minutes=1)
# How many sign-ins of one member are good at a time; with one more the oldest ends.
MOST_SIGN_INS = 200
# How many wrong passwords cost no wait.
FREE_TRIES = {Budget.ACCOUNT: 5, Budget.ADDRESS: 20, Budget.KNOWN: 10}


@dataclass(frozen=True, slots=True)
class Tries:
    """How many passwords were tried and not right since the last quiet day, and when the last was."""

    budget: Budget
    wrong: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that is good: whose, since when, from where, and whether it is the one that asks.

    `last_used_at` is exact to an hour; `expires_at` is None for one that is remembered until signing out.
    """

    id: str
    member: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime | None
    address: str | None
    agent: str | None
    is_current: bool


def address_of(text: str | None) -> str:
    """The address as it is counted and kept: IPv4 as it is, of IPv6 the network of 64 bits; "no address" for what is none."""
    try:
        address = ipaddress.ip_address((text or "").strip().strip("[]").partition("%")[0])
    except ValueError:
        return NO_ADDRESS
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False))


def agent_of(text: str | None) -> str | None:
    """What a program calls itself, as it is kept: its printable characters, at most so many; None for nothing."""
    return "".join(char for char in text or "" if char.isascii() and char.isprintable())[:LONGEST_AGENT].strip() or None


def wait_after(budget: Budget, wrong: int) -> timedelta:
    """How long the next try waits after so many wrong ones: not at all, then twice as long after each, up to the longest."""
    over = wrong - FREE_TRIES[budget]
    return timedelta(0) if over < 0 else min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT)


def deserves_row(budget: Budget, wrong: int) -> bool:
    """Whether the log says it: when waiting begins, and when the wait is the longest; between quiet days each once."""
    return wrong >= 1 and wait_after(budget, wrong) > wait_after(budget, wrong - 1) in (timedelta(0), _LAST_BUT_ONE)


_LAST_BUT_ONE = max(wait for over in range(10) if (wait := FIRST_WAIT * 2**over) < LONGEST_WAIT)


def current(tries: Tries, at: datetime) -> Tries:
    """The tries as they count now: none after a quiet day."""
    return Tries(tries.budget, 0, tries.last_at) if at - tries.last_at > FORGOTTEN_AFTER else tries


def check_rate(right: Tries | None, at: datetime) -> None:
    """Raises TooManyRequests for a member who had as many right passwords compared as there may be since their minute began."""
    if right is None or right.wrong < MOST_IN_A_MINUTE or not timedelta(0) <= at - right.last_at < MINUTE:
        return
    seconds = -(-(right.last_at + MINUTE - at) // timedelta(seconds=1))
    raise TooManyRequests(
        f"there were {MOST_IN_A_MINUTE} sign-ins in a minute: the next try is in {counted(seconds, 'second')}", seconds=seconds
    )


def check_wait(tries: Iterable[Tries], at: datetime) -> None:
    """Raises TooManyRequests while a try has to wait for wrong ones before it.

    A clock that was turned back makes nobody wait longer than the rule says.
    """
    left = timedelta(0)
    for item in (current(item, at) for item in tries):
        wait = wait_after(item.budget, item.wrong)
        left = max(left, min(item.last_at + wait - at, wait))
    if left > timedelta(0):
        seconds = -(-left // timedelta(seconds=1))
        raise TooManyRequests(f"too many wrong passwords: the next try is in {counted(seconds, 'second')}", seconds=seconds)
