"""Every page with its place in the menu and who may open it: what the roles see is decided here alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from authority.domain.members import Actor, Privilege


@dataclass(frozen=True, slots=True)
class Entry:
    """A page module: its blueprint's name, and the privileges of which one is needed; none: everybody who is signed in."""

    name: str
    title: str
    needs: tuple[Privilege, ...] = ()
    in_menu: bool = True

    @property
    def endpoint(self) -> str:
        """The endpoint of the page that the menu leads to."""
        return f"console.{self.name}.index"

    def is_open_to(self, actor: Actor) -> bool:
        """True when the actor's role may open the page."""
        return not self.needs or any(actor.has(privilege) for privilege in self.needs)

    def check(self, actor: Actor) -> None:
        """Raises NotAllowed for who may not open the page."""
        if self.needs:
            actor.needs_one_of(*self.needs)


ENTRIES = (
    Entry("overview", "Overview", (Privilege.ASSIGN_LICENSES,)),
    Entry("my_license", "My license"),
    Entry("members", "Members", (Privilege.MANAGE_MEMBERS, Privilege.ASSIGN_LICENSES)),
    Entry("member", "Member", (Privilege.MANAGE_MEMBERS, Privilege.ASSIGN_LICENSES), in_menu=False),
    Entry("member_access", "Password and sign-ins of a member", (Privilege.MANAGE_MEMBERS,), in_menu=False),
    Entry("member_licenses", "License of a member", (Privilege.ASSIGN_LICENSES,), in_menu=False),
    Entry("member_new", "New members", (Privilege.MANAGE_MEMBERS,), in_menu=False),
    Entry("member_import", "Members from a file", (Privilege.MANAGE_MEMBERS,), in_menu=False),
    Entry("licenses", "Licenses", (Privilege.ASSIGN_LICENSES,)),
    Entry("activity", "Activity", (Privilege.VIEW_BORROWS,)),
    Entry("offline", "Offline", (Privilege.VIEW_BORROWS,)),
    Entry("exchange", "Exchange", (Privilege.ACT_FOR_MEMBERS,)),
    Entry("rules", "Rules", (Privilege.VIEW_BORROWS,)),
    Entry("offline_rules", "Rule about offline use", (Privilege.MANAGE_AUTHORITY,), in_menu=False),
    Entry("pool_rules", "Rule about concurrent seats", (Privilege.MANAGE_AUTHORITY,), in_menu=False),
    Entry("authorization", "Authorization", (Privilege.ASSIGN_LICENSES,)),
    Entry("keys", "Keys", (Privilege.MANAGE_AUTHORITY,)),
    Entry("log", "Log", (Privilege.READ_LOG,)),
    Entry("api_keys", "API keys", (Privilege.MANAGE_AUTHORITY,)),
    Entry("notifications", "Notifications", (Privilege.MANAGE_AUTHORITY,)),
    Entry("settings", "Settings", (Privilege.MANAGE_AUTHORITY,)),
)
BY_NAME = {entry.name: entry for entry in ENTRIES}


def menu(actor: Actor) -> list[Entry]:
    """The pages that the actor may open, in the order of the menu."""
    return [entry for entry in ENTRIES if entry.in_menu and entry.is_open_to(actor)]


def first(actor: Actor) -> Entry:
    """The page to begin with: the first one that the actor's role opens, and where it opens none what is everybody's own."""
    own = menu(actor)
    return next((entry for entry in own if entry.needs), own[0])


def address_of(actor: Actor, name: str, **parameters: Any) -> str:
    """The address of the page that the menu leads to, with parameters; "" for who may not open it."""
    entry = BY_NAME[name]
    return url_for(entry.endpoint, **parameters) if entry.is_open_to(actor) else ""
