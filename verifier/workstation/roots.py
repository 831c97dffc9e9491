"""Which root keys an application trusts: read from a file beside it, which is the application's and not the user's."""

from __future__ import annotations

from pathlib import Path

from verifier.core.files import unmarked
from verifier.core.trust import thumbprints
from verifier.errors import Malformed, NoTrust
from verifier.workstation.disk import read_with_mode

HINT = "This file comes with the application and names the vendor's root keys: install the application anew."


def read_roots(path: Path | str) -> tuple[str, ...]:
    """The thumbprints in a text file, one on a line, in order; empty lines and what follows a # are passed over.

    Raises NoTrust when the file cannot be read, Malformed when it has none, or a line that is none.
    """
    try:
        data = read_with_mode(Path(path), follow=True)[0]
    except OSError as error:
        raise NoTrust(f"{path}, which names the root keys to trust, cannot be read: {error.strerror}", hint=HINT) from error
    return roots_in(data, str(path))


def roots_in(data: bytes, name: str) -> tuple[str, ...]:
    """The thumbprints in the bytes of such a file, in order; `name` is what it is called in a refusal. Raises Malformed."""
    try:
        lines = unmarked(data).decode("utf-8").splitlines()
        pins = thumbprints(line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip())
    except (Malformed, ValueError) as error:
        raise Malformed(f"{name}: {error}", hint=HINT) from error
    if not pins:
        raise Malformed(f"{name} names no root key", hint=HINT)
    return tuple(sorted(pins))
