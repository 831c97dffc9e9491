"""Entry point of `carnet`: imports the command within the one place where an early Ctrl-C ends in order."""

from __future__ import annotations

import gc
import sys

INTERRUPTED = 130
# An import makes some ten thousand things that stay. To look through them for garbage again and again, as Python does after
# every 700, is a part of the start that everybody would wait for.
SELDOM = 50_000


def main() -> None:
    """Runs one command and exits with its status; 130, and no traceback, when it is interrupted."""
    gc.set_threshold(SELDOM)
    try:
        from verifier.cli.main import main as run

        status = run()
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)


if __name__ == "__main__":
    main()
