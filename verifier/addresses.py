"""Where the licensing authority is: a URL that a person writes, read strictly. Nothing is opened here."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from typing import NamedTuple

from verifier.core.reading import LONGEST_TEXT
from verifier.errors import WrongAddress

USUAL_PORTS = {"https": 443, "http": 80}
HOST = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
SECRET = re.compile(r"\A(\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?.*@", re.DOTALL)
PATH = re.compile(r"\A(?:/[A-Za-z0-9._~-]+)*\Z")


class Address(NamedTuple):
    """Where the authority is. `text` is the URL in one spelling, without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def text(self) -> str:
        """The URL: https://licenses.example.org."""
        usual = USUAL_PORTS[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.path}"


def address(text: str) -> Address:
    """The address in a URL. https alone, but for this very machine; raises WrongAddress with what is wrong."""
    shown = without_secret(text)
    try:
        parts = urllib.parse.urlsplit(text.strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = USUAL_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except (ValueError, UnicodeError) as error:
        # What was wrong may be a piece of a password.
        why = f": {error}" if shown == text else ""
        raise WrongAddress(f"{shown} is no URL{why}") from error
    if parts.username is not None or parts.query or parts.fragment:
        raise WrongAddress(f"{shown} has a user, a question or a mark in it; only host, port and path are the address")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    is_literal = _is_literal(host)
    if not (is_literal or HOST.match(host)) or not PATH.match(path) or port == 0:
        raise WrongAddress(f"{shown} is no URL of an authority")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_machine(host)):
        raise WrongAddress(f"{shown} is not encrypted: passwords and licenses go over https alone, but for this very machine")
    result = Address(parts.scheme, host, port, path)
    if len(result.text) > LONGEST_TEXT:
        raise WrongAddress(f"the URL has {len(result.text)} characters, at most {LONGEST_TEXT} are an address")
    return result


def without_secret(text: str) -> str:
    """A URL as it may be shown: whatever stands before an @, user and password, is dots."""
    return SECRET.sub(r"\g<1>...@", text)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_this_machine(host: str) -> bool:
    """Whether the host is this very machine, so that nothing goes over a line."""
    return host == "localhost" or (_is_literal(host) and ipaddress.ip_address(host).is_loopback)
