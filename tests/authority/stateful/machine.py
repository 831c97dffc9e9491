"""The authority and the model side by side: what is counted, what is compared after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from flask.testing import FlaskClient
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.strategies._internal.featureflags import FeatureFlags
from sqlalchemy import delete, event, insert, select, text

from authority.domain.catalogue import KeyUse
from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import OrganizationOverLimit, Refusal
from authority.services import borrow, licenses, members, sessions
from authority.services.unit import Unit
from authority.signing.floors import Floor
from authority.signing.vendor import authorizing
from authority.storage.borrows import Filter
from authority.storage.db.database import Database
from authority.storage.db.tables import metadata
from authority.storage.sessions import Filter as SessionFilter
from authority.web.application import create_app
from tests.authority.stateful.model import SUCCESSES, Model
from tests.authority.stateful.organization import CONCURRENT, DONE, FEATURES, INCLUDED, LEVELS, MAY_HOLD, NAMED, Terms
from tests.support.authorities import START, Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.identity import OsUser

MACHINES = 5
LASTS = timedelta(days=1000)


class Prepared:
    """A bench whose tables can be put back to how they were, and all that is counted over the examples on it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        _need_no_disk(bench.authority.database)
        self.client: FlaskClient = create_app(bench.authority).test_client()
        self.steps = 0
        self.fired: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        with bench.authority.database.read() as connection:
            self._rows = [
                (table, [dict(row) for row in connection.execute(select(table)).mappings()]) for table in metadata.sorted_tables
            ]

    def restore(self) -> None:
        """The tables as they were at first, the clock too, and nothing remembered."""
        authority = self.bench.authority
        with authority.database.write() as connection:
            for table, _ in reversed(self._rows):
                connection.execute(delete(table))
            for table, rows in self._rows:
                if rows:
                    connection.execute(insert(table), rows)
        authority.remembered.clear()
        authority.floors.lower_to(Floor())
        self.bench.clock.at = START


def _need_no_disk(database: Database) -> None:
    """Commits that wait for no disk: no power is lost here, and half of the time would go into waiting."""
    if database.is_sqlite:
        event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    else:
        with database.write() as connection:
            connection.execute(text(f'ALTER DATABASE "{database.url.database}" SET synchronous_commit TO off'))
    database.close()


def specification(terms: Terms) -> Callable[[dict[str, Any]], None]:
    """What makes the vendor's specification say these terms."""

    def change(claims: dict[str, Any]) -> None:
        claims["members"] = {"total": terms.total, "types": dict(terms.of_type)}
        claims["user_types"] = {
            name: {"includes": dict(INCLUDED[name]), "may_hold": sorted(MAY_HOLD[name])} for name in INCLUDED
        }
        claims["products"] = [
            {
                "id": product,
                "name": product,
                "mode": "concurrent" if product == CONCURRENT else "named",
                "levels": list(LEVELS),
                "seats": {level: terms.seats[product, level] for level in LEVELS},
                "extensions": {name: terms.seats[product, name] for name in features if name not in LEVELS},
                "until": None if (until := terms.until[product]) is None else int(until.timestamp()),
            }
            for product, features in FEATURES.items()
        ]
        claims["max_borrow_days"] = terms.longest_days

    return change


