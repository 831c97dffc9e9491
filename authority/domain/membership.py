"""How many members the organization has and may have, and who is kept out while it has too many (seed S2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from authority.domain.catalogue import Authorization
from authority.domain.members import Role
from authority.domain.plurals import are, counted
from authority.domain.refusals import OrganizationOverLimit


@dataclass(frozen=True, slots=True)
class Membership:
    """Current and licensed membership, in all and by user type; a maximum of None means any number."""

    current: int
    maximum: int | None
    by_type: Mapping[str, tuple[int, int | None]]

    @classmethod
    def of(cls, authorization: Authorization, counts: Mapping[str, int]) -> Membership:
        """The membership for these counts by user type under this authorization."""
        names = sorted({*counts, *authorization.user_types})
        by_type = {name: (counts.get(name, 0), authorization.members_by_type.get(name)) for name in names}
        return cls(sum(counts.values()), authorization.members_total, by_type)

    def excess(self) -> str | None:
        """What there is too much of, in a sentence with the numbers, or None when all is within the authorization."""
        limits_passed = []
        if self.maximum is not None and self.current > self.maximum:
            limits_passed.append(f"{counted(self.current, 'member')}, {self.maximum} {are(self.maximum)} allowed")
        limits_passed += [
            f'{counted(current, "member")} of the type "{name}", {maximum} {are(maximum)} allowed'
            for name, (current, maximum) in self.by_type.items()
            if maximum is not None and current > maximum
        ]
        return f"the organization has {'; '.join(limits_passed)}" if limits_passed else None

    def check_admitted(self, role: Role) -> None:
        """Raises OrganizationOverLimit for everyone but an administrator while there are too many members."""
        if role is not Role.ADMINISTRATOR and self.excess() is not None:
            raise OrganizationOverLimit(
                "you cannot sign in because of a software authorization error: the organization has too many members",
                current=self.current,
                maximum=self.maximum,
            )
