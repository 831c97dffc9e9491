"""Hostile tokens by name: other forms, headers, key names, payloads and keys than the one way in which a token is written.

Wherever a signature can be right, it is right: what is refused is not refused for its signature.
"""

from __future__ import annotations

from typing import Any

from tests.support.chains import Signer
from verifier.core import claims, jose, keys

SIGNER = Signer()
TYP = claims.BORROW_TYP
GOOD = SIGNER.token(TYP, {"a": 1})
HEAD, BODY, SIGNATURE = GOOD.split(".")
HEADER = jose.payload(SIGNER.header(TYP))
JWK = SIGNER.public.as_jwk()


def with_header(text: str | bytes) -> str:
    return SIGNER.sign(text, {"a": 1})


def with_member(name: str, value: object) -> str:
    return SIGNER.sign(SIGNER.header(TYP) | {name: value}, {"a": 1})


def without(name: str) -> str:
    return SIGNER.sign({key: value for key, value in SIGNER.header(TYP).items() if key != name}, {"a": 1})


def with_payload(text: str | bytes) -> str:
    return SIGNER.sign(SIGNER.header(TYP), text)


FORMS: dict[str, Any] = {
    "empty": "",
    "None": None,
    "bytes": GOOD.encode(),
    "number": 1,
    "list": [GOOD],
    "object": {"protected": HEAD, "payload": BODY, "signature": SIGNATURE},
    "JSON serialization": f'{{"protected":"{HEAD}","payload":"{BODY}","signature":"{SIGNATURE}"}}',
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{BODY}",
    "five parts as encrypted": f"{HEAD}.{BODY}.{BODY}.{BODY}.{SIGNATURE}",
    "no header": f".{BODY}.{SIGNATURE}",
    "no payload": f"{HEAD}..{SIGNATURE}",
    "no signature": f"{HEAD}.{BODY}.",
    "padded header": f"{HEAD}=.{BODY}.{SIGNATURE}",
    "padded payload": f"{HEAD}.{BODY}==.{SIGNATURE}",
    "padded signature": f"{GOOD}==",
    "space before": f" {GOOD}",
    "space after": f"{GOOD} ",
    "newline after": f"{GOOD}\n",
    "newline inside": f"{HEAD}\n.{BODY}.{SIGNATURE}",
    "tab inside": f"{HEAD}.\t{BODY}.{SIGNATURE}",
    "NUL after": f"{GOOD}\0",
    "plus and slash": f"{HEAD}.{BODY}.{'+/' * 43}",
    "full-width letters": f"{HEAD}.{BODY}.{'Ａ' * 86}",
    "Arabic digits": f"{HEAD}.{BODY}.{'٣' * 86}",
    "lone surrogate": f"{HEAD}.{BODY}.\ud800{SIGNATURE[1:]}",
    "byte order mark": f"\ufeff{GOOD}",
    "bearer": f"Bearer {GOOD}",
    "signature of 63 bytes": f"{HEAD}.{BODY}.{keys.encode(b'x' * 63)}",
    "signature of 65 bytes": f"{HEAD}.{BODY}.{keys.encode(b'x' * 65)}",
    "header of 1 character": f"A.{BODY}.{SIGNATURE}",
    "payload of 5 characters": f"{HEAD}.AAAAA.{SIGNATURE}",
    "non-canonical header": f"{keys.encode(b'{}')[:-1]}1.{BODY}.{SIGNATURE}",
    "non-canonical payload": f"{HEAD}.{keys.encode(b'{}')[:-1]}1.{SIGNATURE}",
    "non-canonical signature": f"{GOOD[:-1]}{chr(ord(GOOD[-1]) + 1)}",
}

HEADERS: dict[str, str] = {
    **{f"alg {alg!r}": with_member("alg", alg) for alg in ("none", "nOnE", "None", "", "HS256", "HS512", "RS256", "ES256")},
    **{f"alg {alg!r}": with_member("alg", alg) for alg in ("Ed25519", "Ed448", "eddsa", "EDDSA", "EdDSA ", "EdDSA\0")},
    **{f"alg {alg!r}": with_member("alg", alg) for alg in (["EdDSA"], {"EdDSA": 1}, None, True, 0)},
    **{f"typ {typ!r}": with_member("typ", typ) for typ in ("Borrow+JWT", "borrow+JWT", "JWT", "application/borrow+jwt", "")},
    **{f"typ {typ!r}": with_member("typ", typ) for typ in (None, [TYP], "borrow+jwt ", "borrow+jwt\0", "bοrrow+jwt")},
    **{f"without {name}": without(name) for name in ("alg", "typ", "kid")},
    "crit": with_member("crit", ["exp"]),
    "b64": with_member("b64", True),
    "jwk beside kid": with_member("jwk", JWK),
    "jku": with_member("jku", "https://evil.example/keys"),
    "x5u": with_member("x5u", "file:///etc/passwd"),
    "x5c": with_member("x5c", ["MIIB"]),
    "x5t": with_member("x5t", "A" * 27),
    "zip": with_member("zip", "DEF"),
    "cty": with_member("cty", "JWT"),
    "empty member name": with_member("", ""),
    "Kid": SIGNER.sign({"alg": "EdDSA", "typ": TYP, "Kid": SIGNER.kid}, {}),
    "jwk in place of kid": SIGNER.sign(SIGNER.jwk_header(TYP), {}),
    "duplicate kid": with_header(HEADER.replace('"kid"', '"kid":"x","kid"')),
    "duplicate alg": with_header(HEADER.replace('"alg"', '"alg":"none","alg"')),
    "duplicate alg, escaped": with_header(HEADER.replace('"alg"', '"\\u0061lg":"none","alg"')),
    "array": with_header(f"[{HEADER}]"),
    "string": with_header('"EdDSA"'),
    "not JSON": with_header("alg=EdDSA"),
    "something after": with_header(HEADER + "{}"),
    "single quotes": with_header(HEADER.replace('"', "'")),
    "UTF-16": with_header(HEADER.encode("utf-16")),
    "UTF-16 little-endian": with_header(HEADER.encode("utf-16-le")),
    "UTF-32": with_header(HEADER.encode("utf-32")),
    "byte order mark": with_header(b"\xef\xbb\xbf" + HEADER.encode()),
    "latin-1": with_header(HEADER.replace("alg", "älg").encode("latin-1")),
    "deep": with_header("[" * 5_000),
}

