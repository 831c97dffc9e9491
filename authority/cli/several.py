"""Commands that take several names: how all or none, and one by one, are asked for and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import click

from authority.cli.files import read_input
from authority.cli.frame import Frame
from authority.cli.output import REFUSED, show
from authority.domain.members import user_key
from authority.domain.refusals import NotFound
from authority.presentation.several import rows_of
from authority.presentation.shown import Shown
from authority.services.several import Outcome, each

Item = TypeVar("Item")
Result = TypeVar("Result")
Seen = TypeVar("Seen", bound=Shown)

one_by_one_option = click.option(
    "--one-by-one",
    "--row-by-row",
    "one_by_one",
    is_flag=True,
    help="Do what can be done, and say of each what became of it; default: all or none.",
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@dataclass(frozen=True)
class View(Generic[Item, Result, Seen]):
    """How the outcomes of one command are shown.

    `names` has what names an item, as columns; `resource` is what the thing is called in JSON; `verb` is what was done with
    it, in the past and as what would be done; `lines` tell it to people. `is_list`: also a single one is shown as an array.
    """

    names: Callable[[Item], Mapping[str, str]]
    resource: str
    shown: Callable[[Result], Seen]
    lines: Callable[[Seen], Sequence[str]]
    verb: tuple[str, str]
    is_list: bool = False


def once(names: Sequence[str]) -> list[str]:
    """Each name once, in the order in which they were typed."""
    return list(dict.fromkeys(names))


def members_once(usernames: Sequence[str]) -> list[str]:
    """Each member once, as they were typed first; what makes two user names the same is `user_key`'s to say."""
    by_key: dict[str, str] = {}
    for username in usernames:
        by_key.setdefault(user_key(username) or username, username)
    return list(by_key.values())


def read_carried(names: Sequence[str]) -> dict[str, Outcome[str, bytes]]:
    """The bytes of each file that was carried here, or why it cannot be read: one that is missing keeps no other out.

    Wrong usage when the only one that is named is no file.
    """

    def read(name: str) -> bytes:
        try:
            return read_input(name)
        except click.UsageError as error:
            if len(names) == 1:
                raise
            raise NotFound(error.message, hint="Check the name of the file.") from error

    return {outcome.item: outcome for outcome in each(names, read)}


def show_outcomes(
    frame: Frame, outcomes: Sequence[Outcome[Item, Result]], view: View[Item, Result, Seen], *, one_by_one: bool, dry_run: bool
) -> int:
    """Shows what became of each, and returns the exit status: that of a refusal when one of them was refused.

    All or none: an object for one, an array of them for several. One by one: an array of objects that say whether it was done.
    """
    verb = view.verb[1] if dry_run else view.verb[0]
    successes = [outcome for outcome in outcomes if outcome.refusal is None]
    value = (
        rows_of(outcomes, view.names, view.resource, view.shown)
        if one_by_one
        else [view.shown(outcome.done()) for outcome in outcomes]
    )
    lines = [line for outcome in outcomes for line in _lines(outcome, view)]
    if one_by_one:
        lines.append(f"{verb} {len(successes)} of {len(outcomes)}")
    is_list = view.is_list or one_by_one or len(outcomes) > 1
    show(frame, value if is_list else value[0], lines)
    return 0 if len(successes) == len(outcomes) else REFUSED


def show_carried(frame: Frame, outcomes: Sequence[Outcome[Item, Result]], view: View[Item, Result, Seen]) -> int:
    """Shows what became of each of the files that were carried here; a single one is shown, or its refusal raised, by itself."""
    if len(outcomes) == 1:
        outcomes[0].done()
    return show_outcomes(frame, outcomes, view, one_by_one=len(outcomes) > 1, dry_run=False)


def _lines(outcome: Outcome[Item, Result], view: View[Item, Result, Seen]) -> Sequence[str]:
    if outcome.refusal is None:
        return view.lines(view.shown(outcome.done()))
    name, message = " ".join(view.names(outcome.item).values()), outcome.refusal.message
    # A file that cannot be read is named by its sentence already.
    sentence = message if message.startswith(name) else f"{name}: {message}"
    return [f"{sentence} [{outcome.refusal.code}]", f"  what to do: {outcome.refusal.hint}"]
