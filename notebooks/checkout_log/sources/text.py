"""Files as text, a block at a time: whatever bytes they hold, lines come out."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checkout_log.errors import SourceUnreadable

# Large enough that the work for each block does not count, small enough that several copies of it do not either.
BLOCK = 8 * 1024 * 1024
NEWLINE = 10
UTF8_MARK = codecs.BOM_UTF8
# How packed files begin, and what unpacks them: log rotation uses all three.
PACKED: dict[bytes, Callable[[Path], object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError)
UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# A log that is emptied while its server goes on writing at the old place begins with zeros, however many.
ZERO = b"\0"
SAMPLE = 4096


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a file, each with its line end: their bytes (valid UTF-8), where each starts, and the number of the first."""

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    lines: pa.StringArray
    first_number: int
    size: int

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The number of each line, from 1 at the beginning of the file."""
        return np.arange(self.first_number, self.first_number + len(self.lines), dtype=np.int64)


def head(path: Path, size: int = 256 * 1024) -> bytes:
    """The first bytes of a file that are not zero, unpacked. Raises SourceUnreadable."""
    try:
        with _opened(path) as stream:
            while data := stream.read(size):
                if text := data.lstrip(ZERO):
                    return text
            return b""
    except FAULTS as error:
        raise _unreadable(path, error) from error


def decoded(data: bytes) -> str:
    """The text of these bytes: UTF-8, and where they are none, each byte as Windows of Western Europe reads it.

    Servers on Windows write names of users in the code page of the machine.
    """
    return data.decode("utf-8", errors="checkout_log.windows")


def number(digits: str, most: int) -> int:
    """The number that these digits are; 0 where it is larger than `most`, however many digits it has."""
    value = int(digits) if len(digits) <= len(str(most)) else 0
    return value if value <= most else 0


def blocks(path: Path) -> Iterator[Block]:
    """The lines of a file, block by block. Raises SourceUnreadable."""
    number = 1
    for data in _pieces(path):
        block = _block(data, number)
        number += len(block.lines)
        yield block


def is_plain(path: Path) -> bool:
    """Whether the bytes of a file are its text: it is not packed, nor UTF-16. Raises SourceUnreadable."""
    try:
        with path.open("rb") as stream:
            sample = stream.read(SAMPLE)
    except OSError as error:
        raise _unreadable(path, error) from error
    return not sample.startswith((*PACKED, *UTF16_MARKS)) and _unmarked(sample) is None


def raw_pieces(path: Path, start: int) -> Iterator[bytes]:
    """The bytes of a plain file from a place on, in pieces of whole lines; what follows the last line end comes last.

    A piece in which no line ends is no text. Raises SourceUnreadable.
    """
    rest = b""
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            while more := stream.read(BLOCK):
                rest += more
                cut = rest.rfind(b"\n") + 1
                if cut:
                    yield rest[:cut]
                    rest = rest[cut:]
                elif len(rest) >= BLOCK:
                    yield rest
                    rest = b""
    except FAULTS as error:
        raise _unreadable(path, error) from error
    if rest:
        yield rest


def block(piece: bytes, first_number: int, *, is_first: bool) -> Block:
    """The lines of a piece that `raw_pieces` gave, the first of which has this number."""
    return _block(_ended(_text(piece, is_first=is_first)), first_number)


def has_text(piece: bytes, *, is_first: bool) -> bool:
    """Whether anything is in a piece that `raw_pieces` gave beside zeros and, in the first one, the mark of UTF-8."""
    return bool(_text(piece, is_first=is_first))


def _text(piece: bytes, *, is_first: bool) -> bytes:
    return (piece.removeprefix(UTF8_MARK) if is_first else piece).replace(ZERO, b"")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The number of each line, from 1, and its text without the line end. Raises SourceUnreadable."""
    number = 0
    for data in _pieces(path):
        for line in decoded(data).split("\n")[:-1]:
            number += 1
            yield number, line.rstrip("\r")


def _pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file in pieces of whole lines; the last line gets its end where it has none."""
    rest = b""
    try:
        with _opened(path) as stream:
            rest = stream.read(BLOCK).removeprefix(UTF8_MARK).replace(ZERO, b"")
            while more := stream.read(BLOCK):
                # A block without a line end is no text: it is cut, so that such a file needs no more memory than another.
                cut = rest.rfind(b"\n") + 1 or len(rest)
                yield _ended(rest[:cut])
                rest = rest[cut:] + more.replace(ZERO, b"")
    except FAULTS as error:
        raise _unreadable(path, error) from error
    if rest:
        yield _ended(rest)


def _ended(data: bytes) -> bytes:
    return data if data.endswith(b"\n") else data + b"\n"


def _opened(path: Path) -> IO[bytes]:
    """The bytes of a file as UTF-8 or a code page of one byte: packed files are unpacked, UTF-16 is rewritten."""
    with path.open("rb") as stream:
        first = stream.read(max(map(len, PACKED)))
    unpack = next((unpack for mark, unpack in PACKED.items() if first.startswith(mark)), _plain)
    with cast(IO[bytes], unpack(path)) as stream:
        sample = stream.read(SAMPLE)
    # Who asked for the stream closes it.
    plain = cast(IO[bytes], unpack(path))
    marked = UTF16_MARKS.get(sample[:2])
    encoding = marked or _unmarked(sample)
    if encoding is None:
        return plain
    if marked is not None:
        plain.read(2)
    return cast(IO[bytes], codecs.EncodedFile(plain, "utf-8", encoding, errors="replace"))


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _unmarked(sample: bytes) -> str | None:
    """The form of UTF-16 that these bytes have, if any: in most texts every second of them is zero, and no other."""
    even, odd = sample[::2].count(ZERO), sample[1::2].count(ZERO)
    if not even and odd > len(sample) // 4:
        return "utf-16-le"
    return "utf-16-be" if not odd and even > len(sample) // 4 else None


def _unreadable(path: Path, error: Exception) -> SourceUnreadable:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return SourceUnreadable(f'"{path}" cannot be read: {why}', hint="Check that it is whole and that you may read it.")


def _block(data: bytes, first_number: int) -> Block:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = decoded(data).encode("utf-8")
    array = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(array == NEWLINE) + 1
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    strings = pa.Array.from_buffers(pa.string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return Block(array, offsets[:-1], strings, first_number, len(data))


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error("checkout_log.windows", _as_windows)
