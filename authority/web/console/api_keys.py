"""API keys: what programs sign in with, made with the secret shown once, and revoked one or many."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from flask import Blueprint, Response, request, url_for
from pydantic import AfterValidator, Field

from authority.domain.members import Scope
from authority.domain.plurals import counted
from authority.presentation import sheets
from authority.presentation.api_keys import ApiKeys, ApiKeyShown, MadeApiKey
from authority.presentation.several import rows_of
from authority.services import access
from authority.services.unit import Unit
from authority.web.answers import sheet
from authority.web.console.forms import Form, Id, Text, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.visiting import unit

pages = Blueprint("api_keys", __name__)

ON_A_PAGE = 100
MOST_AT_ONCE = 1000
SCOPES = {
    Scope.ALL: "everything that the member may do",
    Scope.READ: "read all that the member may see, and change nothing",
    Scope.OWN: "take the member's own licenses, and give them back",
    Scope.BORROWS: "borrow, check in, revoke and release",
    Scope.LICENSES: "assign and unassign licenses",
    Scope.MEMBERS: "add, change and remove members",
    Scope.LOG: "read the log",
    Scope.AUTHORITY: "rules, settings, keys and the authorization",
}


class Filters(Form):
    cursor: Id | None = None


def _some(ids: list[str]) -> list[str]:
    if not ids:
        raise ValueError("Tick at least one key")
    return ids


class Choice(Form):
    ids: Annotated[list[Id], Field(max_length=MOST_AT_ONCE), AfterValidator(_some)] = Field(
        default_factory=list, validate_default=True
    )


class NewKey(Form):
    name: Text
    member: Text
    scopes: list[Scope] = Field(default_factory=lambda: [Scope.ALL], max_length=len(Scope))
    # The last day, in UTC; one that has a day after it.
    last_day: Annotated[date, Field(ge=date(1970, 1, 1), le=date(9998, 12, 31))] | None = None

    def ends_at(self) -> datetime | None:
        """When the key ends, None for never: at midnight after its last day."""
        return None if self.last_day is None else datetime.combine(self.last_day + timedelta(days=1), time.min, UTC)


def _list(cursor: str | None) -> Response:
    work = unit()
    keys, following = access.api_keys(work, cursor, ON_A_PAGE)
    shown = ApiKeys.of(keys, following)
    return page(
        "api_keys.html",
        keys=shown,
        states={key.id: _state(key, work) for key in shown.items},
        scopes=SCOPES,
        # They are a list in the form, of which a box that is not ticked is not sent.
        ticked=request.form.getlist("scopes") or ["all"],
        csv=url_for("console.api_keys.as_csv"),
    )


def _state(key: ApiKeyShown, work: Unit) -> str:
    """Whether the key is good, ended or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "ended" if key.expires_at is not None and key.expires_at <= work.now else "good"


def _from_the_first() -> Response:
    return _list(None)


@pages.get("/api-keys")
@shown_again(_from_the_first)
def index() -> Response:
    """The API keys, the newest first, and the form for another one."""
    return _list(read(Filters, request.args).cursor)


@pages.get("/api-keys.csv")
def as_csv() -> Response:
    """All API keys, never their secrets."""
    work, cursor, keys = unit(), None, []
    while True:
        more, cursor = access.api_keys(work, cursor, MOST_AT_ONCE)
        keys += more
        if cursor is None:
            return sheet(sheets.lines_of(ApiKeyShown, map(ApiKeyShown.of, keys)), "api-keys.csv")


@pages.post("/api-keys/create")
@shown_again(_from_the_first)
def create() -> Response:
    """Makes a key, and shows its secret this once."""
    form, work = read(NewKey), unit()
    secret, key = access.create_api_key(work, form.member, form.name, scopes=form.scopes, expires_at=form.ends_at())
    return page("api_keys_made.html", key=MadeApiKey.made(key, secret), scopes=SCOPES)


def _ask() -> Response | None:
    """The page before keys are revoked; None when it was agreed to. Raises Refusal when none is there."""
    outcomes = access.revoke_api_keys(unit(), read(Choice).ids, one_by_one=True, dry_run=True)
    fit = [outcome.done() for outcome in outcomes if outcome.refusal is None]
    if not fit:
        outcomes[0].done()
    number = counted(len(fit), "API key")
    return confirm(
        f"Revoke {number}?",
        who=sorted({key.member for key in fit}),
        what=[key.name for key in fit],
        until="for good: a revoked key stays revoked",
        consequences=[
            "A program that uses such a key is refused from its next request on, until it has another one.",
            "What was borrowed with it stays good.",
            [f"Left out: {outcome.refusal.message}" for outcome in outcomes if outcome.refusal is not None],
        ],
        action=f"Revoke {number}",
        back=url_for("console.api_keys.index"),
        is_dangerous=True,
    )


@pages.post("/api-keys/revoke")
@shown_again(_from_the_first, left=_from_the_first)
def revoke() -> Response:
    """Asks, then revokes those that were ticked, each by itself."""
    ids, work = read(Choice).ids, unit()
    question = _ask()
    if question:
        return question
    outcomes = access.revoke_api_keys(work, ids, one_by_one=True)
    if len(outcomes) == 1:
        key = outcomes[0].done()
        text = f"The key {key.name} of {key.member} is revoked."
        return done(url_for("console.api_keys.index"), text, [("Make another one", url_for("console.api_keys.index") + "#new")])
    rows = rows_of(outcomes, lambda key_id: {"id": key_id}, "key", ApiKeyShown.of)
    return page("api_keys_revoked.html", rows=rows, number=sum(row["ok"] for row in rows))
