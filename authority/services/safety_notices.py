"""What says that the authority's own records are in danger: a log that is not what was sealed, and a backup that is old."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from authority.domain.members import CONSOLE
from authority.domain.notices import NewNotice, NoticeKind, minute
from authority.domain.refusals import DatabaseBehind, LogNotIntact
from authority.services import backing_up, seal_health
from authority.services.context import Authority
from authority.services.unit import Unit

LONGEST_KEY = 200


def due(authority: Authority, wanted: Collection[NoticeKind]) -> list[NewNotice]:
    """What is so now; what nobody wants to know is not looked at. Each look is a transaction of its own."""
    return [*_seal(authority, wanted), *_backup(authority, wanted)]


def _seal(authority: Authority, wanted: Collection[NoticeKind]) -> Iterator[NewNotice]:
    if NoticeKind.SEAL_BROKEN in wanted:
        unit = Unit(authority, CONSOLE)
        try:
            seal_health.check_intact(unit)
        except (LogNotIntact, DatabaseBehind) as error:
            yield NewNotice(NoticeKind.SEAL_BROKEN, error.message[:LONGEST_KEY], {"fault": error.message})


def _backup(authority: Authority, wanted: Collection[NoticeKind]) -> Iterator[NewNotice]:
    """Whoever never made one by this program may have another way, and is told nothing."""
    if NoticeKind.BACKUP_OLD in wanted:
        made_at = backing_up.last_made_at(authority)
        if made_at is not None and authority.now() - made_at > backing_up.IS_OLD_AFTER:
            yield NewNotice(NoticeKind.BACKUP_OLD, made_at.isoformat(), {"made_at": minute(made_at)})
