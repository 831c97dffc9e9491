"""One message on one channel, whatever its type."""

from __future__ import annotations

from datetime import datetime

from authority.domain.notices import Channel, ChannelType, Message
from authority.sending import by_apprise, webhook
from authority.sending.failure import NotSent


def check(kind: ChannelType, address: str, *, to_members: bool) -> str:
    """The address as it is kept. Raises InvalidInput, which does not repeat it, and SettingsInvalid."""
    if kind is ChannelType.WEBHOOK:
        return webhook.check(address)
    return by_apprise.check(address, is_mail=to_members)


def shown(channel: Channel) -> str:
    """What of the address may be seen: the service, or the host of a webhook."""
    return webhook.shown(channel.address) if channel.type is ChannelType.WEBHOOK else by_apprise.shown(channel.address)


def can_send(channel: Channel) -> bool:
    """Whether what sends on such a channel is installed here."""
    return channel.type is ChannelType.WEBHOOK or by_apprise.is_installed()


def send(channel: Channel, message: Message, at: datetime) -> None:
    """Sends the message once. Raises NotSent."""
    if channel.type is ChannelType.WEBHOOK:
        if channel.secret is None:
            raise NotSent("it has no secret to sign with: remove it, and add it again")
        webhook.send(channel.address, channel.secret, message, at)
    else:
        by_apprise.send(channel.address, message)
