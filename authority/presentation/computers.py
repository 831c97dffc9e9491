"""Where a license is used: the computer, and the person's account on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from authority.domain.borrows import Machine
from authority.presentation.shown import NOT_IN_SHEETS, Shown


class MachineShown(Shown):
    """A computer; its id is a hash of what `source` names."""

    id: str
    alias: str | None = Field(description="the name that people gave it")
    source: Annotated[str, NOT_IN_SHEETS] = Field(
        description="what the id is made from; behind a comma, that it is a container, wsl or user-namespace"
    )


class UserShown(Shown):
    """A user of the operating system."""

    id: str = Field(description="uid:N or sid:S-1-...")
    name: str


def place_of(machine: MachineShown) -> str:
    """` (container)` and the like for people, where the machine is one that others may be a copy of; else ""."""
    _, _, place = machine.source.partition(", ")
    return f" ({place})" if place else ""


def name_of(machine: Machine | MachineShown) -> str:
    """The name that people gave the machine, or else its id."""
    return machine.alias or machine.id
