"""pool: how the seats of concurrent products may be used."""

from __future__ import annotations

import click

from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, show, show_note, show_table
from authority.cli.several import dry_run_option
from authority.domain.members import CONSOLE
from authority.domain.pools import PoolRule
from authority.presentation.pools import ChangedPoolRule, GroupShareShown, PoolRuleShown, PoolShown
from authority.services import pools
from authority.services.unit import Unit


def _group_text(share: GroupShareShown) -> str:
    limit = "" if share.maximum is None else f" of at most {share.maximum}"
    return f"{share.group}: {share.in_use} in use{limit}, {share.reserved} reserved"


COLUMNS: Columns[PoolShown] = {
    "product": lambda pool: pool.product,
    "level or extension": lambda pool: pool.feature,
    "licensed": lambda pool: pool.licensed,
    "in use": lambda pool: pool.in_use,
    "borrowed": lambda pool: f"{pool.borrowed} of at most {pool.borrowable}",
    "runs out": lambda pool: "served from a higher level" if pool.from_higher else "refused",
    "groups": lambda pool: [_group_text(share) for share in pool.groups],
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("groups", "runs out", "borrowed")


@click.group(cls=Group)
def pool() -> None:
    """Say how the seats of concurrent products may be used, and see why there are none."""


def _named(_: click.Context, __: click.Parameter, group: str | None) -> str:
    """The group; empty for everybody. A script's empty variable must not become the rule for everybody."""
    if group == "":
        raise click.UsageError("--group needs a name")
    return group or ""


_GROUP = click.option(
    "--group", metavar="NAME", callback=_named, help="The rule for this group; default: the rule for everybody."
)


@pool.command("show")
@click.option("--product", metavar="PRODUCT")
@pass_frame
def show_pools(frame: Frame, product: str | None) -> None:
    """Show the seats of concurrent products: in use, borrowed, and what the rules keep back."""
    with frame.authority() as authority:
        rows = [PoolShown.of(item) for item in pools.states(Unit(authority, CONSOLE), product)]
    show_table(frame, rows, COLUMNS, MAY_GO, head="product")


@pool.command("set")
@click.argument("product")
@click.argument("feature", metavar="LEVEL_OR_EXTENSION")
@_GROUP
@click.option("--low-water", type=int, default=0, metavar="N", help="So many seats are never borrowed.")
@click.option("--most-borrowed", type=int, metavar="N", help="So many are borrowed at once at most.")
@click.option("--from-higher", is_flag=True, help="Serve the level from the next higher one when its seats run out.")
@click.option("--reserved", type=int, default=0, metavar="N", help="With --group: seats kept for the group.")
@click.option("--maximum", type=int, metavar="N", help="With --group: the group uses so many at most.")
@dry_run_option
@pass_frame
def set_rule(
    frame: Frame,
    product: str,
    feature: str,
    group: str,
    low_water: int,
    most_borrowed: int | None,
    from_higher: bool,
    reserved: int,
    maximum: int | None,
    dry_run: bool,
) -> None:
    """Set the rule for the seats of a level or extension, in place of the one that was there; who has a seat keeps it."""
    wanted = PoolRule(product, feature, group, low_water, most_borrowed, reserved, maximum, from_higher)
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        rule = pools.change(unit, wanted, dry_run=dry_run)
    line = f"{rule.name()}: {rule.words()}"
    show(frame, ChangedPoolRule.noted(rule, unit.note), [f"would be: {line}" if dry_run else line])
    show_note(unit.note)


@pool.command("remove")
@click.argument("product")
@click.argument("feature", metavar="LEVEL_OR_EXTENSION")
@_GROUP
@dry_run_option
@pass_frame
def remove_rule(frame: Frame, product: str, feature: str, group: str, dry_run: bool) -> None:
    """Remove a rule."""
    with frame.authority() as authority:
        rule = pools.remove(Unit(authority, CONSOLE), product, feature, group, dry_run=dry_run)
    show(frame, PoolRuleShown.of(rule), [f"{'would remove' if dry_run else 'removed'} {rule.name()}"])
