"""What somebody who watches an authority sees of its database: asked at once, in one transaction, when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.borrows import Whereabouts
from authority.domain.catalogue import KeyUse
from authority.domain.members import Actor, Privilege, Role
from authority.domain.membership import Membership
from authority.domain.notices import DeliveryState
from authority.domain.refusals import DatabaseBehind
from authority.services import backing_up, going_out, licenses, notifying, seals
from authority.services.licenses import Availability
from authority.services.unit import Unit
from authority.signing.floors import Floor
from authority.storage import borrows, deliveries, figures, notices, tokens
from authority.storage import seals as stored_seals

# Who looks from an address that may, without a secret: it sees no more than an analyst does.
WATCHER = Actor(None, "metrics", Role.ANALYST)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the database says, as of one time. A time that is None is of what never happened."""

    at: datetime
    borrows_out: Mapping[str, int]
    borrows_overdue: int
    denials: Mapping[str, int]
    seats: Sequence[Availability]
    membership: Membership
    sealed_at: datetime | None
    unsealed_rows: int
    oldest_unsealed_at: datetime | None
    backed_up_at: datetime | None
    notified_at: datetime | None
    messages_waiting: int
    messages_given_up: int
    authorization_ends_at: datetime
    # When the last key of each use ends that signs, or will; now, where none signs.
    keys_end_at: Mapping[KeyUse, datetime]
    places: int
    places_taken: int
    is_behind: bool


def read(unit: Unit) -> Watched:
    """What the database says now. Raises NotAllowed for who may not read the log, NotAuthenticated, StorageUnavailable."""
    with unit.reading():
        unit.actor.needs(Privilege.READ_LOG)
        connection, now, authorization = unit.connection, unit.now, unit.authorization
        newest = stored_seals.newest(connection)
        unsealed, oldest_at = stored_seals.waiting(connection, 0 if newest is None else newest.last)
        messages = deliveries.counts(connection, unit.at - notifying.LOOKED_AT)
        return Watched(
            at=unit.at,
            borrows_out=dict.fromkeys(authorization.products, 0) | figures.out_by_product(connection, now),
            borrows_overdue=borrows.count(connection, borrows.Filter(whereabouts=Whereabouts.NOT_RETURNED), now),
            denials=figures.denials(connection, now - DAY),
            seats=licenses.available(unit),
            membership=unit.membership,
            sealed_at=None if newest is None else newest.issued_at,
            unsealed_rows=unsealed,
            oldest_unsealed_at=oldest_at,
            backed_up_at=backing_up.last_made_by(connection),
            notified_at=notices.progress(connection).run_at,
            messages_waiting=messages[DeliveryState.WAITING],
            messages_given_up=messages[DeliveryState.GIVEN_UP],
            authorization_ends_at=authorization.ends_at,
            keys_end_at=_keys_end_at(unit),
            places=unit.organization.status_size,
            places_taken=tokens.count(connection),
            is_behind=_is_behind(unit),
        )


def _keys_end_at(unit: Unit) -> dict[KeyUse, datetime]:
    now, ends = unit.now, dict.fromkeys(KeyUse, unit.now)
    for use in KeyUse:
        own = [key for key in map(unit.authorization.keys.get, unit.authority.ring.kids(use)) if key is not None]
        # A key that begins later goes on only where another one signs until then.
        if any(key.signs_at(now) for key in own):
            ends[use] = max(key.ends_at for key in own if not key.is_revoked)
    return ends


def _is_behind(unit: Unit) -> bool:
    """Whether the database lacks what this server let out under the highest numbers."""
    floor = unit.authority.floors.known
    if _continues(unit.connection, floor):
        return False
    # What this transaction sees may be of a moment before another thread let something out.
    with unit.authority.database.read() as connection:
        return not _continues(connection, floor)


def _continues(connection: Connection, floor: Floor) -> bool:
    try:
        going_out.check_continued(connection, floor)
        seals.check_sealed(connection, stored_seals.newest(connection), floor)
    except DatabaseBehind:
        return False
    return True
