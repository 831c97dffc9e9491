"""A member: who it is, what they hold and use, and what is changed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.members import DownloadPermission, Member, Privilege, Role
from authority.domain.plurals import counted
from authority.presentation import sheets
from authority.presentation.borrows import BorrowShown
from authority.presentation.licenses import AssignmentShown
from authority.presentation.log import Events
from authority.presentation.member_products import MemberProduct
from authority.presentation.members import ChangedMember, MemberShown
from authority.presentation.sessions import Sessions
from authority.services import borrow, log, member_changes, members, policies, removal, sessions
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage import borrows as borrow_rows
from authority.storage import events
from authority.storage import sessions as session_rows
from authority.web.access import publish_soon
from authority.web.console.formats import utc
from authority.web.console.forms import Form, Id, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.member_forms import (
    BORROWS_STAY,
    ROLES,
    Email,
    FullName,
    Groups,
    UserName,
    differences,
    license_effects,
    license_words,
)
from authority.web.console.visiting import product_name, unit, visitor

pages = Blueprint("member", __name__)

BORROWS_ON_A_PAGE, EVENTS_ON_A_PAGE = 20, 20
# Who is changed in these alone feels nothing of it, or is given something.
DONE_AT_ONCE = frozenset({"full_name", "email", "vendor_access", "download_permission"})


class Wanted(Form):
    after: Id | None = None
    before: int | None = Field(None, ge=1)


class ChangeForm(Form):
    version: str = Field("", max_length=128)
    username: UserName
    full_name: FullName = ""
    email: Email = ""
    user_type: str = Field(max_length=64)
    role: Role
    groups: Groups = ()
    disabled: bool = False
    vendor_access: bool = False
    download_permission: DownloadPermission = DownloadPermission.NONE

    def change(self) -> Change:
        """What is to be changed."""
        return Change(**self.model_dump(exclude={"version"}))


class Removal(Form):
    release: bool = False


@pages.get("/member/<username>")
def index(username: str) -> Response:
    """Who it is, the licenses and offline rules, what is used and was borrowed, and what the log has."""
    wanted, work, actor = read(Wanted, request.args), unit(), visitor().actor
    member, held = members.show(work, username)
    products = MemberProduct.all_of(member, held, policies.explain_every(work, member.username), work.authorization)
    return page(
        "member.html",
        member=MemberShown.of(member),
        products=products,
        sessions=Sessions.of(*sessions.listed(work, session_rows.Filter(member=member.username)), work.now).items,
        events=_events(work, member, wanted.before) if actor.has(Privilege.READ_LOG) else None,
        may_manage=actor.has(Privilege.MANAGE_MEMBERS),
        may_end=actor.has(Privilege.END_BORROWS),
        may_issue=actor.has(Privilege.ACT_FOR_MEMBERS),
        **_borrows(work, member, wanted.after),
    )


def _borrows(work: Unit, member: Member, after: str | None) -> Mapping[str, Any]:
    wanted = borrow_rows.Filter(member=member.username, after=after, limit=BORROWS_ON_A_PAGE)
    rows, cursor = borrow.listed(work, wanted)
    return {"borrows": [BorrowShown.of(row, work.now) for row in rows], "earlier_borrows": cursor}


def _events(work: Unit, member: Member, before: int | None) -> Events:
    wanted = events.Filter(before=before, newest=True, limit=EVENTS_ON_A_PAGE)
    return Events.of(log.listed(work, wanted, member.username), EVENTS_ON_A_PAGE)


@pages.get("/member/<username>/change")
def edit(username: str) -> Response:
    """The form of what can be changed of a member."""
    visitor().actor.needs(Privilege.MANAGE_MEMBERS)
    work = unit()
    member = MemberShown.of(members.show(work, username)[0])
    types = sorted({member.user_type, *work.authorization.user_types})
    return page(
        "member_change.html",
        member=member,
        groups=sheets.joined(member.groups),
        types=types,
        roles=ROLES,
        permissions=list(DownloadPermission),
    )


@pages.post("/member/<username>/change")
@shown_again(edit, left=edit)
def change(username: str) -> Response:
    """Changes a member who is still as the form was made for; asks first where somebody will feel it."""
    form = read(ChangeForm)
    changed = ChangedMember.of(member_changes.change(_expecting(form), username, form.change(), dry_run=True), dry_run=True)
    what = differences(changed)
    if not what:
        return done(
            url_for(".index", username=username), f"Nothing of {changed.before.username} was changed: all is as it was."
        )
    before, after = changed.before, changed.member
    felt = [name for name in MemberShown.model_fields if getattr(before, name) != getattr(after, name)]
    if set(felt) - DONE_AT_ONCE - {"version"}:
        question = confirm(
            f"Change {before.username}?",
            who=before.username,
            what="; ".join(what),
            until="from now on",
            consequences=_consequences(changed),
            action=f"Change {before.username}",
            back=url_for(".edit", username=username),
        )
        if question:
            return question
    member_changes.change(_expecting(form), username, form.change())
    then = [("Members", url_for("console.members.index"))]
    return done(url_for(".index", username=after.username), f"{after.username} is changed. {'; '.join(what)}.", then)


def _expecting(form: ChangeForm) -> Unit:
    """A unit of work for the member as the form was made for it."""
    work = unit()
    work.expected = [form.version]
    return work


def _consequences(changed: ChangedMember) -> list[str]:
    before, after = changed.before, changed.member
    sentences = [f"License {sentence}" for sentence in license_effects(changed)]
    if changed.licenses.taken:
        sentences.append(BORROWS_STAY)
    if after.disabled and not before.disabled:
        ended = counted(changed.access.ended_sign_ins, "sign-in")
        sentences += [
            f"They cannot sign in, start or borrow anything until they are enabled again; {ended} will end.",
            BORROWS_STAY,
        ]
    if after.username != before.username:
        sentences.append(
            "They sign in by the new name. All that is theirs stays so; files and rows of the log made before have the old name."
        )
    if after.groups != before.groups:
        sentences.append("The offline rules of the new groups hold from the next borrow or renewal on.")
    return list(dict.fromkeys(sentences))


def _ask_removal(username: str) -> Response | None:
    """The page before a removal: what is freed, and what may go on running; None when it was agreed to."""
    work = unit()
    member, held = members.show(work, username)
    out = [BorrowShown.of(item, work.now) for item in removal.remove(work, [username], release=True, dry_run=True)[0].borrows]
    name = member.username
    free = [f"Free again: {license_words(AssignmentShown.of(item))}" for item in held]
    running = [
        f"Released: {product_name(item.product)} on {item.machine.alias or item.machine.id}; its copy may run until {utc(item.expires_at)}"
        for item in out
    ]
    release = f"Release {counted(len(out), 'borrow')}: I know that the copies can run until the times that are named"
    return confirm(
        f"Remove {name}?",
        who=f"{name} {member.full_name}".strip(),
        what="the member, with all licenses, sessions, sign-ins, API keys and offline rules of theirs",
        until="for good",
        consequences=[free, running, "What the log says of them stays."],
        action=f"Remove {name}",
        back=url_for(".index", username=username),
        asked={"release": release} if out else {},
        is_dangerous=True,
    )


@pages.post("/member/<username>/remove")
@shown_again(lambda username: (_ask_removal(username) if "confirmed" in request.form else None) or index(username))
def remove(username: str) -> Response:
    """Asks, then removes a member; borrows that are out are released if that is agreed to."""
    form = read(Removal)
    question = _ask_removal(username)
    if question:
        return question
    removed = removal.remove(unit(), [username], release=form.release)[0]
    publish_soon()
    released = f" {counted(len(removed.borrows), 'borrow')} of theirs released." if removed.borrows else ""
    then = [("Add a member", url_for("console.member_new.add_form"))]
    return done(url_for("console.members.index"), f"{removed.member.username} is removed.{released}", then)
