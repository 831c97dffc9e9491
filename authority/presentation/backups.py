"""A backup, and what became of one that was restored."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from authority.presentation.reconciliation import CaughtUpShown
from authority.presentation.shown import Shown, Time
from authority.services.backing_up import Manifest
from authority.services.restoring import Restored


class BackupShown(Shown):
    """What a backup has in it."""

    organization: str
    made_at: Time
    revision: str = Field(description="the migrations by which its tables are made")
    status_list: int = Field(description="the number of its newest status list, 0: none")
    authorization: int = Field(description="the number of the authorization in force in it")
    last_event: int = Field(description="the number of the last event of its log")
    rows: int = Field(description="how many rows it has, over all tables")

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """The backup by its manifest."""
        return cls(
            organization=manifest.organization,
            made_at=manifest.made_at,
            revision=manifest.revision,
            status_list=manifest.status_list,
            authorization=manifest.authorization,
            last_event=manifest.last_event,
            rows=manifest.rows(),
        )


class RestoredShown(Shown):
    """What was restored, what had to be taken in, and who may get in again."""

    backup: BackupShown
    caught_up: CaughtUpShown
    sign_ins_ended: int
    api_keys: int = Field(description="how many API keys work, as they did when the backup was made")
    came_back: tuple[str, ...] = Field(description="what of members and API keys is again as it was, and was changed since")
    messages_held_back: int = Field(
        description="how many messages that waited are not sent, for they went out since the backup, or may have"
    )
    aside: str | None = Field(description="the backup of the database that was replaced")

    @classmethod
    def of(cls, restored: Restored, aside: str | None) -> Self:
        """The restored database, and where what it replaced is kept."""
        return cls(
            backup=BackupShown.of(restored.manifest),
            caught_up=CaughtUpShown.of_result(restored.caught_up),
            sign_ins_ended=restored.sign_ins,
            api_keys=restored.api_keys,
            came_back=restored.came_back,
            messages_held_back=restored.held_back,
            aside=aside,
        )
