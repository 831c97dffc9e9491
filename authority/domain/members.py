"""Members of the organization: who they are, what they may do here, what they hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authority.domain import names, versions
from authority.domain.catalogue import Authorization
from authority.domain.refusals import InvalidInput, LastAdministrator, MemberLimitReached, NotAllowed

# What directories let stand in user names beside letters and digits (sAMAccountName, userPrincipalName, POSIX, and the marks
# that are written within words). The first one is a letter or digit: no option, no path, and no formula begins like that.
MARKS = "._@+-'!#$&^~\\\u2019\u00b7\u05f3\u05f4\u30fb"
_SIMPLE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")
# What stands before and after the @ of an address: nothing that has a meaning of its own in the header of a mail (RFC 5322, 3.2.3).
_EMAIL = re.compile(r"(?!\.)(?!.*\.[.@])[^\s@<>()\[\],;:\\\"]{1,64}@[^\W_](?:[\w.-]*[^\W_])?")
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, less the two brackets
# /members/defaults is no member, and the log says "console" and "time" where no member did it.
RESERVED = frozenset({"defaults", "console", "time"})


# What can change in a member, in the order in which the log has it.
CHANGING = ("username", "full_name", "email", "user_type", "role", "groups", "disabled", "vendor_access", "download_permission")


class Role(StrEnum):
    """What a member may do here (seed S1: administrators, and members with privileges to manage licenses)."""

    ADMINISTRATOR = "administrator"
    LICENSE_MANAGER = "license-manager"
    ANALYST = "analyst"
    MEMBER = "member"


class Privilege(StrEnum):
    """One thing that a role lets a person do, and a scope an API key."""

    MANAGE_MEMBERS = "manage members"
    ASSIGN_LICENSES = "assign licenses"
    VIEW_BORROWS = "view all borrows"
    END_BORROWS = "revoke and release borrows"
    ACT_FOR_MEMBERS = "borrow and check in for a member"
    READ_LOG = "read the log"
    MANAGE_AUTHORITY = "manage the authority"
    GIVE_ACCESS = "give others a password, a role or an API key"
    OWN_LICENSES = "see and use one's own licenses"
    OWN_ACCESS = "change one's own password and end one's own sign-ins"


_OWN = frozenset({Privilege.OWN_LICENSES, Privilege.OWN_ACCESS})
PRIVILEGES = {
    Role.ADMINISTRATOR: frozenset(Privilege),
    Role.LICENSE_MANAGER: _OWN | {Privilege.ASSIGN_LICENSES, Privilege.VIEW_BORROWS},
    Role.ANALYST: _OWN | {Privilege.READ_LOG},
    Role.MEMBER: _OWN,
}


class Scope(StrEnum):
    """What an API key is for: it narrows what the role of its member lets it do, and widens nothing."""

    ALL = "all"
    READ = "read"
    OWN = "own"
    BORROWS = "borrows"
    LICENSES = "licenses"
    MEMBERS = "members"
    LOG = "log"
    AUTHORITY = "authority"


# What a scope leaves of a role. `read` has everything, and only where nothing is changed. Whoever could give access with a narrow
# key would get a wide one by it, so that it is left to those for everything.
WITHIN = {
    Scope.ALL: frozenset(Privilege),
    Scope.READ: frozenset[Privilege](),
    Scope.OWN: frozenset({Privilege.OWN_LICENSES}),
    Scope.BORROWS: frozenset(
        {Privilege.VIEW_BORROWS, Privilege.END_BORROWS, Privilege.ACT_FOR_MEMBERS, Privilege.OWN_LICENSES}
    ),
    Scope.LICENSES: frozenset({Privilege.ASSIGN_LICENSES}),
    Scope.MEMBERS: frozenset({Privilege.MANAGE_MEMBERS}),
    Scope.LOG: frozenset({Privilege.READ_LOG}),
    Scope.AUTHORITY: frozenset({Privilege.MANAGE_AUTHORITY}),
}


def within(scopes: Iterable[Scope], *, changing: bool) -> frozenset[Privilege]:
    """What several scopes leave of a role together, where something is changed or only read."""
    wanted = frozenset(scopes)
    if Scope.READ in wanted and not changing:
        return frozenset(Privilege)
    return frozenset[Privilege]().union(*(WITHIN[scope] for scope in wanted))


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
    # Where notices about what is the member's own go; empty where none is known.
    email: str = ""

    def values(self) -> dict[str, object]:
        """What somebody may change of the member, by name."""
        return {name: getattr(self, name) for name in CHANGING}

    @property
    def version(self) -> str:
        """The version of what may change."""
        return versions.of(self.values())

    def administers(self) -> bool:
        """True for an administrator who is not disabled."""
        return self.role is Role.ADMINISTRATOR and not self.disabled


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking: a member with a role, or the console of the server itself (`member_id` None).

    `within` is what the scopes of an API key leave of the role, None where nothing is left out.
    """

    member_id: int | None
    username: str
    role: Role
    within: frozenset[Privilege] | None = None

    @property
    def own_number(self) -> int:
        """The number of the member whose own licenses may be seen and used, and one that no member has where it is nobody's."""
        return 0 if self.member_id is None or not self.has(Privilege.OWN_LICENSES) else self.member_id

    def is_own(self, username: str) -> bool:
        """True when the name is the asking member's, whose own may be seen."""
        return user_key(username) == user_key(self.username) and self.has(Privilege.OWN_LICENSES)

    def needs(self, privilege: Privilege) -> None:
        """Raises NotAllowed when the actor's role lacks the privilege, or the scopes of the API key leave it out."""
        if privilege not in PRIVILEGES[self.role]:
            raise NotAllowed(
                f'the member {self.username} has the role "{self.role}", which may not {privilege}', role=str(self.role)
            )
        if not self.has(privilege):
            raise NotAllowed(
                f"the scopes of this API key of {self.username} leave out: {privilege}",
                hint="Ask an administrator for an API key with a wider scope.",
                role=str(self.role),
            )

    def needs_one_of(self, *privileges: Privilege) -> None:
        """Raises NotAllowed when the actor lacks all of the privileges."""
        if not any(self.has(privilege) for privilege in privileges):
            held = [privilege for privilege in privileges if privilege in PRIVILEGES[self.role]]
            self.needs((held or privileges)[-1])

    def has(self, privilege: Privilege) -> bool:
        """True when the actor's role has the privilege, and the scopes leave it in."""
        return privilege in PRIVILEGES[self.role] and (self.within is None or privilege in self.within)


