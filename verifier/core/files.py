"""The files that people carry: UTF-8 JSON objects that begin with their kind and version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from verifier.core.jose import strict_object
from verifier.errors import Malformed, UnsupportedVersion

LARGEST_FILE = 256 * 1024
LARGEST_STATUS_FILE = 2 * 1024 * 1024
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# Contract, section 3: the members of each kind besides "carnet" and "version".
MEMBERS: Mapping[str, frozenset[str]] = {
    "trust": frozenset({"roots", "organization", "updates"}),
    "trust-update": frozenset({"updates"}),
    "authorization": frozenset({"authorization"}),
    "request": frozenset({"request"}),
    "borrow": frozenset({"authorization", "borrow", "status_list"}),
    "return": frozenset({"receipt"}),
    "status": frozenset({"authorization", "status_list"}),
    "clock-reset": frozenset({"authorization", "reset"}),
    # How far the authority's log is sealed: kept by whoever looks after it, installed nowhere.
    "checkpoint": frozenset({"authorization", "checkpoint"}),
}


def named(kind: str) -> str:
    """A file of this kind in words: `an authorization file`."""
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind} file"


def parse(data: bytes | str, kind: str | None = None) -> tuple[str, dict[str, Any]]:
    """The kind of a file and its members; a byte order mark is passed over.

    Raises Malformed, also when it is not of the `kind` asked for, or UnsupportedVersion.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
    check_size(len(raw))
    members = strict_object(unmarked(raw))
    own, version = members.pop("carnet", None), members.pop("version", None)
    if not isinstance(own, str) or own not in MEMBERS:
        raise Malformed('the file does not say with "carnet" which kind it is')
    if type(version) is not int or version != 1:
        raise UnsupportedVersion(f"the {own} file is of version {version!r}, this program reads 1")
    if kind is not None and own != kind:
        raise Malformed(f"{named(kind)} is wanted, this is {named(own)}", kind=own)
    if own != "status" and len(raw) > LARGEST_FILE:
        raise Malformed(f"the file has {len(raw)} bytes, {named(own)} has at most {LARGEST_FILE}", size=len(raw))
    if members.keys() != MEMBERS[own]:
        raise Malformed(f"{named(own)} has the members {sorted(MEMBERS[own])}, not {sorted(members)[:9]}")
    return own, members


def check_size(size: int) -> None:
    """Raises Malformed for a file of more bytes than any of ours has."""
    if size > LARGEST_STATUS_FILE:
        raise Malformed(f"the file has more than {LARGEST_STATUS_FILE} bytes, the most that any file of Carnet has", size=size)


def unmarked(data: bytes) -> bytes:
    """The bytes of a UTF-8 text without a byte order mark, which Notepad and other editors put before it.

    What is signed is within the text, so that the mark changes nothing. Raises Malformed for an empty file and for UTF-16, which
    begins with a mark of its own or has a zero byte in its first letter.
    """
    text = data.removeprefix(UTF8_MARK)
    if not text:
        raise Malformed("the file is empty", size=0)
    if text.startswith(UTF16_MARKS) or b"\0" in text[:2]:
        raise Malformed(
            "the file is no UTF-8 text but UTF-16, as PowerShell and some editors save it",
            hint="Carry the file itself, as it was made; or save it again as UTF-8.",
        )
    return text


def render(kind: str, members: Mapping[str, Any]) -> bytes:
    """The bytes of a file of this kind, the same for the same members."""
    return (json.dumps({"carnet": kind, "version": 1, **members}, indent=2, ensure_ascii=False) + "\n").encode()
