"""What no member of a body, no parameter and no id may be, by its name.

Written by hand: a form that the application loosens is still refused here. A name stands for all routes, unless one has its own entry
under METHOD PATH NAME.
"""

from __future__ import annotations

from typing import Any

from authority.domain.list_age import MOST_AGE
from authority.domain.offline_rules import MOST_DAYS
from authority.domain.sessions import BOUNDS

NO_TEXT: list[Any] = [7, True, [], {}, ["x"], {"x": 1}]
# Texts that nobody types into a name; all but the last are also no reason, password or token.
UNPRINTABLE = ["a\u0000b", "a\nb", "\u001b[2J", "\u202eabc"]
NO_UNICODE = "\ud800"
NO_FLAG: list[Any] = [0, 1, "true", "yes", [], {}]


def free_text(longest: int) -> list[Any]:
    """For what may have any character."""
    return [*NO_TEXT, NO_UNICODE, "x" * (longest + 1)]


def text(longest: int, *more: Any) -> list[Any]:
    """For what has printable characters alone."""
    return [*free_text(longest), *UNPRINTABLE, *more]


def number(least: int, most: int) -> list[Any]:
    return ["9", 9.0, 9.5, True, [], {}, [9], least - 1, most + 1, 10**18, 10**30, -(10**30)]


def word(*more: Any) -> list[Any]:
    """For one word out of a few."""
    return [*NO_TEXT, *UNPRINTABLE, "", "planet", *more]


PRODUCT = text(64, "", "Upper", "-x", "a b", "arcgis-pro\n", "\u0430rcgis")
FEATURE = text(64, "", " Basic", "Basic\n", "B\u00e4sic")
LABEL = text(256, "")
GROUPS = ["night", 7, True, {}, {"a": 1}, [7], [["a"]], [""], ["a"] * 257, *([text] for text in [*UNPRINTABLE, NO_UNICODE])]
FEATURES = ["3DAnalyst", 7, {}, {"a": 1}, [7], [""], [None], ["a\u0000"], [NO_UNICODE], ["x", "x"], ["x"] * 65]
THUMBPRINT = text(43, "", "A" * 42, "A" * 42 + "=", "A" * 42 + "+", "A" * 43 + "\n")
SEATS = number(0, 10**9)
ADD_ONS = [
    *["arcgis-pro=Basic", 7, [], ["arcgis-pro"]],
    *({"arcgis-pro": value} for value in (None, 7, "", "a\u0000b", NO_UNICODE)),
    *({name: "Basic"} for name in ("Upper", "", "a\u0000b")),
    {f"p{number}": "Basic" for number in range(257)},
]

BODY: dict[str, list[Any]] = {
    "request": free_text(8192),
    "receipt": free_text(8192),
    "member": text(128),
    "reason": free_text(500),
    "accept_overlap": NO_FLAG,
    "remember": NO_FLAG,
    "username": text(128),
    "password": free_text(256),
    "name": text(128, ""),
    "product": PRODUCT,
    "level": FEATURE,
    "extensions": FEATURES,
    "add_extensions": FEATURES,
    "remove_extensions": FEATURES,
    "machine": ["laptop", 7, [], {}],
    "machine.id": text(128, "", "a b", "a/b", "a\n", "\u0430"),
    "machine.source": LABEL,
    "machine.alias": LABEL,
    "machine.key": THUMBPRINT,
    "user": ["ada", 7, [], {}],
    "user.id": [
        *NO_TEXT,
        *["", "1000", "uid:", "uid:12345678901", "uid:-1", "uid:1\n", "sid:S-1", "sid:S-1-", "gid:1", "uid:\u0661", NO_UNICODE],
    ],
    "user.name": LABEL,
    "feature": FEATURE,
    "group": text(128),
    "low_water": SEATS,
    "most_borrowed": SEATS,
    "reserved": SEATS,
    "maximum": SEATS,
    "from_higher": NO_FLAG,
    "PUT /policies level": word("Group", "group "),
    "subject": text(128),
    "PUT /policies product": text(64),
    "allowed": NO_FLAG,
    "longest_days": number(1, MOST_DAYS),
    "status_max_age": number(0, MOST_AGE),
    "default_days": number(1, MOST_DAYS),
    "authorization_file": [7, "x", [], True, [{}]],
    "trust_file": [7, "x", [], True],
    "accept_root": ["A" * 43, {}, ["A" * 43] * 65, *([value] for value in [None, *THUMBPRINT])],
    "dry_run": NO_FLAG,
    **{name: number(*bounds) for name, bounds in BOUNDS.items()},
    "full_name": text(128),
    "user_type": text(64, ""),
    "role": word("king", "Administrator"),
    "groups": GROUPS,
    "add_groups": GROUPS,
    "remove_groups": GROUPS,
    "vendor_access": NO_FLAG,
    "disabled": NO_FLAG,
    "download_permission": word("denied", "Granted"),
    "add_ons": ADD_ONS,
    "assignments": [7, "x", {}, [], [None], [[]], ["x"], [{}], [{"username": "ada", "product": "arcgis-pro"}] * 1001],
    "row_by_row": NO_FLAG,
}

