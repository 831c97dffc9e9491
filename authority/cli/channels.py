"""channel: where notices go."""

from __future__ import annotations

import shlex

import click

from authority.cli.files import first_line
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import REFUSED, Columns, show, show_count, show_table
from authority.cli.several import dry_run_option
from authority.domain.members import CONSOLE
from authority.domain.notices import ChannelType, Digest, NoticeKind
from authority.presentation.notices import ChannelRemoved, ChannelShown, ChannelTrial, MadeChannel
from authority.services import channels
from authority.services.channels import Change, NewChannel
from authority.services.unit import Unit

LONGEST_ADDRESS_FILE = 64 * 1024


def _state(channel: ChannelShown) -> str:
    if channel.paused:
        return "paused"
    return f"FAILS: {channel.error}" if channel.failing_since else "ok"


COLUMNS: Columns[ChannelShown] = {
    "name": lambda channel: channel.name,
    "type": lambda channel: channel.type,
    "address": lambda channel: channel.address,
    "kinds": lambda channel: channel.kinds,
    "digest": lambda channel: channel.digest,
    "to": lambda channel: "members" if channel.to_members else "",
    "state": _state,
    "last sent": lambda channel: channel.sent_at or "never",
    "id": lambda channel: channel.id,
}
MAY_GO = ("id", "digest", "kinds", "last sent", "to", "address", "state")
kinds_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([str(kind) for kind in NoticeKind]),
    help="What goes to it; may be given several times. Default of a new one: all.",
)
digest_option = click.option(
    "--digest",
    type=click.Choice([str(digest) for digest in Digest]),
    help="What waits for the one message of the day: slow (ends of borrows, authorization and keys), all or none. Default: slow.",
)
address_option = click.option(
    "--url-file",
    metavar="FILE",
    help="Takes the URL from the first line of the file; - asks for it, or reads stdin. It has secrets, and is no argument.",
)


@click.group(cls=Group)
def channel() -> None:
    """Say where notices go: mail, Teams, Slack and the like, or a signed webhook."""


@channel.command("add")
@click.argument("name")
@click.option("--type", "kind", required=True, type=click.Choice([str(kind) for kind in ChannelType]))
@address_option
@kinds_option
@digest_option
@click.option(
    "--to-members", is_flag=True, help="Each member hears of their own, at their e-mail address; a mail server's URL."
)
@pass_frame
def add(
    frame: Frame,
    name: str,
    kind: str,
    url_file: str | None,
    kinds: tuple[str, ...],
    digest: str | None,
    to_members: bool,
) -> None:
    """Add a channel; the secret that a webhook is signed with is shown this once."""
    wanted = NewChannel(
        name,
        ChannelType(kind),
        first_line(url_file or "-", "URL", LONGEST_ADDRESS_FILE),
        tuple(map(NoticeKind, kinds)),
        Digest(digest or Digest.SLOW),
        to_members,
    )
    with frame.authority() as authority:
        made = MadeChannel.made(channels.add(Unit(authority, CONSOLE), wanted))
    lines = [f"added {_words(made)}"]
    if made.secret is not None:
        lines += ["its requests are signed with this secret, shown this once:", made.secret]
    to = " --to ADDRESS" if made.to_members else ""
    show(frame, made, [*lines, f"try it: carnet-authority channel test {shlex.quote(made.name)}{to}"])


def _words(shown: ChannelShown) -> str:
    to = ", to members" if shown.to_members else ""
    return f'the channel "{shown.name}" ({shown.address}): {", ".join(shown.kinds)}; digest {shown.digest}{to}'


@channel.command("list")
@pass_frame
def list_channels(frame: Frame) -> None:
    """List the channels, never their addresses."""
    with frame.authority() as authority:
        rows = list(map(ChannelShown.of, channels.listed(Unit(authority, CONSOLE))))
    show_table(frame, rows, COLUMNS, MAY_GO)
    show_count(frame, len(rows), "channel")


@channel.command("set")
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help="Another name.")
@address_option
@kinds_option
@digest_option
@click.option("--pause/--go-on", "paused", default=None, help="Whether nothing is sent for now; what waits stays.")
@dry_run_option
@pass_frame
def set_channel(
    frame: Frame,
    name: str,
    new_name: str | None,
    url_file: str | None,
    kinds: tuple[str, ...],
    digest: str | None,
    paused: bool | None,
    dry_run: bool,
) -> None:
    """Change a channel."""
    wanted = Change(
        name=new_name,
        address=None if url_file is None else first_line(url_file, "URL", LONGEST_ADDRESS_FILE),
        kinds=tuple(map(NoticeKind, kinds)) or None,
        digest=None if digest is None else Digest(digest),
        paused=paused,
    )
    with frame.authority() as authority:
        shown = ChannelShown.of(channels.change(Unit(authority, CONSOLE), name, wanted, dry_run=dry_run))
    show(frame, shown, [f"{'would be' if dry_run else 'now'}: {_words(shown)}; {_state(shown)}"])


@channel.command("remove")
@click.argument("name")
@dry_run_option
@pass_frame
def remove(frame: Frame, name: str, dry_run: bool) -> None:
    """Remove a channel; what waits on it is not sent any more."""
    with frame.authority() as authority:
        shown = ChannelShown.of(channels.remove(Unit(authority, CONSOLE), name, dry_run=dry_run))
    value = ChannelRemoved(channel=shown, dry_run=dry_run)
    show(frame, value, [f"{'would remove' if dry_run else 'removed'} {_words(shown)}"])


@channel.command("test")
@click.argument("name")
@click.option("--to", "recipient", metavar="ADDRESS", help="Who gets it, of a channel to members.")
@pass_frame
def try_out(frame: Frame, name: str, recipient: str | None) -> int:
    """Send a test message, and say whether it was taken; ends with 1 when it was not."""
    with frame.authority() as authority:
        trial = ChannelTrial.of(channels.try_out(Unit(authority, CONSOLE), name, recipient=recipient))
    words = "took the message" if trial.sent else f"did not take the message: {trial.error}"
    show(frame, trial, [f'the channel "{trial.channel.name}" ({trial.channel.address}) {words}'])
    return 0 if trial.sent else REFUSED
