"""A vendor's specification: readable TOML in, the claims of an authorization out. All that is wrong is told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authority.domain.refusals import SpecificationInvalid
from authority.signing.keyring import USES
from authority.signing.sample_keys import SAMPLE_KIDS
from authority.signing.specification_tables import Table
from verifier.core import jose, keys
from verifier.core.files import LARGEST_FILE
from verifier.core.keys import PublicKey
from verifier.core.reading import FEATURE, MOST_DAYS, PRODUCT_ID
from verifier.core.times import timestamp
from verifier.errors import CarnetError, Malformed

# A day's room, so that a workstation whose clock is behind can use it at once.
BEGINS_BEFORE_NOW = timedelta(days=1)
MOST_TOLD = 40
_ID = "1 to 64 of a-z 0-9 . - that begin and end with a letter or digit"
_FEATURE = "names of 1 to 64 letters, digits, spaces and . _ -"
_KEY = frozenset({"use", "kid", "kty", "crv", "x"})


@dataclass(frozen=True, slots=True)
class Specification:
    """What a vendor wrote. `claims` are those of an authorization but `ver`, `seq`, `iat`, `nbf`, `exp` and `keys`."""

    claims: Mapping[str, Any]
    seq: int | None
    begins_at: datetime
    ends_at: datetime

    @property
    def organization(self) -> str:
        """The id of the organization that it is for."""
        return str(self.claims["sub"])


def read(data: bytes, now: datetime) -> Specification:
    """The specification in a TOML file, beginning a day before `now` unless it says when. Raises SpecificationInvalid."""
    wrong: list[str] = []
    table = Table(_parsed(data), "", wrong)
    claims = {
        "iss": table.text("iss"),
        "sub": table.text("sub", PRODUCT_ID, _ID),
        "organization": table.text("organization"),
        "members": _members(table.table("members")),
        "user_types": {name: _user_type(item) for name, item in table.named_tables("user_types", FEATURE, _FEATURE).items()},
        "products": [_product(item) for item in table.tables("products")],
        "max_borrow_days": table.integer("max_borrow_days", 1, MOST_DAYS),
    }
    seq = table.integer_or_none("seq", 1)
    begins_at = table.time_or_none("nbf") or now - BEGINS_BEFORE_NOW
    ends_at = table.time("exp")
    table.end()
    wrong += _contradictions(claims)
    if ends_at is not None and not begins_at < ends_at:
        wrong.append('"exp" must be after "nbf"')
    if ends_at is not None and ends_at <= now:
        wrong.append('"exp" must be in the future')
    _refuse("the specification", wrong)
    if ends_at is None:
        raise SpecificationInvalid('the specification: "exp" is missing')
    return Specification(claims, seq, begins_at, ends_at)


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST_FILE:
        raise SpecificationInvalid(f"the specification is larger than {LARGEST_FILE} bytes")
    try:
        # Editors on Windows write a byte order mark.
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SpecificationInvalid(f"the specification is not TOML: {str(error)[:200]}") from error


def _members(table: Table) -> dict[str, Any]:
    found = {"total": table.integer_or_none("total"), "types": table.counts_or_empty("types", FEATURE, _FEATURE)}
    table.end()
    return found


def _user_type(table: Table) -> dict[str, Any]:
    found = {
        "includes": table.texts_by_name("includes", PRODUCT_ID, _ID),
        "may_hold": table.texts("may_hold", PRODUCT_ID, f"product ids: {_ID}"),
    }
    table.end()
    return found


def _product(table: Table) -> dict[str, Any]:
    found = {
        "id": table.text("id", PRODUCT_ID, _ID),
        "name": table.text("name"),
        "mode": table.choice("mode", ("named", "concurrent")),
        "levels": table.texts("levels", FEATURE, _FEATURE),
        "seats": table.counts("seats", FEATURE, _FEATURE),
        "extensions": table.counts("extensions", FEATURE, _FEATURE),
    }
    until = table.time_or_none("until")
    table.end()
    return {**found, "until": None if until is None else timestamp(until)}


def _contradictions(claims: Mapping[str, Any]) -> list[str]:
    """What each member alone does not show: names that nothing has, and names that two have."""
    found = []
    ids = [product["id"] for product in claims["products"]]
    levels = {product["id"]: product["levels"] for product in claims["products"]}
    found += [f'the product "{name}" stands there twice' for name in sorted(set(ids)) if name and ids.count(name) > 1]
    for product in claims["products"]:
        name, known = product["id"], product["levels"]
        if not known:
            found.append(f'the product "{name}" needs at least one level')
        found += [
            f'the product "{name}" has seats of "{level}", which is not one of its levels'
            for level in product["seats"]
            if level not in known
        ]
        found += [
            f'the product "{name}" has a level and an extension "{code}"' for code in product["extensions"] if code in known
        ]
    for name, user_type in claims["user_types"].items():
        found += [
            f'the user type "{name}" includes "{product}" at "{level}", which no product has'
            for product, level in user_type["includes"].items()
            if level not in levels.get(product, ())
        ]
        found += [
            f'the user type "{name}" may hold "{product}", which is no product'
            for product in user_type["may_hold"]
            if product not in levels
        ]
    if not claims["user_types"]:
        found.append("there must be at least one user type")
    limits = claims["members"]["types"]
    return found + [
        f'"members.types" limits "{name}", which is no user type' for name in limits if name not in claims["user_types"]
    ]


def read_keys(data: bytes, organization: str) -> dict[str, list[PublicKey]]:
    """The screened public keys by use in a file that an authority wrote for its vendor. Raises SpecificationInvalid."""
    if len(data) > LARGEST_FILE:
        raise SpecificationInvalid(f"the file with the public keys is larger than {LARGEST_FILE} bytes")
    try:
        members = jose.strict_object(data)
    except CarnetError as error:
        raise SpecificationInvalid(f"the file with the public keys: {error.message}") from error
    wrong: list[str] = []
    listed = members.get("keys")
    if members.keys() != {"organization", "keys"} or not isinstance(listed, list):
        raise SpecificationInvalid(
            'the file with the public keys must have "organization" and an array "keys"',
            hint="The organization writes it with: carnet-authority key list --public -o KEYS.json",
        )
    if members["organization"] != organization:
        wrong.append(
            f'it is of the organization "{str(members["organization"])[:80]}", the specification is for "{organization}"'
        )
    found: dict[str, list[PublicKey]] = {use: [] for use in USES}
    for number, item in enumerate(listed, 1):
        try:
            found[str(item["use"])].append(_key(item))
        except CarnetError as error:
            wrong.append(f"key {number}: {error.message}")
        except (KeyError, TypeError):
            wrong.append(f'key {number}: "use" must be one of {", ".join(USES)}')
    kids = [key.kid for use in USES for key in found[use]]
    wrong += [f"the key {kid} stands there twice" for kid in sorted(set(kids)) if kids.count(kid) > 1]
    wrong += [f"{kid} is one of the published sample keys, which everybody has" for kid in kids if kid in SAMPLE_KIDS]
    if not wrong:
        wrong += [f'there is no key of the use "{use}"' for use in USES if not found[use]]
    _refuse("the file with the public keys", wrong)
    return found


def _key(item: Mapping[str, Any]) -> PublicKey:
    """The screened key of one entry. Raises Malformed."""
    if item.keys() != _KEY:
        raise Malformed(f"its members must be {', '.join(sorted(_KEY))}")
    found = keys.from_jwk({name: item[name] for name in ("kty", "crv", "x")})
    if item["kid"] != found.kid:
        raise Malformed(f'"kid" is not the thumbprint of the key, which is {found.kid}')
    return found


def _refuse(what: str, wrong: list[str]) -> None:
    if wrong:
        told = wrong[:MOST_TOLD] + ([f"and {len(wrong) - MOST_TOLD} more"] if len(wrong) > MOST_TOLD else [])
        raise SpecificationInvalid(f"{what}: {'; '.join(told)}", problems=told)
