"""Files that were carried here, one or a whole folder: recognized by what is in them, put in order, installed, and what is then still needed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from verifier import errors
from verifier.core.files import check_size, parse
from verifier.core.jose import COMPACT, strict_object
from verifier.core.keys import decode
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError
from verifier.workstation.check import licenses
from verifier.workstation.disk import read_bytes, trouble
from verifier.workstation.install import install
from verifier.workstation.installed import Installed
from verifier.workstation.places import read_input
from verifier.workstation.store import Store

# Trust must be there before what it proves, and the newest status list before the borrow that it may refuse.
INSTALL_ORDER = ("trust", "trust-update", "clock-reset", "authorization", "status", "borrow")
SUFFIXES = (".trust", ".trust-update", ".authorization", ".borrow", ".status", ".clock")
FOR_THE_AUTHORITY = ("request", "return", "checkpoint")
# A stick has some hundreds of files. Whoever names the folder of a whole disk has mistaken it.
MOST_FILES = 10_000
# Of all that is read at once; the files of a stick are some kilobytes each, and a status list has two megabytes at most.
MOST_BYTES = 64 * 1024 * 1024
NAME_FILES = "Name the files, or a folder that has the carried files alone."
# Our files name their kind first; a film is no reason to read two megabytes.
BEGINNING = 256


class Carried(NamedTuple):
    """A file by the name that it has for people, and its bytes; or why it could not be read."""

    name: str
    data: bytes
    error: CarnetError | None = None


class PassedOver(NamedTuple):
    """A file in a folder that was left alone: `foreign`, `for-the-authority`, or `no-regular-file`."""

    name: str
    reason: str


class Taken(NamedTuple):
    """A file that is installed, also when it was before."""

    name: str
    installed: Installed


class Refused(NamedTuple):
    """A file that changed nothing, and why. `is_old`: it was good once, and what is here is newer or it is over."""

    name: str
    error: CarnetError

    @property
    def is_old(self) -> bool:
        """Whether time alone made it useless: such files stay on a stick, and are no fault."""
        if isinstance(self.error, errors.Expired | errors.GivenUp):
            return True
        return isinstance(self.error, errors.StatusListRolledBack | errors.NotAuthorized) and self.error.known_seq is not None


class Need(NamedTuple):
    """What this workstation still lacks: `trust`, `compare-root`, `license`, or `mend`, a license that is not good, with its error."""

    code: str
    product: str | None = None
    error: CarnetError | None = None
    roots: tuple[str, ...] = ()


class Intake(NamedTuple):
    """What became of each file, and what is needed now."""

    taken: list[Taken]
    refused: list[Refused]
    needs: list[Need]


def read_named(name: str) -> Carried:
    """A file that a person named; too long a one with that as its error, so that many of them do not fill the memory.

    Raises WrongPlace when there is no such file, Malformed when it is no regular file, NotPermitted or DiskFailed.
    """
    data = read_input(name)
    try:
        check_size(len(data))
    except CarnetError as error:
        # Without its traceback, which holds the bytes.
        return Carried(name, b"", error.with_traceback(None))
    return Carried(name, data)


def unreadable(name: str, error: Exception) -> Carried:
    """One of several names that is none of a file to install, and why; it hinders no other."""
    if not isinstance(error, CarnetError):
        error = errors.Malformed(str(error), hint="Check the name, and bring the file again.")
    return Carried(name, b"", error)


def look_into(folder: Path) -> tuple[list[Carried], list[PassedOver]]:
    """The Carnet files of a folder, in order of their names, and what was left alone; folders in it are not looked into.

    A file that is named like one of ours or begins like one is ours, whatever else is wrong with it. Names that begin with a dot
    are those of systems, which also leave `._trip.borrow` beside `trip.borrow`. Raises Malformed for more than 10,000 files or
    64 MiB of ours, NotPermitted or DiskFailed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for _, entry in zip(range(MOST_FILES + 1), entries, strict=False)]
    except OSError as error:
        raise trouble(error, folder, "read") from error
    if len(names) > MOST_FILES:
        raise errors.Malformed(
            f"{folder} has more than {MOST_FILES} files",
            hint=NAME_FILES,
        )
    carried, passed_over, size = [], [], 0
    for name in sorted(name for name in names if not name.startswith(".")):
        item = _look_at(folder / name)
        if isinstance(item, Carried):
            carried.append(item)
            size += len(item.data)
            if size > MOST_BYTES:
                raise errors.Malformed(f"the files in {folder} have more than {MOST_BYTES} bytes", hint=NAME_FILES)
        elif item is not None:
            passed_over.append(item)
    return carried, passed_over


