"""demo: one borrow on this very machine, from request to refusal, in front of the user's eyes."""

from __future__ import annotations

import click


def add_commands(cli: click.Group) -> None:
    """Adds the commands of this module."""
