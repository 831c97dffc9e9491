"""A person in the tables: which rows of the log may be about them, and what of them stays in rows that others need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, update

from authority.domain.erasure import RENAMED_BEGINS
from authority.domain.events import EventKind
from authority.storage.db.rows import members_of
from authority.storage.db.tables import borrows, events, members, sessions, tokens, uploads
from authority.storage.members import in_pages
from authority.storage.seals import ROWS

# What stands in place of the payload of a token whose member was erased.
NO_PAYLOAD = ""


def names_in_log(connection: Connection) -> Iterator[str]:
    """Every user name that the log has as a member or an actor."""
    for column in (events.c.member, events.c.actor):
        yield from connection.execute(select(column).where(column.is_not(None)).distinct()).scalars()


def renames(connection: Connection) -> list[dict[str, Any]]:
    """The rows that say of a member that the user name changed, the newest first."""
    says_so = or_(*(events.c.reason.startswith(words) for words in RENAMED_BEGINS))
    query = ROWS.where(events.c.kind == EventKind.MEMBER_CHANGED, says_so)
    return [members_of(row) for row in connection.execute(query.order_by(events.c.id.desc()))]


def handles(connection: Connection, member_ids: Collection[int]) -> frozenset[str]:
    """The ids of all borrows and sessions of these members."""
    ids: set[str] = set()
    for table in (borrows, sessions):
        ids |= set(connection.execute(select(table.c.id).where(table.c.member_id.in_(member_ids))).scalars())
    return frozenset(ids)


def texts_in_log(connection: Connection) -> Iterator[str]:
    """Every text that the log has as a reason: what of it names a person no database can say, for it compares ASCII at the best."""
    yield from connection.execute(select(events.c.reason).where(events.c.reason.is_not(None)).distinct()).scalars()


def rows_about(
    connection: Connection, names: Sequence[str], texts: Sequence[str], of_handles: Collection[str]
) -> list[dict[str, Any]]:
    """The rows of the log that have one of these names, reasons or handles, in order."""
    by_number: dict[int, dict[str, Any]] = {}
    for query in _queries(names, texts, of_handles):
        by_number |= {row.id: members_of(row) for row in connection.execute(query)}
    return [by_number[number] for number in sorted(by_number)]


def _queries(names: Sequence[str], texts: Sequence[str], of_handles: Collection[str]) -> Iterator[Select[Any]]:
    yield ROWS.where(or_(events.c.member.in_(names), events.c.actor.in_(names)))
    for page in in_pages(texts):
        yield ROWS.where(events.c.reason.in_(page))
    for page in in_pages(sorted(of_handles)):
        yield ROWS.where(events.c.handle.in_(page))


def is_out(connection: Connection, member_ids: Collection[int], now: datetime) -> bool:
    """Whether a borrow of one of these members may still run, or a session hold a seat."""
    copies = select(func.count()).where(borrows.c.member_id.in_(member_ids), borrows.c.expires_at > now)
    seats = select(func.count()).where(sessions.c.member_id.in_(member_ids), sessions.c.granted_until > now)
    return any(connection.execute(query).scalar_one() for query in (copies, seats))


def full_names(connection: Connection, member_ids: Collection[int]) -> list[str]:
    """The full names of these members, of those who have one."""
    query = select(members.c.full_name).where(members.c.id.in_(member_ids), members.c.full_name != "")
    return list(connection.execute(query).scalars())


def erase_members(connection: Connection, member_ids: Collection[int], pseudonym: str) -> None:
    """The members who were removed have another name, and nothing else that is theirs."""
    gone = {"username": pseudonym, "full_name": "", "search": "", "email": ""}
    connection.execute(update(members).where(members.c.id.in_(member_ids)).values(gone))
    connection.execute(delete(uploads).where(uploads.c.member_id.in_(member_ids)))


def erase_uses(
    connection: Connection, member_ids: Collection[int], pseudonym_of: Callable[[str], str], is_mentioned: Callable[[str], bool]
) -> tuple[int, int]:
    """Borrows and sessions of these members keep when and of what they were, and no computer or user; returns how many of each there are."""
    counts = []
    for table in (borrows, sessions):
        rows = connection.execute(select(table).where(table.c.member_id.in_(member_ids))).all()
        counts.append(len(rows))
        for row in rows:
            values: dict[str, Any] = {name: pseudonym_of(getattr(row, name)) for name in ("machine_id", "user_id", "user_name")}
            values["machine_alias"] = None if row.machine_alias is None else pseudonym_of(row.machine_alias)
            if table is borrows:
                values |= {"machine_secondary": None, "clone_evidence": None}
            connection.execute(update(table).where(table.c.id == row.id).values(values))
    _erase_end_reasons(connection, is_mentioned)
    return counts[0], counts[1]


def _erase_end_reasons(connection: Connection, is_mentioned: Callable[[str], bool]) -> None:
    """Whosever borrow it was: why it ended may name somebody else."""
    texts = connection.execute(select(borrows.c.end_reason).where(borrows.c.end_reason.is_not(None)).distinct()).scalars()
    for page in in_pages([text for text in texts if is_mentioned(text)]):
        connection.execute(update(borrows).where(borrows.c.end_reason.in_(page)).values(end_reason="erased"))


def erase_tokens(connection: Connection, of_handles: Collection[str]) -> int:
    """The tokens of these borrows keep their places and numbers, and not what was signed; returns how many there are."""
    count = 0
    for page in in_pages(sorted(of_handles)):
        condition: ColumnElement[bool] = tokens.c.borrow_id.in_(page)
        count += connection.execute(update(tokens).where(condition).values(payload=NO_PAYLOAD)).rowcount
    return count
