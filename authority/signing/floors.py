"""What went out from this node, kept in its home outside the database: no number falls below it again."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authority.domain.disk import DiskFailed, explained
from verifier.core import jose
from verifier.errors import CarnetError
from verifier.workstation import locks
from verifier.workstation.disk import read_with_mode, write_atomically

FILE, LOCK = "floors.json", ".floors.lock"
# A status list may have 2 MiB, and an authorization 240 KiB.
LARGEST = 4 * 1024 * 1024
NUMBERED = ("status_list", "authorization", "checkpoint")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A signed text that went out, and its number."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Floor:
    """The highest of each kind that left this node, None where none did: their texts too, for a database that has lost them.

    `organization` is whose they are, and `retired` has the thumbprints of keys that were retired here.
    """

    organization: str | None = None
    status_list: Numbered | None = None
    authorization: Numbered | None = None
    checkpoint: Numbered | None = None
    retired: frozenset[str] = frozenset()

    def raised(self, other: Floor) -> Floor:
        """The higher of both in each kind. Of two with one number this one's text stays: it was the first to go out."""
        return Floor(
            organization=self.organization or other.organization,
            status_list=_higher(self.status_list, other.status_list),
            authorization=_higher(self.authorization, other.authorization),
            checkpoint=_higher(self.checkpoint, other.checkpoint),
            retired=self.retired | other.retired,
        )


def _higher(known: Numbered | None, new: Numbered | None) -> Numbered | None:
    if known is None or new is None:
        return known or new
    return new if new.number > known.number else known


class Floors:
    """The floor of a node as its processes share it: one file in the home, raised before what is higher leaves.

    Without a path it is this object's alone and ends with it. What a process knows costs nothing to ask again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._known: Floor | None = None

    @property
    def known(self) -> Floor:
        """The floor as this process saw it last; another process of the node may have raised it since."""
        return self.read() if self._known is None else self._known

    def read(self) -> Floor:
        """The floor as it is now. Raises NotPermitted, or DiskFailed for a damaged file: what it said must not be forgotten."""
        with self._lock:
            if self.path is not None:
                self._known = _read(self.path)
            return self._known or Floor()

    def raise_to(self, new: Floor) -> Floor:
        """Raises the floor to what is about to leave, durably, and returns it; what is lower than before changes nothing.

        Raises DiskFull, NotPermitted or DiskFailed: then it must not leave.
        """
        known = self.known
        return known if known.raised(new) == known else self._write(new, lower=False)

    def lower_to(self, floor: Floor) -> None:
        """Puts another floor in its place, lower ones too: for who was told what that gives up, and for nobody else."""
        self._write(floor, lower=True)

    def _write(self, new: Floor, *, lower: bool) -> Floor:
        with self._lock, self._alone():
            before = self._known or Floor()
            if self.path is not None:
                before = _read(self.path)
            floor = new if lower else before.raised(new)
            if self.path is not None and floor != before:
                with explained(self.path, "written"):
                    write_atomically(self.path, json.dumps(_plain(floor), indent=2).encode() + b"\n")
            self._known = floor
            return floor

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process of the node at a time; on a share without locks there is nobody to wait for."""
        if self.path is None:
            yield
            return
        with explained(self.path, "locked"):
            descriptor = os.open(self.path.with_name(LOCK), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            with explained(self.path, "locked"):
                _take(descriptor)
            yield
        finally:
            os.close(descriptor)


def _take(descriptor: int) -> None:
    try:
        locks.take(descriptor, wait=True)
    except OSError as error:
        if error.errno not in locks.WITHOUT_LOCKS:
            raise


def _plain(floor: Floor) -> dict[str, Any]:
    numbered = {name: getattr(floor, name) for name in NUMBERED}
    texts = {name: None if item is None else {"number": item.number, "text": item.text} for name, item in numbered.items()}
    return {"organization": floor.organization, **texts, "retired": sorted(floor.retired)}


def _read(path: Path) -> Floor:
    try:
        with explained(path, "read"):
            data = read_with_mode(path, most=LARGEST)[0]
    except DiskFailed as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Floor()
        raise
    except CarnetError as error:
        raise damaged(path) from error
    try:
        return _floor(jose.strict_object(data))
    except (CarnetError, LookupError, TypeError, ValueError) as error:
        raise damaged(path) from error


def _floor(value: dict[str, Any]) -> Floor:
    floor = Floor(
        organization=value["organization"],
        status_list=_numbered(value["status_list"]),
        authorization=_numbered(value["authorization"]),
        checkpoint=_numbered(value["checkpoint"]),
        retired=frozenset(value["retired"]),
    )
    if not all(isinstance(text, str) for text in (*floor.retired, floor.organization or "")):
        raise TypeError("not a record of what went out")
    return floor


def _numbered(value: dict[str, Any] | None) -> Numbered | None:
    if value is None:
        return None
    number, text = value["number"], value["text"]
    if type(number) is not int or not isinstance(text, str):
        raise TypeError("not a number and a text")
    return Numbered(number, text)


def damaged(path: object) -> DiskFailed:
    """What is raised for a record of which something cannot be read."""
    return DiskFailed(
        f"the record of what went out, {path}, cannot be read",
        hint="Put back a copy of it. Without one, move it away.",
        path=str(path),
    )
