"""Who may have what of a product, whether or not a seat is free: user types, assigned licenses, levels and extensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from authority.domain.borrows import Demand, Features
from authority.domain.catalogue import Authorization, Product
from authority.domain.members import Assignment, Member
from authority.domain.plurals import are, counted
from authority.domain.refusals import (
    ExtensionNotAssigned,
    LevelNotAssigned,
    MemberDisabled,
    NoSuchProduct,
    NotAssigned,
    ProductOverallocated,
    TypeNotCompatible,
)


def entitled(
    member: Member,
    demand: Demand,
    authorization: Authorization,
    product: Product,
    assignment: Assignment | None,
    assigned: Mapping[str, int],
) -> Features:
    """The level and extensions that the member may have of what is asked for.

    `assigned` is how often each level and extension of the product is assigned. Raises MemberDisabled, TypeNotCompatible,
    ProductOverallocated, NotAssigned, LevelNotAssigned, ExtensionNotAssigned, NoSuchProduct.
    """
    check_may_use(member, authorization, product)
    if assignment is not None:
        check_not_overallocated(product, assigned)
    return features_of(product, demand, assignment)


def check_may_use(member: Member, authorization: Authorization, product: Product) -> None:
    """Raises MemberDisabled or TypeNotCompatible (seed S1: only some user types can have a license)."""
    if member.disabled:
        raise MemberDisabled(f"the member {member.username} is disabled", member=member.username)
    if not authorization.user_type(member.user_type).may_use(product.id):
        raise TypeNotCompatible(
            f'the member {member.username} has the user type "{member.user_type}", which may not hold "{product.id}"',
            member=member.username,
            user_type=member.user_type,
        )


def features_of(product: Product, demand: Demand, assignment: Assignment | None) -> Features:
    """The level and extensions for what is asked.

    A named product gives what is assigned: the assigned level when none is asked for, and so the extensions, of which none
    can be asked for too. Of a concurrent product the lowest level with seats is given, and no extensions, when none are asked for.

    Raises NotAssigned, LevelNotAssigned, ExtensionNotAssigned, NoSuchProduct.
    """
    assigned = () if assignment is None else assignment.extensions
    extensions = assigned if demand.extensions is None else demand.extensions
    product.check_extensions(extensions)
    level = demand.level or usual_level(product, assignment)
    product.rank(level)
    if product.is_concurrent:
        return Features(level, extensions)
    if assignment is None:
        raise NotAssigned(f'no license of "{product.id}" is assigned to this member', product=product.id)
    if product.rank(level) > product.rank(assignment.level):
        raise LevelNotAssigned(f'the assigned level is "{assignment.level}", not "{level}"', assigned=assignment.level)
    if not product.seats.get(level):
        raise NoSuchProduct(f'"{product.id}" has no seats of the level "{level}"', level=level)
    missing = [code for code in extensions if code not in assigned]
    if missing:
        raise ExtensionNotAssigned(f"not assigned: {', '.join(missing)}", missing=missing)
    return Features(level, extensions)


def check_still_given(product: Product, features: Features, demand: Demand, assignment: Assignment | None) -> None:
    """Raises what refuses these features to who has them already: a renewal gives again what was given before.

    NotAssigned, LevelNotAssigned, ExtensionNotAssigned; NoSuchProduct when there are no seats of one any more, for a
    verifier takes nothing that the authorization beside it has no seats of.
    """
    features_of(product, replace(demand, level=features.level, extensions=features.extensions), assignment)
    for feature in features.all():
        if not product.seats_of(feature):
            raise NoSuchProduct(f'"{product.id}" has no seats of {feature} any more', feature=feature)


def usual_level(product: Product, assignment: Assignment | None) -> str:
    """The level given when none is asked for: the assigned one, else the lowest that has seats."""
    if assignment is not None:
        return assignment.level
    return next((level for level in product.levels if product.seats.get(level)), product.levels[0])


def check_not_overallocated(product: Product, assigned: Mapping[str, int]) -> None:
    """Raises ProductOverallocated while more licenses of a level or extension are assigned than there are (seed S1).

    It happens when a smaller authorization is installed; until it is corrected nobody starts or borrows the product.
    """
    for feature in dict.fromkeys((*product.levels, *product.extensions, *assigned)):
        used = assigned.get(feature, 0)
        if used and used > (seats := product.seats_of(feature)):
            raise ProductOverallocated(
                f'{counted(used, "license")} of "{product.id}" {feature} {are(used)} assigned, there {are(seats)} {seats}',
                feature=feature,
                assigned=used,
                seats=seats,
            )
