"""Entry point of `carnet`: imports the command within the one place where an early Ctrl-C ends in order."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Runs one command and exits with its status; 130, and no traceback, when it is interrupted."""
    try:
        from verifier.cli.main import main as run

        status = run()
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status)


if __name__ == "__main__":
    main()
