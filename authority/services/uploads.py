"""A file of members between looking at it and doing what it says, and then what became of its rows: no page has to carry it."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import timedelta

from authority.domain.members import Privilege
from authority.domain.refusals import NotAllowed, NotFound
from authority.services.unit import Unit
from authority.signing.encoding import encode
from authority.storage import uploads
from authority.storage.uploads import Upload

KEPT_FOR = timedelta(days=1)
LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class File:
    """A file with its name and the digest by which a page names it."""

    digest: str
    name: str
    data: bytes


def keep(unit: Unit, name: str, data: bytes) -> File:
    """Keeps a file in place of the one that was given in before, for a day at most. Raises NotAllowed."""
    file = File(encode(hashlib.sha256(data).digest()), name[-LONGEST_NAME:], data)
    with unit.writing():
        row = Upload(_owner(unit), file.digest, file.name, zlib.compress(data), unit.at)
        uploads.put(unit.connection, row, unit.at - KEPT_FOR)
    return file


def get(unit: Unit, digest: str) -> File:
    """The file that was given in last, when it is still the one with this digest. Raises NotAllowed, NotFound."""
    with unit.reading():
        row = uploads.get(unit.connection, _owner(unit))
        if row is None or row.digest != digest or row.given_at <= unit.at - KEPT_FOR:
            raise NotFound(
                "the file is not here any more: it was done, another one was given in since, or a day has passed",
                hint="Choose the file again.",
            )
    return File(row.digest, row.name, zlib.decompress(row.packed))


def _owner(unit: Unit) -> int:
    unit.actor.needs(Privilege.MANAGE_MEMBERS)
    if unit.actor.member_id is None:
        raise NotAllowed("a file is kept for a member who gave it in")
    return unit.actor.member_id
