"""Entry point of `carnet-report`; says what is missing where only the verifier was installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command and exits with its status."""
    try:
        from checkout_log.report.command_line import main as run

        sys.exit(run())
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "checkout_log":
            raise
        print(f"carnet-report needs {error.name}: pip install 'carnet[notebooks]'", file=sys.stderr)  # noqa: T201
        sys.exit(3)
    except KeyboardInterrupt:
        # While it is imported, too.
        sys.exit(130)


if __name__ == "__main__":
    main()
