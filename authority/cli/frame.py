"""What all commands share: the home, --json, output and the exit statuses."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from authority.cli import streams
from authority.domain import disk
from authority.domain.names import escaped
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

# What opens a database, keys or a table is imported by the commands that do so: --version waits for none of it.
if TYPE_CHECKING:
    from authority.services.context import Authority
    from authority.wiring.settings import Settings

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
# How a date, or a date with a time of day, is typed; both are UTC.
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]
# Where the system has what is open in this process, by number.
OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/")
# The name itself is wrong, which no other disk and no other permission would mend.
WRONG_NAME = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})


@dataclass
class Frame:
    """The options that every command takes."""

    home: str | None = None
    json: bool = False

    def settings(self) -> Settings:
        """The settings in force."""
        from authority.wiring.settings import from_process

        return from_process(self.home)

    @contextlib.contextmanager
    def authority(self) -> Iterator[Authority]:
        """The authority of the home, closed at the end."""
        from authority.wiring.app import open_authority

        authority = open_authority(self.settings())
        try:
            _print_excess(authority)
            yield authority
        finally:
            authority.database.close()


def _print_excess(authority: Authority) -> None:
    """Administrators are told each time while the organization has too many members (seed S2)."""
    from authority.domain.members import CONSOLE
    from authority.services import members
    from authority.services.unit import Unit

    excess = members.membership(Unit(authority, CONSOLE)).excess()
    if excess is not None:
        tell(f"{excess}; members cannot sign in or borrow. Remove members, or install a larger authorization.")


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            frame = context.find_root().ensure_object(Frame)
            if getattr(frame, name) not in (None, False, value):
                raise click.UsageError(f"--{name} was given twice: say one", context)
            setattr(frame, name, value)

    return callback


class WithExamples(click.Command):
    """A command whose help ends with examples, and is told as an output when it cannot be written."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Reads the arguments; what is printed meanwhile is help or the version. Raises ReaderGone, OutputNotWritten."""
        with streams.explained():
            return super().make_context(*args, **kwargs)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, each on its own line, and then what the command says at its end."""
        from authority.cli.examples import examples_of

        lines = examples_of(" ".join(ctx.command_path.split()[1:]))
        if lines:
            formatter.write("\nexamples:\n" + "".join(f"  {line}\n" for line in lines))
        super().format_epilog(ctx, formatter)


class Command(WithExamples):
    """A command that takes --home and --json wherever they stand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments. Wrong usage when an option with one value is given twice, for it is unclear which is meant."""
        order = self.make_parser(ctx).parse_args(args=list(args))[2]
        for option in order:
            if isinstance(option, click.Option) and order.count(option) > 1 and _has_one_value(option):
                names = " or ".join([option.opts[-1], *option.secondary_opts])
                raise click.UsageError(f"{names} was given twice: say one", ctx)
        return super().parse_args(ctx, args)


def _has_one_value(option: click.Option) -> bool:
    """True for an option with a value, and for a pair like --allow and --deny; a flag that stands there twice says no more."""
    return not option.multiple and (not option.is_flag or bool(option.secondary_opts))


class Group(WithExamples, click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options()


Group.group_class = Group
pass_frame = click.make_pass_decorator(Frame, ensure=True)


def common_options() -> list[click.Parameter]:
    """--home and --json."""
    home = click.Option(["--home"], metavar="DIR", expose_value=False, callback=_set("home"), help="Home of the authority.")
    as_json = click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_set("json"), help="Print machine-readable JSON on stdout."
    )
    return [home, as_json]


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


def tell(text: str) -> None:
    """One line for people, on stderr: "carnet-authority: " and the text. Raises ReaderGone, OutputNotWritten."""
    with streams.explained():
        print(f"carnet-authority: {safe(text)}", file=sys.stderr)


def show_note(note: str | None) -> None:
    """Says on stderr what deserves a second look about what was done, if anything does."""
    if note is not None:
        tell(f"note: {note}")


def show_table(frame: Frame, rows: Sequence[T], columns: Columns[T], may_go: Sequence[str] = ()) -> None:
    """A list: an array of objects with --json, else a table.

    Where there is no room for all columns, those that `may_go` are left out, the first of them first, and it is said which.
    """
    if frame.json:
        _print_json(rows)
        return
    from authority.cli.tables import lines_of, width_of_output, without

    width, names = width_of_output(), list(columns)
    cells = [[streams.as_printed(safe(_cell(value(row)))) for value in columns.values()] for row in rows]
    gone = without(names, cells, width, may_go)
    shown = [place for place, name in enumerate(names) if name not in gone]
    with streams.explained():
        for line in lines_of([names[place] for place in shown], [[row[place] for place in shown] for row in cells], width):
            print(line)
    if gone:
        tell(f"no room for {', '.join(gone)}: a wider window or --json has them")


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


def plain(value: object) -> str:
    """A field as JSON has it, for people: "none" for nothing and for an empty list or object, yes and no for true and false."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items() if item is not None) or "none"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value) or "none"
    return "none" if value is None or value == "" else str(value)


