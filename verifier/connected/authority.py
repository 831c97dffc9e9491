"""The licensing authority as its routes: what is asked of it, and what it answers, read as strictly as a carried file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from verifier import online
from verifier.addresses import Address
from verifier.core import files
from verifier.core.names import is_shown
from verifier.core.reading import LONGEST_TEXT
from verifier.core.times import rfc3339_of, seconds_of
from verifier.errors import AnswerUnusable, CarnetError, Refused
from verifier.online import Answer

CODE = re.compile(r"\A[a-z][a-z0-9-]{0,63}\Z")
# What an authority says to people; a longer text is cut.
LONGEST_SENTENCE = 2000
MOST_VALUES = 32
DEEPEST_VALUE = 3
NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")
BAD_REQUEST = 400


@dataclass(frozen=True)
class Authority:
    """An authority at an address, asked as whoever the token stands for; without one as anybody."""

    address: Address
    token: str | None = None

    def trust(self) -> bytes:
        """The trust file of the organization, whose root key is still to be compared."""
        return _file(self._ask("GET", "/trust"), "trust", self.address)

    def sign_in(self, username: str, password: str) -> str:
        """A token for the member, good until signing out. Sent once: a second answer would be a second sign-in."""
        body = {"username": username, "password": password, "remember": True}
        token = self._ask("POST", "/sign-in", body, tries=1).get("token")
        if not isinstance(token, str) or not (0 < len(token) <= LONGEST_SENTENCE and token.isascii() and token.isprintable()):
            raise self._unusable("signs in without a token")
        return token

    def sign_out(self) -> None:
        """Makes the token useless there."""
        self._ask("POST", "/sign-out")

    def username(self) -> str:
        """Who is signed in, as the authority knows them now."""
        name = self._ask("GET", "/me").get("username")
        if not isinstance(name, str) or not (0 < len(name) <= LONGEST_TEXT and is_shown(name)):
            raise self._unusable("does not say who is signed in")
        return name

    def borrow(self, request: str) -> bytes:
        """The borrow file for a signed request; for the same request always the same."""
        return _file(self._ask("POST", "/borrows", {"request": request}).get("file"), "borrow", self.address)

    def check_own(self, borrow_id: str) -> None:
        """Raises Refused when the borrow is not one of the member who is signed in."""
        self._ask("GET", f"/borrows/{borrow_id}")

    def check_in(self, receipt: str) -> None:
        """Gives a borrow back; the same receipt again changes nothing."""
        self._ask("POST", "/check-ins", {"receipt": receipt})

    def start(self, request: str) -> bytes:
        """The first grant of a session, or another one of the session that is active on this machine."""
        return _file(self._ask("POST", "/sessions", {"request": request}).get("grant"), "borrow", self.address)

    def use(self, session_id: str, request: str) -> bytes:
        """Another grant of a session that is used again. Raises Refused (session-ended) with the time to save by."""
        answer = self._ask("POST", f"/sessions/{session_id}/renew", {"request": request})
        return _file(answer.get("grant"), "borrow", self.address)

    def end(self, session_id: str) -> str:
        """Ends the member's own session and returns when its seat is free (RFC 3339)."""
        session = self._ask("DELETE", f"/sessions/{session_id}").get("session")
        free_at = seconds_of(session.get("seat_free_at")) if isinstance(session, dict) else None
        if free_at is None:
            raise self._unusable("does not say when the seat is free")
        return rfc3339_of(free_at)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, tries: int = online.TRIES) -> dict[str, Any]:
        answer = online.exchange(self.address, method, path, body, token=self.token, tries=tries)
        if answer.status >= BAD_REQUEST:
            raise _refusal(answer)
        return answer.members

    def _unusable(self, what: str) -> AnswerUnusable:
        return AnswerUnusable(f"{self.address.text} {what}", url=self.address.text)


def _file(members: object, kind: str, place: Address) -> bytes:
    """The bytes of a carried file that an answer is, or has in it; of this kind and no other."""
    try:
        data = json.dumps(members).encode()
        if files.parse(data)[0] == kind:
            return data
    except (CarnetError, ValueError) as error:
        raise AnswerUnusable(f"{place.text} answers without {files.named(kind)}: {error}", url=place.text) from error
    raise AnswerUnusable(f"{place.text} answers with a file of another kind than {kind}", url=place.text)


def _refusal(answer: Answer) -> Refused:
    """What the authority refused with (RFC 9457), in its own code and words; its values are the evidence."""
    members = answer.members
    reason = members.get("code")
    errors = members.get("errors")
    items = [item for item in errors[:MOST_VALUES] if isinstance(item, dict)] if isinstance(errors, list) else []
    values = {item["name"]: _bounded(item.get("value")) for item in items if _is_name(item.get("name"))}
    return Refused(
        _text(members.get("detail")) or f"the authority answers with {answer.status}",
        hint=_text(members.get("hint")),
        reason=reason if isinstance(reason, str) and CODE.match(reason) else None,
        status=answer.status,
        values={name: value for name, value in values.items() if value is not None},
    )


def _is_name(name: object) -> bool:
    return isinstance(name, str) and NAME.match(name) is not None


def _bounded(value: object, depth: int = DEEPEST_VALUE) -> Any:
    """What a server gives as a value: text without what moves a cursor, numbers and truths, and lists and objects of them.

    None for everything else, and for what lies too deep; of what is too many the first.
    """
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, list):
        return [_bounded(item, depth - 1) for item in value[:MOST_VALUES]]
    if depth and isinstance(value, dict):
        return {_plain(name): _bounded(item, depth - 1) for name, item in list(value.items())[:MOST_VALUES]}
    return None


def _text(value: object) -> str | None:
    return _plain(value)[:LONGEST_SENTENCE] if isinstance(value, str) and value else None


def _plain(text: str) -> str:
    """Text of a server without what moves a cursor."""
    return "".join(char if is_shown(char) else "?" for char in text[:LONGEST_SENTENCE])
