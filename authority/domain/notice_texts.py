"""What a notice says: a subject with the number, what it is about, and what to do next. Names come from outside, and stay words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from authority.domain.names import is_shown
from authority.domain.notices import Message, Notice, NoticeKind
from authority.domain.plurals import counted

LONGEST_SUBJECT = 150
LONGEST_VALUE = 120
# So many of one kind are written out in the message of the day; the others are counted.
MOST_WRITTEN = 100
# What chats and mail programs make something else of: tags, mentions, links with another text.
_PLAIN = str.maketrans({"<": "\u2039", ">": "\u203a", "[": "(", "]": ")", "`": "'", "|": "/"})

TITLES = {
    NoticeKind.BORROW_DUE: ("borrow ends soon", "borrows end soon"),
    NoticeKind.BORROW_OVERDUE: ("borrow ended and was not given back", "borrows ended and were not given back"),
    NoticeKind.DENIALS: ("burst of denials", "bursts of denials"),
    NoticeKind.OVER_LIMIT: ("limit is passed", "limits are passed"),
    NoticeKind.AUTHORIZATION_ENDING: ("authorization ends", "authorizations end"),
    NoticeKind.KEY_ENDING: ("key ends", "keys end"),
    NoticeKind.CLONE_SUSPECTED: ("machine may be there twice", "machines may be there twice"),
    NoticeKind.SEAL_BROKEN: ("fault in the sealed log", "faults in the sealed log"),
    NoticeKind.BACKUP_OLD: ("backup is old", "backups are old"),
}
# For administrators: what to do, the command, and the page of the console.
NEXT_STEPS = {
    NoticeKind.BORROW_DUE: ("Whoever still needs it renews it", "carnet-authority borrow list --sort due", "offline"),
    NoticeKind.BORROW_OVERDUE: (
        "The license ended by itself and the seat is free; a receipt that comes later is still taken. Ask where the machine is",
        "carnet-authority borrow list --state expired",
        "offline",
    ),
    NoticeKind.DENIALS: ("See who holds the seats", "carnet-authority overview", "log?kind=denial"),
    NoticeKind.OVER_LIMIT: (
        "Remove members, or install a larger authorization",
        "carnet-authority authorization install FILE",
        "authorization",
    ),
    NoticeKind.AUTHORIZATION_ENDING: (
        "Ask the vendor for a new one, and install it",
        "carnet-authority authorization install FILE",
        "authorization",
    ),
    NoticeKind.KEY_ENDING: ("Make another one in time", "carnet-authority key list; carnet-authority api-key list", "keys"),
    NoticeKind.CLONE_SUSPECTED: (
        "Ask the member; revoke the borrow if the machine was copied",
        "carnet-authority borrow list --clones",
        "offline",
    ),
    NoticeKind.SEAL_BROKEN: ("See what was changed, and who had access", "carnet-authority log verify", "log"),
    NoticeKind.BACKUP_OLD: ("Make one, and see why the timer did not", "carnet-authority backup -o FILE", ""),
}
FOR_MEMBER = {
    NoticeKind.BORROW_DUE: "If you still need it, take it offline again before then: carnet request. If not: carnet return.",
    NoticeKind.BORROW_OVERDUE: "If you have the machine, run: carnet return. If it is lost, tell your administrator.",
}


class Origin(NamedTuple):
    """Who sends: the organization's name, and where its console is, None where that is not known."""

    organization: str
    public_url: str | None


def value_of(value: object) -> str:
    """A value from outside as words alone: what is not to be seen by its code, nothing that means something to a mail or chat."""
    text = "".join(char if is_shown(char) else f"\\u{ord(char):04x}" for char in str(value)).translate(_PLAIN)
    # A mention has the name at once behind it; an address has something before.
    text = text.replace(" @", " (at) ") if not text.startswith("@") else f"(at) {text[1:]}"
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}\u2026"


def line_of(notice: Notice) -> str:
    """What happened, in one sentence without its end."""
    facts = {name: value_of(value) for name, value in notice.facts.items() if not isinstance(value, Mapping)}
    return _LINES[notice.kind](facts, notice.facts)


def _borrow(facts: Mapping[str, str]) -> str:
    return f"{_product(facts)} of {facts['member']} on {facts['machine']}"


def _product(facts: Mapping[str, str]) -> str:
    return facts.get("product_name", facts["product"])


