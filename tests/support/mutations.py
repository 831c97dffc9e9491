"""Changed copies of good files, by chance: of their bytes, of the text of a token, and of what a token says under its old signature."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from verifier.core.keys import decode, encode
from verifier.errors import CarnetError

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TOKEN = re.compile(rb"[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{2,}")
# What is written in the place of a number, a text or anything else.
VALUES: tuple[Any, ...] = (
    0,
    1,
    -1,
    2**31,
    2**53,
    2**63,
    10**400,
    1.5,
    True,
    None,
    "",
    "A" * 43,
    "\u0000",
    "\ud800",
    [],
    {},
    [[]],
    {"": 0},
)
LONGEST_SLICE = 40

Change = Callable[[Random, bytes], bytes]


def mutated(random: Random, good: Sequence[bytes]) -> bytes:
    """One of the good texts with one to three changes, which may by chance undo one another."""
    data = random.choice(good)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(CHANGES)(random, data)
    return data


def _other_byte(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _other_letter(random: Random, data: bytes) -> bytes:
    """A letter of base64url in the place of one."""
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.choice(ALPHABET)]) + data[at + 1 :]


def _one_bit(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) or 1)
    return data[:at] + bytes(byte ^ 1 << random.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def _put_in(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randint(1, 4)) + data[at:]


def _taken_out(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.randint(1, LONGEST_SLICE) :]


def _cut_short(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _moved(random: Random, data: bytes) -> bytes:
    """A slice of it stands somewhere else as well."""
    start, at = random.randrange(len(data) + 1), random.randrange(len(data) + 1)
    return data[:at] + data[start : start + random.randint(1, LONGEST_SLICE)] + data[at:]


def _other_part(random: Random, data: bytes) -> bytes:
    """A part of one token in the place of a part of another, or of its own."""
    tokens = list(TOKEN.finditer(data))
    if not tokens:
        return _moved(random, data)
    one, other = random.choice(tokens), random.choice(tokens)
    parts = one[0].split(b".")
    parts[random.randrange(3)] = random.choice(other[0].split(b"."))
    return data[: one.start()] + b".".join(parts) + data[one.end() :]


def _other_value(random: Random, data: bytes) -> bytes:
    """Something else in the header or the claims of a token, under the signature that it had; or in a text that is JSON."""
    tokens = list(TOKEN.finditer(data))
    try:
        if not tokens:
            return json.dumps(_changed(random, json.loads(data))).encode()
        token = random.choice(tokens)
        parts = token[0].decode().split(".")
        at = random.randrange(2)
        parts[at] = encode(json.dumps(_changed(random, json.loads(decode(parts[at]))), separators=(",", ":")).encode())
    except (ValueError, RecursionError, CarnetError):
        return _other_letter(random, data)
    return data[: token.start()] + ".".join(parts).encode() + data[token.end() :]


def _changed(random: Random, value: Any) -> Any:
    """The value with another one at a place of it, or without it."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        if random.random() < 0.1:
            return {key: item for key, item in value.items() if key != name}
        return value | {name: _changed(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        return [*value[:at], _changed(random, value[at]), *value[at + 1 :]]
    if type(value) is int and random.random() < 0.7:
        return value + random.choice((-86_400, -1, 1, 86_400))
    return random.choice(VALUES)


CHANGES: tuple[Change, ...] = (
    _other_byte,
    _other_letter,
    _other_letter,
    _one_bit,
    _put_in,
    _taken_out,
    _cut_short,
    _moved,
    _other_part,
    _other_value,
    _other_value,
)
