"""What the window does with a line to the licensing authority; each waits for an answer, so it is run beside the window.

What opens the line is imported when one of them runs, and by nothing else: a window that is only looked at has it not in its process.
"""

from __future__ import annotations

from typing import NamedTuple

from verifier import sentences
from verifier.errors import CarnetError
from verifier.workstation.carry import Wish
from verifier.workstation.overview import Overview
from verifier.workstation.store import Store


class Line(NamedTuple):
    """The licensing authority's URL and who is signed in there; None for what is not so."""

    url: str | None = None
    username: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the authority can be asked for a license: there is one, and somebody is signed in."""
        return self.url is not None and self.username is not None

    @property
    def words(self) -> str:
        """The line as the window shows it; empty where files are carried."""
        who = "nobody is signed in" if self.username is None else f"signed in as {self.username}"
        return "" if self.url is None else f"{self.url}, {who}"


def line_of(shown: Overview | CarnetError | None) -> Line:
    """The line of this workstation; none where nothing can be read."""
    return Line(shown.url, shown.username) if isinstance(shown, Overview) else Line()


def sign_in(store: Store, username: str, password: str) -> str:
    """Signs in, until signing out. The password goes to the authority and is kept nowhere. Raises CarnetError."""
    from verifier.connected import choosing

    name, where = choosing.sign_in(store, username, password)
    return f"Signed in as {name}. It is remembered until you sign out, {where}."


def sign_out(store: Store) -> str:
    """Signs out here, whatever the authority answers. Raises CarnetError."""
    from verifier.connected import choosing

    if choosing.sign_out(store):
        return "Signed out."
    return "Signed out here. The authority could not be told; a new password there makes the sign-in useless."


def borrow(store: Store, wish: Wish) -> str:
    """Takes a license offline, or renews it. May be done again until the answer is here. Raises CarnetError."""
    from verifier.connected import choosing, licenses

    license_ = licenses.borrow(store, choosing.signed_in(store), wish)
    return f"Taken offline: {sentences.installed(license_)}. Until then it needs no line, on this machine and for you alone."


def check_in(store: Store, product: str) -> str:
    """Gives a license back, or ends its session. May be done again until it is done. Raises CarnetError."""
    from verifier.connected import choosing, licenses

    done = licenses.check_in(store, choosing.signed_in(store), product)
    what = (
        f"The session of {done.product} is ended"
        if done.is_session
        else f"{done.product} is given back: it no longer works here"
    )
    return f"{what}{sentences.seat_free(done.seat_free_at)}."
