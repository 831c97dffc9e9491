"""Sessions and events out of what was granted: one row for each feature."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from checkout_log.columns import (
    BORROW,
    CHECKIN,
    CHECKOUT,
    DENIAL,
    END,
    ENDINGS,
    RELEASE,
    RENEWAL,
    REVOCATION,
    SESSION,
    UNSUPPORTED,
)
from checkout_log.simulate.clock import Mask, Whole
from checkout_log.simulate.grants import Granted, Pools
from checkout_log.simulate.organization import AUTHORITY
from checkout_log.simulate.plan import StoryDenial
from checkout_log.simulate.world import NONE, World

Texts = npt.NDArray[np.object_]
POOL_EXHAUSTED = "pool-exhausted"
# 128 random bits in the letters of base64url.
_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)
_HANDLE_LENGTH = 22
# How many clients ask for something that is not served before they take what is.
_PROBING = 0.15
_NOTHING: Texts = np.array([None], dtype=object)
# The event and the reason that an end leaves in the log; other ends leave none.
_CLOSING = {
    CHECKIN: (CHECKIN, None),
    "idle": (CHECKIN, "idle"),
    "shutdown": (CHECKIN, "shutdown"),
    "release": (RELEASE, "machine lost"),
    "end": (END, "time"),
}


@dataclass
class Held:
    """Features held, one row for each feature of each session, as arrays; `pool` numbers the features of all products."""

    wish: Whole
    start: Whole
    end: Whole
    ending: Whole
    due: Whole
    member: Whole
    machine: Whole
    pool: Whole
    quantity: Whole
    handle: Texts

    def at(self, rows: Mask) -> Held:
        """Some of the rows."""
        return Held(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})


def held_seats(world: World, wishes: pd.DataFrame, answers: Granted) -> Held:
    """Every feature that was held, in order of start."""
    sessions = answers.sessions.sort_values(["start", "wish"], kind="stable")
    wish = sessions["wish"].to_numpy()
    pools = Pools.of(world)
    use = wishes["use"].to_numpy()[wish]
    counts = np.array([len(pools_of_use) for pools_of_use in pools.of_use], dtype=np.int64)
    again = np.repeat(np.arange(len(wish)), counts[use])
    wish, start, end = wish[again], sessions["start"].to_numpy()[again], sessions["end"].to_numpy()[again]
    pool = np.array([at for number in use for at in pools.of_use[number]], dtype=np.int64)
    column = {name: wishes[name].to_numpy()[wish] for name in ("due", "member", "machine", "use", "change_at", "change_until")}
    is_renewed = (column["change_until"] != NONE) & (column["change_at"] <= np.minimum(end, world.now))
    return Held(
        wish,
        start,
        end,
        sessions["ending"].to_numpy()[again],
        np.where(is_renewed, column["change_until"], column["due"]),
        column["member"],
        column["machine"],
        pool,
        np.array([use.quantity for use in world.uses], dtype=np.int64)[column["use"]],
        _handles(world, again, pool),
    )


def _handles(world: World, session: Whole, pool: Whole) -> Texts:
    """An id for each session at the authority, and for each feature of a session elsewhere."""
    drawn = world.rng.integers(0, len(_LETTERS), (len(session), _HANDLE_LENGTH), dtype=np.uint8)
    texts = _LETTERS[drawn].view(f"S{_HANDLE_LENGTH}").ravel().astype(str).astype(object)
    first = np.searchsorted(session, session)
    return np.where(_has_authority(world)[pool], texts[first], texts)


def _has_authority(world: World) -> Mask:
    """For each pool, whether the authority serves it."""
    products = [world.organization.product(name) for name, _ in Pools.of(world).names]
    return np.array([product.server == AUTHORITY for product in products], dtype=bool)


def who_and_what(world: World, member: Whole, machine: Whole, pool: Whole) -> dict[str, Texts]:
    """Texts for these numbers: `product`, `feature`, `member`, `group`, `machine`, `alias`, `os_user`."""
    people, has_authority = world.people, _has_authority(world)[pool]
    names = np.array(Pools.of(world).names, dtype=object)[pool]

    def text(values: list[str], numbers: Whole) -> Texts:
        return np.array(values, dtype=object)[numbers]

    return {
        "product": names[:, 0],
        "feature": names[:, 1],
        "member": text(people.names, member),
        "group": text(people.groups, member),
        "machine": np.where(has_authority, text(people.machine_ids, machine), text(people.hosts, machine)),
        "alias": np.where(has_authority, text(people.aliases, machine), _NOTHING),
        "os_user": np.where(has_authority, text(people.os_users, member), _NOTHING),
    }


def logged_events(
    world: World, wishes: pd.DataFrame, answers: Granted, held: Held, story_denials: list[StoryDenial]
) -> dict[str, npt.NDArray[np.generic]]:
    """All events in order of time, what gives back before what takes: the columns EVENTS as arrays."""
    parts = [
        *_life(world, wishes, held),
        _denials(world, wishes, answers),
        _probes(world, held),
        _story_denials(world, story_denials),
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns.pop("rank"), columns["at"]))
    ordered = {name: values[order] for name, values in columns.items()}
    count = len(order)
    return ordered | {"source": np.full(count, "simulator", dtype=object), "line": np.arange(1, count + 1)}


Part = dict[str, npt.NDArray[np.generic]]


def _life(world: World, wishes: pd.DataFrame, held: Held) -> list[Part]:
    """Checkouts, what happened on the way, and ends."""
    change_at, change_until = (wishes[name].to_numpy()[held.wish] for name in ("change_at", "change_until"))
    is_changed = (change_at != NONE) & (change_at <= np.minimum(held.end, world.now))
    first_due = wishes["due"].to_numpy()[held.wish]
    parts = [
        _part(world, held, held.start, CHECKOUT, first_due, None, 1),
        _part(world, held, change_at, RENEWAL, change_until, None, 1, is_changed & (change_until != NONE)),
        _part(world, held, change_at, REVOCATION, held.due, "stolen", 1, is_changed & (change_until == NONE)),
    ]
    for ending, (event, reason) in _CLOSING.items():
        rows = held.ending == ENDINGS.index(ending)
        parts.append(_part(world, held, held.end, event, held.due, reason, 0, rows))
    return parts


def _part(
    world: World, held: Held, at: Whole, event: str, until: Whole, reason: str | None, rank: int, rows: Mask | None = None
) -> Part:
    """Events of one kind, one for each of these rows."""
    rows = np.ones(len(at), dtype=bool) if rows is None else rows
    some, count = held.at(rows), int(rows.sum())
    return {
        **who_and_what(world, some.member, some.machine, some.pool),
        "at": at[rows],
        "event": np.full(count, event, dtype=object),
        "mode": np.where(some.due == NONE, SESSION, BORROW).astype(object),
        "handle": some.handle,
        "quantity": some.quantity,
        "until": until[rows],
        "reason": np.full(count, reason, dtype=object),
        "rank": np.full(count, rank),
    }


def _denials(world: World, wishes: pd.DataFrame, answers: Granted) -> Part:
    """Refusals of full pools."""
    wish = answers.denials["wish"].to_numpy()
    column = {name: wishes[name].to_numpy()[wish] for name in ("due", "member", "machine", "use")}
    quantity = np.array([use.quantity for use in world.uses], dtype=np.int64)[column["use"]]
    pool, at = answers.denials["pool"].to_numpy(), answers.denials["at"].to_numpy()
    return _refused(world, at, column["member"], column["machine"], pool, column["due"], quantity, POOL_EXHAUSTED)


def _probes(world: World, held: Held) -> Part:
    """Clients that ask for what is not served, in the same second as they take what is."""
    names = [world.organization.product(name) for name, _ in Pools.of(world).names]
    can_probe = np.array([bool(product.probed) for product in names])[held.pool]
    rows = can_probe & (world.rng.random(len(can_probe)) < _PROBING)
    some = held.at(rows)
    part = _refused(
        world,
        some.start,
        some.member,
        some.machine,
        some.pool,
        np.full(len(some.pool), NONE),
        np.ones(len(some.pool), np.int64),
        UNSUPPORTED,
    )
    part["feature"] = np.array([world.rng.choice(names[pool].probed) for pool in some.pool], dtype=object)
    return part


def _story_denials(world: World, story_denials: list[StoryDenial]) -> Part:
    """Refusals that belong to stories."""
    pools = Pools.of(world)
    at, member, machine = (
        np.array([getattr(one, name) for one in story_denials], dtype=np.int64) for name in ("at", "member", "machine")
    )
    pool = np.array([pools.of_use[one.use][0] for one in story_denials], dtype=np.int64)
    part = _refused(
        world, at, member, machine, pool, np.full(len(story_denials), NONE), np.ones(len(story_denials), np.int64), ""
    )
    part["reason"] = np.array([one.reason for one in story_denials], dtype=object)
    part["mode"] = np.full(len(story_denials), BORROW, dtype=object)
    return part


def _refused(
    world: World, at: Whole, member: Whole, machine: Whole, pool: Whole, due: Whole, quantity: Whole, reason: str
) -> Part:
    count = len(at)
    return {
        **who_and_what(world, member, machine, pool),
        "at": at,
        "event": np.full(count, DENIAL, dtype=object),
        "mode": np.where(due == NONE, SESSION, BORROW).astype(object),
        "handle": np.full(count, None, dtype=object),
        "quantity": quantity,
        "until": due,
        "reason": np.full(count, reason, dtype=object),
        "rank": np.ones(count, dtype=np.int64),
    }
