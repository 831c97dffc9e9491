"""member defaults: what new members get when nobody says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import click

from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import fields, show
from authority.cli.several import dry_run_option, once
from authority.domain.members import CONSOLE, Role
from authority.presentation.members import (
    DefaultsShown,
)
from authority.services import defaults
from authority.services.unit import Unit


@click.command("defaults", cls=Command)
@click.option("--type", "user_type", metavar="TYPE")
@click.option("--role", type=click.Choice([str(role) for role in Role]))
@click.option("--group", "groups", multiple=True, metavar="GROUP", help="The groups from now on; may be given several times.")
@click.option("--no-groups", is_flag=True, help="In no group from now on.")
@click.option(
    "--add-on",
    "add_ons",
    multiple=True,
    metavar="PRODUCT=LEVEL",
    help="The add-ons from now on: assigned beside what the type includes; may be given several times.",
)
@click.option("--no-add-ons", is_flag=True, help="Nothing beside what the type includes from now on.")
@click.option("--vendor-access/--no-vendor-access", default=None)
@click.option("--reset", is_flag=True, help="Begin with the defaults of a new organization.")
@dry_run_option
@pass_frame
def member_defaults(
    frame: Frame,
    user_type: str | None,
    role: str | None,
    groups: tuple[str, ...],
    no_groups: bool,
    add_ons: tuple[str, ...],
    no_add_ons: bool,
    vendor_access: bool | None,
    reset: bool,
    dry_run: bool,
) -> None:
    """Show what new members get when nobody says otherwise, or set it; what is not named stays."""
    if (groups and no_groups) or (add_ons and no_add_ons):
        raise click.UsageError("--group and --no-groups, and --add-on and --no-add-ons, contradict each other")
    changes = {
        "user_type": user_type,
        "role": role,
        "groups": () if no_groups else groups or None,
        "add_ons": () if no_add_ons else _add_ons(add_ons) or None,
        "vendor_access": vendor_access,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    with frame.authority() as authority:
        if changes or reset:
            usual = defaults.change(Unit(authority, CONSOLE), changes, reset=reset, dry_run=dry_run)
        else:
            usual = defaults.show(Unit(authority, CONSOLE))
    value = DefaultsShown.of(usual)
    lines = list(fields(value.model_dump(mode="json", exclude={"version"})))
    show(frame, value, ["would be:", *lines] if dry_run else lines)


def _add_ons(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Product and level of each. Wrong usage when two levels of one product are named."""
    pairs = [_add_on(text) for text in once(texts)]
    if len(dict(pairs)) < len(pairs):
        raise click.UsageError("--add-on names one product with two levels")
    return tuple(pairs)


def _add_on(text: str) -> tuple[str, str]:
    product, separator, level = text.partition("=")
    if not separator or not level:
        raise click.UsageError(f"--add-on {text}: write PRODUCT=LEVEL")
    return product, level
