"""Restores a backup again and again, each time killed at another statement; says what the database had after each.

A process of its own with one thread, so that it can fork: `python -m tests.support.killed_restores URL HOME BACKUP ROUNDS`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from authority.domain.members import CONSOLE
from authority.services import catching_up, restoring
from authority.services.context import Authority
from authority.services.restoring import Terms
from authority.services.unit import Unit
from authority.signing import key_folder
from authority.storage.db.database import Database
from tests.support.authorities import START
from tests.support.database_contents import contents


def digest(url: str) -> str:
    """What all tables have, as one word."""
    with contextlib.closing(Database(url)) as database:
        return hashlib.sha256(repr(sorted(contents(database).items())).encode()).hexdigest()


def restore(url: str, home: Path, backup: Path, at_statement: Callable[[int], None], *, dry_run: bool = False) -> int:
    """Restores, and returns how many statements that took."""
    statements = 0

    def count(*_: Any) -> None:
        nonlocal statements
        statements += 1
        at_statement(statements)

    with contextlib.closing(Database(url)) as database, restoring.opened(backup) as archive:
        event.listen(database.engine, "before_cursor_execute", count)
        ring = key_folder.load_ring(home / "keys", None)
        authority = Authority(database, ring, lambda: START, secrets.token_bytes)
        restoring.restore(Unit(authority, CONSOLE), archive, Terms(replace=True, catch_up=True, dry_run=dry_run))
    return statements


def die(*_: object) -> None:
    """Ends this process as a loss of power would."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[[], object]) -> None:
    """Does it in a child, which has to be killed."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        raise SystemExit("it was not killed")


def main(url: str, home: Path, backup: Path, rounds: int) -> None:
    """Prints the digests after each kill before the commit, after one behind it, and after a restore that nobody killed."""
    last = restore(url, home, backup, lambda _: None, dry_run=True)
    before = []
    for number in range(1, rounds + 1):
        moment = max(1, last * number // rounds)
        killed(lambda moment=moment: restore(url, home, backup, lambda now: die() if now == moment else None))  # type: ignore[misc]
        before.append(digest(url))
    catching_up.raise_floor = die  # type: ignore[assignment] # it takes whatever it is given
    killed(lambda: restore(url, home, backup, lambda _: None))
    print(json.dumps({"before_commit": before, "after_commit": digest(url), "statements": last}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
