"""Entry point of `carnet-authority`: the commands, and the one place where refusals become exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from authority.cli import (
    api_keys,
    authorizations,
    borrows,
    demo,
    licenses,
    people,
    policies,
    pools,
    records,
    server,
    sessions,
    vendor,
)
from authority.cli.frame import TROUBLE, Frame, Group, failure
from authority.domain.refusals import Refusal

EPILOG = """\b
examples:
  carnet-authority init --org "Field Survey"
  carnet-authority serve
  carnet-authority member add ada --type "GIS Professional"
  carnet-authority borrow issue trip.request --member ada -o trip.borrow
  carnet-authority borrow release ID --reason "laptop re-imaged" --accept-overlap

exit status: 0 done, 1 refused by a rule, 2 wrong usage, 3 storage, settings or key trouble
"""


@click.group(cls=Group, epilog=EPILOG)
@click.version_option(package_name="carnet", prog_name="carnet-authority")
def cli() -> None:
    """Issue, watch and end offline licenses."""


for module in (server, people, api_keys, licenses, policies, pools, borrows, sessions, records, demo, authorizations, vendor):
    module.add_commands(cli)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its status. No error reaches the user as a traceback."""
    frame = Frame()
    try:
        status = cli.main(
            args=None if argv is None else list(argv), prog_name="carnet-authority", standalone_mode=False, obj=frame
        )
        sys.exit(status if isinstance(status, int) else 0)
    except Refusal as error:
        sys.exit(failure(frame, error))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except OSError as error:
        print(f"carnet-authority: {error}", file=sys.stderr)
        sys.exit(TROUBLE)
    except Exception as error:  # noqa: BLE001 - the last line of defense: a mistake of ours is told, not shown as a traceback
        print(f"carnet-authority: a mistake in the program, please report it: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(TROUBLE)


if __name__ == "__main__":
    main()
