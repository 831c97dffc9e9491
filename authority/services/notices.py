"""Finding what somebody has to hear of, and putting it on its way: notices and their messages are made in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from authority.domain.catalogue import names_of
from authority.domain.denial_bursts import Watch
from authority.domain.events import EventKind
from authority.domain.members import Privilege
from authority.domain.notices import (
    FOR_MEMBERS,
    Channel,
    Delivery,
    DeliveryState,
    NewNotice,
    Notice,
    NoticeKind,
    NoticeSettings,
    Sent,
    minute,
    stage_of,
    warned_from,
)
from authority.domain.refusals import InvalidInput
from authority.services import log, organization_settings, safety_notices
from authority.services.channels import wanted_kinds
from authority.services.key_ends import ending_keys
from authority.services.unit import Unit
from authority.storage import channels, credentials, deliveries, events, members, notices

PAGE = 1000
READ_KINDS = (EventKind.DENIAL, EventKind.CLONE_SUSPECTED)
# Borrows that ended longer ago are not told any more, when nothing was told for so long.
OVERDUE_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice with the messages that have it."""

    notice: Notice
    sent: tuple[Sent, ...]


def find(unit: Unit, *, dry_run: bool = False) -> list[NewNotice]:
    """Makes the notices that are to be made, with a message for each channel that takes them; returns them.

    What the log tells is read up to where every row is committed, and how far it was read moves in the same transaction.
    What time brings has a key by which it is made once, however many servers look. With `dry_run` nothing is kept.
    """
    with unit.reading():
        in_use = wanted_kinds(channels.every(unit.connection))
    safety, up_to = safety_notices.due(unit.authority, in_use), log.settled(unit)
    with unit.writing(keep=not dry_run):
        connection = unit.connection
        progress = notices.progress(connection, lock=True)
        rows, rules = channels.every(connection), organization_settings.in_force(connection, NoticeSettings)
        wanted, watches = wanted_kinds(rows), dict(progress.watches)
        # The log is read whether or not somebody wants to know: a channel that comes later hears of what comes later.
        from_log = list(_from_log(connection, progress.event_id, up_to, watches, rules))
        candidates = [notice for notice in (*from_log, *safety, *_from_state(unit, wanted)) if notice.kind in wanted]
        names = names_of(unit.authorization.products.values())
        candidates = [_with_product_name(notice, names) for notice in candidates]
        new = notices.unknown(connection, candidates)
        ids = [unit.authority.fresh_id() for _ in new]
        made = notices.add(connection, new, ids, unit.at)
        _put_on_their_way(unit, rows, rules, made)
        notices.keep_progress(connection, max(up_to, progress.event_id), watches)
    return list(made.values())


def _with_product_name(notice: NewNotice, names: Mapping[str, str]) -> NewNotice:
    """The notice with what people call its product, which is its id where it is licensed no more."""
    product, _, level = (notice.facts.get("product") or "").partition(" ")
    if product not in names:
        return notice
    return replace(notice, facts={**notice.facts, "product_name": f"{names[product]} {level}".rstrip()})


def _from_log(
    connection: Connection, after: int, up_to: int, watches: dict[str, Watch], rules: NoticeSettings
) -> Iterator[NewNotice]:
    """What the rows of the log tell; `watches` go on with each denial."""
    refusal: tuple[object, ...] | None = None
    while rows := events.page(connection, after, up_to, READ_KINDS, PAGE):
        for row in rows:
            if row["kind"] == EventKind.CLONE_SUSPECTED:
                yield _clone(row)
                continue
            # One refusal has a row for each level and extension.
            same = (row["at"], row["product"], row["member"], row["machine"])
            if same != refusal:
                refusal = same
                yield from _denial(row, watches, rules)
        after = rows[-1]["id"]


def _clone(row: Mapping[str, Any]) -> NewNotice:
    facts = {
        "borrow": row["handle"],
        "member": row["member"],
        "product": row["product"],
        "machine": row["alias"] or row["machine"],
        "evidence": row["reason"],
    }
    return NewNotice(NoticeKind.CLONE_SUSPECTED, f"{row['handle']} {row['reason']}", facts)


def _denial(row: Mapping[str, Any], watches: dict[str, Watch], rules: NoticeSettings) -> Iterator[NewNotice]:
    product, within = row["product"] or "", timedelta(minutes=rules.minutes)
    watch, burst = watches.get(product, Watch()).after(row["at"], row["reason"] or "", rules.denials, within)
    watches[product] = watch
    if burst is not None:
        facts = {
            "product": product,
            "count": burst.count,
            "first_at": minute(burst.first_at),
            "last_at": minute(burst.last_at),
            "reasons": dict(burst.reasons),
        }
        yield NewNotice(NoticeKind.DENIALS, f"{product} {row['id']}", facts)


def _from_state(unit: Unit, wanted: frozenset[NoticeKind]) -> Iterator[NewNotice]:
    """What is so now, or will be soon; what nobody wants to know is not looked at."""
    connection, now = unit.connection, unit.now
    if NoticeKind.BORROW_DUE in wanted:
        for row in notices.borrows_ending(connection, now, now + unit.authority.warn_before):
            if warned_from(row.issued_at, row.expires_at, unit.authority.warn_before) <= now:
                yield _of_borrow(NoticeKind.BORROW_DUE, row, too_late_at=row.expires_at)
    if NoticeKind.BORROW_OVERDUE in wanted:
        for row in notices.borrows_not_returned(connection, now - OVERDUE_FOR, now):
            yield _of_borrow(NoticeKind.BORROW_OVERDUE, row)
    if NoticeKind.OVER_LIMIT in wanted and (excess := unit.membership.excess()) is not None:
        yield NewNotice(NoticeKind.OVER_LIMIT, str(unit.authorization.seq), {"excess": excess})
    if NoticeKind.AUTHORIZATION_ENDING in wanted:
        seq, ends_at = unit.authorization.seq, unit.authorization.ends_at
        if (stage := stage_of(ends_at, now)) is not None:
            facts = {"seq": seq, "ends_at": minute(ends_at), "stage": stage}
            yield NewNotice(NoticeKind.AUTHORIZATION_ENDING, f"{seq} {stage}", facts)
    if NoticeKind.KEY_ENDING in wanted:
        yield from _ending_keys(unit)


