"""The address that a request comes from, where proxies stand before this server: the rightmost one that is no trusted proxy's."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What a proxy may write of a client (RFC 7239, section 6, and X-Forwarded-For as gateways have it): with a port, in brackets.
_IPV4_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")
_IN_BRACKETS = re.compile(r"\[([0-9A-Fa-f:.]+(?:%[^\]]*)?)\](?::[0-9]{1,5})?")


def address_in(text: str) -> Address | None:
    """The address in a text, without port, brackets, quotes and zone; an IPv4 address that is written as IPv6 is IPv4. None for none."""
    text = text.strip().strip('"')
    match = _IPV4_WITH_PORT.fullmatch(text) or _IN_BRACKETS.fullmatch(text)
    try:
        address = ipaddress.ip_address((match[1] if match else text).partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class Proxies:
    """The proxies before this server, by their addresses and networks."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(text if "/" in text else str(address_in(text))) for text in trusted]

    def are_trusted(self, address: Address | None) -> bool:
        """Whether what comes from the address is believed about where it came from."""
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: str, forwarded_for: str) -> str:
        """From where a request comes that `peer` hands on with this header; "" where the proxy names nothing that is an address.

        Each proxy adds whom it had the request from at the right. Where all of them are trusted, it is the leftmost.
        """
        if not self.are_trusted(address_in(peer)) or not forwarded_for:
            return peer
        address = None
        for text in reversed(forwarded_for.split(",")):
            address = address_in(text)
            if not self.are_trusted(address):
                break
        return "" if address is None else str(address)


def behind(application: WSGIApplication, trusted: Sequence[str]) -> WSGIApplication:
    """The application, told of the address and the scheme that its clients have at the proxies."""
    proxies = Proxies(trusted)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")
        if proxies.are_trusted(address_in(peer)):
            environ["REMOTE_ADDR"] = proxies.client(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").partition(",")[0].strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return application(environ, start_response)

    return answer
