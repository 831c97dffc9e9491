"""Mail, Teams, Slack and many others by a URL, with the library Apprise (https://appriseit.com/services/)."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from authority.domain.notices import Message
from authority.domain.refusals import InvalidInput, SettingsInvalid
from authority.sending.failure import NotSent

if TYPE_CHECKING:
    from apprise import NotifyBase

LONGEST_ADDRESS = 2048
# Of one message, with all that a service does for it.
DEADLINE_SECONDS = 30.0
# What shows something on this very machine, or writes into its log: nobody is there to see it.
LOCAL = frozenset({"blink1", "dbus", "glib", "gio", "gnome", "growl", "kde", "macosx", "qt", "syslog", "windows"})
# What would read a file of this machine, and send it away.
_READS_FILES = re.compile(r"(template|keyfile|subfile|attach|pgp\w*|wkd)\Z", re.IGNORECASE)
# What Apprise says of a failure has addresses in it, and what a server wrote: only these are taken from it, in our words.
_STATUS = re.compile(r"error=([1-5][0-9]{2})\b")
_REFUSED = re.compile(r"SMTP recipient .* was refused: ([245][0-9]{2})\b")
_CONNECTION = re.compile("connection error", re.IGNORECASE)
# After the mail server let us in: this one mail was not taken.
_ONE_MAIL = re.compile('Sending email to ".*" failed')
_SMTP_ANSWER = re.compile(r"Socket Exception: (?:\{.*?)?\(([245][0-9]{2}), b")
# RFC 4954, 6: what a server says to who may not send.
_NOT_LET_IN = frozenset({"530", "534", "535", "538"})
# With 421 it closes the line, whoever the mail is to (RFC 5321, 3.8).
_OF_SERVER = _NOT_LET_IN | {"421"}
# What systems say of a connection.
_OF_SYSTEM = {
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not to be believed",
    "Name or service not known": "its name is not known here",
    "nodename nor servname": "its name is not known here",
    "getaddrinfo failed": "its name is not known here",
    "Connection refused": "nobody answers at its address and port",
    "actively refused": "nobody answers at its address and port",
    "timed out": "it took too long to answer",
}


def check(address: str, *, is_mail: bool) -> str:
    """The URL, if Apprise knows what it means, and nothing on this machine is shown or read by it.

    With `is_mail` it is one of a mail server, by which each member gets a mail. Raises InvalidInput, which does not repeat it,
    and SettingsInvalid where Apprise is not installed.
    """
    text = address.strip()
    hint = "docs/notices.md has examples; https://appriseit.com/services/ has all."
    if not text or len(text) > LONGEST_ADDRESS or not text.isprintable():
        raise InvalidInput("this is no URL of Apprise", hint=hint)
    scheme, _, rest = text.partition("://")
    # A mark for a fragment is none to Apprise.
    names = [unquote_plus(part.partition("=")[0]).strip(" +-:") for part in re.split("[?&]", rest)[1:]]
    if scheme.strip().lower() in LOCAL or any(map(_READS_FILES.fullmatch, names)):
        raise InvalidInput(
            "a channel shows nothing on this machine, and reads no file of it",
            hint="Leave template, keyfile, attach and pgp out of the URL; send to a service.",
        )
    service = _service(text)
    if service is None:
        raise InvalidInput("Apprise does not know what this URL means", hint=hint)
    if is_mail and not _is_mail(service):
        raise InvalidInput(
            "only a mail server reaches each member", hint="Write mailtos://USER:PASSWORD@HOST?from=licenses@example.org"
        )
    return text


def is_installed() -> bool:
    """Whether Apprise is there."""
    return importlib.util.find_spec("apprise") is not None


def shown(address: str) -> str:
    """Which service it is, and nothing else: host, path and query may all be secret."""
    return f"{address.partition('://')[0]}://…"


def send(address: str, message: Message) -> None:
    """Sends the message once. That a service took it does not say that somebody read it. Raises NotSent."""
    try:
        service = _service(address)
    except SettingsInvalid as error:
        raise NotSent(error.message) from error
    if service is None:
        raise NotSent("Apprise does not know any more what its URL means: set it anew")
    if message.recipient is not None:
        _address_to(service, message.recipient)
    from apprise import Apprise, AppriseResultStatus, NotifyFormat

    sender = Apprise(asset=service.asset)
    sender.add(service)
    result = sender.notify(
        body=message.text,
        title=message.subject,
        body_format=NotifyFormat.TEXT,
        interpret_escapes=False,
        timeout=DEADLINE_SECONDS,
        # What a mail server answered stands on this level alone.
        log_level=logging.DEBUG,
    )
    if not result:
        is_late = result.status is AppriseResultStatus.TIMEOUT
        raise NotSent("it took too long to answer") if is_late else _failure(entry.message for entry in result.logs())


def _failure(lines: Iterable[str]) -> NotSent:
    text = "\n".join(lines)
    if match := _STATUS.search(text):
        return NotSent(f"the service answered {match[1]}")
    if match := _REFUSED.search(text):
        return NotSent(f"the mail server refused the recipient with {match[1]}", is_of_recipient=True)
    is_of_recipient = _ONE_MAIL.search(text) is not None
    if match := _SMTP_ANSWER.search(text):
        reason = f"the mail server answered {match[1]}: {_meaning(match[1])}"
        return NotSent(reason, is_of_recipient=is_of_recipient and match[1] not in _OF_SERVER)
    of_system = text.partition("Socket Exception: ")[2]
    reason = next((reason for words, reason in _OF_SYSTEM.items() if words in of_system), "")
    if reason or _CONNECTION.search(text):
        return NotSent(reason or "it cannot be reached, or did not let us in")
    if is_of_recipient:
        return NotSent("the mail server did not take the mail to this recipient", is_of_recipient=True)
    return NotSent("the service did not take it")


def _meaning(code: str) -> str:
    if code in _NOT_LET_IN:
        return "it did not take the user or the password"
    return "not now" if code.startswith("4") else "it takes no such mail"


def _address_to(service: Any, recipient: str) -> None:
    """Makes the recipient the only one of a mail. Raises NotSent."""
    if not _is_mail(service):
        raise NotSent("its URL is none of a mail server: set it anew")
    service.targets, service.cc, service.bcc = [(False, recipient)], set(), set()


def _is_mail(service: Any) -> bool:
    from apprise.plugins.email import NotifyEmail

    return isinstance(service, NotifyEmail)


def _service(address: str) -> NotifyBase | None:
    """What sends to this URL, None where Apprise does not know it. Raises SettingsInvalid where Apprise is not installed."""
    try:
        from apprise import Apprise, AppriseAsset, PersistentStoreMode
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            "notices by mail, Teams, Slack and the like need the extra: pip install 'carnet[notices]'",
            hint="Install it where the server runs, or use a webhook.",
        ) from error
    _be_silent()
    asset = AppriseAsset(
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=DEADLINE_SECONDS,
        secure_logging=True,
        app_id="Carnet",
        app_desc="license authority",
        http_redirects=False,
    )
    return Apprise.instantiate(address, asset=asset)


def _be_silent() -> None:
    """What Apprise logs has parts of addresses in it: it goes nowhere but to whoever asked for the result."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