def _of_borrow(kind: NoticeKind, row: Row[Any], too_late_at: datetime | None = None) -> NewNotice:
    facts = {
        "borrow": row.id,
        "member": row.member,
        "product": f"{row.product} {row.level}",
        "machine": row.machine_alias or row.machine_id,
        "ends_at": minute(row.expires_at),
    }
    # A renewal has another end, which is told anew.
    return NewNotice(kind, f"{row.id} {row.expires_at.isoformat()}", facts, row.member_id, too_late_at)


def _ending_keys(unit: Unit) -> Iterator[NewNotice]:
    """Keys of the authority that nobody follows, and API keys that somebody still uses a program with."""
    for key in ending_keys(unit.authorization, unit.now):
        yield from _ending_key(unit, f"{key.use} key", key.kid, key.kid, key.ends_at)
    for api_key in credentials.ending_api_keys(unit.connection, unit.at, unit.at + timedelta(days=7)):
        if api_key.expires_at is not None:
            name = f"{api_key.name} of {api_key.member}"
            yield from _ending_key(unit, "API key", api_key.id, name, api_key.expires_at)


def _ending_key(unit: Unit, what: str, key_id: str, name: str, ends_at: datetime) -> Iterator[NewNotice]:
    if (stage := stage_of(ends_at, unit.now)) is not None:
        facts = {"what": what, "name": name, "ends_at": minute(ends_at), "stage": stage}
        yield NewNotice(NoticeKind.KEY_ENDING, f"{key_id} {ends_at.isoformat()} {stage}", facts)


def _put_on_their_way(unit: Unit, rows: Sequence[Channel], rules: NoticeSettings, made: Mapping[str, NewNotice]) -> None:
    """A message for each channel that takes a notice: at once, or as a part of the one of the day.

    What this run found of ends of borrows and goes at once is one message for each channel and kind.
    """
    reachable = _with_address(unit, [notice for notice in made.values() if notice.member_id is not None])
    next_digest = rules.next_digest(unit.at)
    for channel in rows:
        digests: dict[int | None, list[str]] = {}
        at_once: dict[tuple[int | None, str], list[str]] = {}
        for notice_id, notice in made.items():
            member_id = notice.member_id if channel.to_members else None
            if notice.kind not in channel.kinds or (channel.to_members and member_id not in reachable):
                continue
            is_too_late = notice.too_late_at is not None and notice.too_late_at <= next_digest
            if channel.digest.holds(notice.kind) and not is_too_late:
                digests.setdefault(member_id, []).append(notice_id)
            else:
                # Borrows that end in the same hour are one message; of what is rarer each has its own.
                together = str(notice.kind) if notice.kind in FOR_MEMBERS else notice_id
                at_once.setdefault((member_id, together), []).append(notice_id)
        for (member_id, _), notice_ids in at_once.items():
            _add(unit, channel, member_id, notice_ids, unit.at, is_digest=False)
        for member_id, notice_ids in digests.items():
            delivery_id = deliveries.open_digest(unit.connection, channel.id, member_id)
            if delivery_id is None:
                _add(unit, channel, member_id, notice_ids, next_digest, is_digest=True)
            else:
                deliveries.append(unit.connection, delivery_id, notice_ids)


def _with_address(unit: Unit, of_members: Iterable[NewNotice]) -> frozenset[int | None]:
    """The numbers of the members who are there, and have an e-mail address."""
    ids = {notice.member_id for notice in of_members if notice.kind in FOR_MEMBERS and notice.member_id is not None}
    return frozenset(members.with_address(unit.connection, sorted(ids)))


def _add(
    unit: Unit, channel: Channel, member_id: int | None, notice_ids: Sequence[str], at: datetime, *, is_digest: bool
) -> None:
    delivery = Delivery(unit.authority.fresh_id(), channel.id, member_id, is_digest, DeliveryState.WAITING, at, at)
    deliveries.add(unit.connection, delivery, notice_ids)


def listed(
    unit: Unit,
    after: str | None = None,
    limit: int = 100,
    *,
    kinds: Sequence[NoticeKind] = (),
    state: DeliveryState | None = None,
) -> tuple[list[Shown], str | None]:
    """A page of the notices of the last 90 days with what became of each, newest first, and the cursor of the next page.

    Raises NotAllowed, InvalidInput (`after` is no cursor).
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        last = None if after is None or not after.isprintable() else notices.get(unit.connection, after)
        if after is not None and last is None:
            raise InvalidInput("this cursor is of no page of notices", hint="Begin again without a cursor.")
        rows = deliveries.page(unit.connection, last, kinds, state, limit + 1)
        page = rows[:limit]
        sent = deliveries.of_notices(unit.connection, [notice.id for notice in page])
    shown = [Shown(notice, tuple(item for item in sent if item.notice_id == notice.id)) for notice in page]
    return shown, page[-1].id if len(rows) > limit else None
