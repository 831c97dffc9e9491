"""What went out from the nodes, compared with the database: what it has lost, in an older copy or a replica that lagged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from authority.domain.plurals import counted
from authority.domain.refusals import CheckpointUnusable, DatabaseBehind, KeyUnusable, SigningFailed
from authority.domain.tokens import Token
from authority.services.going_out import check_continued
from authority.services.seals import check_sealed
from authority.services.unit import Unit
from authority.signing import checkpoints, floors, issued_log, own_texts
from authority.signing.floors import Floor, Floors, Numbered
from authority.signing.issued_log import KEPT_AFTER_EXPIRY
from authority.signing.own_texts import Granted, ListText
from authority.storage import seals as stored_seals
from authority.storage import tokens


@dataclass(frozen=True, slots=True)
class Node:
    """What one node's home says that went out from it: its floor, its tokens, and how many lines of its log cannot be read.

    `ended` are places that are known to be ended beside those in its list.
    """

    name: str
    floor: Floor
    tokens: tuple[Token, ...]
    damaged: int
    ended: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Orphan:
    """A token that went out and that the database does not know; `is_ended` when a list that went out says so of its place.

    `clash` is the borrow whose token has its place, None where nobody's has: then it cannot be taken in.
    """

    token: Token
    granted: Granted
    is_ended: bool
    clash: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the database lacks of what went out.

    `behind` says why no list can be signed, None when one can. `revived` are borrows that are out by the database, and ended by a
    list that went out; `lost_places` are ended in one, and no token here has them. `floor` is the highest over all nodes.
    """

    floor: Floor
    lists: tuple[ListText, ...]
    behind: DatabaseBehind | None
    orphans: tuple[Orphan, ...]
    revived: tuple[str, ...]
    lost_places: tuple[int, ...]
    unretired: tuple[str, ...]
    tokens: int
    damaged: int
    # The highest checkpoint of the log that went out, where the database does not go on from it.
    lost_checkpoint: Numbered | None = None

    @property
    def takes_in(self) -> bool:
        """Whether there is anything to catch up with."""
        lost = self.behind or self.revived or self.lost_places or self.lost_checkpoint
        return bool(lost or any(orphan.clash is None for orphan in self.orphans))


def this_node(unit: Unit) -> Node:
    """What this node's home says. Raises NotPermitted, DiskFailed."""
    lines, damaged = issued_log.read(unit.authority.issued.paths())
    return Node("this node", unit.authority.floors.read(), tuple(lines), damaged)


def node_in(folder: Path) -> Node:
    """What the home of another node says, or a copy of its `floors.json` and its folder `issued`. Raises NotPermitted, DiskFailed."""
    log = folder / issued_log.FOLDER
    lines, damaged = issued_log.read(issued_log.files_of(log if log.is_dir() else folder))
    return Node(str(folder), Floors(folder / floors.FILE).read(), tuple(lines), damaged)


def compare(unit: Unit, others: Iterable[Node] = ()) -> Comparison:
    """What the database lacks of what went out from this node and from others.

    The records are read before the database, so that what leaves meanwhile is no reason.
    """
    nodes = [this_node(unit), *others]
    with unit.reading():
        return compared(unit, nodes)


def compared(unit: Unit, nodes: Sequence[Node]) -> Comparison:
    """What the database lacks of what these nodes say that went out; a transaction is under way."""
    own, now = unit.organization.id, unit.now
    lists = tuple(dict.fromkeys(text for node in nodes if (text := _checked(node)) is not None))
    ended = frozenset[int]().union(*(item.ended for item in lists), *(node.ended for node in nodes))
    issued = {token.jti: token for node in nodes for token in node.tokens if token.expires_at + KEPT_AFTER_EXPIRY > now}
    orphans, unreadable = _orphans(unit.connection, own, issued.values(), ended)
    revived, nobodys = _ended_elsewhere(unit, ended - {orphan.token.status_index for orphan in orphans}, lists)
    retired = frozenset[str]().union(*(node.floor.retired for node in nodes[:1]))
    floor = _highest(node.floor for node in nodes)
    return Comparison(
        floor=floor,
        lists=lists,
        behind=_behind(unit, nodes),
        orphans=tuple(orphans),
        revived=revived,
        lost_places=nobodys,
        unretired=tuple(sorted(retired - unit.authority.ring.retired.keys())),
        tokens=len(issued),
        damaged=sum(node.damaged for node in nodes) + unreadable,
        lost_checkpoint=_lost_checkpoint(unit.connection, floor),
    )


def _checked(node: Node) -> ListText | None:
    """The list that went out from a node. Raises DiskFailed where a text of its record is none, or has another number."""
    listed, sealed = node.floor.status_list, node.floor.checkpoint
    try:
        text = None if listed is None else own_texts.status_list_of(listed.text)
        numbers = [(listed, text.seq)] if listed is not None and text is not None else []
        numbers += [] if sealed is None else [(sealed, checkpoints.stated(sealed.text).number)]
    except (SigningFailed, CheckpointUnusable) as error:
        raise floors.damaged(f"{floors.FILE} of {node.name}") from error
    if any(item.number != number for item, number in numbers):
        raise floors.damaged(f"{floors.FILE} of {node.name}")
    return text


