"""Bytes of a text file as people save it: with a byte order mark before it, or in UTF-16 as some programs do."""

from __future__ import annotations

import codecs

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class NotText(ValueError):
    """The bytes are no UTF-8 text; the sentence says what they are, without the name of the file."""


def is_utf16(data: bytes) -> bool:
    """Whether the bytes begin as UTF-16 does: with its mark, or with a letter that has a zero byte."""
    return data.startswith(UTF16_MARKS) or b"\0" in data[:2]


def text_of(data: bytes) -> str:
    """The text in UTF-8 bytes, without a byte order mark. Raises NotText."""
    if is_utf16(data):
        raise NotText("is no UTF-8 text but UTF-16, as PowerShell and some editors save it: save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotText("is no UTF-8 text: save it as UTF-8") from error