class Machine(RuleBasedStateMachine):
    """Both sides, and the comparison; the rules are in `administration` and `using`."""

    prepared: ClassVar[Prepared]
    # Hypothesis leaves rules out of most examples. That goes deeper into few of them, and finds less in a short run.
    leaves_rules_out: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        if not self.leaves_rules_out:
            self._rules_strategy.enabled_rules_strategy = st.just(FeatureFlags())
        self.prepared.restore()
        self.bench = self.prepared.bench
        self.authority = self.bench.authority
        self.model = Model(self.bench.clock(), Terms(1, START + LASTS))
        self.actors: dict[str, Actor] = {}
        self.former: list[Actor] = []
        self.secrets: dict[str, str] = {}
        self.workstations = [SimulatedWorkstation(f"w{number}", OsUser("uid:1000", f"w{number}")) for number in range(MACHINES)]
        self.request_texts: list[str] = []
        self.receipt_texts: list[str] = []
        self.borrow_ids: list[str] = []
        self.files: dict[int, bytes] = {}
        self.expires_at: dict[int, datetime] = {}
        self.session_ids: list[str] = []
        self.turns = 0
        self.past_members: Counter[str] = Counter()
        self.past_seats: Counter[str] = Counter()

    # --- driving both

    def fire(self, name: str) -> None:
        """Counts a step."""
        self.prepared.steps += 1
        self.prepared.fired[name] += 1

    def turn(self, **forward: float) -> None:
        self.model.now = self.bench.clock.turn(**forward)

    def expect(self, what: str, expected: str, call: Callable[[], Any]) -> Any:
        """What the call returned, None when it was refused, after it did what the model says."""
        self.prepared.outcomes[what, expected] += 1
        answer, code, message = None, DONE, ""
        try:
            answer = call()
        except Refusal as error:
            code, message = error.code, error.message
        is_right = code == expected or (code == DONE and expected in SUCCESSES)
        assert is_right, f"{what}: {code} ({message}), expected {expected}"
        return answer

    def by(self, name: str) -> Actor:
        """A member as who they are now, with the role of now."""
        return replace(self.actors[name], role=Role(self.model.people[name].role))

    def holders(self) -> list[tuple[str, str]]:
        """Everybody who holds a license, with its product."""
        return sorted((name, product) for name, person in self.model.people.items() for product in person.held)

    def text_of(self, terms: Terms) -> str:
        """The authorization with these terms; the keys begin when they first did, so that borrows that are out stay good."""
        claims = authorizing.sample_specification("field-survey", "Field Survey", "maker")
        specification(terms)(claims)
        ring = self.authority.ring
        keys = {use: [ring.signer(use, kid).public for kid in ring.kids(use)] for use in KeyUse}
        now, begins_at = self.bench.clock(), START - timedelta(days=1)
        return authorizing.authorize(
            self.bench.root,
            claims,
            authorizing.key_records(keys, begins_at, terms.ends_at),
            seq=terms.number,
            now=now,
            begins_at=begins_at,
            ends_at=terms.ends_at,
        )

    # --- comparing after every step

    @invariant()
    def both_agree(self) -> None:
        """A second after each step, so that no two are taken at once."""
        self.turn(seconds=1)
        self.members_are_as_many_as_the_model_says_and_never_grow_past_the_limit()
        self.over_the_limit_exactly_those_who_are_no_administrators_are_kept_out()
        self.availability_is_what_the_model_says()
        self.seats_in_use_never_exceed_those_licensed_and_never_grow_past_them()
        self.exactly_the_borrows_of_the_model_are_out()
        self.exactly_the_sessions_of_the_model_are_active()

    def members_are_as_many_as_the_model_says_and_never_grow_past_the_limit(self) -> None:
        membership = members.membership(Unit(self.authority, CONSOLE))
        assert (membership.current, membership.maximum) == (self.model.count(), self.model.terms.total)
        assert {name: count for name, (count, _) in membership.by_type.items()} == {
            name: self.model.count(name) for name in INCLUDED
        }
        counts = Counter({"": membership.current} | {name: self.model.count(name) for name in INCLUDED})
        for name, count in counts.items():
            limit = self.model.limit(name or None)
            assert limit is None or count <= max(limit, self.past_members[name]), f"{count} members {name}, {limit} allowed"
        self.past_members = counts

    def over_the_limit_exactly_those_who_are_no_administrators_are_kept_out(self) -> None:
        membership = members.membership(Unit(self.authority, CONSOLE))
        for name in self.actors:
            try:
                membership.check_admitted(self.by(name).role)
                is_kept_out = False
            except OrganizationOverLimit:
                is_kept_out = True
            assert is_kept_out == self.model.is_kept_out(name), name

    def availability_is_what_the_model_says(self) -> None:
        counts = {
            (item.product, item.feature): (item.licensed, item.available)
            for item in licenses.availability(Unit(self.authority, CONSOLE))
        }
        assert counts == {
            (product, feature): (self.model.seats(product, feature), self.model.available(product, feature))
            for product, features in FEATURES.items()
            for feature in features
        }
        if any(available < 0 for (product, _), (_, available) in counts.items() if product in NAMED):
            self.prepared.outcomes["availability", "negative"] += 1

    def seats_in_use_never_exceed_those_licensed_and_never_grow_past_them(self) -> None:
        in_use = Counter({feature: self.model.in_use(feature) for feature in FEATURES[CONCURRENT]})
        for feature, count in in_use.items():
            seats = self.model.seats(CONCURRENT, feature)
            assert count <= max(seats, self.past_seats[feature]), f"{count} of {seats} seats of {feature} are in use"
            if count and count >= seats:
                self.prepared.outcomes["pool", "too full" if count > seats else "full"] += 1
        self.past_seats = in_use

    def exactly_the_borrows_of_the_model_are_out(self) -> None:
        page, cursor = borrow.listed(Unit(self.authority, CONSOLE), Filter(state="active", limit=1000))
        assert cursor is None
        assert {(item.id, item.member, item.level, item.expires_at, item.seat_free_at) for item in page} == {
            (self.borrow_ids[number], use.name, use.level, use.expires_at, use.seat_free_at)
            for number, use in enumerate(self.model.borrows)
            if self.model.is_active(use)
        }

    def exactly_the_sessions_of_the_model_are_active(self) -> None:
        page, cursor = sessions.listed(Unit(self.authority, CONSOLE), SessionFilter(limit=1000))
        assert cursor is None
        assert {(item.id, item.member, item.level, item.active_until) for item in page} == {
            (self.session_ids[number], use.name, use.level, use.expires_at)
            for number, use in enumerate(self.model.sessions)
            if self.model.is_active(use)
        }
