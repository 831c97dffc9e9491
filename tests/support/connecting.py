"""Short ways to start sessions in a test."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from authority.domain.members import CONSOLE, Actor
from authority.domain.sessions import Session
from authority.services import licenses, sessions
from authority.services.context import Authority
from authority.services.sessions import Started
from authority.services.unit import Unit
from authority.storage import members as people
from authority.storage import preferences
from authority.storage import sessions as stored
from authority.storage.db.tables import assigned_extensions, holds, member_counts, members
from tests.support.authorities import START, Bench
from tests.support.borrowing import workstation
from tests.support.workstations import SimulatedWorkstation
from verifier.core.claims import SESSION_REQUEST_TYP
from verifier.workstation.carry import Wish


def asked(
    laptop: SimulatedWorkstation,
    product: str = "arcgis-pro",
    level: str | None = None,
    extensions: tuple[str, ...] | None = None,
    *,
    at: datetime = START,
) -> str:
    """The request for a session that this machine signs."""
    return laptop.request(Wish(product, level, extensions), at, typ=SESSION_REQUEST_TYP)


def started(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, product: str = "arcgis-pro", **wish: Any) -> Started:
    """A session, asked for now by this member on this machine."""
    answer = sessions.start(Unit(bench.authority, actor), asked(laptop, product, at=bench.clock(), **wish))
    bench.machines[answer.session.id] = laptop
    return answer


def used(bench: Bench, actor: Actor, session_id: str) -> Started:
    """A session that `started` began, used again now on its machine; one that it did not begin, on some machine."""
    laptop = bench.machines.get(session_id) or workstation("elsewhere")
    with bench.authority.database.read() as connection:
        session = stored.get(connection, session_id)
    product = "arcgis-pro" if session is None else session.product
    return sessions.renew(Unit(bench.authority, actor), session_id, asked(laptop, product, at=bench.clock()))


def connected(authority: Authority, machine: str, product: str = "arcgis-pro") -> Session:
    """A session of the member ada on this machine."""
    with authority.database.read() as connection:
        ada = people.by_username(connection, "ada")
    assert ada is not None
    request = asked(workstation(machine), product, at=authority.now())
    return sessions.start(Unit(authority, Actor(ada.id, ada.username, ada.role)), request).session


def body_of(request: str) -> dict[str, Any]:
    """A request as the body of a POST."""
    return {"request": request}


def own_seats(bench: Bench, session: Session) -> list[str]:
    """The features of which a session holds a seat of its own now."""
    query = select(holds.c.feature).where(
        holds.c.handle == session.id, holds.c.mode == "session", holds.c.free_at > bench.authority.now()
    )
    with bench.authority.database.read() as connection:
        return sorted(connection.execute(query).scalars())


def configure(bench: Bench, **values: int) -> None:
    """Sets what an administrator may set about sessions."""
    with bench.authority.database.write() as connection:
        preferences.put(connection, "sessions", values)


def assign(bench: Bench, username: str, level: str, extensions: tuple[str, ...] = (), product: str = "arcgis-pro") -> None:
    """Gives a member a level and extensions of a named product."""
    licenses.assign(Unit(bench.authority, CONSOLE), username, product, level, extensions)


def overfill(bench: Bench) -> None:
    """Makes the organization have more members than it may."""
    with bench.authority.database.write() as connection:
        connection.execute(delete(member_counts))
        connection.execute(insert(member_counts).values(user_type="Creator", members=51))


def take_extensions(bench: Bench) -> None:
    """Takes every assigned extension away, in the table."""
    with bench.authority.database.write() as connection:
        connection.execute(delete(assigned_extensions))


def last_used(bench: Bench, username: str) -> Any:
    """When a member last used a license, from the table."""
    with bench.authority.database.read() as connection:
        return connection.execute(select(members.c.last_used_at).where(members.c.username == username)).scalar_one()


def change_type(bench: Bench, username: str, user_type: str) -> None:
    """Gives a member another user type, in the table."""
    with bench.authority.database.write() as connection:
        connection.execute(update(members).where(members.c.username == username).values(user_type=user_type))
