"""Entry point of `carnet-authority`; says what is missing where only the verifier was installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs one command and exits with its status."""
    try:
        from authority.cli import main as commands

        commands.main()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "authority":
            raise
        print(f"carnet-authority needs {error.name}: pip install 'carnet[authority]'", file=sys.stderr)  # noqa: T201
        sys.exit(3)
    except KeyboardInterrupt:
        # While it is imported, too.
        sys.exit(130)
