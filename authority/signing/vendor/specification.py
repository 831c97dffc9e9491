"""A vendor's specification: readable TOML in, the claims of an authorization out. All that is wrong is said at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from authority.domain.names import key_of
from authority.domain.refusals import SpecificationInvalid
from authority.domain.texts import NotText, text_of
from authority.signing.vendor.problems import refuse
from authority.signing.vendor.specification_tables import (
    MembersTable,
    ProductTable,
    SpecificationTable,
    Time,
    UserTypeTable,
    problem,
)
from verifier.core.files import LARGEST_FILE

# A day's room, so that a workstation whose clock is behind can use it at once.
BEGINS_BEFORE_NOW = timedelta(days=1)
_CLAIMS = {"iss", "sub", "organization", "members", "user_types", "products", "max_borrow_days"}
_MEMBERS = TypeAdapter(MembersTable)
_PRODUCTS = TypeAdapter(list[ProductTable])
_USER_TYPES = TypeAdapter(dict[str, UserTypeTable])
_TIME: TypeAdapter[datetime] = TypeAdapter(Time)

Part = TypeVar("Part")


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
    tables = _parsed(data)
    table, problems = _validated(tables)
    problems += [*_contradictions(tables), *_wrong_times(tables, now)]
    refuse("the specification", problems)
    if table is None:
        raise SpecificationInvalid("the specification cannot be read")
    claims = table.model_dump(include=_CLAIMS)
    return Specification(claims, table.seq, table.nbf or now - BEGINS_BEFORE_NOW, table.exp)


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST_FILE:
        raise SpecificationInvalid(f"the specification is larger than {LARGEST_FILE} bytes")
    try:
        return tomllib.loads(text_of(data))
    except NotText as error:
        raise SpecificationInvalid(f"the specification {error}") from error
    except (ValueError, RecursionError) as error:
        raise SpecificationInvalid(f"the specification is not TOML: {str(error)[:200]}") from error


def _validated(tables: dict[str, Any]) -> tuple[SpecificationTable | None, list[str]]:
    """The tables as they are meant, or None and what is wrong, each place once."""
    try:
        return SpecificationTable.model_validate(tables), []
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        return None, list(dict.fromkeys(problem(item["type"], item["loc"], tables) for item in errors))


def _valid(adapter: TypeAdapter[Part], value: object) -> Part | None:
    """The part of a specification whose other parts may be wrong; None when this one is."""
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _wrong_times(tables: dict[str, Any], now: datetime) -> Iterator[str]:
    ends_at, begins_at = _valid(_TIME, tables.get("exp")), _valid(_TIME, tables.get("nbf"))
    if ends_at is not None and not (begins_at or now - BEGINS_BEFORE_NOW) < ends_at:
        yield '"exp" must be after "nbf"'
    if ends_at is not None and ends_at <= now:
        yield '"exp" must be in the future'


def _contradictions(tables: dict[str, Any]) -> Iterator[str]:
    """What no place alone shows: names that nothing has, and names that two have. Only what can be read is compared."""
    products, user_types = _valid(_PRODUCTS, tables.get("products")), _valid(_USER_TYPES, tables.get("user_types"))
    members = _valid(_MEMBERS, tables.get("members"))
    if products is not None:
        ids = [product.id for product in products]
        yield from (f'the product "{name}" stands there twice' for name in sorted(set(ids)) if ids.count(name) > 1)
        for product in products:
            yield from _contradictions_within(product)
    if products is not None and user_types is not None:
        yield from _unknown_products(user_types, {product.id: product.levels for product in products})
    if user_types is not None:
        if not user_types:
            yield "there must be at least one user type"
        yield from _look_alikes("the user types", user_types)
        limits = () if members is None else members.types
        yield from (f'"members.types" limits "{name}", which is no user type' for name in limits if name not in user_types)


def _contradictions_within(product: ProductTable) -> Iterator[str]:
    if not product.levels:
        yield f'the product "{product.id}" needs at least one level'
    for level in product.seats:
        if level not in product.levels:
            yield f'the product "{product.id}" has seats of "{level}", which is not one of its levels'
    for code in product.extensions:
        if code in product.levels:
            yield f'the product "{product.id}" has a level and an extension "{code}"'
    yield from _look_alikes(f'the levels and extensions of "{product.id}"', {*product.levels, *product.extensions})


def _look_alikes(what: str, names: Iterable[str]) -> Iterator[str]:
    """Names that differ in their case or blanks alone: people would take one for the other."""
    by_key: dict[str, list[str]] = {}
    for name in sorted(names):
        by_key.setdefault(key_of(name), []).append(name)
    for similar in by_key.values():
        if len(similar) > 1:
            yield f"{what} have names that look alike: {', '.join(similar)}"


def _unknown_products(user_types: Mapping[str, UserTypeTable], levels: Mapping[str, list[str]]) -> Iterator[str]:
    for name, user_type in user_types.items():
        for product, level in user_type.includes.items():
            if level not in levels.get(product, ()):
                yield f'the user type "{name}" includes "{product}" at "{level}", which no product has'
        for product in user_type.may_hold:
            if product not in levels:
                yield f'the user type "{name}" may hold "{product}", which is no product'
