"""A member's licenses, product by product, with the offline rule in effect for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import Field

from authority.domain.catalogue import Authorization, UserType
from authority.domain.members import Assignment, Member
from authority.presentation.licenses import AssignmentShown
from authority.presentation.policies import EffectiveShown
from authority.presentation.shown import Shown
from authority.services.policies import Explained


class MemberProduct(Shown):
    """What a member has of one product."""

    id: str
    name: str
    is_licensed: bool = Field(description="false: the authorization does not have it any more, and the license is still held")
    is_concurrent: bool = Field(description="its seats are taken as they come, and assigned to nobody")
    may_hold: bool = Field(description="the user type may use it")
    license: AssignmentShown | None = Field(description="null: none is assigned")
    rule: EffectiveShown | None = Field(description="null: it is not licensed")

    @classmethod
    def all_of(
        cls, member: Member, held: Iterable[Assignment], explained: Iterable[Explained], authorization: Authorization
    ) -> tuple[Self, ...]:
        """Each product of the authorization in its order, and then what is held of others."""
        licenses = {license_.product: AssignmentShown.of(license_) for license_ in held}
        user_type = authorization.user_types.get(member.user_type)
        shown = [cls._licensed(rule, user_type, licenses, authorization) for rule in explained]
        gone = [
            cls(id=name, name=name, is_licensed=False, is_concurrent=False, may_hold=False, license=license_, rule=None)
            for name, license_ in licenses.items()
            if name not in authorization.products
        ]
        return (*shown, *gone)

    @classmethod
    def _licensed(
        cls,
        rule: Explained,
        user_type: UserType | None,
        licenses: Mapping[str, AssignmentShown],
        authorization: Authorization,
    ) -> Self:
        product = authorization.products[rule.product]
        return cls(
            id=product.id,
            name=product.name,
            is_licensed=True,
            is_concurrent=product.is_concurrent,
            may_hold=user_type is not None and user_type.may_use(product.id),
            license=licenses.get(product.id),
            rule=EffectiveShown.of(rule),
        )
