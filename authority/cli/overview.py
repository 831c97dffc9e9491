"""overview, inspect: what there is to look into, and what a file is that came on a stick."""

from __future__ import annotations

from collections.abc import Iterator

import click

from authority.cli.files import read_input
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import Columns, fields, show
from authority.cli.tables import lines_of, width_of_output
from authority.domain.members import CONSOLE
from authority.presentation import event_words
from authority.presentation.carried import CarriedShown
from authority.presentation.overview import FeatureFigures, OverviewShown
from authority.presentation.shown import rfc3339
from authority.services import carried, figures
from authority.services.unit import Unit

FIGURES: Columns[FeatureFigures] = {
    "level or extension": lambda row: row.feature,
    "licensed": lambda row: row.licensed,
    "used": lambda row: row.used,
    "borrowed": lambda row: row.borrowed,
    "free": lambda row: row.free,
}


@click.command("overview", cls=Command)
@pass_frame
def overview(frame: Frame) -> None:
    """What is used of what is licensed, what ends soon, and what to look into."""
    with frame.authority() as authority:
        shown = OverviewShown.of(figures.show(Unit(authority, CONSOLE)))
    show(frame, shown, list(_lines(shown)))


def _lines(shown: OverviewShown) -> Iterator[str]:
    limit = "" if shown.members.maximum is None else f" of {shown.members.maximum}"
    yield f"members         {shown.members.current}{limit}"
    yield f"offline         {shown.offline}; {shown.due_today} end today, {shown.due_this_week} within seven days"
    yield f"revoked         {shown.revoked} more, whose seat stays taken until their end"
    yield f"looks stuck     {shown.stuck}: carnet-authority borrow offline --stuck"
    yield f"not returned    {shown.not_returned} in the last 30 days"
    yield f"ask to download {shown.download_requests}: carnet-authority member list --download requested"
    yield f"authorization   until {rfc3339(shown.authorization_ends_at)}"
    if shown.warning is not None:
        yield f"warning         {shown.warning}"
    for key in shown.ending_keys:
        yield f"key ends        the {key.use} key {key.kid} at {rfc3339(key.ends_at)}: carnet-authority key rotate"
    if shown.notices is not None:
        yield f"notices         {shown.notices}: carnet-authority channel list"
    for denial in shown.denials or ():
        yield f"denied          {denial.count} in the last 24 hours: {event_words.denial(denial.code)}"
    for product in shown.products:
        yield ""
        yield f"{product.product}: most in use at once today {product.in_use_by_day[-1]} of {product.licensed}"
        cells = [[str(value(row)) for value in FIGURES.values()] for row in product.features]
        yield from lines_of(list(FIGURES), cells, width_of_output())


@click.command("inspect", cls=Command)
@click.argument("file")
@pass_frame
def inspect(frame: Frame, file: str) -> None:
    """Say what a file is that was carried here, and what to do with it; nothing is changed."""
    data = read_input(file)
    with frame.authority() as authority:
        shown = CarriedShown.of(carried.look_at(Unit(authority, CONSOLE), data), authority.now())
    show(
        frame, shown, list(fields({name: value for name, value in shown.model_dump(mode="json").items() if value is not None}))
    )