def check_reach(actor: Actor, role: Role) -> None:
    """Raises NotAllowed for who would decide who has a role that may more than they may themself.

    A user name is access: by it a provider's account is matched. So is being enabled, and being there at all.
    """
    if not all(actor.has(privilege) for privilege in PRIVILEGES[role] - PRIVILEGES[Role.MEMBER]):
        actor.needs(Privilege.GIVE_ACCESS)


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


def username_form(text: str) -> str:
    """A user name in NFC: 1 to 128 letters of any script, digits and `MARKS`, as directories have them.

    It begins with a letter or digit and does not end with a backslash. A letter that has a plain form is not taken, nor a
    word with letters of scripts that look alike. Raises InvalidInput, which says why.
    """
    username = unicodedata.normalize("NFC", text)
    problem = _problem_of(username)
    if problem is not None:
        raise InvalidInput(f'"{username[:140]}" cannot be a user name: {problem}', username=username[:140])
    return username


def username_of(text: str) -> str:
    """A user name that a member can have: one in its form that has no meaning of its own, whatever its case.

    Raises InvalidInput, which says why.
    """
    username = username_form(text)
    if names.key_of(username) in RESERVED:
        raise InvalidInput(f'"{username}" cannot be a user name: it has another meaning', username=username)
    return username


def email_of(text: str) -> str:
    """An e-mail address in NFC without space around it, "" for none. Raises InvalidInput for a text that is no address."""
    email = unicodedata.normalize("NFC", text.strip())
    if email and not (len(email) <= LONGEST_EMAIL and email.isprintable() and _EMAIL.fullmatch(email)):
        raise InvalidInput(f'"{email[:140]}" is no e-mail address', hint="Write it like ada@example.org, without a name.")
    return email


def user_key(username: str) -> str:
    """What makes two user names the same (see `names.key_of`). A text that is no user name is nobody's: its key is empty."""
    if _SIMPLE.match(username):
        return username.lower()
    composed = unicodedata.normalize("NFC", username)
    return names.key_of(composed) if _problem_of(composed) is None else ""


def search_text(username: str, full_name: str) -> str:
    """What a search looks through of a member: full name and user name as `names.search_key` has them, a line for each."""
    return f"{names.search_key(full_name)}\n{names.search_key(username)}"


def _problem_of(username: str) -> str | None:
    """Why a text cannot be a user name, None when it can."""
    if _SIMPLE.match(username):
        return None
    if max(len(username), len(names.key_of(username))) > names.LONGEST_NAME:
        return f"it has more than {names.LONGEST_NAME} characters"
    for char in username:
        if not (unicodedata.category(char)[0] in "LM" or char.isdecimal() or char in MARKS or char in names.JOINERS):
            return f"it has the character {names.character_name(char)}; use letters, digits and . _ @ + - ' ! # $ & ^ ~ \\"
        if unicodedata.normalize("NFKC", char) != char:
            return f"it has the character {names.character_name(char)}, which has a plain form"
    if not username or not (unicodedata.category(username[0])[0] == "L" or username[0].isdecimal()) or username[-1] == "\\":
        return "it begins with a letter or digit, and does not end with a backslash"
    return names.mixture(username)


def group_name(text: str) -> str:
    """The name of a group in its one spelling (see `names.spelled`). Raises InvalidInput; a name has something to see in it."""
    name = names.spelled("the name of a group", text)
    if not names.key_of(name):
        raise InvalidInput("a group needs a name")
    return name


def check_new_group(name: str) -> None:
    """Raises InvalidInput for a group that people would take for another, which no rule for the other would hold for.

    A group that is there already may be named as it is.
    """
    problem = names.mixture(name)
    if problem is not None:
        raise InvalidInput(f'"{name}" cannot be a new group: {problem}', hint="Write each word in letters of one script.")


def check_administrator_left(member: Member, others: int) -> None:
    """Raises LastAdministrator when a member who is to administer no more leaves no other administrator who is not disabled."""
    if others == 0:
        raise LastAdministrator(
            f"without {member.username} nobody would be left who administers the organization", member=member.username
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
