"""A number and what is counted, as people write it: `1 member`, `2 members`."""

from __future__ import annotations


def counted(number: float, one: str, several: str | None = None) -> str:
    """A number with its noun: `1 day`, `2 days`, `0.25 days`; `several` is the noun of all but 1 where it is not `one` with an s."""
    shown = f"{number:.4g}" if number % 1 else str(int(number))
    return f"{shown} {one if shown == '1' else several or f'{one}s'}"


def are(number: int) -> str:
    """The verb that fits a number: `is` or `are`."""
    return "is" if number == 1 else "are"


def all_are(number: int, one: str, of: str) -> str:
    """All of what there is, with the verb: `all 3 seats of X are`, `the only seat of X is`."""
    return f"the only {one} of {of} is" if number == 1 else f"all {counted(number, one)} of {of} are"
