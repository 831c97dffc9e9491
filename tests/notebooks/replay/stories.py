"""Stories that fit into some weeks: licenses that get stuck, and others that only look like it or end in every other way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checkout_log.columns import ENDINGS, HOLDER_INACTIVE, MACHINE_GONE, OUTLIER, OVER_LONG_BORROW, RELEASE, REVOCATION
from checkout_log.simulate import FieldCrew, OfficeHours, Students
from checkout_log.simulate.clock import DAY, HOUR, MINUTE
from checkout_log.simulate.plan import EXPIRY, NO_CASE, Plan
from tests.notebooks.replay.parts import Act


@dataclass
class Stories:
    """What is woven into the ordinary days; `stuck` and `fine` say of each story what came of its license."""

    plan: Plan
    acts: list[Act] = field(default_factory=list)
    stuck: dict[int, str] = field(default_factory=dict)
    fine: dict[int, str] = field(default_factory=dict)

    def open(self, kind: str, member: int, *, is_stuck: bool = False, laptop: bool = True) -> int:
        """The number of a new story about the member's laptop, or desk."""
        machines = self.plan.world.people.machines_of[member]
        number = self.plan.open_case(kind, member, machines[-1 if laptop else 0], kind, is_stuck=is_stuck)
        (self.stuck if is_stuck else self.fine)[number] = kind
        return number

    def traveler(self, days: float, habit: type[OfficeHours | FieldCrew]) -> tuple[int, int, int]:
        """A member without a borrow, what the member borrows, and a morning so many days ago."""
        member, use = self.plan.pick(habit, laptop=True), self.plan.use(habit, 0, borrow=True)
        wall = self.plan.at(days, 8, 11)
        self.plan.forget_borrows(member)
        return member, use, wall


def weave(plan: Plan) -> Stories:
    """Every story, with the licenses that get stuck and those that only look like it."""
    stories = Stories(plan)
    for story in _STORIES:
        story(stories)
    return stories


def _left(stories: Stories) -> None:
    """The member left and was disabled; the software on the desk goes on asking."""
    plan = stories.plan
    member, use, wall = stories.traveler(20, OfficeHours)
    gone = plan.day(10)
    plan.silence(member, gone)
    plan.borrow(stories.open(HOLDER_INACTIVE, member, is_stuck=True), member, use, wall, 60)
    stories.acts.append(Act(gone + 20 * HOUR, "disable", member))
    for day in (1, 2):
        plan.tell(gone + day * DAY + 9 * HOUR, member, plan.world.people.machines_of[member][0], use, "member-disabled")


def _fell_silent(stories: Stories) -> None:
    member, use, wall = stories.traveler(36, OfficeHours)
    stories.plan.silence(member, wall)
    stories.plan.borrow(stories.open(HOLDER_INACTIVE, member, is_stuck=True), member, use, wall, 120)


def _made_anew(stories: Stories) -> None:
    """The laptop was set up anew with its old name, and the member wants the license on it."""
    _lost_machine(stories, 9, 0, None)


def _replaced(stories: Stories) -> None:
    """The new laptop has a name of its own, and the borrow is a seat of the pool."""
    _lost_machine(stories, 6, 1, "another laptop")


def _lost_machine(stories: Stories, days: int, borrow: int, alias: str | None) -> None:
    plan = stories.plan
    member, _, wall = stories.traveler(days + 5, FieldCrew)
    use = plan.use(FieldCrew, borrow, borrow=True)
    old, gone = plan.world.people.laptop(member), plan.at(days, 9, 11)
    plan.borrow(stories.open(MACHINE_GONE, member, is_stuck=True), member, use, wall, 20)
    new = plan.world.people.replace_machine(plan.world.rng, old, alias)
    plan.move(member, old, new, gone)
    if plan.world.organization.product(plan.world.uses[use].product).named:
        plan.tell(gone, member, new, use, "already-borrowed")
    for day in range(2):
        at = gone + day * DAY + HOUR
        plan.hold(NO_CASE, member, new, plan.use(FieldCrew, 0, other_than=use), at, end=at + 2 * HOUR)


def _over_long(stories: Stories) -> None:
    plan = stories.plan
    member, use, wall = stories.traveler(8, OfficeHours)
    for days in (40, 25):
        before = plan.at(days, 8, 11)
        plan.borrow(NO_CASE, member, use, before, 7, end=before + 4 * DAY)
    plan.borrow(stories.open(OVER_LONG_BORROW, member, is_stuck=True), member, use, wall, 150)


def _left_open(stories: Stories) -> None:
    """A program goes on for days, while its user works with another one."""
    plan = stories.plan
    member = plan.pick(OfficeHours)
    plan.forget_borrows(member)
    use, desk = plan.use(OfficeHours, 0), plan.world.people.machines_of[member][0]
    plan.hold(stories.open(OUTLIER, member, is_stuck=True, laptop=False), member, desk, use, plan.at(6, 15, 17))
    for day in range(1, 4):
        at = plan.at(day, 8, 14)
        plan.hold(NO_CASE, member, desk, plan.use(OfficeHours, 0, other_than=use), at, end=at + 2 * HOUR)


