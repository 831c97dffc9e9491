"""Members of the organization: who they are, what they may do here, what they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authority.domain import names
from authority.domain.catalogue import Authorization
from authority.domain.refusals import InvalidInput, LastAdministrator, MemberLimitReached, NotAllowed

# ASCII alone: no two user names can look alike or fold together in one program and not in another.
USERNAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")
LONGEST_NAME = 128
# /members/defaults is no member, and the log says "console" and "time" where no member did it.
RESERVED = frozenset({"defaults", "console", "time"})


class Role(StrEnum):
    """What a member may do here (seed S1: administrators, and members with privileges to manage licenses)."""

    ADMINISTRATOR = "administrator"
    LICENSE_MANAGER = "license-manager"
    ANALYST = "analyst"
    MEMBER = "member"


class Privilege(StrEnum):
    """One thing that a role lets a person do."""

    MANAGE_MEMBERS = "manage members"
    ASSIGN_LICENSES = "assign licenses"
    VIEW_BORROWS = "view all borrows"
    END_BORROWS = "revoke and release borrows"
    ACT_FOR_MEMBERS = "borrow and check in for a member"
    READ_LOG = "read the log"
    MANAGE_AUTHORITY = "manage the authority"


PRIVILEGES = {
    Role.ADMINISTRATOR: frozenset(Privilege),
    Role.LICENSE_MANAGER: frozenset({Privilege.ASSIGN_LICENSES, Privilege.VIEW_BORROWS}),
    Role.ANALYST: frozenset({Privilege.READ_LOG}),
    Role.MEMBER: frozenset[Privilege](),
}


class DownloadPermission(StrEnum):
    """Whether a member may download software: asked for by the member, granted by an administrator (seed S1)."""

    NONE = "none"
    REQUESTED = "requested"
    GRANTED = "granted"


class CredentialKind(StrEnum):
    """What a bearer token is: made by an administrator to last, or got by signing in."""

    API_KEY = "api-key"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Member:
    """A named user."""

    id: int
    username: str
    full_name: str
    user_type: str
    role: Role
    disabled: bool
    groups: tuple[str, ...]
    created_at: datetime
    vendor_access: bool = False
    download_permission: DownloadPermission = DownloadPermission.NONE
    last_used_at: datetime | None = None

    def administers(self) -> bool:
        """True for an administrator who is not disabled."""
        return self.role is Role.ADMINISTRATOR and not self.disabled

    def as_actor(self) -> Actor:
        """The member as one who asks for something."""
        return Actor(self.id, self.username, self.role)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: a member with a role, or the console of the server itself (`member_id` None)."""

    member_id: int | None
    username: str
    role: Role

    @property
    def own_number(self) -> int:
        """The number of the member who is asking, and one that no member has for who is none."""
        return 0 if self.member_id is None else self.member_id

    def needs(self, privilege: Privilege) -> None:
        """Raises NotAllowed when the actor's role lacks the privilege."""
        if privilege not in PRIVILEGES[self.role]:
            raise NotAllowed(f'{self.username} has the role "{self.role}", which may not {privilege}', role=str(self.role))

    def needs_one_of(self, *privileges: Privilege) -> None:
        """Raises NotAllowed when the actor's role lacks all of the privileges."""
        if not any(self.has(privilege) for privilege in privileges):
            self.needs(privileges[-1])

    def has(self, privilege: Privilege) -> bool:
        """True when the actor's role has the privilege."""
        return privilege in PRIVILEGES[self.role]


# Who types on the server's own console has the keys and the database in hand, and is an administrator already.
CONSOLE = Actor(None, "console", Role.ADMINISTRATOR)
# Who asks for what is public: the status list, the trust file.
ANYBODY = Actor(None, "anybody", Role.MEMBER)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A named product's license of one member; `included` when the user type brought it (seed S1)."""

    product: str
    level: str
    extensions: tuple[str, ...]
    included: bool


def check_username(username: str) -> None:
    """Raises InvalidInput unless the user name is 1 to 128 of A-Z a-z 0-9 . _ @ + - and begins with a letter or digit.

    Names that have a meaning of their own are refused too, whatever their case.
    """
    if not USERNAME.match(username):
        raise InvalidInput(
            f'"{username[:140]}" cannot be a user name: use letters, digits and . _ @ + -', username=username[:140]
        )
    if username.lower() in RESERVED:
        raise InvalidInput(f'"{username}" cannot be a user name: it has another meaning', username=username)


def check_name(label: str, text: str) -> None:
    """Raises InvalidInput unless the text is printable and at most 128 characters long."""
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise InvalidInput(f"{label} must be printable text of at most {LONGEST_NAME} characters")


def group_name(text: str) -> str:
    """The name of a group in its one spelling (see `names.spelled`). Raises InvalidInput; a name has something to see in it."""
    name = names.spelled("the name of a group", text)
    if not names.key_of(name):
        raise InvalidInput("a group needs a name")
    return name


def check_administrator_left(member: Member, others: int) -> None:
    """Raises LastAdministrator when a member who is to administer no more leaves no other administrator who is not disabled."""
    if others == 0:
        raise LastAdministrator(
            f"{member.username} is the last administrator and cannot be demoted, disabled or removed", member=member.username
        )


def check_room(authorization: Authorization, user_type: str, members: int, of_type: int) -> None:
    """Raises MemberLimitReached when one more member, or one more of the type, is past the authorization (seed S2)."""
    _check_below(authorization.members_total, members, "members")
    check_room_in_type(authorization, user_type, of_type)


def check_room_in_type(authorization: Authorization, user_type: str, of_type: int) -> None:
    """Raises MemberLimitReached when one more of the type is past the authorization; who only changes the type adds nobody."""
    _check_below(authorization.members_by_type.get(user_type), of_type, f'members of the type "{user_type}"')


def _check_below(limit: int | None, count: int, what: str) -> None:
    if limit is not None and count >= limit:
        raise MemberLimitReached(
            f"the organization has {count} {what}, the authorization allows {limit}", current=count, maximum=limit
        )
