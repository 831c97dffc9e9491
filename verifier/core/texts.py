"""Bytes of a text file as people carry it: a byte order mark before it, or in UTF-16 as some programs save it."""

from __future__ import annotations

from verifier.errors import Malformed

UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


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
