"""What members see of themselves: their own licenses (seed S3)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from authority.domain.catalogue import Mode
from authority.domain.members import DownloadPermission, Member, Role
from authority.domain.own_license import OwnLicense
from authority.presentation.borrows import BorrowShown
from authority.presentation.refusals import RefusalShown
from authority.presentation.sessions import SessionShown
from authority.presentation.shown import Shown, Time
from authority.services.me import Me


class OwnLicenseShown(Shown):
    """One product as its user sees it."""

    id: str
    name: str
    mode: Mode
    levels: dict[str, bool] = Field(description="named: the one with true is yours; concurrent: which have seats licensed")
    extensions: dict[str, bool]
    until: Time = Field(description="end of the product")
    offline_allowed: bool
    longest_days: int | None = Field(description="of a borrow made now; null while offline use is not allowed")
    default_days: int | None
    borrow: BorrowShown | None = Field(description="the newest one that has a seat")
    sessions: tuple[SessionShown, ...] = Field(description="those that are active")
    problem: RefusalShown | None = Field(description="why the product cannot be used now")

    @classmethod
    def of(cls, own: OwnLicense, now: datetime) -> Self:
        """The license as of `now`."""
        return cls(
            id=own.product.id,
            name=own.product.name,
            mode=own.product.mode,
            levels=own.levels,
            extensions=own.extensions,
            until=own.ends_at,
            offline_allowed=own.offline_allowed,
            longest_days=own.longest_days,
            default_days=own.default_days,
            borrow=None if own.borrow is None else BorrowShown.of(own.borrow, now),
            sessions=tuple(SessionShown.of(session, now) for session in own.sessions),
            problem=None if own.problem is None else RefusalShown.of(own.problem),
        )


class MeShown(Shown):
    """Who somebody is, and their own licenses."""

    username: str
    full_name: str
    email: str
    user_type: str
    role: Role
    groups: tuple[str, ...]
    vendor_access: bool
    download_permission: DownloadPermission
    last_used_at: Time | None = Field(description="of any license; null: never")
    products: tuple[OwnLicenseShown, ...]

    @classmethod
    def of(cls, me: Me, now: datetime) -> Self:
        """The member with the licenses as of `now`."""
        member = me.member
        return cls(
            username=member.username,
            full_name=member.full_name,
            email=member.email,
            user_type=member.user_type,
            role=member.role,
            groups=member.groups,
            vendor_access=member.vendor_access,
            download_permission=member.download_permission,
            last_used_at=member.last_used_at,
            products=tuple(OwnLicenseShown.of(own, now) for own in me.licenses),
        )


class DownloadRequested(Shown):
    """What became of asking for the permission to download."""

    username: str
    vendor_access: bool
    download_permission: DownloadPermission

    @classmethod
    def of(cls, member: Member) -> Self:
        """The member who asked."""
        return cls.model_validate(member)
