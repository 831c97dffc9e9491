"""The machine key on Windows: sealed by the system for this user (DPAPI), so that a copy of the file alone opens nowhere else."""

from __future__ import annotations

import base64
import binascii
import re
import sys

BEGIN = b"-----BEGIN CARNET KEY SEALED BY WINDOWS-----"
END = b"-----END CARNET KEY SEALED BY WINDOWS-----"
SEALED = re.compile(rb"\A\s*%b\s+([A-Za-z0-9+/=\s]+)\s%b\s*\Z" % (BEGIN, END))
LINE = 64


class NotSealed(Exception):
    """The text is not one that Windows sealed here; the sentence says what it is instead."""


def armored(blob: bytes) -> bytes:
    """The text of a file for sealed bytes."""
    text = base64.b64encode(blob)
    lines = [text[at : at + LINE] for at in range(0, len(text), LINE)]
    return b"\n".join([BEGIN, *lines, END, b""])


def unarmored(text: bytes) -> bytes:
    """The sealed bytes in the text of a file. Raises NotSealed."""
    match = SEALED.match(text)
    try:
        return base64.b64decode(b"".join(match[1].split()), validate=True) if match else _not_sealed()
    except binascii.Error as error:
        raise NotSealed("is damaged") from error


def _not_sealed() -> bytes:
    raise NotSealed("was not sealed by Windows; it is damaged, or was copied from another system")


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    # Another program of this user that asks Windows to open the file gets nothing without it, unless it was written to.
    ENTROPY = b"carnet machine key"
    NO_QUESTIONS = 0x1  # CRYPTPROTECT_UI_FORBIDDEN

    class Blob(ctypes.Structure):
        """DATA_BLOB: a length and where the bytes are."""

        _fields_ = (("size", wintypes.DWORD), ("data", ctypes.POINTER(ctypes.c_char)))

    def seal(secret: bytes) -> bytes:
        """The text of a file that this user alone can open, on this machine. Raises OSError."""
        return armored(_ask("CryptProtectData", secret))

    def unseal(text: bytes) -> bytes:
        """What was sealed. Raises NotSealed, also when another user or another machine sealed it."""
        blob = unarmored(text)
        try:
            return _ask("CryptUnprotectData", blob)
        except OSError as error:
            raise NotSealed(f"was sealed for another user or on another machine, or is damaged ({error.strerror})") from error

    def _ask(function: str, data: bytes) -> bytes:
        ask = getattr(ctypes.WinDLL("crypt32", use_last_error=True), function)
        blob = ctypes.POINTER(Blob)
        ask.argtypes = [blob, ctypes.c_void_p, blob, ctypes.c_void_p, ctypes.c_void_p, wintypes.DWORD, blob]
        answer = Blob()
        if not ask(_blob(data), None, _blob(ENTROPY), None, None, NO_QUESTIONS, ctypes.byref(answer)):
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            return ctypes.string_at(answer.data, answer.size)
        finally:
            free = ctypes.WinDLL("kernel32").LocalFree
            free.argtypes = [ctypes.c_void_p]
            free(ctypes.cast(answer.data, ctypes.c_void_p))

    def _blob(data: bytes) -> Blob:
        return Blob(len(data), ctypes.cast(ctypes.create_string_buffer(data, len(data)), ctypes.POINTER(ctypes.c_char)))