def _released(stories: Stories) -> None:
    member, use, wall = stories.traveler(15, FieldCrew)
    stories.plan.borrow(
        stories.open("released", member), member, use, wall, 20, end=wall + 5 * DAY, ending=ENDINGS.index(RELEASE)
    )


def _revoked(stories: Stories) -> None:
    """A revoked borrow keeps its seat until it ends: one has, one has not."""
    for days, length in ((30, 12), (10, 14)):
        member, use, wall = stories.traveler(days, FieldCrew)
        stories.plan.borrow(
            stories.open("revoked", member),
            member,
            use,
            wall,
            length,
            change_at=wall + 4 * DAY,
            ending=ENDINGS.index(REVOCATION),
        )


def _lapsed(stories: Stories) -> None:
    member, use, wall = stories.traveler(25, FieldCrew)
    due = stories.plan.borrow(stories.open("lapsed", member), member, use, wall, 8, ending=EXPIRY)
    stories.plan.hold(NO_CASE, member, stories.plan.world.people.machines_of[member][0], use, due + DAY, end=due + DAY + HOUR)


def _renewed(stories: Stories) -> None:
    plan = stories.plan
    member, use, wall = stories.traveler(14, FieldCrew)
    plan.borrow(
        stories.open("renewed", member),
        member,
        use,
        wall,
        10,
        change_at=wall + 9 * DAY,
        change_until=wall // DAY * DAY + 22 * DAY + 18 * HOUR,
    )


def _new_laptop(stories: Stories) -> None:
    """The old machine was checked in before the new one came."""
    plan = stories.plan
    member, use, wall = stories.traveler(24, FieldCrew)
    old, begin = plan.world.people.laptop(member), plan.at(8, 12, 16)
    plan.borrow(NO_CASE, member, use, wall, 14, end=wall + 10 * DAY)
    new = plan.world.people.replace_machine(plan.world.rng, old)
    plan.move(member, old, new, begin)
    plan.borrow(stories.open("new laptop", member), member, use, begin, 15, machine=new)


def _removed(stories: Stories) -> None:
    """A member is removed with a borrow out and a session on: both end at once."""
    plan = stories.plan
    member, use, wall = stories.traveler(18, OfficeHours)
    gone = plan.day(12) + 15 * HOUR
    plan.silence(member, gone - 5 * HOUR)
    plan.borrow(stories.open("removed", member), member, use, wall, 30)
    desk = plan.world.people.machines_of[member][0]
    number = stories.open("removed", member, laptop=False)
    plan.hold(number, member, desk, plan.use(OfficeHours, 0, other_than=use), gone - HOUR, end=gone + HOUR)
    stories.acts.append(Act(gone, "remove", member))


def _ended_for(stories: Stories) -> None:
    """An administrator ends a session."""
    plan = stories.plan
    member = plan.pick(OfficeHours)
    plan.forget_borrows(member)
    wall, use = plan.at(9, 7, 7.5), plan.use(OfficeHours, 0)
    number = stories.open("ended", member, laptop=False)
    plan.hold(number, member, plan.world.people.machines_of[member][0], use, wall, end=wall + 5 * HOUR)
    stories.acts.append(Act(wall + 20 * MINUTE, "end_session", member, number))


def _died(stories: Stories) -> None:
    """A program dies and its user is not seen again: time ends the session, and nobody is there to be told."""
    plan = stories.plan
    member, use = plan.pick(Students), plan.use(Students, 0)
    wall = plan.at(20, 9, 12)
    plan.silence(member, wall)
    machine = plan.world.people.machines_of[member][0]
    plan.hold(stories.open("died", member), member, machine, use, wall, end=wall + HOUR, ending=ENDINGS.index("end"))


def _asked_for_years(stories: Stories) -> None:
    member, use, wall = stories.traveler(20, OfficeHours)
    stories.plan.borrow(NO_CASE, member, use, wall, 700)


def _on_holiday(stories: Stories) -> None:
    """Away for long with nothing out."""
    member, _, wall = stories.traveler(34, OfficeHours)
    stories.plan.silence(member, wall)
    stories.plan.open_case("holiday", member, stories.plan.world.people.laptop(member), "", is_stuck=False, holds=False)


_STORIES: tuple[Callable[[Stories], None], ...] = (
    _left,
    _fell_silent,
    _made_anew,
    _replaced,
    _over_long,
    _left_open,
    _released,
    _revoked,
    _lapsed,
    _renewed,
    _new_laptop,
    _removed,
    _ended_for,
    _died,
    _asked_for_years,
    _on_holiday,
)