def _look_at(path: Path) -> Carried | PassedOver | None:
    """What one entry of a folder is; None for a folder."""
    name, is_named_so = str(path), path.name.lower().endswith(SUFFIXES)
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode) and not is_named_so:
            return PassedOver(name, "no-regular-file")
        if not is_named_so and not _begins_like_ours(path):
            return PassedOver(name, "foreign")
        data = read_bytes(path)
        # Too long a file is refused for its size, and its bytes are not held until then.
        check_size(len(data))
        return PassedOver(name, "for-the-authority") if _kind(data) in FOR_THE_AUTHORITY else Carried(name, data)
    except CarnetError as error:
        # Without its traceback, which holds the bytes.
        return Carried(name, b"", error.with_traceback(None))
    except OSError as error:
        return Carried(name, b"", trouble(error, name, "read")) if is_named_so else PassedOver(name, "foreign")


def _begins_like_ours(path: Path) -> bool:
    return b'"carnet"' in read_bytes(path, BEGINNING)


def _kind(data: bytes) -> str | None:
    try:
        return parse(data)[0]
    except CarnetError:
        return None


def take_in(store: Store, files: Iterable[Carried], now: datetime | None = None) -> Intake:
    """Installs every file that passes, whatever order they come in; one that does not changes nothing."""
    taken, refused = [], []
    ordered = sorted(files, key=lambda file: _order(file.data))
    rivals = _rivals(store, ordered)
    for file in ordered:
        try:
            if file.error is not None or file.name in rivals:
                raise file.error or rivals[file.name]
            taken.append(Taken(file.name, install(store, file.data, now)))
        except CarnetError as error:
            refused.append(Refused(file.name, error))
    first = [item.installed for item in taken if item.installed.kind == "trust" and item.installed.is_new]
    roots = tuple(kid for item in first for kid in getattr(item, "roots", ()))
    return Intake(taken, refused, needs(store, roots, now) if taken else [])


def needs(store: Store, new_roots: tuple[str, ...] = (), now: datetime | None = None) -> list[Need]:
    """What this workstation lacks before a license works here; `new_roots` were trusted just now and are to be compared."""
    compare = [Need("compare-root", roots=new_roots)] if new_roots else []
    try:
        installed = licenses(store, now)
    except errors.NoTrust:
        return [Need("trust")]
    except CarnetError as error:
        return [*compare, Need("mend", error=error)]
    if not installed:
        return [*compare, Need("license")]
    return [*compare, *(Need("mend", item.product, item.error) for item in installed if item.error is not None)]


def _rivals(store: Store, files: list[Carried]) -> dict[str, CarnetError]:
    """Trust files of which nobody can say which one is meant: several different ones, where none is installed. Why, by name."""
    trusts = {}
    for file in files:
        try:
            if _kind(file.data) == "trust":
                trusts[file.name] = TrustStore.read(file.data)
        except CarnetError:
            continue
    stores = list(trusts.values())
    if all(trust == stores[0] for trust in stores) or _has_trust(store):
        return {}
    error = errors.UnknownKey(
        f"{len(trusts)} trust files were brought that are not the same, and none is installed here",
        hint="Ask the administrator for the root key's thumbprint, and install the one that has it by itself: carnet trust FILE",
    )
    return dict.fromkeys(trusts, error)


def _has_trust(store: Store) -> bool:
    try:
        store.trust()
    except errors.NoTrust:
        return False
    return True


def _order(data: bytes) -> tuple[int, int]:
    """Of one kind the lower number comes first: else an older list on the same stick would be refused as rolled back.

    What the files say of themselves gives the order alone; each is checked when its turn comes.
    """
    try:
        kind, members = parse(data)
        return INSTALL_ORDER.index(kind), _number(members.get("status_list" if kind == "status" else kind))
    except (CarnetError, ValueError):
        return len(INSTALL_ORDER), 0


def _number(compact: object) -> int:
    """The `seq` in a compact JWS, unverified; 0 where it says none."""
    match = COMPACT.match(compact) if isinstance(compact, str) else None
    number = strict_object(decode(match[2])).get("seq") if match else None
    return number if isinstance(number, int) else 0
