"""The authority's database: its table `events`, read and never written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from checkout_log.columns import BORROW, EVENT_KINDS, SESSION
from checkout_log.errors import SourceNotFound, SourceUnreadable
from checkout_log.sources.export import MOST, TIMES
from checkout_log.sources.part import DATABASE, Part
from checkout_log.store import ROWS_IN_A_BATCH, EventFile

SOURCE = "authority"
TEXTS = ("mode", "handle", "product", "feature", "member", "group", "machine", "alias", "os_user")
EVENTS = sa.table("events", *(sa.column(name) for name in ("id", "at", "kind", *TEXTS, "quantity", "until", "reason")))
LIMITS = {"id": (0, MOST["line"]), "at": TIMES["at"], "quantity": (0, MOST["quantity"])}
CHECK = "Check the address, the name and the password, and that this is the authority's database."


def is_address(source: str) -> bool:
    """Whether this is the address of a database, as opposed to a path."""
    return "://" in source


def shown(address: str | sa.URL) -> str:
    """The address without what must not be shown: no password, no user, no settings. Raises SourceUnreadable."""
    parsed = _parsed(address)
    return parsed.set(username=None, password=None, query={}).render_as_string()


def file_address(path: Path) -> sa.URL:
    """The address of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path))


def read(address: str | sa.URL, target: Path, segment: int) -> Part:
    """The checkouts in an authority's database, row by row. Raises SourceNotFound, SourceUnreadable."""
    name = shown(address)
    part = Part(name, DATABASE)
    try:
        engine = _engine(_parsed(address), name)
        try:
            with engine.connect() as connection, EventFile(target) as events:
                reading = connection.execution_options(**_read_only(engine), stream_results=True, yield_per=ROWS_IN_A_BATCH)
                part.lines = reading.scalar(sa.select(sa.func.count()).select_from(EVENTS)) or 0
                events.add_rows(_rows(reading, part, segment))
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, sqlite3.Error, ImportError, ValueError) as error:
        raise SourceUnreadable(f'"{name}" cannot be read{_why(error)}', hint=CHECK) from None
    part.holds(events.tally)
    return part


def _why(error: Exception) -> str:
    """What is told of an error: what SQLite says. What another driver says may hold the password, and the error is not passed on."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, ImportError):
        return ": the driver for it is not installed"
    return f": {cause}" if isinstance(cause, sqlite3.Error) else ""


def _parsed(address: str | sa.URL) -> sa.URL:
    try:
        return sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        # The address itself may hold a password: it is not repeated.
        raise SourceUnreadable(
            "the address of the database cannot be understood",
            hint="Write it as sqlite:///PATH or postgresql+psycopg://HOST/NAME.",
        ) from None


def _engine(address: sa.URL, name: str) -> sa.Engine:
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address)
    path = Path(address.database or "")
    if path.exists() and not path.is_file():
        raise SourceUnreadable(f'"{name}" cannot be read: it is a folder, a device or a pipe', hint=CHECK)
    if not path.is_file():
        raise SourceNotFound(f'there is no database "{name}"', hint="Check its path: three slashes, then the path from here.")
    return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True))


def _read_only(engine: sa.Engine) -> dict[str, object]:
    return {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}


def _rows(connection: sa.Connection, part: Part, segment: int) -> Iterator[tuple[object, ...]]:
    query = sa.select(EVENTS).where(EVENTS.c.kind.in_(EVENT_KINDS)).order_by(EVENTS.c.id)
    earliest, latest = TIMES["until"]
    for row in connection.execute(query):
        values = row._mapping  # noqa: SLF001 - the public name of SQLAlchemy for it
        texts = [values[name] or None for name in TEXTS]
        is_good = (
            all(isinstance(values[name], int) and least <= values[name] <= most for name, (least, most) in LIMITS.items())
            and (values["until"] is None or (isinstance(values["until"], int) and earliest <= values["until"] <= latest))
            and all(isinstance(text, str | None) for text in (*texts, values["reason"]))
            and None not in (values["product"] or None, values["feature"] or None)
            and values["mode"] in (SESSION, BORROW)
        )
        if is_good:
            until, reason = values["until"], values["reason"]
            ends = (values["quantity"], until, reason, SOURCE, values["id"], segment, 0, False)
            yield (values["at"], values["kind"], *texts, *ends)
        else:
            part.malformed += 1
