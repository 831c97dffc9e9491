"""Which authority licenses this workstation, who is signed in there, and what was asked of it and not answered yet. No line is opened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from verifier.core.jose import strict_object
from verifier.core.reading import BORROW_ID, PRODUCT_ID, Reader
from verifier.core.times import LAST_SECOND, rfc3339_of
from verifier.errors import CarnetError, Malformed, StateDamaged
from verifier.workstation import sign_ins
from verifier.workstation.disk import explained, read_with_mode, trouble, write_atomically
from verifier.workstation.store import Store, damaged

# By this mark people know which authority licenses the workstation (seed S3: a key).
MARK = "*"
_MEMBERS = frozenset(["url", "username", "pending", "told"])
_ADDED = frozenset(["sessions"])
_PENDING = frozenset(["wish", "request"])
_ENDED = frozenset(["session", "save_by"])


@dataclass(frozen=True)
class Pending:
    """A request that was sent, or is about to be, and whose answer is not here: what it asks for, and the signed text itself."""

    wish: str
    request: str


@dataclass(frozen=True)
class Ended:
    """A session that an administrator ended, as its user was told here, and the time to save by in seconds since 1970 UTC."""

    session: str
    save_by: int | None


@dataclass(frozen=True)
class Licensing:
    """The licensing authority of this workstation. `username` is who is signed in.

    `pending` are requests by product; `told` is which session of a product the user was told the end of; `sessions` are the ids of
    those that were started here last, also when something else is installed since.
    """

    url: str | None = None
    username: str | None = None
    pending: Mapping[str, Pending] = field(default_factory=dict)
    told: Mapping[str, Ended] = field(default_factory=dict)
    sessions: Mapping[str, str] = field(default_factory=dict)

    def without_pending(self, product: str) -> Licensing:
        """These settings without the request for a product."""
        return replace(self, pending={name: item for name, item in self.pending.items() if name != product})

    def with_pending(self, product: str, pending: Pending) -> Licensing:
        """These settings with a request for a product, in place of any before."""
        return replace(self, pending={**self.pending, product: pending})

    def with_told(self, product: str, ended: Ended) -> Licensing:
        """These settings, with the user told of the end of a session of a product."""
        return replace(self, told={**self.told, product: ended})

    def with_session(self, product: str, session_id: str) -> Licensing:
        """These settings, with the session of a product that was started here last."""
        return replace(self, sessions={**self.sessions, product: session_id})


def read(store: Store) -> Licensing:
    """What is kept in this home; nothing at first. Raises StateDamaged, NotPermitted, DiskFailed."""
    path = _path(store)
    try:
        data = read_with_mode(path)[0]
    except FileNotFoundError:
        return Licensing()
    except (IsADirectoryError, Malformed) as error:
        raise StateDamaged(f"{path} cannot be read: {error}", path=str(path)) from error
    except OSError as error:
        raise trouble(error, path, "read") from error
    with damaged(path):
        return _licensing(strict_object(data))


def keep(store: Store, licensing: Licensing) -> None:
    """Keeps it, whole or not at all; it has no secret. Raises DiskFull, NotPermitted or DiskFailed."""
    with explained(_path(store), "written"):
        store.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(_path(store), (json.dumps(asdict(licensing), indent=2) + "\n").encode())


def words(url: str, username: str | None) -> str:
    """The licensing authority as people are shown it, with its mark, and who is signed in there."""
    who = "nobody is signed in" if username is None else f"signed in as {username}"
    return f"{MARK} {url}, the licensing authority; {who}"


def end_of_session(store: Store, product: str, session_id: str, ends_at: int) -> tuple[str, ...]:
    """What its user is to know of a session that an administrator ended, while its last grant, until `ends_at`, still works.

    The time to save may be longer than the grant: an application lets its user save without a license.
    Nothing when it was not told here, or cannot be read: nobody is refused for it. `ends_at` is in seconds since 1970 UTC.
    """
    try:
        ended = read(store).told.get(product)
    except CarnetError:
        return ()
    if ended is None or ended.session != session_id:
        return ()
    save_by = ends_at if ended.save_by is None else ended.save_by
    sentence = f"an administrator ended this session: save your work by {rfc3339_of(save_by)}"
    if ends_at < save_by:
        sentence += f"; the license itself is good until {rfc3339_of(ends_at)}"
    return (sentence,)


def keep_sign_in(store: Store, url: str, secret: str) -> str:
    """Remembers the sign-in at this authority, for this user and home; returns where, in words."""
    return sign_ins.keep(*_place(store, url), secret)


def sign_in_of(store: Store, url: str) -> str | None:
    """The sign-in that is remembered, None without one. Raises StateDamaged, NotPermitted or DiskFailed."""
    return sign_ins.secret_of(*_place(store, url))


def forget_sign_in(store: Store, url: str) -> None:
    """Takes the sign-in away here. Raises NotPermitted or DiskFailed."""
    sign_ins.forget(*_place(store, url))


def _place(store: Store, url: str) -> tuple[Path, str]:
    return store.home / "sign-in", f"{url} {store.home.resolve()}"


def _path(store: Store) -> Path:
    return store.home / "authority.json"


def _licensing(members: dict[str, Any]) -> Licensing:
    read_members = Reader(members, "the licensing authority", _MEMBERS, _ADDED)
    pending = {}
    for product, item in read_members.mapping("pending", PRODUCT_ID).items():
        one = Reader(item, "a request that is not answered", _PENDING).members()
        if not isinstance(one["wish"], str) or not isinstance(one["request"], str):
            raise Malformed("a request that is not answered is no text")
        pending[product] = Pending(one["wish"], one["request"])
    told = {product: _ended(item) for product, item in read_members.mapping("told", PRODUCT_ID).items()}
    sessions = read_members.mapping("sessions", PRODUCT_ID) if "sessions" in members else {}
    return Licensing(
        read_members.text_or_null("url"),
        read_members.text_or_null("username"),
        pending,
        told,
        {product: _session_id(number) for product, number in sessions.items()},
    )


def _ended(item: object) -> Ended:
    if isinstance(item, str):
        # As earlier versions kept it.
        return Ended(_session_id(item), None)
    one = Reader(item, "a session that was ended", _ENDED)
    save_by = one.members()["save_by"]
    return Ended(one.text("session", BORROW_ID), None if save_by is None else one.integer("save_by", 0, LAST_SECOND))


def _session_id(number: object) -> str:
    if not isinstance(number, str) or not BORROW_ID.match(number):
        raise Malformed("the id of a session is no id")
    return number
