"""A small organization of some weeks for an authority to live through: who is in it, what they use, and how they use it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from checkout_log.simulate import (
    NOTHING_PLANTED,
    Batch,
    Feature,
    FieldCrew,
    Group,
    OfficeHours,
    Organization,
    Planted,
    Product,
    Students,
    Use,
)
from checkout_log.simulate.habits import wishes
from checkout_log.simulate.organization import AUTHORITY
from checkout_log.simulate.plan import Plan
from checkout_log.simulate.world import world_of
from tests.notebooks.replay.parts import Replay, licensed, moment, open_for_use
from tests.notebooks.replay.player import Player
from tests.notebooks.replay.stories import Stories, weave
from tests.support.authorities import TestClock, make_bench

SEED = 4
PRO = Product(
    "arcgis-pro",
    AUTHORITY,
    tuple(Feature(level, 40) for level in ("Basic", "Standard", "Advanced")),
    (Feature("3DAnalyst", 40), Feature("SpatialAnalyst", 40)),
    named=True,
)
DESKTOP = Product("arcgis-desktop", AUTHORITY, (Feature("Advanced", 4),), (Feature("NetworkAnalyst", 2),))
# What the members of each group hold of the named product; students want more than they have.
HELD = {
    "office": ("Advanced", ("SpatialAnalyst",)),
    "field": ("Advanced", ()),
    "students": ("Basic", ()),
    "batch": ("Basic", ()),
}
_STANDARD, _DESKTOP = Use("arcgis-pro", ("Standard",), 3), Use("arcgis-desktop", ("Advanced",), 1.5)
_OFFICE = OfficeHours(
    uses=(
        _STANDARD,
        Use("arcgis-pro", ("Advanced", "SpatialAnalyst")),
        Use("arcgis-pro", ("Advanced", "3DAnalyst"), 0.1),
        _DESKTOP,
        Use("arcgis-desktop", ("Advanced", "NetworkAnalyst"), 0.6),
    ),
    borrows=(_STANDARD,),
    laptops=1.0,
    trips_a_year=6.0,
)
_FIELD = FieldCrew(
    uses=(_DESKTOP, Use("arcgis-pro", ("Advanced",))),
    borrows=(Use("arcgis-pro", ("Advanced",), 4), _DESKTOP),
    shortest_days=8,
    longest_days=18,
    days_between=6.0,
)
_STUDENTS = Students(
    uses=(Use("arcgis-pro", ("Basic",), 3), Use("arcgis-pro", ("Standard",), 0.3), _DESKTOP),
    borrows=(Use("arcgis-pro", ("Basic",)),),
    terms=((date(2026, 2, 16), date(2026, 4, 3)),),
    lab_machines=3,
)
_BATCH = Batch(uses=(_DESKTOP,), jobs_a_night=0.5, most_handles=3, longest_hours=20)


def organization(days: int, planted: Planted = NOTHING_PLANTED) -> Organization:
    """Some twenty members, a named and a concurrent product, over the beginning of summer time."""
    groups = (
        Group("office", 10, _OFFICE),
        Group("field", 9, _FIELD),
        Group("students", 3, _STUDENTS),
        Group("batch", 1, _BATCH),
    )
    return Organization(
        groups=groups,
        products=(PRO, DESKTOP),
        begins_on=date(2026, 3, 2),
        days=days,
        holidays=(date(2026, 4, 3), date(2026, 4, 6)),
        restarts=(),
        planted=planted,
    )


def replay(url: str, home: Path, *, days: int = 49, seed: int = SEED, with_stories: bool = True) -> tuple[Replay, Stories]:
    """The weeks lived through by a new authority over the empty database at `url`, and the stories that were in them."""
    world = world_of(organization(days), seed)
    stories = Stories(Plan(world, wishes(world)))
    if with_stories:
        stories = weave(stories.plan)
    begin = moment(world.clock.utc_of(world.begin))
    bench = make_bench(url, home, clock=TestClock(begin), change=licensed(world))
    open_for_use(bench)
    return Player(bench, stories.plan, stories.acts, HELD).play(), stories
