"""Where stories are woven into the ordinary days of an organization: holds are added, habits stop, machines are replaced."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from checkout_log.columns import CHECKIN, ENDINGS
from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import DAY, HOUR, Mask, is_weekday
from checkout_log.simulate.grants import Stop, stops
from checkout_log.simulate.habits import due_after
from checkout_log.simulate.organization import Batch, Group, Habit, Use
from checkout_log.simulate.world import NEVER, NONE, World, table

# The number of no case.
NO_CASE = -1
# Whoever is in a story asks again until there is a seat.
_STUBBORN = 100_000
EXPIRY = ENDINGS.index("expiry")


@dataclass(frozen=True, slots=True)
class Case:
    """One story: its kind, whether its license is stuck, and which other causes are true of it as well."""

    number: int
    kind: str
    is_stuck: bool
    member: int
    machine: int
    note: str
    also: tuple[str, ...] = ()
    holds: bool = True


@dataclass(frozen=True, slots=True)
class StoryDenial:
    """A refusal that belongs to a story: when (UTC), to whom, on which machine, for what, and why."""

    at: int
    member: int
    machine: int
    use: int
    reason: str


@dataclass
class Plan:
    """The wishes of an organization while stories are added; every member is in one story at most."""

    world: World
    wishes: pd.DataFrame
    cases: list[Case] = field(default_factory=list)
    story_denials: list[StoryDenial] = field(default_factory=list)
    added: list[pd.DataFrame] = field(default_factory=list)
    busy: set[int] = field(default_factory=set)

    def group(self, habit: type[Habit]) -> tuple[Group, list[int]]:
        """The first group with such a habit, and its members. Raises QuestionInvalid."""
        for group, members in zip(self.world.organization.groups, self.world.people.of_group, strict=True):
            if isinstance(group.habit, habit):
                return group, members
        raise QuestionInvalid(f"the stories need a group of {habit.__name__}", hint="Add one, or plant nothing.")

    def pick(self, habit: type[Habit], *, laptop: bool = False) -> int:
        """A member with such a habit who is in no story yet. Raises QuestionInvalid."""
        group, members = self.group(habit)
        free = [
            member for member in members if member not in self.busy and (not laptop or self.world.people.has_laptop(member))
        ]
        if not free:
            raise QuestionInvalid(f'"{group.name}" has too few members for so many stories', hint="Add members, or plant less.")
        member = int(self.world.rng.choice(free))
        self.busy.add(member)
        return member

    def use(
        self,
        habit: type[Habit],
        number: int,
        *,
        borrow: bool = False,
        server: str | None = None,
        not_server: str | None = None,
        other_than: int | None = None,
        is_single: bool = True,
    ) -> int:
        """One of the uses of a habit, in turn: for a borrow or not, of one kind of server, of another product, of one feature.

        Raises QuestionInvalid where there is none.
        """
        group, _ = self.group(habit)
        wanted = group.habit.borrows if borrow and not isinstance(group.habit, Batch) else group.habit.uses
        avoided = None if other_than is None else self.world.uses[other_than].product
        fitting = [
            use
            for use in wanted
            if use.product != avoided
            and server in {None, self._server(use)}
            and self._server(use) != not_server
            and not (is_single and len(use.features) > 1)
        ]
        if not fitting:
            raise QuestionInvalid(f'"{group.name}" uses nothing that a story needs', hint="Add such a use, or plant nothing.")
        return self.world.use(fitting[number % len(fitting)])

    def _server(self, use: Use) -> str:
        return self.world.organization.product(use.product).server

    def midnight(self, days_ago: float) -> int:
        """The midnight, on the wall, of the day that is at least so many days before that of the last look."""
        return self.world.begin + (self.world.organization.days - int(np.ceil(days_ago))) * DAY

    def day(self, days_ago: float) -> int:
        """The midnight, on the wall, of the workday that is at least so many days before the last look."""
        day = self.midnight(days_ago)
        while not is_weekday(np.array([day]))[0]:
            day -= DAY
        return day

    def at(self, days_ago: float, first_hour: float, last_hour: float) -> int:
        """A time of the wall on such a day, between these hours."""
        return self.day(days_ago) + int(self.world.rng.integers(int(first_hour * HOUR), int(last_hour * HOUR)))

    def crashes(self) -> list[Stop]:
        """The stops of servers that took nothing back. Raises QuestionInvalid where there are none."""
        crashes = [stop for stop in stops(self.world) if not stop.clean]
        if not crashes:
            raise QuestionInvalid("no server crashes, so nothing can be cut by one", hint="Add a restart that is not clean.")
        return crashes

    def up_since(self, use: int) -> int:
        """Since when the server of a use has been up, on the wall."""
        server = self._server(self.world.uses[use])
        ups = [stop.up_at for stop in stops(self.world) if stop.server == server]
        return self.world.clock.wall_of(max(ups)) if ups else self.world.begin

    def open_case(self, kind: str, member: int, machine: int, note: str, **more: object) -> int:
        """The number of a new case; `more` holds the other fields of `Case`."""
        number = len(self.cases)
        self.cases.append(Case(number, kind, bool(more.pop("is_stuck", True)), member, machine, note, **more))  # type: ignore[arg-type]
        return number

    def hold(self, case: int, member: int, machine: int, use: int, wall: int, **more: int) -> None:
        """Adds a wish: `end`, `due`, `change_at`, `change_until` are times of the wall; without an end it goes on."""
        times = {name: self._utc(more.pop(name, NONE)) for name in ("due", "change_at", "change_until")}
        end = more.pop("end", NEVER)
        one = np.array([wall], dtype=np.int64)
        wishes = table(
            self.world,
            one,
            one if end == NEVER else np.array([end], dtype=np.int64),
            member=member,
            machine=machine,
            use=use,
            case=case,
            tries=_STUBBORN,
            **times,
            **more,
        )
        if end == NEVER:
            wishes["end"] = NEVER
        self.added.append(wishes)

    def _utc(self, wall: int) -> int:
        return wall if wall == NONE else self.world.clock.utc_of(wall)

    def tell(self, wall: int, member: int, machine: int, use: int, reason: str) -> None:
        """Adds a refusal."""
        self.story_denials.append(StoryDenial(self.world.clock.utc_of(wall), member, machine, use, reason))

    def silence(self, member: int, wall: int, uses: set[int] | None = None) -> None:
        """From then on the member does not start anything, or nothing of these uses."""
        own = self._own(member, wall)
        self.wishes = self.wishes[~(own if uses is None else own & self.wishes["use"].isin(uses).to_numpy())]

    def move(self, member: int, old: int, new: int, wall: int) -> None:
        """From then on the member works at another machine in place of the old one."""
        self.wishes.loc[self._own(member, wall) & (self.wishes["machine"] == old).to_numpy(), "machine"] = new

    def settle(self, member: int, wall: int) -> None:
        """Takes the ordinary borrows out that reach into the time of a story, and gives those before it back in time."""
        of_member = (self.wishes["member"] == member) & (self.wishes["due"] != NONE)
        late = of_member & (self.wishes[["due", "change_until", "end"]].max(axis=1) >= self._utc(wall) - DAY)
        self.wishes.loc[of_member & (self.wishes["ending"] == EXPIRY), ["end", "ending"]] -= [
            2 * HOUR,
            EXPIRY - ENDINGS.index(CHECKIN),
        ]
        self.wishes = self.wishes[~late]

    def forget_borrows(self, member: int) -> None:
        """The member has never borrowed before."""
        self.settle(member, self.world.begin)

    def same_product(self, use: int) -> set[int]:
        """All uses of the same product."""
        return {number for number, other in enumerate(self.world.uses) if other.product == self.world.uses[use].product}

    def same_features(self, use: int) -> set[int]:
        """All uses that take one of the same features."""
        features = set(self.world.uses[use].features)
        return {number for number in self.same_product(use) if features & set(self.world.uses[number].features)}

    def _own(self, member: int, wall: int) -> Mask:
        own: Mask = ((self.wishes["member"] == member) & (self.wishes["at"] >= self._utc(wall))).to_numpy()
        return own

    def done(self) -> pd.DataFrame:
        """All wishes, numbered anew."""
        return pd.concat([self.wishes, *self.added], ignore_index=True)

    def borrow(self, case: int, member: int, use: int, wall: int, days: int, **more: int) -> int:
        """Adds a borrow of so many days on the member's laptop, or on `machine`; its due time on the wall."""
        machine = more.pop("machine", self.world.people.laptop(member))
        due = due_after(wall, days)
        self.hold(case, member, machine, use, wall, due=due, **more)
        return due


def spread(low: float, high: float, count: int) -> list[float]:
    """So many numbers from low to high, each the same factor after the one before."""
    return [float(number) for number in np.geomspace(low, high, count)] if count > 1 else [high]