def _lost_checkpoint(connection: Connection, floor: Floor) -> Numbered | None:
    try:
        check_sealed(connection, stored_seals.newest(connection), floor)
    except DatabaseBehind:
        return floor.checkpoint
    return None


def _highest(several: Iterable[Floor]) -> Floor:
    highest = Floor()
    for floor in several:
        highest = highest.raised(floor)
    return highest


def _behind(unit: Unit, nodes: Sequence[Node]) -> DatabaseBehind | None:
    for node in nodes:
        named = node.floor.organization
        if named is not None and named != unit.organization.id:
            return DatabaseBehind(
                f'what went out from {node.name} is of the organization "{named}", the database of "{unit.organization.id}"',
                hint="Is it the right database (docs/settings.md)? If this home is to be another organization's, move floors.json "
                "and the folder issued out of it.",
            )
        try:
            check_continued(unit.connection, node.floor)
        except DatabaseBehind as error:
            return error
    return None


def _orphans(connection: Connection, own: str, issued: Iterable[Token], ended: frozenset[int]) -> tuple[list[Orphan], int]:
    """The tokens that the database does not know, in the order in which they were given; and how many cannot be read."""
    by_id = {token.jti: token for token in issued}
    missing = [by_id[jti] for jti in by_id.keys() - tokens.known(connection, list(by_id))]
    holders = tokens.at_places(connection, [token.status_index for token in missing])
    clashes = {holder.status_index: holder.borrow_id for holder in holders}
    orphans, unreadable = [], 0
    for token in missing:
        try:
            granted = own_texts.granted_by(token.payload)
        except SigningFailed:
            unreadable += 1
            continue
        if granted.organization == own:
            orphans.append(Orphan(token, granted, token.status_index in ended, clashes.get(token.status_index)))
    return sorted(orphans, key=lambda orphan: (orphan.granted.issued_at, orphan.token.jti)), unreadable


def _ended_elsewhere(unit: Unit, ended: frozenset[int], lists: Sequence[ListText]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Borrows that are out here and ended in a list that went out, and places ended in one that no token here has."""
    holders = tokens.at_places(unit.connection, sorted(ended))
    out = (holder.borrow_id for holder in holders if holder.open_until is not None and holder.open_until > unit.now)
    revived = tuple(dict.fromkeys(out))
    if not lists or unit.now >= lost_until(unit, lists) + KEPT_AFTER_EXPIRY:
        return revived, ()
    nobodys = ended - {holder.status_index for holder in holders} - tokens.lost(unit.connection)
    return revived, tuple(sorted(nobodys))


def lost_until(unit: Unit, lists: Iterable[ListText]) -> datetime:
    """Until when the tokens that are ended in these lists run at the most."""
    return max(item.issued_at for item in lists) + timedelta(days=unit.authorization.max_borrow_days)


def sentences(comparison: Comparison) -> list[str]:
    """What the database lacks, one sentence without its end for each thing; none when it lacks nothing."""
    orphans, revived, places = len(comparison.orphans), len(comparison.revived), len(comparison.lost_places)
    lines = [comparison.behind.message] if comparison.behind is not None else []
    if orphans:
        lines.append(f"{counted(orphans, 'token')} went out that the database does not know")
    if revived:
        lines.append(f"{counted(revived, 'borrow')} ended in a status list that went out, and not in the database")
    if places:
        lines.append(f"{counted(places, 'place')} of a status list that went out belong to no token of the database")
    if comparison.lost_checkpoint is not None:
        lines.append(
            f"checkpoint {comparison.lost_checkpoint.number} of the log went out, and what it sealed is not in the database"
        )
    return lines


def check_nothing_lost(unit: Unit) -> Comparison:
    """What went out from this node, all of which the database has. Raises DatabaseBehind, KeyUnusable."""
    comparison = compare(unit)
    if comparison.takes_in:
        hint = "" if comparison.behind is None else comparison.behind.hint
        raise DatabaseBehind("; ".join(sentences(comparison)), hint=hint)
    if comparison.unretired:
        raise KeyUnusable(
            f"retired here were {', '.join(comparison.unretired)}, and the record of retired keys does not say so any more",
            hint="Put retired.json back into the folder keys of the home, or retire it again: carnet-authority key retire KID",
        )
    return comparison


def sentence(comparison: Comparison) -> str:
    """What went out, when the database lacks nothing of it that could be taken in."""
    floor = comparison.floor
    if floor.status_list is None or floor.authorization is None:
        return "no status list and no borrow went out from here yet"
    text = f"the database has all that went out: status list {floor.status_list.number}, authorization {floor.authorization.number}, "
    text += counted(comparison.tokens, "token")
    clashing = [f"{orphan.token.borrow_id} by {orphan.clash}" for orphan in comparison.orphans]
    if clashing:
        text += f"; the places of these were given again: {', '.join(clashing)}; who revokes the second refuses the first too"
    if comparison.damaged:
        text += f"; {counted(comparison.damaged, 'line')} of the log of tokens cannot be read"
    return text
