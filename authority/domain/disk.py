"""What the operating system refuses: no room, no permission, no home, a closed output."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass

from authority.domain.refusals import Refusal

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
UNCHANGED = "; nothing was changed"


class NoHome(Refusal):
    """No folder for the authority is known: no home is set, and the user has none."""

    code = "no-home"
    default_hint = "Name a folder: set CARNET_AUTHORITY_HOME, or say --home DIR."


@dataclass(eq=False, repr=False, kw_only=True)
class DiskFull(Refusal):
    """A disk, a quota or a limit has no room for what is to be written."""

    code = "disk-full"
    default_hint = "Free some space there, then do it again."

    path: str


@dataclass(eq=False, repr=False, kw_only=True)
class NotPermitted(Refusal):
    """The operating system does not let this user read or write there."""

    code = "not-permitted"
    default_hint = "Let the user who runs this read and write there, or name another place."

    path: str


@dataclass(eq=False, repr=False, kw_only=True)
class NoLocks(Refusal):
    """The folder stands on a share that has no locks."""

    code = "no-locks"
    default_hint = "Keep the folder on a disk of this machine."

    path: str


@dataclass(eq=False, repr=False, kw_only=True)
class DiskFailed(Refusal):
    """The operating system could not read or write there, for the reason that the sentence says."""

    code = "disk-failed"
    default_hint = "Mend what the sentence names, then do it again; or name another place."

    path: str


class OutputNotWritten(Refusal):
    """The answer could not be written to the output, whatever the answer is."""

    code = "output-not-written"
    default_hint = "What was asked for may be done all the same: the list and show commands tell. Write the output elsewhere."


TROUBLES = (NoHome, DiskFull, NotPermitted, NoLocks, DiskFailed, OutputNotWritten)


def refusal_of(error: OSError, what: object, verb: str, note: str = "") -> Refusal:
    """What the operating system refused: `what` cannot be read, written or used (`verb`), and a note at the sentence's end."""
    sentence = f"{what} cannot be {verb}: {error.strerror or error}{note}"
    if error.errno in FULL:
        return DiskFull(sentence, path=str(what))
    if error.errno in FORBIDDEN:
        return NotPermitted(sentence, path=str(what))
    return DiskFailed(sentence, path=str(what))


@contextlib.contextmanager
def explained(what: object, verb: str, note: str = "") -> Iterator[None]:
    """A block in which `what` is read or written (`verb`). Raises DiskFull, NotPermitted or DiskFailed for an OSError."""
    try:
        yield
    except OSError as error:
        raise refusal_of(error, what, verb, note) from error