KIDS: dict[str, str] = {
    name: with_member("kid", kid)
    for name, kid in {
        "path": "../../../../etc/passwd",
        "path of the right length": "../" * 14 + "x",
        "SQL": "x' UNION SELECT 'key' --",
        "NUL": SIGNER.kid[:-1] + "\0",
        "newline after": SIGNER.kid + "\n",
        "one short": SIGNER.kid[:-1],
        "one long": SIGNER.kid + "A",
        "URL": "https://evil.example/keys.json#key-number-one",
        "number": 7,
        "true": True,
        "null": None,
        "list": [SIGNER.kid],
        "object": {SIGNER.kid: 1},
        "empty": "",
        "1 MB": "A" * 1_000_000,
        "full-width": "Ａ" * 43,
        "padded": SIGNER.kid[:-1] + "=",
    }.items()
}

PAYLOAD_TEXTS: dict[str, str | bytes] = {
    "duplicate": '{"a":1,"a":1}',
    "duplicate inside": '{"a":{"b":1,"b":2}}',
    "duplicate in a list": '{"a":[{"b":1,"b":2}]}',
    "duplicate, escaped": '{"a":1,"\\u0061":2}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16 big-endian": '{"a":1}'.encode("utf-16-be"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "lone high surrogate": '{"a":"\\ud800"}',
    "lone low surrogate": '{"a":"\\udc00x"}',
    "lone surrogate as a name": '{"\\ud800":1}',
    "lone surrogate, upper case": '{"a":"\\uDFFF"}',
    "NaN": '{"a":NaN}',
    "Infinity": '{"a":Infinity}',
    "minus Infinity": '{"a":-Infinity}',
    "float": '{"a":1.0}',
    "float inside": '{"a":[{"b":0.5}]}',
    "1e308": '{"a":1e308}',
    "1e309": '{"a":1e309}',
    "1E5": '{"a":1E5}',
    "minus zero point": '{"a":-0.0}',
    "2^53": f'{{"a":{2**53}}}',
    "minus 2^53": f'{{"a":-{2**53}}}',
    "2^64": f'{{"a":{2**64}}}',
    "4000 digits": f'{{"a":{"9" * 4_000}}}',
    "5000 digits": f'{{"a":{"9" * 5_000}}}',
    "leading zero": '{"a":01}',
    "plus": '{"a":+1}',
    "hexadecimal": '{"a":0x10}',
    "underscores": '{"a":1_000}',
    "Arabic digits": '{"a":٣}',
    "8000 brackets": "[" * 8_000,
    "5900 brackets": "[" * 5_900,
    "nested objects": '{"a":' * 1_100 + "1" + "}" * 1_100,
    "array": '[{"a":1}]',
    "string": '"a"',
    "number": "1",
    "null": "null",
    "true": "true",
    "not JSON": "a=1",
    "nothing but space": " ",
    "comment": '{"a":1/* b */}',
    "trailing comma": '{"a":1,}',
    "something after": '{"a":1}x',
    "two objects": '{"a":1}{"a":1}',
    "control character in a text": '{"a":"\n"}',
    "NUL after": '{"a":1}\0',
    "not closed": '{"a":"b',
}
PAYLOADS = {name: with_payload(text) for name, text in PAYLOAD_TEXTS.items()}

JWKS: dict[str, object] = {
    "private": JWK | {"d": keys.encode(SIGNER.private.private_bytes_raw())},
    "empty d": JWK | {"d": ""},
    "kid": JWK | {"kid": SIGNER.kid},
    "without x": {"kty": "OKP", "crv": "Ed25519"},
    "kty EC": JWK | {"kty": "EC"},
    "crv Ed448": JWK | {"crv": "Ed448"},
    "crv X25519": JWK | {"crv": "X25519"},
    "crv list": JWK | {"crv": ["Ed25519"]},
    "x of 31 bytes": JWK | {"x": keys.encode(b"x" * 31)},
    "x of 33 bytes": JWK | {"x": keys.encode(b"x" * 33)},
    "x with padding": JWK | {"x": JWK["x"] + "="},
    "x non-canonical": JWK | {"x": keys.encode(b"\0" * 31 + b"\x10")[:-1] + "B"},
    "x number": JWK | {"x": 1},
    "x list": JWK | {"x": [JWK["x"]]},
    "x null": JWK | {"x": None},
    "not on the curve": JWK | {"x": keys.encode((2).to_bytes(32, "little"))},
    "y above the field": JWK | {"x": keys.encode((2**255 - 10).to_bytes(32, "little"))},
    "text": jose.payload(JWK),
    "array": [JWK],
    "key set": {"keys": [JWK]},
    "null": None,
    "empty": {},
    "symmetric": {"kty": "oct", "k": "AAAA"},
    "RSA": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    **{f"low order {number}": JWK | {"x": keys.encode(raw)} for number, raw in enumerate(sorted(keys.LOW_ORDER))},
}
