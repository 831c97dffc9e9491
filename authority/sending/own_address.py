"""Whether the address by which others reach this server leads to it: its name looked up, its certificate, and who answers there."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from authority.domain.plurals import counted

# Of all that one look takes, and of each part of it.
DEADLINE_SECONDS, PART_SECONDS = 8.0, 4.0
LONGEST_ANSWER = 256 * 1024
# What everybody may read of an authority, and what is the same on all of its nodes.
PATH = "/api/v1/trust"
NO_AUTHORITY = "what answers there is no authority of Carnet"
NO_SUCH_NAME = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}
# X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: these are
# wrong for everybody. Whether an issuer is known differs from machine to machine.
WRONG_FOR_ALL = {9, 10, 62, 64}


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at an address came to: the organization that answers, what is wrong for whoever tries, or what is only so from here now."""

    organization: str | None = None
    wrong: str | None = None
    remark: str | None = None


def is_this_machine(url: str) -> bool:
    """Whether an address leads every machine to itself."""
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def look(url: str) -> Look:
    """Asks the authority at an address who it is, in a few seconds at the most. Raises nothing."""
    answers: queue.SimpleQueue[Look] = queue.SimpleQueue()
    # Looking up a name knows no deadline.
    threading.Thread(target=lambda: answers.put(_looked(url)), daemon=True).start()
    try:
        return answers.get(timeout=DEADLINE_SECONDS)
    except queue.Empty:
        return Look(remark=f"nothing answered there within {counted(DEADLINE_SECONDS, 'second')}")


def _looked(url: str) -> Look:
    try:
        return _answered(url)
    except OSError as error:
        return _unreached(error)
    except UnicodeError:
        return Look(wrong="that is no name of a machine")
    except (http.client.HTTPException, ValueError, RecursionError):
        return Look(wrong=NO_AUTHORITY)


def _unreached(error: OSError) -> Look:
    """What a line that did not come about says: what is so for everybody, or from here and now alone."""
    reason = error.strerror or "no answer in time"
    look = Look(remark=f"nothing answers there now ({reason}): is it served, and the proxy running?")
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the certificate there is not good: {error.verify_message}"
        own = f"this machine does not trust the certificate there ({error.verify_message}): workstations have to"
        look = Look(wrong=words) if error.verify_code in WRONG_FOR_ALL else Look(remark=own)
    elif isinstance(error, ssl.SSLError):
        look = Look(wrong="what answers there does not speak TLS")
    elif isinstance(error, socket.gaierror):
        wrong = error.errno in NO_SUCH_NAME
        look = Look(wrong="no machine has that name") if wrong else Look(remark="its name could not be looked up from here now")
    return look


def _answered(url: str) -> Look:
    """What the answer says. Raises OSError, HTTPException, and ValueError for what is no trust file."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with contextlib.closing(kind(parts.hostname or "", parts.port, timeout=PART_SECONDS)) as connection:
        connection.request("GET", PATH, headers={"User-Agent": "carnet-authority doctor", "Accept": "application/json"})
        response = connection.getresponse()
        data = response.read(LONGEST_ANSWER)
    if response.status >= http.client.INTERNAL_SERVER_ERROR:
        return Look(remark=f"what answers there says {response.status} now: is it served behind the proxy?")
    members = json.loads(data) if response.status == http.client.OK else None
    if not isinstance(members, dict) or not isinstance(members.get("organization"), str):
        return Look(wrong=f"{NO_AUTHORITY}: it says {response.status}")
    return Look(organization=members["organization"])
