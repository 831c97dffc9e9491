"""What members want and when, by habit: sessions, jobs and borrows as wishes, before any server has answered."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from checkout_log.columns import CHECKIN, ENDINGS, RELEASE, REVOCATION
from checkout_log.simulate.clock import DAY, FRIDAY, HOUR, MINUTE, SECOND, Mask, Whole, wall_of, weekday
from checkout_log.simulate.organization import AUTHORITY, Batch, FieldCrew, Habit, OfficeHours, Students
from checkout_log.simulate.world import NONE, World, lengths, starts, table, tries, workdays

# A borrow as its fields of a wish; times are those of the wall.
Borrow = dict[str, int]
# Everybody is back on the last day at this hour: a due time is the evening of a day.
DUE_HOUR = 18
_LOST_ON_A_TRIP, _REVOKED = 0.015, 0.01


def due_after(wall: int, days: int) -> int:
    """The evening so many days after a time of the wall."""
    return wall // DAY * DAY + days * DAY + DUE_HOUR * HOUR


def borrows(world: World, borrows_of_members: list[Borrow], tries: int = 3) -> pd.DataFrame:
    """Borrows as wishes: their times become UTC."""
    usual = {"due": NONE, "change_at": NONE, "change_until": NONE, "ending": ENDINGS.index(CHECKIN)}
    frame = pd.DataFrame([usual | borrow for borrow in borrows_of_members], columns=_FIELDS).astype(np.int64)
    for name in ("due", "change_at", "change_until"):
        values = frame[name].to_numpy()
        frame[name] = np.where(values == NONE, NONE, world.clock.utc(values))
    at, end = frame.pop("at").to_numpy(), frame.pop("end").to_numpy()
    return table(world, at, end, tries=tries, **{str(name): frame[name].to_numpy() for name in frame})


_FIELDS = ["at", "end", "member", "machine", "use", "due", "change_at", "change_until", "ending"]


def trips(world: World, members: Whole, habit: OfficeHours) -> pd.DataFrame:
    """Short borrows of who has a laptop: asked for some days, back after fewer."""
    trip_borrows: list[Borrow] = []
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
            trip_borrows.append(
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
    return borrows(world, trip_borrows)


def crews(world: World, members: Whole, habit: FieldCrew) -> pd.DataFrame:
    """Borrows of field crews, one after the other, with some days between."""
    last = world.begin + world.organization.days * DAY
    crew_borrows: list[Borrow] = []
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
            at = max(at, borrow.get("change_until", NONE) + DAY)
            crew_borrows.append(borrow)
    return borrows(world, crew_borrows)


def _fate(world: World, habit: FieldCrew, borrow: Borrow, *, is_last: bool) -> Borrow:
    """How a borrow goes on and ends: given back in time, renewed before, lapsed, released by an administrator, or revoked."""
    wall, due = borrow["at"], borrow["due"]
    early = due - int(world.rng.uniform(0, 0.2) * (due - wall))
    has_authority = world.organization.product(world.uses[borrow["use"]].product).server == AUTHORITY
    drawn = world.rng.random()
    if not has_authority and drawn >= 1 - habit.lapsing:
        # Such a server takes the license back at the due time, and logs it as a return.
        return {"end": due}
    if not has_authority or is_last or drawn < 1 - habit.lapsing - habit.renewing - _LOST_ON_A_TRIP - _REVOKED:
        return {"end": early}
    if drawn < 1 - habit.lapsing - _LOST_ON_A_TRIP - _REVOKED:
        change_at, until = due - int(world.rng.uniform(0.3, 2) * DAY), due_after(due, int(world.rng.integers(3, 11)))
        return {"end": until - int(world.rng.uniform(0.1, 2) * DAY), "change_at": change_at, "change_until": until}
    if drawn < 1 - habit.lapsing - _LOST_ON_A_TRIP:
        return {"end": due, "ending": ENDINGS.index(REVOCATION), "change_at": wall + (due - wall) // 2}
    if drawn < 1 - habit.lapsing:
        return {"end": wall + int(world.rng.uniform(0.2, 0.8) * (due - wall)), "ending": ENDINGS.index(RELEASE)}
    return {"end": due, "ending": ENDINGS.index("expiry")}


def _by_day(world: World, wall: int) -> int:
    """A time of the wall on the day of another, at an hour at which people borrow."""
    return (
        wall // DAY * DAY + int(world.rng.integers(7 * HOUR, 17 * HOUR)) // MINUTE * MINUTE + int(world.rng.integers(0, MINUTE))
    )


# How many sessions begin in each hour of the day, from 0:00. People go to lunch.
_OFFICE_DAY = (0, 0, 0, 0, 0, 0, 0.1, 0.8, 2.0, 2.4, 2.1, 1.7, 0.6, 1.4, 1.9, 1.5, 1.0, 0.5, 0.15, 0.05, 0, 0, 0, 0)
_STUDENTS_DAY = (0.1, 0, 0, 0, 0, 0, 0, 0.1, 0.5, 1.2, 1.8, 1.6, 1.0, 1.4, 1.9, 1.8, 1.5, 1.2, 0.9, 1.0, 1.1, 0.9, 0.6, 0.3)
_BATCH_DAY = (
    2.0,
    1.5,
    0.8,
    0.4,
    0.2,
    0.1,
    0.1,
    0.1,
    0.2,
    0.3,
    0.3,
    0.3,
    0.3,
    0.3,
    0.4,
    0.4,
    0.6,
    1.2,
    2.5,
    3.0,
    3.0,
    2.8,
    2.5,
    2.2,
)
# Shares: who is at work on a workday, crews that are there, sessions at the desk, sessions left idle, machines that stop.
_AT_WORK, _CREW_IN_OFFICE, _AT_THE_DESK, _IDLE, _LOST = 0.93, 0.25, 0.75, 0.12, 0.03


def wishes(world: World) -> pd.DataFrame:
    """Everything that anybody wants before the last look: the columns WISH, times in whole microseconds UTC."""
    parts = [
        part
        for group, members in zip(world.organization.groups, world.people.of_group, strict=True)
        for part in _of_habit(world, np.array(members, dtype=np.int64), group.habit)
    ]
    wishes_of_all = pd.concat(parts, ignore_index=True)
    return wishes_of_all[wishes_of_all["at"] < world.now].reset_index(drop=True)


def _of_habit(world: World, members: Whole, habit: Habit) -> list[pd.DataFrame]:
    match habit:
        case OfficeHours():
            return [_office_sessions(world, members, habit), trips(world, members, habit)]
        case FieldCrew():
            return [_office_days(world, members, habit), crews(world, members, habit)]
        case Students():
            return [_student_sessions(world, members, habit)]
        case Batch():
            return [_jobs(world, members, habit)]


def _at_work(world: World, members: int) -> Mask:
    """Who (row) is at work on which day (column): not on holidays, in vacations or ill."""
    days = world.days()
    present = np.tile(workdays(world, days), (members, 1)) & (world.rng.random((members, len(days))) < _AT_WORK)
    for member in range(members):
        for _ in range(max(1, len(days) // 120)):
            first, length = world.rng.integers(0, len(days)), world.rng.integers(5, 17)
            present[member, first : first + length] = False
    return present


def _office_sessions(world: World, members: Whole, habit: OfficeHours) -> pd.DataFrame:
    """Sessions by day; a few are forgotten until the next morning of a workday."""
    who, which = np.nonzero(_at_work(world, len(members)))
    repeats = world.rng.poisson(habit.sessions_a_day, len(who))
    who, days = np.repeat(who, repeats), np.repeat(world.days()[which], repeats)
    wall = starts(world, days, _OFFICE_DAY)
    home = days + 17 * HOUR + world.rng.integers(0, 150 * MINUTE, len(days))
    end = np.minimum(wall + lengths(world, habit.session_hours, len(days)), np.maximum(home, wall + 10 * MINUTE))
    nights = np.where(weekday(days) == FRIDAY, 3, 1)
    end = np.where(world.rng.random(len(days)) < habit.overnight, days + nights * DAY + 8 * HOUR + (end - wall) // 8, end)
    use = world.drawn(habit.uses, len(who))
    sessions = table(
        world,
        wall,
        end,
        member=members[who],
        machine=_machines(world, members[who]),
        use=use,
        tries=tries(world, habit.tries, len(who)),
    )
    return _idle_or_lost(world, sessions)


def _machines(world: World, members: Whole) -> Whole:
    """The machine of each wish: mostly the first of its member, sometimes any."""
    owned = world.people.machines_of
    counts = np.array([len(machines) for machines in owned], dtype=np.int64)[members]
    drawn = np.where(world.rng.random(len(members)) < _AT_THE_DESK, 0, world.rng.integers(0, counts))
    return np.array([owned[member][at] for member, at in zip(members.tolist(), drawn.tolist(), strict=True)], dtype=np.int64)


def _idle_or_lost(world: World, sessions: pd.DataFrame) -> pd.DataFrame:
    """Some sessions end otherwise: a server takes an idle one back, and time ends one whose machine stopped."""
    products = [world.organization.product(use.product) for use in world.uses]
    can_idle = np.array([product.idle_minutes is not None for product in products])[sessions["use"]]
    has_time = np.array([product.server == AUTHORITY for product in products])[sessions["use"]]
    drawn = world.rng.random(len(sessions))
    idle, lost = can_idle & (drawn < _IDLE), has_time & (drawn < _LOST)
    waits = np.array([product.idle_minutes or 30 for product in products])[sessions["use"]] * MINUTE
    sessions["end"] += np.where(idle | lost, waits, 0)
    # The time at which time ends a session is a whole second.
    sessions["end"] -= np.where(lost, sessions["end"] % SECOND, 0)
    sessions["ending"] = np.select([idle, lost], [ENDINGS.index("idle"), ENDINGS.index("end")], sessions["ending"])
    return sessions


def _student_sessions(world: World, members: Whole, habit: Students) -> pd.DataFrame:
    """Sessions on every day of a term, and none between the terms."""
    days = world.days()
    in_term = np.zeros(len(days), dtype=bool)
    for first, last in habit.terms:
        in_term |= (days >= wall_of(first)) & (days < wall_of(last + timedelta(days=1)))
    rate = np.where(workdays(world, days), 1.25, 0.4) * in_term * habit.sessions_a_week / 7
    who, which = np.nonzero(counts := world.rng.poisson(rate, (len(members), len(days))))
    repeats = counts[who, which]
    who, days = np.repeat(who, repeats), np.repeat(days[which], repeats)
    wall = starts(world, days, _STUDENTS_DAY)
    labs = world.people.machines_of[members[0]] if len(members) else []
    machine = np.array(labs, dtype=np.int64)[world.rng.integers(0, max(1, len(labs)), len(who))]
    use = world.drawn(habit.uses, len(who))
    end = wall + np.minimum(lengths(world, habit.session_hours, len(who)), 6 * HOUR)
    return _idle_or_lost(
        world, table(world, wall, end, member=members[who], machine=machine, use=use, tries=tries(world, habit.tries, len(who)))
    )


def _office_days(world: World, members: Whole, habit: FieldCrew) -> pd.DataFrame:
    """Crews are in the office now and then."""
    who, which = np.nonzero(
        _at_work(world, len(members)) & (world.rng.random((len(members), len(world.days()))) < _CREW_IN_OFFICE)
    )
    days = world.days()[which]
    wall = starts(world, days, _OFFICE_DAY)
    end = np.minimum(wall + lengths(world, 2.0, len(days)), np.maximum(days + 18 * HOUR, wall + 10 * MINUTE))
    use = world.drawn(habit.uses, len(who))
    machine = np.array([world.people.machines_of[member][0] for member in members], dtype=np.int64)[who]
    sessions = table(world, wall, end, member=members[who], machine=machine, use=use, tries=tries(world, habit.tries, len(who)))
    return _idle_or_lost(world, sessions)


def _jobs(world: World, members: Whole, habit: Batch) -> pd.DataFrame:
    """Jobs on every day of the week; each takes several handles on one node, all for the same time."""
    who, which = np.nonzero(counts := world.rng.poisson(habit.jobs_a_night, (len(members), len(world.days()))))
    repeats = counts[who, which]
    who, days = np.repeat(who, repeats), np.repeat(world.days()[which], repeats)
    wall = starts(world, days, _BATCH_DAY)
    length = np.minimum(lengths(world, habit.job_hours, len(who), spread=1.25), habit.longest_hours * HOUR)
    handles = np.minimum(world.rng.geometric(0.35, len(who)), habit.most_handles)
    use, node = world.drawn(habit.uses, len(who)), world.rng.integers(0, 3, len(who))
    machine = np.array(
        [world.people.machines_of[member][at] for member, at in zip(members[who], node, strict=True)], dtype=np.int64
    )
    job = np.repeat(np.arange(len(who)), handles)
    patience = tries(world, habit.tries, len(who))[job]
    return table(
        world, wall[job], (wall + length)[job], member=members[who][job], machine=machine[job], use=use[job], tries=patience
    )
