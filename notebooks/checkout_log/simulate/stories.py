"""How licenses get stuck, by cause, and what only looks like it. What is planted follows from what happened, not from what a search measures.

The cases of a cause go from doubtful to clear.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from checkout_log.columns import (
    HOLDER_INACTIVE,
    MACHINE_GONE,
    OUTLIER,
    OVER_LONG_BORROW,
    OVERDUE,
)
from checkout_log.simulate.clock import DAY, HOUR, MINUTE
from checkout_log.simulate.habits import due_after
from checkout_log.simulate.organization import AUTHORITY, Batch, FieldCrew, Habit, OfficeHours, Students
from checkout_log.simulate.plan import EXPIRY, NO_CASE, Plan, spread

MEMBER_DISABLED, ALREADY_BORROWED = "member-disabled", "already-borrowed"


def plant(plan: Plan) -> None:
    """Adds every story that the organization asks for: of stuck licenses, and of what only looks like one."""
    _plant_stuck(plan)
    _plant_look_alikes(plan)


def _plant_stuck(plan: Plan) -> None:
    """Adds every story of a stuck license that the organization asks for, and what a restart cut, which holds no seat."""
    asked = plan.world.organization.planted
    stories: list[tuple[Callable[[Plan, int], None], int]] = [
        (_overdue, asked.overdue),
        (_outlier, asked.outlier),
        (_holder_inactive, asked.holder_inactive),
        (_machine_gone, asked.machine_gone),
        (_cut_by_restart, asked.cut_by_restart),
        (_over_long_borrow, asked.over_long_borrow),
    ]
    for story, count in stories:
        if count:
            story(plan, count)


def _overdue(plan: Plan, count: int) -> None:
    """A crew did not come back: the due time has passed, nothing was given back, and the seat is still taken.

    At the authority time itself frees the seat; another server logs a return when it takes a license back, and has not done so.
    """
    for number, late in enumerate(spread(1, 75, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True, not_server=AUTHORITY)
        days = int(plan.world.rng.integers(8, 28))
        wall = plan.midnight(late) - days * DAY + int(plan.world.rng.integers(8 * HOUR, 15 * HOUR))
        is_silent = number % 2 == 1
        plan.settle(member, wall)
        plan.silence(member, wall, None if is_silent else plan.same_product(use))
        note = f"due {np.ceil(late):.0f} days ago, " + (
            "nobody was seen since" if is_silent else "the member is seen with other products"
        )
        case = plan.open_case(
            OVERDUE, member, plan.world.people.laptop(member), note, also=(HOLDER_INACTIVE,) if is_silent else ()
        )
        plan.borrow(case, member, use, wall, days)
        if not is_silent:
            _at_the_desk(plan, member, FieldCrew, use)


def _outlier(plan: Plan, count: int) -> None:
    """Somebody left an application open; the last case is a job that hangs, far past the limit of the scheduler."""
    for number, days in enumerate(spread(1.6, 30, count)):
        habit = Batch if number == count - 1 else OfficeHours
        member, use = plan.pick(habit), plan.use(habit, number)
        wall = max(plan.at(days, 15.5, 17), plan.up_since(use) + HOUR)
        machine = plan.world.people.machines_of[member][0]
        case = plan.open_case(OUTLIER, member, machine, f"open since {days:.1f} days, while its member goes on elsewhere")
        plan.hold(case, member, machine, use, wall)
        if habit is OfficeHours:
            _at_the_desk(plan, member, habit, use)


def _at_the_desk(plan: Plan, member: int, habit: type[Habit], use: int) -> None:
    """The member works with other products, up to the last days."""
    other = plan.use(habit, 0, other_than=use)
    for day in range(1, 4):
        at = plan.at(day, 8, 14)
        plan.hold(NO_CASE, member, plan.world.people.machines_of[member][0], other, at, end=at + 2 * HOUR)


def _holder_inactive(plan: Plan, count: int) -> None:
    """A member left and was disabled, fell silent after a borrow, or kept a borrow after the course."""
    for number, days in enumerate(spread(40, 90, count)):
        (_left, _fell_silent, _course_over)[number % 3](plan, number, days)


def _left(plan: Plan, number: int, days: float) -> None:
    member, use = plan.pick(OfficeHours, laptop=True), plan.use(OfficeHours, number, borrow=True, server=AUTHORITY)
    wall, gone = plan.at(days, 9, 16), plan.day(days * 0.4)
    plan.forget_borrows(member)
    plan.silence(member, gone)
    case = plan.open_case(HOLDER_INACTIVE, member, plan.world.people.laptop(member), "the member left and was disabled")
    plan.borrow(case, member, use, wall, 180)
    for step in range(int(plan.world.rng.integers(1, 4))):
        at = gone + (1 + step) * DAY + int(plan.world.rng.integers(8 * HOUR, 17 * HOUR))
        plan.tell(at, member, plan.world.people.machines_of[member][0], use, MEMBER_DISABLED)


def _fell_silent(plan: Plan, number: int, days: float) -> None:
    member, use = plan.pick(OfficeHours, laptop=True), plan.use(OfficeHours, number, borrow=True, server=AUTHORITY)
    wall = plan.at(days, 9, 16)
    plan.forget_borrows(member)
    plan.silence(member, wall)
    note = f"was there every day, and not since the borrow {days:.0f} days ago"
    case = plan.open_case(HOLDER_INACTIVE, member, plan.world.people.laptop(member), note)
    plan.borrow(case, member, use, wall, 120)


def _course_over(plan: Plan, number: int, days: float) -> None:
    member, use = plan.pick(Students), plan.use(Students, number, borrow=True, server=AUTHORITY)
    wall = plan.at(days * 1.5, 9, 16)
    plan.silence(member, wall)
    machine = plan.world.people.add_machine(plan.world.rng, "my notebook", f"stud{number:03d}")
    case = plan.open_case(HOLDER_INACTIVE, member, machine, f"a student, silent since the borrow {days * 1.5:.0f} days ago")
    plan.borrow(case, member, use, wall, 240, machine=machine)


def _machine_gone(plan: Plan, count: int) -> None:
    """The machine of a borrow was re-imaged, replaced or cloned, and is not seen again."""
    for number, days in enumerate(spread(3, 22, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True, server=AUTHORITY)
        wall = plan.at(days + 3, 8, 15)
        plan.settle(member, wall)
        old = plan.world.people.laptop(member)
        story = (_reimaged, _replaced, _cloned)[number % 3]
        case = plan.open_case(
            MACHINE_GONE, member, old, f"{story.__name__[1:]} {days:.0f} days ago, before the borrow was given back"
        )
        plan.borrow(case, member, use, wall, int(days) + 8)
        story(plan, member, old, use, plan.at(days, 9, 11))


def _reimaged(plan: Plan, member: int, old: int, use: int, wall: int) -> None:
    new = plan.world.people.replace_machine(plan.world.rng, old)
    plan.move(member, old, new, wall)
    _seen(plan, member, new, use, wall)


def _replaced(plan: Plan, member: int, old: int, use: int, wall: int) -> None:
    """The new machine has a name of its own; the member wants the license there and is refused."""
    new = plan.world.people.replace_machine(plan.world.rng, old, f"{plan.world.people.names[member]} laptop 2")
    plan.move(member, old, new, wall)
    plan.tell(wall - 5 * MINUTE, member, new, use, ALREADY_BORROWED)
    _seen(plan, member, new, use, wall)


def _cloned(plan: Plan, member: int, old: int, use: int, wall: int) -> None:
    """A colleague got a machine made from the image of the other, with its alias."""
    new, colleague = plan.world.people.replace_machine(plan.world.rng, old), plan.pick(FieldCrew)
    plan.move(member, old, plan.world.people.machines_of[member][0], wall)
    _seen(plan, colleague, new, use, wall)


def _seen(plan: Plan, member: int, machine: int, use: int, wall: int) -> None:
    """Some sessions on a machine, on the days from then on."""
    for step in range(2):
        at = wall + step * DAY + int(plan.world.rng.integers(0, 3 * HOUR))
        plan.hold(NO_CASE, member, machine, use, at, end=at + int(plan.world.rng.integers(HOUR, 4 * HOUR)))


def _cut_by_restart(plan: Plan, count: int) -> None:
    """The client died with the server, and nobody started it again: the server that came back knows nothing of it, and the seat is free."""
    stop = plan.crashes()[-1]
    down = plan.world.clock.wall_of(stop.down_at)
    for number in range(count):
        member = plan.pick(OfficeHours)
        is_clear = number % 2 == 1
        use = plan.use(OfficeHours, number // 2, server=stop.server, is_single=not is_clear)
        machine = plan.world.people.machines_of[member][0]
        evening = down // DAY * DAY - 7 * HOUR - int(plan.world.rng.integers(0, 90 * MINUTE))
        wall = evening if number % 3 else down - int(plan.world.rng.integers(100, 200)) * MINUTE
        plan.silence(member, wall, plan.same_product(use) if is_clear else plan.same_features(use))
        note = "never seen with this product again" if is_clear else "seen again with other features of the product"
        words = f"{(down - wall) / HOUR:.1f} hours before the crash; {note}"
        case = plan.open_case(CUT_BY_RESTART, member, machine, words, is_stuck=False)
        plan.hold(case, member, machine, use, wall, dies=1)


def _over_long_borrow(plan: Plan, count: int) -> None:
    """Somebody who was always back within days borrowed for months, just to be sure."""
    for number, asked in enumerate(spread(60, 365, count)):
        member, use = plan.pick(OfficeHours, laptop=True), plan.use(OfficeHours, number, borrow=True, server=AUTHORITY)
        plan.forget_borrows(member)
        days_used = 6 - number % 4
        for step in range(3 + number % 3):
            before = plan.at(80 + 35 * step, 8, 15)
            plan.borrow(
                NO_CASE, member, use, before, 7, end=before + days_used * DAY - int(plan.world.rng.integers(0, 8 * HOUR))
            )
        note = f"borrowed for {asked:.0f} days; was always back after {days_used}"
        case = plan.open_case(OVER_LONG_BORROW, member, plan.world.people.laptop(member), note)
        plan.borrow(case, member, use, plan.at(25 + 3 * number, 8, 15), int(asked))


LONG_JOB, LONG_TRIP, HOLIDAY, RENEWED = "long job", "long trip", "holiday", "renewed"
NEW_LAPTOP, TWO_MACHINES, LAPSED, RECONNECTED = "new laptop", "two machines", "lapsed", "reconnected"
CUT_BY_RESTART = "cut by a restart"
LOOK_ALIKES = (CUT_BY_RESTART, LONG_JOB, LONG_TRIP, HOLIDAY, RENEWED, NEW_LAPTOP, TWO_MACHINES, LAPSED, RECONNECTED)


def _plant_look_alikes(plan: Plan) -> None:
    """Adds the stories of what is not stuck."""
    count = plan.world.organization.planted.look_alikes
    if count:
        for story in (_long_job, _long_trip, _holiday, _renewed, _new_laptop, _two_machines, _lapsed, _reconnected):
            story(plan, count)


def _long_job(plan: Plan, count: int) -> None:
    for number in range(count):
        member, use = plan.pick(Batch), plan.use(Batch, number)
        machine = plan.world.people.machines_of[member][0]
        wall = plan.midnight(3) + int(plan.world.rng.integers(12 * HOUR, 16 * HOUR))
        case = plan.open_case(
            LONG_JOB, member, machine, "a job that takes three days, within the scheduler's limit", is_stuck=False
        )
        plan.hold(case, member, machine, use, wall, end=wall + 85 * HOUR)


def _long_trip(plan: Plan, count: int) -> None:
    for number, days in enumerate(spread(20, 27, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True)
        wall = plan.at(days, 8, 15)
        plan.forget_borrows(member)
        for step in range(3):
            before = plan.at(days + 45 * (step + 1), 8, 15)
            plan.borrow(NO_CASE, member, use, before, 30, end=before + 27 * DAY + step * 5 * HOUR)
        plan.silence(member, wall)
        case = plan.open_case(
            LONG_TRIP,
            member,
            plan.world.people.laptop(member),
            "out for 30 days, as always, within the due time",
            is_stuck=False,
        )
        plan.borrow(case, member, use, wall, 31)


def _holiday(plan: Plan, count: int) -> None:
    for days in spread(25, 60, count):
        member = plan.pick(OfficeHours)
        wall = plan.day(days)
        plan.settle(member, wall)
        plan.silence(member, wall)
        machine = plan.world.people.machines_of[member][0]
        plan.open_case(HOLIDAY, member, machine, f"away for {days:.0f} days with nothing out", is_stuck=False, holds=False)


def _renewed(plan: Plan, count: int) -> None:
    for number, days in enumerate(spread(16, 22, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True)
        wall = plan.at(days, 8, 15)
        plan.settle(member, wall)
        case = plan.open_case(
            RENEWED, member, plan.world.people.laptop(member), "past the first due time, renewed before it", is_stuck=False
        )
        change_at = wall + 13 * DAY
        plan.borrow(case, member, use, wall, 14, change_at=change_at, change_until=(change_at // DAY + 16) * DAY + 18 * HOUR)


def _new_laptop(plan: Plan, count: int) -> None:
    for number, days in enumerate(spread(8, 20, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True, server=AUTHORITY)
        wall = plan.at(days + 12, 8, 15)
        plan.settle(member, wall)
        plan.borrow(NO_CASE, member, use, wall, 14, end=wall + 10 * DAY)
        old, begin = plan.world.people.laptop(member), plan.at(days, 12, 16)
        new = plan.world.people.replace_machine(plan.world.rng, old)
        plan.move(member, old, new, begin)
        case = plan.open_case(NEW_LAPTOP, member, new, "the old machine was checked in before the new one came", is_stuck=False)
        plan.borrow(case, member, use, begin, 25, machine=new)


def _two_machines(plan: Plan, count: int) -> None:
    for number in range(count):
        member, use = plan.pick(OfficeHours, laptop=True), plan.use(OfficeHours, number, borrow=True, server=AUTHORITY)
        wall = plan.at(3 + number, 8, 12)
        plan.settle(member, wall)
        case = plan.open_case(
            TWO_MACHINES, member, plan.world.people.laptop(member), "works at the desk while the laptop is out", is_stuck=False
        )
        plan.borrow(case, member, use, wall, 8)
        desk = plan.world.people.machines_of[member][0]
        for step in range(2):
            at = wall + DAY * step + HOUR
            plan.hold(NO_CASE, member, desk, use, at, end=at + 3 * HOUR)


def _lapsed(plan: Plan, count: int) -> None:
    """Time ended it, and the authority's seat was free again; some members came back, and others did not."""
    for number, days in enumerate(spread(30, 50, count)):
        member, use = plan.pick(FieldCrew), plan.use(FieldCrew, number, borrow=True, server=AUTHORITY)
        wall = plan.at(days + 20, 8, 15)
        due = due_after(wall, 14)
        is_back = number % 2 == 0
        plan.settle(member, wall)
        note = "ended by its time, and its member " + ("came back" if is_back else "is not seen since")
        case = plan.open_case(LAPSED, member, plan.world.people.laptop(member), note, is_stuck=False)
        plan.borrow(case, member, use, wall, 14, end=due, ending=EXPIRY)
        if not is_back:
            plan.silence(member, wall)
            continue
        again = plan.at(days - 4, 8, 15)
        plan.borrow(NO_CASE, member, use, again, 10, end=again + 9 * DAY)


def _reconnected(plan: Plan, count: int) -> None:
    stop = plan.crashes()[-1]
    down = plan.world.clock.wall_of(stop.down_at)
    for number in range(count):
        member, use = plan.pick(OfficeHours), plan.use(OfficeHours, number, server=stop.server, is_single=False)
        machine = plan.world.people.machines_of[member][0]
        case = plan.open_case(RECONNECTED, member, machine, "cut by the crash, and back minutes later", is_stuck=False)
        wall = down - (2 + number) * HOUR
        plan.hold(case, member, machine, use, wall, end=down + 4 * HOUR)
