"""stdout and stderr: what they cannot show is shown by its code, and a reader who has gone is no mistake."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from authority.domain.disk import OutputNotWritten
from authority.domain.names import escaped

# 128 and SIGPIPE: what the shell says of a command whose reader has gone, as in `carnet-authority member list | head -1`.
READER_GONE = 141


class ReaderGone(Exception):
    """Whoever read the output has stopped: there is nobody to tell anything more. Exit status 141."""


def prepare() -> None:
    """A name that the output cannot show is shown by its code: the work is done, and no name may make it look undone.

    A stream that was closed before this process began is there, and has nothing and takes all.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open to the end, as its namesake is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def as_printed(text: str) -> str:
    """The text as stdout shows it: a letter that its encoding lacks is its code, and so many cells wide."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """A block that prints. Raises ReaderGone, OutputNotWritten."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise OutputNotWritten(f"the output cannot be written: {error.strerror or error}") from error


def tell(text: str) -> None:
    """One line for people, on stderr: "carnet-authority: " and the text. Raises ReaderGone, OutputNotWritten."""
    with explained():
        print(f"carnet-authority: {safe(text)}", file=sys.stderr)


def safe(text: str) -> str:
    """Text for a terminal: escapes, line breaks and direction marks are shown by their code; joiners are part of a word."""
    return escaped(text)


def flush() -> None:
    """Writes what was printed. Raises ReaderGone, OutputNotWritten."""
    for stream in (sys.stdout, sys.stderr):
        with explained():
            stream.flush()


def drop() -> None:
    """What is still in the buffers of the output goes nowhere; else Python tries again at its end, and complains."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
