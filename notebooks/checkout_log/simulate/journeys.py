"""Borrows by habit: short trips of people with a laptop, and field crews that are out for weeks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from checkout_log.columns import CHECKIN, ENDINGS, RELEASE, REVOCATION
from checkout_log.simulate.clocks import DAY, HOUR, MINUTE, Whole
from checkout_log.simulate.parts import AUTHORITY, FieldCrew, OfficeHours
from checkout_log.simulate.world import NONE, World, table

# A borrow as its fields of a wish; times are those of the wall.
Borrow = dict[str, int]
# Everybody is back on the last day at this hour: a due time is the evening of a day.
DUE_HOUR = 18
_LOST, _REVOKED = 0.015, 0.01


def due_after(wall: int, days: int) -> int:
    """The evening so many days after a time of the wall."""
    return wall // DAY * DAY + days * DAY + DUE_HOUR * HOUR


def borrows(world: World, found: list[Borrow], tries: int = 3) -> pd.DataFrame:
    """Borrows as wishes: their times become UTC."""
    usual = {"due": NONE, "told_at": NONE, "told_until": NONE, "ending": ENDINGS.index(CHECKIN)}
    frame = pd.DataFrame([usual | borrow for borrow in found], columns=_FIELDS).astype(np.int64)
    for name in ("due", "told_at", "told_until"):
        values = frame[name].to_numpy()
        frame[name] = np.where(values == NONE, NONE, world.clock.utc(values))
    at, end = frame.pop("at").to_numpy(), frame.pop("end").to_numpy()
    return table(world, at, end, tries=tries, **{str(name): frame[name].to_numpy() for name in frame})


_FIELDS = ["at", "end", "member", "machine", "use", "due", "told_at", "told_until", "ending"]


def trips(world: World, members: Whole, habit: OfficeHours) -> pd.DataFrame:
    """Short borrows of who has a laptop: asked for some days, back after fewer."""
    found: list[Borrow] = []
    for member in members:
        if not world.people.has_laptop(member):
            continue
        count = world.rng.poisson(habit.trips_a_year * world.organization.days / 365)
        free_from = world.begin
        for at in np.sort(world.begin + world.rng.integers(0, world.organization.days * DAY, count)):
            wall = _by_day(world, int(at))
            if wall < free_from:
                continue
            use = int(world.drawn(habit.borrows, 1)[0])
            days = int(world.rng.integers(3, 9))
            end = wall + int(world.rng.uniform(0.4, 0.95) * days * DAY)
            found.append(
                {
                    "at": wall,
                    "end": end,
                    "member": member,
                    "machine": world.people.laptop(member),
                    "use": use,
                    "due": due_after(wall, days),
                }
            )
            free_from = due_after(wall, days)
    return borrows(world, found)


def crews(world: World, members: Whole, habit: FieldCrew) -> pd.DataFrame:
    """Borrows of field crews, one after the other, with some days between."""
    last = world.begin + world.organization.days * DAY
    found: list[Borrow] = []
    for member in members:
        at = world.begin + int(world.rng.integers(0, 20 * DAY))
        use, lapsed = NONE, False
        while at < last:
            wall = _by_day(world, at)
            # Who let a borrow lapse is seen with the same product again: that is how one knows that it is not missing.
            use = use if lapsed else int(world.drawn(habit.borrows, 1)[0])
            days = int(world.rng.integers(habit.shortest_days, habit.longest_days + 1))
            due = due_after(wall, days)
            at = due + int((0.5 + world.rng.exponential(habit.days_between)) * DAY)
            borrow: Borrow = {"at": wall, "member": member, "machine": world.people.laptop(member), "use": use, "due": due}
            borrow |= _fate(world, habit, borrow, is_last=at >= last - DAY)
            lapsed = borrow["end"] == due
            at = max(at, borrow.get("told_until", NONE) + DAY)
            found.append(borrow)
    return borrows(world, found)


def _fate(world: World, habit: FieldCrew, borrow: Borrow, *, is_last: bool) -> Borrow:
    """How a borrow goes on and ends: given back in time, renewed before, lapsed, released by an administrator, or revoked."""
    wall, due = borrow["at"], borrow["due"]
    early = due - int(world.rng.uniform(0, 0.2) * (due - wall))
    has_authority = world.organization.product(world.uses[borrow["use"]].product).server == AUTHORITY
    drawn = world.rng.random()
    if not has_authority and drawn >= 1 - habit.lapsing:
        # Such a server takes the license back at the due time, and logs it as a return.
        return {"end": due}
    if not has_authority or is_last or drawn < 1 - habit.lapsing - habit.renewing - _LOST - _REVOKED:
        return {"end": early}
    if drawn < 1 - habit.lapsing - _LOST - _REVOKED:
        told_at, until = due - int(world.rng.uniform(0.3, 2) * DAY), due_after(due, int(world.rng.integers(3, 11)))
        return {"end": until - int(world.rng.uniform(0.1, 2) * DAY), "told_at": told_at, "told_until": until}
    if drawn < 1 - habit.lapsing - _LOST:
        return {"end": due, "ending": ENDINGS.index(REVOCATION), "told_at": wall + (due - wall) // 2}
    if drawn < 1 - habit.lapsing:
        return {"end": wall + int(world.rng.uniform(0.2, 0.8) * (due - wall)), "ending": ENDINGS.index(RELEASE)}
    return {"end": due, "ending": ENDINGS.index("expiry")}


def _by_day(world: World, wall: int) -> int:
    """The same day, at an hour at which people borrow."""
    return (
        wall // DAY * DAY + int(world.rng.integers(7 * HOUR, 17 * HOUR)) // MINUTE * MINUTE + int(world.rng.integers(0, MINUTE))
    )
