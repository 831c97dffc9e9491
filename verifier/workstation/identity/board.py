"""The number that a maker gave to a board (SMBIOS, system UUID): a second mark of a machine, on any system."""

from __future__ import annotations

import re
import struct

from verifier.workstation.identity import hashed

UUID = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\n?\Z")
NUMBER = re.compile(r"\A[0-9a-f]{32}\n?\Z")
# One digit 32 times is no number of a board, nor a machine id: machine-id(5) says so of zeros.
ONE_DIGIT = re.compile(r"\A([0-9a-f])\1{31}\n?\Z")
# What makers of boards leave in them: the same on thousands of machines, so it tells none from another. systemd makes the
# machine id of a virtual machine of the number of its board.
UNSET = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "01234567-89ab-cdef-0123-456789abcdef",
        "11111111-2222-3333-4444-555555555555",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    }
)
UNSET_DIGITS = frozenset(number.replace("-", "") for number in UNSET)
# DMTF DSP0134: the header of a structure, the structure "System Information", and where its UUID stands.
HEADER_BYTES = 4
SYSTEM_INFORMATION = 1
UUID_AT = 8
# Three numbers, little-endian, and eight bytes as they stand.
UUID_FIELDS = struct.Struct("<IHH2s6s")


def mark(text: str) -> str | None:
    """The second mark for a system UUID as text, or None when it is none or one that many boards have."""
    lowered = text.lower()
    return hashed(text) if UUID.match(lowered) and is_of_one_machine(lowered) else None


def is_of_one_machine(lowered: str) -> bool:
    """Whether a text in small letters is a number of 32 digits (as a UUID, or without hyphens) that only one machine has."""
    digits = lowered.strip().replace("-", "")
    is_number = UUID.match(lowered) is not None or NUMBER.match(lowered) is not None
    return is_number and ONE_DIGIT.match(digits) is None and digits not in UNSET_DIGITS


def uuid_in(structures: bytes) -> str:
    """The system UUID in a table of SMBIOS structures, as Linux and Windows write it, or "" when the table has none.

    DMTF DSP0134, 6.1: each structure is its own length, then texts that end with two zero bytes. 7.2: the UUID of structure 1;
    its first three fields are little-endian.
    """
    at = 0
    while at + HEADER_BYTES <= len(structures):
        kind, length = structures[at], structures[at + 1]
        if length < HEADER_BYTES:
            return ""
        if kind == SYSTEM_INFORMATION:
            raw = structures[at : at + length][UUID_AT:][: UUID_FIELDS.size]
            return _uuid(raw) if len(raw) == UUID_FIELDS.size else ""
        end = structures.find(b"\0\0", at + length)
        if end < 0:
            return ""
        at = end + 2
    return ""


def _uuid(raw: bytes) -> str:
    """RFC 9562, section 4; the module `uuid` does the same, and is slow to import for every check."""
    first, second, third, fourth, fifth = UUID_FIELDS.unpack(raw)
    return f"{first:08x}-{second:04x}-{third:04x}-{fourth.hex()}-{fifth.hex()}"
