"""What members do with licenses, offline and connected, and what administrators do about it."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from authority.domain.members import CONSOLE, Actor
from authority.services import borrow, endings, sessions, status_lists
from authority.services.sessions import Started
from authority.services.unit import Unit
from tests.authority.stateful.administration import codes, extensions_of, names, picks
from tests.authority.stateful.machine import MACHINES, Machine
from tests.authority.stateful.model import CHECKED_IN, CHECKOUT, ENDED, SUCCESSES
from tests.authority.stateful.organization import CONCURRENT, DONE, FEATURES, LEVELS, NAMED
from tests.authority.stateful.seats import FORMER, Use, Wish
from tests.support.connecting import asked
from verifier import verify
from verifier.errors import CarnetError
from verifier.workstation import carry

machines = st.integers(0, MACHINES - 1)
products = st.sampled_from((*FEATURES, NAMED[0], CONCURRENT, CONCURRENT))
levels = st.sampled_from((None, None, None, *LEVELS))
days = st.sampled_from((None, None, 1, 3, 8, 29, 45, 400))


def is_anything_held(machine: Machine) -> bool:
    return bool(machine.holders())


def is_any_out(machine: Machine) -> bool:
    return any(machine.model.is_active(use) for use in machine.model.borrows)


def is_any_seat_held(machine: Machine) -> bool:
    return any(use.seat_free_at > machine.model.now for use in machine.model.borrows)


def is_anybody_connected(machine: Machine) -> bool:
    return any(machine.model.is_active(use) for use in machine.model.sessions)


def sequence_of(wish: Wish) -> tuple[str, ...] | None:
    """The extensions that are asked for, None for none in particular."""
    return None if wish.extensions is None else tuple(sorted(wish.extensions))


class Using(Machine):
    """Borrows and sessions."""

    # --- borrowing

    @rule(name=names, product=products, machine=machines, level=levels, some=codes, days=days, is_self=st.booleans())
    def borrow_any(
        self, name: str, product: str, machine: int, level: str | None, some: frozenset[str], days: int | None, is_self: bool
    ) -> None:
        self.fire("borrow")
        self._borrow("borrow", name, Wish(product, machine, level, extensions_of(product, some), days), is_self=is_self)

    @precondition(is_anything_held)
    @rule(pick=picks, machine=machines, level=levels, some=codes, days=st.sampled_from((None, None, 2, 9, 20)))
    def borrow_what_is_assigned(
        self, pick: int, machine: int, level: str | None, some: frozenset[str], days: int | None
    ) -> None:
        """What somebody holds, or a little else."""
        self.fire("borrow assigned")
        name, product, extensions = self._held(pick, some)
        self._borrow("borrow", name, Wish(product, machine, level, extensions, days))

    @precondition(is_anything_held)
    @rule(pick=picks, machine=machines)
    def borrow_a_lower_level(self, pick: int, machine: int) -> None:
        """Than is held; there may be no seats of it at all."""
        self.fire("borrow lower")
        name, product, extensions = self._held(pick, frozenset())
        below = LEVELS[: LEVELS.index(self.model.people[name].held[product].level)] or LEVELS[:1]
        level = min(below, key=lambda lower: self.model.seats(product, lower))
        self._borrow("borrow", name, Wish(product, machine, level, extensions))

    @precondition(is_any_out)
    @rule(pick=picks, level=levels, days=st.sampled_from((None, 5, 12, 25)))
    def renew_a_borrow(self, pick: int, level: str | None, days: int | None) -> None:
        self.fire("renew borrow")
        out = [use for use in self.model.borrows if self.model.is_active(use)]
        active = out[pick % len(out)]
        self._borrow("renew borrow", active.name, Wish(active.product, active.machine, level, frozenset(), days))

    @precondition(lambda self: self.model.requests)
    @rule(pick=picks, name=names, is_for_another=st.sampled_from((False, False, True)))
    def send_a_request_again(self, pick: int, name: str, is_for_another: bool) -> None:
        """An answered request gets the same file; a refused one is looked at anew."""
        self.fire("send again")
        number = pick % len(self.model.requests)
        answered = self.model.requests[number].borrow
        if answered is not None and not is_for_another:
            name = self.model.borrows[answered].name
        self._send("send again", number, name)

    def _borrow(self, what: str, name: str, wish: Wish, *, is_self: bool = True) -> None:
        number = self.model.ask(wish)
        workstation = self.workstations[wish.machine]
        asked_for = carry.Wish(wish.product, wish.level, sequence_of(wish), days=wish.days)
        self.request_texts.append(workstation.request(asked_for, self.bench.clock()))
        self._send(what, number, name, is_self=is_self)

    def _send(self, what: str, number: int, name: str, *, is_self: bool = False) -> None:
        is_self = is_self and name in self.actors
        actor, member = (self.by(name), None) if is_self else (CONSOLE, name)
        expected = self.model.issue(number, name)
        issued = self.expect(
            what, expected, lambda: borrow.issue(Unit(self.authority, actor), self.request_texts[number], member)
        )
        if issued is None:
            return
        answered = self.model.requests[number].borrow
        assert answered is not None
        if expected == CHECKOUT:
            self.borrow_ids.append(issued.borrow.id)
        assert issued.borrow.id == self.borrow_ids[answered]
        assert issued.is_new == (number not in self.files)
        assert self.files.setdefault(number, issued.file) == issued.file
        self.expires_at.setdefault(number, issued.borrow.expires_at)

    @precondition(is_anything_held)
    @rule()
    def take_turns(self) -> None:
        """One holder of a license after the other, each on a machine of their own: borrow, renew, give back."""
        self.fire("take turns")
        self.turns += 1
        held = self.holders()
        name, product = held[self.turns % len(held)]
        machine = self.turns % len(held) % MACHINES
        out = self._answered(lambda use: self.model.is_active(use) and (use.name, use.product) == (name, product))
        if out and self.turns // len(held) % 3 == 2:
            self._check_in(self._give_up(out[-1]), name)
        else:
            self._borrow("take turns", name, Wish(product, machine))

    # --- giving back, and being taken away

    @precondition(is_any_seat_held)
    @rule(pick=picks, is_carried=st.sampled_from((True, True, True, False)))
    def give_up(self, pick: int, is_carried: bool) -> None:
        """The workstation makes a receipt, which may stay on its way."""
        self.fire("give up")
        answered = self._answered(lambda use: use.seat_free_at > self.model.now)
        number = self._give_up(answered[pick % len(answered)])
        if is_carried:
            self._check_in(number, self.model.borrows[self.model.receipts[number].borrow].name)

    @precondition(is_any_out)
    @rule(pick=picks, machine=machines)
    def give_up_on_another_machine(self, pick: int, machine: int) -> None:
        self.fire("give up elsewhere")
        answered = self._answered(self.model.is_active)
        self._check_in(self._give_up(answered[pick % len(answered)], machine), None)

    def _give_up(self, request: int, machine: int | None = None) -> int:
        answered = self.model.requests[request]
        place = answered.wish.machine if machine is None else machine
        assert answered.borrow is not None
        number = self.model.give_up(answered.borrow, place)
        self.receipt_texts.append(self.workstations[place].receipt_for(self.files[request], self.bench.clock()))
        return number

    @precondition(lambda self: self.model.receipts)
    @rule(pick=picks, name=names, is_any=st.sampled_from((False, False, False, True)))
    def carry_a_receipt(self, pick: int, name: str, is_any: bool) -> None:
        """An older receipt arrives, perhaps once more, brought by its holder, by somebody else or by an administrator."""
        self.fire("carry receipt")
        number = pick % len(self.model.receipts)
        self._check_in(number, name if is_any else self.model.borrows[self.model.receipts[number].borrow].name)

    def _check_in(self, number: int, name: str | None) -> None:
        is_member = name in self.actors
        actor = self.by(name) if name is not None and is_member else CONSOLE
        by = name if name is not None and is_member and not self.model.is_administrator(name) else None
        expected = self.model.check_in(number, by)
        self.expect("check in", expected, lambda: endings.check_in(Unit(self.authority, actor), self.receipt_texts[number]))

    @precondition(is_any_seat_held)
    @rule(pick=picks)
    def revoke(self, pick: int) -> None:
        self.fire("revoke")
        number = self._number_of(self.model.borrows, pick)
        borrow_id = self.borrow_ids[number]
        self.expect(
            "revoke", self.model.revoke(number), lambda: endings.revoke(Unit(self.authority, CONSOLE), borrow_id, "lost")
        )

    @precondition(is_any_seat_held)
    @rule(pick=picks, is_accepted=st.sampled_from((True, True, False)))
    def release(self, pick: int, is_accepted: bool) -> None:
        self.fire("release")
        number = self._number_of(self.model.borrows, pick)
        borrow_id, expected = self.borrow_ids[number], self.model.release(number, accept_overlap=is_accepted)
        self.expect(
            "release",
            expected,
            lambda: endings.release(Unit(self.authority, CONSOLE), borrow_id, "gone", accept_overlap=is_accepted),
        )

    # --- connected

    @rule(name=names, product=products, machine=machines, level=levels, some=codes)
    def start(self, name: str, product: str, machine: int, level: str | None, some: frozenset[str]) -> None:
        self.fire("start")
        if name in self.actors:
            self._start(name, Wish(product, machine, level, extensions_of(product, some)))

    @precondition(is_anything_held)
    @rule(pick=picks, machine=machines, level=levels, some=codes)
    def start_what_is_assigned(self, pick: int, machine: int, level: str | None, some: frozenset[str]) -> None:
        self.fire("start assigned")
        name, product, extensions = self._held(pick, some)
        self._start(name, Wish(product, machine, level, extensions))

    @precondition(is_any_seat_held)
    @rule(pick=picks)
    def start_beside_a_borrow(self, pick: int) -> None:
        self.fire("start beside")
        held = [use for use in self.model.borrows if use.seat_free_at > self.model.now]
        offline = held[pick % len(held)]
        self._start(offline.name, Wish(offline.product, offline.machine))

    @precondition(is_anybody_connected)
    @rule(pick=picks, count=st.integers(1, 3))
    def start_on_other_computers(self, pick: int, count: int) -> None:
        self.fire("start elsewhere")
        active = [use for use in self.model.sessions if self.model.is_active(use)]
        own = active[pick % len(active)]
        others = sorted(set(range(MACHINES)) - {use.machine for use in active if use.name == own.name})
        for machine in others[:count]:
            self._start(own.name, Wish(own.product, machine))

    def _start(self, name: str, wish: Wish) -> None:
        before = {number for number, use in enumerate(self.model.sessions) if self.model.is_active(use)}
        expected = self.model.start(name, wish)
        ask = asked(self.workstations[wish.machine], wish.product, wish.level, sequence_of(wish), at=self.bench.clock())
        started = self.expect("start", expected, lambda: sessions.start(Unit(self.authority, self.by(name)), ask))
        if expected == CHECKOUT:
            self.session_ids.append(started.session.id)
        if started is not None:
            assert started.is_new == (expected == CHECKOUT)
            assert started.is_new or started.session.id in {self.session_ids[number] for number in before}
            assert (
                verify(
                    started.grant,
                    trust=self.bench.trust_file,
                    workstation=self.workstations[wish.machine].identity,
                    now=self.bench.clock(),
                ).level
                == started.session.level
            )

    @precondition(lambda self: self.model.sessions)
    @rule(pick=picks, name=names, is_any=st.sampled_from((False, False, False, True)))
    def use_a_session(self, pick: int, name: str, is_any: bool) -> None:
        """By its holder or by somebody else, who may have the user name of a holder that was removed."""
        self.fire("use session")
        number = self._number_of(self.model.sessions, pick)
        holder = self.model.sessions[number].name
        by = name if is_any or holder == FORMER else holder
        if by in self.actors:
            actor, session_id = self.by(by), self.session_ids[number]
            self.expect("use session", self.model.renew(number, by), lambda: self._used(actor, number, session_id))

    def _used(self, actor: Actor, number: int, session_id: str) -> Started:
        session = self.model.sessions[number]
        request = asked(self.workstations[session.machine], session.product, at=self.bench.clock())
        return sessions.renew(Unit(self.authority, actor), session_id, request)

    @precondition(lambda self: self.model.sessions)
    @rule(pick=picks, is_own=st.booleans())
    def end_a_session(self, pick: int, is_own: bool) -> None:
        self.fire("end session")
        number = self._number_of(self.model.sessions, pick)
        session_id, name = self.session_ids[number], self.model.sessions[number].name
        if is_own and name in self.actors:
            is_disabled = self.model.people[name].disabled
            expected = "not-authenticated" if is_disabled else self.model.end(number, CHECKED_IN)
            self._send_to_web("check in session", expected, "DELETE", f"sessions/{session_id}", name)
        else:
            self.expect(
                "end session", self.model.end(number, ENDED), lambda: sessions.end(Unit(self.authority, CONSOLE), session_id)
            )

    # --- looking

    @precondition(lambda self: self.files and self.model.terms.ends_at > self.model.now)
    @rule(pick=picks)
    def check_a_borrow_without_a_network(self, pick: int) -> None:
        """Seed S1: what is out stays good, whatever became of assignments and authorizations; what ended is refused."""
        self.fire("check offline")
        answered = self._answered(lambda _: True)
        number = answered[pick % len(answered)]
        borrow_number = self.model.requests[number].borrow
        assert borrow_number is not None
        is_ended = self.model.borrows[borrow_number].ended is not None
        expected = "expired" if self.model.now >= self.expires_at[number] else "revoked" if is_ended else DONE
        self.prepared.outcomes["check offline", expected] += 1
        outcome = self._checked_offline(number)
        assert outcome == expected, f"{outcome}, expected {expected}"

    def _checked_offline(self, number: int) -> str:
        try:
            verify(
                self.files[number],
                trust=self.bench.trust_file,
                workstation=self.workstations[self.model.requests[number].wish.machine].identity,
                now=self.bench.clock(),
                status_list=status_lists.export(Unit(self.authority, CONSOLE)),
            )
        except CarnetError as error:
            return error.code
        return DONE

    @rule(name=names, path=st.sampled_from(("sessions", "borrows")))
    def come_in(self, name: str, path: str) -> None:
        """Seed S2: over the limit members are told to ask the administrator, whatever they want to see."""
        self.fire("come in")
        if name in self.actors:
            expected = DONE
            if self.model.people[name].disabled:
                expected = "not-authenticated"
            elif self.model.is_kept_out(name):
                expected = "organization-over-limit"
            self._send_to_web("come in", expected, "GET", path, name)

    def _send_to_web(self, what: str, expected: str, method: str, path: str, name: str) -> None:
        self.prepared.outcomes[what, expected] += 1
        headers = {"Authorization": f"Bearer {self.secrets[name]}"}
        code = self.prepared.client.open(f"/api/v1/{path}", method=method, headers=headers).get_json().get("code")
        assert code == (None if expected in SUCCESSES else expected), f"{what}: {code or DONE}, expected {expected}"

    @precondition(lambda self: self.former)
    @rule(pick=picks, machine=machines)
    def come_back_after_being_removed(self, pick: int, machine: int) -> None:
        """Somebody who was let in just before being removed."""
        self.fire("come back")
        actor: Actor = self.former[pick % len(self.former)]
        ask = asked(self.workstations[machine], CONCURRENT, at=self.bench.clock())
        self.expect("come back", "not-allowed", lambda: sessions.start(Unit(self.authority, actor), ask))

    # --- picking

    def _held(self, pick: int, some: frozenset[str]) -> tuple[str, str, frozenset[str] | None]:
        """Somebody, a product that they hold, and its extensions; of every fourth pick other ones, or None, which are the same."""
        licenses = self.holders()
        name, product = licenses[pick % len(licenses)]
        own = frozenset(self.model.people[name].held[product].extensions)
        if pick % 4 == 1:
            return name, product, None
        return name, product, own if pick % 4 else extensions_of(product, some)

    def _answered(self, is_wanted: Callable[[Use], bool]) -> list[int]:
        """The requests that were answered with such a borrow."""
        borrows = [(number, request.borrow) for number, request in enumerate(self.model.requests)]
        return [number for number, borrow in borrows if borrow is not None and is_wanted(self.model.borrows[borrow])]

    def _number_of(self, uses: list[Use], pick: int) -> int:
        """One that holds a seat; sometimes, and when there is none, any that ever was."""
        held = [number for number, use in enumerate(uses) if use.seat_free_at > self.model.now]
        numbers = held if held and pick % 5 else range(len(uses))
        return numbers[pick % len(numbers)]

    # A rule is drawn as often as it has names: these are drawn more often.
    borrow_2, assigned_2, assigned_3 = borrow_any, borrow_what_is_assigned, borrow_what_is_assigned
    renew_2, renew_3, renew_4, give_up_2, start_2 = renew_a_borrow, renew_a_borrow, renew_a_borrow, give_up, start
    elsewhere_2 = start_on_other_computers
    release_2, send_2, come_in_2 = release, send_a_request_again, come_in
    start_assigned_2, beside_2, use_2, use_3 = start_what_is_assigned, start_beside_a_borrow, use_a_session, use_a_session