def safe(text: str) -> str:
    """Text for a terminal: escapes, line breaks and direction marks are shown by their code; joiners are part of a word."""
    return escaped(text)


def read_input(name: str) -> bytes:
    """The bytes of a carried file. Wrong usage when there is no such file."""
    from authority.signing.inbox import read_file

    with reading(name):
        return read_file(Path(name))


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """A block that reads a file. Wrong usage for a name that is no file; raises NotPermitted or DiskFailed for another OSError."""
    with _named(name, "read"):
        yield


@contextlib.contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The bytes of a file to read, or of stdin for `-`.

    Wrong usage for a name that is no file, for a device, and for a pipe that lies in a folder: who would write into it may never
    come. A pipe that the shell opened for this very command is read (`<(...)`, /dev/stdin).
    """
    with reading(name):
        if name == "-":
            yield sys.stdin.buffer
            return
        is_of_shell = name == "/dev/stdin" or name.startswith(OPEN_ALREADY)
        waiting = 0 if is_of_shell else getattr(os, "O_NONBLOCK", 0)
        with open(name, "rb", opener=lambda path, flags: os.open(path, flags | waiting)) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not (stat.S_ISREG(mode) or (is_of_shell and stat.S_ISFIFO(mode))):
                raise click.UsageError(f"{name} cannot be read: it is a device or a pipe; name a file, or say - for stdin")
            yield stream


@contextlib.contextmanager
def _named(name: str, verb: str, note: str = "") -> Iterator[None]:
    if not name:
        raise click.UsageError(f"a file that is to be {verb} has no name")
    try:
        yield
    except OSError as error:
        if error.errno in WRONG_NAME:
            raise click.UsageError(f"{name} cannot be {verb}: {error.strerror}") from error
        raise disk.refusal_of(error, name, verb, note) from error


def write_output(name: str, data: bytes) -> None:
    """Writes a file whole. Raises DiskFull, NotPermitted or DiskFailed."""
    from authority.signing.inbox import write_file

    with disk.explained(name, "written", "; what it is about is done, and the same command writes it again"):
        write_file(Path(name), data)


def make_folder(name: str) -> None:
    """Makes a folder for carried files, unless it is there. Raises DiskFull, NotPermitted or DiskFailed."""
    with disk.explained(name, "made"):
        Path(name).mkdir(exist_ok=True)


def write_lines(name: str | None, lines: Iterable[str]) -> None:
    """Writes lines, each with its own end, in UTF-8 to a file, whole or not at all, or to stdout.

    Raises DiskFull, NotPermitted or DiskFailed for the file, ReaderGone or OutputNotWritten for stdout.
    """
    if name is None:
        with streams.explained():
            sys.stdout.flush()
            sys.stdout.buffer.writelines(line.encode() for line in lines)
            sys.stdout.buffer.flush()
        return
    from authority.signing.inbox import writing

    with disk.explained(name, "written"), writing(Path(name)) as file:
        file.writelines(line.encode() for line in lines)


def check_output(name: str) -> None:
    """Says before anything is done when no file can be written there.

    Wrong usage for a name that is no place for a file; raises DiskFull, NotPermitted or DiskFailed when the operating system
    says no.
    """
    from authority.signing.inbox import check_writable

    path = Path(name)
    with _named(name, "written", disk.UNCHANGED):
        is_file = path.is_file() and not path.is_symlink()
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise click.UsageError(f"{name} cannot be written: name a file in a folder that is there")
        # A file that is renamed over a link, a device or a pipe would take its place.
        if not is_file and (path.exists() or path.is_symlink()):
            raise click.UsageError(f"{name} cannot be written: it is a link, a device or a pipe; name a file")
        check_writable(path)


def usage_failure(error: click.ClickException, *, as_json: bool) -> int:
    """Prints wrong usage, as an object for programs with `as_json`. Returns the exit status.

    A mistake may come before --json was read, so that the frame does not know of it.
    """
    if not as_json:
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
