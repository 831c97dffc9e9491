"""How a member gets in: where they are signed in, a new password, and on which computers they are at work."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request, url_for

from authority.domain.plurals import counted
from authority.presentation.sign_ins import SignIns, SignInShown
from authority.services import access, member_changes, members, oidc, sessions
from authority.services.member_changes import Change
from authority.web.console import session_endings
from authority.web.console.formats import named
from authority.web.console.forms import Form, Id, Password, PasswordTwice, read
from authority.web.console.frame import confirm, done, page, see_other, shown_again
from authority.web.console.visiting import unit

pages = Blueprint("member_access", __name__)


class SignInsPage(Form):
    cursor: Id | None = None


class NewPassword(PasswordTwice):
    new_password: Password


class EndedSignIns(Form):
    id: Id | None = None


class EndedSession(Form):
    session: Id


@pages.get("/member/<username>/sign-ins")
def sign_ins(username: str) -> Response:
    """Where a member is signed in, which ends with a new password, and the form for one."""
    work = unit()
    rows, cursor = access.sign_ins_of(work, username, read(SignInsPage, request.args).cursor)
    member, keys = members.revocable_keys(work, username)
    return page(
        "member_sign_ins.html",
        username=member.username,
        sign_ins=SignIns.of(rows, cursor),
        keys=named([key.name for key in keys]),
        known_at=[(_label(issuer), at) for issuer, at in oidc.issuers_of(work, username)],
    )


def _label(issuer: str) -> str:
    """How the sign-in page names the provider; one that is set up no more is named by its issuer."""
    clients = current_app.extensions["carnet-providers"].values()
    return next((client.provider.label for client in clients if client.provider.issuer == issuer), issuer)


@pages.post("/member/<username>/sign-ins/password")
@shown_again(sign_ins)
def set_password(username: str) -> Response:
    """Sets a password; what it ends was said above the form."""
    form = read(NewPassword)
    changed = member_changes.change(unit(), username, Change(password=form.new_password, revoke_keys=form.revoke_keys))
    result, name = changed.access, changed.before.username
    text = f"{name} has a new password, and {counted(result.ended_sign_ins, 'sign-in')} ended."
    if result.api_keys:
        text += f" These API keys go on: {', '.join(key.name for key in result.api_keys)}."
    if result.revoked_api_keys:
        text += f" These API keys are revoked: {', '.join(key.name for key in result.revoked_api_keys)}."
    return done(url_for("console.member.index", username=name), f"{text} Tell them the password by another way than mail.")


@pages.post("/member/<username>/sign-ins/end")
@shown_again(sign_ins)
def end_sign_ins(username: str) -> Response:
    """Asks, then ends one sign-in of a member, or all of them."""
    own_id = read(EndedSignIns).id
    ids = None if own_id is None else [own_id]
    would = [SignInShown.of(item) for item in access.end_sign_ins(unit(), username, ids, dry_run=True)]
    back = url_for(".sign_ins", username=username)
    if not would:
        return done(back, "Nothing was ended: they are signed in nowhere, or that sign-in had ended already.")
    number = counted(len(would), "sign-in")
    question = confirm(
        f"End {number} of {would[0].member}?",
        who=would[0].member,
        what="; ".join(f"{item.agent or 'an unknown program'} from {item.address or 'an unknown address'}" for item in would),
        until="until they sign in again",
        consequences=["They sign in again with their password.", "API keys go on, and what is out offline stays good."],
        action=f"End {number}",
        back=back,
    )
    if question:
        return question
    ended = access.end_sign_ins(unit(), username, ids)
    if any(item.is_current for item in ended):
        return see_other(url_for("console.sign_in.index"))
    return done(
        back, f"{counted(len(ended), 'sign-in')} of {would[0].member} ended.", [("Set a new password", f"{back}#password")]
    )


@pages.post("/member/<username>/sign-ins/forget")
@shown_again(sign_ins)
def forget_identities(username: str) -> Response:
    """Asks, then forgets who a member is at the providers by which members sign in."""
    work = unit()
    known_at = [_label(issuer) for issuer, _ in oidc.issuers_of(work, username)]
    name = member_changes.change(work, username, Change(forget_identities=True), dry_run=True).before.username
    back = url_for(".sign_ins", username=name)
    if not known_at:
        return done(back, f"Nothing was forgotten: {name} is known at no provider.")
    question = confirm(
        f"Forget who {name} is at {named(known_at)}?",
        who=name,
        what=f"the account by which {name} signs in at {named(known_at)}",
        until="until somebody signs in there whose claims name this member",
        consequences=[
            "It is for an account that was made anew there: whoever signs in next with the name of this member becomes this member.",
            "Where they are signed in they stay so: end that as well if it was somebody else.",
        ],
        action="Forget it",
        back=back,
        is_dangerous=True,
    )
    if question:
        return question
    member_changes.change(unit(), username, Change(forget_identities=True))
    return done(back, f"{name} is known at no provider any more, until they sign in there again.")


@pages.post("/member/<username>/sessions/end")
def end_session(username: str) -> Response:
    """Asks, then ends a session of a member, who has time to save."""
    ids, back = [read(EndedSession).session], url_for("console.member.index", username=username)
    question = session_endings.ask(unit(), ids, back)
    if question:
        return question
    return done(back, session_endings.sentence_after(sessions.end_several(unit(), ids)[0].done()))