def _due(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return f"{_borrow(facts)} ends at {facts['ends_at']}"


def _overdue(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return f"{_borrow(facts)} ended at {facts['ends_at']}, and no receipt came"


def _denials(facts: Mapping[str, str], raw: Mapping[str, Any]) -> str:
    reasons = ", ".join(f"{value_of(code)} {count}" for code, count in raw["reasons"].items())
    return f"{_product(facts)}: {facts['count']} denials from {facts['first_at']} to {facts['last_at']} ({reasons})"


def _over_limit(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return f"{facts['excess']}; members cannot sign in or borrow until that is mended"


def _authorization(facts: Mapping[str, str], raw: Mapping[str, Any]) -> str:
    return f"the authorization (number {facts['seq']}) {_ends(raw)} {facts['ends_at']}: nobody can borrow after that"


def _key(facts: Mapping[str, str], raw: Mapping[str, Any]) -> str:
    return f"the {facts['what']} {facts['name']} {_ends(raw)} {facts['ends_at']}"


def _ends(facts: Mapping[str, Any]) -> str:
    return "ended at" if facts["stage"] == 0 else "ends at"


def _clone(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return f"{_borrow(facts)}: {facts['evidence']}"


def _seal(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return facts["fault"]


def _backup(facts: Mapping[str, str], _: Mapping[str, Any]) -> str:
    return f"the last backup was made at {facts['made_at']}"


_LINES = {
    NoticeKind.BORROW_DUE: _due,
    NoticeKind.BORROW_OVERDUE: _overdue,
    NoticeKind.DENIALS: _denials,
    NoticeKind.OVER_LIMIT: _over_limit,
    NoticeKind.AUTHORIZATION_ENDING: _authorization,
    NoticeKind.KEY_ENDING: _key,
    NoticeKind.CLONE_SUSPECTED: _clone,
    NoticeKind.SEAL_BROKEN: _seal,
    NoticeKind.BACKUP_OLD: _backup,
}


def message_of(message_id: str, notices: Sequence[Notice], origin: Origin, recipient: str | None = None) -> Message:
    """The one message of these notices, by kind; to the member `recipient` where they are the member's own."""
    by_kind: dict[NoticeKind, list[Notice]] = {}
    for notice in sorted(notices, key=lambda notice: list(NoticeKind).index(notice.kind)):
        by_kind.setdefault(notice.kind, []).append(notice)
    sentences = [_title(kind, rows) for kind, rows in by_kind.items()]
    subject = f"{value_of(origin.organization)}: {'; '.join(sentences)}"
    sections = [_section(kind, rows, origin, is_member=recipient is not None) for kind, rows in by_kind.items()]
    text = "\n\n".join([*sections, f"From the license authority of {value_of(origin.organization)}."])
    data = {
        "organization": origin.organization,
        "subject": _short(subject),
        "text": text,
        "notices": [_data(notice) for rows in by_kind.values() for notice in rows],
    }
    return Message(message_id, _short(subject), text, data, recipient)


def _title(kind: NoticeKind, rows: Sequence[Notice]) -> str:
    return counted(len(rows), *TITLES[kind])


def _section(kind: NoticeKind, rows: Sequence[Notice], origin: Origin, *, is_member: bool) -> str:
    lines = [f"- {line_of(notice)}" for notice in rows[:MOST_WRITTEN]]
    if len(rows) > MOST_WRITTEN:
        lines.append(f"- and {len(rows) - MOST_WRITTEN} more")
    return "\n".join([f"{_title(kind, rows)}:", *lines, "", *_next_steps(kind, origin, is_member=is_member)])


def _next_steps(kind: NoticeKind, origin: Origin, *, is_member: bool) -> list[str]:
    page = "my-license"
    if is_member:
        words = [FOR_MEMBER[kind]]
    else:
        what, command, page = NEXT_STEPS[kind]
        words = [f"{what}: {command}"]
    return words if origin.public_url is None else [*words, f"{origin.public_url}/console/{page}"]


def _data(notice: Notice) -> dict[str, Any]:
    return {"id": notice.id, "kind": str(notice.kind), "made_at": notice.made_at.isoformat(), "facts": dict(notice.facts)}


def _short(subject: str) -> str:
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}\u2026"


def trial_message(message_id: str, channel: str, origin: Origin, recipient: str | None = None) -> Message:
    """A message that says that a channel works."""
    organization = value_of(origin.organization)
    subject = _short(f"{organization}: test message")
    first = f"This is a test message of the channel {value_of(channel)}. Nothing is to be done."
    text = f"{first}\n\nFrom the license authority of {organization}."
    data = {"organization": origin.organization, "subject": subject, "text": text, "notices": []}
    return Message(message_id, subject, text, data, recipient)