LIMIT = ["", "0", "1001", "-1", "ten", "1e3", "9" * 23]
FLAG_TEXTS = ["", "perhaps", "2"]
ID_TEXTS = ["", "short", "A" * 23, "%00", "A" * 21 + "%00"]
# Cursors of pages that go on after a name: no base64url, no JSON, no list of as many names.
NAME_CURSORS = ["", "A" * 1025, "%00", "A", "AAAA", "W1tbW1tb", "WzFd", "WyJhIl0x", "YS8AL2I"]


def query_text(longest: int, *more: str) -> list[str]:
    return ["%00", "%0A", "%1B%5B2J", "x" * (longest + 1), *more]


PRODUCT_TEXTS = query_text(64, "", "Upper", "-x", "%27or1", "%ED%A0%80")
QUERY: dict[str, list[str]] = {
    "state": ["", "ended", "Active"],
    "member": query_text(128),
    "product": PRODUCT_TEXTS,
    "machine": query_text(256),
    "group": query_text(128),
    "type": query_text(64),
    "format": ["", "xlsx", "CSV"],
    "sort": ["", "due ", "Due", "length"],
    "unused_for": ["", "-1", "36501", "1.5", "many", "9" * 40],
    "cursor": NAME_CURSORS,
    "limit": LIMIT,
    "after": ["", "-1", "x", "9223372036854775808", "9" * 26],
    "kind": query_text(32),
    "ended": FLAG_TEXTS,
    "clones": FLAG_TEXTS,
    "level": ["", "planet", "Group"],
    "subject": query_text(128),
    "feature": query_text(64, "", "%20Basic"),
    "username": query_text(128),
    "role": ["", "king", "Administrator"],
    "dry_run": FLAG_TEXTS,
    "release": FLAG_TEXTS,
    **{f"GET {path} cursor": ID_TEXTS for path in ("/borrows", "/sessions", "/api-keys")},
    **{f"GET {path} product": query_text(64) for path in ("/borrows", "/sessions", "/policies/effective")},
    "DELETE /policies product": query_text(64),
    "GET /members group": query_text(128, "", "%ED%A0%80%0A"),
    "GET /members type": query_text(64, ""),
    "GET /members cursor": [*NAME_CURSORS, "admin", "WyJhIiwiYiJd", "WyJhXHUwMDAwIl0"],
    "GET /assignments cursor": [*NAME_CURSORS, "WyJhIl0", "WyJhIiwxXQ", "WyJhIiwiXHUwMDAwIl0"],
    "GET /license-activity cursor": [*NAME_CURSORS, "WyJhIiwiYiJd"],
}

IDS = ["short", "A" * 23, "A" * 21 + "!", "A" * 21 + "%0A", "A" * 21 + "%00", "A" * 21 + "'", "%25" * 22, "\u00e9" * 22]
PATH: dict[str, list[str]] = {
    "borrow_id": IDS,
    "session_id": IDS,
    "key_id": IDS,
    "username": ["%00", "a%00", "a%0A", "%20", "-a", "a%22b", "%ED%A0%80", "a%20b", "a" * 129, "a%5C", "%3Cb%3E"],
}

# Bodies that are no JSON object.
RAW: dict[str, bytes] = {
    "empty": b"",
    "cut short": b'{"request": "x"',
    "two values": b"{} {}",
    "array": b'[{"request": "x"}]',
    "text": b'"request"',
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"request": "\xff\xfe"}',
    "byte order mark": b'\xef\xbb\xbf{"request": 7}',
    "deep": b"[" * 100_000,
    "deep member": b'{"authorization_file": {}, "trust_file": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "huge number": b'{"request": ' + b"9" * 5000 + b"}",
    "NaN": b'{"request": NaN}',
    "random": bytes(range(256)),
}
NO_JSON = ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/merge-patch+json", ""]
# Headers that have no bearer token, and those whose token nobody has.
NO_TOKENS = ["", "Bearer", "Bearer ", "Bearer two words", "Bearer\tx", "Basic YWRtaW46YWRtaW4=", "Bearer " + "A" * 10_000]
UNKNOWN_TOKENS = ["Bearer unknown", "bearer x", "Bearer \xff"]


def of(table: dict[str, list[Any]], route: str, name: str) -> list[Any]:
    """The wrong values of a place such as `machine.id` or `assignments.0.username`. Raises KeyError for one that nobody thought of."""
    plain = ".".join(part for part in name.split(".") if not part.isdigit())
    for key in (f"{route} {name}", plain, plain.rpartition(".")[2]):
        if key in table:
            return table[key]
    raise KeyError(f"{route} {name}: wrong values for it are missing in tests/authority/wrong_values.py")
