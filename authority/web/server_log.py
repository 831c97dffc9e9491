"""What the server writes into its log (stderr): lines that nobody who sends a request can make, end or color."""

from __future__ import annotations

import sys
import traceback

from authority.domain.names import escaped


def write(what: str, error: BaseException) -> None:
    """Writes how an error came to be; each line begins with what it is about, and has what cannot be shown by its code."""
    lines = [line for part in traceback.format_exception(error) for line in part.splitlines()]
    sys.stderr.write("".join(f"{escaped(what)}: {escaped(line)}\n" for line in lines))
    sys.stderr.flush()
