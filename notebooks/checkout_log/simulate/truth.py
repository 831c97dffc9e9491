"""What really happened, as the tables that a log would be read into, and as plain rows for the writers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from checkout_log.columns import ARROW, BORROW, ENDINGS, EVENTS, SESSION, SESSIONS, TEXT, TIME, WHOLE, Column, checked
from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import SECOND
from checkout_log.simulate.events import Held, held_seats, logged_events, who_and_what
from checkout_log.simulate.grants import Stop, granted, stops
from checkout_log.simulate.habits import wishes
from checkout_log.simulate.organization import Organization
from checkout_log.simulate.plan import Case, Plan
from checkout_log.simulate.stories import CUT_BY_RESTART, RECONNECTED, plant
from checkout_log.simulate.world import NONE, World, world_of

STUCK = (
    Column("case", WHOLE, False, "number of the story; one that holds several features has a row for each"),
    Column("cause", TEXT, False, "one of columns.CAUSES, or the kind of look-alike"),
    Column("product", TEXT, True, "product; empty where nothing is held"),
    Column("feature", TEXT, True, "level, extension or feature"),
    Column("handle", TEXT, True, "id of the session or borrow, as in the events"),
    Column("member", TEXT, False, "user name"),
    Column("machine", TEXT, False, "machine id or host name, as in the events"),
    Column("since", TIME, True, "when it was taken"),
    Column("due", TIME, True, "due time of a borrow, after its renewals"),
    Column("also", TEXT, True, "other causes that are true of it, with semicolons between"),
    Column("note", TEXT, False, "what happened, in words"),
)


@dataclass(frozen=True)
class Truth:
    """What happened in a simulated organization, up to `now` (aware, UTC).

    events: the columns `columns.EVENTS`, of the source "simulator", in order; machines of servers other than the authority are
        host names, without alias and OS user, as such servers know no more.
    sessions: the columns `columns.SESSIONS`, with true starts and ends; what still holds its seat is `open` and ends at `now`.
        A borrow past its due time is `expiry` at the authority, where time frees the seat, and `open` at other servers, which log
        a return when they take a license back.
    stuck: the planted cases, from doubtful to clear within each cause: the columns `STUCK`.
    look_alikes: what is not stuck, though it looks like it: the same columns, with its kind as `cause`.
    stops: when servers stopped and came back.
    """

    organization: Organization
    seed: int
    events: pd.DataFrame
    sessions: pd.DataFrame
    stuck: pd.DataFrame
    look_alikes: pd.DataFrame
    stops: tuple[Stop, ...]
    now: datetime


def run(organization: Organization | None = None, seed: int = 0) -> Truth:
    """What happens in an organization, by default the one of `Organization()`. The same seed gives the same.

    Raises QuestionInvalid where the organization has no room for the stories that it asks for.
    """
    organization = Organization() if organization is None else organization
    world = world_of(organization, seed)
    plan = Plan(world, wishes(world))
    plant(plan)
    wanted = plan.done()
    answers = granted(world, wanted)
    held = held_seats(world, wanted, answers)
    events = logged_events(world, wanted, answers, held, plan.story_denials)
    planted = [_rows_of(world, wanted, held, case) for case in plan.cases]
    return Truth(
        organization,
        seed,
        checked(frame(EVENTS, events), EVENTS),
        checked(frame(SESSIONS, _sessions(world, held)), SESSIONS),
        _cases([rows for rows, case in zip(planted, plan.cases, strict=True) if case.is_stuck]),
        _cases([rows for rows, case in zip(planted, plan.cases, strict=True) if not case.is_stuck]),
        tuple(stops(world)),
        organization.now,
    )


def frame(columns: tuple[Column, ...], arrays: dict[str, npt.NDArray[np.generic]]) -> pd.DataFrame:
    """Arrays as a frame with these columns; times are whole microseconds UTC, and NONE and None are empty."""
    made = {}
    for column in columns:
        values = arrays[column.name]
        empty = values == NONE if column.kind == TIME else None
        plain = pa.array(values, type=pa.int64() if column.kind == TIME else ARROW[column.kind], mask=empty, from_pandas=True)
        made[column.name] = plain.cast(ARROW[column.kind])
    frame: pd.DataFrame = pa.table(made).to_pandas(
        types_mapper=lambda kind: pd.StringDtype() if pa.types.is_string(kind) else None
    )
    return frame


def _sessions(world: World, held: Held) -> dict[str, npt.NDArray[np.generic]]:
    ending = np.array(ENDINGS, dtype=object)[held.ending]
    count = len(ending)
    return {
        **who_and_what(world, held.member, held.machine, held.pool),
        "handle": held.handle,
        "mode": np.where(held.due == NONE, SESSION, BORROW).astype(object),
        "quantity": held.quantity,
        "start": held.start,
        "end": held.end,
        "until": held.due,
        "ended_by": ending,
        "censored": ending == "open",
        "cut": ending == "restart",
        "ambiguous": np.zeros(count, dtype=bool),
        "source": np.full(count, "simulator", dtype=object),
    }


def _rows_of(world: World, wanted: pd.DataFrame, held: Held, case: Case) -> list[dict[str, object]]:
    """The rows of one case: one for each feature that it holds. Raises QuestionInvalid where it got no seat."""
    also = "; ".join(case.also) or None
    common = {
        "case": case.number,
        "cause": case.kind,
        "member": world.people.names[case.member],
        "also": also,
        "note": case.note,
    }
    if not case.holds:
        nothing = {"product": None, "feature": None, "handle": None, "since": NONE, "due": NONE}
        return [common | nothing | {"machine": world.people.machine_ids[case.machine]}]
    mine = np.flatnonzero(np.isin(held.wish, np.flatnonzero(wanted["case"] == case.number)))
    ending = ENDINGS.index("restart") if case.kind in _CUT else None
    rows = [row for row in mine if ending is None or held.ending[row] == ending]
    if not rows:
        raise QuestionInvalid(
            f'a case of "{case.kind}" found no seat in time ({case.note})',
            hint="Give the pools more seats, or take another seed.",
        )
    what = who_and_what(world, held.member[rows], held.machine[rows], held.pool[rows])
    return [
        common
        | {name: what[name][at] for name in ("product", "feature", "machine")}
        | {"handle": held.handle[row], "since": int(held.start[row]), "due": int(held.due[row])}
        for at, row in enumerate(rows)
    ]


_CUT = (CUT_BY_RESTART, RECONNECTED)


def _cases(cases: list[list[dict[str, object]]]) -> pd.DataFrame:
    rows = [row for rows in cases for row in rows]
    arrays = {}
    for column in STUCK:
        kind = object if column.kind == TEXT else np.int64
        arrays[column.name] = np.array([row[column.name] for row in rows], dtype=kind)
    return checked(frame(STUCK, arrays), STUCK)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """What a writer needs of an event: fields of `columns.EVENTS`."""

    at: int
    event: str
    handle: str | None
    product: str
    feature: str
    member: str
    machine: str
    quantity: int
    until: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class LoggedUse:
    """What a writer needs of a session: fields of `columns.SESSIONS`."""

    handle: str
    product: str
    feature: str
    mode: str
    member: str
    machine: str
    quantity: int
    start: int
    end: int
    until: int | None
    ended_by: str

    def is_out(self, at: int) -> bool:
        """Whether it is held at a time."""
        return self.start <= at and (at < self.end or self.ended_by == "open")

    @property
    def is_borrow(self) -> bool:
        """Whether it is offline."""
        return self.mode == BORROW


def events_of(truth: Truth, products: Iterable[str]) -> list[LoggedEvent]:
    """The events of these products, in order."""
    frame = truth.events
    return [LoggedEvent(*row) for row in _values(frame[frame["product"].isin(list(products))], LoggedEvent)]


def uses_of(truth: Truth, products: Iterable[str]) -> list[LoggedUse]:
    """The sessions of these products, in order of start."""
    frame = truth.sessions
    return [LoggedUse(*row) for row in _values(frame[frame["product"].isin(list(products))], LoggedUse)]


def runs_of(truth: Truth, server: str, begin: int) -> list[tuple[int, int, Stop | None]]:
    """Each run of a server: when it came up, when it went down, and how; the last goes on at the last look."""
    mine = [stop for stop in truth.stops if stop.server == server]
    ups = [begin, *(stop.up_at for stop in mine)]
    downs = [*(stop.down_at for stop in mine), int(truth.now.timestamp()) * SECOND]
    return list(zip(ups, downs, [*mine, None], strict=True))


def _values(frame: pd.DataFrame, kind: type[LoggedEvent | LoggedUse]) -> Iterable[tuple[Any, ...]]:
    return zip(*(plain(frame[one.name]) for one in fields(kind)), strict=True)


def plain(values: pd.Series) -> list[Any]:
    """The values of one column."""
    is_time = isinstance(values.dtype, pd.DatetimeTZDtype)
    objects = np.array(values.astype("int64") if is_time else values, dtype=object)
    objects[values.isna().to_numpy()] = None
    plain_values: list[Any] = objects.tolist()
    return plain_values
