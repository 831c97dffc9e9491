"""authority, sign-in, sign-out, start, borrow, check-in: the commands that open a line to the licensing authority.

What opens it is imported when one of them runs, and by nothing else: no other command has it in its process.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import TYPE_CHECKING, Any

from verifier import sentences
from verifier.cli.output import UsageError, result, say, tell
from verifier.cli.wishes import add_wish, wish_of
from verifier.core.files import unmarked
from verifier.core.times import rfc3339_of
from verifier.errors import Malformed, NoTrust, TrustNotCompared
from verifier.workstation import licensing
from verifier.workstation.carry import Wish, check_wish
from verifier.workstation.installed import BorrowInstalled
from verifier.workstation.places import read_input
from verifier.workstation.store import Store

if TYPE_CHECKING:
    from verifier.connected.choosing import Offer

LONGEST_PASSWORD = 4096


def add_authority(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet authority`."""
    parser = commands.add_parser("authority", parents=[common], help="show, set or change the licensing authority")
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="https://HOST of the authority; without it the one of now is shown"
    )
    parser.add_argument(
        "--accept-trust",
        metavar="THUMBPRINT",
        action="append",
        default=[],
        help="of a root key, as the administrator said it by another way; for each root key",
    )
    parser.set_defaults(run=authority)


