"""What a new authorization changes, and what of that which is in use it no longer covers (seeds S1, S2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authority.domain.catalogue import Authorization, AuthorizedKey, KeyUse, Mode, Product, UserType
from authority.domain.membership import Membership
from authority.domain.plurals import counted


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in use: members by user type, holders of a product by user type and product.

    And by product and feature: licenses `assigned` to members, and seats `held` by borrows and sessions.
    """

    members: Mapping[str, int]
    holders: Mapping[tuple[str, str], int]
    assigned: Mapping[str, Mapping[str, int]]
    held: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Shortage:
    """A level or extension of which more is in use than licensed."""

    product: str
    feature: str
    mode: Mode
    licensed: int
    used: int

    @property
    def available(self) -> int:
        """Always negative."""
        return self.licensed - self.used

    def words(self) -> str:
        """The shortage with its numbers and what follows from it."""
        if self.mode is Mode.CONCURRENT:
            return (
                f'"{self.product}" {self.feature}: {counted(self.used, "seat")} in use, {self.licensed} licensed: '
                "no more are given until enough are back"
            )
        return (
            f'"{self.product}" {self.feature}: {self.used} assigned, {self.licensed} licensed ({self.available} available): '
            "nobody can start or borrow the product until licenses are unassigned; borrows already out stay good"
        )


def changes(before: Authorization, after: Authorization) -> tuple[str, ...]:
    """Every difference in words, with the values before and after."""
    limits = sorted({*before.members_by_type, *after.members_by_type})
    differences = [
        *_key_changes(before, after),
        *_changed("organization", before.organization_name, after.organization_name),
        *_changed("vendor", before.vendor, after.vendor),
        *_changed("ends at", _day(before.ends_at), _day(after.ends_at)),
        *_changed("longest borrow in days", before.max_borrow_days, after.max_borrow_days),
        *_changed("members", _limit(before.members_total), _limit(after.members_total)),
    ]
    for name in limits:
        old, new = before.members_by_type.get(name), after.members_by_type.get(name)
        differences += _changed(f'members of the type "{name}"', _limit(old), _limit(new))
    differences += _added_and_removed("user type", before.user_types, after.user_types)
    for name in sorted(before.user_types.keys() & after.user_types.keys()):
        differences += _changed(
            f'user type "{name}"', _type_words(before.user_types[name]), _type_words(after.user_types[name])
        )
    differences += _added_and_removed("product", before.products, after.products)
    for name in sorted(before.products.keys() & after.products.keys()):
        differences += _product_changes(before.products[name], after.products[name])
    return tuple(differences)


def _key_changes(before: Authorization, after: Authorization) -> list[str]:
    """What becomes of the authority's keys; first of all which are revoked, for that is what such a file is waited for."""
    differences = []
    for key in sorted(after.keys.values(), key=lambda item: (not item.is_revoked, item.use, item.kid)):
        words = _key_words(before.keys.get(key.kid), key, after.ends_at)
        differences += [] if words is None else [f"{key.use} key {key.kid}: {words}"]
    gone = [key for kid, key in before.keys.items() if kid not in after.keys]
    return differences + [f"{key.use} key {key.kid}: no longer named, what it signed is refused" for key in gone]


def _key_words(before: AuthorizedKey | None, after: AuthorizedKey, ends_at: datetime) -> str | None:
    """What a new authorization, which ends then, makes of a key; None when it leaves the key as it is."""
    if after.is_revoked:
        if before is not None and before.is_revoked and before.known == after.known:
            return None
        stay = counted(len(after.known), "token that it signed stays", "tokens that it signed stay")
        return "revoked" if after.use is KeyUse.STATUS else f"revoked; {stay} good"
    if before is None:
        return f"new, signs from {_day(after.begins_at)} on"
    if before.is_revoked:
        return "no longer revoked"
    # A key that ends with its authorization ends as that does.
    if after.ends_at < min(before.ends_at, ends_at):
        return f"signs until {_day(after.ends_at)} alone"
    return None


def _product_changes(before: Product, after: Product) -> list[str]:
    features = dict.fromkeys((*before.levels, *before.extensions, *after.levels, *after.extensions))
    differences = [
        *_changed(f'"{after.id}" name', before.name, after.name),
        *_changed(f'"{after.id}" mode', before.mode, after.mode),
        *_changed(f'"{after.id}" levels', ", ".join(before.levels), ", ".join(after.levels)),
        *_changed(f'"{after.id}" ends at', _day(before.until), _day(after.until)),
    ]
    for feature in features:
        differences += _changed(f'"{after.id}" {feature} seats', before.seats_of(feature), after.seats_of(feature))
    return differences


def _changed(label: str, old: object, new: object) -> list[str]:
    if old == new:
        return []
    difference = f" ({new - old:+d})" if isinstance(old, int) and isinstance(new, int) else ""
    return [f"{label}: {old} -> {new}{difference}"]


def _added_and_removed(label: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    added = [f'{label} "{name}": added' for name in after if name not in before]
    return added + [f'{label} "{name}": removed' for name in before if name not in after]


def _limit(value: int | None) -> int | str:
    return "any number" if value is None else value


def _day(at: datetime | None) -> str:
    return "with the authorization" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _type_words(user_type: UserType) -> str:
    includes = ", ".join(f"{product} {level}" for product, level in sorted(user_type.includes.items()))
    return f"includes {includes or 'nothing'}, may hold {', '.join(sorted(user_type.may_hold)) or 'nothing'}"


def shortages(authorization: Authorization, usage: Usage) -> tuple[Shortage, ...]:
    """The levels and extensions of which more is in use than the authorization has, those of products that it lacks too."""
    short = []
    for product_id in sorted({*authorization.products, *usage.assigned, *usage.held}):
        product = authorization.products.get(product_id)
        is_concurrent = product_id not in usage.assigned if product is None else product.is_concurrent
        used = (usage.held if is_concurrent else usage.assigned).get(product_id, {})
        mode = Mode.CONCURRENT if is_concurrent else Mode.NAMED
        for feature, count in sorted(used.items()):
            licensed = 0 if product is None else product.seats_of(feature)
            if count > licensed:
                short.append(Shortage(product_id, feature, mode, licensed, count))
    return tuple(short)


def consequences(authorization: Authorization, usage: Usage, now: datetime) -> tuple[str, ...]:
    """What under this authorization is too much, ended or not allowed any more, in words with the numbers."""
    sentences = []
    excess = Membership.of(authorization, usage.members).excess()
    if excess is not None:
        sentences.append(f"{excess}: only administrators can sign in, and nobody can be added, until members are removed")
    for name, count in sorted(usage.members.items()):
        if name not in authorization.user_types:
            sentences.append(
                f'{counted(count, "member has", "members have")} the user type "{name}", which is gone: they need another one'
            )
    sentences += [shortage.words() for shortage in shortages(authorization, usage)]
    for (type_name, product_id), count in sorted(usage.holders.items()):
        user_type = authorization.user_types.get(type_name)
        if user_type is not None and product_id in authorization.products and not user_type.may_use(product_id):
            sentences.append(
                counted(count, f'member of the type "{type_name}" holds', f'members of the type "{type_name}" hold')
                + f' "{product_id}", which the type may not hold any more'
            )
    for product in authorization.products.values():
        if product.until is not None and product.until <= now and usage.assigned.get(product.id):
            sentences.append(
                f'"{product.id}" ended at {_day(product.until)} and is still assigned: nobody can start or borrow it'
            )
    return tuple(sentences)
