"""The file of a SQLite database: never made by who only opens it, and the same one for as long as a process has it open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from authority.domain.refusals import DatabaseLost


class DatabaseFile:
    """The file at a path, as it was when this process first opened it.

    Whoever has a file open goes on reading and writing it after it was deleted, or after another one took its name: nobody
    would see again what is written then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None

    def open_only_what_is_there(self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        """Makes a connection that is about to be opened fail where there is no file; SQLite would make an empty one."""
        arguments[0] = f"{self.path.as_uri()}?mode=rw"
        options["uri"] = True

    def remember(self, _connection: Any, _record: Any) -> None:
        """Takes the file that is there for the one that this process opened first."""
        if self._opened is None:
            self._opened = self._identity()

    def is_there(self) -> bool:
        """Whether there is a file at the path."""
        return self._identity() is not None

    def check(self) -> None:
        """Raises DatabaseLost when the file that was opened first is not the one at its path any more."""
        identity = self._identity()
        if identity == self._opened:
            return
        what = "was deleted" if identity is None else "was replaced by another file"
        raise DatabaseLost(f"the database {self.path} {what} while it was in use")

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino
