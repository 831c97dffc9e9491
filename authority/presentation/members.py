"""Members: who they are, what they hold, what a change does; and the defaults of new ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from authority.domain.activity import Dot
from authority.domain.licenses import TypeChange
from authority.domain.members import Assignment, DownloadPermission, Member, Role
from authority.domain.membership import Membership
from authority.presentation.api_keys import ApiKeyShown
from authority.presentation.borrows import BorrowShown
from authority.presentation.licenses import AssignmentShown
from authority.presentation.refusals import RefusalShown
from authority.presentation.several import rows_of
from authority.presentation.shown import Repeated, Shown, Time, Version
from authority.services.defaults import Defaults
from authority.services.member_changes import Changed, NewAccess
from authority.services.member_lists import Listed, Page
from authority.services.removal import Removal
from authority.services.several import Outcome


class MemberShown(Shown):
    """A member."""

    id: int = Field(description="stays the member's own, whatever the user name is, and is nobody else's afterwards")
    username: str
    full_name: str
    email: str = Field(description="where notices about the member's own borrows go; empty: none is known")
    user_type: str
    role: Role
    groups: tuple[str, ...]
    disabled: bool
    vendor_access: bool
    download_permission: DownloadPermission
    last_used_at: Time | None = Field(description="of any license; null: never")
    created_at: Time
    version: Version

    @classmethod
    def of(cls, member: Member) -> Self:
        """The member, without what they hold."""
        return cls.model_validate(member)


class MemberWithLicenses(MemberShown):
    """A member with what they hold of named products."""

    licenses: tuple[AssignmentShown, ...]

    @classmethod
    def holding(cls, member: Member, assignments: Iterable[Assignment]) -> Self:
        """The member with these assignments."""
        licenses = tuple(map(AssignmentShown.of, assignments))
        return cls(**MemberShown.of(member).model_dump(), licenses=licenses)


class ListedMember(MemberWithLicenses):
    """A member in a list, with what they hold and whether they are offline or at work."""

    state: Dot = Field(description="red: offline with any product; green: a session was used in the last 30 minutes")
    offline_until: Time | None = Field(description="the end of the last borrow that is out; null: none is")

    @classmethod
    def listed(cls, row: Listed) -> Self:
        """The row of a list."""
        shown = MemberWithLicenses.holding(row.member, row.licenses).model_dump()
        return cls(**shown, state=row.state, offline_until=row.offline_until)


class Numbers(Shown):
    """So many, of at most so many."""

    current: int
    maximum: int | None = Field(description="null: any number")


class MembershipShown(Shown):
    """Current and licensed membership."""

    current: int
    maximum: int | None = Field(description="null: any number")
    types: dict[str, Numbers] = Field(description="by user type")

    @classmethod
    def of(cls, membership: Membership) -> Self:
        """The membership of the whole organization."""
        types = {name: Numbers(current=count, maximum=most) for name, (count, most) in membership.by_type.items()}
        return cls(current=membership.current, maximum=membership.maximum, types=types)


class Members(Shown):
    """A page of members, by user name."""

    items: tuple[ListedMember, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")
    total: int = Field(description="how many there are on all pages")
    membership: MembershipShown = Field(description="of the whole organization, whatever was asked for")

    @classmethod
    def of(cls, page: Page) -> Self:
        """The members of a page, with the membership."""
        items = tuple(map(ListedMember.listed, page.members))
        return cls(items=items, next=page.cursor, total=page.total, membership=MembershipShown.of(page.membership))


class LicenseEffect(Shown):
    """What a change of a member does to the licenses."""

    taken: tuple[AssignmentShown, ...]
    given: tuple[AssignmentShown, ...]
    kept: tuple[AssignmentShown, ...]

    @classmethod
    def of(cls, effect: TypeChange) -> Self:
        """The assignments that the change removes, adds, and leaves as they are."""
        taken, given, kept = (
            tuple(AssignmentShown.of(assignment) for assignment in assignments)
            for assignments in (effect.removed, effect.added, effect.unchanged)
        )
        return cls(taken=taken, given=given, kept=kept)


class NewAccessShown(Shown):
    """What a new password, or disabling, did to what was given out before it."""

    ended_sign_ins: int = Field(description="how many were ended; the one that asked stays")
    api_keys: tuple[ApiKeyShown, ...] = Field(description="of the member, that go on")
    revoked_api_keys: tuple[ApiKeyShown, ...]

    @classmethod
    def of(cls, access: NewAccess) -> Self:
        """What it did, or would do."""
        staying, revoked = (tuple(map(ApiKeyShown.of, keys)) for keys in (access.api_keys, access.revoked_api_keys))
        return cls(ended_sign_ins=access.ended_sign_ins, api_keys=staying, revoked_api_keys=revoked)


class ChangedMember(Shown):
    """A member after a change, and what it did, or would do, to the licenses."""

    member: MemberShown
    before: MemberShown = Field(description="the member as it was")
    licenses: LicenseEffect
    access: NewAccessShown = Field(description="with a new password or disabled: what it did to sign-ins and API keys")
    dry_run: bool

    @classmethod
    def of(cls, changed: Changed, *, dry_run: bool) -> Self:
        """The member as before and after the change."""
        licenses, before = LicenseEffect.of(changed.licenses), MemberShown.of(changed.before)
        access = NewAccessShown.of(changed.access)
        return cls(member=MemberShown.of(changed.after), before=before, licenses=licenses, access=access, dry_run=dry_run)


class RemovalShown(Shown):
    """A member who was removed, or would be."""

    member: str
    borrows: tuple[BorrowShown, ...] = Field(description="what was still out; released with the member")

    @classmethod
    def of(cls, removal: Removal, now: datetime) -> Self:
        """The member's name, with the borrows as of `now`."""
        borrows = tuple(BorrowShown.of(borrow, now) for borrow in removal.borrows)
        return cls(member=removal.member.username, borrows=borrows)


class RemovedMember(RemovalShown):
    """A member who was removed, or in a dry run would be."""

    dry_run: bool

    @classmethod
    def after(cls, removal: Removal, now: datetime, *, dry_run: bool) -> Self:
        """The removal with whether it was a dry run."""
        shown = RemovalShown.of(removal, now)
        return cls(member=shown.member, borrows=shown.borrows, dry_run=dry_run)


class RefusedMember(RefusalShown):
    """One of several members of whom nothing was changed, and why."""

    username: Repeated
    ok: Literal[False] = False


class ChangeDone(Shown):
    """One of several members who was changed, or in a dry run would be."""

    username: str = Field(description="as it was sent")
    ok: Literal[True] = True
    change: ChangedMember


class ChangedMembers(Shown):
    """What became of several members who were to be changed."""

    items: tuple[ChangeDone | RefusedMember, ...] = Field(description="in the order in which they were sent")
    dry_run: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[str, Changed]], *, dry_run: bool) -> Self:
        """All outcomes in their order."""
        items = rows_of(outcomes, _by_username, "change", lambda changed: ChangedMember.of(changed, dry_run=dry_run))
        return cls.model_validate({"items": items, "dry_run": dry_run})


class RemovalDone(Shown):
    """One of several members who was removed, or in a dry run would be."""

    username: str = Field(description="as it was sent")
    ok: Literal[True] = True
    removal: RemovalShown


class RemovedMembers(Shown):
    """What became of several members who were to be removed."""

    items: tuple[RemovalDone | RefusedMember, ...] = Field(description="in the order in which they were sent, each once")
    dry_run: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[str, Removal]], now: datetime, *, dry_run: bool) -> Self:
        """All outcomes in their order, with the borrows as of `now`."""
        items = rows_of(outcomes, _by_username, "removal", lambda removal: RemovalShown.of(removal, now))
        return cls.model_validate({"items": items, "dry_run": dry_run})


def _by_username(username: str) -> dict[str, str]:
    return {"username": username}


class DefaultsShown(Shown):
    """What new members get when nobody says otherwise."""

    user_type: str
    role: Role
    groups: tuple[str, ...]
    add_ons: dict[str, str] = Field(description="product to level, assigned beside what the type includes")
    vendor_access: bool
    version: Version

    @classmethod
    def of(cls, defaults: Defaults) -> Self:
        """The defaults in force."""
        return cls(
            user_type=defaults.user_type,
            role=Role(defaults.role),
            groups=defaults.groups,
            add_ons=dict(defaults.add_ons),
            vendor_access=defaults.vendor_access,
            version=defaults.version,
        )
