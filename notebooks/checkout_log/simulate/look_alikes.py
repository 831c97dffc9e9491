"""What looks like a stuck license and is none: each kind as often as the organization asks for."""

from __future__ import annotations

from checkout_log.simulate.clocks import DAY, HOUR
from checkout_log.simulate.journeys import due_after
from checkout_log.simulate.parts import AUTHORITY, Batch, FieldCrew, OfficeHours
from checkout_log.simulate.plan import EXPIRY, NO_CASE, Plan, spread

LONG_JOB, LONG_TRIP, HOLIDAY, RENEWED = "long job", "long trip", "holiday", "renewed"
NEW_LAPTOP, TWO_MACHINES, LAPSED, RECONNECTED = "new laptop", "two machines", "lapsed", "reconnected"
LOOK_ALIKES = (LONG_JOB, LONG_TRIP, HOLIDAY, RENEWED, NEW_LAPTOP, TWO_MACHINES, LAPSED, RECONNECTED)


def plant(plan: Plan) -> None:
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
        told_at = wall + 13 * DAY
        plan.borrow(case, member, use, wall, 14, told_at=told_at, told_until=(told_at // DAY + 16) * DAY + 18 * HOUR)


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
