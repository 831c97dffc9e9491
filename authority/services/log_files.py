"""The sealed log as a file that proves itself: its rows with their seals, the checkpoints, and what their keys are known by.

JSON lines: first what it is, then every checkpoint, then a row and its seal in each line. Verified without the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

from authority.domain import log_seal
from authority.domain.log_faults import Examination, FaultKind
from authority.domain.log_seal import PERSONAL, PLAIN, ErasedDigest, Seal
from authority.domain.members import Privilege
from authority.domain.refusals import CheckpointUnusable, NotFound
from authority.services import other_files
from authority.services.log_verification import (
    Verification,
    erased_faults,
    judge,
    kept_elsewhere,
    outside_faults,
    pages,
    read_all,
    restores,
)
from authority.services.unit import Unit
from authority.signing import authorizations
from authority.signing.checkpoints import KnownKeys
from authority.storage import organization, seals
from authority.storage.seals import BEFORE_ALL, openings_of, openings_text

KIND = "sealed-log"
# The first line has the trust file and all authorizations, of at most 240 KiB each; texts of a row have hundreds of characters.
LONGEST_FIRST_LINE = 64 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
COLUMNS = frozenset((*PLAIN, *PERSONAL))


def lines(unit: Unit) -> Iterator[str]:
    """The lines of the file, each with its end: every sealed row, as the database has it. Raises NotAllowed, NotFound before the first seal."""
    with unit.reading(), seals.any_text(unit.connection):
        unit.actor.needs(Privilege.READ_LOG)
        connection = unit.connection
        signed = seals.checkpoints_as_stored(connection)
        if not signed:
            raise NotFound("the log was not sealed yet", hint="Seal it: carnet-authority log seal")
        numbers = organization.authorization_numbers(connection)
        yield _line(
            {
                "carnet": KIND,
                "version": 1,
                "organization": unit.organization.id,
                "trust": unit.organization.trust_file,
                "authorizations": [organization.authorization_texts(connection, number)[0] for number in numbers],
            }
        )
        for item in signed:
            yield _line({"checkpoint": item.compact})
        ends = [item.last for item in signed if isinstance(item.last, int)]
        for page in pages(connection, BEFORE_ALL, max(seals.last(connection), *ends)):
            yield from _row_lines(*page)


def _row_lines(rows: Sequence[Mapping[str, Any]], marks: Sequence[Seal]) -> Iterator[str]:
    by_number, seal_of = {row["id"]: row for row in rows}, {mark.event_id: mark for mark in marks}
    for number in sorted(by_number.keys() | seal_of.keys()):
        row, mark = by_number.get(number), seal_of.get(number)
        yield _line({"row": row, "seal": None if mark is None else _members(mark)})


def _line(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)
    # What is no Unicode stands there by its code, as JSON has it.
    return f"{text.encode('utf-8', 'backslashreplace').decode()}\n"


def _members(mark: Seal) -> dict[str, Any]:
    members = {"number": mark.event_id, "digest": mark.digest.hex(), "chain": mark.chain.hex()}
    if mark.openings is not None:
        return {**members, "openings": openings_text(mark.openings)}
    return {**members, "secret": mark.secret.hex() if isinstance(mark.secret, bytes) else ""}


class LogFile:
    """A file of the sealed log that is being read: what its first lines say, and then its rows."""

    def __init__(self, stream: BinaryIO) -> None:
        """Raises CheckpointUnusable for a file that does not begin as one of these, saying what it is instead, as far as that is known."""
        self._stream = stream
        self.number = 1
        first = stream.readline(LONGEST_FIRST_LINE).removeprefix(b"\xef\xbb\xbf")
        if (what := other_files.what_it_is(first, stream)) is not None:
            raise CheckpointUnusable(f"this is not the file of a sealed log, but {what}", hint=other_files.HINT)
        head = self._object(first)
        if (head.get("carnet"), head.get("version")) != (KIND, 1):
            raise CheckpointUnusable(
                f"the file of a sealed log is of version {head.get('version')!r}, this program reads 1", hint="Update Carnet."
            )
        name, trust, texts = head.get("organization"), head.get("trust"), head.get("authorizations")
        if not (isinstance(name, str) and isinstance(trust, str) and isinstance(texts, list)):
            raise CheckpointUnusable("the first line of the file is not that of a sealed log")
        self.organization, self.trust = name, trust
        self.authorizations = [text for text in texts if isinstance(text, str)]

    def members(self) -> Iterator[dict[str, Any]]:
        """The objects of the lines that follow. Raises CheckpointUnusable for a line that is none."""
        while line := self._stream.readline(LONGEST_LINE):
            self.number += 1
            if line.strip():
                yield self._object(line)

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            value = json.loads(line.decode(), object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            cut = "" if line.endswith(b"\n") else ": the file ends in the middle of it"
            raise CheckpointUnusable(
                f"line {self.number} of the file is no JSON{cut or f' ({error})'}", hint=other_files.HINT
            ) from error
        if not isinstance(value, dict):
            raise CheckpointUnusable(f"line {self.number} of the file is no JSON object")
        return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def verify_file(stream: BinaryIO, trust: bytes | None, outside: Sequence[str] = ()) -> Verification:
    """Whether the log in a file is what was sealed, without any database.

    `trust` is the trust file to go by, None for the one in the file, whose root keys somebody then has to compare. `outside` are compact
    checkpoints that were kept elsewhere. Raises CheckpointUnusable for a file that cannot be read, AuthorizationUnusable for the trust file.
    """
    file = LogFile(stream)
    trust_file = file.trust if trust is None else trust.decode("utf-8", "replace")
    roots = _roots(file, trust_file)
    known, members = KnownKeys.taken(file.authorizations, trust_file), file.members()
    texts, first = _checkpoint_texts(members)
    read, faults = read_all(texts, known)
    start = log_seal.start_of(file.organization)
    trusted = judge(read, start, faults)
    faults += outside_faults([kept_elsewhere(text, known, read) for text in outside], read)
    examination = Examination(trusted[-1].start if trusted else start, trusted)
    erased = _examine(examination, chain(first, members), file)
    faults += examination.faults + erased_faults(erased, trusted)
    return Verification(
        faults=tuple(faults),
        more_faults=examination.more_faults,
        checkpoint=trusted[-1] if trusted else None,
        rows=examination.rows,
        after=examination.start.last,
        last=examination.point.last,
        is_from_beginning=True,
        waiting=None,
        outside=len(outside),
        restores=restores(trusted),
        own_roots=tuple(roots) if trust is None else (),
    )


def _roots(file: LogFile, trust_file: str) -> list[str]:
    """The root keys of the trust file. Raises CheckpointUnusable for one of another organization, AuthorizationUnusable."""
    organization_id, roots = authorizations.organization_of(trust_file.encode())
    if organization_id != file.organization:
        raise CheckpointUnusable(
            f'the file is of the organization "{file.organization}", the trust file of "{organization_id}"'
        )
    return roots


def _checkpoint_texts(members: Iterator[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """The compact checkpoints that the lines begin with, and the first line after them, if there is one."""
    texts: list[str] = []
    for item in members:
        if not isinstance(item.get("checkpoint"), str):
            return texts, [item]
        texts.append(item["checkpoint"])
    return texts, []


def _examine(examination: Examination, members: Iterable[Mapping[str, Any]], file: LogFile) -> ErasedDigest:
    """Tells the rows of the file to the examination, and returns the digest of what is erased in them."""
    erased, before = ErasedDigest(), BEFORE_ALL
    for item in members:
        if not item.keys() & {"row", "seal"}:
            raise CheckpointUnusable(f"line {file.number} of the file is neither a checkpoint nor a row", hint=other_files.HINT)
        row, seal = _row(item, file), _seal(item, file)
        number = seal.event_id if seal is not None else row["id"] if row is not None else before
        if number <= before:
            examination.add(FaultKind.MOVED, number, number, f"in line {file.number} it does not follow row {before}")
            continue
        if row is not None and row["id"] != number:
            examination.add(FaultKind.MOVED, number, number, f"row {row['id']} stands in its place")
            row = None
        examination.take_one(number, row, seal)
        if seal is not None and seal.openings is not None:
            erased.add(number, seal.openings)
        before = number
    examination.finish()
    return erased


def _row(item: Mapping[str, Any], file: LogFile) -> Mapping[str, Any] | None:
    """The row of a line, None where it was missing. Raises CheckpointUnusable for one that has not just the columns of the log."""
    row = item.get("row")
    if row is None:
        return None
    if not isinstance(row, dict) or row.keys() != COLUMNS or type(row["id"]) is not int:
        raise CheckpointUnusable(f"line {file.number} of the file is no row of the log")
    return row


def _seal(item: Mapping[str, Any], file: LogFile) -> Seal | None:
    """The seal of a line, None where it was missing. Raises CheckpointUnusable."""
    members = item.get("seal")
    if members is None:
        return None
    try:
        openings = openings_of(members["openings"]) if "openings" in members else None
        secret = None if openings is not None else bytes.fromhex(members["secret"])
        number, digest, chain_value = members["number"], bytes.fromhex(members["digest"]), bytes.fromhex(members["chain"])
    except (TypeError, KeyError, ValueError) as error:
        raise CheckpointUnusable(f"line {file.number} of the file has no seal that can be read") from error
    if type(number) is not int or not BEFORE_ALL < number < 2**63:
        raise CheckpointUnusable(f"line {file.number} of the file has a seal without a number")
    return Seal(number, digest, chain_value, secret, openings)
