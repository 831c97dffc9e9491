"""What a borrow is decided from, over several aggregates: locked first, then read in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Integer, String, and_, bindparam, func, literal, or_, select

from authority.domain.borrows import Ask, Borrow, clone_evidence
from authority.domain.catalogue import Product
from authority.domain.members import Assignment, Member, user_key
from authority.domain.offline_rules import Rule, RuleLevel
from authority.domain.pools import Pool, PoolRule, Use
from authority.domain.refusals import ComputerInUse
from authority.domain.tokens import Token
from authority.storage.borrows import BORROW, borrow_of
from authority.storage.db.prepared import Gathering, Prepared, pipeline
from authority.storage.db.tables import (
    Instant,
    assigned_extensions,
    assignments,
    borrows,
    holds,
    member_groups,
    members,
    offline_rules,
    pool_rules,
    pools,
    receipts,
    sessions,
    status_lists,
    tokens,
)
from authority.storage.holds import use_of
from authority.storage.members import member_of
from authority.storage.offline_rules import rule_of
from authority.storage.tokens import NOT_COUNTED

_KEY: BindParameter[str] = bindparam("key", type_=String())
_PRODUCT: BindParameter[str] = bindparam("product", type_=String())
_POOL: BindParameter[str] = bindparam("pool", type_=String())
_NOW: BindParameter[datetime] = bindparam("now", type_=Instant())
_NUMBER: BindParameter[int] = bindparam("number", type_=Integer())
_RETURNS: BindParameter[int] = bindparam("returns", type_=Integer())
_ID = select(members.c.id).where(members.c.username_key == _KEY).scalar_subquery()
_GROUP_NAMES = select(member_groups.c.name).where(member_groups.c.member_id == _ID)
_TYPE = select(members.c.user_type).where(members.c.username_key == _KEY).scalar_subquery()
_IN_SESSION = and_(
    sessions.c.member_id == _ID,
    # Of a session that is over a grant may still run, by which it holds its seats.
    or_(sessions.c.granted_until > _NOW, and_(sessions.c.active_until > _NOW, sessions.c.ended_by.is_(None))),
    sessions.c.product == _PRODUCT,
)
_HERE = and_(_IN_SESSION, sessions.c.machine_id == bindparam("machine"), sessions.c.machine_key == bindparam("machine_key"))
# A session here gives its seats to the borrow: the two together take each seat once.
_IN_USE = and_(holds.c.product == _POOL, holds.c.free_at > _NOW, holds.c.handle.not_in(select(sessions.c.id).where(_HERE)))
_rule = offline_rules.c
_HOLDING = and_(borrows.c.member_id == _ID, borrows.c.product == _PRODUCT, borrows.c.seat_free_at > _NOW)

_SITUATION = Gathering(
    member=select(members).where(members.c.username_key == _KEY),
    groups=_GROUP_NAMES,
    token=select(tokens).where(tokens.c.request_jti == bindparam("request")),
    assignment=select(assignments.c.level, assignments.c.included).where(
        assignments.c.member_id == _ID, assignments.c.product == _PRODUCT
    ),
    extensions=select(assigned_extensions.c.extension).where(
        assigned_extensions.c.member_id == _ID, assigned_extensions.c.product == _PRODUCT
    ),
    assigned=select(pools.c.feature, pools.c.assigned).where(pools.c.product == _PRODUCT, pools.c.assigned != 0),
    rules=select(offline_rules).where(
        _rule.product.in_(("", _PRODUCT)),
        or_(
            _rule.level == RuleLevel.ORGANIZATION,
            and_(_rule.level == RuleLevel.MEMBER, _rule.subject == _KEY),
            and_(_rule.level == RuleLevel.GROUP, _rule.subject.in_(_GROUP_NAMES)),
            and_(_rule.level == RuleLevel.TYPE, _rule.subject == _TYPE),
            and_(_rule.level == RuleLevel.PRODUCT, _rule.subject == _PRODUCT),
        ),
    ),
    borrows=BORROW.where(_HOLDING),
    receipts=select(receipts.c.borrow_id).where(receipts.c.digest == bindparam("receipt")),
    same_number=select(tokens.c.jti)
    .join(borrows, borrows.c.id == tokens.c.borrow_id)
    .where(borrows.c.machine_key == bindparam("machine_key"), tokens.c.request_number == _NUMBER),
    counted=select(tokens.c.jti)
    .join(borrows, borrows.c.id == tokens.c.borrow_id)
    .where(_NUMBER == NOT_COUNTED, borrows.c.machine_key == bindparam("machine_key"), tokens.c.request_number.is_not(None))
    .limit(1),
    contradicting=select(receipts.c.digest).where(
        receipts.c.machine_key == bindparam("machine_key"),
        or_(
            and_(receipts.c.requests < _NUMBER, receipts.c.number > _RETURNS),
            and_(receipts.c.requests >= _NUMBER, receipts.c.number <= _RETURNS),
        ),
    ),
    other_boards=select(borrows.c.id).where(
        borrows.c.machine_id == bindparam("machine"),
        borrows.c.machine_secondary != bindparam("secondary", type_=String()),
        borrows.c.ended_by.is_(None),
        borrows.c.expires_at > _NOW,
    ),
    lists=select(status_lists.c.seq, status_lists.c.issued_at, status_lists.c.authorization_seq).where(
        status_lists.c.seq == select(func.max(status_lists.c.seq)).scalar_subquery()
    ),
    sessions=select(
        sessions.c.id,
        sessions.c.machine_id,
        sessions.c.machine_key,
        sessions.c.machine_alias,
        sessions.c.created_at,
        sessions.c.granted_until,
        func.coalesce(sessions.c.ended_at, sessions.c.active_until).label("over_at"),
    ).where(_IN_SESSION),
    pool_rules=select(pool_rules).where(pool_rules.c.product == _POOL),
    in_use=select(holds.c.feature, holds.c.mode, func.count().label("seats"))
    .where(_IN_USE)
    .group_by(holds.c.feature, holds.c.mode),
    by_group=select(holds.c.feature, member_groups.c.name, func.count().label("seats"))
    .join(member_groups, member_groups.c.member_id == holds.c.member_id)
    .where(_IN_USE, member_groups.c.name.in_(select(pool_rules.c.group_name).where(pool_rules.c.product == _POOL)))
    .group_by(holds.c.feature, member_groups.c.name),
)
# On PostgreSQL: nobody removes or changes the member, takes its license or a seat of the pool, or ends its borrows, until this ends.
_LOCKS = (
    Prepared(select(members.c.id).where(members.c.username_key == _KEY).with_for_update(key_share=True)),
    Prepared(
        select(assignments.c.level)
        .where(assignments.c.member_id == _ID, assignments.c.product == _PRODUCT, literal("") == _POOL)
        .with_for_update()
    ),
    # In one order, so that no two wait for each other.
    Prepared(select(pools.c.feature).where(pools.c.product == _POOL).order_by(pools.c.feature).with_for_update()),
    Prepared(select(borrows.c.id).where(_HOLDING).order_by(borrows.c.id).with_for_update()),
)


@dataclass(frozen=True, slots=True)
class NewestList:
    """The status list that was published last: its number, its time, and the authorization that it was published under."""

    seq: int
    issued_at: datetime
    authorization_seq: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What is there when a request comes.

    `token` is what this very request got before. `borrows` are the member's of the product that hold a seat, newest first;
    `clone_evidence` is what says that the machine may be two, None when nothing does.
    `sessions_here` are the member's sessions of it on this machine that hold seats, which count as free in `pool`: by id, when the
    last grant of each ends. `elsewhere` are the other computers with such sessions of the member.
    """

    member: Member | None
    token: Token | None
    assignment: Assignment | None
    assigned: Mapping[str, int]
    rules: list[Rule]
    borrows: list[Borrow]
    is_receipt_known: bool
    clone_evidence: str | None
    newest_list: NewestList | None
    sessions_here: dict[str, datetime]
    elsewhere: tuple[ComputerInUse, ...]
    pool_rules: tuple[PoolRule, ...]
    use: Use

    def pool(self, product: Product) -> Pool:
        """The seats of a concurrent product."""
        return Pool(product, self.pool_rules, self.use)


