"""notify, and notice: what is told, and what became of it."""

from __future__ import annotations

import click

from authority.cli.frame import Command, Frame, Group, pass_frame
from authority.cli.output import REFUSED, Columns, show, show_count, show_table
from authority.cli.several import dry_run_option
from authority.domain.members import CONSOLE
from authority.domain.notices import BOUNDS, DeliveryState, NoticeKind, NoticeSettings
from authority.domain.plurals import counted
from authority.presentation.notices import NoticeRun, NoticeSettingsShown, NoticeShown, words_of
from authority.presentation.shown import rfc3339
from authority.services import notices, notifying, organization_settings
from authority.services.unit import Unit

COLUMNS: Columns[NoticeShown] = {
    "made": lambda notice: notice.made_at,
    "kind": lambda notice: notice.kind,
    "notice": lambda notice: notice.text,
    "sent": lambda notice: (
        [
            f"{item.channel}{f' to {item.member}' if item.member else ''}: {words_of(item.state, _time, item)}"
            for item in notice.deliveries
        ]
        or "nowhere"
    ),
    "id": lambda notice: notice.id,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("id", "sent", "kind")


def _time(at: object) -> str:
    return str(rfc3339(at))  # type: ignore[arg-type] # it is a time where there is one


@click.command(cls=Command)
@dry_run_option
@pass_frame
def notify(frame: Frame, dry_run: bool) -> int:
    """Find what is to be told, and send it, once; for a timer. Ends with 1 when something was not sent."""
    with frame.authority() as authority:
        run = NoticeRun.of(notifying.run(authority, dry_run=dry_run), dry_run=dry_run)
    failed = [item for item in run.tries if item.error is not None]
    show(frame, run, _lines(run))
    return REFUSED if failed else 0


def _lines(run: NoticeRun) -> list[str]:
    if run.dry_run:
        kinds = [f"would tell {notice.kind}: {_facts(notice.facts)}" for notice in run.notices]
        return [*kinds, f"{counted(len(run.notices), 'new notice')}; {counted(run.waiting, 'message')} of before to be sent"]
    lines = [
        f"{item.channel}: {item.state}{f': {item.error}' if item.error else ''}" for item in run.tries if item.error is not None
    ]
    sent = sum(item.state is DeliveryState.SENT for item in run.tries)
    return [*lines, f"{counted(len(run.notices), 'new notice')}, {counted(sent, 'message')} sent, {len(lines)} not"]


def _facts(facts: object) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items()) if isinstance(facts, dict) else str(facts)


@click.group(cls=Group)
def notice() -> None:
    """See what was told, and set what is told when."""


@notice.command("list")
@click.option("--kind", "kinds", multiple=True, type=click.Choice([str(kind) for kind in NoticeKind]))
@click.option("--state", type=click.Choice([str(state) for state in DeliveryState]), help="Those with a message in this state.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@pass_frame
def list_notices(frame: Frame, kinds: tuple[str, ...], state: str | None, limit: int) -> None:
    """List the notices of the last 90 days, newest first: what became of each, when and why."""
    with frame.authority() as authority:
        page, more = notices.listed(
            Unit(authority, CONSOLE),
            limit=limit,
            kinds=list(map(NoticeKind, kinds)),
            state=None if state is None else DeliveryState(state),
        )
    show_table(frame, list(map(NoticeShown.of, page)), COLUMNS, MAY_GO)
    show_count(frame, len(page), "notice", more)


@notice.command("settings")
@click.option("--denials", type=click.IntRange(*BOUNDS["denials"]), help="So many denials of one product are a burst ...")
@click.option("--minutes", type=click.IntRange(*BOUNDS["minutes"]), help="... when they come within so many minutes.")
@click.option("--digest-hour", type=click.IntRange(*BOUNDS["digest_hour"]), help="The hour of the message of the day, UTC.")
@dry_run_option
@pass_frame
def set_up(frame: Frame, denials: int | None, minutes: int | None, digest_hour: int | None, dry_run: bool) -> None:
    """Show the settings of notices, and change those that are named."""
    changes = {"denials": denials, "minutes": minutes, "digest_hour": digest_hour}
    wanted = {name: value for name, value in changes.items() if value is not None}
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        settings = (
            organization_settings.change(unit, NoticeSettings, wanted, dry_run=dry_run)
            if wanted
            else organization_settings.show(unit, NoticeSettings)
        )
    shown = NoticeSettingsShown.of(settings)
    lines = [f"{name:<12} {value}" for name, value in shown.model_dump(exclude={"version"}).items()]
    show(frame, shown, [*(["would be:"] if dry_run and wanted else []), *lines])
