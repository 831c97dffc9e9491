"""What every command is built on: the home and --json, wherever they stand, and help that ends with examples."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from authority.cli import streams
from authority.cli.streams import tell

# What opens a database, keys or a table is imported by the commands that do so: --version waits for none of it.
if TYPE_CHECKING:
    from authority.services.context import Authority
    from authority.wiring.settings import Settings

# How a date, or a date with a time of day, is typed; both are UTC.
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]


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
