"""What members hold of named products, and what a change of user type gives and takes (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from authority.domain.catalogue import Authorization, Product, UserType
from authority.domain.members import Assignment, Member
from authority.domain.plurals import all_are
from authority.domain.refusals import InvalidInput, PoolExhausted, TypeNotCompatible


@dataclass(frozen=True, slots=True)
class TypeChange:
    """What a change of user type does to a member's licenses: the assignments removed, added, and left as they are."""

    removed: tuple[Assignment, ...]
    added: tuple[Assignment, ...]
    unchanged: tuple[Assignment, ...]


def change_of_type(held: Iterable[Assignment], after: UserType, authorization: Authorization) -> TypeChange:
    """What changes when a member with these licenses becomes one of this type.

    What the old type brought by itself goes, with its extensions, unless the new one brings it too. What was assigned stays
    where the new type may hold it. What the new type includes is given; nothing else is (seed S1).
    """
    removed: list[Assignment] = []
    added: list[Assignment] = []
    unchanged: list[Assignment] = []
    by_product = {assignment.product: assignment for assignment in held}
    for product_id, level in after.includes.items():
        before = by_product.pop(product_id, None)
        product = authorization.product(product_id)
        if before is not None and product.rank(before.level) >= product.rank(level):
            unchanged.append(before)
        else:
            added.append(Assignment(product_id, level, before.extensions if before else (), included=True))
    for assignment in by_product.values():
        stays = after.may_use(assignment.product) and not assignment.included
        (unchanged if stays else removed).append(assignment)
    return TypeChange(tuple(removed), tuple(added), tuple(unchanged))


def check_assignable(authorization: Authorization, member: Member, product: Product) -> None:
    """Raises InvalidInput for a concurrent product and TypeNotCompatible for a user type that may not hold it."""
    if product.is_concurrent:
        raise InvalidInput(f'"{product.id}" is a concurrent-use product: its seats are taken as they come, not assigned')
    if not authorization.user_type(member.user_type).may_use(product.id):
        raise TypeNotCompatible(
            f'the member {member.username} has the user type "{member.user_type}", which may not hold "{product.id}"',
            member=member.username,
            user_type=member.user_type,
        )


@dataclass(frozen=True, slots=True)
class Extensions:
    """Which extensions a member is to hold: exactly these; or with None those held now, with some added and some removed."""

    exactly: tuple[str, ...] | None = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises InvalidInput when the parts contradict each other."""
        if self.exactly is not None and (self.added or self.removed):
            raise InvalidInput("all extensions are named, and some to add or remove as well: say one of them")
        if both := sorted(set(self.added) & set(self.removed)):
            raise InvalidInput(f'the extension "{both[0]}" is to be added and removed')

    def of(self, product: Product, held: tuple[str, ...]) -> tuple[str, ...]:
        """What is held in place of `held`, in order. Raises NoSuchProduct for an extension that the product does not have.

        One that is held although the product does not have it any more stays, and can be removed.
        """
        product.check_extensions(tuple(name for name in (*self.added, *self.removed) if name not in held))
        if self.exactly is not None:
            product.check_extensions(self.exactly)
            return tuple(sorted(set(self.exactly)))
        return tuple(sorted({*held, *self.added}.difference(self.removed)))


def assignment_for(product: Product, before: Assignment | None, level: str | None, extensions: Extensions) -> Assignment:
    """What the member is to hold; without a level the one held is kept. Raises InvalidInput, NoSuchProduct."""
    extensions.check()
    if level is None and before is None:
        raise InvalidInput(f'say which level of "{product.id}": {", ".join(product.levels)}')
    new_level = level or (before.level if before else product.levels[0])
    product.rank(new_level)
    names = extensions.of(product, before.extensions if before else ())
    included = before is not None and before.included and before.level == new_level
    return Assignment(product.id, new_level, names, included)


def version_values(held: Assignment) -> Mapping[str, object]:
    """What of a license two administrators may change at once: the fields of its version."""
    return {"level": held.level, "extensions": sorted(held.extensions)}


def features(held: Assignment | None) -> set[str]:
    """The level and extensions of an assignment; each takes one license."""
    return set() if held is None else {held.level, *held.extensions}


def check_free(product: Product, assigned: Mapping[str, int], before: Assignment | None, after: Assignment) -> None:
    """Raises PoolExhausted when a level or extension that is new to the member is assigned as often as it is licensed."""
    for feature in sorted(features(after) - features(before)):
        if assigned.get(feature, 0) >= product.seats_of(feature):
            raise PoolExhausted(
                all_are(product.seats_of(feature), "license", f'"{product.id}" {feature}') + " assigned",
                hint="Unassign one from a member who does not need it, or license more.",
                feature=feature,
                seats=product.seats_of(feature),
            )
