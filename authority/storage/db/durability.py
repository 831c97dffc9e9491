"""Whether a database keeps what it has committed: a borrow that was answered must not be gone after a loss of power."""

from __future__ import annotations

from authority.domain.refusals import Refusal
from authority.storage.db.database import Database

# What of PostgreSQL has to be on, and what happens where it is off.
NEEDED = {
    "fsync": "after a loss of power the database may be damaged",
    "full_page_writes": "after a loss of power the database may be damaged",
    "synchronous_commit": "borrows that were answered are lost when its server loses power",
}


def check(database: Database) -> str:
    """What is said when a commit is on the disk before it is answered. Raises Refusal where it is not, StorageUnavailable."""
    if database.is_sqlite:
        return "what is committed is on the disk before it is answered"
    with database.read() as connection:
        values = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in NEEDED}
    wrong = {name: words for name, words in NEEDED.items() if values[name] == "off"}
    if wrong:
        raise Refusal(
            "; ".join(f"PostgreSQL has {name} = off: {words}" for name, words in wrong.items()),
            hint=f"Set {', '.join(f'{name} = on' for name in wrong)} in postgresql.conf or for the role, and start the server again.",
        )
    return "PostgreSQL has what is committed on the disk before it is answered"
