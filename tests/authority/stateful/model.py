"""The model, third part: borrows and sessions. See `organization` for how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.authority.stateful.organization import ADMINISTRATOR, CONCURRENT, DONE, Terms, rank
from tests.authority.stateful.seats import FORMER, Seats, Use, Wish

AGAIN, CHECKOUT, RENEWAL = "again", "checkout", "renewal"
SUCCESSES = {DONE, AGAIN, CHECKOUT, RENEWAL}
CHECKED_IN, REVOKED, RELEASED, ENDED = "checked-in", "revoked", "released", "ended"
SESSION_LASTS, COMPUTERS = timedelta(minutes=30), 3
# A request that was not answered yet is carried by hand, and not for ever; the answer to it can be had at any later time.
OLDEST_REQUEST = timedelta(days=90)


@dataclass
class Request:
    """A signed request; `receipt` is the last that its machine had made by then, `borrow` what was answered to it."""

    wish: Wish
    made_at: datetime
    receipt: int | None
    borrow: int | None = None


@dataclass
class Receipt:
    """The proof of a machine that it gave a borrow up."""

    borrow: int
    machine: int


class Model(Seats):
    """The whole organization."""

    def __init__(self, now: datetime, terms: Terms) -> None:
        super().__init__(now, terms)
        self.requests: list[Request] = []
        self.receipts: list[Receipt] = []
        self.last_receipt: dict[int, int] = {}

    # --- borrows

    def holding(self, name: str, product: str) -> list[Use]:
        """The member's borrows that hold a seat."""
        return [use for use in self.borrows if (use.name, use.product) == (name, product) and use.seat_free_at > self.now]

    def ask(self, wish: Wish) -> int:
        """A request is made on the machine; nobody has seen it yet."""
        self.requests.append(Request(wish, self.now, self.last_receipt.get(wish.machine)))
        return len(self.requests) - 1

    def issue(self, number: int, name: str) -> str:
        """A request arrives for a member."""
        request = self.requests[number]
        if name not in self.people:
            return "not-found"
        if request.borrow is not None:
            return AGAIN if self.borrows[request.borrow].name == name else "request-replayed"
        if self.now - request.made_at > OLDEST_REQUEST:
            return "request-invalid"
        refusal = self.refusal(name, request.wish)
        if refusal is not None:
            return refusal
        end = self.end_for(name, request.wish)
        return end if isinstance(end, str) else self._issue(request, name, end)

    def _issue(self, request: Request, name: str, end: datetime) -> str:
        wish, held = request.wish, self.holding(name, request.wish.product)
        here = next((use for use in held if use.machine == wish.machine and use.ended is None), None)
        if here is not None:
            return self._renew(request, here, end)
        if wish.product != CONCURRENT and (held or self._is_used_elsewhere(name, wish)):
            return "already-borrowed"
        level = self.features_for(name, wish)
        use = Use(name, wish.product, wish.machine, level, self.wanted(name, wish), end, end, set())
        beside = [session for session in self.holding_sessions(name) if self._is_same_place(session, use)]
        if wish.product == CONCURRENT and not self.has_seats_for(use, set(), borrowing=True, without=beside):
            return "pool-exhausted"
        use.seats = use.features()
        for session in beside:
            session.seats -= use.seats
        self.borrows.append(use)
        request.borrow = len(self.borrows) - 1
        return CHECKOUT

    def _is_used_elsewhere(self, name: str, wish: Wish) -> bool:
        """Whether a grant of the named license may run on another computer."""
        return any(use.product == wish.product and use.machine != wish.machine for use in self.holding_sessions(name))

    def _renew(self, request: Request, here: Use, end: datetime) -> str:
        """A renewal keeps what is borrowed, so all of it must still be there to be given; it extends and never shortens."""
        wish = request.wish
        receipt = request.receipt
        if receipt is not None and receipt not in self.borrows[self.receipts[receipt].borrow].receipts:
            return "already-borrowed"
        if (wish.level is not None and rank(wish.level) > rank(here.level)) or not (
            wish.extensions or set()
        ) <= here.extensions:
            return "already-borrowed"
        lacking = self.not_given_any_more(here)
        if lacking is not None:
            return lacking
        end = max(here.expires_at, end)
        if end > min(self.now + timedelta(days=self.terms.longest_days), self.terms.end_of(here.product)):
            return "duration-too-long"
        here.expires_at = here.seat_free_at = end
        request.borrow = next(number for number, use in enumerate(self.borrows) if use is here)
        return RENEWAL

    def _is_same_place(self, use: Use, other: Use) -> bool:
        return (use.product, use.machine) == (other.product, other.machine)

    def give_up(self, borrow: int, machine: int) -> int:
        """A machine makes a receipt."""
        self.receipts.append(Receipt(borrow, machine))
        self.last_receipt[machine] = len(self.receipts) - 1
        return len(self.receipts) - 1

    def check_in(self, number: int, by: str | None) -> str:
        """A receipt arrives, brought by a member or (None) by an administrator."""
        receipt = self.receipts[number]
        use = self.borrows[receipt.borrow]
        if (by is not None and by != use.name) or receipt.machine != use.machine:
            return "not-allowed"
        if number in use.receipts:
            return AGAIN
        use.receipts.add(number)
        if self.is_active(use):
            use.ended = CHECKED_IN
        use.seat_free_at = min(self.now, use.seat_free_at)
        here = [session for session in self.holding_sessions(use.name) if self._is_same_place(session, use)]
        held = set[str]().union(*(session.seats for session in here))
        # Those of one computer take each seat once, and the grant that runs longest has it.
        for session in sorted(here, key=lambda item: item.seat_free_at, reverse=True):
            seats = (session.features() & use.features()) - held
            session.seats |= seats
            held |= seats
        return DONE

    def revoke(self, borrow: int) -> str:
        use = self.borrows[borrow]
        if not self.is_active(use):
            return "borrow-already-ended"
        use.ended = REVOKED
        return DONE

    def release(self, borrow: int, *, accept_overlap: bool) -> str:
        use = self.borrows[borrow]
        if not self.is_active(use) and not (use.ended == REVOKED and use.seat_free_at > self.now):
            return "borrow-already-ended"
        if not accept_overlap:
            return "overlap-not-accepted"
        use.ended, use.seat_free_at = RELEASED, self.now
        return DONE

    def remove(self, name: str, *, release: bool) -> str:
        """Who has a borrow out is removed with its release alone; sessions end, and the member's own rules go too."""
        if name not in self.people:
            return "not-found"
        out = [use for use in self.borrows if use.name == name and use.seat_free_at > self.now]
        if out and not release:
            return "member-has-borrow"
        for use in out:
            use.ended, use.seat_free_at = RELEASED, self.now
        for session in self.active_sessions(name):
            session.ended, session.seat_free_at = ENDED, session.granted_until
        for use in (*self.borrows, *self.sessions):
            use.name = FORMER if use.name == name else use.name
        del self.people[name]
        self.rules = {key: rule for key, rule in self.rules.items() if key[:2] != ("member", name)}
        return DONE

    # --- sessions

    def active_sessions(self, name: str) -> list[Use]:
        return [use for use in self.sessions if use.name == name and self.is_active(use)]

    def holding_sessions(self, name: str) -> list[Use]:
        """Those that are active, or of which a grant may still run."""
        return [use for use in self.sessions if use.name == name and (self.is_active(use) or use.granted_until > self.now)]

    def start(self, name: str, wish: Wish) -> str:
        refusal = self.refusal(name, wish)
        if refusal is not None:
            return refusal
        if self.terms.end_of(wish.product) <= self.now:
            return "product-expired"
        wanted = self.wanted(name, wish)
        session = Use(name, wish.product, wish.machine, self.features_for(name, wish), wanted, self.now, self.now, set())
        if self._is_elsewhere(session):
            return "already-borrowed"
        running = next((use for use in self.active_sessions(name) if self._is_same_place(use, session)), None)
        return self._start(session) if running is None else self._start_again(running, wish)

    def _start_again(self, running: Use, wish: Wish) -> str:
        if (wish.level is not None and rank(wish.level) > rank(running.level)) or not (
            wish.extensions or set()
        ) <= running.extensions:
            return "already-borrowed"
        return self.not_given_any_more(running) or self._use(running, AGAIN)

    def _start(self, session: Use) -> str:
        machines = {use.machine for use in self.holding_sessions(session.name)}
        if session.machine not in machines and len(machines) >= COMPUTERS:
            return "session-limit"
        # Of those that were ended on this machine the grants still run: one computer takes each seat once.
        before = [use for use in self.holding_sessions(session.name) if self._is_same_place(use, session)]
        already = (session.features() - self._needed(session)).union(*(use.seats for use in before))
        if session.product == CONCURRENT and not self.has_seats_for(session, already, borrowing=False, without=[]):
            return "pool-exhausted"
        session.seats = self._needed(session)
        session.granted_until = max((use.granted_until for use in before), default=session.granted_until)
        for use in before:
            use.seats -= session.seats
        self._grant(session)
        self.sessions.append(session)
        return CHECKOUT

    def _grant(self, session: Use) -> None:
        """A session is used: it lasts from now on, and so does a grant; not beyond the end of the product, or a seat beside it."""
        session.expires_at = self.now + SESSION_LASTS
        ends = [session.expires_at, self.terms.end_of(session.product)]
        here = self._here(session)
        if here is not None and session.product == CONCURRENT:
            ends.append(here.seat_free_at)
        session.granted_until = max(session.granted_until, min(ends))
        session.seat_free_at = max(session.expires_at, session.granted_until)

    def renew(self, number: int, by: str) -> str:
        """A member uses a session, which may be somebody else's; a user name that was given anew is another member's."""
        session = self.sessions[number]
        if session.name != by:
            return "not-allowed" if self.is_administrator(by) else "not-found"
        if not self.is_active(session):
            return "session-ended"
        refusal = self.not_admitted(session.name, session.product) or self.not_given_any_more(session)
        if refusal is not None:
            return refusal
        if self.terms.end_of(session.product) <= self.now:
            return "product-expired"
        return "already-borrowed" if self._is_elsewhere(session) else self._use(session, DONE)

    def _use(self, session: Use, outcome: str) -> str:
        """The session goes on; beside a borrow it takes no seat that the borrow has."""
        needed = self._needed(session)
        person = self.people[session.name]
        missing = needed - session.seats if session.product == CONCURRENT else set[str]()
        if not all(self.has_seat(feature, person, borrowing=False, without=[]) for feature in missing):
            return "pool-exhausted"
        session.seats = needed
        self._grant(session)
        return outcome

    def _here(self, session: Use) -> Use | None:
        """The member's borrow on the machine of the session."""
        held = reversed(self.holding(session.name, session.product))
        return next((use for use in held if use.machine == session.machine), None)

    def _is_elsewhere(self, session: Use) -> bool:
        """Seed S3: the named license is offline on another machine."""
        is_out = bool(self.holding(session.name, session.product))
        return session.product != CONCURRENT and is_out and self._here(session) is None

    def _needed(self, session: Use) -> set[str]:
        """The seats that a session takes; a named license is one, whatever the level it is used at."""
        here = self._here(session)
        if here is None:
            return session.features()
        named = {session.level} if session.product != CONCURRENT else set[str]()
        return session.features() - here.features() - named

    def end(self, number: int, how: str) -> str:
        """A session is ended, by its holder or by an administrator."""
        session = self.sessions[number]
        if how == CHECKED_IN and session.ended == CHECKED_IN:
            return AGAIN
        if not self.is_active(session):
            return "session-ended"
        session.ended, session.seat_free_at = how, max(self.now, session.granted_until)
        return DONE

    def is_administrator(self, name: str) -> bool:
        return name in self.people and self.people[name].role == ADMINISTRATOR