def add_sign_in(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet sign-in`."""
    parser = commands.add_parser("sign-in", parents=[common], help="sign in at the licensing authority, until you sign out")
    parser.add_argument("name", metavar="NAME", help="your user name there")
    parser.add_argument("--password-file", metavar="FILE", help="its first line is the password; default: it is asked for")
    parser.set_defaults(run=sign_in)


def add_sign_out(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet sign-out`."""
    parser = commands.add_parser("sign-out", parents=[common], help="sign out, here and at the licensing authority")
    parser.set_defaults(run=sign_out)


def add_start(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet start`."""
    parser = commands.add_parser("start", parents=[common], help="start a session, or use the one that is here again")
    add_wish(parser, with_length=False)
    parser.set_defaults(run=start)


def add_borrow(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet borrow`."""
    parser = commands.add_parser("borrow", parents=[common], help="take a license offline, or renew it")
    add_wish(parser, with_length=True)
    parser.set_defaults(run=borrow)


def add_check_in(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Adds `carnet check-in`."""
    parser = commands.add_parser("check-in", parents=[common], help="give a license back: end a session, or return a borrow")
    parser.add_argument("product", metavar="PRODUCT")
    parser.set_defaults(run=check_in)


def authority(arguments: argparse.Namespace) -> int:
    """`carnet authority [URL]`."""
    store = Store.open(arguments.home)
    if arguments.url is not None:
        from verifier.connected import choosing

        offer = choosing.offer(arguments.url)
        _compare(arguments, offer, choosing.to_compare(store, offer))
        choosing.choose(store, offer)
    elif arguments.accept_trust:
        raise UsageError("--accept-trust goes with a URL")
    settings, organization, roots = licensing.read(store), None, []
    try:
        trust = store.trust()
        organization, roots = trust.organization, list(trust.roots)
    except NoTrust:
        pass
    value = {"url": settings.url, "organization": organization, "roots": roots, "username": settings.username}
    lines = ["licensing authority: none; files are carried (carnet request), or set it with: carnet authority URL"]
    if settings.url is not None:
        lines = [licensing.words(settings.url, settings.username), f"organization {organization}"]
        lines += [f"root key     {root}" for root in roots]
    return result(arguments, value, lines)


def _compare(arguments: argparse.Namespace, offer: Offer, roots: tuple[str, ...]) -> None:
    """Has every root key that is new here compared by a person, or raises TrustNotCompared."""
    accepted = set(arguments.accept_trust)
    missing = [root for root in roots if root not in accepted]
    if missing and not arguments.json and not accepted and sys.stdin is not None and sys.stdin.isatty():
        say(f'{offer.address.text} is the authority of "{offer.trust.organization}", with the root key {", ".join(missing)}')
        tell(
            "ask the administrator for the thumbprint of the root key by another way than this line, and type or paste it here"
        )
        accepted = set(input("thumbprint: ").split())
        missing = [root for root in roots if root not in accepted]
    if missing:
        what = "which is not the one that was named" if accepted else "which nobody has compared yet"
        raise TrustNotCompared(
            f'{offer.address.text} is the authority of "{offer.trust.organization}", with the root key {", ".join(missing)}, {what}',
            thumbprints=list(offer.trust.roots),
            organization=offer.trust.organization,
        )


def sign_in(arguments: argparse.Namespace) -> int:
    """`carnet sign-in NAME`."""
    from verifier.connected import choosing

    store = Store.open(arguments.home)
    password = _password(arguments)
    name, where = choosing.sign_in(store, arguments.name, password)
    url = licensing.read(store).url
    lines = [f"signed in as {name} at {url}; remembered until carnet sign-out, {where}"]
    return result(arguments, {"username": name, "url": url, "remembered": where}, lines)


def _password(arguments: argparse.Namespace) -> str:
    """The password: of the file, asked for without being shown, or the first line of what is piped in. Raises UsageError.

    A file is read as the authority reads one: with or without a byte order mark, to the first line break.
    """
    name = arguments.password_file
    if name is None and sys.stdin is not None and sys.stdin.isatty():
        text = getpass.getpass(f"password of {arguments.name}: ")
    elif name in (None, "-"):
        text = _piped()
    else:
        text = _text(read_input(name), name)
    password = text.replace("\r", "\n").partition("\n")[0]
    if not password:
        raise UsageError("no password: type it, or name a file whose first line it is")
    return password


def _piped() -> str:
    """The first line of what is piped in; what is no UTF-8 is in the encoding of the terminal."""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return "" if sys.stdin is None else sys.stdin.readline(LONGEST_PASSWORD).removeprefix("\ufeff")
    data = stream.readline(LONGEST_PASSWORD)
    try:
        return _text(data, "what is piped in")
    except UsageError:
        if sys.stdin.encoding in (None, "utf-8"):
            raise
        return str(data, sys.stdin.encoding, "replace")


def _text(data: bytes, name: str) -> str:
    try:
        return unmarked(data).decode("utf-8")
    except Malformed as error:
        raise UsageError(f"{name}: {error.message}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text in UTF-8: save it as that") from error


def sign_out(arguments: argparse.Namespace) -> int:
    """`carnet sign-out`."""
    from verifier.connected import choosing

    heard = choosing.sign_out(Store.open(arguments.home))
    if not heard and not arguments.json:
        tell("note: the authority could not be told; a new password there makes the sign-in useless")
    return result(arguments, {"authority_told": heard}, ["signed out"])


def _wish(arguments: argparse.Namespace) -> Wish:
    """The wish that was typed, which a request can ask for. Raises UsageError."""
    wish = wish_of(arguments)
    try:
        check_wish(wish)
    except Malformed as error:
        raise UsageError(f"{error.message}. {error.hint if error.hint != error.default_hint else ''}".strip()) from error
    return wish


def start(arguments: argparse.Namespace) -> int:
    """`carnet start PRODUCT`: may be said every few minutes; each time the session lasts so much longer."""
    from verifier.connected import choosing, licenses

    store = Store.open(arguments.home)
    started = licenses.start(store, choosing.signed_in(store), _wish(arguments))
    if started.is_offline:
        lines = [f"{_words(started.license)}: it is offline here, and needs no session"]
    else:
        lines = [f"started {_words(started.license)}; say the same again before then to go on"]
    lines += _not_as_asked(arguments, started.license)
    return result(arguments, {"license": _as_json(started.license), "offline": started.is_offline}, lines)


def borrow(arguments: argparse.Namespace) -> int:
    """`carnet borrow PRODUCT`: may be repeated until the answer is here."""
    from verifier.connected import choosing, licenses

    store = Store.open(arguments.home)
    installed = licenses.borrow(store, choosing.signed_in(store), _wish(arguments))
    lines = [f"borrowed {_words(installed)}; it works without a line until then, on this machine and for this user alone"]
    return result(arguments, {"license": _as_json(installed)}, lines + _not_as_asked(arguments, installed))


def check_in(arguments: argparse.Namespace) -> int:
    """`carnet check-in PRODUCT`: may be repeated until it is done."""
    from verifier.connected import choosing, licenses

    store = Store.open(arguments.home)
    ended = licenses.check_in(store, choosing.signed_in(store), arguments.product)
    what = (
        f"ended the session of {ended.product}" if ended.is_session else f"checked in {ended.product}: it no longer works here"
    )
    lines = [f"{what}{sentences.seat_free(ended.seat_free_at)}"]
    value = {"product": ended.product, "session": ended.is_session, "seat_free_at": ended.seat_free_at}
    return result(arguments, value, lines)


def _not_as_asked(arguments: argparse.Namespace, item: BorrowInstalled) -> list[str]:
    """A line where more is in use here than was asked for: what is out stays as it is until it is given back."""
    wish = wish_of(arguments)
    is_other = wish.level not in (None, item.level) or (
        wish.extensions is not None and set(wish.extensions) != set(item.extensions)
    )
    if not is_other:
        return []
    return [f"this covers what was asked for, and is more; for that alone: carnet check-in {item.product}, then ask again"]


def _words(item: BorrowInstalled) -> str:
    extensions = f" with {', '.join(item.extensions)}" if item.extensions else ""
    return f"{item.product} {item.level}{extensions} until {rfc3339_of(item.expires_at)}"


def _as_json(item: BorrowInstalled) -> dict[str, Any]:
    return {
        "product": item.product,
        "level": item.level,
        "extensions": list(item.extensions),
        "expires_at": rfc3339_of(item.expires_at),
    }
