"""Bodies, content types and tokens that no route takes, whatever it is about. Written by hand."""

from __future__ import annotations

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
