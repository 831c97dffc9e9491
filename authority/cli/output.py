"""What a command prints: a result, a table or a refusal, for people or with --json for programs, and the exit statuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from authority.cli import streams
from authority.cli.frame import Frame
from authority.cli.streams import safe, tell
from authority.domain import disk
from authority.domain.plurals import counted
from authority.domain.refusals import (
    ClockInDoubt,
    DemonstrationOnly,
    KeyUnusable,
    NotSetUp,
    Refusal,
    SettingsInvalid,
    SigningFailed,
    StorageUnavailable,
)

T = TypeVar("T")
Columns = Mapping[str, Callable[[T], object]]
REFUSED, USAGE, TROUBLE = 1, 2, 3
WRONG_USAGE = "wrong-usage"
TROUBLES = (
    StorageUnavailable,
    SettingsInvalid,
    KeyUnusable,
    ClockInDoubt,
    NotSetUp,
    DemonstrationOnly,
    SigningFailed,
    *disk.TROUBLES,
)


def show(frame: Frame, value: Any, lines: Sequence[str]) -> None:
    """A result: JSON on stdout with --json, else lines for people."""
    if frame.json:
        _print_json(value)
    else:
        with streams.explained():
            for line in lines:
                print(safe(line))


def _print_json(value: Any) -> None:
    """Prints a value for programs, in ASCII alone: it means the same in every encoding."""
    with streams.explained():
        print(json.dumps(value, indent=2, default=_plain))


def _plain(value: object) -> object:
    """A shown thing as a dictionary, anything else that JSON has no form for as text."""
    from authority.presentation.shown import Shown

    return value.model_dump(mode="json") if isinstance(value, Shown) else str(value)


def show_note(note: str | None) -> None:
    """Says on stderr what deserves a second look about what was done, if anything does."""
    if note is not None:
        tell(f"note: {note}")


def show_table(
    frame: Frame, rows: Sequence[T], columns: Columns[T], may_go: Sequence[str] = (), *, head: str | None = None
) -> None:
    """A list: an array of objects with --json, else a table.

    Where there is no room for all columns, the one that is a `head` stands above the rows that share it, and those that `may_go` are
    left out, the first of them first, and it is said which.
    """
    if frame.json:
        _print_json(rows)
        return
    from authority.cli.tables import headed, shortened, width_of_output

    width, names = width_of_output(), list(columns)
    cells = [[streams.as_printed(safe(_cell(value(row)))) for value in columns.values()] for row in rows]
    gone = shortened(names, cells, width, may_go)
    above = None if head is None or not gone else names.index(head)
    if above is not None:
        below = [name for name in names if name != head]
        gone = shortened(below, [[*row[:above], *row[above + 1 :]] for row in cells], width, may_go)
    shown = [place for place, name in enumerate(names) if name not in gone and place != above]
    heads = None if above is None else [row[above] for row in cells]
    with streams.explained():
        for line in headed([names[place] for place in shown], [[row[place] for place in shown] for row in cells], heads, width):
            print(line)
    if gone:
        tell(f"no room for {', '.join(gone)}: a wider window, COLUMNS=200 or --json has them")


def show_count(frame: Frame, count: int, what: str, more: object = None, hint: str = "") -> None:
    """Says on stderr how many of something a list for people has: one `what`, several with an s; `hint` follows.

    `more`, the cursor of what follows, says unless it is None that the list was cut: also to programs.
    """
    if more is not None:
        tell(f"there are more than {count}; narrow the list or raise --limit")
    elif not frame.json:
        tell(f"{counted(count, what)}{hint and f'; {hint}'}")


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, datetime):
        from authority.presentation.shown import rfc3339

        return str(rfc3339(value))
    return "" if value is None else str(value)


def fields(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A line for each field, for people; what has fields of its own stands above those of them that say something."""
    width = max(map(len, values), default=0)
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}"
            yield from fields({key: item for key, item in value.items() if item is not None}, f"{indent}  ")
        else:
            yield f"{indent}{name:<{width}}  {plain(value)}"


def plain(value: object) -> str:
    """A field as JSON has it, for people: "none" for nothing and for an empty list or object, yes and no for true and false."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items() if item is not None) or "none"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value) or "none"
    return "none" if value is None or value == "" else str(value)


def usage_failure(error: click.ClickException, *, as_json: bool) -> int:
    """Prints wrong usage, as an object for programs with `as_json`. Returns the exit status.

    A mistake may come before --json was read, so that the frame does not know of it.
    """
    if not as_json:
        # Names of files and superfluous words are in it as they were typed; not in help, and in what is missing.
        if isinstance(error, click.UsageError) and not isinstance(error, NoArgsIsHelpError | click.MissingParameter):
            error = click.UsageError(safe(error.format_message()), error.ctx)
        error.show()
        return error.exit_code
    context = error.ctx if isinstance(error, click.UsageError) else None
    # Without a command click says its help; a program is told what is missing.
    message = "a command is missing" if isinstance(error, NoArgsIsHelpError) else error.format_message()
    hint = f"{'carnet-authority' if context is None else context.command_path} --help shows what is taken."
    _print_json({"ok": False, "code": WRONG_USAGE, "message": message, "hint": hint, "evidence": {}})
    return error.exit_code


def failure(frame: Frame, error: Refusal) -> int:
    """Prints a refusal with its code and what to do next. Returns the exit status."""
    if frame.json:
        body = {"ok": False, "code": error.code, "message": error.message, "hint": error.hint, "evidence": error.evidence}
        _print_json(body)
    else:
        tell(f"{error.message} [{error.code}]")
        if error.hint:
            tell(f"what to do: {error.hint}")
        if error.items:
            tell("nothing was done, because all are done or none:")
        for item in error.items:
            reason = (
                "could be done without those that are refused"
                if item.refusal is None
                else f"{item.refusal.message} [{item.refusal.code}]"
            )
            tell(f"  {item.name}: {reason}")
    return TROUBLE if isinstance(error, TROUBLES) else REFUSED
