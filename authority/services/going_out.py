"""What is about to leave: it must go on from what left before, and is recorded outside the database first."""

from __future__ import annotations

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.refusals import DatabaseBehind
from authority.services.context import Authority
from authority.signing.floors import Floor, Numbered
from authority.storage import organization, status_lists


def check_numbers(authority: Authority, list_seq: int, authorization_seq: int) -> None:
    """Raises DatabaseBehind when the newest list or authorization of the database is below what this process knows to be out."""
    floor = authority.floors.known
    status_list, known_authorization = floor.status_list, floor.authorization
    if (status_list and list_seq < status_list.number) or (
        known_authorization and authorization_seq < known_authorization.number
    ):
        # These numbers may be of a moment before another thread let something out.
        with authority.database.read() as connection:
            check_continued(connection, floor)


def check_continued(connection: Connection, floor: Floor) -> None:
    """Raises DatabaseBehind unless the database has what went out under the highest numbers, with the same texts."""
    if floor.status_list is not None:
        number = floor.status_list.number
        text = status_lists.text_or_none(connection, number)
        if text is None:
            raise _below("status list", status_lists.last_seq(connection), number)
        if text != floor.status_list.text:
            raise _another(number)
    if floor.authorization is not None:
        number = floor.authorization.number
        newest = organization.newest_seq(connection) or 0
        if newest < number:
            raise _below("authorization", newest, number)


def _below(what: str, number: int, highest: int) -> DatabaseBehind:
    return DatabaseBehind(f"the newest {what} of the database has the number {number}, and {highest} went out from this server")


def _another(number: int) -> DatabaseBehind:
    return DatabaseBehind(f"the status list {number} of the database is another one than the one that went out")


def list_leaves(authority: Authority, authorization: Authorization, seq: int, text: str) -> None:
    """Records a status list, and the authorization that goes with it, which are about to leave.

    Raises DatabaseBehind, DiskFull, NotPermitted or DiskFailed: then they must not.
    """
    known = authority.floors.known
    status_list, known_authorization = known.status_list, known.authorization
    if status_list is not None and seq == status_list.number and text != status_list.text:
        raise _another(seq)
    # What every borrow asks: it costs nothing while nothing rises.
    if (
        status_list is not None
        and known_authorization is not None
        and seq <= status_list.number
        and authorization.seq <= known_authorization.number
    ):
        return
    floor = Floor(
        organization=authorization.organization,
        status_list=Numbered(seq, text),
        authorization=Numbered(authorization.seq, authorization.compact),
    )
    with authority.database.read() as connection:
        check_continued(connection, authority.floors.read())
    authority.floors.raise_to(floor)
