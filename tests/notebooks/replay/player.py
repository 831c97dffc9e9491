"""Plays the habits of a simulated organization through a real authority, in order of time, and keeps what came of it.

What a member does follows from the simulator's plan; what the authority answers is its own. Whoever plays knows of each use
when it began and how it ended without asking the log.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import count
from typing import Any

from authority.domain.members import CONSOLE, Actor
from authority.domain.refusals import BorrowRefused, InSessionElsewhere, PoolExhausted, Refusal
from authority.services import borrow, endings, licenses, member_changes, removal, sessions
from authority.services.member_changes import Change
from authority.services.unit import Unit
from checkout_log.columns import BORROW, ENDINGS, RELEASE, SESSION
from checkout_log.simulate.clock import MINUTE, SECOND
from checkout_log.simulate.plan import Plan, StoryDenial
from checkout_log.simulate.world import NEVER, NONE
from tests.notebooks.replay.parts import (
    CLIENT_RENEWS,
    SESSION_LASTS,
    Act,
    Refused,
    Replay,
    Use,
    Workstation,
    account,
    micros,
    moment,
)
from tests.support.authorities import Bench
from tests.support.borrowing import seats_held
from tests.support.connecting import started, used
from verifier.workstation.carry import Wish
from verifier.workstation.identity import OsUser

# A client that died is not seen again; the simulator's sessions of such clients end half an hour later.
DEAD_FOR = 30 * MINUTE
# A refused client asks again after a minute.
ASKS_AGAIN = MINUTE
CHECKED_IN = ENDINGS.index("checkin")


class Player:
    """An authority, and everybody who uses it."""

    def __init__(self, bench: Bench, plan: Plan, acts: Sequence[Act], levels: dict[str, tuple[str, tuple[str, ...]]]) -> None:
        """`levels` says which level and extensions of a named product the members of each group hold."""
        self.bench, self.world, self.plan, self.acts = bench, plan.world, plan, acts
        self.replay = Replay(bench, moment(plan.world.now))
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.numbers = count()
        self.on: dict[tuple[int, int, str], Use] = {}
        self.people = [self._join(number, levels) for number in range(len(plan.world.people.names))]

    def play(self) -> Replay:
        """Everything that happens until the last look. The authority's clock stands there then."""
        for wish in self.plan.done().itertuples():
            self._at(int(wish.at), partial(self._take, wish, int(wish.end), int(wish.tries)))
        for denial in self.plan.story_denials:
            self._at(denial.at, partial(self._ask_in_vain, denial))
        for act in self.acts:
            self._at(self.world.clock.utc_of(act.wall), partial(getattr(self, f"_{act.what}"), act))
        while self.agenda and self.agenda[0][0] <= self.world.now:
            at, _, happen = heapq.heappop(self.agenda)
            assert moment(at) >= self.bench.clock()
            self.bench.clock.at = moment(at)
            happen()
        self.bench.clock.at = self.replay.now
        for use in self.replay.uses:
            self._end_by_time(use)
        return self.replay

    def _join(self, number: int, levels: dict[str, tuple[str, tuple[str, ...]]]) -> Actor:
        people = self.world.people
        actor = self.bench.member(account(people.names[number], number), groups=(people.groups[number],))
        named = next(product.name for product in self.world.organization.products if product.named)
        licenses.assign(Unit(self.bench.authority, CONSOLE), actor.username, named, *levels[people.groups[number]])
        return actor

    def _at(self, at: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self.agenda, (at, next(self.numbers), happen))

    @cache  # noqa: B019 - a life ends with its test
    def station(self, member: int, machine: int) -> Workstation:
        """A machine as one of its users has it: an account has a key of its own."""
        people = self.world.people
        user = OsUser(f"uid:{1000 + member}", people.os_users[member])
        return Workstation(people.aliases[machine], user, machine_id=people.machine_ids[machine])

    def _features(self, use: int) -> tuple[str, tuple[str, ...]]:
        """The product of a numbered use, and its level and extensions."""
        return self.world.uses[use].product, self.world.uses[use].features

    def _take(self, wish: Any, end: int, tries: int) -> None:
        answer = self._borrow(wish) if wish.due != NONE else self._start(wish, end)
        if isinstance(answer, PoolExhausted) and tries > 0:
            later = end if wish.due != NONE or end >= NEVER else end + ASKS_AGAIN
            self._at(micros(self.bench.clock()) + ASKS_AGAIN, partial(self._take, wish, later, tries - 1))
        elif isinstance(answer, InSessionElsewhere):
            # Who goes offline leaves the other computers, and waits until the last grants there have ended.
            self._leave(wish.member, self._features(wish.use)[0])
            taken_until = max(item.taken_until for item in answer.computers)
            self._at(micros(taken_until) + SECOND, partial(self._take, wish, end, tries))

    def _leave(self, member: int, product: str) -> None:
        for use in self.on.values():
            if use.member == self.people[member].username and use.product == product and not self._end_by_time(use):
                use.programs = 0
                sessions.check_in(Unit(self.bench.authority, self.people[member]), use.handle)
                self._ended(use, "checkin")

    def _start(self, wish: Any, end: int) -> BorrowRefused | None:
        """A program asks for a session; another one of the same user on the machine may have one, which both use then."""
        product, features = self._features(wish.use)
        station = self.station(wish.member, wish.machine)
        try:
            session = started(
                self.bench, self.people[wish.member], station, product, level=features[0], extensions=features[1:]
            )
        except BorrowRefused as error:
            return self._note(error, SESSION, wish.member, wish.machine, wish.use)
        place = (wish.member, wish.machine, product)
        if session.is_new:
            self.on[place] = self._began(session.session.id, SESSION, wish.member, wish.machine, wish.use, wish.case)
        else:
            assert session.session.id == self.on[place].handle
            self.on[place].programs += 1
            self.on[place].case = max(self.on[place].case, wish.case)
        self._used(self.on[place])
        if end < NEVER:
            is_left = wish.ending == CHECKED_IN
            at = end if is_left else max(end - DEAD_FOR, micros(self.bench.clock()))
            self._at(at, partial(self._close, self.on[place], checks_in=is_left))
        return None

    def _began(self, handle: str, mode: str, member: int, machine: int, use: int, case: int) -> Use:
        product, features = self._features(use)
        names = self.people[member].username, self.world.people.machine_ids[machine], self.world.people.aliases[machine]
        started = Use(handle, mode, product, features, *names, self.bench.clock(), case)
        self.replay.uses.append(started)
        if not self.world.organization.product(product).named:
            for feature in features:
                seats = seats_held(self.bench, product, feature)
                self.replay.most_seats[product, feature] = max(seats, self.replay.most_seats.get((product, feature), 0))
        return started

    def _used(self, use: Use) -> None:
        """The session was used now, and will be before its time is over."""
        use.used_at, use.uses_at = self.bench.clock(), self.bench.clock() + CLIENT_RENEWS
        self._at(micros(use.uses_at), partial(self._renew, use, use.uses_at))

    def _renew(self, use: Use, planned_at: datetime) -> None:
        if use.end is not None or not use.programs or use.uses_at != planned_at:
            return
        try:
            used(self.bench, self._actor(use), use.handle)
        except Refusal:
            # The license is not the member's any more: the program goes on with its grant and does not ask again.
            use.programs = 0
        else:
            self._used(use)

    def _close(self, use: Use, *, checks_in: bool) -> None:
        """A program ends; the last one checks the session in, or dies and leaves it to time."""
        use.programs = max(0, use.programs - 1)
        if use.programs or use.end is not None or not checks_in:
            return
        if self._end_by_time(use):
            return
        sessions.check_in(Unit(self.bench.authority, self._actor(use)), use.handle)
        self._ended(use, "checkin")

    def _end_by_time(self, use: Use) -> bool:
        """Ends what time has ended: a session by its last use, a borrow by its due time."""
        due = use.until if use.used_at is None else use.used_at.replace(microsecond=0) + SESSION_LASTS
        if use.end is None and due is not None and due <= self.bench.clock():
            by_due_time = "expiry" if use.revoked_at is None else "revocation"
            use.end, use.ended_by = due, "end" if use.mode == SESSION else by_due_time
        return use.end is not None

    def _ended(self, use: Use, ended_by: str) -> None:
        use.end, use.ended_by = self.bench.clock(), ended_by

    def _actor(self, use: Use) -> Actor:
        return next(actor for actor in self.people if actor.username == use.member)

    def _ask_to_borrow(self, member: int, machine: int, use: int, until: int | None) -> borrow.Issued | BorrowRefused:
        product, features = self._features(use)
        wish = Wish(product, features[0], features[1:], until=until)
        request = self.station(member, machine).request(wish, self.bench.clock())
        try:
            return borrow.issue(Unit(self.bench.authority, self.people[member]), request)
        except BorrowRefused as error:
            return self._note(error, BORROW, member, machine, use)

    def _ask_in_vain(self, denial: StoryDenial) -> None:
        """A request of a story, which says why it is refused."""
        answer = self._ask_to_borrow(denial.member, denial.machine, denial.use, None)
        assert isinstance(answer, BorrowRefused)
        assert answer.code == denial.reason

    def _borrow(self, wish: Any) -> BorrowRefused | None:
        answer = self._ask_to_borrow(wish.member, wish.machine, wish.use, wish.due // SECOND)
        if isinstance(answer, BorrowRefused):
            return answer
        use = self._began(answer.borrow.id, BORROW, wish.member, wish.machine, wish.use, wish.case)
        use.until, use.file = moment(wish.due), answer.file
        if wish.change_at != NONE:
            what = partial(self._revoke, use) if wish.change_until == NONE else partial(self._extend, use, wish)
            self._at(wish.change_at, what)
        if wish.ending == ENDINGS.index(RELEASE):
            self._at(wish.end, partial(self._release, use))
        elif wish.ending == CHECKED_IN and wish.end < NEVER:
            self._at(wish.end, partial(self._return, use, wish))
        return None

    def _extend(self, use: Use, wish: Any) -> None:
        answer = self._ask_to_borrow(wish.member, wish.machine, wish.use, wish.change_until // SECOND)
        if not isinstance(answer, BorrowRefused):
            assert answer.borrow.id == use.handle
            use.until, use.file = moment(wish.change_until), answer.file

    def _return(self, use: Use, wish: Any) -> None:
        """The machine gives the borrow up and its receipt comes in, unless time was faster."""
        if self._end_by_time(use):
            return
        receipt = self.station(wish.member, wish.machine).receipt_for(use.file, self.bench.clock())
        endings.check_in(Unit(self.bench.authority, self.people[wish.member]), receipt)
        self._ended(use, "checkin")

    def _revoke(self, use: Use) -> None:
        endings.revoke(Unit(self.bench.authority, CONSOLE), use.handle, "stolen")
        use.revoked_at = self.bench.clock()

    def _release(self, use: Use) -> None:
        endings.release(Unit(self.bench.authority, CONSOLE), use.handle, "machine lost", accept_overlap=True)
        self._ended(use, "release")

    def _note(self, error: BorrowRefused, mode: str, member: int, machine: int, use: int) -> BorrowRefused:
        product, features = self._features(use)
        lacking = (str(error.evidence["feature"]),) if isinstance(error, PoolExhausted) else features
        where = self.people[member].username, self.world.people.machine_ids[machine]
        self.replay.refused.append(Refused(self.bench.clock(), mode, product, lacking, *where, error.code))
        return error

    # What administrators do in stories.

    def _disable(self, act: Act) -> None:
        member_changes.change(Unit(self.bench.authority, CONSOLE), self.people[act.member].username, Change(disabled=True))

    def _remove(self, act: Act) -> None:
        """Borrows of a member who is removed are released, and sessions ended."""
        name = self.people[act.member].username
        held = [use for use in self.replay.uses if use.member == name and not self._end_by_time(use)]
        removal.remove(Unit(self.bench.authority, CONSOLE), [self.people[act.member].username], release=True)
        for use in held:
            self._ended(use, "release" if use.mode == BORROW else "end")

    def _end_session(self, act: Act) -> None:
        use = self.replay.of_case(act.case)
        sessions.end(Unit(self.bench.authority, CONSOLE), use.handle)
        self._ended(use, "end")
