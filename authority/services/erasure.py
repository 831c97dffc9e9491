"""Erasing a person who was removed: what named them is replaced by a pseudonym, in the log and in the other tables."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from authority.domain import erasure as rules
from authority.domain import log_seal
from authority.domain.erasure import Person, Pseudonyms
from authority.domain.events import Event, EventKind
from authority.domain.log_seal import CheckpointKind, Seal
from authority.domain.members import Privilege, user_key
from authority.domain.refusals import InvalidInput, MemberHasBorrow, NotFound
from authority.services import seals
from authority.services.unit import Unit
from authority.storage import erasures, members, notices
from authority.storage import seals as stored

PSEUDONYM_BYTES = 5


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, or would be: rows of the log, borrows, sessions and tokens. `pseudonym` is the person's name from now on.

    `names` are the user names that were looked for; `left_out` are former ones that somebody else has now.
    """

    member: str
    pseudonym: str
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    rows: int
    borrows: int
    sessions: int
    tokens: int


@dataclass
class _Search:
    """Who is looked for, and the members' numbers."""

    person: Person
    member_ids: list[int]
    names: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def erase(unit: Unit, username: str, reason: str, *, dry_run: bool = False) -> Erasure:
    """Erases the person who had this user name and was removed. The log verifies as before; counts of people and machines stay.

    What was exported, carried or backed up before is not reached. With `dry_run` nothing changes.
    Raises NotAllowed, NotFound, InvalidInput (still a member, or a reason that names the person), MemberHasBorrow while a copy
    may still run, and what `seals.seal` raises.
    """
    if not dry_run:
        # So that every row has its digest before anything of it goes.
        seals.seal(unit)
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        unit.lock_organization()
        stored.lock(unit.connection)
        search = _search(unit, username)
        if not reason.strip() or search.person.is_mentioned(reason):
            raise InvalidInput("an erasure needs a reason, which stays in the log and does not name the person")
        pseudonyms = Pseudonyms(lambda: _drawn(unit))
        rows = _erase_log(unit, search, pseudonyms)
        done = _erase_tables(unit, username, search, pseudonyms, rows)
        event = Event(kind=EventKind.MEMBER_ERASED, actor=unit.actor.username, member=pseudonyms.own, reason=reason.strip())
        unit.record([event])
    if not dry_run:
        seals.newest_leaves(unit)
    return done


def _drawn(unit: Unit) -> str:
    return base64.b32encode(unit.authority.random_bytes(PSEUDONYM_BYTES)).decode().lower()


def _search(unit: Unit, username: str) -> _Search:
    """Who had this user name. Raises InvalidInput, MemberHasBorrow, NotFound."""
    connection, key = unit.connection, user_key(username)
    if (present := members.by_username(connection, username)) is not None:
        raise InvalidInput(
            f"there is a member {present.username}", hint="Remove the member first: carnet-authority member remove NAME"
        )
    member_ids = members.ids_of_name(connection, username)
    if erasures.is_out(connection, member_ids, unit.now):
        raise MemberHasBorrow(
            f"a copy of {username} may still run", hint="Erase the person when it has ended by time.", members=[username]
        )
    keys, left_out = _keys(unit, key)
    names = [name for name in erasures.names_in_log(connection) if user_key(name) in keys]
    if not (key and (names or member_ids)):
        raise NotFound(
            f'nobody had the user name "{username[:140]}"', hint="Check the name; the log has those of former members."
        )
    words = dict.fromkeys([username, *names, *erasures.full_names(connection, member_ids)])
    person = Person(keys, tuple(words), erasures.handles(connection, member_ids))
    return _Search(person, member_ids, sorted(dict.fromkeys(names)), left_out)


def _keys(unit: Unit, key: str) -> tuple[frozenset[str], list[str]]:
    """The keys of all user names that the person had, and those former names that somebody else has now."""
    keys, left_out = frozenset({key}), []
    for row in erasures.renames(unit.connection):
        former = rules.former_name(row, keys)
        if former is None or user_key(former) in keys:
            continue
        if members.by_username(unit.connection, former) is None:
            keys |= {user_key(former)}
        else:
            left_out.append(former)
    return keys, left_out


def _erase_log(unit: Unit, search: _Search, pseudonyms: Pseudonyms) -> int:
    """Erases the person in the log, and signs a checkpoint that says so; returns how many rows changed."""
    connection, person = unit.connection, search.person
    chain = seals.chain_of(unit)
    texts = [text for text in erasures.texts_in_log(connection) if person.is_mentioned(text)]
    rows = erasures.rows_about(connection, search.names, texts, person.handles)
    marks = stored.of_numbers(connection, [row["id"] for row in rows])
    changed_rows: list[dict[str, Any]] = []
    changed_marks: list[Seal] = []
    for row in rows:
        mark = marks.get(row["id"])
        erased = {} if mark is None or mark.openings is None else mark.openings.erased
        values = {name: value for name, value in rules.replacements(row, person, pseudonyms).items() if name not in erased}
        if values:
            changed_rows.append({**row, **values})
            changed_marks += [] if mark is None else [log_seal.erased(mark, row, values)]
    stored.erase(connection, changed_marks, changed_rows)
    if changed_marks:
        seals.append(unit, chain, CheckpointKind.ERASURE, chain.end)
    return len(changed_rows)


def _erase_tables(unit: Unit, username: str, search: _Search, pseudonyms: Pseudonyms, rows: int) -> Erasure:
    connection, ids, person = unit.connection, search.member_ids, search.person
    erasures.erase_members(connection, ids, pseudonyms.own)

    notices.erase(connection, person.is_told_of)

    def pseudonym_of(value: str) -> str:
        return pseudonyms.own if person.is_named(value) else pseudonyms.of(value)

    borrows, sessions = erasures.erase_uses(connection, ids, pseudonym_of, person.is_mentioned)
    return Erasure(
        member=username,
        pseudonym=pseudonyms.own,
        names=tuple(search.names),
        left_out=tuple(search.left_out),
        rows=rows,
        borrows=borrows,
        sessions=sessions,
        tokens=erasures.erase_tokens(connection, person.handles),
    )