def situation(connection: Connection, ask: Ask, username: str, product: Product | None, now: datetime) -> Situation:
    """Locks what the decision is about, and reads it: who comes after sees all that was decided before.

    Args:
        connection: within a transaction that writes.
        ask: the request.
        username: for whom.
        product: what is asked for; None when it is not licensed.
        now: the time by which seats are held.
    """
    values = {
        "key": user_key(username),
        "product": ask.product,
        # Empty when licenses are assigned and no seats are counted.
        "pool": product.id if product is not None and product.is_concurrent else "",
        "now": now,
        "machine": ask.machine.id,
        "machine_key": ask.machine.key,
        "request": ask.jti,
        "receipt": ask.prev or "",
        "number": NOT_COUNTED if ask.number is None else ask.number,
        "returns": NOT_COUNTED if ask.returns is None else ask.returns,
        "secondary": ask.machine.secondary,
    }
    if connection.dialect.name == "postgresql":
        with pipeline(connection):
            for lock in _LOCKS:
                lock.run(connection, values)
    return _situation(_SITUATION.read(connection, values), ask)


def _situation(parts: dict[str, list[Any]], ask: Ask) -> Situation:
    groups = tuple(sorted(row.name for row in parts["groups"]))
    assignment = None
    for row in parts["assignment"]:
        extensions = tuple(sorted(item.extension for item in parts["extensions"]))
        assignment = Assignment(ask.product, row.level, extensions, row.included)
    here, elsewhere = list[Any](), list[Any]()
    for row in parts["sessions"]:
        (here if (row.machine_id, row.machine_key) == (ask.machine.id, ask.machine.key) else elsewhere).append(row)
    holding = [borrow_of(row, groups) for row in parts["borrows"]]
    return Situation(
        member=member_of(parts["member"][0], groups) if parts["member"] else None,
        token=Token(*parts["token"][0]) if parts["token"] else None,
        assignment=assignment,
        assigned={row.feature: row.assigned for row in parts["assigned"]},
        rules=[rule_of(row) for row in parts["rules"]],
        borrows=sorted(holding, key=lambda borrow: borrow.issued_at, reverse=True),
        is_receipt_known=bool(parts["receipts"]),
        clone_evidence=clone_evidence(
            same_number=bool(parts["same_number"]),
            contradicts=bool(parts["contradicting"]),
            counts_no_more=bool(parts["counted"]),
            other_board=bool(parts["other_boards"]),
        ),
        newest_list=NewestList(*parts["lists"][0]) if parts["lists"] else None,
        sessions_here={row.id: row.granted_until for row in here},
        elsewhere=tuple(
            ComputerInUse(row.machine_alias or row.machine_id, row.created_at, max(row.granted_until, row.over_at))
            for row in elsewhere
        ),
        pool_rules=tuple(PoolRule(*row) for row in sorted(parts["pool_rules"])),
        use=use_of(parts["in_use"], parts["by_group"]),
    )
